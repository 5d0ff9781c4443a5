"""Do the documents say what is so? Links, commands, codes, words, promises and the manifest's example are held to the code."""

import ast
import hashlib
import importlib
import itertools
import json
import re
import shutil
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

from pipeline.core.cases import failed_cases
from pipeline.core.errors import Code, Conflict, Misconfigured, Postponed, Refused, Unavailable
from pipeline.core.language.agreement import Agreement
from pipeline.core.statement import read_statement
from pipeline.edges.catalogue import load
from pipeline.edges.publication import Publication, manifest_key, withdrawal_key
from pipeline.edges.schemas import schema_of
from pipeline.edges.signing import PAYLOAD_TYPE, key_id, open_envelope, signers_of
from pipeline.edges.storage import open_store
from tests.manifest_example import FOLDER, SIGNED_ANEW, example, same_payload
from tests.manifest_example import signing_key as example_key

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SHELL = ("sh", "bash", "console")
NOUNS = re.findall(
    r"\w+",
    "Partner Feed Schema Delivery Lot Landing Claim Finding Quarantine Vault Agreement Clause Purpose Treatment Pseudonym Handling "
    "Marking Release Part Manifest Withdrawal Acknowledgement Ledger Entry Checkpoint Proof Catalogue Site",
)
PHRASES = ["Accepted rows", "Rejected rows", "Risk report"]
VERBS = re.findall(
    r"\w+",
    "claim open parse validate hold keep authorise redact measure clear seal publish record announce withdraw acknowledge verify "
    "replay expire",
)
UNUSED = {"process", "handle", "manage", "data", "info", "util", "utils", "helper", "helpers", "common", "misc"} | {
    "service",
    "engine",
    "job",
    "anonymise",
}
FIELDS_OWN_WORDS = {"ServiceCharacters"}
"""ISO 9735 calls them service characters."""


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


# Links and paths


