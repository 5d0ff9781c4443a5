"""Every kind of object that is in the private and the shared store, and what vouches for it.

An object that no row knows is a finding. `docs/formats/storage.md` tells what each is.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from pipeline.edges import audit_private as private
from pipeline.edges import audit_shared as shared
from pipeline.edges.audit_grounds import Grounds, Object
from pipeline.edges.records import PRIVATE, SHARED
from pipeline.edges.storage import Listed

_NAME, _DIGEST = r"[^/]+", r"[0-9a-f]{64}"
_PARTS = {
    "digest": _DIGEST,
    "delivery": _DIGEST,
    "number": r"[0-9]{1,19}",
    "short": r"[0-9a-f]{16}",
    "shorter": r"[0-9a-f]{8}",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One kind. `check` raises what is wrong with an object of it; None: the ledger as a whole vouches for it.

    `sealed`: large, named by its digest, and named by a record; read again by full audits alone. `goes`: it may go away.
    """

    kind: str
    store: str
    key: str
    vouched_by: str
    check: Callable[[Grounds, Object], None] | None
    sealed: bool = False
    goes: bool = False

    def parts(self, store: str, key: str) -> dict[str, str] | None:
        """What the key says, where it is of this kind."""
        found = _pattern(self.key).fullmatch(key) if store == self.store else None
        return found.groupdict() if found else None


def _row(kind: str, store: str, key: str, check: Callable[[Grounds, Object], None] | None, by: str) -> Row:
    return Row(kind, store, key, by, check)


def _sealed(kind: str, store: str, key: str, check: Callable[[Grounds, Object], None], by: str, *, goes: bool) -> Row:
    return Row(kind, store, key, by, check, sealed=True, goes=goes)


_RELEASE = "<recipient>/releases/<release>"

TABLE = (
    _row("claim", PRIVATE, "claims/<feed>/<delivery>.json", private.claim, "the ledger; before the outcome, its lot"),
    _row("lot", PRIVATE, "lots/<feed>/<lot>.json", private.lot, "the ledger; before the outcome, its claims"),
    _row("later signature", PRIVATE, "signatures/<feed>/<delivery>/<digest>", private.signature, "its name; the ledger"),
    _row("wake mark", PRIVATE, "wakes/<lot>/<number>.json", private.wake, "a digest within it; its lot"),
    _row("kept record", PRIVATE, "kept/<lot>/<number>.json", private.kept, "the ledger"),
    _sealed(
        "chunk", PRIVATE, "vault/<delivery>/<digest>.age", private.sealed, "its name, in a kept record", goes=True
    ),
    _row("report", PRIVATE, "quarantine/<delivery>/report-<short>.json", private.report, "the ledger; its name"),
    _sealed(
        "rejected rows", PRIVATE, "quarantine/<delivery>/rows-<digest>.age", private.sealed, "its name, in a report",
        goes=True,
    ),
    _sealed(
        "raw block", PRIVATE, "quarantine/<delivery>/raw-<digest>.age", private.sealed, "its name, in a list", goes=True
    ),
    Row(
        "list of raw blocks", PRIVATE, "quarantine/<delivery>/raw.<feed>.json", "the ledger; before, its claim",
        private.raw, goes=True,
    ),
    _row("return", PRIVATE, "returned/<partner>/<digest>.json", private.returned, "the ledger; its name"),
    _row("signature of a return", PRIVATE, "returned/<partner>/<digest>.json.sig", private.returned, "the ledger"),
    _row("declaration", PRIVATE, "declarations/<agreement>/<kept>/<number>.json", private.declaration, "the ledger"),
    _row("epoch", PRIVATE, "epochs/<agreement>/<epoch>.json", private.epoch, "the keyring's masters"),
    _row("texts of an agreement", PRIVATE, "policies/<digest>.json", private.policies, "its name, in a manifest"),
    _row("told table", PRIVATE, "tables/<agreement>/<number>.age", private.table, "opening with the vault's key"),
    _row("audit", PRIVATE, "audits/<instant>.<ending>", private.audit, "the ledger"),
    _row("ledger entry", PRIVATE, "ledger/entries/<number>.json", None, "the tree over all entries"),
    _row("ledger id", PRIVATE, "ledger/ids/<digest>", None, "the entry"),
    _row("probe", PRIVATE, "probe/create-only", private.probe, "it is always the same"),
    _row("manifest", SHARED, f"{_RELEASE}/manifest.json", shared.manifest, "its signatures; the ledger"),
    _sealed("part", SHARED, f"{_RELEASE}/parts/<digest>.<format>.age", shared.part, "its name, in a manifest", goes=True),
    _row("proof", SHARED, f"{_RELEASE}/<name>.tlog-proof", shared.proof, "it is made again from the ledger"),
    _row("withdrawal", SHARED, f"{_RELEASE}/withdrawal.json", shared.withdrawal, "its signatures; the ledger"),
    _row("kit", SHARED, f"{_RELEASE}/<name>", shared.kit, "the manifest"),
    _row("notice of a withdrawal", SHARED, "<recipient>/notices/<release>.withdrawn.json", shared.withdrawal_notice,
         "it is made again from the withdrawal"),
    _row("notice", SHARED, "<recipient>/notices/<release>.json", shared.notice, "it is made again from the manifest"),
    _row("answer", SHARED, "<partner>/acknowledgements/<delivery>-<shorter>.<ending>", shared.answer, "the ledger"),
    _row("ledger tile", SHARED, "ledger/tile/<path>", None, "the entries"),
    _row("checkpoint", SHARED, "ledger/checkpoints/<number>", None, "the ledger's key, and the entries"),
    _row("cosignature", SHARED, "ledger/cosignatures/<number>/<digest>", None, "the witness's key"),
    _row("probe", SHARED, "probe/create-only", private.probe, "it is always the same"),
)  # fmt: skip


def found(store: str, listed: Listed) -> tuple[Row, Object] | None:
    """The kind of an object; None where no row knows it."""
    for row in _in_folder(store, listed.key.partition("/")[0]):
        parts = row.parts(store, listed.key)
        if parts is not None:
            return row, Object(store, listed, parts)
    return None


@cache
def _in_folder(store: str, folder: str) -> tuple[Row, ...]:
    """The rows whose keys may begin so."""
    return tuple(
        row for row in TABLE if row.store == store and row.key.partition("/")[0] in (folder, "<recipient>", "<partner>")
    )


_COMPILED: dict[str, re.Pattern[str]] = {}


def _pattern(key: str) -> re.Pattern[str]:
    if key not in _COMPILED:
        pieces = re.split(r"<(\w+)>", key)
        text = "".join(re.escape(piece) if number % 2 == 0 else _group(piece) for number, piece in enumerate(pieces))
        _COMPILED[key] = re.compile(text)
    return _COMPILED[key]


def _group(name: str) -> str:
    named = {"short": "digest", "shorter": "digest"}.get(name, name)
    return f"(?P<{named}>{_PARTS.get(name, '.+' if name == 'path' else _NAME)})"
