"""Which release of kept rows under an agreement counts now, and may there be another?

The first is named by agreement and kept record alone. One that was withdrawn to be made anew has a next revision,
`<name>-v2` and so on, whose manifest says which it supersedes; one that was withdrawn otherwise is the last.
"""

from dataclasses import dataclass

from pipeline.core.errors import Code, Conflict, Refused
from pipeline.core.statement import Superseded
from pipeline.edges import record
from pipeline.edges.publication import Publication, Published, Withdrawn
from pipeline.edges.site import Site


@dataclass(frozen=True, slots=True)
class Revision:
    """The last revision: published, or yet to be made. `withdrawals`: of all of them, in order; its own last, if it has one."""

    release: str
    number: int
    published: Published | None
    withdrawals: tuple[tuple[Published, Withdrawn], ...]

    @property
    def withdrawn(self) -> Withdrawn | None:
        """Its own withdrawal, with which the matter ends."""
        return self.withdrawals[-1][1] if len(self.withdrawals) == self.number else None

    @property
    def supersedes(self) -> Superseded | None:
        """The withdrawn release before it."""
        if self.number == 1:
            return None
        published, withdrawn = self.withdrawals[self.number - 2]
        return Superseded(published.release, published.manifest_digest, withdrawn.digest)


def last_revision(publication: Publication, recipient: str, first: str) -> Revision:
    """The last revision of the release whose first is named so, every manifest and withdrawal on the way verified."""
    withdrawals: list[tuple[Published, Withdrawn]] = []
    while True:
        number = len(withdrawals) + 1
        release = revision_name(first, number)
        published = publication.find(recipient, release)
        withdrawn = publication.withdrawn(published) if published else None
        if published and withdrawn:
            withdrawals.append((published, withdrawn))
        if withdrawn is None or not withdrawn.withdrawal.reissue:
            return Revision(release, number, published, tuple(withdrawals))


def recorded_revision(site: Site, recipient: str, first: str) -> Revision:
    """The last revision, storage showing everything that the ledger knows of it: nothing is made again, for nobody else either.

    And the ledger knows every withdrawal: one that a run left half is finished.

    Raises:
        Conflict: OBJECT_MISSING: a manifest or a withdrawal was taken away.
    """
    for _ in range(2):  # another run may have published after we looked, and before we asked the ledger: look again
        last = last_revision(site.publication, recipient, first)
        for published, withdrawn in last.withdrawals:
            record.withdrawn(site, published, withdrawn)
            site.publication.announce_withdrawal(published, withdrawn)
        if last.published is not None:
            if last.withdrawn is None:
                record.never_withdrawn(site, last.published)
            return last
        entry = record.release_entry(site, last.release)
        if entry is None:
            return last
        to = entry.facts["recipient"]
    raise Conflict(
        Code.OBJECT_MISSING,
        f"{last.release} was released to {to}, but {recipient} has no manifest of it.",
        next_step="restore the shared storage; or where the agreement has a new recipient, write it as a new agreement.",
    )


def revision_name(first: str, number: int) -> str:
    """The name of a revision: the first's own, then `-v2` and so on."""
    return first if number == 1 else f"{first}-v{number}"


def first_name(release: str) -> str:
    """What the first revision of the release is named."""
    name, _, number = release.rpartition("-v")
    return name if number.isdecimal() and int(number) > 1 else release


def next_name(published: Published) -> str:
    """What the revision after this one is named, if it is ever made."""
    number: int = published.predicate["revision"]
    first = published.release.removesuffix(f"-v{number}") if number > 1 else published.release
    return revision_name(first, number + 1)


def refused_as_withdrawn(release: str, withdrawn: Withdrawn) -> Refused:
    """The error for a release that must no longer be used."""
    said = withdrawn.withdrawal
    return Refused(
        Code.RELEASE_WITHDRAWN,
        f"{release} was withdrawn on {said.at.isoformat(timespec='minutes')} by {said.by}: {said.why.rstrip('.')}.",
        next_step=(
            "rerun: its next revision is made." if said.reissue else "nothing: it is not made again from these rows."
        ),
    )
