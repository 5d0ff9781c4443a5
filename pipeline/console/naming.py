"""Which delivery, lot or release does somebody mean by the beginning of its name?"""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pipeline.core.errors import Code, Misconfigured

if TYPE_CHECKING:
    from pipeline.edges.publication import Published
    from pipeline.edges.site import Site

_NAMED = 5
"""An ambiguous name is answered with this many that it fits."""


def the_one(asked: str, names: Iterable[str], noun: str, *, listed_by: str) -> str:
    """The one of `names` that is `asked` or begins with it.

    Raises:
        Misconfigured: NOT_FOUND, NAME_AMBIGUOUS.
    """
    known = sorted(set(names))
    if asked in known:
        return asked
    fitting = [name for name in known if asked and name.startswith(asked)]
    if not fitting:
        raise Misconfigured(
            Code.NOT_FOUND, f"no {noun} begins with {asked!a}.", next_step=f"`safeconduct {listed_by}` lists them."
        )
    if len(fitting) > 1:
        some = ", ".join(fitting[:_NAMED]) + (", ..." if len(fitting) > _NAMED else "")
        raise Misconfigured(
            Code.NAME_AMBIGUOUS,
            f"{asked!a} fits {len(fitting)} names: {some}.",
            next_step="give more of the name.",
        )
    return fitting[0]


def the_release(site: "Site", asked: str) -> "Published":
    """The published release, its manifest verified with the site's key."""
    from pipeline.edges.overview import release_names

    recipients = {name: recipient for recipient, name in release_names(site)}
    name = the_one(asked, recipients, "release", listed_by="releases")
    published = site.publication.find(recipients[name], name)
    if published is None:
        raise Misconfigured(
            Code.NOT_FOUND, f"release {name} is gone.", next_step="`safeconduct releases` lists what is there."
        )
    return published


def the_delivery(site: "Site", asked: str) -> str:
    """The id of the delivery that is in quarantine."""
    known = {report["delivery"] for report in site.quarantine.reports()}
    return the_one(asked, known, "delivery in quarantine", listed_by="quarantine list")


def the_lot(site: "Site", asked: str) -> str:
    """The lot with this name, of this delivery, or of this release, published or not."""
    lots = tuple(site.landing.lots())
    names = {lot.id: lot.id for lot in lots} | {one.id: lot.id for lot in lots for one in lot.deliveries}
    names |= {name: lot.id for lot in lots for name in _releases_of(site, lot.id)}
    asked = re.sub(r"-v[0-9]+$", "", asked)  # every revision is of the same rows
    return names[the_one(asked, names, "delivery, lot or release", listed_by="status")]


def _releases_of(site: "Site", lot: str) -> Iterator[str]:
    from pipeline.edges.publication import release_name

    catalogue = site.catalogue()
    for kept in site.vault.of_lot(lot):
        for agreement in catalogue.agreements_of(kept.feed):
            yield release_name(agreement, kept)
