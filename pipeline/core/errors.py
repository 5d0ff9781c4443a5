"""Who acts next when a step cannot go on, and what are they told?

Every error that crosses a step's border is one of the five classes below. The class says who acts, the code says what
happened (`docs/codes.md` lists them all), the message says where, the next step says what to do. None of them ever holds
a cell value, a key or a token: a message reaches logs, the Airflow UI, acknowledgements and the ledger.
"""

from datetime import datetime
from enum import Enum
from functools import partial
from typing import ClassVar


class Code(Enum):
    """What happened, as a word that stays the same across versions. The text is the entry in `docs/codes.md`."""

    # Refused: the delivery
    UNKNOWN_FEED = "unknown-feed"
    DELIVERY_EMPTY = "delivery-empty"
    DELIVERY_TOO_LARGE = "delivery-too-large"
    DELIVERY_CHANGED = "delivery-changed"
    SIGNATURE_MISSING = "signature-missing"
    SIGNATURE_INVALID = "signature-invalid"
    OPENING_FAILED = "opening-failed"
    WRONG_KEY = "wrong-key"
    RECIPIENTS_ALTERED = "recipients-altered"
    SEALED_CUT_SHORT = "sealed-cut-short"
    SEALED_OVERLONG = "sealed-overlong"
    ENCODING_INVALID = "encoding-invalid"
    COLUMNS_DIFFER = "columns-differ"
    RECORD_MALFORMED = "record-malformed"
    SCHEMA_BROKEN = "schema-broken"
    MESSAGE_TRUNCATED = "message-truncated"
    MESSAGE_UNKNOWN = "message-unknown"
    LIMIT_EXCEEDED = "limit-exceeded"
    TOO_MANY_REJECTED = "too-many-rejected"
    BUDGET_EXCEEDED = "budget-exceeded"
    TOO_FEW_ROWS = "too-few-rows"
    EARLIER_MISSING = "earlier-missing"
    CLASSIFIED_INPUT = "classified-input"
    MARKING_UNKNOWN = "marking-unknown"
    # Refused: what a recipient gives back
    RETURN_UNKNOWN = "return-unknown"
    RETURN_MALFORMED = "return-malformed"
    RETURN_BY_ANOTHER = "return-by-another"
    RETURN_DIFFERS = "return-differs"
    RELEASE_UNKNOWN = "release-unknown"
    # Refused: the release
    AGREEMENT_NOT_IN_FORCE = "agreement-not-in-force"
    AGREEMENT_EXPIRED = "agreement-expired"
    AGREEMENT_NOT_ACTIVE = "agreement-not-active"
    AGREEMENT_UNSIGNED = "agreement-unsigned"
    AGREEMENT_UNSOUND = "agreement-unsound"
    RECIPIENT_KEY_UNKNOWN = "recipient-key-unknown"
    PURPOSE_MISSING = "purpose-missing"
    PURPOSE_NOT_ALLOWED = "purpose-not-allowed"
    CONDITION_MISSING = "condition-missing"
    GROUP_TOO_SMALL = "group-too-small"
    MARKING_FORBIDS = "marking-forbids"
    OUTPUT_DIFFERS = "output-differs"
    ROWS_NOT_CONSERVED = "rows-not-conserved"
    WITHHELD_VALUE_FOUND = "withheld-value-found"
    CELL_TOO_SMALL = "cell-too-small"
    DIFFERENCE_TOO_SMALL = "difference-too-small"
    VERIFICATION_FAILED = "verification-failed"
    SIGNER_UNKNOWN = "signer-unknown"
    SIGNATURE_STRIPPED = "signature-stripped"
    MANIFEST_SWAPPED = "manifest-swapped"
    RELEASE_WITHDRAWN = "release-withdrawn"
    CHECKPOINT_INVALID = "checkpoint-invalid"
    ORIGIN_DIFFERS = "origin-differs"
    COSIGNATURE_INVALID = "cosignature-invalid"
    WITNESS_UNKNOWN = "witness-unknown"
    PROOF_INVALID = "proof-invalid"
    PROOF_OF_ANOTHER = "proof-of-another"
    TOKEN_INVALID = "token-invalid"  # noqa: S105 (a code)
    REVERSAL_FORBIDDEN = "reversal-forbidden"
    # Postponed
    NOT_YET = "not-yet"
    # Misconfigured
    CATALOGUE_INVALID = "catalogue-invalid"
    COLUMN_UNKNOWN = "column-unknown"
    SCHEMA_INVALID = "schema-invalid"
    CODE_LIST_EXPIRED = "code-list-expired"
    CODE_LIST_MISSING = "code-list-missing"
    PARTNER_KEY_MISSING = "partner-key-missing"
    PARTNER_KEY_INVALID = "partner-key-invalid"
    RECIPIENTS_MIXED = "recipients-mixed"
    SITE_KEY_MISSING = "site-key-missing"
    SITE_KEY_INVALID = "site-key-invalid"
    SITE_KEY_UNSAFE = "site-key-unsafe"
    MASTER_RETIRED = "master-retired"
    KEY_IN_USE = "key-in-use"
    SITE_MISSING = "site-missing"
    SITE_INVALID = "site-invalid"
    SAFE_FORBIDDEN = "safe-forbidden"
    STORE_UNSAFE = "store-unsafe"
    STORE_FORBIDDEN = "store-forbidden"
    KEY_INVALID = "key-invalid"
    ENTRY_INVALID = "entry-invalid"
    PORT_IN_USE = "port-in-use"
    NOTHING_ARRIVED = "nothing-arrived"
    CLOCK_JUMPED = "clock-jumped"
    NOT_FOUND = "not-found"
    NAME_AMBIGUOUS = "name-ambiguous"
    # Conflict
    AGREEMENT_CHANGED = "agreement-changed"
    KEY_TAKEN = "key-taken"
    MASTER_DIFFERS = "master-differs"
    OBJECT_DIFFERS = "object-differs"
    OBJECT_MISSING = "object-missing"
    OBJECT_ALTERED = "object-altered"
    LEDGER_FORKED = "ledger-forked"
    LEDGER_WENT_BACK = "ledger-went-back"
    OBJECT_UNKNOWN = "object-unknown"
    OBJECT_UNRECORDED = "object-unrecorded"
    TERMS_DIFFER = "terms-differ"
    INTENT_OPEN = "intent-open"
    ACKNOWLEDGEMENT_MISSING = "acknowledgement-missing"
    WITNESS_SILENT = "witness-silent"
    PART_OVERDUE = "part-overdue"
    # Unavailable
    KEYS_CHANGED = "keys-changed"
    SAFE_UNAVAILABLE = "safe-unavailable"
    STORAGE_UNAVAILABLE = "storage-unavailable"
    STORAGE_FULL = "storage-full"
    EARLIER_WAITING = "earlier-waiting"


