"""Files and OpenBao keep one contract: a secret is created once, read as it was, and gone when it was destroyed."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from uuid import uuid4

import pytest

from pipeline.core.errors import Code, Misconfigured, SafeconductError, Unavailable
from pipeline.edges.keys import Keyring
from pipeline.edges.openbao import TOKEN_VARIABLE, OpenBao
from pipeline.edges.safe import Files, Safe
from pipeline.edges.safekeeping import Safekeeping, safe_of
from pipeline.edges.site import Site
from tests.bao import ROOT_TOKEN, Server, openbao
from tests.desk import ROOT, Desk, write

SECRET = b"synthetic-secret-0454"
HOW_TO = (ROOT / "docs/how-to/rotate-keys.md").read_text(encoding="utf-8")
WORKER, OFFICER = re.findall(r"^```hcl\n(.*?)^```$", HOW_TO, re.MULTILINE | re.DOTALL)
PATH = "safeconduct/site-1"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with openbao() as started:
        yield started


@pytest.fixture(params=["files", pytest.param("openbao", marks=pytest.mark.server)])
def safe(request: pytest.FixtureRequest, tmp_path: Path) -> Safe:
    if request.param == "files":
        (tmp_path / "keys").mkdir(mode=0o700)
        return Files(tmp_path / "keys")
    server: Server = request.getfixturevalue("server")
    return server.safe(f"sites/{uuid4()}")


def error_of(act: Callable[[], object]) -> SafeconductError:
    with pytest.raises(SafeconductError) as raised:
        act()
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
    for secret in (SECRET.decode(), ROOT_TOKEN):
        assert secret not in f"{raised.value}{raised.value!r}"
    return raised.value


def test_an_empty_safe_has_no_names(safe: Safe) -> None:
    assert safe.names() == frozenset()


def test_what_was_put_is_there_byte_for_byte(safe: Safe) -> None:
    content = bytes(range(256)) * 20

    assert safe.put_new("signing-mldsa-2.pem", content) is True

    assert safe.read("signing-mldsa-2.pem") == content
    assert safe.names() == {"signing-mldsa-2.pem"}


def test_what_is_there_is_never_replaced(safe: Safe) -> None:
    safe.put_new("vault.txt", SECRET)

    assert safe.put_new("vault.txt", b"another") is False
    assert safe.put_new("vault.txt", SECRET) is False
    assert safe.read("vault.txt") == SECRET


def test_of_many_writers_one_wins(safe: Safe) -> None:
    with ThreadPoolExecutor(6) as pool:
        won = list(pool.map(lambda each: safe.put_new("vault.txt", str(each).encode()), range(6)))

    assert sorted(won) == [False] * 5 + [True]
    assert safe.read("vault.txt") == str(won.index(True)).encode()


def test_what_was_destroyed_is_gone_and_may_be_made_again(safe: Safe) -> None:
    safe.put_new("vault.txt", SECRET)

    safe.destroy("vault.txt")
    safe.destroy("vault.txt")

    assert safe.names() == frozenset()
    assert error_of(lambda: safe.read("vault.txt")).code is Code.SITE_KEY_MISSING
    assert safe.put_new("vault.txt", b"new") is True


def test_a_secret_that_is_missing_is_named_with_its_place(safe: Safe) -> None:
    error = error_of(lambda: safe.read("vault.txt"))

    assert isinstance(error, Misconfigured)
    assert error.code is Code.SITE_KEY_MISSING
    assert f"{safe.place}/vault.txt" in error.message


def test_a_safe_shows_no_secret(safe: Safe) -> None:
    safe.put_new("vault.txt", SECRET)

    assert SECRET.decode() not in repr(safe)
    assert ROOT_TOKEN not in repr(safe)


def test_a_keyring_is_made_once_and_found_in_either_safe(safe: Safe, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        rings = list(pool.map(lambda _: Keyring.create(tmp_path / "keys", safe=safe), range(4)))

    assert len({tuple(key.fingerprint for key in ring.keys) for ring in rings}) == 1
    assert Keyring.open(tmp_path / "keys", safe=safe).vault == rings[0].vault
    assert [key.name for key in rings[0].keys if not key.created_at] == []


# What OpenBao alone can answer


@pytest.mark.server
def test_a_workers_token_reads_keys_and_makes_none(server: Server) -> None:
    server.safe(PATH).put_new("vault.txt", SECRET)
    worker = server.safe(PATH, server.token(WORKER))

    assert worker.names() == {"vault.txt"}
    assert worker.read("vault.txt") == SECRET
    for act in (lambda: worker.put_new("vault-2.txt", b"x"), lambda: worker.destroy("vault.txt")):
        error = error_of(act)
        assert isinstance(error, Misconfigured)
        assert error.code is Code.SAFE_FORBIDDEN
    assert server.safe(PATH).names() == {"vault.txt"}


@pytest.mark.server
def test_an_officers_token_makes_keys_and_destroys_them_and_cannot_replace_one(server: Server) -> None:
    officer = server.safe(PATH, server.token(OFFICER))

    assert officer.put_new("opening.txt", SECRET) is True
    assert officer.put_new("opening.txt", b"another") is False
    assert officer.read("opening.txt") == SECRET
    replaced = server.ask("POST", f"secret/data/{PATH}/opening.txt", {"data": {"content": "eA=="}}, officer.token)
    assert "errors" in replaced
    officer.destroy("opening.txt")
    assert "opening.txt" not in officer.names()


@pytest.mark.server
def test_one_sites_token_sees_nothing_of_another_site(server: Server) -> None:
    server.safe("safeconduct/site-2").put_new("vault.txt", SECRET)
    strange = server.safe("safeconduct/site-2", server.token(OFFICER))

    for act in (strange.names, lambda: strange.read("vault.txt"), lambda: strange.put_new("vault-2.txt", b"x")):
        assert error_of(act).code is Code.SAFE_FORBIDDEN


@pytest.mark.server
def test_a_token_that_openbao_does_not_know_is_for_us_to_correct_and_is_not_shown(server: Server) -> None:
    wrong = "s.synthetic-wrong-token-0455"

    for act in (server.safe("site", wrong).names, lambda: server.safe("site", wrong).read("vault.txt")):
        error = error_of(act)
        assert isinstance(error, Misconfigured)
        assert error.code is Code.SAFE_FORBIDDEN
        assert wrong not in f"{error}{error!r}"


@pytest.mark.server
def test_a_server_whose_certificate_nobody_vouches_for_is_told_nothing(server: Server) -> None:
    strange = OpenBao(server.address, "secret", "site", ROOT_TOKEN)
    renamed = OpenBao(server.address.replace("127.0.0.1", "127.0.0.2"), "secret", "site", ROOT_TOKEN, server.ca_file)

    assert error_of(strange.names).code is Code.SAFE_FORBIDDEN
    assert error_of(renamed.names).code in (Code.SAFE_FORBIDDEN, Code.SAFE_UNAVAILABLE)


@pytest.mark.server
def test_a_mount_that_is_not_there_is_for_us_to_correct(server: Server) -> None:
    safe = OpenBao(server.address, "nowhere", "site", ROOT_TOKEN, server.ca_file)

    for act in (safe.names, lambda: safe.read("vault.txt"), lambda: safe.put_new("vault.txt", SECRET)):
        assert error_of(act).code is Code.SITE_INVALID


@pytest.mark.server
def test_a_kv_store_of_version_1_which_would_replace_secrets_is_not_taken(server: Server) -> None:
    server.ask("POST", "sys/mounts/older", {"type": "kv", "options": {"version": "1"}})
    safe = OpenBao(server.address, "older", "site", ROOT_TOKEN, server.ca_file)

    assert error_of(lambda: safe.put_new("vault.txt", SECRET)).code is Code.SITE_INVALID


@pytest.mark.server
def test_a_secret_that_somebody_deleted_is_missing_and_not_made_anew(server: Server) -> None:
    safe = server.safe(f"sites/{uuid4()}")
    safe.put_new("vault.txt", SECRET)
    server.ask("DELETE", f"secret/data/{safe.path}/vault.txt")

    assert error_of(lambda: safe.read("vault.txt")).code is Code.SITE_KEY_MISSING
    assert safe.put_new("vault.txt", b"another") is False


@pytest.mark.server
@pytest.mark.parametrize("secret", [{"content": "*"}, {"contents": "eA=="}, {"content": 1}, {}])
def test_a_secret_that_somebody_else_wrote_is_not_taken(server: Server, secret: dict[str, object]) -> None:
    safe = server.safe(f"sites/{uuid4()}")
    server.ask("POST", f"secret/data/{safe.path}/vault.txt", {"data": secret})

    assert error_of(lambda: safe.read("vault.txt")).code in (Code.SITE_KEY_INVALID, Code.SITE_INVALID)


@pytest.mark.server
def test_a_sealed_server_and_one_that_is_down_are_outages(tmp_path: Path) -> None:
    with openbao() as server:
        ca_file = write(tmp_path / "ca.pem", server.ca_file.read_bytes())
        safe = replace(server.safe("site"), ca_file=ca_file)
        safe.put_new("vault.txt", SECRET)
        server.ask("PUT", "sys/seal")
        sealed = [error_of(safe.names), error_of(lambda: safe.read("vault.txt"))]
    down = [error_of(safe.names), error_of(lambda: safe.put_new("vault.txt", SECRET))]

    for error in sealed + down:
        assert isinstance(error, Unavailable)
        assert error.code is Code.SAFE_UNAVAILABLE


@pytest.mark.server
def test_a_site_with_its_keys_in_openbao_takes_and_releases_deliveries(
    server: Server, made: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No secret of the site is on its disk; another process finds the same keys."""
    monkeypatch.setenv(TOKEN_VARIABLE, ROOT_TOKEN)
    desk = Desk(tmp_path)
    for name in ("catalogue", "good.csv"):
        origin = made.directory / name
        if origin.is_dir():
            (tmp_path / name).symlink_to(origin)
        else:
            write(tmp_path / name, origin.read_bytes())
    place = f"{server.address}/secret/sites/{uuid4()}"
    begun = desk.type(
        "init", "--demo", "--catalogue", desk.catalogue, "--openbao", place, "--openbao-ca", server.ca_file
    )
    assert begun.exit_code == 0, begun.said

    assert desk.type("deliver", desk.directory / "good.csv", "--feed", "aeo-members").exit_code == 0
    ran = desk.type("run")

    assert ran.exit_code == 0, ran.said
    assert desk.json("releases")["releases"]
    assert {path.name for path in (desk.site / "keys").iterdir()} == {"partners"}
    assert "token" in (desk.site / "site.toml").read_text()
    assert ROOT_TOKEN not in (desk.site / "site.toml").read_text()
    monkeypatch.setenv(TOKEN_VARIABLE, "")
    assert error_of(lambda: Site.open(desk.site)).code is Code.SAFE_FORBIDDEN