def test_there_are_documents() -> None:
    names = {relative(path) for path in DOCUMENTS}
    assert {
        "README.md",
        "SECURITY.md",
        "CHANGELOG.md",
        "CONVENTIONS.md",
        "docs/vocabulary.md",
        "docs/codes.md",
    } <= names


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_every_link_leads_somewhere(document: Path) -> None:
    missing = []
    for target in re.findall(r"\]\(([^)\s]+)\)", without_fences(document.read_text(encoding="utf-8"))):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        file = (document.parent / path).resolve() if path else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            missing.append(target)
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_every_path_of_the_project_that_is_named_exists(document: Path) -> None:
    tops = "pipeline|tests|catalogue|schemas|dags|docs|samples|benchmarks|docker|\\.ci"
    quoted = re.findall(rf"`((?:{tops})/[A-Za-z0-9_./-]*)`", document.read_text(encoding="utf-8"))
    assert [path for path in quoted if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_no_document_names_a_place_of_one_machine(document: Path) -> None:
    assert re.findall(r"/(?:work|root|home|tmp/scratch|Users)/\S*", document.read_text(encoding="utf-8")) == []


def test_every_picture_is_shown_somewhere_and_small() -> None:
    shown = "".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    pictures = list((ROOT / "docs/pictures").glob("*.png"))
    assert pictures
    assert [picture.name for picture in pictures if f"pictures/{picture.name}" not in shown] == []
    assert [picture.name for picture in pictures if picture.stat().st_size > 150_000] == []


def without_fences(markdown: str) -> str:
    return re.sub(r"^```.*?^```$", "", markdown, flags=re.MULTILINE | re.DOTALL)


def anchors(file: Path) -> set[str]:
    """The anchors of a page's headings, as web pages of repositories make them."""
    headings = re.findall(r"^#+ (.*)$", without_fences(file.read_text(encoding="utf-8")), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# Commands


def shell_examples() -> Iterator[tuple[str, str]]:
    for document in DOCUMENTS:
        for language, body in re.findall(
            r"^ *```(\w+)\n(.*?)^ *```$", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
        ):
            if language in SHELL:
                yield relative(document), body


SHELL_EXAMPLES = list(shell_examples())


def test_there_are_shell_examples_in_the_readme_and_the_how_tos() -> None:
    told = {document for document, _ in SHELL_EXAMPLES}
    how_tos = {relative(path) for path in (ROOT / "docs/how-to").glob("*.md")}
    assert {"README.md", *how_tos} <= told


@pytest.mark.parametrize(("document", "example_text"), SHELL_EXAMPLES, ids=lambda part: str(part).split("\n")[0][:40])
def test_every_shell_example_parses(document: str, example_text: str) -> None:
    done = subprocess.run(["bash", "-n"], input=example_text, capture_output=True, text=True, timeout=10, check=False)
    assert (document, done.stderr) == (document, "")


@cache
def command() -> Any:
    return typer.main.get_command(importlib.import_module("pipeline.cli").app)


def commands_told() -> Iterator[tuple[str, str]]:
    """Every `safeconduct ...` in a document: in shell examples and in quoted text."""
    for document in DOCUMENTS:
        markdown = document.read_text(encoding="utf-8")
        fenced = [
            line
            for told, body in SHELL_EXAMPLES
            if told == relative(document)
            for line in body.replace("\\\n", " ").splitlines()
        ]
        quoted = re.findall(r"`([^`\n]+)`", without_fences(markdown))
        for line in (*fenced, *quoted):
            for call in re.findall(r"(?:^|[;&|(] ?|\.venv/bin/)safeconduct((?: [^|;&>)#]+)+)", line.split(" #")[0]):
                yield relative(document), call.strip()


COMMANDS_TOLD = sorted(set(commands_told()))


@pytest.mark.parametrize(("document", "call"), COMMANDS_TOLD, ids=lambda part: str(part)[:50])
def test_every_command_that_is_told_exists_with_its_options(document: str, call: str) -> None:
    """Sub-commands and options alone are checked: arguments are names that the reader fills in."""
    if call.startswith("..."):
        return
    assert unknown_in(command(), call.replace('"', "").split()) is None, document


def unknown_in(found: Any, words: list[str]) -> str | None:
    """The first word that no command or option has, or None."""
    known = {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    takes_value = {
        name
        for parameter in found.params
        if parameter.param_type_name == "option" and not parameter.is_flag
        for name in parameter.opts
    }
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("-"):
            if word.partition("=")[0] not in known:
                return word
            if word in takes_value and rest:
                rest.pop(0)
        elif commands := getattr(found, "commands", None):
            return unknown_in(commands[word], rest) if word in commands else word
    return None


def test_a_command_that_does_not_exist_is_found() -> None:
    assert unknown_in(command(), ["frobnicate"]) == "frobnicate"
    assert unknown_in(command(), ["status", "--no-such-option"]) == "--no-such-option"
    assert unknown_in(command(), ["status", "--json"]) is None


def test_every_make_target_that_is_told_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), flags=re.MULTILINE))
    told = set()
    for document in DOCUMENTS:
        markdown = document.read_text(encoding="utf-8")
        told |= set(re.findall(r"`make ([a-z]+)", markdown))
        told |= {
            target
            for name, body in SHELL_EXAMPLES
            if name == relative(document)
            for target in re.findall(r"^make ([a-z]+)", body, re.MULTILINE)
        }
    assert told
    assert told <= targets


def test_the_readme_tells_the_commands_that_a_newcomer_needs() -> None:
    readme = text_of("README.md")
    for needed in (
        "make run",
        "make test",
        "safeconduct deliver",
        "safeconduct replay",
        "age -d",
        "safeconduct verify",
    ):
        assert needed in readme


# Codes


