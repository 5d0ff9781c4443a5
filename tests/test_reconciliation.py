"""Changes applied to the older full list are the newer one, and a revocation comes within one cycle: told by counts alone."""

import io
import random
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from pipeline import cli, journey
from pipeline.core.errors import Code, Misconfigured
from pipeline.core.reconciliation import Differences, differences, digested
from pipeline.edges.reconciliation import Reconciled, reconcile
from samples.aeo_changes import Row, change, changes_of, delivery, members
from schemas.aeo_changes import ADD, COLUMNS, DELETE, REVOKE, UPDATE
from schemas.aeo_members import COLUMNS as LISTED
from tests.core.builders import LAW
from tests.exchange import Exchange

GOLDEN = Path(__file__).parent / "golden" / "aeo"
GOLDEN_DAY = "2026-11-20"
LIST, CHANGES = "aeo-members", "aeo-changes"
AGREED = Differences(0, 0, 0, {}, 0, 0, 0, 0)


# The law, against a plain replay


def digests(rows: Iterable[Mapping[str, str | None]], columns: Iterable[str]) -> pl.DataFrame:
    return digested(pl.DataFrame(list(rows), schema=dict.fromkeys(columns, pl.String)), "tin", tuple(LISTED))


def told(older: list[Row], changes: list[Row], newer: list[Row]) -> Differences:
    return differences(digests(older, LISTED), digests(changes, COLUMNS), digests(newer, LISTED), key="tin")


def replayed(older: list[Row], changes: list[Row]) -> list[Row]:
    """The list after the changes, one after the other."""
    found = {row["tin"]: row for row in older}
    for one in changes:
        found[one["tin"]] = {name: one[name] for name in LISTED}
        if one["change_code"] == DELETE:
            del found[one["tin"]]
    return list(found.values())


POOL = members(30, seed=3)


