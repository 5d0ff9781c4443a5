"""What `safeconduct explain` found, said to people."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline.console.call import Call, counted, short, when
from pipeline.core.wording import duration_in_words

if TYPE_CHECKING:
    from pipeline.console.explanation import ClauseTold, Ending
    from pipeline.console.readiness import Block


def agreement(call: Call, told: dict[str, Any]) -> None:
    """The whole agreement."""
    call.say(f"{told['agreement']}, version {told['version']}: {told['title']}", style="bold")
    instrument, recipient = told["instrument"], told["recipient"]
    call.say(f"  rests on {instrument['id']}: {instrument['title']}")
    call.say(f"    {instrument['citation']}; {instrument['status']}; confidence: {instrument['confidence']}")
    call.say(
        f"  {told['provider']} gives {told['feed']} to {recipient['id']} ({recipient['title']}), as {told['format']}"
    )
    _standing(call, told)
    blocks(call, told["may_release_now"]["blocked_by"])
    for keys in recipient["keys"]:
        call.say(f"  keys of {keys['partner']}: {keys['registered']} in {keys['file']}")
    if recipient["only_these_keys"]:
        call.say(f"  sealed only to the {counted(recipient['only_these_keys'], 'key')} that it names")
    if len(told["versions"]) > 1:
        versions = [
            (one["version"], one["status"], when(one["from"]), when(one["until"]), one["file"].name)
            for one in told["versions"]
        ]
        call.table(("version", "status", "from", "until", "file"), versions, title="Versions")
    _purposes(call, told)
    _rules(call, told["rows"])
    released = [
        (row["column"], row["category"], row["treatment"], _ending(row["ending"]), row["clause"])
        for row in told["columns"]
    ]
    call.table(("column", "category", "treatment", "until", "clause"), released, title="Released")
    hidden = [(row["column"], row["category"], row["why"], row["clause"] or "") for row in told["not_released"]]
    if hidden:
        call.table(("column", "category", "why", "clause"), hidden, title="Not released")
    _figures(call, told)
    _handling(call, told["handling"])
    clauses(call, told["clauses"])


def column(call: Call, told: dict[str, Any]) -> None:
    """From one column to its clause."""
    verb = "is released" if told["released"] else "is not released"
    call.say(f"{told['column']} {verb} by {told['agreement']}, version {told['version']}", style="bold")
    call.say(f"  source     {told['source'] or told['category']} ({told['schema']['module']}; {told['category']})")
    if told["released"]:
        call.say(f"  treatment  {told['treatment']}")
    else:
        call.say(f"  why        {told['why']}")
    for summed in told["summed_as"]:
        call.say(f"  summed     in {summed}, never row by row")
    for clause in told["clauses"]:
        call.say(f"  clause     {clause_in_words(clause)}")
    if told["aggregated_under"]:
        call.say(f"  statistics never row by row: counts and sums of cells ({told['aggregated_under']})")
    if told["reversible_by"]:
        cited = "; ".join(clause_in_words(clause) for clause in told["reversible_by"]["clauses"])
        call.say(f"  reversible by {told['reversible_by']['by']} alone: {cited}")
    if told["clauses"]:
        instrument = told["instrument"]
        call.say(f"  instrument {instrument['id']}: {instrument['title']}, {instrument['citation']}")
    if told["part"]:
        part = told["part"]
        call.say(f"  part       {part['number']} of {part['of']}, with {counted(len(part['columns']), 'column')}")
        call.say(f"  until      {_ending(part['ending'])}")
    for rule in told["row_rules"]:
        call.say(f"  row rule   {rule['name']}: a row is released when {rule['released_when']} ({rule['clause']})")


def release(call: Call, told: dict[str, Any], column: str | None) -> None:
    """From a release to the agreement that made it."""
    made = told["agreement"]
    made_at = when(datetime.fromisoformat(told["created_at"]))
    call.say(f"{told['release']} to {told['recipient']}, made {made_at} UTC", style="bold")
    call.say(f"  made under {made['id']}, version {made['version']}, digest {short(made['digest']['sha256'])}")
    catalogue = told["catalogue"]
    if catalogue["same"]:
        call.say(f"  which is what {catalogue['file']} still says, with the lists that it leans on", style="green")
    elif catalogue["file"]:
        changed = f"{catalogue['file']}, or a list that it leans on, says something else today"
        call.say(f"  {changed} ({short(catalogue['digest'])}): rules below are today's", style="yellow")
    else:
        call.say("  the catalogue has no such version any more: only what the manifest says is told", style="yellow")
    purpose = told["purpose"]
    call.say(f"  for {purpose['declared']} ({purpose['clause']})")
    for shown in purpose["conditions"]:
        call.say(f"    {shown['condition']} shown by {shown['by']} ({shown['clause']})")
    rows = told["rows"]
    call.say(f"  {rows['accepted']} rows accepted, {rows['released']} released, {rows['suppressed']} suppressed")
    kept_back = [
        (one["rule"], one["rows"], one["reason"], one["released_when"], one["clause"])
        for one in told["kept_back"]
        if one["rows"]
    ]
    if kept_back:
        titles = ("row rule", "rows", "reason", "a row is released when", "clause")
        call.table(titles, kept_back, title="Kept back")
    if column:
        _column_of_release(call, told["column"], column)
        return
    columns = [(one["column"], one["treatment"], one["clause"]) for one in told["columns"]]
    call.table(("column", "treatment", "clause"), columns, title="Released")
    _parts(call, told["parts"])
    handling = told["handling"]
    call.say(f"Handling: {handling['marking']}; onward: {handling['onward']['says']} ({handling['onward']['clause']})")
    clauses(call, told["clauses"])


def blocks(call: Call, in_the_way: "Iterable[Block]") -> None:
    """Why nothing would be released now; or that it would."""
    in_the_way = tuple(in_the_way)
    for block in in_the_way:
        call.say(f"  releases nothing now [{block.code}]: {block.why} Next: {block.next_step}", style="red")
    if not in_the_way:
        call.say("  releases now", style="green")


def clauses(call: Call, cited: "Iterable[ClauseTold]") -> None:
    """What the clauses say, each once."""
    rows = [
        (
            one.clause,
            one.says or "it is nowhere in the catalogue",
            one.confidence or "",
            one.stands_in,
            one.left_to or "",
        )
        for one in cited
    ]
    if rows:
        call.table(("clause", "says", "confidence", "stands in", "left to"), rows, title="Clauses")


def clause_in_words(clause: "ClauseTold") -> str:
    """A clause with what it says, how sure we are, and whose it is."""
    return f"{clause.clause}: {clause.says} (confidence: {clause.confidence}; {clause.stands_in})"


def _standing(call: Call, told: dict[str, Any]) -> None:
    status, in_force = told["status"], told["in_force"]
    why = f" ({status['reason']})" if status["reason"] else ""
    call.say(f"  {status['now']}{why}, in force from {when(in_force['from'])} until {when(in_force['until'])} UTC")
    if told["review"]:
        call.say(f"  to be looked at again on {when(told['review'])}")
    for approval in told["approvals"]:
        call.say(f"  approved by {approval['by']}, {approval['role']}, {approval['at']}")


def _purposes(call: Call, told: dict[str, Any]) -> None:
    rows = [
        (
            f"{one['purpose']} (standing)" if one["standing"] else one["purpose"],
            "; ".join(f"{needed['in_words']} ({needed['clause']})" for needed in one["requires"]) or "nothing more",
            one["clause"],
        )
        for one in told["purposes"]
    ]
    call.table(("purpose", "what must be shown", "clause"), rows, title="Purposes")
    if not told["declared"]:
        call.say(f"Each lot needs its own purpose: `safeconduct declare {told['agreement']}`.")


def _rules(call: Call, rules: list[dict[str, str]]) -> None:
    if not rules:
        return
    rows = [(rule["name"], rule["released_when"], rule["otherwise"], rule["clause"]) for rule in rules]
    call.table(("row rule", "a row is released when", "otherwise", "clause"), rows, title="Rows")
    call.say("Where that cannot be told, since a cell is absent or does not read, the row is not released.")


def _figures(call: Call, told: dict[str, Any]) -> None:
    if statistics := told["statistics"]:
        sums = "".join(f", the sum of {column} in {name}" for name, column in statistics["sums"].items())
        share = statistics["largest_share"]
        alone = f", and so is a cell of which one row makes up more than {share} % of a sum" if share else ""
        rounded = f", rounded to {statistics['round_to']}" if statistics["round_to"] else ""
        call.say(
            f"Rows become counts in {statistics['count_as']}{sums}{rounded}; cells below {statistics['smallest_cell']} are "
            f"suppressed, and enough others with them{alone} ({statistics['clause']})."
        )
    if risk := told["risk"]:
        otherwise = "else nothing is released" if risk["otherwise"] == "refuse" else "else the manifest says so"
        call.say(
            f"Risk: at least {risk['smallest_group']} rows are alike in {', '.join(risk['columns'])}, {otherwise} "
            f"({risk['clause']})."
        )


def _handling(call: Call, told: dict[str, Any]) -> None:
    call.say(f"Handling: {told['marking']}", style="bold")
    if downgrade := told["downgrade"]:
        said = f"rows marked up to {downgrade['of']} are released under {downgrade['to']}"
        call.say(f"  {said}, by {downgrade['authority']}, {downgrade['reference']} ({downgrade['clause']})")
    for caveat in told["caveats"]:
        call.say(f"  {caveat}")
    onward = told["onward"]
    call.say(f"  onward: {onward['default']}. {onward['says']} ({onward['clause']})")
    for needed in onward["with"]:
        call.say(f"    unless {needed['in_words']} ({needed['clause']})")
    retention = told["retention"]
    if retention["dormant"]:
        call.say(f"  dormant {_ending(retention['dormant'])} ({retention['clause']})")
    frozen = "; a legal hold stops the clock" if retention["freeze_on_hold"] else ""
    call.say(f"  deleted {_ending(retention['delete'])}{frozen} ({retention['clause']})")
    if delay := told["delay"]:
        call.say(
            f"  released no earlier than {duration_in_words(delay['wait'])} after {delay['clock']} ({delay['clause']})"
        )
    for notice in told["notices"]:
        within = f" within {duration_in_words(notice['within'])}" if notice["within"] else ""
        call.say(f"  notice to {notice['to']}{within}: {notice['of']} ({notice['clause']})")
    for deadline in told["deadlines"]:
        offset = deadline["before"] or deadline["after"]
        word = "before" if deadline["before"] else "after"
        call.say(
            f"  deadline {duration_in_words(offset)} {word} {deadline['event']}: {deadline['what']} ({deadline['clause']})"
        )


def _parts(call: Call, parts: list[dict[str, Any]]) -> None:
    rows = [(part["number"], part["rows"], until(part), ", ".join(part["columns"])) for part in parts]
    call.table(("part", "rows", "until", "columns"), rows, title="Parts")


def _column_of_release(call: Call, found: dict[str, Any], column: str) -> None:
    if not found["released"]:
        call.say(f"{column} is in no part of it.")
        return
    if said := found["said"]:
        call.say(f"{column}: {said['treatment']}")
        for clause in said["clauses"]:
            call.say(f"  clause {clause_in_words(clause)}")
    for part in found["parts"]:
        call.say(f"  part {part['number']}: {counted(part['rows'], 'row')}, until {until(part)}")


def until(part: Mapping[str, Any]) -> str:
    """When a part of a release must be gone."""
    if part["until"]:
        return f"{when(datetime.fromisoformat(part['until']))} UTC"
    return f"{duration_in_words(part['after'])} after its {part['clock']}"


def _ending(found: "Ending | None") -> str:
    if found is None:
        return ""
    return f"{found.in_words} ({when(found.gone_by)} UTC if released now)" if found.gone_by else found.in_words
