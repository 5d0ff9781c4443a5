"""How far may this travel: what do two markings say together, what lowers one, and may this recipient have it?

Markings are a lattice: `join` is its least upper bound, `covers` its order. Joining never permits more than either part did.
What each word forbids, with its source and how sure we are, is in `docs/markings.md`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pipeline.core.errors import Code, Refused
from pipeline.core.language.marking import Downgrade, Europol, Evaluation, Marking, Tlp
from pipeline.core.language.partner import Audience, Partner, Sector

EUROPEAN_UNION = frozenset(
    {
        *("AUT", "BEL", "BGR", "CYP", "CZE", "DEU", "DNK", "ESP", "EST", "FIN", "FRA", "GRC", "HRV", "HUN", "IRL"),
        *("ITA", "LTU", "LUX", "LVA", "MLT", "NLD", "POL", "PRT", "ROU", "SVK", "SVN", "SWE", "EUE"),
    }
)
"""The Member States since 1 February 2020 (Treaty on European Union, Art. 52, without the United Kingdom), ISO 3166-1
alpha-3, and EUE for the Union's own institutions (ICAO Doc 9303-3, section 5)."""

COURT = frozenset({"court-order", "criminal-proceedings", "evidence", "judicial-proceedings"})
"""Purposes that end before a court: H1 forbids them."""

CRIME = frozenset(
    {
        "crime-prevention",
        "criminal-investigation",
        "serious-crime",
        "terrorism",
        "terrorist-offences",
        "transnational-crime",
    }
)
"""Purposes that prevent or combat crime: with `COURT`, all that Europol's codes are for. A purpose in neither is refused."""

WIDEST = {
    Tlp.AMBER_STRICT: Audience.ORGANISATION,
    Tlp.AMBER: Audience.CLIENTS,
    Tlp.GREEN: Audience.COMMUNITY,
    Tlp.CLEAR: Audience.PUBLIC,
}
"""The widest audience of each label. RED has none: named persons only is no shared storage."""

SECTORS = {
    "FED ONLY": {Sector.FEDERAL},
    "FEDCON": {Sector.FEDERAL, Sector.CONTRACTOR},
    "NOCON": {Sector.FEDERAL, Sector.GOVERNMENT, Sector.INTERNATIONAL},
}
"""Who may have it under each control. A company may be a contractor: NOCON leaves it out."""

CONSENTS = {
    "DL ONLY": "dissemination-list",
    "Attorney-Client": "executive-decision-maker",
    "Attorney-WP": "executive-decision-maker",
}
"""Whose reference a declaration's `consents` must hold under each control."""

