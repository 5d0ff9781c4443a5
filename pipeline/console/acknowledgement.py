"""`safeconduct acknowledge`: a recipient says that it has a release."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console.call import AsJson, Call, near
from pipeline.console.key import read_signing_file
from pipeline.console.writing import make_private, write_private
from pipeline.core.errors import Code, Misconfigured, Refused

if TYPE_CHECKING:
    from pipeline.kit.verify_release import Report


def acknowledge(
    context: typer.Context,
    *,
    release: Annotated[Path, typer.Argument(metavar="RELEASE_FOLDER", help="A release as you fetched it.")],
    publisher: Annotated[Path, typer.Option(metavar="FILE", help="The publisher's public key, PEM.")],
    ledger: Annotated[str, typer.Option(metavar="VKEY", help="The ledger's key, or a file with it.")],
    key: Annotated[Path, typer.Option(metavar="FILE", help="Your OpenSSH private key, Ed25519.")],
    by: Annotated[str, typer.Option(metavar="OFFICE", help="Who says so: an office, not a person.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the acknowledgement and its signature go.")],
    as_json: AsJson = False,
) -> None:
    """Acknowledge a release that you received, once it is verified.

    For recipients: no site is needed. Writes RELEASE.json and RELEASE.json.sig, to be put below returns/YOUR-ID/ of the publisher's landing. OPEN.md in each release tells how to do it without this software.

    Examples:
      safeconduct acknowledge releases/pnr-eu-piu.5e1f --publisher publisher.pem --ledger ledger.vkey --key piu.key --by "PIU registry" --out outbox
    """
    from pipeline.core.acknowledgement import Acknowledgement, acknowledgement_text, read_acknowledgement
    from pipeline.edges.opening import SIGNATURE_SUFFIX, sign

    call = Call.of(context, as_json)
    signing = read_signing_file(key)
    report = _verified(release, publisher, ledger)
    said = report.told or {}
    written = Acknowledgement(
        said["release"], said["recipient"]["id"], report.manifest or "", by, datetime.now(UTC).replace(microsecond=0)
    )
    text = acknowledgement_text(written)
    try:
        read_acknowledgement(text)
    except ValueError:
        raise Misconfigured(
            Code.KEY_INVALID, "--by is not a name of 1 to 200 printable characters.", next_step="name your office."
        ) from None
    make_private(out)
    file = out / f"{written.release}.json"
    write_private(file.with_name(file.name + SIGNATURE_SUFFIX), sign([text], signing))  # first: none waits for it
    write_private(file, text)
    if report.withdrawal:
        call.warn(f"{written.release} was withdrawn on {report.withdrawal['at']}: do not use it.")
    if call.json:
        call.document({"acknowledgement": file, "release": written.release, "manifest": written.manifest})
        return
    call.say(f"{written.release} holds, and {near(file)} says that you have it.", style="green")
    call.say("Next: put it and its signature below returns/YOUR-ID/ of the publisher's landing.")


def _verified(folder: Path, publisher: Path, ledger: str) -> "Report":
    from pipeline.kit.verify_release import Unusable, read_trust, verify

    try:
        trust = read_trust([str(publisher)], [ledger])
    except Unusable as unusable:
        raise Misconfigured(
            Code.PARTNER_KEY_INVALID, f"{unusable}.", next_step="name the keys that the publisher gave you."
        ) from None
    report = verify(folder, trust, now=datetime.now(UTC))
    if report.faults:
        more = f" (and {len(report.faults) - 1} more)" if report.faults[1:] else ""
        first = report.faults[0]
        raise Refused(
            Code.VERIFICATION_FAILED,
            f"{folder.name} does not hold [{first.code}]: {first.says}{more}",
            next_step="do not use it; tell its publisher. Its verify_release.py shows every fault.",
        )
    return report
