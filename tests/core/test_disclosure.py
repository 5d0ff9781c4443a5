"""What a change discloses: each kind by example, and the laws that let nothing widen unseen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.difference import Difference, Effect, What
from pipeline.core.disclosure import (
    COMPARED,
    Disclosure,
    amendment,
    disclosure_diff,
    faults_of_amendment,
    missing_approvals,
    unapproved,
)
from pipeline.core.language import handling, marking, purpose, scope, standing, treatment
from pipeline.core.language.agreement import Agreement, Risk
from pipeline.core.language.codes import CodeList, Hierarchy
from pipeline.core.language.partner import Partner
from pipeline.core.language.policy import Policy
from tests.core.builders import LAW, PLACES, agreement, code_list, columns, instant, stated


@dataclass(frozen=True)
class Lists:
    partners: dict[str, Partner] = field(default_factory=dict)
    code_lists: dict[str, CodeList] = field(default_factory=dict)
    hierarchies: dict[str, Hierarchy] = field(default_factory=dict)
    versions: dict[str, tuple[Agreement, ...]] = field(default_factory=dict)


def partner(id: str, **changes: Any) -> Partner:
    return Partner.model_validate({"id": id, "title": "A partner", "role": "customs", "country": "NOR", **changes})


LISTS = Lists(
    {"taker": partner("taker")},
    {one.id: one for one in (code_list("KSML", "WCHR", id="few"), code_list("KSML", "WCHR", "BLND", id="many"))},
    {PLACES.id: PLACES},
)


def diff(old: Agreement | None, new: Agreement, before: Lists = LISTS, after: Lists = LISTS) -> Disclosure:
    return disclosure_diff(old, new, before=before, after=after)


def with_handling(**changes: Any) -> dict[str, Any]:
    return {"handling": {**stated()["handling"], **changes}}


def with_columns(**treatments: Mapping[str, Any] | str) -> dict[str, Any]:
    return {"columns": columns(**treatments)}


def onward(default: str, *given: str, says: str = "Not without asking.") -> dict[str, Any]:
    asked = {name: {"kind": "human-review", "clause": "Art. 4"} for name in given}
    said = {"default": default, "with": list(given), "says": says, "clause": "Art. 4"}
    return {"conditions": asked, **with_handling(onward=said)}


def retained(**changes: Any) -> dict[str, Any]:
    return with_handling(retention={"clock": "loaded", "delete_after": "P1Y", "clause": "Art. 3", **changes})


def offence(years: int, *tests: str) -> dict[str, Any]:
    asked = {"kind": "offence-threshold", "at_least_years": years, "tests": list(tests), "clause": "Art. 4"}
    return {"conditions": {"serious": asked}, "requires": ["serious"]}


def rule(name: str, **question: Any) -> dict[str, Any]:
    return {"name": name, "all": [{"column": "country", **question}], "clause": "Art. 1"}


def counted(**changes: Any) -> dict[str, Any]:
    said = {"count_as": "rows", "smallest_cell": 5, "clause": "Art. 5"}
    return {"statistics": {**said, **changes}, **with_columns(country="keep")}


def alike(group: int, *names: str, otherwise: str = "refuse") -> dict[str, Any]:
    return {
        "risk": {"columns": list(names), "smallest_group": group, "otherwise": otherwise, "clause": "Art. 6"},
        **with_columns(country="keep", born="keep"),
    }


def status(*changes: tuple[str, int]) -> dict[str, Any]:
    return {"status": [{"to": to, "since": instant(year), "reason": "decided"} for to, year in changes]}


def pseudonyms(domain: str = "person", **more: Any) -> dict[str, Any]:
    return {"treatment": "pseudonymise", "domain": domain, **more}


def only(column: str = "country", **question: Any) -> dict[str, Any]:
    """A kept column that is released only where the answer is yes."""
    return {"treatment": "keep", "only_where": {"column": column, **question}}


TOKEN = {"treatment": "tokenise", "domain": "person", "reversible_by": "taker", "reversal_clause": "Art. 9"}

WIDENINGS: list[tuple[str, dict[str, Any], dict[str, Any], What, Effect, Effect]] = [
    # what it is, narrow, wide, the kind, the effect of narrow -> wide, the effect of wide -> narrow
    *[
        (name, with_columns(country="keep", **narrow), with_columns(country="keep", **wide), what, more, less)
        for name, narrow, wide, what, more, less in (
            ("a column is released", {}, {"name": "keep"}, What.COLUMN, Effect.SEES_MORE, Effect.SEES_LESS),
            ("a withheld column is released", {"name": "withhold"}, {"name": "mask"}, What.COLUMN, Effect.SEES_MORE, Effect.SEES_LESS),
            ("a mask is lifted", {"name": "mask"}, {"name": "keep"}, What.COLUMN, Effect.SEES_MORE, Effect.SEES_LESS),
            ("a mask keeps some", {"name": "mask"}, {"name": {"treatment": "mask", "keep_first": 4}}, What.COLUMN, Effect.SEES_MORE, Effect.SEES_LESS),
            ("a year becomes a month", {"born": {"treatment": "generalise-date", "to": "year"}}, {"born": {"treatment": "generalise-date", "to": "month"}}, What.COLUMN, Effect.SEES_MORE, Effect.SEES_LESS),
            ("a bucket is finer", {"born": {"treatment": "generalise-number", "width": 10}}, {"born": {"treatment": "generalise-number", "width": 5}}, What.COLUMN, Effect.SEES_MORE, Effect.SEES_LESS),
            ("a pseudonym becomes the identifier", {"name": pseudonyms()}, {"name": "keep"}, What.DOMAIN, Effect.CAN_LINK, Effect.CANNOT_LINK),
            ("a pseudonym becomes the identifier, and is seen", {"name": pseudonyms()}, {"name": "keep"}, What.COLUMN, Effect.SEES_MORE, Effect.SEES_LESS),
            ("a pseudonym becomes a token", {"name": pseudonyms()}, {"name": TOKEN}, What.COLUMN, Effect.SEES_MORE, Effect.SEES_LESS),
            ("each line has a pseudonym", {"name": pseudonyms()}, {"name": pseudonyms(each_line=True)}, What.COLUMN, Effect.CAN_LINK, Effect.CANNOT_LINK),
            ("another list filters less", {"remarks": {"treatment": "filter-terms", "codes": "many"}}, {"remarks": {"treatment": "filter-terms", "codes": "few"}}, What.COLUMN, Effect.SEES_MORE, Effect.SEES_LESS),
            ("a condition of its cells goes", {"name": only(any_of=["NO"])}, {"name": "keep"}, What.COLUMN, Effect.SEES_MORE, Effect.SEES_LESS),
            ("a condition of its cells is looser", {"name": only(any_of=["NO"])}, {"name": only(any_of=["NO", "SE"])}, What.COLUMN, Effect.SEES_MORE, Effect.SEES_LESS),
            ("a condition of its cells has a longer list", {"name": only(in_codes="few")}, {"name": only(in_codes="many")}, What.COLUMN, Effect.SEES_MORE, Effect.SEES_LESS),
            ("a column may be held longer", {"name": {"treatment": "keep", "until": "P6M"}}, {"name": "keep"}, What.RETENTION, Effect.KEEPS_LONGER, Effect.KEEPS_SHORTER),
            ("a column's clock begins later", {"name": {"treatment": "keep", "until": "P6M", "clock": "received"}}, {"name": {"treatment": "keep", "until": "P6M"}}, What.CLOCK, Effect.KEEPS_LONGER, Effect.KEEPS_SHORTER),
        )
    ],
    ("a row rule goes", {"rows": [rule("land", any_of=["NO"])]}, {}, What.ROWS, Effect.SEES_MORE, Effect.SEES_LESS),
    ("a row rule lets more through", {"rows": [rule("land", any_of=["NO"])]}, {"rows": [rule("land", any_of=["NO", "SE"])]}, What.ROWS, Effect.SEES_MORE, Effect.SEES_LESS),
    ("a row rule has a longer list", {"rows": [rule("land", in_codes="few")]}, {"rows": [rule("land", in_codes="many")]}, What.ROWS, Effect.SEES_MORE, Effect.SEES_LESS),
    ("a purpose is added", {}, {"purposes": {"control": {"clause": "Art. 1"}, "trade": {"clause": "Art. 1"}}}, What.PURPOSE, Effect.SEES_MORE, Effect.SEES_LESS),
    ("a condition goes", offence(3), {}, What.CONDITION, Effect.SEES_MORE, Effect.SEES_LESS),
    ("a threshold is lower", offence(3), offence(1), What.CONDITION, Effect.SEES_MORE, Effect.SEES_LESS),
    ("another test will do", offence(3, "cross-border"), offence(3, "cross-border", "wanted"), What.CONDITION, Effect.SEES_MORE, Effect.SEES_LESS),
    ("no test is asked for", offence(3, "cross-border"), offence(3), What.CONDITION, Effect.SEES_MORE, Effect.SEES_LESS),
    ("the purpose is declared for good", {"declared": None}, {}, What.DECLARATION, Effect.SEES_MORE, Effect.SEES_LESS),
    ("a key is added", {"recipient_keys": ["age1a"]}, {"recipient_keys": ["age1a", "age1b"]}, What.KEY, Effect.SEES_MORE, Effect.SEES_LESS),
    ("any key will do", {"recipient_keys": ["age1a"]}, {}, What.KEY, Effect.SEES_MORE, Effect.SEES_LESS),
    ("it ends later", {"in_force": {"from": instant(2020), "until": instant(2025)}}, {}, What.DATES, Effect.SEES_MORE, Effect.SEES_LESS),
    ("it is no longer suspended", status(("active", 2020), ("suspended", 2023)), status(("active", 2020)), What.STATUS, Effect.SEES_MORE, Effect.SEES_LESS),
    ("the marking is lowered", with_handling(marking={"tlp": "AMBER+STRICT"}), {}, What.MARKING, Effect.HANDLING_ONLY, Effect.HANDLING_ONLY),
    ("it may be passed on", {}, onward("allow"), What.ONWARD, Effect.HANDLING_ONLY, Effect.HANDLING_ONLY),
    ("it may be passed on under a condition", {}, onward("deny", "review"), What.ONWARD, Effect.HANDLING_ONLY, Effect.HANDLING_ONLY),
    ("one condition less to pass it on", onward("deny", "review", "consent"), onward("deny", "review"), What.ONWARD, Effect.HANDLING_ONLY, Effect.HANDLING_ONLY),
    ("it may be held longer", retained(), retained(delete_after="P2Y"), What.RETENTION, Effect.KEEPS_LONGER, Effect.KEEPS_SHORTER),
    ("the clock begins later", retained(), retained(clock="released"), What.CLOCK, Effect.KEEPS_LONGER, Effect.KEEPS_SHORTER),
    ("it never lies dormant", retained(dormant_after="P1M"), retained(), What.RETENTION, Effect.KEEPS_LONGER, Effect.KEEPS_SHORTER),
    ("a hold stops its clocks", retained(), retained(freeze_on_hold=True), What.RETENTION, Effect.KEEPS_LONGER, Effect.KEEPS_SHORTER),
    ("it comes sooner", with_handling(delay={"clock": "loaded", "wait": "P2D", "clause": "Art. 7"}), with_handling(delay={"clock": "loaded", "wait": "P1D", "clause": "Art. 7"}), What.DELAY, Effect.SEES_MORE, Effect.SEES_LESS),
    ("it comes at once", with_handling(delay={"clock": "loaded", "wait": "P2D", "clause": "Art. 7"}), {}, What.DELAY, Effect.SEES_MORE, Effect.SEES_LESS),
    ("a caveat goes", with_handling(caveats=["Store apart"]), {}, What.NOTICE, Effect.HANDLING_ONLY, Effect.HANDLING_ONLY),
    ("smaller cells are shown", counted(smallest_cell=10), counted(), What.STATISTICS, Effect.SEES_MORE, Effect.SEES_LESS),
    ("counts are not rounded", counted(round_to=5), counted(), What.STATISTICS, Effect.SEES_MORE, Effect.SEES_LESS),
    ("one row may be more of a sum", counted(sums={"total": "number"}, largest_share=60), counted(sums={"total": "number"}, largest_share=80), What.STATISTICS, Effect.SEES_MORE, Effect.SEES_LESS),
    ("one row may be all of a sum", counted(sums={"total": "number"}, largest_share=60), counted(sums={"total": "number"}), What.STATISTICS, Effect.SEES_MORE, Effect.SEES_LESS),
    ("something is summed", counted(), counted(sums={"total": "number"}), What.STATISTICS, Effect.SEES_MORE, Effect.SEES_LESS),
    ("rows instead of counts", counted(), {}, What.STATISTICS, Effect.SEES_MORE, Effect.SEES_LESS),
    ("groups may be smaller", alike(5, "country"), alike(3, "country"), What.RISK, Effect.SEES_MORE, Effect.SEES_LESS),
    ("fewer columns must be alike", alike(5, "country", "born"), alike(5, "country"), What.RISK, Effect.SEES_MORE, Effect.SEES_LESS),
    ("risk is only reported", alike(5, "country"), alike(5, "country", otherwise="report"), What.RISK, Effect.SEES_MORE, Effect.SEES_LESS),
]  # fmt: skip


@pytest.mark.parametrize(("_", "narrow", "wide", "what", "more", "less"), WIDENINGS, ids=[one[0] for one in WIDENINGS])
def test_what_discloses_more_widens_and_its_reverse_does_not(
    _: str, narrow: dict[str, Any], wide: dict[str, Any], what: What, more: Effect, less: Effect
) -> None:
    old, new = agreement(**narrow), agreement(**wide)
    widening = diff(old, new).widening
    assert (what, more) in [(one.what, one.effect) for one in widening]
    back = diff(new, old)
    assert (what, less) in [(one.what, one.effect) for one in back.differences]
    assert back.widening == ()


INCOMPARABLE: list[tuple[str, dict[str, Any], dict[str, Any], What]] = [
    ("another provider", {}, {"provider": "somebody"}, What.AGREEMENT),
    ("another feed", {}, {"feeds": ["others"]}, What.AGREEMENT),
    ("another recipient", {}, {"recipient": "giver"}, What.RECIPIENT),
    ("another domain", with_columns(name=pseudonyms()), with_columns(name=pseudonyms("other")), What.DOMAIN),
    ("other values answered", with_columns(name={"treatment": "answer", "answers": {"y": ["A"]}, "otherwise": "n"}), with_columns(name={"treatment": "answer", "answers": {"y": ["B"]}, "otherwise": "n"}), What.COLUMN),
    ("a shorter mask", with_columns(name={"treatment": "mask", "keep_first": 6}), with_columns(name={"treatment": "mask", "keep_first": 4}), What.COLUMN),
    ("a month of thirty days", retained(delete_after="P1M"), retained(delete_after="P30D"), What.RETENTION),
    ("another event", retained(clock="event", event="case-closed"), retained(clock="event", event="case-opened"), What.CLOCK),
    ("another question", {"rows": [rule("land", any_of=["NO"])]}, {"rows": [rule("land", none_of=["SE"]), rule("more", at_least="A")]}, What.ROWS),
    ("another declaration", {"purposes": {name: {"clause": "Art. 1"} for name in ("control", "trade")}}, {"purposes": {name: {"clause": "Art. 1"} for name in ("control", "trade")}, "declared": {"purpose": "trade"}}, What.DECLARATION),
    ("another wording", onward("deny", "review"), onward("deny", "review", says="As you like."), What.ONWARD),
    ("another category", with_handling(marking={"tlp": "AMBER", "cui": ["PRVCY"], "designated_by": ["us"]}), with_handling(marking={"tlp": "AMBER", "cui": ["STAT"], "designated_by": ["us"]}), What.MARKING),
]  # fmt: skip


@pytest.mark.parametrize(("name", "one", "other", "what"), INCOMPARABLE, ids=[one[0] for one in INCOMPARABLE])
def test_what_cannot_be_compared_widens_in_both_directions(
    name: str, one: dict[str, Any], other: dict[str, Any], what: What
) -> None:
    if name == "another question":
        other = {"rows": [rule("land", none_of=["SE"])]}
        one = {"rows": [rule("land", at_most="ZZ")]}
    for old, new in ((one, other), (other, one)):
        found = diff(agreement(**old), agreement(**new)).widening
        assert what in {difference.what for difference in found}


def test_a_condition_that_asks_of_what_is_hidden_widens_even_where_it_withholds() -> None:
    """Where a cell is absent then tells of a column that was not released."""
    (found,) = diff(
        agreement(**with_columns(name="keep")), agreement(**with_columns(name=only("secret", exists=True)))
    ).widening
    assert (found.subject, found.why) == (
        "name",
        "where a cell is absent tells of columns that are not released as they are",
    )
    (found,) = diff(
        agreement(**with_columns(name=only("secret", exists=True))),
        agreement(**with_columns(name=only("secret", exists=True), secret="mask")),
    ).widening
    assert found.subject == "secret"


def test_another_list_behind_a_condition_needs_another_approval() -> None:
    old, new = (agreement(**with_columns(name=only(in_codes=id), country="keep")) for id in ("few", "many"))
    longer = replace(
        LISTS, code_lists={**LISTS.code_lists, "many": code_list("KSML", "WCHR", "BLND", "DEAF", id="many")}
    )
    assert diff(old, new).digest != diff(old, new, after=longer).digest
    (found,) = diff(new, new, after=longer).widening
    assert (found.subject, found.why) == ("name", "cells may show that the old condition withheld")


HARMLESS: list[tuple[str, dict[str, Any], What]] = [
    ("title", {"title": "Another title"}, What.OTHER),
    ("clause", {"columns": {"country": {"treatment": "keep", "clause": "Art. 99"}}}, What.CLAUSE),
    ("review", {"review": instant(2027).date()}, What.DATES),
    ("format", {"format": "parquet"}, What.FORMAT),
    ("cases", {"cases": [{"title": "one", "row": {"country": "NO"}, "released": {"country": "NO"}}]}, What.OTHER),
    ("clauses", {"clauses": {"D1": {"says": "so", "confidence": "design"}}}, What.CLAUSE),
    ("epoch of nothing", {"pseudonym_epoch": "0"}, What.EPOCH),
    ("a reason", {"status": [{"to": "active", "since": instant(2020), "reason": "it was signed"}]}, What.STATUS),
]


@pytest.mark.parametrize(("_", "changes", "what"), HARMLESS, ids=[one[0] for one in HARMLESS])
def test_what_changes_nothing_for_the_recipient_is_handling_only(_: str, changes: dict[str, Any], what: What) -> None:
    for old, new in ((agreement(), agreement(**changes)), (agreement(**changes), agreement())):
        (found,) = diff(old, new).differences
        assert (found.what, found.effect, found.widens) == (what, Effect.HANDLING_ONLY, False)


# What one difference says


def the_one(disclosure: Disclosure, what: What) -> Difference:
    (found,) = [one for one in disclosure.differences if one.what is what]
    return found


def test_a_difference_says_where_from_to_and_under_which_clause() -> None:
    found = the_one(
        diff(
            agreement(**with_columns(born={"treatment": "generalise-date", "to": "year"})),
            agreement(columns={"born": {"treatment": "generalise-date", "to": "month", "clause": "Annex 4; D1"}}),
        ),
        What.COLUMN,
    )
    assert found.stated() == {
        "what": "column",
        "subject": "born",
        "keys": ["columns", "born"],
        "from": "generalise-date (to year)",
        "to": "generalise-date (to month)",
        "clause": "Annex 4; D1",
        "effect": "sees more",
        "widens": True,
        "why": "",
    }


def test_a_list_with_a_code_less_widens_though_the_file_says_the_same() -> None:
    same = agreement(**with_columns(remarks={"treatment": "filter-terms", "codes": "few"}))
    shorter = replace(LISTS, code_lists={"few": code_list("KSML", id="few")})
    found = the_one(diff(same, same, LISTS, shorter), What.CODE_LIST)
    assert (found.before, found.after, found.widens) == ("few: WCHR", "few: -", True)
    assert not the_one(diff(same, same, shorter, LISTS), What.CODE_LIST).widens


def test_a_list_with_a_code_more_lets_more_rows_through() -> None:
    same = agreement(rows=[rule("land", in_codes="few")])
    longer = replace(LISTS, code_lists={"few": code_list("KSML", "WCHR", "BLND", id="few")})
    found = the_one(diff(same, same, LISTS, longer), What.CODE_LIST)
    assert (found.subject, found.after, found.effect, found.widens) == ("land", "few: BLND", Effect.SEES_MORE, True)
    assert not the_one(diff(same, same, longer, LISTS), What.CODE_LIST).widens


def test_a_list_that_expires_later_and_a_code_that_lapses_later_widen() -> None:
    same = agreement(rows=[rule("land", in_codes="few")])
    listed = code_list("KSML", "WCHR", id="few")
    for changes in ({"expires_on": instant(2026).date()}, {"lapses": {"WCHR": instant(2026).date()}}):
        sooner = replace(LISTS, code_lists={"few": listed.model_copy(update=changes)})
        (found,) = diff(same, same, sooner, LISTS).differences
        assert (found.effect, found.widens) == (Effect.SEES_MORE, True)
        (back,) = diff(same, same, LISTS, sooner).differences
        assert (back.effect, back.widens) == (Effect.SEES_LESS, False)


def test_one_domain_over_two_columns_links_them() -> None:
    apart = agreement(**with_columns(name=pseudonyms(), number=pseudonyms("booking")))
    alone = agreement(**with_columns(name=pseudonyms()))
    together = agreement(**with_columns(name=pseudonyms(), number=pseudonyms()))
    for old in (apart, alone):
        linked = [one for one in diff(old, together).widening if one.effect is Effect.CAN_LINK]
        assert "name and number" in {one.subject for one in linked}
    lost = [one for one in diff(together, apart).differences if one.effect is Effect.CANNOT_LINK]
    assert {one.subject for one in lost} == {"name and number"}


def test_columns_that_were_kept_were_linkable_before() -> None:
    kept = agreement(**with_columns(name="keep", number="keep"))
    together = agreement(**with_columns(name=pseudonyms(), number=pseudonyms()))
    assert diff(kept, together).widening == ()


@pytest.mark.parametrize(
    ("old", "new", "widens"), [("1", "2", False), ("9", "10", False), ("2", "1", True), ("2026-q1", "2026-q2", False)]
)
def test_a_later_epoch_breaks_links_and_an_earlier_one_restores_them(old: str, new: str, widens: bool) -> None:
    before, after = (agreement(pseudonym_epoch=epoch, **with_columns(name=pseudonyms())) for epoch in (old, new))
    found = the_one(diff(before, after), What.EPOCH)
    assert (found.effect, found.widens) == (Effect.CAN_LINK if widens else Effect.CANNOT_LINK, widens)
    assert ("match none that were released before" in found.why) is not widens


def test_counts_by_other_groups_widen_even_where_there_are_fewer() -> None:
    fine = agreement(**{**counted(), **with_columns(country="keep", status="keep")})
    coarse = agreement(**counted())
    assert diff(fine, coarse).widening
    assert diff(coarse, fine).widening
    fewer_rows = agreement(**counted(), rows=[rule("land", any_of=["NO"])])
    assert diff(coarse, fewer_rows).widening


def test_a_column_of_its_own_clock_follows_another_date() -> None:
    counted_by = with_columns(
        booked="keep", departs="keep", name={"treatment": "mask", "until": "P6M", "clock": "date"}
    )
    one, other = (agreement(**{**counted_by, **retained(column=day)}) for day in ("booked", "departs"))
    assert the_one(diff(one, other), What.RETENTION).widens


def test_a_new_member_of_the_recipient_widens() -> None:
    community = partner("taker", audience="community", members=["one"])
    more = partner("taker", audience="community", members=["one", "two"])
    known = {id: partner(id) for id in ("one", "two")}
    small, large = (replace(LISTS, partners={**known, "taker": taker}) for taker in (community, more))
    found = the_one(diff(agreement(), agreement(), small, large), What.RECIPIENT)
    assert (found.subject, found.widens) == ("two", True)
    assert not diff(agreement(), agreement(), large, small).widening


def test_a_recipient_with_a_wider_audience_widens_and_one_with_another_title_does_not() -> None:
    wide = replace(LISTS, partners={"taker": partner("taker", audience="organisation and clients")})
    renamed = replace(LISTS, partners={"taker": partner("taker", title="Another")})
    moved = replace(LISTS, partners={"taker": partner("taker", country="SWE")})
    assert diff(agreement(), agreement(), LISTS, wide).widening
    assert not diff(agreement(), agreement(), wide, LISTS).widening
    assert diff(agreement(), agreement(), LISTS, moved).widening
    assert diff(agreement(), agreement(), LISTS, renamed).differences == ()


def test_to_be_superseded_is_no_end_that_the_next_version_must_keep_to() -> None:
    first = agreement(**status(("active", 2020), ("superseded", 2026)))
    second = agreement(version=2, **status(("active", 2026)))
    assert diff(first, second).widening == ()
    assert diff(agreement(**status(("active", 2020))), first).widening == ()
    assert diff(first, agreement(**status(("active", 2020)))).widening


def test_a_version_after_a_termination_widens() -> None:
    first = agreement(**status(("active", 2020), ("terminated", 2025)))
    assert the_one(diff(first, agreement(version=2, **status(("active", 2026)))), What.STATUS).widens


def test_a_rule_under_another_name_is_the_same_rule() -> None:
    old, new = agreement(rows=[rule("land", any_of=["NO"])]), agreement(rows=[rule("home", any_of=["NO"])])
    assert diff(old, new).widening == ()
    assert {one.effect for one in diff(old, new).differences} == {Effect.HANDLING_ONLY}


def test_the_order_of_rules_and_columns_is_no_difference() -> None:
    rules = [rule("land", any_of=["NO"]), rule("there", exists=True)]
    assert diff(agreement(rows=rules), agreement(rows=rules[::-1])).differences == ()


def test_a_first_version_is_shown_in_full_and_needs_no_approval() -> None:
    first = diff(None, agreement(**with_columns(name="mask", country="keep", remarks="withhold")))
    assert {one.subject for one in first.differences if one.what is What.COLUMN} == {"name", "country"}
    assert first.widening
    assert not first.needs_approval
    assert missing_approvals(first, first.new) == 0


# Approvals

OLD = agreement(**with_columns(country="keep", name="mask"))


def wider(**changes: Any) -> Agreement:
    return agreement(**{"version": 2, **with_columns(country="keep", name="keep"), **changes})


def approvals(digest: str, *people: str) -> list[dict[str, Any]]:
    return [{"by": who, "role": "privacy officer", "at": instant(2026), "widening": digest} for who in people]


def test_a_widening_needs_two_people() -> None:
    digest = diff(OLD, wider()).digest
    for people, missing in (((), 2), (("Ann Lee",), 1), (("Ann Lee", "Bo Ek"), 0), (("Ann Lee", "Bo Ek", "Cy"), 0)):
        new = wider(approvals=approvals(digest, *people))
        assert diff(OLD, new).digest == digest
        assert missing_approvals(diff(OLD, new), new) == missing


@pytest.mark.parametrize(
    "again",
    [
        *("Ann Lee", "ann lee", "Ann  Lee", "\uff21nn Lee", "Lee, Ann", "Ann Lee.", "\u00c1nn Lee", "A\u0301nn Lee"),
        *("Ann Lee\ufe0f", "Ann\u034f Lee", "Ann Lee \u3164"),
    ],
    ids=ascii,
)
def test_one_person_twice_is_one_person(again: str) -> None:
    new = wider(approvals=approvals(diff(OLD, wider()).digest, "Ann Lee", again))
    assert missing_approvals(diff(OLD, new), new) == 1


def test_an_approval_is_for_exactly_one_widening() -> None:
    approved = approvals(diff(OLD, wider()).digest, "Ann Lee", "Bo Ek")
    for changed in (
        wider(approvals=approved, **with_columns(country="keep", name="keep", number="keep")),
        wider(approvals=approved, version=3),
        wider(approvals=approved, pseudonym_epoch="7", **with_columns(country="keep", name=pseudonyms())),
    ):
        assert missing_approvals(diff(OLD, changed), changed) == 2
    harmless = wider(approvals=approved, title="Another title", **with_handling(caveats=["Store apart"]))
    assert missing_approvals(diff(OLD, harmless), harmless) == 0


def test_an_approval_is_for_what_a_list_said() -> None:
    filtered = with_columns(country="keep", name="mask", remarks={"treatment": "filter-terms", "codes": "many"})
    new = wider(**filtered)
    new = wider(**filtered, approvals=approvals(diff(OLD, new).digest, "Ann Lee", "Bo Ek"))
    shorter = replace(LISTS, code_lists={**LISTS.code_lists, "many": code_list("KSML", id="many")})
    assert missing_approvals(diff(OLD, new), new) == 0
    assert missing_approvals(diff(OLD, new, shorter, shorter), new) == 2


def test_what_does_not_widen_needs_nobody() -> None:
    narrower = agreement(version=2, **with_columns(country="keep"))
    assert missing_approvals(diff(OLD, narrower), narrower) == 0


def test_an_amendment_without_approvals_is_found_in_the_catalogue() -> None:
    approved = wider(approvals=approvals(diff(OLD, wider()).digest, "Ann Lee", "Bo Ek"))
    third = wider(version=3, **with_columns(country="keep", name="keep", born="keep"))
    catalogue = replace(LISTS, versions={OLD.id: (OLD, approved, third)})
    assert [one.new.version for one in unapproved(catalogue)] == [3]
    assert amendment(third, catalogue).old == approved
    assert amendment(OLD, catalogue).old is None
    assert [one.new.version for one in unapproved(replace(LISTS, versions={OLD.id: (OLD, wider())}))] == [2]
    assert list(unapproved(replace(LISTS, versions={OLD.id: (OLD, approved)}))) == []


def test_what_an_amendment_widens_without_approvals_no_later_one_releases() -> None:
    """Else a version that is in force for an instant would take the widening upon it, and the next would need nobody."""
    third = wider(version=3, title="No more than the second")
    unagreed = replace(LISTS, versions={OLD.id: (OLD, wider(), third)})
    assert not amendment(third, unagreed).needs_approval
    (fault,) = faults_of_amendment(third, unagreed)
    assert "version 2, which it follows, sees more than version 1, and 2 of 2 approvals are missing" in fault.message
    approved = wider(approvals=approvals(diff(OLD, wider()).digest, "Ann Lee", "Bo Ek"))
    assert list(faults_of_amendment(third, replace(LISTS, versions={OLD.id: (OLD, approved, third)}))) == []


# Laws

TREATMENTS: list[dict[str, Any] | None] = [
    None,
    {"treatment": "withhold"},
    {"treatment": "mask"},
    {"treatment": "mask", "keep_first": 2},
    pseudonyms(),
    pseudonyms(each_line=True),
    pseudonyms("other"),
    TOKEN,
    {"treatment": "keep"},
    {"treatment": "keep", "until": "P1M"},
    {"treatment": "keep", "until": "P30D", "clock": "received"},
    {"treatment": "filter-terms", "codes": "few"},
    {"treatment": "filter-terms", "codes": "many"},
    {"treatment": "generalise-code", "hierarchy": "places", "to": "country"},
    {"treatment": "generalise-code", "hierarchy": "places", "to": "continent"},
]
CONDITIONS: list[dict[str, Any]] = [
    {},
    {"requires": []},
    *(offence(years, *tests) for years in (1, 3) for tests in ((), ("wanted",), ("wanted", "cross-border"))),
]


@st.composite
def agreements(draw: st.DrawFn) -> Agreement:
    """Small agreements that differ in a few of everything, so that many of them can be compared."""
    named = {name: draw(st.sampled_from(TREATMENTS)) for name in ("name", "number")}
    asked = draw(st.sampled_from(CONDITIONS))
    conditions = {**asked.get("conditions", {}), "review": {"kind": "human-review", "clause": "Art. 4"}}
    counted_too = draw(st.sampled_from([None, None, None, 5, 10]))
    retention = {
        "clock": draw(st.sampled_from(["received", "loaded", "released"])),
        "delete_after": draw(st.sampled_from(["P1M", "P30D", "P1Y"])),
        "dormant_after": draw(st.sampled_from([None, "P10D"])),
        "clause": "Art. 3",
    }
    if counted_too:
        named = {name: said and {**said, "until": None, "clock": None} for name, said in named.items()}
        named = {name: said and {key: of for key, of in said.items() if of is not None} for name, said in named.items()}
    return agreement(
        pseudonym_epoch=draw(st.sampled_from(["1", "2"])),
        conditions=conditions,
        requires=asked.get("requires", []),
        purposes={name: {"clause": "Art. 1"} for name in ["control", *draw(st.sampled_from([[], ["trade"]]))]},
        declared=draw(st.sampled_from([None, {"purpose": "control"}])),
        rows=draw(
            st.sampled_from(
                [
                    [],
                    [rule("land", any_of=["NO"])],
                    [rule("land", any_of=["NO", "SE"])],
                    [rule("land", in_codes="few"), rule("there", exists=True)],
                    [rule("home", any_of=["NO"])],
                ]
            )
        ),
        recipient_keys=draw(st.sampled_from([None, ["age1a"], ["age1a", "age1b"]])),
        columns=columns(country="keep", **{name: said for name, said in named.items() if said}),
        statistics={"count_as": "rows", "smallest_cell": counted_too, "clause": "Art. 5"} if counted_too else None,
        handling={
            "marking": {"tlp": draw(st.sampled_from(["GREEN", "AMBER"]))},
            "onward": {
                "default": draw(st.sampled_from(["deny", "allow"])),
                "with": draw(st.sampled_from([[], ["review"]])),
                "says": draw(st.sampled_from(["Ask.", "Ask us."])),
                "clause": "Art. 4",
            },
            "retention": retention,
            "delay": draw(st.sampled_from([None, {"clock": "loaded", "wait": "P1D", "clause": "Art. 7"}])),
            "caveats": draw(st.sampled_from([[], ["Store apart"]])),
        },
    )  # fmt: skip


def one_field_from(one: Agreement, other: Agreement, chosen: list[bool]) -> Agreement:
    """`one` with some of its fields taken from `other`."""
    names = ["columns", "rows", "purposes", "declared", "recipient_keys", "handling", "pseudonym_epoch"]
    taken = {name: getattr(other, name) for name, take in zip(names, chosen, strict=True) if take}
    return one.model_copy(update=taken) if not one.statistics and not other.statistics else one


CHOSEN = st.lists(st.booleans(), min_size=7, max_size=7)


@settings(LAW, max_examples=100)
@given(agreements())
def test_equal_agreements_have_no_differences(one: Agreement) -> None:
    again = Agreement.model_validate(one.model_dump(by_alias=True))
    assert diff(one, again).differences == ()


@settings(LAW, max_examples=400)
@given(agreements(), agreements(), agreements(), CHOSEN, CHOSEN)
def test_changes_that_do_not_widen_do_not_widen_together(
    one: Agreement, other: Agreement, third: Agreement, first: list[bool], second: list[bool]
) -> None:
    between = one_field_from(one, other, first)
    last = one_field_from(between, third, second)
    for a, b, c in ((one, between, last), (one, other, third), (last, between, one)):
        if not diff(a, b).widening and not diff(b, c).widening:
            assert not diff(a, c).widening


@settings(LAW, max_examples=400)
@given(agreements(), agreements(), agreements(), CHOSEN, CHOSEN)
def test_what_widens_still_widens_after_what_only_adds(
    one: Agreement, other: Agreement, third: Agreement, first: list[bool], second: list[bool]
) -> None:
    between = one_field_from(one, other, first)
    last = one_field_from(between, third, second)
    if diff(one, between).widening and not diff(last, between).widening:
        assert diff(one, last).widening


@settings(LAW, max_examples=200)
@given(agreements(), agreements(), CHOSEN)
def test_what_widens_in_no_direction_changes_handling_only(
    one: Agreement, other: Agreement, chosen: list[bool]
) -> None:
    changed = one_field_from(one, other, chosen)
    there, back = diff(one, changed), diff(changed, one)
    if not there.widening and not back.widening:
        assert {difference.effect for difference in there.differences} <= {Effect.HANDLING_ONLY}


# What nobody has thought of


def test_a_field_that_nobody_compares_widens(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[type[Policy], frozenset[str]] = {**COMPARED, Agreement: COMPARED[Agreement] - {"title"}}
    monkeypatch.setattr("pipeline.core.disclosure.COMPARED", known)
    found = diff(agreement(), agreement(title="Another")).widening
    assert [(one.what, one.keys) for one in found] == [(What.OTHER, ("title",))]


def models() -> Iterator[type[Policy]]:
    yield from (Agreement, Risk, Partner, CodeList, Hierarchy)
    for module in (handling, marking, purpose, scope, standing, treatment):
        for model in vars(module).values():
            if isinstance(model, type) and issubclass(model, Policy) and model.__module__ == module.__name__:
                yield model


def inherited(model: type[Policy]) -> set[str]:
    return {name for base in model.__bases__ if issubclass(base, Policy) for name in base.model_fields}


def test_every_field_of_the_language_is_known_to_the_diff() -> None:
    """A new field belongs into the comparison of its model, and then into this list."""
    said = {model.__name__: set(model.model_fields) - inherited(model) for model in models()}
    assert {name: fields for name, fields in said.items() if not fields <= FIELDS.get(name, set())} == {}
    assert set(Agreement.model_fields) == COMPARED[Agreement]
    assert set(handling.Handling.model_fields) == COMPARED[handling.Handling]


FIELDS: dict[str, set[str]] = {
    name: set(fields.split())
    for name, fields in {
        "_Said": "clause",
        "_Released": "clause until clock only_where",
        "_Condition": "clause",
        "Agreement": " ".join(COMPARED[Agreement]),
        "Handling": " ".join(COMPARED[handling.Handling]),
        "Risk": "columns smallest_group otherwise clause",
        "Partner": "id title role country audience sector members",
        "CodeList": "id title agreed_on source codes terms expires_on lapses",
        "Hierarchy": "id title agreed_on source levels parents",
        "Retention": "clock column event dormant_after delete_after freeze_on_hold clause",
        "Delay": "clock wait clause",
        "Onward": "default given says clause",
        "Notice": "to of within clause",
        "Deadline": "what event before after clause",
        "Europol": "codes texts",
        "Evaluation": "source information",
        "Marking": "tlp cui controls rel_to display_only designated_by originators europol evaluation limite",
        "Downgrade": "of to authority reference clause",
        "CaseReference": "kind",
        "OffenceThreshold": "kind at_least_years tests",
        "ExpressUnderstanding": "kind",
        "OriginatorConsent": "kind originator",
        "HumanReview": "kind",
        "ThirdPartyNotice": "kind to",
        "Authority": "kind of",
        "Purpose": "clause requires",
        "Offence": "most_years tests",
        "Reviewed": "by at",
        "Declaration": "purpose case_reference offence understanding consents reviewed notices authorities",
        "Moment": "event plus minus",
        "Asks": "column any_of none_of in_codes not_in_codes at_least at_most read_as exists no_earlier_than no_later_than declared",
        "AnyOf": "any",
        "AllOf": "all",
        "Not": "negated",
        "RowRule": "name any all otherwise clause",
        "Change": "to since reason",
        "InForce": "since until",
        "Withhold": "treatment",
        "Keep": "treatment",
        "Constant": "treatment value",
        "Mask": "treatment keep_first keep_last",
        "Truncate": "treatment first last",
        "Pseudonymise": "treatment domain normalisation each_line",
        "Tokenise": "treatment domain reversible_by reversal_clause each_line",
        "GeneraliseDate": "treatment to",
        "GeneraliseNumber": "treatment width edges",
        "Round": "treatment to",
        "GeneraliseCode": "treatment characters hierarchy to each_line",
        "FilterTerms": "treatment codes",
        "SplitText": "treatment heads",
        "Answer": "treatment answers otherwise",
        "Statistics": "count_as smallest_cell sums round_to weighted_by margins largest_share clause",
    }.items()
}
