"""ANSI/NIST-ITL transactions, right ones and, where asked, wrong ones."""

from collections.abc import Mapping, Sequence

FS, GS, RS, US = "\x1c", "\x1d", "\x1e", "\x1f"


def tagged(kind: int, fields: Mapping[int, str], *, image: bytes | None = None, longer: int = 0) -> bytes:
    """A record whose first field says its length, and `longer` bytes more than that."""
    texts = [f"{kind}.{number:03}:{text}".encode("latin-1") for number, text in sorted(fields.items())]
    if image is not None:
        texts.append(f"{kind}.999:".encode() + image)
    body = GS.encode() + GS.encode().join(texts) + FS.encode()
    head = f"{kind}.001:"
    length = len(head) + len(body)
    length += len(str(length + len(str(length))))
    return f"{head}{length + longer}".encode() + body


def print_4(idc: int = 1, image: bytes = b"\x1c\x1d\x00\xff" * 8) -> bytes:
    """A record of type 4: a print of one finger."""
    return (18 + len(image)).to_bytes(4) + bytes([idc]) + b"\x00" * 13 + image


def print_9(idc: int = 1, more: Mapping[int, str] | None = None) -> bytes:
    return tagged(9, {2: f"{idc:02}", 3: "4", 4: "S", **(more or {})})


def print_14(idc: int = 1, more: Mapping[int, str] | None = None, image: bytes = b"\x1c\x1d\x00\xff" * 8) -> bytes:
    return tagged(14, {2: f"{idc:02}", 3: "1", 4: "AGENCY", 13: "1", **(more or {})}, image=image)


def reference(fields: Mapping[int, str], idc: int = 0) -> bytes:
    """The record of type 2."""
    return tagged(2, {2: f"{idc:02}", **fields})


def transaction(
    first: Mapping[int, str], records: Sequence[tuple[int, int, bytes]], *, listed: str | None = None
) -> bytes:
    """A transaction with these (type, IDC, record)s; `listed` is what 1.003 says instead of the truth."""
    content = RS.join([f"1{US}{len(records)}", *(f"{kind}{US}{idc:02}" for kind, idc, _ in records)])
    head = tagged(1, {2: "0502", 3: content if listed is None else listed, **first})
    return head + b"".join(record for *_, record in records)
