"""`safeconduct keys`: which keys the site has; the next one of a role; an older one's end; what others need of them."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.console.call import AsJson, Call, Taught, near, short, when
from pipeline.core.errors import Code, Misconfigured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.edges.roles import Key, Role
    from pipeline.edges.site import Site

keys = typer.Typer(
    help="List, rotate and retire the site's keys, and give others what they need.", no_args_is_help=True
)

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say whether it would do, and what would follow.")]


@keys.command("list", cls=Taught)
def list_(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the site's keys: what each is for, and whether it is in use.

    No secret is shown. A fingerprint tells a key from every other; auditors find it in the ledger's entries of kind key.

    Examples:
      safeconduct keys list
      safeconduct keys list --json
    """
    from pipeline.edges.rotation import keys_of

    call = Call.of(context, as_json)
    site = call.site()
    held = keys_of(site)
    if call.json:
        call.document({"keys": [_said(key, held) for key in held]})
        return
    rows = [(key.name, key.role.use, when(key.created_at), _state(key, held), short(key.fingerprint)) for key in held]
    call.table(("key", "use", "made", "state", "fingerprint"), rows)
    call.say("Next: `safeconduct keys rotate ROLE` makes the next key of a role; `keys public` is what others need.")


@keys.command("rotate", cls=Taught)
def rotate(
    context: typer.Context,
    *,
    role: Annotated[
        str, typer.Argument(help="signing, signing-mldsa, ledger, vault, quarantine, opening, pseudonym-master")
    ],
    hybrid: Annotated[
        bool, typer.Option("--hybrid", help="For what opens: a key that a quantum computer does not break either.")
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make the next key of a role. It is the one that seals and signs from now on.

    Nothing that is there changes: older keys still open and verify until they are retired, old releases verify for ever, and an
    agreement's pseudonyms keep the master that its epoch began with. Tasks that are running end with the key that they have.
    `signing-mldsa` has no key until it is rotated for the first time: from then on manifests have a second signature.

    Examples:
      safeconduct keys rotate vault --dry-run
      safeconduct keys rotate signing
      safeconduct keys rotate opening --hybrid
    """
    from pipeline.edges import rotation
    from pipeline.edges.sealing import RecipientKind

    call = Call.of(context, as_json)
    asked = _role(role)
    if hybrid and asked.ending != ".txt":
        raise typer.BadParameter("--hybrid is for the roles that open: vault, quarantine, opening.")
    site = call.site()
    key = rotation.next_key(site, asked, RecipientKind.HYBRID if hybrid else RecipientKind.X25519)
    if not dry_run:
        rotation.rotate(site, key)
    follows = _FOLLOWS[asked.value]
    if call.json:
        said = {"name": key.name} if dry_run else _said(key, rotation.keys_of(site))
        call.document({"rotated": not dry_run, "key": said, "next": follows})
        return
    if dry_run:
        call.say(f"Would make {key.name}, the current one from then on: {asked.use}. Nothing was changed.")
    else:
        call.say(f"{key.name} was made, and is the current one. Its fingerprint is {key.fingerprint}.")
    call.say(f"Next: {follows}")


@keys.command("retire", cls=Taught)
def retire(
    context: typer.Context,
    *,
    name: Annotated[str, typer.Argument(metavar="KEY", help="As `keys list` names it: vault-1.")],
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Destroy the secret of an older key, for good. What verifies what it has signed is kept.

    It is refused for a role's current key, within a day of its successor (a task may still run with it), and while anything
    needs it: objects that are sealed to it, or agreements whose epoch derives from it. A backup of the key is yours to destroy.

    Examples:
      safeconduct keys retire vault-1 --dry-run
      safeconduct keys retire signing-1
    """
    from pipeline.edges import rotation

    call = Call.of(context, as_json)
    site = call.site()
    key, catalogue = _key(rotation.keys_of(site), name), site.catalogue()
    if dry_run:
        rotation.check_retirable(site, catalogue, key)
    else:
        rotation.retire(site, catalogue, key)
    if call.json:
        call.document(
            {"retired": not dry_run, "key": _said(_key(rotation.keys_of(site), name), rotation.keys_of(site))}
        )
        return
    if dry_run:
        call.say(f"Nothing needs {key.name} any more: it would be retired. Nothing was changed.")
    else:
        call.say(f"{key.name} was retired: its secret is gone.")
        call.say("Next: destroy it in your backups as well.")


@keys.command("public", cls=Taught)
def public(
    context: typer.Context,
    *,
    to: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write them there, as files that other tools read.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what others need of the site's keys, or write it to a folder to give away.

    Recipients verify releases with signing-*.pem, the second signature with signing-mldsa-*.pem, and proofs with ledger.vkeys,
    which witnesses need as well; `sha256sum -c` holds the program that came with a release against its digest here. Partners seal deliveries to opening.txt: `age -R opening.txt`. Keys that were retired are
    among them, so that old releases verify; give them over another way than the releases.

    Examples:
      safeconduct keys public
      safeconduct keys public --to for-recipients
    """
    from pipeline.edges.rotation import keys_of

    call = Call.of(context, as_json)
    site = call.site()
    files = _public_files(site, keys_of(site))
    if to:
        to.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (to / name).write_text(text, encoding="ascii")
    if call.json:
        call.document({"to": to, "public": files})
        return
    for name, text in files.items():
        call.say(f"{near(to / name)}" if to else f"{name}\n{text}")
    if to:
        call.say(
            "Next: give them to recipients and partners over another way than the releases, and let them confirm it."
        )


_FOLLOWS = {
    "signing": "`safeconduct keys public --to DIR`, and give recipients the new signing key before the next release.",
    "signing-mldsa": "`safeconduct keys public --to DIR`, and give recipients the key of the second signature.",
    "ledger": "`safeconduct keys public --to DIR`, and give recipients and witnesses the new ledger.vkeys.",
    "vault": "nothing: what is in the vault opens with the key that it was sealed to.",
    "quarantine": "give the new key to those who may look at rejected rows.",
    "opening": "`safeconduct keys public --to DIR`, and give partners the new opening.txt; what they seal to the older key still opens.",
    "pseudonym-master": "raise pseudonym_epoch in the agreements that are to use it: their later pseudonyms do not match the earlier ones.",
}


def _public_files(site: "Site", held: "Sequence[Key]") -> dict[str, str]:
    """The content of each file by its name."""
    from pipeline.kit.contents import VERIFIER, verifier

    files = {f"{key.name}.pem": key.public for key in held if key.role.value.startswith("signing")}
    files["ledger.vkeys"] = "".join(f"{one}\n" for one in site.ledger.verifier_keys)
    files["opening.txt"] = f"{site.keyring.opening.recipient}\n"
    files[f"{VERIFIER}.sha256"] = f"{hashlib.sha256(verifier()).hexdigest()}  {VERIFIER}\n"
    return files


def _state(key: "Key", held: "Sequence[Key]") -> str:
    if key.retired_at:
        return f"retired {when(key.retired_at)}"
    newest = max(one.number for one in held if one.role is key.role and not one.retired_at)
    return "current" if key.number == newest else "older"


def _said(key: "Key", held: "Sequence[Key]") -> dict[str, Any]:
    return {
        "name": key.name,
        "role": key.role.value,
        "number": key.number,
        "state": _state(key, held).partition(" ")[0],
        "created_at": key.created_at,
        "retired_at": key.retired_at,
        "fingerprint": key.fingerprint,
        "public": key.public or None,
    }


def _role(text: str) -> "Role":
    from pipeline.edges.roles import Role

    try:
        return Role(text)
    except ValueError:
        raise Misconfigured(
            Code.NOT_FOUND,
            f"there is no role {text!a}.",
            next_step=f"name one of {', '.join(role.value for role in Role)}.",
        ) from None


def _key(held: "Sequence[Key]", name: str) -> "Key":
    found = next((key for key in held if key.name == name), None)
    if found is None:
        raise Misconfigured(
            Code.NOT_FOUND, f"the site has no key {name!a}.", next_step="`safeconduct keys list` names them."
        )
    return found
