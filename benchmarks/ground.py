"""What is measured on: a real site on local folders, with one sealed and signed delivery that has landed.

<ground>/delivery                 the delivery in clear
<ground>/catalogue, demo          policy; the partners' private halves
<ground>/site                     the site, as it was when the delivery had landed; each run has a linked copy beside it
"""

import os
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import pyrage  # type: ignore[import-untyped]

from pipeline.edges.demo_partner import create_demo_partner
from pipeline.edges.opening import read_private_key, sign
from pipeline.edges.site import Site
from samples import aeo_members, pnr_push

HERE = Path(__file__).resolve().parent
Form = Literal["csv", "parquet"]
BAD_SHARE = 0.01
SEED = 20261121
LANDED_LONG_AGO = 1_700_000_000
"""So old is the landed file: a sweep waits until a younger one is whole for sure."""


@dataclass(frozen=True, slots=True)
class Ground:
    """One delivery of `rows` rows, `bad_rows` of which break a rule, and the agreement to release it under, as `form`."""

    directory: str
    feed: str
    agreement: str
    form: Form
    rows: int
    bad_rows: int
    size_bytes: int

    @property
    def clear(self) -> Path:
        return Path(self.directory) / "delivery"

    @property
    def landed(self) -> Path:
        return Path(self.directory) / "site" / "stores" / "landing" / self.feed / "delivery"

    def fresh(self, name: str) -> Path:
        """An empty folder of this name beside the site."""
        folder = Path(self.directory) / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def site(self, name: str) -> Path:
        """A copy of the site to run in, `name`; files that never change are shared with it."""
        folder = self.fresh(name)
        shutil.copytree(Path(self.directory) / "site", folder, copy_function=os.link, dirs_exist_ok=True)
        folder.chmod(0o700)
        return folder


def make(directory: str, feed: str, rows: int, form: Form) -> dict[str, Any]:
    """The ground is made in `directory`; what `Ground` takes. Every agreement there releases `form`."""
    root = Path(directory)
    root.mkdir(parents=True)
    match feed:
        case "aeo-members":
            agreement, write = "aeo-benchmark", _write_aeo
        case "pnr-push":
            agreement, write = "pnr-eu-piu", _write_pnr
        case _:
            raise ValueError(f"there is no sample of {feed}")
    with (root / "delivery").open("wb") as out:
        bad_rows = write(out, rows)
    shutil.copytree(HERE.parent / "catalogue", root / "catalogue")
    shutil.copytree(HERE / "agreements", root / "catalogue" / "agreements", dirs_exist_ok=True)
    for path in (root / "catalogue" / "agreements").iterdir():
        path.write_text(re.sub(r'(?m)^format = ".*"$', f'format = "{form}"', path.read_text(encoding="utf-8")))
    site = Site.create(root / "site", root / "catalogue")
    for partner in site.catalogue().partners:
        create_demo_partner(root / "demo", site.keyring, partner, receives=True, signs=True)
    ground = Ground(directory, feed, agreement, form, rows, bad_rows, (root / "delivery").stat().st_size)
    _land(ground, site)
    return asdict(ground)


def _write_aeo(out: BinaryIO, rows: int) -> int:
    return aeo_members.write(out, operators=rows, seed=SEED, bad_share=BAD_SHARE).bad_rows


def _write_pnr(out: BinaryIO, rows: int) -> int:
    return pnr_push.write(out, travellers=rows, seed=SEED, bad_share=BAD_SHARE).bad_rows


def _land(ground: Ground, site: Site) -> None:
    """The partner has written the delivery, sealed and signed as the feed asks, with tools of its own."""
    feed = site.catalogue().feed(ground.feed)
    ground.landed.parent.mkdir(parents=True)
    if feed.sealed:
        recipient = pyrage.x25519.Recipient.from_str(site.keyring.opening.recipient)
        pyrage.encrypt_file(str(ground.clear), str(ground.landed), [recipient])
    else:
        os.link(ground.clear, ground.landed)
    if feed.signed:
        key = read_private_key((Path(ground.directory) / "demo" / f"{feed.partner}.ed25519").read_bytes())
        with ground.landed.open("rb") as file:
            blocks = iter(lambda: file.read(1024 * 1024), b"")
            ground.landed.with_name("delivery.sig").write_bytes(sign(blocks, key, hash_name="sha256"))
    os.utime(ground.landed, (LANDED_LONG_AGO, LANDED_LONG_AGO))