def rows_of(markdown: str) -> list[list[str]]:
    """The cells of every row of every table, headings aside."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown.splitlines() if line[:1] == "|"]
    return [row for row in rows if not set(row[0]) <= {"-", " "}]


def codes_told() -> dict[str, list[str]]:
    pattern = re.compile(r"`([a-z-]+)`")
    return {
        found[1]: row[1:]
        for row in rows_of(text_of("docs/codes.md"))
        if len(row) == 4 and (found := pattern.fullmatch(row[0]))
    }


def classes_of_codes() -> dict[str, set[str]]:
    """For each code the classes that the code raises with it, where it is named where the error is made."""
    classes = {kind.__name__ for kind in (Refused, Misconfigured, Conflict, Postponed, Unavailable)}
    found: dict[str, set[str]] = {}
    for path in (ROOT / "pipeline").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                kind, first = node.func.id, node.args[0]
                is_code = (
                    isinstance(first, ast.Attribute) and isinstance(first.value, ast.Name) and first.value.id == "Code"
                )
                if is_code and kind in classes | {"AlreadyThere"}:
                    code = Code[first.attr].value  # type: ignore[attr-defined]
                    found.setdefault(code, set()).add("Conflict" if kind == "AlreadyThere" else kind)
    return found


def test_every_code_is_explained_and_none_that_is_gone() -> None:
    assert set(codes_told()) == {code.value for code in Code}


def test_every_code_is_explained_once() -> None:
    names = [row[0] for row in rows_of(text_of("docs/codes.md")) if len(row) == 4 and row[0] != "code"]
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_every_code_has_its_meaning_and_what_to_do() -> None:
    for code, (kind, meaning, action) in codes_told().items():
        assert set(kind.split(", ")) <= {"Refused", "Misconfigured", "Conflict", "Postponed", "Unavailable"}, code
        assert meaning.endswith((".", "`")), code
        assert action.endswith((".", "`")), code


def test_the_class_of_each_code_is_the_one_that_is_raised() -> None:
    told = {code: set(row[0].split(", ")) for code, row in codes_told().items()}
    raised = classes_of_codes()
    assert len(raised) > 30
    assert {code: kinds for code, kinds in raised.items() if kinds != told[code]} == {}


def test_the_exit_codes_are_those_of_the_classes() -> None:
    for kind in (Refused, Misconfigured, Conflict, Postponed, Unavailable):
        (row,) = [row for row in rows_of(text_of("docs/codes.md")) if row[0] == f"`{kind.__name__}`"]
        assert row[2] == str(kind.exit_code)


# Words


def test_every_word_is_in_the_vocabulary_with_its_sentence() -> None:
    told = {row[0].strip("*"): row[1] for row in rows_of(text_of("docs/vocabulary.md")) if row[0].startswith("**")}
    assert {*NOUNS, *PHRASES, *VERBS} - set(told) == set()
    assert [word for word, sentence in told.items() if len(sentence.split()) < 4 or not sentence.endswith(".")] == []


def test_each_treatment_has_its_word() -> None:
    vocabulary = text_of("docs/vocabulary.md")
    assert [treatment for treatment in sorted(treatments()) if treatment not in vocabulary] == []


def treatments() -> set[str]:
    """The names of every treatment that an agreement can ask for."""
    kinds = Agreement.model_json_schema()["$defs"].values()
    found = {kind["properties"]["treatment"]["const"] for kind in kinds if "treatment" in kind.get("properties", {})}
    assert len(found) > 4
    return found


def names_of(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


def words_of(name: str) -> set[str]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return set(spaced.lower().strip("_").split("_"))


def test_no_module_class_or_function_has_a_name_that_says_nothing() -> None:
    found = []
    for path in sorted((ROOT / "pipeline").rglob("*.py")):
        for name in (path.stem, path.parent.name, *names_of(ast.parse(path.read_text(encoding="utf-8")))):
            if words_of(name) & UNUSED and name not in FIELDS_OWN_WORDS:
                found.append(f"{relative(path)}: {name}")
    assert found == []


def test_a_name_that_says_nothing_is_found() -> None:
    assert words_of("handle_request") & UNUSED
    assert words_of("DataProcessor") & UNUSED
    assert not words_of("Handling") & UNUSED


def test_the_types_of_the_conventions_are_each_made_in_one_file() -> None:
    (rule,) = re.findall(r"^3\. .*$", text_of("CONVENTIONS.md"), re.MULTILINE)
    types = [name for chain in re.findall(r"`([^`]*->[^`]*)`", rule) for name in chain.split(" -> ")]
    assert len(types) > 5
    code = {path: path.read_text(encoding="utf-8") for path in (ROOT / "pipeline").rglob("*.py")}
    for name in types:
        makers = [path.name for path, text in code.items() if re.search(rf"(?<![\w.]){name}\(", text)]
        assert len(makers) == 1, f"{name} is made in {makers}"


# Promises


def promises() -> list[list[str]]:
    return [row for row in rows_of(text_of("SECURITY.md")) if row[0].isdigit()]


def test_each_promise_of_the_design_is_there() -> None:
    assert [row[0] for row in promises()] == [str(number) for number in range(1, 13)]


def test_each_promise_names_a_file_that_holds_it_and_a_test_that_proves_it() -> None:
    for number, _, holding, proving, standing in promises():
        files = re.findall(r"`([\w/.]+\.py)`", holding)
        proofs = re.findall(r"`([\w/.]+\.py)::(test_\w+)`", proving)
        if not standing.startswith("not yet: "):
            assert files, f"promise {number} names no file"
            assert proofs, f"promise {number} names no test"
        assert [file for file in files if not (ROOT / file).is_file()] == []
        for file, test in proofs:
            assert test in set(names_of(ast.parse(text_of(file)))), f"promise {number}: {file}::{test}"


def test_each_promise_says_how_far_it_is_kept() -> None:
    for number, *_, standing in promises():
        assert re.fullmatch(r"kept|(partly|prepared only|not yet): .{20,}", standing), number


# Decisions and programmes


def test_decisions_have_numbers_of_their_own_and_one_shape() -> None:
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    numbers = [page.name[:4] for page in pages]
    assert pages
    assert all(re.fullmatch(r"[0-9]{4}-[a-z0-9-]+\.md", page.name) for page in pages)
    assert [number for number, count in Counter(numbers).items() if count > 1] == []
    for page in pages:
        markdown = page.read_text(encoding="utf-8").lower()
        for part in ("context", "choice", "cost", "what would break it"):
            assert part in markdown, page.name


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    wanted = itertools.chain(project["dependencies"], *project["optional-dependencies"].values())
    page = text_of("docs/decisions/0001-dependencies.md")
    # The page says `celery` and `fab` for Airflow's two providers.
    names = {re.split(r"[\[<>=~]", name)[0].removeprefix("apache-airflow-providers-") for name in wanted}
    assert [name for name in sorted(names) if name not in page] == []


def test_the_programmes_tell_every_feed_agreement_and_row_rule() -> None:
    catalogue = load(ROOT / "catalogue")
    assert catalogue.broken == ()
    told = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs/programmes").glob("*.md"))
    rules = [rule.name for agreement in catalogue.agreements.values() for rule in agreement.rows]
    names = [*catalogue.feeds, *catalogue.agreements, *rules]
    assert names
    assert [name for name in names if f"`{name}`" not in told] == []


def test_the_agreement_of_the_how_to_is_valid_and_its_cases_hold(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "catalogue", tmp_path / "catalogue")
    how_to = text_of("docs/how-to/add-an-agreement.md")
    partner, agreement = re.findall(r"^```toml\n(.*?)^```$", how_to, re.MULTILINE | re.DOTALL)
    for folder, text in (("partners", partner), ("agreements", agreement)):
        file = tmp_path / "catalogue" / folder / f"{tomllib.loads(text)['id']}.toml"
        file.write_text(text, encoding="utf-8")
    catalogue = load(tmp_path / "catalogue")
    assert catalogue.broken == ()
    written = catalogue.agreement("port-warehouses")
    schema = schema_of(catalogue.feed(written.feed), catalogue.code_lists)
    assert written.cases
    assert list(failed_cases(written, schema, catalogue.code_lists, catalogue.hierarchies)) == []


def test_the_how_to_tells_every_treatment() -> None:
    how_to = text_of("docs/how-to/add-an-agreement.md")
    assert [treatment for treatment in sorted(treatments()) if f"| `{treatment}` |" not in how_to] == []


# The manifest's example


def test_the_example_is_what_the_code_makes() -> None:
    for name, content in example().items():
        same = same_payload(name, content) if name == SIGNED_ANEW else (FOLDER / name).read_bytes() == content
        assert same, "write it again: python -m tests.manifest_example"
        row = rf"\| `{re.escape(name)}` \|.*\| {len(content)} \| `{hashlib.sha256(content).hexdigest()}` \|"
        told = re.search(row, text_of("docs/formats/manifest.md"))
        assert told or name in (SIGNED_ANEW, "vectors.json"), f"the page's row of {name} is another"


def test_the_second_signature_of_the_example_holds() -> None:
    """As written in the folder: made anew it would be another one."""
    key, second = example_key(), load_pem_public_key((FOLDER / "publisher-mldsa.pem").read_bytes())
    assert isinstance(second, MLDSA65PublicKey)
    envelope = (FOLDER / SIGNED_ANEW).read_bytes()
    signed_by = read_statement(open_envelope(envelope, [key.public]))["signed_by"]
    assert set(signed_by) == signers_of(envelope, [key.public, second]) == {key.id, key_id(second)}


@pytest.mark.parametrize("name", ["manifest.json", "manifest-twice.json", "withdrawal.json"])
def test_another_implementation_verifies_the_example(name: str) -> None:
    """`securesystemslib`, the envelope's reference implementation, knows Ed25519."""
    key = load_pem_public_key((FOLDER / "publisher.pem").read_bytes())
    theirs = SSlibKey.from_crypto(key, keyid=example_key().id)
    envelope = Envelope.from_dict(json.loads((FOLDER / name).read_bytes()))
    assert list(envelope.verify([theirs], threshold=1)) == [example_key().id]
    envelope.payload += b" "
    with pytest.raises(VerificationError):
        envelope.verify([theirs], threshold=1)


