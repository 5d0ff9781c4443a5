"""How is each clause of an instrument kept: by which rules, proven by which tests, or by whom where no machine can see to it?

`python -m tests.conformance us-eu-pnr > docs/conformance/us-eu-pnr.md` writes the page. Rules are the agreements' own citations; tests
say by `@pytest.mark.clause("us-eu-pnr", "Art. 3")` what they prove, and are found by reading their source.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.language.agreement import Agreement
from pipeline.core.language.clause import Clause
from pipeline.core.language.instrument import Instrument
from pipeline.core.soundness import Keys, citations
from pipeline.edges.catalogue import Catalogue, load

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs/conformance"


@dataclass(frozen=True, slots=True)
class Rule:
    """A place in an agreement's file that cites the clause, and what stands there."""

    agreement: str
    place: str
    does: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A test that says that it proves the clause."""

    file: str
    name: str


@dataclass(frozen=True, slots=True)
class Kept:
    """One clause with everything that keeps it."""

    name: str
    clause: Clause
    rules: tuple[Rule, ...]
    proofs: tuple[Proof, ...]


def kept(catalogue: Catalogue, instrument: Instrument, tests: Path = ROOT / "tests") -> list[Kept]:
    """Every clause of the instrument, in its order."""
    resting = [agreement for agreement in catalogue.agreements.values() if agreement.instrument == instrument.id]
    rules = [(name, rule) for agreement in resting for name, rule in rules_of(agreement)]
    proofs = [(name, proof) for id, name, proof in proofs_in(tests) if id == instrument.id]
    return [
        Kept(
            name,
            clause,
            tuple(rule for cited, rule in rules if cited == name),
            tuple(proof for cited, proof in proofs if cited == name),
        )
        for name, clause in instrument.clauses.items()
    ]


def faults(catalogue: Catalogue, instrument: Instrument, tests: Path = ROOT / "tests") -> Iterator[str]:
    """What leaves a clause to nobody, or a rule without a proof."""
    for one in kept(catalogue, instrument, tests):
        if not one.rules and not one.clause.left_to:
            yield f"{one.name} has neither a rule nor somebody that it is left to"
        if one.rules and not one.proofs:
            yield f"{one.name} has {len(one.rules)} rules and no test"
    for id, name, proof in proofs_in(tests):
        if id == instrument.id and name not in instrument.clauses:
            yield f"{proof.name} proves {name}, which {instrument.id} does not have"


def rules_of(agreement: Agreement) -> Iterator[tuple[str, Rule]]:
    """Each clause that the agreement cites, with the rule that cites it."""
    for keys, name in citations(agreement):
        yield name, Rule(agreement.id, _place(agreement, keys[:-1]), _does(agreement, keys[:-1]))


def proofs_in(tests: Path) -> Iterator[tuple[str, str, Proof]]:
    """Instrument, clause and test of every mark below the folder, by file and line."""
    for file in sorted(tests.rglob("test_*.py")):
        tree = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        for function in (node for node in tree if isinstance(node, ast.FunctionDef)):
            for mark in function.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.clause":
                    instrument, *clauses = (ast.literal_eval(argument) for argument in mark.args)
                    for clause in clauses:
                        yield instrument, clause, Proof(str(file.relative_to(tests)), function.name)


def _place(agreement: Agreement, keys: Keys) -> str:
    """The place as the file writes it; a row rule by its name."""
    if keys[0] == "rows":
        return f"rows: {agreement.rows[int(keys[1])].name}"
    return ".".join(key for key in keys if not key.isdecimal())


def _does(agreement: Agreement, keys: Keys) -> str:
    """What stands there, where the place does not say it."""
    if keys[0] == "columns":
        said = agreement.columns[keys[1]]
        until = getattr(said, "until", None)
        return said.treatment + (f", gone after {until}" if until else "")
    if keys[0] == "conditions":
        return agreement.conditions[keys[1]].kind
    if keys[:2] == ("handling", "deadlines"):
        deadline = agreement.handling.deadlines[int(keys[2])]
        offset = f"{deadline.before} before" if deadline.before else f"{deadline.after} after"
        return f"{deadline.what}: {offset} {deadline.event}"
    if keys[:2] == ("handling", "notices"):
        notice = agreement.handling.notices[int(keys[2])]
        return f"to {notice.to}" + (f" within {notice.within}" if notice.within else "")
    return ""


def page(catalogue: Catalogue, instrument: Instrument) -> str:
    """The page, in Markdown."""
    every = kept(catalogue, instrument)
    ruled = [one for one in every if one.rules]
    left = [one for one in every if one.clause.left_to]
    others = [one.name for one in every if not one.rules]
    lines = [
        f"# {instrument.title}",
        "",
        "An illustrative model of public texts: not legal advice, and not the operative instrument. What a clause says is our",
        f"paraphrase; how sure we are of it stands beside it. `{instrument.id}` is {instrument.citation}.",
        "",
        f"Written by `python -m tests.conformance {instrument.id}` from the instrument, the agreements that rest on it and the marks of",
        "the tests; a test fails where it is no longer what they say, where a rule has no test, and where a clause has neither a",
        "rule nor somebody that it is left to.",
        "",
        f"- **{len(every)} clauses**, {len(ruled)} of them with rules, each of these with tests.",
        f"- **{len(left)} are left to people**, in whole or in part: what no machine can see to, and what only the recipient can do.",
        f"- **{len(others)} have no rule of an agreement's**: {', '.join(others)}. Where one of these has a test, the software keeps it",
        "  whatever an agreement says.",
        "",
        "| clause | rules | tests | also, or only, left to |",
        "|---|---|---|---|",
        *(_row(one) for one in every),
        "",
        *(line for one in every for line in _section(one)),
        *_choices(catalogue, instrument),
    ]
    return "\n".join(lines)


def _row(one: Kept) -> str:
    left = (one.clause.left_to or "").split(",")[0].split(":")[0].split(";")[0]
    return f"| [{one.name}](#{_anchor(one.name)}) | {len(one.rules) or ''} | {len(one.proofs) or ''} | {left} |"


def _section(one: Kept) -> Iterator[str]:
    yield from (f"## {one.name}", "", f"{one.clause.says}. [{one.clause.confidence.value}]", "")
    by_agreement: dict[str, list[Rule]] = {}
    for rule in one.rules:
        by_agreement.setdefault(rule.agreement, []).append(rule)
    for agreement, rules in by_agreement.items():
        said = "; ".join(f"`{rule.place}`" + (f" ({rule.does})" if rule.does else "") for rule in rules)
        yield f"- **{agreement}**: {said}"
    for proof in one.proofs:
        yield f"- proven by [{proof.name.removeprefix('test_').replace('_', ' ')}](../../tests/{proof.file})"
    if one.clause.left_to:
        yield f"- **left to** {one.clause.left_to[0].lower()}{one.clause.left_to[1:]}"
    yield ""


def _choices(catalogue: Catalogue, instrument: Instrument) -> Iterator[str]:
    """What the agreements' authors have chosen where the text leaves it open."""
    yield from ("## Our own choices", "", "Not law. Each agreement's rules cite them beside the clause.", "")
    yield from ("| agreement | | says |", "|---|---|---|")
    for agreement in catalogue.agreements.values():
        if agreement.instrument == instrument.id:
            yield from (f"| {agreement.id} | {name} | {clause.says} |" for name, clause in agreement.clauses.items())
    yield ""


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


if __name__ == "__main__":
    read = load(ROOT / "catalogue")
    print(page(read, read.instrument(sys.argv[1])), end="")
