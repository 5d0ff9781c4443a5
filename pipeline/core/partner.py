"""Who is on the other side?"""

from enum import Enum

from pydantic import Field

from pipeline.core.policy import Id, Policy, Text


class Role(Enum):
    """What a partner is in the exchange."""

    CARRIER = "carrier"
    CUSTOMS = "customs"
    PASSENGER_INFORMATION_UNIT = "passenger-information-unit"
    POLICE = "police"
    STATISTICS = "statistics"


class Partner(Policy):
    """Somebody that we exchange with. Public keys are in the site's keyring: they rotate on another rhythm than policy."""

    id: Id
    title: Text
    role: Role = Field(strict=False)
    country: str = Field(
        pattern=r"^[A-Z]{3}$", description="ISO 3166-1 alpha-3, or an organisation's trigraph such as EUE"
    )
