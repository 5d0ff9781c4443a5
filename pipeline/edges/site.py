"""This installation: its stores, keys, catalogue and clock, read from `site.toml`."""

import os
import secrets
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import Field, ValidationError, field_validator

from pipeline.core.duration import Duration
from pipeline.core.errors import Code, Misconfigured
from pipeline.core.language.policy import Policy, Text
from pipeline.core.notes import is_key_name
from pipeline.edges import catalogue
from pipeline.edges.declarations import Declarations
from pipeline.edges.epochs import Epochs
from pipeline.edges.keys import Keyring
from pipeline.edges.landing import Landing
from pipeline.edges.ledger import Ledger
from pipeline.edges.publication import Publication
from pipeline.edges.quarantine import Quarantine
from pipeline.edges.safekeeping import Safekeeping, safe_of
from pipeline.edges.storage import S3Settings, open_store, probe
from pipeline.edges.vault import Vault

SETTINGS = "site.toml"
ENVIRONMENT = "SAFECONDUCT_SITE"
DEFAULT = Path("site")


class S3(Policy):
    """How to reach the S3 server. Credentials come from boto3's own chain, never from this file."""

    endpoint_url: str | None = None
    region: str = "us-east-1"


class Auditing(Policy):
    """How long an audit waits before it tells of what has not happened yet (ISO 8601)."""

    grace: Duration = Field(default="PT1H", description="for the ledger to speak of what was just written")
    intent: Duration = Field(default="P1D", description="for what was about to be published")
    acknowledgement: Duration = Field(default="P30D", description="for a recipient to acknowledge a release")
    witness: Duration = Field(default="P7D", description="for a witness to cosign again")
    full: Duration = Field(default="P7D", description="for the daily audit to read every object again")


class Settings(Policy):
    """The content of `site.toml`. Relative paths start at the site's directory."""

    catalogue: Text
    landing: Text
    private: Text
    shared: Text
    origin: str = Field(default="safeconduct", description="the ledger's name, which its checkpoints begin with")
    settle_seconds: float = Field(
        default=1.0, ge=0, description="a landed local file is whole after this long unchanged"
    )
    signature_wait_seconds: float = Field(default=10.0, ge=0)
    signed_agreements: bool = Field(
        default=False, description="an agreement releases only while a privacy officer's signature of its file holds"
    )
    s3: S3 = S3()
    keys: Safekeeping = Safekeeping()
    audit: Auditing = Auditing()

    @field_validator("origin")
    @classmethod
    def _is_a_name(cls, origin: str) -> str:
        if not is_key_name(origin):
            raise ValueError("is not a name without spaces and without +")
        return origin


