"""Which safe holds the site's own keys? `[keys]` of `site.toml` says it: files below `keys/`, or OpenBao."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from pipeline.core.language.policy import Policy, Text
from pipeline.edges.safe import Files, Safe


class Safekeeping(Policy):
    """`[keys]` of `site.toml`. A token is never in it. Relative paths start at the site's directory."""

    provider: Literal["files", "openbao"] = "files"
    address: str | None = Field(default=None, description="https://HOST:PORT of OpenBao")
    mount: str = Field(default="secret", description="where its KV store of version 2 is mounted")
    path: str = Field(default="safeconduct", description="the folder in that store; no other site's")
    token_file: Text | None = Field(default=None, description="0600; SAFECONDUCT_OPENBAO_TOKEN wins over it")
    ca_file: Text | None = Field(default=None, description="PEM of the authority that vouches for the server")

    @classmethod
    def at(cls, url: str, ca_file: Path | None = None) -> "Safekeeping":
        """OpenBao's KV store at https://HOST:PORT/MOUNT/PATH. Raises ValueError where the text says no such place."""
        address, _, rest = url.partition("://")
        host, _, below = rest.partition("/")
        mount, _, path = below.strip("/").partition("/")
        said = {"provider": "openbao", "address": f"{address}://{host}", "mount": mount, "path": path}
        return cls.model_validate(said | ({"ca_file": str(ca_file.resolve())} if ca_file else {}))

    @model_validator(mode="after")
    def _fits_its_provider(self) -> "Safekeeping":
        if self.provider == "files":
            if self.model_fields_set - {"provider"}:
                raise ValueError('only provider = "openbao" has an address, a mount, a path or files')
            return self
        from pipeline.edges.openbao import address_fault, path_fault

        if self.address is None:
            raise ValueError("address is missing")
        if fault := address_fault(self.address):
            raise ValueError(f"address {fault}")
        for name in ("mount", "path"):
            if fault := path_fault(getattr(self, name)):
                raise ValueError(f"{name} {fault}")
        return self


def safe_of(directory: Path, said: Safekeeping) -> Safe:
    """The safe of the site in `directory`. Nothing was asked of it yet.

    Raises:
        Misconfigured: there is no token for it.
    """
    if said.provider == "files":
        return Files(directory / "keys")
    from pipeline.edges.openbao import OpenBao, token

    return OpenBao(
        address=(said.address or "").rstrip("/"),
        mount=said.mount,
        path=said.path,
        token=token(directory / said.token_file if said.token_file else None),
        ca_file=directory / said.ca_file if said.ca_file else None,
    )
