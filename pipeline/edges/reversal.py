"""Who may have a token turned back into its value? The partner that the agreement names, for a reference, and the ledger knows."""

from collections.abc import Sequence

from pipeline.core.authority import in_force
from pipeline.core.errors import Code, Refused
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.treatment import Tokenise
from pipeline.edges import record
from pipeline.edges.catalogue import Catalogue
from pipeline.edges.permission import signed
from pipeline.edges.site import Site
from pipeline.edges.tokens import Tokens


def reverse(
    site: Site,
    catalogue: Catalogue,
    agreement: Agreement,
    column: str,
    tokens: Sequence[str],
    *,
    partner: str,
    reference: str,
    epoch: str,
) -> list[str]:
    """The values that the column's tokens stand for, in order; that it was done is in the ledger first.

    Raises:
        Refused: the agreement does not say so or is not signed as it must be, or a token is none of its.
    """
    signed(site, catalogue, agreement)
    in_force(agreement, site.now())
    treatment = agreement.columns.get(column)
    if not isinstance(treatment, Tokenise):
        raise Refused(
            Code.REVERSAL_FORBIDDEN,
            f"agreement {agreement.id} does not tokenise {column}: nothing of it can be turned back.",
            next_step="`safeconduct explain` shows which columns are tokens.",
        )
    if partner != treatment.reversible_by:
        raise Refused(
            Code.REVERSAL_FORBIDDEN,
            f"agreement {agreement.id} lets {treatment.reversible_by} have {column} turned back, and not {partner} "
            f"({treatment.reversal_clause}).",
            next_step=f"let {treatment.reversible_by} ask.",
        )
    # To ask for an epoch binds it to a master for good: a wrong letter in a question must not.
    if site.keyring.epochs is None or site.keyring.epochs.find(agreement.id, epoch) is None:
        raise Refused(
            Code.TOKEN_INVALID,
            f"agreement {agreement.id} has made no token in epoch {epoch}.",
            next_step="ask which release the token comes from: its manifest names the epoch.",
        )
    made = Tokens.of(site.keyring, agreement.id, treatment.domain, epoch)
    values = [made.value_of(token) for token in tokens]
    record.reversed_(site, agreement, column, tokens, partner=partner, reference=reference)
    return values
