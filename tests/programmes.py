"""What is exchanged here, programme by programme: `python -m tests.programmes > docs/programmes/README.md` writes the page."""

import sys
from collections.abc import Iterator
from pathlib import Path

from pipeline.core.language.agreement import Agreement
from pipeline.edges.catalogue import Catalogue, load
from pipeline.edges.schemas import schema_of

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs/programmes"
PAGE = FOLDER / "README.md"

_HEAD = """\
# What is exchanged

Illustrative models of public texts: not legal advice, and not the operative instruments. Written by
`python -m tests.programmes` from the catalogue, the schemas and the golden cases; a test fails where it is no longer so.

| programme | feed (format, rules of its schema) | agreement, for whom (columns, row rules, example cases) | golden cases |
|---|---|---|---|
"""


def page(catalogue: Catalogue) -> str:
    """The page: a row for each feed."""
    return _HEAD + "".join(f"{row}\n" for row in _rows(catalogue))


def _rows(catalogue: Catalogue) -> Iterator[str]:
    resting = [(catalogue.instrument(one.instrument).programme, one) for one in catalogue.agreements.values()]
    told = ""
    for programme, feed in sorted({(programme, agreement.feed) for programme, agreement in resting}):
        of_feed = [one for other, one in resting if (other, one.feed) == (programme, feed)]
        said = catalogue.feed(feed)
        rules = len(schema_of(said, catalogue.code_lists).rules)
        agreements = "<br>".join(_agreement(one) for one in of_feed)
        name = f"[{programme}]({_page_of(feed)})" if programme != told else ""
        told = programme
        yield f"| {name} | `{feed}` ({said.format.kind}, {rules}) | {agreements} | {_golden(feed)} |"


def _agreement(agreement: Agreement) -> str:
    counts = f"{len(agreement.released)}, {len(agreement.rows)}, {len(agreement.cases)}"
    counted = ", counts alone" if agreement.statistics else ""
    return f"`{agreement.id}`, {agreement.recipient} ({counts}{counted})"


def _page_of(feed: str) -> str:
    """The page that tells of the feed."""
    pages = (path for path in sorted(FOLDER.glob("*.md")) if path != PAGE)
    return next((path.name for path in pages if f"`{feed}`" in path.read_text(encoding="utf-8")), "")


def _golden(feed: str) -> str:
    """The folder with the golden cases of the feed's programme."""
    name = feed.partition("-")[0]
    files = [path for path in (ROOT / "tests/golden" / name).rglob("*") if path.is_file()]
    return f"[{len(files)} files](../../tests/golden/{name})" if files else ""


if __name__ == "__main__":
    sys.stdout.write(page(load(ROOT / "catalogue")))
