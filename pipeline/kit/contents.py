"""What does a recipient need to open, verify and acknowledge a release, and where does it get it? In the release itself.

Both files are put before the manifest, which says their digests (`predicate.kit`).
"""

from pathlib import Path

from pipeline.core.acknowledgement import ACKNOWLEDGEMENT_TYPE

GUIDE = "OPEN.md"
VERIFIER = "verify_release.py"

_READ = {
    "csv": "head -n 4 ../opened/*.csv",
    "parquet": (
        "python3 -c 'import glob, polars; [print(polars.read_parquet(part)) for part in glob.glob(\"../opened/*.parquet\")]'"
    ),
}
_READER = {
    "csv": "Each is a CSV file, UTF-8, every column text.",
    "parquet": "Each is a Parquet file, every column text; any reader of Parquet will do, such as `polars` of PyPI.",
}

_PARTS = """\
## 2. Open

```sh
mkdir -m 700 ../opened && for part in parts/*.age; do age -d -i ../identity.txt -o "../opened/$(basename "${{part%.age}}")" "$part"; done
```

## 3. Read

```sh
{read}
```

{reader} Where there are several, the column `release_row`, if there is one, joins their rows. The manifest
says by when each must be destroyed: destroy it here too then, sealed and opened.

"""

_OPEN = """\
# Open the release {release}

For `{recipient}`, with rows of `{provider}`, under the agreement `{agreement}`: {title}.
It has {parts}. Copy this folder, whole, to a machine of yours and go into the copy. Beside it put:

- `publisher.pem` and `ledger.vkey`: the two public keys that the publisher gave you when you first met.
  Never take them from where this folder came from.
- `identity.txt`: your age identity.

You need [age](https://age-encryption.org), and Python 3.9 or newer with the package `cryptography`.

## 1. Verify

```sh
python3 verify_release.py . --recipient {recipient} --publisher ../publisher.pem --ledger ../ledger.vkey
```

It tells for what purpose, under which clauses and until when you have each column, and ends with code 0. With any other code
(`--help` lists them) do not use the release: ask its publisher.

This program came with what it verifies. Compare `sha256sum verify_release.py` with the digest that the publisher gives you on
another way; or use the copy of a release that you trust already.

{opening}## Say that you have it

Write what follows, sign it with the SSH key (Ed25519) that the publisher knows of you, and put both files below
`returns/{own}/` of its landing. Name an office, not a person.

```sh
printf '{{"type":"{type}","release":"{release}","recipient":"{recipient}","manifest":{{"sha256":"%s"}},"by":"%s","at":"%s"}}' \\
  "$(sha256sum manifest.json | cut -c 1-64)" "Our office" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" > ../{release}.json
ssh-keygen -Y sign -n safeconduct -f ../signing.key ../{release}.json
```
"""


def kit_files(
    *,
    release: str,
    agreement: str,
    title: str,
    provider: str,
    recipient: str,
    ending: str,
    parts: int,
    community: bool = False,
) -> dict[str, bytes]:
    """The files by name; the same facts make the same bytes.

    `ending`: `csv` or `parquet`, what is in each part. `community`: the recipient is one, and each member answers for itself.
    """
    opening = (
        _PARTS.format(read=_READ[ending], reader=_READER[ending])
        if parts
        else "There is no part to open: no row was released.\n\n"
    )
    told = _OPEN.format(
        release=release,
        agreement=agreement,
        title=title.replace("\n", " "),
        provider=provider,
        recipient=recipient,
        parts="one part" if parts == 1 else f"{parts} parts",
        opening=opening,
        own="YOUR-OWN-ID" if community else recipient,
        type=ACKNOWLEDGEMENT_TYPE,
    )
    return {GUIDE: told.encode(), VERIFIER: verifier()}


def verifier() -> bytes:
    """`verify_release.py`, to the last byte as it is here."""
    return Path(__file__).with_name(VERIFIER).read_bytes()