def test_a_redirect_is_not_followed_with_our_token() -> None:
    """A standby server sends us on; whoever answers in its place would be shown the token."""
    asked: list[str | None] = []

    class Standby(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["X-Vault-Token"])
            self.send_response(307)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")  # type: ignore[attr-defined]
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is told."""

    with HTTPServer(("127.0.0.1", 0), Standby) as standby:
        thread = Thread(target=standby.serve_forever, daemon=True)
        thread.start()
        safe = OpenBao(f"http://127.0.0.1:{standby.server_port}", "secret", "site", ROOT_TOKEN)
        try:
            error = error_of(safe.names)
        finally:
            standby.shutdown()
            thread.join(10)

    assert error.code is Code.SITE_INVALID
    assert asked == [ROOT_TOKEN]


# What a site says of its safe


def test_keys_are_in_files_where_nothing_is_said(tmp_path: Path) -> None:
    assert safe_of(tmp_path, Safekeeping()) == Files(tmp_path / "keys")


@pytest.mark.parametrize(
    "said",
    [
        {"provider": "files", "address": "https://bao.example:8200"},
        {"provider": "openbao"},
        {"provider": "openbao", "address": "http://bao.example:8200"},
        {"provider": "openbao", "address": "https://user:secret@bao.example"},
        {"provider": "openbao", "address": "https://bao.example/v1"},
        {"provider": "openbao", "address": "ftp://bao.example"},
        {"provider": "openbao", "address": "https://bao.example:port"},
        {"provider": "openbao", "address": "https://bao.example", "path": "../other"},
        {"provider": "openbao", "address": "https://bao.example", "mount": ""},
        {"provider": "openbao", "address": "https://bao.example", "token": "s.secret"},
        {"provider": "hsm"},
    ],
)
def test_a_safe_that_cannot_be_meant_is_not_taken(said: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"provider|address|path|mount|token"):
        Safekeeping.model_validate(said)


@pytest.mark.parametrize("address", ["http://127.0.0.1:8200", "http://localhost:8200", "https://bao.example"])
def test_plain_http_goes_to_this_machine_alone(address: str) -> None:
    assert Safekeeping.model_validate({"provider": "openbao", "address": address}).address == address


def openbao_said(**more: str) -> Safekeeping:
    return Safekeeping.model_validate({"provider": "openbao", "address": "https://bao.example:8200", **more})


def test_a_token_comes_from_the_environment_or_else_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").touch(mode=0o600)
    (tmp_path / "token").write_text("of-the-file\n")
    said = openbao_said(token_file="token")

    monkeypatch.setenv(TOKEN_VARIABLE, "")
    of_file = safe_of(tmp_path, said)
    monkeypatch.setenv(TOKEN_VARIABLE, "of-the-environment")
    of_environment = safe_of(tmp_path, said)

    assert isinstance(of_file, OpenBao)
    assert isinstance(of_environment, OpenBao)
    assert (of_file.token, of_environment.token) == ("of-the-file", "of-the-environment")
    assert "of-the" not in f"{of_file!r}{of_environment!r}"


@pytest.mark.parametrize(
    ("content", "mode", "code"),
    [
        (None, 0o600, Code.SITE_KEY_MISSING),
        ("a-token", 0o640, Code.SITE_KEY_UNSAFE),
        ("", 0o600, Code.SAFE_FORBIDDEN),
        ("two\nlines", 0o600, Code.SAFE_FORBIDDEN),
    ],
)
def test_a_token_file_that_cannot_be_used_is_named_and_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, mode: int, code: Code
) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
        path.chmod(mode)

    error = error_of(lambda: safe_of(tmp_path, openbao_said(token_file="token")))

    assert error.code is code
    assert str(path) in error.message
    assert not content or content not in f"{error}{error!r}"


def test_without_a_token_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)

    error = error_of(lambda: safe_of(tmp_path, openbao_said()))

    assert error.code is Code.SAFE_FORBIDDEN
    assert TOKEN_VARIABLE in error.next_step


def test_an_openbao_that_does_not_answer_is_an_outage(tmp_path: Path) -> None:
    error = error_of(OpenBao("http://127.0.0.1:9", "secret", "site", ROOT_TOKEN).names)

    assert isinstance(error, Unavailable)
    assert error.code is Code.SAFE_UNAVAILABLE
