"""Who may import whom: the arrows of the layout, read from the imports, so that none turns back unseen."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STDLIB = sys.stdlib_module_names
EVERY_PACKAGE = "*"

LAYERS: dict[str, set[str]] = {
    # layer: what its modules may import, next to themselves and the standard library
    "pipeline.core": {"polars", "polars_hash", "pandera", "pydantic", "pydantic_core"},
    "pipeline.formats": {"pipeline.core", "polars", "lxml", "pyais"},
    "schemas": {"pipeline.core", "pandera", "polars"},
    # what a release carries: its one program runs where none of this is
    "pipeline.kit": {"pipeline.core", "cryptography"},
    "pipeline.edges": {"pipeline.core", "pipeline.kit", EVERY_PACKAGE},
    "pipeline.journey": {"pipeline.core", "pipeline.formats", "pipeline.edges", "pipeline.kit"},
    "pipeline.console": {
        "pipeline.kit",
        "pipeline.journey",
        "pipeline.edges",
        "pipeline.formats",
        "pipeline.core",
        "schemas",
        EVERY_PACKAGE,
    },
    "pipeline.cli": {"pipeline.console", "pipeline.core", EVERY_PACKAGE},
    "pipeline.orchestration": {"pipeline.journey", "pipeline.edges", "pipeline.core", "airflow"},
    "pipeline.web": {"pipeline.journey", "pipeline.edges", "pipeline.core", "airflow", "fastapi", "starlette"},
    "dags": {"pipeline.orchestration", "pipeline.edges.catalogue", "airflow"},
}
MAY_KNOW_AIRFLOW = {"pipeline.orchestration", "pipeline.web", "dags"}
EFFECTS = {
    # the outside world, as the standard library shows it: not for a pure layer
    "asyncio", "getpass", "http", "locale", "logging", "multiprocessing", "os", "pathlib", "platform", "random", "secrets",
    "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid",
}  # fmt: skip
PURE = {"pipeline.core", "pipeline.formats", "schemas"}
HEAVY = {"polars", "pandera", "pyarrow", "boto3", "botocore", "cryptography", "pandas", "pipeline.journey"}
LOADED_WITH_A_DAG = {"dags", "pipeline.orchestration"}


def imports(source: str) -> Iterator[tuple[int, str, bool]]:
    """Line, module and whether it is imported at the top, of each import that runs: those for type checkers do not."""
    tree = ast.parse(source)
    for_checkers = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    inside = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in for_checkers:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, node not in inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{module}.{alias.name}", node not in inside) for alias in node.names)


def is_within(module: str, packages: set[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def faults(module: str, source: str) -> list[str]:
    """What is wrong with the imports of a module of this name, one line each."""
    layer = next((layer for layer in LAYERS if is_within(module, {layer})), None)
    if layer is None:
        return []
    found = []
    for line, imported, at_top in imports(source):
        ours = is_within(imported, {"pipeline", "schemas", "dags", "samples", "tests", "benchmarks"})
        allowed = LAYERS[layer] | {layer}
        if imported.startswith("."):
            found.append(f"{module}:{line} imports {imported}: name the module in full")
        elif is_within(imported, {"airflow"}) and layer not in MAY_KNOW_AIRFLOW:
            found.append(f"{module}:{line} imports {imported}: only {', '.join(sorted(MAY_KNOW_AIRFLOW))} know Airflow")
        elif imported.split(".")[0] in STDLIB:
            if layer in PURE and is_within(imported, EFFECTS):
                found.append(f"{module}:{line} imports {imported}: {layer} is pure")
        elif not is_within(imported, allowed) and (ours or EVERY_PACKAGE not in allowed):
            found.append(f"{module}:{line} imports {imported}: not for {layer}")
        if at_top and layer in LOADED_WITH_A_DAG and is_within(imported, HEAVY):
            found.append(f"{module}:{line} imports {imported} at its top: heavy; import it where it is used")
    return found


def modules() -> Iterator[tuple[str, Path]]:
    for top in ("pipeline", "schemas", "dags"):
        for path in sorted((ROOT / top).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def test_no_arrow_turns_back() -> None:
    found = [fault for name, path in modules() for fault in faults(name, path.read_text(encoding="utf-8"))]
    assert not found, "\n".join(["", *found])


def test_every_layer_is_read() -> None:
    names = [name for name, _ in modules()]
    for layer in set(LAYERS) - {"pipeline.web"}:
        assert any(is_within(name, {layer}) for name in names), f"no module of {layer} was found"


@pytest.mark.parametrize(
    ("module", "offence", "why"),
    [
        ("pipeline.core.redaction", "from pipeline.edges.storage import Store", "not for pipeline.core"),
        ("pipeline.core.redaction", "import boto3", "not for pipeline.core"),
        ("pipeline.core.redaction", "def late():\n    import pipeline.journey", "not for pipeline.core"),
        ("pipeline.core.redaction", "from pipeline import edges", "not for pipeline.core"),
        ("pipeline.core.redaction", "import os.path", "is pure"),
        ("pipeline.core.redaction", "from pathlib import Path", "is pure"),
        ("pipeline.core.redaction", "import logging", "is pure"),
        ("pipeline.core.redaction", "from . import errors", "name the module in full"),
        ("pipeline.formats.csv", "from pipeline.edges.site import Site", "not for pipeline.formats"),
        ("pipeline.formats.csv", "from urllib.request import urlopen", "is pure"),
        ("schemas.aeo_members", "from pipeline.formats.csv import read", "not for schemas"),
        ("pipeline.edges.storage", "from pipeline.journey import receive", "not for pipeline.edges"),
        ("pipeline.edges.storage", "from airflow.sdk import Asset", "know Airflow"),
        ("pipeline.edges.storage", "from pipeline.orchestration.assets import landing", "not for pipeline.edges"),
        ("pipeline.journey", "import airflow", "know Airflow"),
        ("pipeline.journey", "from pipeline.orchestration import tasks", "not for pipeline.journey"),
        ("pipeline.console.airflow", "from airflow.sdk import DAG", "know Airflow"),
        ("pipeline.console.airflow", "from pipeline.orchestration import tasks", "not for pipeline.console"),
        ("pipeline.cli", "import airflow", "know Airflow"),
        ("pipeline.journey", "from pipeline.console.status import show", "not for pipeline.journey"),
        ("pipeline.edges.overview", "from pipeline.console.status import show", "not for pipeline.edges"),
        ("pipeline.orchestration.tasks", "from pipeline.web import board", "not for pipeline.orchestration"),
        ("pipeline.orchestration.tasks", "import polars as pl", "heavy"),
        ("pipeline.orchestration.tasks", "from pipeline import journey", "heavy"),
        ("dags.receive", "from pipeline import journey", "heavy"),
        ("dags.receive", "import polars", "heavy"),
        ("dags.receive", "from pipeline.core.language.feed import Feed", "not for dags"),
        ("dags.receive", "from dags.release import DOC\nfrom tests.exchange import Exchange", "not for dags"),
    ],
)
def test_an_arrow_that_turns_back_is_found(module: str, offence: str, why: str) -> None:
    found = faults(module, f"import re\n{offence}\n")
    assert any(why in fault for fault in found), found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("pipeline.core.redaction", "import re\nimport polars as pl\nfrom pipeline.core.errors import Code"),
        ("pipeline.edges.storage", "import os\nimport boto3\nfrom pipeline.core.errors import Code"),
        ("pipeline.orchestration.tasks", "def execute():\n    from pipeline import journey"),
        ("pipeline.orchestration.tasks", "if TYPE_CHECKING:\n    from pipeline.journey import Refusal"),
        ("dags.receive", "from airflow.sdk import DAG\nfrom pipeline.orchestration.tasks import Receive"),
        ("pipeline.console.delivery", "import rich\nfrom pipeline import journey"),
    ],
)
def test_an_arrow_of_the_layout_is_allowed(module: str, source: str) -> None:
    assert faults(module, source) == []
