"""Markings are a lattice, nothing lowers one in silence, and each word keeps out whom it must."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from pydantic import ValidationError

from pipeline.core.errors import Code, Refused
from pipeline.core.language.marking import Downgrade, Europol, Marking
from pipeline.core.language.partner import Audience, Partner, Sector
from pipeline.core.markings import covers, downgraded, join, lasting_objections, permits, release_marking, unsound
from tests.core.marked import marking, markings

LAW = settings(max_examples=80, deadline=None)
CUI: dict[str, Any] = {"cui": ["PRVCY"], "designated_by": ["Example Agency"]}
CONSENTED = (
    "dissemination-list",
    "executive-decision-maker",
    "disclosure-official",
    "eu-council",
    "agency-a",
    "agency-b",
)
EVERY_CONSENT = dict.fromkeys(CONSENTED, "REF-1")


def partner(**said: Any) -> Partner:
    return Partner.model_validate(
        {"id": "taker", "title": "Taker", "role": "police", "country": "NLD", "sector": "government", **said}
    )


def american(**said: Any) -> Partner:
    return partner(country="USA", **said)


def let(
    said: Marking,
    recipient: Partner,
    *,
    members: Sequence[Partner] = (),
    purpose: str = "terrorism",
    consents: Mapping[str, str] | None = None,
    reviewed_by: str | None = None,
) -> bool:
    """Whether it is permitted."""
    try:
        permits(said, recipient, members=members, purpose=purpose, consents=consents or {}, reviewed_by=reviewed_by)
    except Refused as refused:
        return not (refused.code is Code.MARKING_FORBIDS and refused.next_step)
    return True


def test_a_refusal_says_whom_it_keeps_out_and_what_to_do() -> None:
    with pytest.raises(Refused) as caught:
        permits(marking(**CUI, controls=["NOFORN"]), partner(), members=(), purpose="terrorism", consents={})
    assert caught.value.code is Code.MARKING_FORBIDS
    assert "NOFORN" in caught.value.message
    assert "taker" in caught.value.message
    assert caught.value.next_step


# The lattice


@LAW
@given(markings(), markings())
def test_joining_knows_no_order(a: Marking, b: Marking) -> None:
    assert join(a, b) == join(b, a)


@LAW
@given(markings(), markings(), markings())
def test_joining_knows_no_grouping(a: Marking, b: Marking, c: Marking) -> None:
    assert join(join(a, b), c) == join(a, join(b, c))


@LAW
@given(markings())
def test_a_marking_joined_with_itself_is_itself(a: Marking) -> None:
    assert join(a, a) == a


@LAW
@given(markings(), markings(), markings())
def test_a_join_is_the_least_that_covers_both(a: Marking, b: Marking, c: Marking) -> None:
    both = join(a, b)
    assert covers(both, a)
    assert covers(both, b)
    assert covers(join(both, c), both)
    assert not (covers(c, a) and covers(c, b)) or covers(c, both)


@LAW
@given(markings(), markings())
def test_two_markings_that_cover_each_other_are_one(a: Marking, b: Marking) -> None:
    assert not (covers(a, b) and covers(b, a)) or a == b


SINGLE = [
    *(marking(tlp) for tlp in ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED")),
    *(marking("GREEN", cui=[category], designated_by=["a"]) for category in ("SP-SSI", "PRVCY")),
    *(marking("GREEN", **CUI, controls=[c]) for c in ("NOFORN", "FED ONLY", "FEDCON", "NOCON", "DL ONLY", "RELIDO")),
    *(marking("GREEN", **CUI, controls=[c]) for c in ("Attorney-Client", "Attorney-WP")),
    *(marking("GREEN", **CUI, rel_to=["USA", *countries]) for countries in (["NLD"], ["DEU"], ["DEU", "NLD"])),
    *(marking("GREEN", **CUI, display_only=["USA", country]) for country in ("NLD", "DEU")),
    marking("GREEN", **CUI, rel_to=["USA", "NLD"], display_only=["USA", "DEU"]),
    *(marking("GREEN", cui=["EXPT"], designated_by=["a"], rel_to=["USA", country]) for country in ("NLD", "DEU")),
    *(marking("GREEN", originators=[agency]) for agency in ("agency-a", "agency-b")),
    *(marking("GREEN", europol={"codes": [code]}) for code in ("H0", "H1")),
    marking("GREEN", originators=["agency-a"], europol={"codes": ["H2"]}),
    marking("GREEN", europol={"codes": ["H3"], "texts": ["for the case"]}),
    marking("GREEN", evaluation={"source": "B", "information": 2}),
    marking("GREEN", limite=True),
]
"""A marking for each word that forbids something."""

ASKED = [
    (recipient, purpose, consents, reviewed_by)
    for recipient in (
        *(partner(country="USA", sector=sector) for sector in Sector),
        *(partner(country=country) for country in ("NLD", "DEU", "NOR")),
        *(partner(country="NLD", audience=a) for a in Audience if a is not Audience.COMMUNITY),
    )
    for purpose in ("terrorism", "evidence", "statistics")
    for consents in ({}, {"agency-a": "REF-1"}, EVERY_CONSENT)
    for reviewed_by in (None, "A. Reader")
]


def permitted(said: Marking) -> list[bool]:
    return [let(said, to, purpose=for_, consents=given_, reviewed_by=read) for to, for_, given_, read in ASKED]


def test_joining_never_permits_more_than_either_part() -> None:
    alone = [permitted(said) for said in SINGLE]
    assert [said.tlp.value for said, may in zip(SINGLE, alone, strict=True) if not any(may)] == ["RED"]
    for i, a in enumerate(SINGLE):
        for j, b in enumerate(SINGLE[:i]):
            together = permitted(join(a, b))
            assert not any(t and not (x and y) for t, x, y in zip(together, alone[i], alone[j], strict=True)), (a, b)


@LAW
@given(markings(), markings())
def test_what_a_covering_marking_permits_the_covered_one_does_too(a: Marking, b: Marking) -> None:
    together, alone = permitted(join(a, b)), permitted(a)
    assert not any(t and not x for t, x in zip(together, alone, strict=True))


def test_the_higher_label_wins() -> None:
    assert join(marking("AMBER"), marking("AMBER+STRICT")).tlp.value == "AMBER+STRICT"
    assert join(marking("RED"), marking("CLEAR")).tlp.value == "RED"


def test_rel_to_lists_are_cut_down_to_what_they_share() -> None:
    a = marking(**CUI, rel_to=["USA", "NLD", "DEU"])
    assert join(a, marking(**CUI, rel_to=["USA", "DEU", "FRA"])).rel_to == ("USA", "DEU")
    assert join(a, marking(**CUI)).rel_to == a.rel_to


def test_rel_to_lists_that_share_nobody_foreign_are_noforn() -> None:
    both = join(marking(**CUI, rel_to=["USA", "NLD"]), marking(**CUI, rel_to=["USA", "DEU"]))
    assert both.controls == ("NOFORN",)
    assert both.rel_to == ()


def test_who_may_only_see_one_part_gets_no_copy_of_both() -> None:
    shown = marking(**CUI, display_only=["USA", "NLD"])
    both = join(shown, marking(**CUI, rel_to=["USA", "NLD", "DEU"]))
    assert (both.rel_to, both.display_only) == ((), ("USA", "NLD"))
    assert join(shown, marking(**CUI, rel_to=["USA", "DEU"])).controls == ("NOFORN",)


def test_noforn_ends_every_list() -> None:
    listed = marking(**CUI, rel_to=["USA", "NLD"], display_only=["USA", "DEU"], controls=["RELIDO"])
    both = join(listed, marking(**CUI, controls=["NOFORN", "FEDCON"]))
    assert (both.controls, both.rel_to, both.display_only) == (("FEDCON", "NOFORN"), (), ())


def test_everything_else_is_gathered_in_a_fixed_order() -> None:
    a = marking(
        cui=["PRVCY"], designated_by=["Zeta"], originators=["agency-b"], europol={"codes": ["H3"], "texts": ["z"]}
    )
    b = marking(
        cui=["SP-INTL"],
        designated_by=["Alpha"],
        originators=["agency-a"],
        europol={"codes": ["H1", "H3"], "texts": ["a"]},
        limite=True,
    )
    both = join(a, b)
    assert both.cui == ("SP-INTL", "PRVCY")
    assert both.designated_by == ("Alpha", "Zeta")
    assert both.originators == ("agency-a", "agency-b")
    assert both.europol == Europol(codes=("H1", "H3"), texts=("a", "z"))
    assert both.limite


@pytest.mark.parametrize(
    ("a", "b", "worst"),
    [
        (("A", 4), ("C", 1), ("C", 4)),
        (("X", 1), ("B", 2), ("X", 2)),
        (("A", 1), ("A", 1), ("A", 1)),
        (("A", 1), None, None),
        (None, None, None),
    ],
)
def test_the_worst_evaluation_counts_and_none_is_the_worst(
    a: tuple[str, int] | None, b: tuple[str, int] | None, worst: tuple[str, int] | None
) -> None:
    def evaluated(said: tuple[str, int] | None) -> Marking:
        return marking(evaluation=said and {"source": said[0], "information": said[1]})

    assert join(evaluated(a), evaluated(b)) == evaluated(worst)


# What a marking may not say


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ({"tlp": "WHITE"}, "'CLEAR'"),
        ({"tlp": "amber"}, "'AMBER'"),
        ({"cui": ["NOSUCH"]}, "'SP-INTL'"),
        ({"cui": ["INTL"]}, "'SP-INTL'"),
        ({**CUI, "controls": ["NOSUCH"]}, "'NOFORN'"),
        ({**CUI, "controls": ["REL TO"]}, 'rel_to = ["USA", ...]'),
        ({**CUI, "controls": ["DISPLAY ONLY"]}, 'display_only = ["USA", ...]'),
        ({**CUI, "controls": ["NOFORN"], "rel_to": ["USA", "NLD"]}, "leave out rel_to, or leave out NOFORN"),
        ({**CUI, "controls": ["NOFORN"], "display_only": ["USA", "NLD"]}, "leave out display_only"),
        ({**CUI, "controls": ["NOFORN", "RELIDO"]}, "leave out RELIDO"),
        ({**CUI, "rel_to": ["NLD"]}, 'rel_to = ["USA", ...]'),
        ({**CUI, "rel_to": ["USA"]}, 'controls = ["NOFORN"]'),
        ({**CUI, "display_only": ["NLD"]}, 'display_only = ["USA", ...]'),
        ({**CUI, "rel_to": ["USA", "NLD"], "display_only": ["USA", "NLD"]}, "leave it out of display_only"),
        ({**CUI, "rel_to": ["USA", "Netherlands"]}, "pattern"),
        ({"cui": ["PRVCY"]}, "designated_by"),
        ({"controls": ["NOFORN"]}, 'cui = ["..."]'),
        ({"rel_to": ["USA", "NLD"]}, 'cui = ["..."]'),
        ({**CUI, "designated_by": ['An "agency"']}, "one line"),
        ({**CUI, "designated_by": ["One\u2028two"]}, "one line"),
        ({"cui": ["EXPT"], "designated_by": ["a"]}, 'controls = ["NOFORN"]'),
        ({"europol": {"codes": ["H3"]}}, "texts"),
        ({"europol": {"codes": ["H1"], "texts": ["for the case"]}}, "H3"),
        ({"europol": {"codes": []}}, "at least 1"),
        ({"europol": {"codes": ["H4"]}}, "'H3'"),
        ({"europol": {"codes": ["H2"]}}, "originators"),
        ({"evaluation": {"source": "D", "information": 1}}, "'X'"),
        ({"evaluation": {"source": "A", "information": 5}}, "4"),
        ({"tlp": "CLEAR", "limite": True}, 'tlp = "GREEN"'),
        ({"tlp": "CLEAR", **CUI}, 'tlp = "GREEN"'),
        ({"tlp": "CLEAR", "originators": ["agency-a"]}, 'tlp = "GREEN"'),
    ],
)
def test_a_marking_that_contradicts_itself_is_told_what_to_say_instead(said: dict[str, Any], advice: str) -> None:
    with pytest.raises(ValidationError) as caught:
        marking(**said)
    assert advice in str(caught.value)


def test_a_set_said_in_another_order_is_the_same_marking() -> None:
    a = marking(cui=["PRVCY", "LEI", "SP-INTL"], designated_by=["b", "a"], rel_to=["NLD", "USA", "DEU"])
    assert a == marking(cui=["SP-INTL", "LEI", "PRVCY", "LEI"], designated_by=["a", "b"], rel_to=["DEU", "NLD", "USA"])


@pytest.mark.parametrize(
    "said",
    [{"role": "public"}, {"sector": "federal", "country": "NLD"}, {"audience": "community"}, {"members": ["one"]}],
)
def test_a_partner_that_would_weaken_a_marking_is_told_so(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        partner(**said)


# Whom a marking keeps out


@pytest.mark.parametrize(
    ("tlp", "audiences"),
    [
        ("RED", []),
        ("AMBER+STRICT", ["named persons", "organisation"]),
        ("AMBER", ["named persons", "organisation", "organisation and clients"]),
        ("GREEN", ["named persons", "organisation", "organisation and clients", "community"]),
        ("CLEAR", ["named persons", "organisation", "organisation and clients", "community", "public"]),
    ],
)
def test_each_label_goes_as_far_as_its_audience(tlp: str, audiences: list[str]) -> None:
    member = partner(id="one")

    def may(audience: Audience) -> bool:
        if audience is Audience.COMMUNITY:
            return let(marking(tlp), partner(audience=audience, members=["one"]), members=[member])
        return let(marking(tlp), partner(audience=audience))

    assert [audience.value for audience in Audience if may(audience)] == audiences


@pytest.mark.parametrize(
    ("control", "sectors"),
    [
        ("FED ONLY", ["federal"]),
        ("FEDCON", ["federal", "contractor"]),
        ("NOCON", ["federal", "government", "international organisation"]),
    ],
)
def test_a_control_keeps_out_every_other_sector(control: str, sectors: list[str]) -> None:
    said = marking(**CUI, controls=[control])
    assert [sector.value for sector in Sector if let(said, american(sector=sector))] == sectors


def test_two_controls_let_in_only_whom_both_let_in() -> None:
    said = marking(**CUI, controls=["FEDCON", "NOCON"])
    assert [sector for sector in Sector if let(said, american(sector=sector))] == [Sector.FEDERAL]


def test_noforn_keeps_out_everybody_foreign() -> None:
    said = marking(**CUI, controls=["NOFORN"])
    assert let(said, american())
    assert not let(said, partner())
    assert not let(said, american(sector="international organisation"))


def test_rel_to_lets_in_the_countries_it_names_exactly() -> None:
    said = marking(**CUI, rel_to=["USA", "NLD"])
    assert let(said, american())
    assert let(said, partner(country="NLD"))
    assert not let(said, partner(country="DEU"))
    assert not let(said, partner(country="EUE"))
    assert not let(marking(**CUI, rel_to=["USA", "EUE"]), partner(country="NLD"))
    assert not let(said, american(sector="international organisation"))


def test_display_only_is_no_release() -> None:
    said = marking(**CUI, display_only=["USA", "NLD"])
    assert not let(said, partner(country="NLD"), consents=EVERY_CONSENT)
    assert not let(said, partner(country="DEU"))
    assert let(said, american())


@pytest.mark.parametrize(
    ("said", "recipient", "consent"),
    [
        (marking(**CUI, controls=["DL ONLY"]), american(), "dissemination-list"),
        (marking(**CUI, controls=["Attorney-Client"]), american(), "executive-decision-maker"),
        (marking(**CUI, controls=["Attorney-WP"]), american(), "executive-decision-maker"),
        (marking(**CUI, controls=["RELIDO"]), partner(), "disclosure-official"),
        (marking(**CUI, controls=["RELIDO"], rel_to=["USA", "NLD"]), partner(), "disclosure-official"),
        (marking(originators=["agency-a"]), partner(), "agency-a"),
        (marking(originators=["agency-a"], europol={"codes": ["H2"]}), partner(), "agency-a"),
        (marking(originators=["taker"]), partner(), "taker"),
        (marking(limite=True), partner(country="NOR"), "eu-council"),
        (marking(limite=True), partner(country="GBR"), "eu-council"),
        (marking(limite=True), american(), "eu-council"),
        (marking(limite=True), partner(country="NLD", sector="company"), "eu-council"),
    ],
)
def test_what_a_consent_lifts_is_refused_without_it(said: Marking, recipient: Partner, consent: str) -> None:
    others = {name: reference for name, reference in EVERY_CONSENT.items() if name != consent}
    assert not let(said, recipient)
    assert not let(said, recipient, consents=others)
    assert not let(said, recipient, consents={consent: " "})
    assert let(said, recipient, consents={consent: "REF-1"})


def test_every_originator_must_consent() -> None:
    said = marking(originators=["agency-a", "agency-b"])
    assert not let(said, partner(), consents={"agency-a": "REF-1"})
    assert let(said, partner(), consents={"agency-a": "REF-1", "agency-b": "REF-2"})


def test_relido_asks_nothing_of_nobody_foreign() -> None:
    assert let(marking(**CUI, controls=["RELIDO"]), american())


@pytest.mark.parametrize("country", ["NLD", "DEU", "EUE"])
def test_limite_stays_with_the_union_and_its_member_states(country: str) -> None:
    assert let(marking(limite=True), partner(country=country))


@pytest.mark.parametrize(
    ("code", "purpose", "permitted"),
    [
        ("H0", "terrorism", True),
        ("H0", "evidence", True),
        ("H0", "statistics", False),
        ("H1", "terrorism", True),
        ("H1", "evidence", False),
        ("H1", "court-order", False),
        ("H1", "courtroom-use-by-another-name", False),
    ],
)
def test_a_handling_code_binds_the_purpose(code: str, purpose: str, *, permitted: bool) -> None:
    assert let(marking(europol={"codes": [code]}), partner(), purpose=purpose, consents=EVERY_CONSENT) is permitted


def test_the_words_of_h3_need_a_reader() -> None:
    said = marking(europol={"codes": ["H3"], "texts": ["only for the case"]})
    assert not let(said, partner())
    assert not let(said, partner(), reviewed_by=" ")
    assert let(said, partner(), reviewed_by="A. Reader")


def test_every_member_of_a_community_is_asked_about() -> None:
    said = marking("GREEN", **CUI, rel_to=["USA", "NLD", "DEU"])
    group = partner(audience="community", members=["one", "two"])
    dutch, german = partner(id="one"), partner(id="two", country="DEU")
    assert let(said, group, members=[dutch, german])
    assert not let(said, group, members=[dutch, partner(id="two", country="NOR")])
    assert not let(said, group, members=[dutch, partner(id="two", country="DEU", audience="public")])
    assert not let(said, group.model_copy(update={"country": "NOR"}), members=[dutch, german])


def test_a_community_whose_members_are_not_all_known_gets_nothing() -> None:
    group = partner(audience="community", members=["one", "two"])
    assert not let(marking("GREEN"), group, members=[partner(id="one")])
    assert not let(marking("GREEN"), group)
    assert not let(marking("GREEN"), partner(), members=[partner(id="one")])


def test_a_community_in_a_community_gets_nothing() -> None:
    group = partner(audience="community", members=["inner"])
    inner = partner(id="inner", audience="community", members=["one"])
    assert not let(marking("GREEN"), group, members=[inner])


def test_what_no_declaration_can_mend_can_be_asked_beforehand() -> None:
    assert list(lasting_objections(marking("RED"), partner(), members=()))
    assert list(lasting_objections(marking(**CUI, controls=["NOFORN"]), partner(), members=()))
    assert not list(lasting_objections(marking(originators=["agency-a"], limite=True), american(), members=()))


# Downgrades

HIGH: dict[str, Any] = {
    "tlp": "AMBER+STRICT",
    "cui": ["SP-INTL", "PRVCY"],
    "designated_by": ["a"],
    "controls": ["NOFORN"],
}
LOW: dict[str, Any] = {"tlp": "AMBER", "cui": ["PRVCY"], "designated_by": ["a"], "rel_to": ["USA", "NLD"]}


def downgrade(of: Mapping[str, Any] = HIGH, to: Mapping[str, Any] = LOW) -> Downgrade:
    return Downgrade.model_validate(
        {"of": of, "to": to, "authority": "Chief Privacy Officer", "reference": "CPO-2026-7", "clause": "D1"}
    )


def test_a_downgrade_lowers_what_its_authority_spoke_about() -> None:
    assert downgraded(marking(**HIGH), downgrade()) == marking(**LOW)
    assert downgraded(marking("AMBER+STRICT"), downgrade()) == marking(**LOW)


def test_a_downgrade_raises_nothing() -> None:
    assert downgraded(marking("GREEN"), downgrade()) == marking("GREEN")
    assert downgraded(marking(**LOW), downgrade()) == marking(**LOW)


@pytest.mark.parametrize(
    "higher",
    [
        {"tlp": "RED"},
        {"cui": ["LEI", "PRVCY"]},
        {"controls": ["NOFORN", "FED ONLY"]},
        {"originators": ["agency-a"]},
        {"limite": True},
    ],
)
def test_a_marking_above_the_downgrade_is_refused(higher: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        downgraded(marking(**{**HIGH, **higher}), downgrade())
    assert caught.value.code is Code.MARKING_FORBIDS


@pytest.mark.parametrize(
    ("of", "to"),
    [
        (LOW, HIGH),
        ({**HIGH, "originators": ["agency-a"]}, LOW),
        (
            {**HIGH, "evaluation": {"source": "C", "information": 3}},
            {**LOW, "evaluation": {"source": "A", "information": 1}},
        ),
        (HIGH, {**LOW, "evaluation": {"source": "A", "information": 1}}),
    ],
)
def test_no_authority_can_raise_lift_an_originators_control_or_improve_an_evaluation(
    of: dict[str, Any], to: dict[str, Any]
) -> None:
    said = downgrade(of, to)
    assert list(unsound(said))
    with pytest.raises(Refused):
        downgraded(marking(**{**HIGH, "originators": ["agency-a"], "tlp": "RED"}), said)
    if not covers(said.to, said.of):
        with pytest.raises(Refused):
            downgraded(said.of, said)


def test_a_sound_downgrade_has_nothing_against_it() -> None:
    assert not list(unsound(downgrade()))


def test_a_release_bears_what_its_agreement_and_its_rows_say_together() -> None:
    assert release_marking(marking("AMBER"), None) == marking("AMBER")
    assert release_marking(marking("AMBER"), marking("GREEN", limite=True)) == marking("AMBER", limite=True)
    assert release_marking(marking("GREEN"), marking(**HIGH)) == marking(**HIGH)
    assert release_marking(marking("GREEN"), marking(**HIGH), downgrade()) == marking(**LOW)