_USA = "USA"
_TLP = list(Tlp)
_AUDIENCES = list(Audience)


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a recipient may not have it, and what to do."""

    reason: str
    next_step: str


def join(a: Marking, b: Marking) -> Marking:
    """Everything that both forbid, together: commutative, associative, idempotent."""
    copies, sights = _shared(_copies(a), _copies(b)), _shared(_sights(a), _sights(b))
    shown = sights - copies if sights is not None and copies is not None else frozenset()
    controls = {*a.controls, *b.controls}
    if sights == frozenset():
        controls = {*(controls - {"RELIDO"}), "NOFORN"}
    return Marking(
        tlp=max(a.tlp, b.tlp, key=_TLP.index),
        cui=(*a.cui, *b.cui),
        controls=tuple(controls),
        rel_to=(_USA, *copies) if copies else (),
        display_only=(_USA, *shown) if shown else (),
        designated_by=(*a.designated_by, *b.designated_by),
        originators=(*a.originators, *b.originators),
        europol=_europol(a.europol, b.europol),
        evaluation=_worst(a.evaluation, b.evaluation),
        limite=a.limite or b.limite,
    )


def joined(markings: Iterable[Marking | None]) -> Marking | None:
    """Everything that all of them forbid; None where there is none."""
    known = [marking for marking in markings if marking]
    return reduce(join, known) if known else None


def covers(a: Marking, b: Marking) -> bool:
    """Whether `a` forbids all that `b` does: what is marked `b` may travel under `a`. A partial order."""
    return join(a, b) == a


def downgraded(marking: Marking, downgrade: Downgrade) -> Marking:
    """What the authority of `downgrade` made of `marking`; what is not above `downgrade.to` is as it was, never raised.

    Raises:
        Refused: the marking is higher than what the authority spoke about, or the downgrade is unsound.
    """
    if covers(downgrade.to, marking):
        return marking
    fault = next(unsound(downgrade), None)
    if fault or not covers(downgrade.of, marking):
        raise Refused(
            Code.MARKING_FORBIDS,
            f"the downgrade {downgrade.reference} does not lower these rows: {fault or 'they are marked above its `of`'}.",
            next_step="release without these rows, or ask the authority for a downgrade that names their marking.",
        )
    return downgrade.to


def unsound(downgrade: Downgrade) -> Iterator[str]:
    """What no authority can do by a downgrade."""
    if not covers(downgrade.of, downgrade.to):
        yield "`to` is not below `of`: a downgrade only lowers"
    if downgrade.to.originators != downgrade.of.originators:
        yield "`to` and `of` must name the same originators: only an originator lifts its control, by consent"
    if downgrade.to.evaluation != downgrade.of.evaluation:
        yield "`to` and `of` must have the same evaluation: passing on makes nothing more reliable"


def release_marking(agreement: Marking, rows: Marking | None, downgrade: Downgrade | None = None) -> Marking:
    """What a release bears: the agreement's marking joined with its rows', lowered only by the agreement's downgrade."""
    if rows is None:
        return agreement
    return join(agreement, downgraded(rows, downgrade) if downgrade else rows)


def permits(
    marking: Marking,
    recipient: Partner,
    *,
    members: Sequence[Partner],
    purpose: str,
    consents: Mapping[str, str],
    reviewed_by: str | None = None,
) -> None:
    """The recipient, and each member where it is a community, may have what bears `marking`, for `purpose`.

    `consents` holds the reference of each consent by who gave it; `reviewed_by` is the person who looked at it.

    Raises:
        Refused: it may not, or something is not known.
    """
    given = {who for who, reference in consents.items() if reference.strip()}
    reviewed = bool(reviewed_by and reviewed_by.strip())
    for objection in (
        *lasting_objections(marking, recipient, members=members),
        *_without_consent(marking, (recipient, *members), given),
        *_handling_codes(marking, purpose, reviewed=reviewed),
    ):
        raise Refused(Code.MARKING_FORBIDS, objection.reason, next_step=objection.next_step)


def lasting_objections(marking: Marking, recipient: Partner, *, members: Sequence[Partner]) -> Iterator[Objection]:
    """What stands in the way whatever is declared, so that an agreement with it could never release."""
    if marking.tlp is Tlp.RED:
        yield Objection(
            "TLP:RED is for named persons and never for shared storage.",
            "hand the rows over by another way, or correct the marking.",
        )
        return
    if {member.id for member in members} != set(recipient.members or ()):
        yield Objection(
            f"not every member of {recipient.id} is known.", "add the missing partners to the catalogue; then rerun."
        )
    for partner in (recipient, *members):
        if partner is not recipient and partner.members is not None:
            yield Objection(
                f"{partner.id}, a member of {recipient.id}, is itself a community.", "name its members one by one."
            )
        yield from _too_wide(marking.tlp, partner)
        yield from _controlled(marking, partner)


def _too_wide(tlp: Tlp, partner: Partner) -> Iterator[Objection]:
    if _AUDIENCES.index(partner.audience) > _AUDIENCES.index(WIDEST[tlp]):
        yield Objection(
            f"TLP:{tlp.value} goes no further than {WIDEST[tlp].value}, and {partner.id} is {partner.audience.value}.",
            "release to a narrower recipient, or have the marking lowered by its authority.",
        )


