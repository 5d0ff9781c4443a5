"""Which master do the pseudonyms of an agreement's epoch derive from? For good, the one that was current at their first use.

    epochs/<agreement>/<epoch>.json    write-once: the number and the fingerprint of the master

So a new master changes no pseudonym: it serves the epochs that begin after it. The record is in the private store, which
every worker shares and may write to, and not beside the keys, which a worker may only read.
"""

from dataclasses import dataclass, field

from pipeline.core.canonical import canonical, read
from pipeline.edges.storage import AlreadyThere, Store


@dataclass(frozen=True, slots=True)
class Binding:
    """An epoch's master: the `number`-th, and what tells it from another one with that number."""

    agreement: str
    epoch: str
    number: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Epochs:
    """The epochs that were used. What was read once is remembered: no record ever changes."""

    store: Store
    _known: dict[tuple[str, str], Binding] = field(default_factory=dict, repr=False, compare=False)

    def find(self, agreement: str, epoch: str) -> Binding | None:
        """The master of an epoch; None where it was never used."""
        found = self._known.get((agreement, epoch))
        if found is None and (text := self.store.find(_place(agreement, epoch))) is not None:
            found = self._known[agreement, epoch] = read(Binding, text, name=_place(agreement, epoch))
        return found

    def bound(self, agreement: str, epoch: str, number: int, fingerprint: str) -> Binding:
        """The master of an epoch, which is this one from now on if it had none. Of two at once, one is everybody's."""
        if (found := self.find(agreement, epoch)) is not None:
            return found
        binding = Binding(agreement, epoch, number, fingerprint)
        try:
            self.store.put_new(_place(agreement, epoch), canonical(binding))
        except AlreadyThere:
            return self.bound(agreement, epoch, number, fingerprint)
        return self._known.setdefault((agreement, epoch), binding)


def _place(agreement: str, epoch: str) -> str:
    return f"epochs/{agreement}/{epoch}.json"
