"""Who is on the other side?"""

from enum import Enum

from pydantic import Field, model_validator

from pipeline.core.language.policy import Id, Policy, Text

RESERVED = frozenset({"ledger", "probe"})
"""Folders of shared storage that are no partner's."""


class Role(Enum):
    """What a partner is in the exchange."""

    CARRIER = "carrier"
    CUSTOMS = "customs"
    PASSENGER_INFORMATION_UNIT = "passenger-information-unit"
    POLICE = "police"
    STATISTICS = "statistics"
    BORDER = "border"
    REGISTER = "register"
    RESEARCH = "research"
    PUBLIC = "public"


class Audience(Enum):
    """How wide a circle a partner is, in ascending order (TLP 2.0, FIRST 2022)."""

    PERSONS = "named persons"
    ORGANISATION = "organisation"
    CLIENTS = "organisation and clients"
    COMMUNITY = "community"
    PUBLIC = "public"


class Sector(Enum):
    """What it is to the United States' executive branch, for CUI's dissemination controls (32 CFR 2002.4)."""

    FEDERAL = "federal"
    CONTRACTOR = "contractor"
    GOVERNMENT = "government"
    COMPANY = "company"
    INTERNATIONAL = "international organisation"


class Partner(Policy):
    """Somebody that we exchange with. Public keys are in the site's keyring: they rotate on another rhythm than policy."""

    id: Id
    """also the file's name: partners/ID.toml"""
    title: Text
    """who it is"""
    role: Role = Field(strict=False)
    """what it is in the exchange"""
    country: str = Field(
        pattern=r"^[A-Z]{3}$", description="ISO 3166-1 alpha-3, or an organisation's trigraph such as EUE"
    )
    audience: Audience = Field(default=Audience.ORGANISATION, strict=False)
    """how wide a circle it is"""
    sector: Sector = Field(default=Sector.GOVERNMENT, strict=False)
    """what it is for the dissemination controls of CUI"""
    members: tuple[Id, ...] | None = Field(default=None, strict=False)
    """the partners that a community is made of: releases are sealed to the keys of each"""

    @model_validator(mode="after")
    def _somebody(self) -> "Partner":
        if self.id in RESERVED:
            raise ValueError(f'id = "{self.id}" is the name of a folder of our own in shared storage')
        if (self.audience is Audience.COMMUNITY) != (self.members is not None):
            raise ValueError('audience = "community" needs members = ["partner", ...], and only it')
        if self.members == ():
            raise ValueError("a community without members is nobody: name at least one partner")
        if self.role is Role.PUBLIC and self.audience is not Audience.PUBLIC:
            raise ValueError('role = "public" is everybody: write audience = "public"')
        if self.sector is Sector.FEDERAL and self.country != "USA":
            raise ValueError('sector = "federal" is the executive branch of the United States: write country = "USA"')
        return self
