"""A feed whose rows say what they are marked with, on real storage: what is refused, and that nothing of it stays readable."""

import io
from pathlib import Path

import polars as pl
import pytest

from pipeline import journey
from pipeline.core.errors import Code, Misconfigured, Refused
from samples import aeo_members
from tests.exchange import Exchange

FEED = "aeo-members"
AGREEMENT = "aeo-mutual-recognition"
CUI = 'CUI//SP-INTL | DESIGNATED BY "Example Agency"'
COLUMN = "trade_names"
"""Free text in this feed, so that any marking gets past the schema."""


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    exchange = Exchange(tmp_path)
    exchange.edit(f"feeds/{FEED}.toml", "lot_deliveries = 1", f'marking_column = "{COLUMN}"\nlot_deliveries = 1')
    return exchange


def marked(*cells: str | None, bad_share: float = 0.0) -> bytes:
    """A delivery with these markings in its first rows, and TLP:GREEN in the others."""
    out = io.BytesIO()
    aeo_members.write(out, operators=max(40, len(cells)), seed=1, bad_share=bad_share)
    rows = pl.read_csv(io.BytesIO(out.getvalue()), infer_schema=False)
    said = pl.Series(COLUMN, [*cells, *["TLP:GREEN"] * (rows.height - len(cells))], dtype=pl.String)
    return rows.with_columns(said).write_csv().encode()


def received(exchange: Exchange, content: bytes) -> journey.Received:
    exchange.drop(FEED, content, "members.csv")
    (one,) = exchange.receive()
    return one


def in_vault(exchange: Exchange) -> list[str]:
    return [listed.key for listed in exchange.site.vault.store.listing("vault")]


def test_a_delivery_whose_rows_are_all_marked_is_accepted(exchange: Exchange) -> None:
    one = received(exchange, marked("TLP:AMBER", "LIMITE", 'EUROPOL H3 "for the case"'))
    assert one.accepted_rows == 40
    assert in_vault(exchange)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("SECRET//NOFORN", Code.CLASSIFIED_INPUT),
        ("RESTREINT UE/EU RESTRICTED", Code.CLASSIFIED_INPUT),
        (None, Code.MARKING_UNKNOWN),
        ("TLP:PURPLE", Code.MARKING_UNKNOWN),
    ],
)
def test_one_row_with_a_bad_marking_refuses_the_delivery(exchange: Exchange, cell: str | None, code: Code) -> None:
    one = received(exchange, marked("TLP:AMBER", cell))
    assert [refusal.code for refusal in one.refused] == [code.value]
    assert one.kept == ()
    assert not in_vault(exchange)
    assert cell is None or cell.encode() not in exchange.everything_in_clear()


def test_a_classified_row_refuses_the_delivery_also_where_the_row_breaks_another_rule(exchange: Exchange) -> None:
    content = marked("TLP:AMBER", bad_share=0.05).decode().splitlines()
    broken = content[1].replace("TLP:AMBER", "TOP SECRET").split(",")
    broken[0] = "?"
    one = received(exchange, "\n".join([content[0], ",".join(broken), *content[2:], ""]).encode())
    assert [refusal.code for refusal in one.refused] == [Code.CLASSIFIED_INPUT.value]


def test_a_marking_column_that_the_feed_does_not_have_takes_nothing_in(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    exchange.edit(f"feeds/{FEED}.toml", "lot_deliveries = 1", 'marking_column = "shoe_size"\nlot_deliveries = 1')
    exchange.drop(FEED, marked(), "members.csv")
    with pytest.raises(Misconfigured) as caught:
        exchange.receive()
    assert "shoe_size" in caught.value.message


# What a release then bears


def labels(exchange: Exchange, *cells: str) -> list[str]:
    """The markings of what is released when the rows that stay in scope are marked so."""
    one = received(exchange, in_scope(*cells))
    journey.release(exchange.site, AGREEMENT, one.kept[0])
    return [published.predicate["handling"]["marking"] for published in exchange.published(AGREEMENT)]


def in_scope(*cells: str) -> bytes:
    """A delivery whose first rows are released, with these markings; of the others one is not, and is TLP:RED."""
    rows = pl.read_csv(io.BytesIO(marked(*cells)), infer_schema=False).with_row_index("row")
    first, last = pl.col("row") < len(cells), pl.col("row") == rows.height - 1
    return (
        rows.with_columns(
            program_status=pl.when(first)
            .then(pl.lit("VALIDATED"))
            .when(last)
            .then(pl.lit("WITHDRAWN"))
            .otherwise("program_status"),
            operator_role=pl.when(first).then(pl.lit("IMPORTER")).otherwise("operator_role"),
            benefit_consent=pl.when(first).then(pl.lit("Y")).otherwise("benefit_consent"),
            **{COLUMN: pl.when(last).then(pl.lit("TLP:RED")).otherwise(COLUMN)},
        )
        .drop("row")
        .write_csv()
        .encode()
    )


def test_a_release_bears_what_its_agreement_and_its_rows_say_together(exchange: Exchange) -> None:
    assert labels(exchange, "LIMITE", CUI) == [f"TLP:AMBER | {CUI} | LIMITE"]


def test_rows_below_the_agreements_marking_change_nothing(exchange: Exchange) -> None:
    assert labels(exchange, "TLP:GREEN", "TLP:WHITE") == ["TLP:AMBER"]


@pytest.mark.parametrize("cell", ["TLP:RED", "CUI//SP-INTL//NOFORN", "CUI//SP-INTL//REL TO USA, NLD", "ORCON agency-a"])
def test_one_released_row_that_the_recipient_may_not_have_refuses_the_release(exchange: Exchange, cell: str) -> None:
    with pytest.raises(Refused) as caught:
        labels(exchange, "TLP:GREEN", cell)
    assert caught.value.code is Code.MARKING_FORBIDS
    assert exchange.published(AGREEMENT) == []


def test_a_named_downgrade_releases_what_its_authority_spoke_about_and_no_more(exchange: Exchange) -> None:
    cui = 'cui = ["SP-INTL"], designated_by = ["Example Agency"]'
    downgrade = (
        f'downgrade = {{ of = {{ tlp = "AMBER", {cui}, controls = ["NOFORN"] }}, to = {{ tlp = "AMBER", {cui}, '
        'rel_to = ["USA", "DEU"] }, authority = "Chief Privacy Officer", reference = "CPO-2026-7", clause = "D1" }\n'
    )
    exchange.edit(
        f"agreements/{AGREEMENT}.toml", 'marking = { tlp = "AMBER" }\n', f'marking = {{ tlp = "AMBER" }}\n{downgrade}'
    )
    noforn = CUI.replace("SP-INTL", "SP-INTL//NOFORN")
    released = f"TLP:AMBER | {CUI.replace('SP-INTL', 'SP-INTL//REL TO USA, DEU')}"
    assert labels(exchange, "TLP:GREEN", noforn) == [released]
    with pytest.raises(Refused):
        labels(exchange, noforn, f"{noforn} | LIMITE")
    assert [published.predicate["handling"]["marking"] for published in exchange.published(AGREEMENT)] == [released]