def test_each_vector_ends_as_it_says(tmp_path: Path) -> None:
    second = load_pem_public_key((FOLDER / "publisher-mldsa.pem").read_bytes())
    assert isinstance(second, MLDSA65PublicKey)
    recipient, release = "eu-customs", "example-lists.0f3b6a0de9a1c2d4-v2"
    ended = {}
    vectors = json.loads((FOLDER / "vectors.json").read_bytes())
    for number, vector in enumerate(vectors):
        (tmp_path / str(number)).mkdir()
        publication = Publication(open_store((tmp_path / str(number)).as_uri()), example_key(), seconds=(second,))
        of_manifest = vector["as"] == "manifest"
        manifest = vector["envelope"].encode() if of_manifest else (FOLDER / "manifest.json").read_bytes()
        publication.store.put_new(manifest_key(recipient, release), manifest)
        if not of_manifest:
            publication.store.put_new(withdrawal_key(recipient, release), vector["envelope"].encode())
        try:
            published = publication.find(recipient, release)
            assert published
            assert of_manifest or publication.withdrawn(published)
            ended[vector["name"]] = ""
        except Refused as refused:
            ended[vector["name"]] = refused.code.value
    assert ended == {vector["name"]: vector["code"] for vector in vectors}
    assert set(ended.values()) == {
        "",
        "verification-failed",
        "signer-unknown",
        "signature-stripped",
        "manifest-swapped",
    }


