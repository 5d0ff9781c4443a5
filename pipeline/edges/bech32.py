"""How are age keys written as text? Bech32 (BIP 173) without its length limit, as the age specification asks."""

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_LENGTH = 6


def encode(prefix: str, content: bytes) -> str:
    """The lower-case Bech32 text of `content` under `prefix`, which is lower-case too."""
    values = _regroup(content, 8, 5, pad=True)
    checksum = _checksum([*_expand(prefix), *values, *[0] * _CHECKSUM_LENGTH]) ^ 1
    values += [(checksum >> 5 * (_CHECKSUM_LENGTH - 1 - place)) & 31 for place in range(_CHECKSUM_LENGTH)]
    return f"{prefix}1{''.join(_ALPHABET[value] for value in values)}"


def decode(prefix: str, text: str) -> bytes:
    """The content of a Bech32 text that is under `prefix`, in one case, with a right checksum.

    Raises:
        ValueError: with a reason that holds no part of the text, which may be a secret.
    """
    if text not in (text.lower(), text.upper()):
        raise ValueError("it mixes upper and lower case")
    found, separator, tail = text.lower().rpartition("1")
    if not separator or found != prefix:
        raise ValueError(f"it does not begin with {prefix}1")
    if any(character not in _VALUES for character in tail):
        raise ValueError("it has a character that Bech32 does not use")
    values = [_VALUES[character] for character in tail]
    if len(values) < _CHECKSUM_LENGTH or _checksum([*_expand(prefix), *values]) != 1:
        raise ValueError("its checksum is wrong")
    return bytes(_regroup(values[:-_CHECKSUM_LENGTH], 5, 8, pad=False))


def _expand(prefix: str) -> list[int]:
    return [ord(character) >> 5 for character in prefix] + [0] + [ord(character) & 31 for character in prefix]


def _checksum(values: list[int]) -> int:
    state = 1
    for value in values:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            if top >> bit & 1:
                state ^= generator
    return state


def _regroup(values: bytes | list[int], from_bits: int, to_bits: int, *, pad: bool) -> list[int]:
    gathered, count, regrouped = 0, 0, []
    for value in values:
        gathered, count = gathered << from_bits | value, count + from_bits
        while count >= to_bits:
            count -= to_bits
            regrouped.append(gathered >> count & (1 << to_bits) - 1)
    rest = gathered & (1 << count) - 1
    if pad:
        return [*regrouped, rest << to_bits - count] if count else regrouped
    if rest or count >= from_bits:
        raise ValueError("its padding is wrong")
    return regrouped
