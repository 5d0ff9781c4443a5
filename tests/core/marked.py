"""Markings that the tests bend to their question."""

from typing import Any

from hypothesis import strategies as st

from pipeline.core.language.marking import Marking


def marking(tlp: str = "AMBER", **said: Any) -> Marking:
    return Marking.model_validate({"tlp": tlp, **said})


@st.composite
def markings(draw: st.DrawFn) -> Marking:
    """Any sound marking, over few enough words that two of them meet."""
    tlp = draw(st.sampled_from(["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"]))
    if tlp == "CLEAR":
        return marking(tlp)
    cui = draw(_some("SP-INTL", "SP-PRVCY", "PRVCY", "EXPT"))
    originators = draw(_some("agency-a", "agency-b"))
    said: dict[str, Any] = {"cui": cui, "originators": originators, "limite": draw(st.booleans())}
    if cui:
        said |= {
            "designated_by": ["Example Agency", *draw(_some("Zeta", "Another Agency"))],
            **draw(_limits(listed="EXPT" in cui)),
        }
    codes = draw(_some("H0", "H1", "H3", *["H2"] * bool(originators)))
    if codes:
        said["europol"] = {
            "codes": codes,
            "texts": draw(_some("b; c", "a // b", "H2", min_size=1)) if "H3" in codes else [],
        }
    if draw(st.booleans()):
        said["evaluation"] = {"source": draw(st.sampled_from("ABCX")), "information": draw(st.integers(1, 4))}
    return marking(tlp, **said)


@st.composite
def _limits(draw: st.DrawFn, *, listed: bool) -> dict[str, list[str]]:
    controls = draw(_some("FED ONLY", "FEDCON", "NOCON", "DL ONLY", "Attorney-Client", "Attorney-WP"))
    released = draw(_some("NLD", "DEU", "NOR"))
    shown = [country for country in draw(_some("NLD", "DEU", "NOR")) if country not in released]
    if draw(st.booleans()) or (listed and not released and not shown):
        return {"controls": [*controls, "NOFORN"]}
    return {
        "controls": [*controls, *draw(_some("RELIDO"))],
        "rel_to": ["USA", *released] if released else [],
        "display_only": ["USA", *shown] if shown else [],
    }


def _some(*words: str, min_size: int = 0) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(words), unique=True, min_size=min_size, max_size=3)
