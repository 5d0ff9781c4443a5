"""May these rows be released under this agreement? Everything that the answer needs, gathered from the site."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pipeline.core.authority import Authorised, Recipient, authorise
from pipeline.core.cases import failed_cases
from pipeline.core.clocks import Instants, waits_until
from pipeline.core.disclosure import faults_of_amendment
from pipeline.core.errors import Code, Misconfigured, Postponed, Refused
from pipeline.core.fitness import all_clauses, unfit
from pipeline.core.language.agreement import Agreement
from pipeline.core.soundness import Unsound
from pipeline.core.treatments import Means
from pipeline.edges.catalogue import Catalogue
from pipeline.edges.opening import MAX_SIGNATURE_BYTES, SIGNATURE_SUFFIX, verify_signature
from pipeline.edges.registered import AGREEMENTS
from pipeline.edges.schemas import lists_hold as schemas_hold
from pipeline.edges.schemas import schema_of
from pipeline.edges.site import Site
from pipeline.edges.tokens import Tokens
from pipeline.edges.vault import Kept


def permission(site: Site, catalogue: Catalogue, agreement: Agreement, kept: Kept) -> Authorised:
    """The agreement fits its schema and its cases hold, and it permits the release: see `permitted`."""
    signed(site, catalogue, agreement)
    sound(catalogue, agreement)
    return permitted(site, catalogue, agreement, kept)


def permitted(site: Site, catalogue: Catalogue, agreement: Agreement, kept: Kept) -> Authorised:
    """The agreement is signed where it must be, in force, its conditions are met, and its delay is over.

    Raises:
        Refused: it does not permit it. Postponed: not yet. Misconfigured: a key is missing.
    """
    signed(site, catalogue, agreement)
    declared = site.declarations.last(agreement.id, kept.key)
    instants = instants_of(site, kept)
    authorised = authorise(
        agreement,
        agreement_digest=catalogue.digest(agreement),
        declaration=declared.declaration if declared else None,
        recipient=recipient_of(site, catalogue, agreement.recipient),
        instants=instants,
    )
    lists_hold(catalogue, agreement, instants.released)
    until = waits_until(agreement.handling.delay, instants)
    if until and instants.released < until:
        raise Postponed(
            Code.NOT_YET,
            f"agreement {agreement.id} releases these rows from {until.isoformat(timespec='minutes')} on.",
            next_step="nothing to do: it is released then.",
            until=until,
        )
    return authorised


def lists_hold(catalogue: Catalogue, agreement: Agreement, at: datetime) -> None:
    """No list that the agreement leans on has expired."""
    schemas_hold(f"agreement {agreement.id}", agreement.code_lists(), catalogue.code_lists, at)


def recipient_of(site: Site, catalogue: Catalogue, partner: str) -> Recipient:
    """The partner with its members and their keys: of a community, everybody's."""
    members = catalogue.members(partner)
    keys = [key for one in members or (catalogue.partners[partner],) for key in site.keyring.recipients(one.id)]
    return Recipient(catalogue.partners[partner], members, tuple(dict.fromkeys(keys)))


def instants_of(site: Site, kept: Kept) -> Instants:
    """When the clocks of kept rows began, and now."""
    ids = {one.delivery for one in kept.deliveries}
    claimed = [delivery.claimed_at for delivery in site.landing.lot(kept.lot).deliveries if delivery.id in ids]
    return Instants(min(claimed), max(claimed), kept.loaded_at, site.now())


def means(site: Site, catalogue: Catalogue, agreement: Agreement) -> Means:
    """The lists and keys that the agreement's treatments lean on."""

    def pseudonym_key(domain: str) -> str:
        return site.keyring.pseudonym_key(agreement.id, domain, agreement.pseudonym_epoch).hex()

    return Means(
        code_lists=dict(catalogue.code_lists),
        hierarchies=dict(catalogue.hierarchies),
        pseudonym_keys=pseudonym_key,
        tokens=lambda domain: Tokens.of(site.keyring, agreement.id, domain, agreement.pseudonym_epoch).tokens_of,
    )


def signed(site: Site, catalogue: Catalogue, agreement: Agreement) -> None:
    """A privacy officer has signed the agreement's file, and the lists that it leans on, as they were read.

    Where the site does not ask for signatures a file may have none; but one that is there must hold.
    """
    for path, text in catalogue.files_of(agreement).items():
        signature = _beside(path)
        if signature is None and not site.settings.signed_agreements:
            continue
        try:
            verify_signature(
                signature,
                [text.encode()],
                site.keyring.officers(),
                name=path.name,
                namespace=AGREEMENTS,
            )
        except Refused as refusal:
            raise Refused(
                Code.AGREEMENT_UNSIGNED,
                f"agreement {agreement.id}: {refusal.message}",
                next_step=f"have a privacy officer sign it as it is: ssh-keygen -Y sign -n {AGREEMENTS} -f KEY {path}.",
            ) from None


def _beside(path: Path) -> bytes | None:
    """The signature of the file; None where there is none. One that cannot be read is there all the same, and holds not."""
    try:
        with path.with_name(path.name + SIGNATURE_SUFFIX).open("rb") as file:
            return file.read(MAX_SIGNATURE_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError:
        return b""


def sound(catalogue: Catalogue, agreement: Agreement) -> None:
    """The agreement fits its feed's schema, and its example cases come out as they say."""
    faults = list(faults_of(catalogue, agreement))
    if faults:
        more = f" (and {len(faults) - 1} more)" if faults[1:] else ""
        raise Misconfigured(
            Code.AGREEMENT_UNSOUND,
            f"agreement {agreement.id}: {'.'.join(faults[0].keys)}: {faults[0].message}{more}.",
            next_step="nothing is released until `safeconduct check` finds it sound; then rerun.",
        )


def faults_of(catalogue: Catalogue, agreement: Agreement) -> Iterator[Unsound]:
    """What is wrong with the agreement beyond its own file: how it fits the schema, how its cases come out, and whether
    two people have agreed to what it discloses more than the version before it."""
    schema = schema_of(catalogue.feed(agreement.feed), catalogue.code_lists)
    clauses = all_clauses(agreement, catalogue.instrument(agreement.instrument).clauses)
    unfitting = list(unfit(agreement, schema, clauses))
    yield from unfitting
    if not unfitting:
        yield from failed_cases(agreement, schema, catalogue.code_lists, catalogue.hierarchies)
    yield from faults_of_amendment(agreement, catalogue)
