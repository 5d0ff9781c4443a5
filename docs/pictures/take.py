"""The pictures of the README and the how-tos, taken from a running Airflow.

    safeconduct --site DIR up --demo            with a catalogue of its own, since a feed's file is changed for a minute
    python docs/pictures/take.py DIR CHROMIUM   in another terminal

One delivery is refused because its feed is set to take no bad row; then the feed is corrected, and the run is cleared in the UI
as an operator would. Every picture is written beside this file.
"""

import secrets
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from pipeline.edges.site import Site  # noqa: E402
from pipeline.edges.supervision import Running, find  # noqa: E402
from tests.airflow.cockpit import Cockpit, until  # noqa: E402

PICTURES = Path(__file__).resolve().parent
FEED, DAG = "pnr-push", "receive.pnr-push"
TAKES, TAKES_NONE = "max_rejected_share = 0.10", "max_rejected_share = 0.0"
LEFT = 316
"""Where the page of a run begins, right of the grid of all runs."""
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
]


def main(directory: Path, chromium: str) -> None:
    running = find(directory)
    if running is None:
        sys.exit(f"No Airflow runs for {directory}.")
    cockpit = Cockpit.sign_in(running)
    site = Site.open(directory)
    feed = site.catalogue_root / "feeds" / f"{FEED}.toml"
    if feed.is_relative_to(ROOT):
        sys.exit("The site uses the project's own catalogue: give it a copy.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*QUIET, "--disable-sync"])
        page = browser.new_page(viewport={"width": 1200, "height": 640})
        page.set_default_timeout(60_000)
        sign_in(page, running)
        see(page, running, "/dags?limit=25", "dags", ready="intake")
        sharp = browser.new_page(
            viewport={"width": 1400, "height": 640}, device_scale_factor=2, storage_state=page.context.storage_state()
        )
        asset_graph(sharp, running, cockpit)
        rerun(page, running, cockpit, feed, directory)
        browser.close()


def sign_in(page: Page, running: Running) -> None:
    page.goto(running.url)
    page.locator("input[name=username]").wait_for()
    keep(page, "sign-in")
    page.locator("input[name=username]").fill(running.user)
    page.locator("input[name=password]").fill(running.password)
    page.locator("button[type=submit]").click()
    page.get_by_text("Dags", exact=True).first.wait_for()


def asset_graph(page: Page, running: Running, cockpit: Cockpit) -> None:
    assets = cockpit.get("/api/v2/assets?limit=100")["assets"]
    (accepted,) = [asset["id"] for asset in assets if asset["name"] == f"{FEED}: accepted"]
    page.goto(f"{running.url}/assets/{accepted}")
    page.locator(".react-flow__node").first.wait_for()
    rest(page)
    boxes = [box for node in page.locator(".react-flow__node").all() if (box := node.bounding_box())]
    left, top = min(box["x"] for box in boxes) - 12, min(box["y"] for box in boxes) - 12
    right = max(box["x"] + box["width"] for box in boxes) + 12
    bottom = max(box["y"] + box["height"] for box in boxes) + 12
    page.screenshot(
        path=str(PICTURES / "asset-graph.png"),
        clip={"x": left, "y": top, "width": right - left, "height": bottom - top},
    )


def rerun(page: Page, running: Running, cockpit: Cockpit, feed: Path, site: Path) -> None:
    before = {run["dag_run_id"] for run in cockpit.runs(DAG)}
    correct = feed.read_text(encoding="utf-8")
    feed.write_text(correct.replace(TAKES, TAKES_NONE), encoding="utf-8")
    try:
        deliver(site)
        refused = until(lambda: ended(cockpit, before), seconds=180, what="the refused run")
    finally:
        feed.write_text(correct, encoding="utf-8")
    run = f"/dags/{DAG}/runs/{quote(refused, safe='')}"
    see(page, running, run, "red-run", ready="verdict", left=LEFT)
    the_reason(page, running, f"{run}/tasks/verdict")
    page.goto(running.url + run)
    page.get_by_role("button", name="Press shift+c to clear").click()
    page.get_by_role("button", name="Confirm").wait_for()
    keep(page, "clear")
    page.get_by_role("button", name="Confirm").click()
    until(lambda: state(cockpit, refused) == "success", seconds=180, what="the green run")
    see(page, running, run, "green-run", ready="verdict", left=LEFT)


def the_reason(page: Page, running: Running, path: str) -> None:
    """The log, its lines wrapped, its traceback folded: that names folders of this machine."""
    page.goto(running.url + path)
    page.get_by_text("AirflowFailException").first.wait_for()
    page.keyboard.press("w")
    page.get_by_text("AirflowFailException").first.click()
    keep(page, "verdict")


def deliver(site: Path) -> None:
    """A synthetic delivery with some bad rows has landed, of a seed that was not used before."""
    made = site / "pictures"
    command = [sys.executable, "-m", "samples", str(made), "--feed", FEED, "--seed", str(secrets.randbelow(10**6))]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 (both are built here)
    file = made / FEED / "bad-rows.edi"
    program = Path(sys.executable).with_name("safeconduct")
    name = f"{time.time_ns()}.edi"
    asked: list[str | Path] = [program, "--site", site, "deliver", file, "--feed", FEED, "--as", name]
    subprocess.run(asked, cwd=ROOT, check=True, capture_output=True)  # noqa: S603


def ended(cockpit: Cockpit, before: set[str]) -> str | None:
    found = [run for run in cockpit.runs(DAG) if run["dag_run_id"] not in before and run["state"] == "failed"]
    return str(found[0]["dag_run_id"]) if found else None


def state(cockpit: Cockpit, run: str) -> str:
    return str(cockpit.get(f"/api/v2/dags/{DAG}/dagRuns/{quote(run, safe='')}")["state"])


def see(page: Page, running: Running, path: str, name: str, *, ready: str, left: int = 0) -> None:
    page.goto(running.url + path)
    page.get_by_text(ready).first.wait_for()
    keep(page, name, left=left)


def keep(page: Page, name: str, *, left: int = 0) -> None:
    """The picture is there, once the page has come to rest."""
    rest(page)
    size = page.viewport_size or {"width": 1200, "height": 640}
    page.screenshot(
        path=str(PICTURES / f"{name}.png"),
        clip={"x": left, "y": 0, "width": size["width"] - left, "height": size["height"]},
    )


def rest(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(4000)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
