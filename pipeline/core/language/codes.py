"""Which codes and words are meant, since when, and what lies above each?"""

from datetime import date
from typing import Annotated

from pydantic import Field, model_validator

from pipeline.core.language.policy import Id, Policy, Text, Word


class CodeList(Policy):
    """A dated, versioned list of codes, and of words that say the same in free text."""

    id: Id
    """also the file's name, with the version of the list: codes/ID.toml"""
    title: Text
    """what it lists"""
    agreed_on: date
    """the day on which it was agreed"""
    source: Text
    """where it comes from"""
    codes: tuple[Word, ...] = Field(min_length=1, strict=False)
    """what is matched as a whole code"""
    terms: tuple[Word, ...] = Field(default=(), strict=False)
    """words that say the same in free text"""
    expires_on: date | None = None
    """from this day on nothing is released that leans on it: agree on a newer one"""
    lapses: dict[Word, date] = Field(default_factory=dict)
    """codes that row rules find only until this day: a certificate that lapses after two years"""

    @model_validator(mode="after")
    def _only_its_codes_lapse(self) -> "CodeList":
        unknown = sorted(set(self.lapses) - set(self.codes))
        if unknown:
            raise ValueError(f"lapses names {unknown[0]}, which is not among the codes")
        return self

    def codes_on(self, day: date) -> list[str]:
        """The codes that have not lapsed on the day."""
        return [code for code in self.codes if code not in self.lapses or day < self.lapses[code]]


class Hierarchy(Policy):
    """For each code, what it is generalised to at each level: `parents.JFK = ["USA", "Americas"]`."""

    id: Id
    """also the file's name: hierarchies/ID.toml"""
    title: Text
    """what it orders"""
    agreed_on: date
    """the day on which it was agreed"""
    source: Text
    """where it comes from"""
    levels: tuple[Id, ...] = Field(min_length=1, strict=False)
    """from the finest to the coarsest: country, continent"""
    parents: dict[Word, Annotated[tuple[Word, ...], Field(strict=False)]] = Field(min_length=1)
    """for each code what lies above it, at each level"""

    @model_validator(mode="after")
    def _nothing_lies_above_itself(self) -> "Hierarchy":
        same = [code for code, above in self.parents.items() if code in above]
        if same:
            raise ValueError(
                f"{same[0]} lies above itself: it would be released as it is; leave it out, or name what is above"
            )
        return self

    @model_validator(mode="after")
    def _every_code_has_every_level(self) -> "Hierarchy":
        wrong = [code for code, above in self.parents.items() if len(above) != len(self.levels)]
        if wrong:
            raise ValueError(f"{wrong[0]} must have one parent for each of the {len(self.levels)} levels")
        return self
