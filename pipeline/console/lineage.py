"""From a column, or a release, to the clause: every step in between, with its source."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pipeline.console.explanation import ClauseTold, clauses_of, column_facts, ending, told
from pipeline.core.errors import Code, Misconfigured
from pipeline.core.language.policy import cited
from pipeline.core.language.scope import questions
from pipeline.core.wording import predicate_in_words

if TYPE_CHECKING:
    from pipeline.core.language.agreement import Agreement
    from pipeline.core.layout import Sheet
    from pipeline.edges.catalogue import Catalogue
    from pipeline.edges.publication import Published


def column_lineage(catalogue: "Catalogue", agreement: "Agreement", column: str, now: datetime) -> dict[str, Any]:
    """What becomes of one column, and why: its source, treatment, clauses, instrument, part and end.

    Raises:
        Misconfigured: the feed has no such column, nor do the agreement's statistics.
    """
    from pipeline.edges.schemas import schema_of

    schema = schema_of(catalogue.feed(agreement.feed), catalogue.code_lists)
    instrument = catalogue.instrument(agreement.instrument)
    clauses = clauses_of(agreement, instrument)
    made = _made(agreement)
    if column in made:
        facts: dict[str, Any] = {**column_facts(agreement, schema, column, now), **made[column], "why": None}
    else:
        if column not in schema.categories:
            raise _unknown(column, (*schema.columns, *made), agreement.feed)
        facts = column_facts(agreement, schema, column, now)
    statistics = agreement.statistics
    return {
        "agreement": agreement.id,
        "version": agreement.version,
        **facts,
        "released": facts["why"] is None,
        "schema": {"feed": agreement.feed, "module": f"schemas/{catalogue.feed(agreement.feed).schema_module}.py"},
        "clauses": told(facts["clause"], clauses) if facts["clause"] else [],
        "instrument": {"id": instrument.id, "title": instrument.title, "citation": instrument.citation},
        "reversible_by": _reversible(agreement, column, clauses),
        "aggregated_under": statistics.clause if statistics and facts["why"] is None else None,
        "summed_as": [name for name, summed in statistics.sums.items() if summed == column] if statistics else [],
        "part": part_of(agreement, column, now) if facts["why"] is None else None,
        "row_rules": [
            {"name": rule.name, "released_when": predicate_in_words(rule.predicate), "clause": rule.clause}
            for rule in agreement.rows
            if column in {asks.column for asks in questions(rule.predicate)}
        ],
    }


def part_of(agreement: "Agreement", column: str, now: datetime) -> dict[str, Any]:
    """Which part of a release the column lands in, with which others, and until when."""
    parts = list(layout_of(agreement))
    number, sheet = next((at, sheet) for at, sheet in enumerate(parts, start=1) if column in sheet.frame.columns)
    return {
        "number": number,
        "of": len(parts),
        "columns": sheet.frame.columns,
        "ending": ending(agreement, sheet.after, sheet.clock, now),
    }


def layout_of(agreement: "Agreement") -> "Iterator[Sheet]":
    """The parts of every release of the agreement, without rows: those with a date of their own count as one."""
    import polars as pl

    from pipeline.core.layout import sheets

    empty = pl.DataFrame(schema=dict.fromkeys(released_columns(agreement), pl.String))
    return sheets(agreement, empty, None, rows_before=0)


def released_columns(agreement: "Agreement") -> tuple[str, ...]:
    """Every column of its releases, those that statistics make among them."""
    return (*agreement.released, *_made(agreement))


def release_lineage(catalogue: "Catalogue", agreement_id: str, published: "Published") -> dict[str, Any]:
    """From a release's signed manifest to the agreement that made it, its clauses and its dates.

    Raises:
        Misconfigured: the release was made under another agreement.
    """
    said = published.predicate
    made_under = said["agreement"]
    if made_under["id"] != agreement_id:
        raise Misconfigured(
            Code.NOT_FOUND,
            f"release {published.release} was made under {made_under['id']}, not under {agreement_id}.",
            next_step=f"`safeconduct explain {made_under['id']} --release {published.release}`.",
        )
    version = _version(catalogue, agreement_id, made_under["version"])
    clauses = clauses_of(version, catalogue.instrument(version.instrument)) if version else {}
    digest = catalogue.digest(version) if version else None
    kept_back = _kept_back(version, said["rows"]["by_rule"])
    names = dict.fromkeys(_cited_in([said["purpose"], kept_back, said["columns"], said["handling"], said["risk"]]))
    return {
        "release": published.release,
        "created_at": said["created_at"],
        "recipient": said["recipient"]["id"],
        "agreement": made_under,
        "catalogue": {
            "file": catalogue.path_of(version) if version else None,
            "digest": digest,
            "same": digest == made_under["digest"]["sha256"],
        },
        "purpose": said["purpose"],
        "rows": {name: number for name, number in said["rows"].items() if name != "by_rule"},
        "kept_back": kept_back,
        "columns": [
            {"column": name, **treated, "clauses": told(treated["clause"], clauses)}
            for name, treated in said["columns"].items()
        ],
        "parts": [
            {"number": number, **{key: part[key] for key in ("columns", "rows", "until", "clock", "after")}}
            for number, part in enumerate(said["parts"], start=1)
        ],
        "handling": said["handling"],
        "risk": said["risk"],
        "deliveries": said["made_of"]["deliveries"],
        "clauses": [clause for name in names for clause in told(name, clauses)],
    }


def column_of_release(release: Mapping[str, Any], column: str) -> dict[str, Any]:
    """What the release's manifest says of one column, and which of its parts hold it."""
    found = next((one for one in release["columns"] if one["column"] == column), None)
    parts = [part for part in release["parts"] if column in part["columns"]]
    return {"released": bool(parts) or found is not None, "said": found, "parts": parts}


