"""Which token stands for a value, and which value does a token stand for?

AES-SIV (RFC 5297): deterministic, so that one value has one token within an agreement, domain and epoch, and authenticated, so that
a token that this site did not make for just these is refused. A token is `t1.` and base64url without padding (RFC 4648, section 5) of
the synthetic IV and the encrypted value. Values are padded to whole blocks of 32 bytes: a token tells how many blocks its
value has, and no more of its length.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from pipeline.core.errors import Code, Refused
from pipeline.edges.keys import Keyring

VERSION = "t1."

_BLOCK = 32
_END = b"\x80"
"""Padding as in ISO/IEC 7816-4: this byte, then zeros."""

_TOKEN = re.compile(re.escape(VERSION) + "([A-Za-z0-9_-]{64,})")


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one agreement in one domain and epoch."""

    agreement: str
    domain: str
    epoch: str
    key: bytes = field(repr=False)

    @classmethod
    def of(cls, keyring: Keyring, agreement: str, domain: str, epoch: str) -> "Tokens":
        return cls(agreement, domain, epoch, keyring.token_key(agreement, domain, epoch))

    def tokens_of(self, values: Sequence[str]) -> list[str]:
        """The token of each value, in order. Equal values have equal tokens."""
        cipher, context = AESSIV(self.key), self._context()
        return [_text(cipher.encrypt(_padded(value.encode()), context)) for value in values]

    def token_of(self, value: str) -> str:
        return self.tokens_of([value])[0]

    def value_of(self, token: str) -> str:
        """The value that the token stands for.

        Raises:
            Refused: TOKEN_INVALID where this agreement has not made it, in this domain and epoch; the message holds neither.
        """
        try:
            return _unpadded(AESSIV(self.key).decrypt(_bytes(token), self._context())).decode()
        except (InvalidTag, ValueError):
            raise Refused(
                Code.TOKEN_INVALID,
                f"this is no token of agreement {self.agreement} in domain {self.domain}, epoch {self.epoch}.",
                next_step="ask which release, column and epoch it comes from; a token must be whole, to the last letter.",
            ) from None

    def _context(self) -> list[bytes]:
        return [self.agreement.encode(), self.domain.encode(), self.epoch.encode()]


def _padded(value: bytes) -> bytes:
    return value + _END + bytes(-(len(value) + 1) % _BLOCK)


def _unpadded(value: bytes) -> bytes:
    return value.rstrip(b"\0").removesuffix(_END)


def _text(sealed: bytes) -> str:
    return VERSION + urlsafe_b64encode(sealed).rstrip(b"=").decode()


def _bytes(token: str) -> bytes:
    """The bytes that the token spells; ValueError where it is none, or spells them in another way than `_text` does."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise ValueError("not a token")
    sealed = urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4))
    if _text(sealed) != token:
        raise ValueError("not a token")
    return sealed
