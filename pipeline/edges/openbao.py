"""The site's secrets in OpenBao: a KV store of version 2, each secret written with check-and-set 0, which only creates.

A secret `vault-2.txt` is `<mount>/<path>/vault-2.txt` with one field, `content`, in Base64. The token needs `read` and `create`
on `<mount>/data/<path>/*` and `list` on `<mount>/metadata/<path>`; to retire keys, `delete` on `<mount>/metadata/<path>/*`
as well. Workers do with `read` and `list`.

Nothing is asked through a proxy or a redirect, either of which would be shown the token. The certificate is always verified;
plain HTTP goes to this machine alone.
"""

import base64
import binascii
import http.client
import json
import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from pipeline.core.errors import Code, Misconfigured, Unavailable
from pipeline.edges.safe import key_missing, read_private

TOKEN_VARIABLE = "SAFECONDUCT_OPENBAO_TOKEN"  # noqa: S105 (the name of a variable)
TIMEOUT_SECONDS = 10.0
MAX_ANSWER_BYTES = 1024 * 1024
"""A key takes some kilobytes, the list of all of them too."""

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_TOKEN = re.compile(r"[!-~]{1,4096}")


@dataclass(frozen=True, slots=True)
class OpenBao:
    """The secrets below `path` of the KV store that is mounted at `mount`."""

    address: str
    mount: str
    path: str
    token: str = field(repr=False)
    ca_file: Path | None = None

    @property
    def place(self) -> str:
        return f"{self.address}/{self.mount}/{self.path}"

    def names(self) -> frozenset[str]:
        answer = self._ask("GET", "metadata", "", {"list": "true"})
        match answer.status, answer.said:
            case 200, {"data": {"keys": [*names]}}:
                return frozenset(name for name in names if isinstance(name, str) and not name.endswith("/"))
            case 404, {"errors": []}:
                return frozenset()
        raise self._failure(answer, self.place)

    def read(self, name: str) -> bytes:
        answer, place = self._ask("GET", "data", name), f"{self.place}/{name}"
        match answer.status, answer.said:
            case 200, {"data": {"data": {"content": str(content)}}}:
                try:
                    return base64.b64decode(content, validate=True)
                except binascii.Error:
                    raise Misconfigured(
                        Code.SITE_KEY_INVALID, f"{place} is not Base64.", next_step="restore it from its backup."
                    ) from None
            case 404, {"errors": []} | {"data": _}:
                raise key_missing(place)
        raise self._failure(answer, place)

    def put_new(self, name: str, content: bytes) -> bool:
        secret = {"options": {"cas": 0}, "data": {"content": base64.b64encode(content).decode()}}
        answer = self._ask("POST", "data", name, body=secret)
        match answer.status, answer.said:
            case 200, {"data": {"version": 1}}:
                return True
            case 400, {"errors": [str(error), *_]} if "check-and-set" in error:
                return False
            case 403, _ if self._ask("GET", "data", name).status == 200:
                return False  # a policy that lets us create and not update: then nobody can replace a secret at all
        raise self._failure(answer, f"{self.place}/{name}")

    def destroy(self, name: str) -> None:
        answer = self._ask("DELETE", "metadata", name)
        if answer.status not in (204, 404):
            raise self._failure(answer, f"{self.place}/{name}")

    def _ask(
        self,
        method: str,
        kind: str,
        name: str,
        query: Mapping[str, str] | None = None,
        *,
        body: object = None,
    ) -> "_Answer":
        """What the server answers; errors of the way to it are ours to word: a library's message may hold the request."""
        target = quote(f"/v1/{self.mount}/{kind}/{self.path}") + (f"/{quote(name)}" if name else "")
        target += "".join(f"?{key}={value}" for key, value in (query or {}).items())
        connection = self._connection()
        try:
            headers = {"X-Vault-Token": self.token, "X-Vault-Request": "true"}
            connection.request(method, target, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            return _Answer(response.status, _parsed(response.read(MAX_ANSWER_BYTES)))
        except ssl.SSLCertVerificationError:
            raise Misconfigured(
                Code.SAFE_FORBIDDEN,
                f"the certificate of {self.address} does not hold: it is not for this name, or nobody we know vouches for it.",
                next_step="give the certificate of its authority as ca_file in site.toml, [keys].",
            ) from None
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(
                Code.SAFE_UNAVAILABLE,
                f"{self.address} does not answer ({type(error).__name__}).",
                next_step="start or reach OpenBao, then rerun.",
            ) from None
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        split = urlsplit(self.address)
        host = split.hostname or ""
        if split.scheme == "https":
            try:
                context = ssl.create_default_context(cafile=self.ca_file)
            except OSError:
                raise Misconfigured(
                    Code.SITE_INVALID,
                    f"{self.ca_file} holds no certificate.",
                    next_step="correct ca_file in site.toml.",
                ) from None
            return http.client.HTTPSConnection(host, split.port, timeout=TIMEOUT_SECONDS, context=context)
        return http.client.HTTPConnection(host, split.port, timeout=TIMEOUT_SECONDS)

    def _failure(self, answer: "_Answer", place: str) -> Misconfigured | Unavailable:
        """What an answer means that is none of those that were asked for."""
        if answer.status in (401, 403):
            return Misconfigured(
                Code.SAFE_FORBIDDEN,
                f"{place}: OpenBao does not let this token do that, or does not know it.",
                next_step=f"renew the token in {TOKEN_VARIABLE} or token_file; docs/how-to/rotate-keys.md has its policy.",
            )
        if answer.status in (412, 429, 472, 473) or answer.status >= 500:
            return Unavailable(
                Code.SAFE_UNAVAILABLE,
                f"{self.address} answered {answer.status}: it is sealed, on standby or out of order.",
                next_step="unseal OpenBao, then rerun.",
            )
        return Misconfigured(
            Code.SITE_INVALID,
            f"{place}: OpenBao answered {answer.status}, as no KV store of version 2 does.",
            next_step="correct address, mount and path in site.toml, [keys]; address is that of the active server.",
        )


@dataclass(frozen=True, slots=True)
class _Answer:
    """Never shown: `said` may hold a key."""

    status: int
    said: Any = field(repr=False)


def address_fault(address: str) -> str | None:
    """Why the text is no address of a server; None where it is one."""
    try:
        split, _ = urlsplit(address), urlsplit(address).port
    except ValueError:
        return "is not a URL"
    if split.username or split.password or split.query or split.fragment or split.path.strip("/"):
        return "holds more than scheme, host and port"
    if split.scheme == "http" and split.hostname in _LOOPBACK:
        return None
    if split.scheme != "https" or not split.hostname:
        return "is not https://HOST:PORT; plain HTTP goes to this machine alone"
    return None


def path_fault(path: str) -> str | None:
    """Why the text is no path in OpenBao; None where it is one."""
    whole = all(_PART.fullmatch(part) for part in path.split("/"))
    return None if whole else "is not made of letters, digits and _.-, with / between"


def token(token_file: Path | None) -> str:
    """The token, from the environment or else from a file for its owner alone. It is read anew each time: agents renew it.

    Raises:
        Misconfigured: SITE_KEY_MISSING, SITE_KEY_UNSAFE, SAFE_FORBIDDEN for what can be no token.
    """
    text = os.environ.get(TOKEN_VARIABLE, "").strip()
    if not text and token_file is None:
        raise Misconfigured(
            Code.SAFE_FORBIDDEN,
            "there is no token for OpenBao.",
            next_step=f"set {TOKEN_VARIABLE}, or name a file (0600) as token_file in site.toml, [keys].",
        )
    if not text and token_file is not None:
        text = read_private(token_file).decode("ascii", "replace").strip()
    if _TOKEN.fullmatch(text) is None:
        where = token_file if token_file is not None and not os.environ.get(TOKEN_VARIABLE) else TOKEN_VARIABLE
        raise Misconfigured(
            Code.SAFE_FORBIDDEN, f"{where} holds no token.", next_step="put a token there, and no more."
        )
    return text


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None
