"""What may a release be for, what must be shown for that, and who says that it was?"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from pipeline.core.language.policy import Cited, Id, Policy, Word


class _Condition(Policy):
    clause: Cited


class CaseReference(_Condition):
    """The release is for a case that has a reference."""

    kind: Literal["case-reference"]


class OffenceThreshold(_Condition):
    """The offence carries at least this many years of imprisonment, and is of one of these kinds."""

    kind: Literal["offence-threshold"]
    at_least_years: int = Field(ge=0)
    """the law threatens at least so many years of imprisonment"""
    tests: tuple[Id, ...] = Field(default=(), strict=False)
    """one of these must be declared, such as the five tests of a transnational crime"""


class ExpressUnderstanding(_Condition):
    """The recipient has given an understanding in writing, and it has a reference."""

    kind: Literal["express-understanding"]


class OriginatorConsent(_Condition):
    """The one that the rows come from has consented, and the consent has a reference."""

    kind: Literal["originator-consent"]
    originator: Id
    """who must consent"""


class HumanReview(_Condition):
    """A person has looked at it, and is named."""

    kind: Literal["human-review"]


class ThirdPartyNotice(_Condition):
    """Somebody else has been told, and the notice has a reference."""

    kind: Literal["third-party-notice"]
    to: Id
    """who must be told"""


class Authority(_Condition):
    """Somebody with the authority has ordered or allowed it: a court, a senior manager."""

    kind: Literal["authority"]
    of: Id
    """whose order or permission"""


Condition = Annotated[
    CaseReference
    | OffenceThreshold
    | ExpressUnderstanding
    | OriginatorConsent
    | HumanReview
    | ThirdPartyNotice
    | Authority,
    Field(discriminator="kind"),
]


class Purpose(Policy):
    """Something that a release may be for."""

    clause: Cited
    requires: tuple[Id, ...] = Field(default=(), strict=False)
    """names of conditions that this purpose needs, next to those that every release needs"""


class Offence(Policy):
    """What the case is about."""

    most_years: int = Field(ge=0, le=99)
    """the most that the law threatens, in years of imprisonment"""
    tests: tuple[Id, ...] = Field(default=(), strict=False)
    """the tests that it meets, by the names that the condition gives"""


class Reviewed(Policy):
    """Who looked at it, and when."""

    by: Word
    """the person"""
    at: AwareDatetime
    """when"""


class Declaration(Policy):
    """What a release is for, and what is shown for its conditions. The agreement's own holds for every scheduled release."""

    purpose: Id
    """one of the agreement's purposes"""
    case_reference: Word | None = None
    """reference of the case"""
    offence: Offence | None = None
    """what the case is about"""
    understanding: Word | None = None
    """reference of the recipient's written understanding"""
    consents: dict[Id, Word] = Field(default_factory=dict)
    """reference of the consent, by originator"""
    reviewed: Reviewed | None = None
    """who looked at it"""
    notices: dict[Id, Word] = Field(default_factory=dict)
    """reference of the notice, by who was told"""
    authorities: dict[Id, Word] = Field(default_factory=dict)
    """reference of the order or permission, by authority"""
