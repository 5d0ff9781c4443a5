"""What holds of every agreement, whichever treatments it says and whatever arrives: nothing hidden leaves, nothing joins."""

from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.clearance import clear_rows
from pipeline.core.errors import Code, Refused
from pipeline.core.language.agreement import Agreement
from pipeline.core.redaction import Redacted, compile_redaction, redact
from pipeline.core.scope import Events
from pipeline.core.treatments import Means
from pipeline.edges.epochs import Epochs
from pipeline.edges.keys import Keyring
from pipeline.edges.storage import open_store
from pipeline.edges.tokens import Tokens
from pipeline.formats.parts import part_bytes
from tests.core.builders import (
    CANARY,
    COLUMNS,
    LAW,
    PLACES,
    agreement,
    code_list,
    columns,
    instant,
    means,
    rows,
    schema,
)

LISTS = (code_list("KSML", "WCHR", terms=["UNION DELEGATE"]),)
AT = Events(released=instant(2026), loaded=instant(2026))
SAID: list[dict[str, Any]] = [
    {"treatment": "withhold"},
    {"treatment": "keep"},
    {"treatment": "constant", "value": "x"},
    {"treatment": "mask", "keep_first": 2, "keep_last": 2},
    {"treatment": "truncate", "first": 3},
    {"treatment": "truncate", "last": 3},
    {"treatment": "pseudonymise", "domain": "d"},
    {"treatment": "pseudonymise", "domain": "d", "each_line": True},
    {"treatment": "tokenise", "domain": "d", "reversible_by": "giver", "reversal_clause": "c"},
    {"treatment": "generalise-date", "to": "quarter"},
    {"treatment": "generalise-number", "width": 10},
    {"treatment": "generalise-number", "edges": [0, 18]},
    {"treatment": "round", "to": "0.5"},
    {"treatment": "generalise-code", "characters": 2, "each_line": True},
    {"treatment": "generalise-code", "hierarchy": "places", "to": "continent"},
    {"treatment": "filter-terms", "codes": "listed"},
    {"treatment": "split-text", "heads": "listed"},
    {"treatment": "answer", "answers": {"HIT": ["NO"]}, "otherwise": "NON"},
]
CELL = (
    st.none()
    | st.text(max_size=12)
    | st.sampled_from(
        ["NO", "KSMLHK1\nok", "WCHR HK1 x", "1980-01-31", "-12.75", "JFK", "Alba Example", "4111111111111111"]
    )
)
ROW = st.fixed_dictionaries(dict.fromkeys(COLUMNS, CELL))
COLUMNS_SAID = st.dictionaries(st.sampled_from(sorted(COLUMNS)), st.sampled_from(SAID), min_size=1).filter(
    lambda said: any(one["treatment"] != "withhold" for one in said.values())
)


def released(stated: Agreement, chunk: pl.DataFrame, by: Means | None = None) -> Redacted:
    return redact(compile_redaction(stated, schema(), by or means(*LISTS), AT), chunk)


@LAW
@given(COLUMNS_SAID, st.lists(ROW, min_size=1, max_size=4))
def test_no_unnamed_and_no_withheld_column_reaches_an_output(
    said: dict[str, Any], cells: list[dict[str, str | None]]
) -> None:
    stated = agreement(columns=columns(**said))
    hidden = [name for name in COLUMNS if name not in stated.released]
    marked = rows(*({**row, **dict.fromkeys(hidden, CANARY)} for row in cells))
    others = rows(*({**row, **dict.fromkeys(hidden, None)} for row in cells))
    made = released(stated, marked)
    assert made.frame.columns == [name for name in said if name not in hidden]
    for form in ("csv", "parquet"):
        content = part_bytes(made.frame, form)
        assert CANARY.encode() not in content
        assert content == part_bytes(released(stated, others).frame, form)


@LAW
@given(COLUMNS_SAID, st.lists(ROW, max_size=4))
def test_the_gates_let_through_what_redaction_makes_unless_a_row_repeats_what_it_hides(
    said: dict[str, Any], cells: list[dict[str, str | None]]
) -> None:
    stated = agreement(columns=columns(**said))
    made = released(stated, rows(*cells))
    try:
        clear_rows(made, stated, schema(), means(*LISTS), AT)
    except Refused as refusal:
        if refusal.code is not Code.WITHHELD_VALUE_FOUND:
            raise


def test_two_agreements_pseudonyms_and_tokens_never_join(tmp_path: Path) -> None:
    """Same rows, same domain, same epoch, same site; another epoch of one agreement does not join either."""
    keyring = Keyring.create(tmp_path / "keys", epochs=Epochs(open_store(tmp_path.as_uri())))

    def by(id: str, epoch: str) -> Means:
        return Means(
            code_lists={},
            hierarchies={PLACES.id: PLACES},
            pseudonym_keys=lambda domain: keyring.pseudonym_key(id, domain, epoch).hex(),
            tokens=lambda domain: Tokens.of(keyring, id, domain, epoch).tokens_of,
        )

    one, other, later = by("one", "1"), by("other", "1"), by("one", "2")
    token = {"treatment": "tokenise", "domain": "d", "reversible_by": "giver", "reversal_clause": "c"}
    stated = agreement(columns=columns(name={"treatment": "pseudonymise", "domain": "d"}, number=token))

    @LAW
    @given(st.lists(st.text(max_size=12), min_size=1, max_size=6))
    def holds(texts: list[str]) -> None:
        chunk = rows(*({"name": text, "number": text} for text in texts))
        seen = [
            {cell for column in released(stated, chunk, by_site).frame.iter_columns() for cell in column}
            for by_site in (one, other, later)
        ]
        assert not seen[0] & seen[1]
        assert not seen[0] & seen[2]
        assert not seen[1] & seen[2]

    holds()
