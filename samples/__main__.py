"""`python -m samples`: synthetic deliveries in a folder, the same bytes for the same seed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from samples import (
    aeo_changes,
    aeo_members,
    air_cargo,
    csi,
    fams_coverage,
    gshield,
    mar_ais,
    mar_boarding_report,
    mar_flag_query,
    mar_flag_reply,
    mar_noa,
    pcsc,
    pnr_analytical,
    pnr_push,
    poe_committee_kpi,
    poe_crossings_monthly,
    poe_wait_times,
    preclear_apis,
    preclearance,
    st_deliverables,
    st_projects,
    trusted_travellers,
)
from samples.small_lists import SmallList

Expectation = Literal["released", "released without bad rows", "refused"]
SMALL_ROWS = 400
LARGE_ROWS = 100_000
BAD_SHARE = 0.02
SIZES = {"large": LARGE_ROWS}


@dataclass(frozen=True, slots=True)
class Sample:
    """A delivery that was written, for which feed, and what becomes of it."""

    feed: str
    path: Path
    expectation: Expectation


@dataclass(frozen=True, slots=True)
class _Feed:
    """How a feed's deliveries are made. `counted` is what its generator calls the number of rows."""

    id: str
    ending: str
    write: Callable[..., object]
    counted: str
    refused: Callable[[], bytes]
    most_rows: int = 10_000_000
    """a feed of individual cases takes no more"""

    def sample(self, directory: Path, name: str, *, rows: int, seed: int, bad_share: float = 0.0) -> Sample:
        path = self._path(directory, name)
        options: dict[str, Any] = {self.counted: min(rows, self.most_rows), "seed": seed, "bad_share": bad_share}
        with path.open("wb") as out:
            self.write(out, **options)
        return Sample(self.id, path, "released without bad rows" if bad_share else "released")

    def refused_sample(self, directory: Path) -> Sample:
        path = self._path(directory, "refused")
        path.write_bytes(self.refused())
        return Sample(self.id, path, "refused")

    def _path(self, directory: Path, name: str) -> Path:
        folder = directory / self.id
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.{self.ending}"


def _small(feed: str, small: SmallList, most_rows: int, *, refused: Callable[[], bytes]) -> _Feed:
    return _Feed(feed, "an2" if small.record else "csv", small.write, "rows", refused, most_rows)


FEEDS = {
    feed.id: feed
    for feed in (
        _Feed("aeo-members", "csv", aeo_members.write, "operators", aeo_members.VARIANTS["missing-column"]),
        _Feed("aeo-changes", "csv", aeo_changes.write, "changes", aeo_changes.VARIANTS["no-code"]),
        _Feed("pnr-push", "edi", pnr_push.write, "travellers", pnr_push.VARIANTS["truncated"]),
        _small("pnr-analytical", pnr_analytical.FINDINGS, 200, refused=pnr_analytical.FINDINGS.truncated),
        _Feed("preclear-apis", "edi", preclear_apis.write, "travellers", preclear_apis.VARIANTS["truncated"]),
        _Feed(
            "gshield-pre-export", "jsonl", gshield.write_pre_export, "notices", gshield.VARIANTS["pre-export-truncated"]
        ),
        _Feed("gshield-reply", "csv", gshield.write_reply, "replies", gshield.VARIANTS["reply-missing-column"]),
        _Feed(
            "gshield-suspicious", "jsonl", gshield.write_suspicious, "reports", gshield.VARIANTS["suspicious-not-json"]
        ),
        _Feed("gshield-seizure", "csv", gshield.write_seizure, "seizures", gshield.VARIANTS["seizure-latin-1"]),
        _Feed(
            "csi-manifest24h", "csv", csi.write_manifest24h, "containers", csi.VARIANTS["manifest24h-missing-column"]
        ),
        _Feed("csi-isf", "jsonl", csi.write_isf, "filings", csi.VARIANTS["isf-truncated"]),
        _Feed("csi-referral", "json", csi.write_referral, "referrals", csi.VARIANTS["referral-truncated"]),
        _Feed("csi-exam-result", "xml", csi.write_exam_result, "results", csi.VARIANTS["exam-result-entity"]),
        _small("acas-filing", air_cargo.FILINGS, 2_000_000, refused=air_cargo.FILINGS.truncated),
        _small("acas-status", air_cargo.STATUSES, 2_000_000, refused=air_cargo.STATUSES.truncated),
        _small("preclear-outcome", preclearance.OUTCOMES, 100_000, refused=preclearance.OUTCOMES.truncated),
        _small("preclear-stats", preclearance.INSPECTIONS, 10_000_000, refused=preclearance.INSPECTIONS.truncated),
        _small("pcsc-query", pcsc.QUERIES, 20, refused=lambda: pcsc.QUERIES.with_a_column_more("surname", "SAMPLE")),
        _small(
            "pcsc-response", pcsc.REPLIES, 400, refused=lambda: pcsc.REPLIES.with_a_column_more("surname", "SAMPLE")
        ),
        _small("pcsc-followup", pcsc.FOLLOW_UPS, 5, refused=pcsc.FOLLOW_UPS.truncated),
        _small("pcsc-spontaneous", pcsc.SPONTANEOUS, 5, refused=pcsc.SPONTANEOUS.truncated),
        _small("pcsc-correction", pcsc.CORRECTIONS, 40, refused=pcsc.CORRECTIONS.truncated),
        _small("tt-vetting-request", trusted_travellers.REQUESTS, 400, refused=trusted_travellers.REQUESTS.truncated),
        _small("tt-vetting-result", trusted_travellers.RESULTS, 400, refused=trusted_travellers.RESULTS.truncated),
        _small(
            "tt-membership-status",
            trusted_travellers.MEMBERSHIPS,
            10_000_000,
            refused=trusted_travellers.MEMBERSHIPS.truncated,
        ),
        _Feed("mar-noa", "xml", mar_noa.write, "notices", mar_noa.VARIANTS["truncated"], 1_000),
        _Feed("mar-flag-query", "jsonl", mar_flag_query.write, "queries", mar_flag_query.VARIANTS["truncated"], 400),
        _Feed("mar-flag-reply", "jsonl", mar_flag_reply.write, "replies", mar_flag_reply.VARIANTS["truncated"], 400),
        _Feed(
            "mar-boarding-report",
            "jsonl",
            mar_boarding_report.write,
            "boardings",
            mar_boarding_report.VARIANTS["truncated"],
            400,
        ),
        _Feed("mar-ais", "nmea", mar_ais.write, "messages", mar_ais.VARIANTS["not-nmea"], 100_000),
        _Feed("fams-coverage", "csv", fams_coverage.write, "flights", fams_coverage.VARIANTS["missing-column"], 10_000),
        _Feed("poe-wait-times", "json", poe_wait_times.write, "crossings", poe_wait_times.VARIANTS["truncated"], 400),
        _Feed(
            "poe-crossings-monthly",
            "csv",
            poe_crossings_monthly.write,
            "counts",
            poe_crossings_monthly.VARIANTS["missing-column"],
            4_000,
        ),
        _Feed(
            "poe-committee-kpi",
            "csv",
            poe_committee_kpi.write,
            "figures",
            poe_committee_kpi.VARIANTS["missing-column"],
            4_000,
        ),
        _Feed("st-projects", "csv", st_projects.write, "projects", st_projects.VARIANTS["classified"], 10_000),
        _Feed(
            "st-deliverables",
            "csv",
            st_deliverables.write,
            "deliverables",
            st_deliverables.VARIANTS["unmarked"],
            10_000,
        ),
    )
}