@dataclass(frozen=True, slots=True)
class Site:
    """Everything a step may touch. The catalogue is read anew each time it is asked for: a revoked agreement wins."""

    directory: Path
    settings: Settings
    landing: Landing
    quarantine: Quarantine
    vault: Vault
    publication: Publication
    declarations: Declarations
    ledger: Ledger
    keyring: Keyring
    now: Callable[[], datetime]

    @classmethod
    def open(cls, directory: Path) -> "Site":
        """The site in `directory`, whose private and shared stores have shown that they never replace an object."""
        settings = _read(directory)
        s3 = S3Settings(endpoint_url=settings.s3.endpoint_url, region=settings.s3.region)
        landing, private, shared = (
            open_store(_url(directory, url), s3) for url in (settings.landing, settings.private, settings.shared)
        )
        for store in (private, shared):
            probe(store)
        keyring = keyring_of(directory, Epochs(private))
        return cls(
            directory=directory,
            settings=settings,
            landing=Landing(landing, private),
            quarantine=Quarantine(private, keyring.quarantine_identities),
            vault=Vault(private, keyring.vault_identities),
            publication=Publication.of(shared, keyring),
            declarations=Declarations(private),
            ledger=Ledger(private.within("ledger"), shared.within("ledger"), keyring, settings.origin),
            keyring=keyring,
            now=lambda: datetime.now(UTC),
        )

    @classmethod
    def create(
        cls,
        directory: Path,
        catalogue_root: Path,
        *,
        storage: str | None = None,
        s3: S3 | None = None,
        keys: Safekeeping | None = None,
    ) -> "Site":
        """A site in `directory`, new or as it was: what is there already is left alone."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = directory / SETTINGS
        if not path.exists():
            path.write_text(_template(directory, catalogue_root, storage, s3, keys), encoding="utf-8")
        settings = _read(directory)
        for url in (settings.landing, settings.private, settings.shared):
            _make_local(_url(directory, url))
        Keyring.create(directory / "keys", safe=safe_of(directory, settings.keys))
        return cls.open(directory)

    @property
    def catalogue_root(self) -> Path:
        return (self.directory / self.settings.catalogue).resolve()

    def catalogue(self) -> catalogue.Catalogue:
        return catalogue.load(self.catalogue_root, self.now())


def site_directory() -> Path:
    """Where the site is: `SAFECONDUCT_SITE`, else `site` below the current directory."""
    return Path(os.environ.get(ENVIRONMENT) or DEFAULT).absolute()


def catalogue_root(directory: Path) -> Path:
    """The catalogue of the site in `directory`, found without opening its stores or keys."""
    return (directory / _read(directory).catalogue).resolve()


def keyring_of(directory: Path, epochs: Epochs | None = None) -> Keyring:
    """The keys of the site in `directory`, found without opening its stores; with `epochs`, pseudonyms can be made."""
    return Keyring.open(directory / "keys", safe=safe_of(directory, _read(directory).keys), epochs=epochs)


def _read(directory: Path) -> Settings:
    path = directory / SETTINGS
    try:
        return Settings.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise Misconfigured(
            Code.SITE_MISSING,
            f"{path} is not there.",
            next_step="create the site with `safeconduct init`, or set SAFECONDUCT_SITE.",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise Misconfigured(Code.SITE_INVALID, f"{path} is not TOML.", next_step="correct the file.") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Misconfigured(
            Code.SITE_INVALID, f"{path}: {where}: {first['msg']}.", next_step="correct the file."
        ) from None


def _url(directory: Path, url: str) -> str:
    return url if "://" in url else (directory / url).resolve().as_uri()


def _make_local(url: str) -> None:
    split = urlsplit(url)
    if split.scheme == "file":
        Path(unquote(split.path)).mkdir(mode=0o700, parents=True, exist_ok=True)


def _template(
    directory: Path, catalogue_root: Path, storage: str | None, s3: S3 | None, keys: Safekeeping | None
) -> str:
    base = f"{storage.rstrip('/')}/" if storage else "stores/"
    try:
        policy = os.path.relpath(catalogue_root, directory)
    except ValueError:
        policy = str(catalogue_root)
    lines = [
        "# This installation of Safeconduct. A store is a folder (relative to this file), file:///folder or s3://bucket/prefix.",
        f'catalogue = "{policy}"',
        f'landing = "{base}landing"   # partners write here, one folder per feed',
        f'private = "{base}private"   # claims, vault, quarantine, ledger: ours alone',
        f'shared = "{base}shared"     # releases and acknowledgements, one folder per partner',
    ]
    lines.append(f'origin = "safeconduct/{secrets.token_hex(6)}"   # the ledger is known by it: never change it')
    if s3:
        lines += [
            "",
            "[s3]  # credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role",
            f'region = "{s3.region}"',
        ]
        if s3.endpoint_url:
            lines.append(f'endpoint_url = "{s3.endpoint_url}"')
    if keys:
        told = keys.model_dump(exclude_none=True)
        lines += ["", "[keys]  # the token: SAFECONDUCT_OPENBAO_TOKEN, or a file (0600) named as token_file"]
        lines += [f'{name} = "{value}"' for name, value in told.items()]
    return "\n".join(lines) + "\n"
