"""Where does a rule come from, and how sure are we of it?"""

from enum import Enum
from typing import Annotated

from pydantic import Field

from pipeline.core.language.category import Category
from pipeline.core.language.policy import Policy, Text


class Confidence(Enum):
    """How sure we are that the source says so."""

    FOUND = "found"
    MEMORY = "memory"
    UNCERTAIN = "uncertain"
    DESIGN = "design"


class Clause(Policy):
    """One clause of an instrument, or a choice of the agreement's authors (`confidence = "design"`)."""

    says: Text
    """what it demands or allows, in a sentence"""
    confidence: Confidence = Field(strict=False)
    """found in a published source, from memory, uncertain, or our own design"""
    permits: tuple[Annotated[Category, Field(strict=False)], ...] = Field(default=(), strict=False)
    """the categories of columns that may be kept as they are under it: a direct identifier or free text needs one"""
    left_to: Text | None = None
    """who must see to it, where no machine can"""