def _made(agreement: "Agreement") -> dict[str, dict[str, Any]]:
    """The columns that statistics make, by name."""
    statistics = agreement.statistics
    if statistics is None:
        return {}
    count = {statistics.count_as: {"treatment": "count of the rows of a cell"}}
    sums = {name: {"treatment": f"sum of {column} in a cell"} for name, column in statistics.sums.items()}
    both = {"category": "statistics", "clause": statistics.clause}
    return {name: facts | both for name, facts in (count | sums).items()}


def _reversible(agreement: "Agreement", column: str, clauses: Mapping[str, ClauseTold]) -> dict[str, Any] | None:
    from pipeline.core.language.treatment import Tokenise

    said = agreement.released.get(column)
    if not isinstance(said, Tokenise):
        return None
    return {"by": said.reversible_by, "clauses": told(said.reversal_clause, clauses)}


def _version(catalogue: "Catalogue", id: str, number: int) -> "Agreement | None":
    return next((one for one in catalogue.versions.get(id, ()) if one.version == number), None)


def _kept_back(agreement: "Agreement | None", by_rule: Mapping[str, int]) -> list[dict[str, Any]]:
    """The rows that each rule kept back, in the order in which the rules are asked."""
    rules = {rule.name: rule for rule in agreement.rows} if agreement else {}
    names = [*(name for name in rules if name in by_rule), *(name for name in by_rule if name not in rules)]
    return [
        {
            "rule": name,
            "rows": by_rule[name],
            "reason": rules[name].otherwise.value if name in rules else None,
            "released_when": predicate_in_words(rules[name].predicate) if name in rules else None,
            "clause": rules[name].clause if name in rules else None,
        }
        for name in names
    ]


def _cited_in(said: object) -> Iterator[str]:
    """The clauses that anything in a manifest cites, or in what is told of it."""
    if isinstance(said, dict):
        for key, value in said.items():
            if key == "clause" and isinstance(value, str):
                yield from cited(value)
            yield from _cited_in(value)
    elif isinstance(said, list):
        for one in said:
            yield from _cited_in(one)


def _unknown(column: str, known: tuple[str, ...], feed: str) -> Misconfigured:
    near = get_close_matches(column, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"name one of: {', '.join(known)}."
    return Misconfigured(
        Code.COLUMN_UNKNOWN, f"{column!a} is neither a column of the feed {feed} nor released.", next_step=hint
    )
