"""`python -m samples`: synthetic deliveries in a folder, the same bytes for the same seed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from samples import aeo_members, pnr_push, preclear_apis

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

    def sample(self, directory: Path, name: str, *, rows: int, seed: int, bad_share: float = 0.0) -> Sample:
        path = self._path(directory, name)
        options: dict[str, Any] = {self.counted: rows, "seed": seed, "bad_share": bad_share}
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


FEEDS = {
    feed.id: feed
    for feed in (
        _Feed("aeo-members", "csv", aeo_members.write, "operators", aeo_members.VARIANTS["missing-column"]),
        _Feed("pnr-push", "edi", pnr_push.write, "travellers", pnr_push.VARIANTS["truncated"]),
        _Feed("preclear-apis", "edi", preclear_apis.write, "travellers", preclear_apis.VARIANTS["truncated"]),
    )
}


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


def write_rows(directory: Path, rows: int, *, feeds: Sequence[str] = tuple(FEEDS), seed: int = 1) -> list[Sample]:
    """For each feed: one good delivery of this many rows."""
    return [FEEDS[name].sample(directory, f"good-{rows}", rows=rows, seed=seed) for name in feeds]


def _main(
    directory: Annotated[Path, typer.Argument(help="Where to write; one folder for each feed is made there.")],
    size: Annotated[
        str, typer.Option(help="small (a handful for the demo), large (100,000 rows), or a number of rows.")
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
    if size != "small" and size not in SIZES and not (size.isdecimal() and int(size)):
        raise typer.BadParameter("must be small, large or a number of rows", param_hint="--size")
    if size == "small":
        samples = write_small(directory, feeds=feeds, seed=seed)
    else:
        samples = write_rows(directory, SIZES.get(size) or int(size), feeds=feeds, seed=seed)
    for sample in samples:
        typer.echo(f"{sample.path}  {sample.path.stat().st_size} bytes  will be {sample.expectation}")


if __name__ == "__main__":
    typer.run(_main)