TOLD = ("aeo-members", "pnr-push")
"""The feeds with which the demonstration shows what becomes of a delivery that is not good."""


def write_small(directory: Path, *, feeds: Sequence[str] = tuple(FEEDS), seed: int = 1) -> list[Sample]:
    """For each feed: a good delivery, one with some bad rows, and one that is refused as a whole."""
    return [
        sample
        for feed in (FEEDS[name] for name in feeds)
        for sample in (
            feed.sample(directory, "good", rows=SMALL_ROWS, seed=seed),
            feed.sample(directory, "bad-rows", rows=SMALL_ROWS, seed=seed + 1, bad_share=BAD_SHARE),
            feed.refused_sample(directory),
        )
    ]


def write_demo(directory: Path, *, seed: int = 1) -> list[Sample]:
    """A good delivery of every feed; of two feeds also one with some bad rows, and one that is refused."""
    others = [FEEDS[name] for name in FEEDS if name not in TOLD]
    good = [feed.sample(directory, "good", rows=SMALL_ROWS, seed=seed) for feed in others]
    return write_small(directory, feeds=TOLD, seed=seed) + good


def write_rows(directory: Path, rows: int, *, feeds: Sequence[str] = tuple(FEEDS), seed: int = 1) -> list[Sample]:
    """For each feed: one good delivery of this many rows."""
    return [FEEDS[name].sample(directory, f"good-{rows}", rows=rows, seed=seed) for name in feeds]


def _main(
    directory: Annotated[Path, typer.Argument(help="Where to write; one folder for each feed is made there.")],
    size: Annotated[
        str, typer.Option(help="small, demo (small, few of them), large (100,000 rows), or a number of rows.")
    ] = "small",
    feed: Annotated[list[str] | None, typer.Option(help="Only this feed; may be given more than once.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed always gives the same bytes.")] = 1,
) -> None:
    """Write synthetic deliveries: made from syllables, about nobody.

    Example: python -m samples /tmp/deliveries --size large --feed aeo-members
    """
    feeds = feed or list(FEEDS)
    if unknown := [name for name in feeds if name not in FEEDS]:
        raise typer.BadParameter(f"no feed {', '.join(unknown)}; there are {', '.join(FEEDS)}", param_hint="--feed")
    if size not in ("small", "demo") and size not in SIZES and not (size.isdecimal() and int(size)):
        raise typer.BadParameter("must be small, demo, large or a number of rows", param_hint="--size")
    if size == "demo":
        samples = write_demo(directory, seed=seed)
    elif size == "small":
        samples = write_small(directory, feeds=feeds, seed=seed)
    else:
        samples = write_rows(directory, SIZES.get(size) or int(size), feeds=feeds, seed=seed)
    for sample in samples:
        typer.echo(f"{sample.path}  {sample.path.stat().st_size} bytes  will be {sample.expectation}")


if __name__ == "__main__":
    typer.run(_main)