def test_the_page_shows_the_examples_statement() -> None:
    (shown,) = re.findall(r"^```json\n(.*?)^```$", text_of("docs/formats/manifest.md"), re.MULTILINE | re.DOTALL)
    assert json.loads(shown) == json.loads(example()["statement.json"])


def test_the_page_explains_every_field_of_the_predicate() -> None:
    page = text_of("docs/formats/manifest.md")
    predicate = json.loads(example()["statement.json"])["predicate"]
    predicate |= json.loads(example()["withdrawal-statement.json"])["predicate"]
    names = set(predicate) | {name for value in predicate.values() if isinstance(value, dict) for name in value}
    names -= {*AGREEMENT_COLUMNS, "validated", "eori-countries-v1"}
    # rows, columns and parts are told with their inner names in one cell
    told = page.split("## The example")[0]
    words = {*re.findall(r"[a-z_]+", told), *re.findall(r"`([^`]+)`", told)}
    assert sorted(names - words) == []


AGREEMENT_COLUMNS = ("tin", "country", "street")


def test_every_document_says_the_same_head_of_the_signed_bytes() -> None:
    head = f"DSSEv1 {len(PAYLOAD_TYPE.encode())} {PAYLOAD_TYPE} "
    told = [
        (document, found)
        for document in DOCUMENTS
        for found in re.findall(r"DSSEv1 [0-9]+ \S+ ", document.read_text(encoding="utf-8"))
    ]
    assert {relative(document) for document, _ in told} >= {"docs/formats/manifest.md", "docs/how-to/open-a-release.md"}
    assert [relative(document) for document, found in told if found != head] == []


