"""`safeconduct init`: a new site."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console.call import AsJson, Call
from pipeline.core.errors import Code, Misconfigured

if TYPE_CHECKING:
    from pipeline.edges.safekeeping import Safekeeping
    from pipeline.edges.site import Site

DEMO = "demo"
"""The folder of a site with the private halves of its demo partners."""


def init(
    context: typer.Context,
    *,
    catalogue: Annotated[
        Path, typer.Option(metavar="DIR", help="Partners, feeds and agreements, as TOML files.")
    ] = Path("catalogue"),
    storage: Annotated[
        str | None,
        typer.Option(metavar="URL", help="file:///folder or s3://bucket/prefix; folders of the site if left out."),
    ] = None,
    endpoint_url: Annotated[
        str | None, typer.Option("--endpoint-url", metavar="URL", help="Of an S3 server that is not Amazon's.")
    ] = None,
    region: Annotated[str | None, typer.Option(help="Of the S3 storage.")] = None,
    openbao: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Keep the site's keys in OpenBao: https://HOST:PORT/MOUNT/PATH."),
    ] = None,
    openbao_ca: Annotated[
        Path | None, typer.Option("--openbao-ca", metavar="FILE", help="PEM of the authority that vouches for it.")
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Make keys for partners that have none, to play their part.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a site: keys, storage and settings.

    What is there already is left as it is.

    Examples:
      safeconduct init --demo
      safeconduct --site /srv/exchange init --catalogue /etc/safeconduct/catalogue
      safeconduct init --storage s3://exchange/prod --endpoint-url http://127.0.0.1:8333
      safeconduct init --openbao https://bao.example:8200/secret/safeconduct
    """
    call = Call.of(context, as_json)
    if (endpoint_url or region) and not (storage or "").startswith("s3://"):
        raise typer.BadParameter("--endpoint-url and --region are for --storage s3://...")
    if openbao_ca and not openbao:
        raise typer.BadParameter("--openbao-ca is for --openbao URL")
    before = _files(call.site_directory)
    site = make_site(
        call.site_directory,
        catalogue,
        storage=storage,
        endpoint_url=endpoint_url,
        region=region,
        keys=_in_openbao(openbao, openbao_ca) if openbao else None,
    )
    partners = make_demo_partners(site) if demo else ()
    made = sorted(_files(call.site_directory) - before)
    if call.json:
        call.document(
            {
                "site": call.site_directory,
                "catalogue": site.catalogue_root,
                "stores": {name: getattr(site.settings, name) for name in ("landing", "private", "shared")},
                "made": made,
                "demo_partners": partners,
            }
        )
        return
    call.say(f"The site is in {call.site_directory}, its catalogue in {site.catalogue_root}.")
    for name in made:
        call.say(f"  made {name}")
    if not made:
        call.say("  nothing to make: everything was there already.")
    if partners:
        call.say(f"Demo partners: {', '.join(partners)}. Their private keys are below {site.directory / DEMO}.")
    else:
        call.say("Next: `safeconduct check` says which partners still have no key.")


def make_site(
    directory: Path,
    catalogue: Path,
    *,
    storage: str | None = None,
    endpoint_url: str | None = None,
    region: str | None = None,
    keys: "Safekeeping | None" = None,
) -> "Site":
    """The site in `directory`, new or as it was."""
    from pipeline.edges.catalogue import load
    from pipeline.edges.site import S3, SETTINGS, Site

    if not (directory / SETTINGS).exists():
        if not catalogue.is_dir():
            raise Misconfigured(
                Code.CATALOGUE_INVALID,
                f"{catalogue} is not a folder.",
                next_step="name the catalogue: --catalogue DIR.",
            )
        load(catalogue.resolve())
    s3 = S3(endpoint_url=endpoint_url, region=region or S3().region) if (storage or "").startswith("s3://") else None
    return Site.create(directory, catalogue.resolve(), storage=storage, s3=s3, keys=keys)


def make_demo_partners(site: "Site") -> tuple[str, ...]:
    """Every partner of the catalogue has the keys that its feeds and agreements ask for; returns those that we play."""
    from pipeline.edges.demo_partner import create_demo_partner

    catalogue = site.catalogue()
    recipients = {agreement.recipient for agreement in catalogue.agreements.values()}
    recipients |= {member.id for recipient in recipients for member in catalogue.members(recipient)}
    played = []
    for partner in catalogue.partners:
        folder = site.directory / DEMO / partner
        # Public halves that somebody else registered are not ours to play.
        identity, known = folder / f"{partner}.identity.txt", site.keyring.recipients_path(partner)
        receives = partner in recipients and _ours(identity, known)
        signs = _ours(folder / f"{partner}.ed25519", site.keyring.signers_path(partner)) and (
            receives  # and acknowledges
            or any(feed.partner == partner and feed.signed for feed in catalogue.feeds.values())
        )
        if receives or signs:
            create_demo_partner(folder, site.keyring, partner, receives=receives, signs=signs)
            played.append(partner)
    return tuple(played)


def demo_identity(site: "Site", partner: str) -> Path | None:
    """Where the age identity of a demo partner is; None for a partner that is not ours to play."""
    path = site.directory / DEMO / partner / f"{partner}.identity.txt"
    return path if path.exists() else None


def demo_signing_key(site: "Site", partner: str) -> Path:
    """Where the signing key of a demo partner is."""
    path = site.directory / DEMO / partner / f"{partner}.ed25519"
    if not path.exists():
        raise Misconfigured(
            Code.PARTNER_KEY_MISSING,
            f"{path} is not there: this site does not play the part of {partner}.",
            next_step="`safeconduct init --demo` makes keys for partners that have none; a real partner signs itself.",
        )
    return path


def _in_openbao(url: str, ca_file: Path | None) -> "Safekeeping":
    from pipeline.edges.safekeeping import Safekeeping

    try:
        return Safekeeping.at(url, ca_file)
    except ValueError:
        raise typer.BadParameter("--openbao is https://HOST:PORT/MOUNT/PATH, as of a KV store of version 2") from None


def _ours(private: Path, public: Path) -> bool:
    return private.exists() or not public.exists()


def _files(directory: Path) -> set[str]:
    """The settings, key files and stores of the site, by their path below it."""
    found = [path for part in ("keys", DEMO) for path in (directory / part).rglob("*") if path.is_file()]
    stores = [path for path in (directory / "stores").glob("*") if path.is_dir()]
    settings = [path for path in [directory / "site.toml"] if path.exists()]
    return {str(path.relative_to(directory)) for path in (*found, *stores, *settings)}
