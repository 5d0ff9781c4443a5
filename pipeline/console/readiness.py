"""What stands in the way of a release, before there are any rows?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from pipeline.core.errors import SafeconductError
from pipeline.core.language.purpose import (
    Authority,
    Declaration,
    Offence,
    OffenceThreshold,
    OriginatorConsent,
    Reviewed,
    ThirdPartyNotice,
)
from pipeline.core.language.standing import Change, InForce, Status

if TYPE_CHECKING:
    from pipeline.core.language.agreement import Agreement
    from pipeline.edges.catalogue import Catalogue
    from pipeline.edges.site import Site

_SHOWN = "preview"
"""The reference of everything that is declared on a stage: nobody has shown anything."""


@dataclass(frozen=True, slots=True)
class Block:
    """Why nothing would be released now, and what to do."""

    code: str
    why: str
    next_step: str


def blocks(site: "Site", catalogue: "Catalogue", agreement: "Agreement") -> tuple[Block, ...]:
    """Everything that would refuse a release made now; none where rows alone decide."""
    return tuple(dict.fromkeys(_blocks(site, catalogue, agreement)))


def _blocks(site: "Site", catalogue: "Catalogue", agreement: "Agreement") -> Iterator[Block]:
    from pipeline.edges.permission import lists_hold, signed, sound

    yield from _asked(partial(signed, site, catalogue, agreement))
    yield from _asked(partial(sound, catalogue, agreement))
    yield from _asked(partial(lists_hold, catalogue, agreement, site.now()))
    yield from _asked(partial(_authorised, site, catalogue, agreement))
    # A draft's missing condition is worth knowing before it is active.
    yield from _asked(partial(_authorised, site, catalogue, as_if_active(agreement, site.now())))


def _asked(step: Callable[[], object]) -> Iterator[Block]:
    try:
        step()
    except SafeconductError as error:
        yield Block(error.code.value, error.message, error.next_step)


def _authorised(site: "Site", catalogue: "Catalogue", agreement: "Agreement") -> None:
    from pipeline.core.authority import authorise
    from pipeline.core.clocks import Instants
    from pipeline.edges.permission import recipient_of

    now = site.now()
    authorise(
        agreement,
        agreement_digest=catalogue.digest(agreement),
        declaration=None,
        recipient=recipient_of(site, catalogue, agreement.recipient),
        instants=Instants(now, now, now, now),
    )


def as_if_active(agreement: "Agreement", at: datetime) -> "Agreement":
    """The agreement as it would be, were it active and in force at the instant."""
    in_force = agreement.in_force
    since, until = min(in_force.since, at), max(in_force.until, at + timedelta(days=1))
    return agreement.model_copy(
        update={
            "status": (Change(to=Status.ACTIVE, since=since, reason="as if it were active"),),
            "in_force": InForce.model_validate({"from": since, "until": until}),
        }
    )


def showing_everything(agreement: "Agreement", at: datetime) -> Declaration:
    """A declaration that meets every condition of the agreement, for a stage: all of it is made up."""
    conditions = agreement.conditions.values()
    thresholds = [one for one in conditions if isinstance(one, OffenceThreshold)]
    originators = [one.originator for one in conditions if isinstance(one, OriginatorConsent)]
    return Declaration(
        purpose=agreement.declared.purpose if agreement.declared else next(iter(agreement.purposes)),
        case_reference=_SHOWN,
        offence=Offence(
            most_years=max((one.at_least_years for one in thresholds), default=0),
            tests=tuple(test for one in thresholds for test in one.tests),
        ),
        understanding=_SHOWN,
        consents=dict.fromkeys((*originators, *agreement.handling.marking.originators), _SHOWN),
        reviewed=Reviewed(by=_SHOWN, at=at),
        notices={one.to: _SHOWN for one in conditions if isinstance(one, ThirdPartyNotice)},
        authorities={one.of: _SHOWN for one in conditions if isinstance(one, Authority)},
    )
