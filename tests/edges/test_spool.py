"""Sealed parts that wait for the last gate."""

import polars as pl
import pytest

from pipeline.core.errors import Code, Refused
from pipeline.core.language.handling import Clock
from pipeline.core.layout import Sheet
from pipeline.edges.sealing import new_identity
from pipeline.edges.spool import Spool


def test_a_release_of_too_many_parts_is_refused() -> None:
    spool = Spool((new_identity().recipient,), "csv", bytes(32), most_parts=2)
    sheet = Sheet(pl.DataFrame({"country": ["NO"]}), Clock.RELEASED, "P1Y")
    for _ in range(2):
        spool.add(b"country\nNO\n", sheet, until=None)
    with pytest.raises(Refused) as refused:
        spool.add(b"country\nNO\n", sheet, until=None)
    assert refused.value.code is Code.LIMIT_EXCEEDED
    assert len(spool.parts) == 2
    spool.close()
