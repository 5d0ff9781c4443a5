"""A feed whose rows say what they are marked with, on real storage: what is refused, and that nothing of it stays readable."""

import io
from pathlib import Path

import polars as pl
import pytest

from pipeline import journey
from pipeline.core.errors import Code, Misconfigured
from samples import aeo_members
from tests.exchange import Exchange

FEED = "aeo-members"
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