@st.composite
def days(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """A list, and several days of changes of it: whoever was added or changed may be changed again."""
    older, seed = POOL[: draw(st.integers(0, 12))], draw(st.integers(0, 1000))
    changes: list[Row] = []
    now = older
    for day in range(draw(st.integers(0, 4))):
        picked = random.Random(seed + day).sample(now, k=min(len(now), 3))
        today = list(changes_of(picked, seed=seed + day, first=len(changes) + 1))
        changes, now = [*changes, *today], replayed(now, today)
    return older, changes


@LAW
@given(days(), st.randoms())
def test_a_list_that_the_changes_make_agrees_in_whatever_order_rows_come(
    drawn: tuple[list[Row], list[Row]], order: random.Random
) -> None:
    older, changes = drawn
    newer = replayed(older, changes)
    shuffled = [order.sample(rows, k=len(rows)) for rows in (older, changes, newer)]
    assert told(*shuffled) == AGREED


@LAW
@given(days(), st.data())
def test_one_row_less_one_more_or_one_cell_else_is_counted_and_nothing_beside_it(
    drawn: tuple[list[Row], list[Row]], data: st.DataObject
) -> None:
    older, changes = drawn
    newer = replayed(older, changes)
    stranger = {**POOL[-1], "program_status": "AEOF"}
    assert told(older, changes, [*newer, stranger]) == Differences(0, 1, 0, {}, 0, 0, 0, 0)
    if newer:
        row = data.draw(st.sampled_from(newer))
        rest = [one for one in newer if one is not row]
        column = data.draw(st.sampled_from([name for name in LISTED if name not in ("tin", "program_status")]))
        assert told(older, changes, rest) == Differences(1, 0, 0, {}, 0, 0, 0, 0)
        other = {**row, column: "something else"}
        assert told(older, changes, [*rest, other]) == Differences(0, 0, 1, {column: 1}, 0, 0, 0, 0)


def test_an_absent_cell_is_another_than_one_that_is_there() -> None:
    (row,) = members(1, seed=3)
    with_region, without = {**row, "region": "North"}, {**row, "region": None}
    assert told([with_region], [], [without]).by_column == {"region": 1}
    assert told([without], [], [without]) == AGREED


def test_a_change_that_fits_nobody_is_a_misfit() -> None:
    one, other = members(2, seed=3)
    for code, listed in ((UPDATE, []), (DELETE, []), (ADD, [one])):
        row = {**change(code, one, number=1), "tin": one["tin"]}
        assert told(listed, [row], replayed([*listed, one], [row])).misfits == 1
    twice = [change(DELETE, one, number=1), change(DELETE, one, number=2)]
    assert told([one, other], twice, [other]) == Differences(0, 0, 0, {}, 1, 0, 0, 0)
    moved = [change(DELETE, one, number=1), {**change(ADD, one, number=2), "tin": one["tin"]}]
    assert told([one, other], moved, replayed([one, other], moved)) == AGREED


def test_a_lost_change_leaves_a_gap_and_a_repeated_one_counts_once() -> None:
    listed = members(4, seed=3)
    changes = [change(UPDATE, row, number=number) for number, row in enumerate(listed, 7)]
    newer = replayed(listed, changes)
    assert told(listed, [*changes, *changes[:2]], newer) == Differences(0, 0, 0, {}, 0, 0, 2, 0)
    assert told(listed, [changes[0], *changes[2:]], newer) == Differences(0, 0, 1, {"street": 1}, 0, 1, 0, 0)


def test_a_revocation_that_is_only_in_the_list_is_untold() -> None:
    one, other = members(2, seed=3)
    revoked = {**one, "program_status": "REVOKED"}
    as_update = [{**change(UPDATE, revoked, number=1), "street": one["street"]}]
    assert told([one, other], as_update, [revoked, other]) == Differences(0, 0, 0, {}, 0, 0, 0, 1)
    assert told([revoked, other], [], [revoked, other]) == AGREED
    told_as_such = [change(REVOKE, one, number=1)]
    assert told([one, other], told_as_such, replayed([one, other], told_as_such)) == AGREED


# Through the journey


@dataclass(frozen=True)
class Story:
    """Two golden lists with the changes between them; then a third list that does not agree with what was sent."""

    exchange: Exchange
    with_one_list: Misconfigured
    released: pl.DataFrame
    agreed: Reconciled
    agreed_said: tuple[int, str]
    differing: Reconciled
    differing_said: tuple[int, str]
    differing_json: tuple[int, str]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    exchange = Exchange(tmp_path_factory.mktemp("reconciliation"))
    yesterday = datetime.now(UTC).date() - timedelta(days=1)  # files land by the machine's clock
    _took(exchange, LIST, golden("older-list"))
    with pytest.raises(Misconfigured) as caught:
        reconcile(exchange.site, LIST, CHANGES)
    (kept,) = _took(exchange, CHANGES, golden("changes", yesterday)).kept
    journey.release(exchange.site, "aeo-mutual-recognition-changes", kept)
    _took(exchange, LIST, golden("newer-list", yesterday))
    agreed, agreed_said = reconcile(exchange.site, LIST, CHANGES), _typed(exchange)
    (published,) = exchange.published("aeo-mutual-recognition-changes")

    listed = _rows("newer-list", yesterday)
    late = change(REVOKE, listed[0], number=111, day=yesterday - timedelta(days=9))
    lost = change(DELETE, listed[1], number=112, day=yesterday)
    moved = change(UPDATE, listed[3], number=113, day=yesterday)
    _took(exchange, CHANGES, delivery([]))
    _took(exchange, CHANGES, delivery([late]))
    _took(exchange, CHANGES, delivery([moved]))
    third = replayed(listed, [late, lost])  # `lost` never came, and `moved` was forgotten in the list
    third[-1] |= {"program_status": "REVOKED", "suspension_date": yesterday.isoformat()}
    _took(exchange, LIST, delivery([*third, {**listed[4], "tin": "US000000099"}], tuple(LISTED)))
    return Story(
        exchange,
        caught.value,
        exchange.opened(published)[0],
        agreed,
        agreed_said,
        reconcile(exchange.site, LIST, CHANGES),
        _typed(exchange),
        _typed(exchange, "--json"),
    )


def golden(name: str, yesterday: date | None = None) -> bytes:
    """The golden file; its day becomes `yesterday`, since a clock runs from it."""
    content = (GOLDEN / f"{name}.csv").read_bytes()
    return content.replace(GOLDEN_DAY.encode(), str(yesterday).encode()) if yesterday else content


def _rows(name: str, yesterday: date) -> list[Row]:
    return pl.read_csv(io.BytesIO(golden(name, yesterday)), infer_schema=False).to_dicts()


def _took(exchange: Exchange, feed: str, content: bytes) -> journey.Received:
    exchange.drop(feed, content, f"{len(list(exchange.site.landing.lots()))}.csv")
    (received,) = exchange.receive()
    assert received.refused == ()
    return received


def _typed(exchange: Exchange, *options: str) -> tuple[int, str]:
    site = str(exchange.directory / "site")
    result = CliRunner().invoke(cli.app, ["--site", site, "reconcile", LIST, CHANGES, *options])
    return result.exit_code, result.output


def test_one_list_alone_cannot_be_reconciled(story: Story) -> None:
    assert story.with_one_list.code is Code.NOT_FOUND


def test_the_golden_lists_and_the_changes_between_them_agree(story: Story) -> None:
    assert story.agreed.agrees
    assert (story.agreed.older.rows, story.agreed.newer.rows) == (8, 7)
    assert [one.rows for one in story.agreed.changes] == [10]
    code, said = story.agreed_said
    assert (code, "They agree" in said) == (0, True)


def test_the_release_of_changes_is_the_golden_one(story: Story) -> None:
    yesterday = story.agreed.older.accepted_at.date() - timedelta(days=1)
    expected = pl.read_csv(io.BytesIO(golden("released", yesterday)), infer_schema=False)
    assert story.released.equals(expected)


def test_a_revocation_reaches_its_recipient_in_the_release_of_its_own_delivery(story: Story) -> None:
    revoked = story.released.filter(pl.col("change_code") == REVOKE)
    assert revoked["program_status"].to_list() == ["REVOKED"]
    assert {"change_number", "suspension_reason", "contact_name", "contact_email"}.isdisjoint(story.released.columns)


def test_what_does_not_agree_is_counted(story: Story) -> None:
    found = story.differing
    assert not found.agrees
    assert found.differences == Differences(
        missing=1,
        surplus=1,
        differing=2,
        by_column={"street": 1, "program_status": 1, "suspension_date": 1},
        misfits=0,
        numbers_missing=1,
        numbers_repeated=0,
        revocations_untold=1,
    )
    assert [one.rows for one in found.changes] == [0, 1, 1]


def test_a_revocation_that_came_later_than_a_cycle_is_told(story: Story) -> None:
    assert (story.agreed.late_revocations, story.differing.late_revocations) == (0, 1)


def test_each_count_alone_is_a_disagreement(story: Story) -> None:
    assert not replace(story.agreed, late_revocations=1).agrees
    for count in {field.name for field in fields(Differences)} - {"by_column"}:
        differing = Differences(**{**asdict(AGREED), count: 1})
        assert not replace(story.agreed, differences=differing).agrees, count


def test_the_command_says_it_by_counts_alone_and_leaves_with_refusal(story: Story) -> None:
    rows = [*_rows("changes", date(2026, 11, 20)), *_rows("newer-list", date(2026, 11, 20))]
    shown = ("tin", "legal_name", "street", "contact_name", "account_number", "suspension_reason")
    values = {str(row[name]) for row in rows for name in shown if row[name]}
    for code, said in (story.differing_said, story.differing_json):
        assert code == 3
        assert not any(value in said for value in values)
    assert '"revocations_untold": 1' in story.differing_json[1]
    assert "revocations late" in story.differing_said[1]


def test_feeds_that_are_no_list_and_its_changes_are_not_reconciled(story: Story) -> None:
    for full, changes in ((CHANGES, LIST), (LIST, LIST), (LIST, "pnr-push")):
        with pytest.raises(Misconfigured) as caught:
            reconcile(story.exchange.site, full, changes)
        assert caught.value.code is Code.COLUMN_UNKNOWN
