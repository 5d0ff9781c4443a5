"""Which version of an agreement holds, and does each follow those before it?"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from pipeline.core.language.agreement import Agreement
from pipeline.core.soundness import Unsound


def file_of(version: Agreement) -> str:
    """What the version's file is named: `x.toml`, and `x.v2.toml` for its first amendment."""
    return f"{version.id}.toml" if version.version == 1 else f"{version.id}.v{version.version}.toml"


def holds_at(versions: Sequence[Agreement], at: datetime) -> Agreement:
    """The version in force at the instant, else the one that comes next, else the last. `versions` in their order."""
    return next((version for version in versions if at < version.in_effect_until), versions[-1])


def misfits(version: Agreement, earlier: Sequence[Agreement]) -> Iterator[Unsound]:
    """Where the version does not follow the earlier ones, all of them in their order."""
    number = len(earlier) + 1
    if version.version != number:
        yield Unsound(("version",), f"there is no version {number}: number them 1, 2, 3, and let the old files stay")
    for before in earlier:
        if version.in_force.since < before.in_effect_until:
            yield Unsound(
                ("in_force",),
                f"version {version.version} begins before version {before.version} ends: let in_force.until of "
                f"{file_of(before)}, or its status superseded, be no later than in_force.from here",
            )
        for key in ("recipient", "feeds"):
            if getattr(version, key) != getattr(before, key):
                yield Unsound(
                    (key,),
                    f"must be as in {file_of(before)}: to exchange with another, or another feed, is a new agreement",
                )
