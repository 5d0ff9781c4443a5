"""`safeconduct witness`: a partner watches that the ledger only grows."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console.call import AsJson, Call, near
from pipeline.core.errors import Code, Misconfigured, Unavailable

if TYPE_CHECKING:
    from pipeline.core.notes import Checkpoint, VerifierKey


def witness(
    context: typer.Context,
    ledger: Annotated[str, typer.Argument(help="The folder `ledger` of the keeper's shared storage, or its URL.")] = "",
    *,
    key: Annotated[Path, typer.Option(metavar="FILE", help="The witness's private key.")],
    new_key: Annotated[str, typer.Option(metavar="NAME", help="Make the key, with this name, and show it.")] = "",
    log: Annotated[
        list[str] | None, typer.Option(metavar="VKEY", help="The ledger's verifier key; more after it had another.")
    ] = None,
    memory: Annotated[Path, typer.Option(metavar="FILE", help="What the witness remembers.")] = Path("witness.json"),
    to: Annotated[Path, typer.Option(metavar="DIR", help="Where the cosigned checkpoint goes.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Watch, from a partner's side, that the ledger only grows; cosign its largest checkpoint.

    Needs no site. The file that it writes goes back to the keeper of the ledger: it holds no secret.

    Exit codes of its own, each with nothing cosigned: 11 another ledger, 12 a signature that does not hold, 13 the ledger
    went back, 14 it was forked.

    Examples:
      safeconduct witness --new-key example.org/witness --key witness.key
      safeconduct witness shared/ledger --key witness.key --log VKEY --to outbox
    """
    from pipeline.edges import witness as edge
    from pipeline.edges.storage import open_store

    call = Call.of(context, as_json)
    if new_key:
        _tell_key(call, edge.create_witness_key(key, new_key).verifier)
        return
    if not ledger or not log:
        raise typer.BadParameter("name the ledger's folder, and its verifier key with --log")
    url = ledger if "://" in ledger else Path(ledger).resolve().as_uri()
    cosigned = edge.witness(open_store(url), _keys(log), edge.read_witness_key(key), memory, datetime.now(UTC))
    path = _put(to, cosigned)
    if call.json:
        call.document({"origin": cosigned.origin, "size": cosigned.size, "root": cosigned.root.hex(), "file": path})
        return
    call.say(f"{cosigned.origin} has {cosigned.size} entries and only grew. Cosigned: {near(path)}", style="green")
    call.say("Give the file back to the ledger's keeper.")


def _tell_key(call: Call, verifier: "VerifierKey") -> None:
    if call.json:
        call.document({"vkey": str(verifier)})
        return
    call.say(str(verifier))
    call.note("Give this line to the ledger's keeper, for keys/witnesses.txt: `PARTNER VKEY`.")


def _keys(vkeys: list[str]) -> "list[VerifierKey]":
    from pipeline.core.notes import KeyKind, read_verifier_key

    try:
        keys = [read_verifier_key(vkey) for vkey in vkeys]
    except ValueError as error:
        raise _not_a_key(str(error)) from None
    if any(key.kind is not KeyKind.LOG for key in keys) or len({key.name for key in keys}) > 1:
        raise _not_a_key("it is a witness's key, or two ledgers are named")
    return keys


def _put(folder: Path, cosigned: "Checkpoint") -> Path:
    path = folder / f"checkpoint-{cosigned.size}.cosigned"
    unfinished = folder / f".{path.name}.part"
    try:
        unfinished.write_bytes(cosigned.note)
        unfinished.replace(path)
    except OSError as error:
        raise Unavailable(
            Code.STORAGE_UNAVAILABLE, f"{path} cannot be written: {error.strerror}.", next_step="name another --to."
        ) from None
    return path


def _not_a_key(what: str) -> Misconfigured:
    next_step = "take the vkey that the keeper's `safeconduct ledger --checkpoint` shows."
    return Misconfigured(Code.PARTNER_KEY_INVALID, f"--log: {what}.", next_step=next_step)
