"""The page of programmes says what the catalogue says now."""

from pipeline.edges.catalogue import load
from tests.programmes import PAGE, ROOT, page


def test_the_page_of_programmes_is_what_the_catalogue_says_now() -> None:
    again = "python -m tests.programmes > docs/programmes/README.md"
    assert PAGE.read_text(encoding="utf-8") == page(load(ROOT / "catalogue")), f"write it again: {again}"