def _controlled(marking: Marking, partner: Partner) -> Iterator[Objection]:
    for control in marking.controls:
        if control in SECTORS and partner.sector not in SECTORS[control]:
            yield Objection(
                f"{control} keeps it from {partner.id}, whose sector is {partner.sector.value}.",
                "release to another recipient, or ask whoever designated it to lift the control.",
            )
    if not _foreign(partner):
        return
    copies = _copies(marking)
    if copies is not None and partner.country not in copies:
        said = "NOFORN" if not _sights(marking) else "REL TO" if marking.rel_to else "DISPLAY ONLY"
        yield Objection(
            f"{said} does not let {partner.id} ({partner.country}) have a copy.",
            "release to another recipient, or ask whoever designated it to name the country in REL TO.",
        )


def _without_consent(marking: Marking, partners: Sequence[Partner], given: set[str]) -> Iterator[Objection]:
    needed = dict.fromkeys(marking.originators, "ORCON")
    needed |= {CONSENTS[control]: control for control in marking.controls if control in CONSENTS}
    if "RELIDO" in marking.controls and any(map(_foreign, partners)):
        needed["disclosure-official"] = "RELIDO"
    if marking.limite and not all(map(_of_the_union, partners)):
        needed["eu-council"] = "LIMITE"
    for who, why in sorted(needed.items()):
        if who not in given:
            yield Objection(
                f"{why} needs a consent of {who}, and the declaration has none.",
                f"ask for it and declare its reference: consents.{who}.",
            )


def _handling_codes(marking: Marking, purpose: str, *, reviewed: bool) -> Iterator[Objection]:
    if marking.europol is None:
        return
    if purpose not in CRIME | COURT:
        yield Objection(
            f"Europol's handling codes are for preventing and combating crime, and {purpose} is not known to be.",
            f"declare one of {', '.join(sorted(CRIME | COURT))}, or leave these rows out.",
        )
    if "H1" in marking.europol.codes and purpose in COURT:
        yield Objection(
            f"H1 keeps it out of judicial proceedings, and the purpose is {purpose}.",
            "ask the one who gave the rows to send them without H1.",
        )
    if "H3" in marking.europol.codes and not reviewed:
        yield Objection(
            "H3 restricts it in words, which only a person can read.",
            "have somebody read them and declare it: reviewed = { by = ..., at = ... }.",
        )


def _foreign(partner: Partner) -> bool:
    return partner.country != _USA or partner.sector is Sector.INTERNATIONAL


def _of_the_union(partner: Partner) -> bool:
    public = partner.sector in (Sector.GOVERNMENT, Sector.INTERNATIONAL)
    return public and partner.country in EUROPEAN_UNION


def _copies(marking: Marking) -> frozenset[str] | None:
    """The foreign countries that may have a copy; None for any."""
    limited = marking.rel_to or marking.display_only or "NOFORN" in marking.controls
    return frozenset(marking.rel_to) - {_USA} if limited else None


def _sights(marking: Marking) -> frozenset[str] | None:
    """The foreign countries that may see it, with or without a copy; None for any."""
    copies = _copies(marking)
    return None if copies is None else copies | (frozenset(marking.display_only) - {_USA})


def _shared(a: frozenset[str] | None, b: frozenset[str] | None) -> frozenset[str] | None:
    return b if a is None else a if b is None else a & b


def _europol(a: Europol | None, b: Europol | None) -> Europol | None:
    if a is None or b is None:
        return a or b
    return Europol(codes=(*a.codes, *b.codes), texts=(*a.texts, *b.texts))


def _worst(a: Evaluation | None, b: Evaluation | None) -> Evaluation | None:
    """Not evaluated is worse than any evaluation: one row without it, and nothing is said about all of them."""
    if a is None or b is None:
        return None
    return Evaluation(source=max(a.source, b.source), information=max(a.information, b.information))