def manifest_commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```$", text_of("docs/formats/manifest.md"), re.MULTILINE | re.DOTALL)
    return [str(line) for line in blocks[0].splitlines() if line]


def test_the_second_signature_verifies_by_the_page_s_steps(tmp_path: Path) -> None:
    """Its shell commands make the signed bytes and the signature; openssl where it is new enough, else `cryptography`."""
    for name in ("manifest-twice.json", "publisher-mldsa.pem"):
        shutil.copy(FOLDER / name, tmp_path)
    blocks = re.findall(r"^```sh\n(.*?)^```$", text_of("docs/formats/manifest.md"), re.MULTILINE | re.DOTALL)
    *steps, verifying = blocks[1].splitlines()
    subprocess.run(["bash", "-euc", "\n".join(steps)], cwd=tmp_path, check=True, timeout=20)
    public = load_pem_public_key((tmp_path / "publisher-mldsa.pem").read_bytes())
    assert isinstance(public, MLDSA65PublicKey)
    public.verify((tmp_path / "second.sig").read_bytes(), (tmp_path / "signed-twice").read_bytes())
    with pytest.raises(InvalidSignature):
        public.verify((tmp_path / "second.sig").read_bytes(), (tmp_path / "signed-twice").read_bytes() + b"x")
    told = subprocess.run(["openssl", "version"], capture_output=True, text=True, timeout=20, check=False).stdout
    version = re.match(r"OpenSSL (\d+)\.(\d+)", told)
    if version and (int(version[1]), int(version[2])) >= (3, 5):
        done = subprocess.run(
            ["bash", "-euc", verifying], cwd=tmp_path, capture_output=True, text=True, timeout=20, check=False
        )
        assert "Signature Verified Successfully" in done.stdout, done.stderr


def test_the_example_verifies_by_the_page_s_steps(tmp_path: Path) -> None:
    """Its shell commands make the signed bytes; Ed25519 then decides. With openssl, as on most machines, its own too."""
    for name in example():
        shutil.copy(FOLDER / name, tmp_path)
    (tmp_path / "statement.json").unlink()
    steps, verifying = manifest_commands()[:-1], manifest_commands()[-1]
    assert verifying.startswith("openssl ")
    subprocess.run(["bash", "-euc", "\n".join(steps)], cwd=tmp_path, check=True, timeout=20)
    assert (tmp_path / "statement.json").read_bytes() == example()["statement.json"]
    public = load_pem_public_key((tmp_path / "publisher.pem").read_bytes())
    assert isinstance(public, Ed25519PublicKey)
    public.verify((tmp_path / "statement.sig").read_bytes(), (tmp_path / "signed").read_bytes())
    if shutil.which("openssl"):
        done = subprocess.run(
            ["bash", "-euc", verifying], cwd=tmp_path, capture_output=True, text=True, timeout=20, check=False
        )
        assert "Signature Verified Successfully" in done.stdout, done.stderr
        signed = bytearray((tmp_path / "signed").read_bytes())
        signed[-5] ^= 1
        (tmp_path / "signed").write_bytes(signed)
        assert subprocess.run(
            ["bash", "-euc", verifying], cwd=tmp_path, capture_output=True, timeout=20, check=False
        ).returncode