class SafeconductError(Exception):
    """A step cannot go on. `str()` is safe to show to anybody."""

    exit_code: ClassVar[int] = 1

    def __init__(self, code: Code, message: str, *, next_step: str) -> None:
        super().__init__(code, message, next_step)
        self.code = code
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"[{self.code.value}] {self.message} Next: {self.next_step}"

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.code, self.message, self.next_step)


def _rebuild(kind: type[SafeconductError], code: Code, message: str, next_step: str) -> SafeconductError:
    return kind(code, message, next_step=next_step)


class Refused(SafeconductError):
    """A partner's delivery or an agreement's policy says no. Never retried; the delivery is in quarantine."""

    exit_code = 3


class Misconfigured(SafeconductError):
    """We must correct a file, a key or a setting; then rerun."""

    exit_code = 4


class Conflict(SafeconductError):
    """Two truths exist where there must be one. An operator must look; nothing was overwritten."""

    exit_code = 5


class Postponed(SafeconductError):
    """Nobody acts, time does: rerun at `until`, and not before."""

    exit_code = 7

    def __init__(self, code: Code, message: str, *, next_step: str, until: datetime) -> None:
        super().__init__(code, message, next_step=next_step)
        self.until = until

    def __reduce__(self) -> tuple[object, ...]:
        return partial(Postponed, until=self.until, next_step=self.next_step), (self.code, self.message)


class Unavailable(SafeconductError):
    """Something outside did not answer. The only class that is retried."""

    exit_code = 6
