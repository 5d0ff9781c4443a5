"""How does an audit read? As text, and as one page that needs nothing beside it: no script, no network, charts as SVG."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from pipeline.core.audit import Found, KindSeen, Report

LIMITS = (
    "That both the private and the shared store were put back to an earlier state is seen only by who has kept a checkpoint: a "
    "witness, or an auditor (--known).",
    "A sealed object that an earlier audit has read, and whose time did not change since, is read again by full audits alone.",
    "Who holds the site's keys, or may write to its stores with its own program, can write what this audit takes for the site's.",
    "What the rows mean, and whether an agreement is right, no audit of storage can tell.",
)

_LABEL, _BAR, _ROW = 230, 330, 22


def in_words(report: Report) -> str:
    """The report as text, for terminals and files."""
    read = f"{report.read_objects:,} of {report.objects:,} objects read, {in_bytes(report.read_bytes)}"
    speed = f"{report.took_seconds:.1f} s: {per_second(report)}"
    lines = [
        f"Audit of {report.origin}, {report.at.isoformat(timespec='seconds')}",
        f"  {'full' if report.full else 'incremental'}; {read} in {speed}",
        f"  checkpoint  {report.checkpoint.size} entries, root {report.checkpoint.root}",
        f"  verified    from {_since(report)}",
        f"  witnessed   {_witnessed(report)}",
        f"  entries     {_counts(report.entries)}",
        f"  releases    {_counts(report.releases)}",
        f"  beside      {_beside(report)}",
        "",
        f"  {'objects':>8}  {'read':>8}  {'bytes':>11}  kind, and what vouches for it",
    ]
    lines += [
        f"  {kind.objects:>8,}  {kind.read_objects:>8,}  {in_bytes(kind.stored_bytes):>11}  {kind.kind}: {kind.vouched_by}"
        for kind in report.kinds
        if kind.objects
    ]
    lines += ["", *(f"Note: {note}" for note in report.notes)]
    lines += [line for one in report.findings for line in _finding(one)]
    lines.append(verdict(report))
    return "\n".join(lines) + "\n"


def verdict(report: Report) -> str:
    """What was found, in one line."""
    if not report.findings:
        return "Nothing was found: every object is what was written, and none is missing or added."
    return f"{_counted(len(report.findings), 'finding')}: each with what to do next."


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def per_second(report: Report) -> str:
    """How fast objects were read."""
    took = max(report.took_seconds, 0.001)
    return f"{report.read_objects / took:,.0f} objects and {in_bytes(int(report.read_bytes / took))} a second"


def in_bytes(size: int) -> str:
    """The size with a unit that people read."""
    value, units = float(size), ("B", "kB", "MB", "GB", "TB")
    unit = 0
    while value >= 1000 and unit < len(units) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.0f} {units[unit]}" if unit == 0 else f"{value:.1f} {units[unit]}"


def page(report: Report) -> str:
    """The report as one HTML file."""
    state = "bad" if report.findings else "good"
    there = [kind for kind in report.kinds if kind.objects]
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Audit of {escape(report.origin)}, {report.at.isoformat(timespec="minutes")}</title>
<style>{_STYLE}</style></head><body><main>
<header class="{state}"><p>{escape(report.origin)}</p><h1>{"Nothing was found" if state == "good" else _counted(len(report.findings), "finding")}</h1>
<p>{escape(verdict(report))}</p></header>
<dl>
{_told("At", report.at.isoformat(timespec="seconds"))}
{_told("Kind", "full: every object was read" if report.full else "incremental")}
{_told("Checkpoint", f"{report.checkpoint.size:,} entries, root <code>{escape(report.checkpoint.root)}</code>", raw=True)}
{_told("Verified from", _since(report))}
{_told("Witnessed", _witnessed(report))}
{_told("Read", f"{report.read_objects:,} of {report.objects:,} objects, {in_bytes(report.read_bytes)}, in {report.took_seconds:.1f} s ({per_second(report)})")}
{_told("Beside", _beside(report))}
</dl>
{"".join(f"<p class=note>{escape(note)}</p>" for note in report.notes)}
<h2>Findings</h2>
{_findings(report.findings)}
<h2>Releases</h2>
{_bars([(name, count, count) for name, count in report.releases.items()])}
<h2>What the ledger tells of</h2>
{_bars([(name, count, count) for name, count in report.entries.items()])}
<h2>Objects, and how many were read now</h2>
{_bars([(f"{kind.kind} ({kind.store})", kind.objects, kind.read_objects) for kind in there])}
<h2>What vouches for each kind</h2>
<div class="wide"><table><thead><tr><th>kind<th>store<th class="n">objects<th class="n">read<th class="n">bytes<th>vouched for by</tr></thead><tbody>
{"".join(map(_kind, report.kinds))}</tbody></table></div>
<h2>What this audit cannot tell</h2><ul>{"".join(f"<li>{escape(limit)}" for limit in LIMITS)}</ul>
</main></body></html>
"""


def _since(report: Report) -> str:
    if report.since is None:
        return "the first entry"
    return f"checkpoint {report.since.size}; the entries before it have its root"


def _witnessed(report: Report) -> str:
    if report.witnessed is None:
        return "by nobody yet"
    return f"{report.witnessed['size']} entries, by {report.witnessed['witness']}, {report.witnessed['at']}"


def _beside(report: Report) -> str:
    waiting = "1 delivery waits" if report.waiting == 1 else f"{report.waiting:,} deliveries wait"
    return (
        f"{waiting} for an outcome; too new to be spoken of: {_counted(report.making, 'object')}; "
        f"left by tries that died: {_counted(report.leftovers, 'object')}"
    )


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items()) or "none"


def _finding(one: Found) -> Iterable[str]:
    return (f"FOUND [{one.code}] {one.object}", f"  {one.message}", f"  Next: {one.next_step}", "")


def _told(name: str, text: str, *, raw: bool = False) -> str:
    return f"<dt>{name}</dt><dd>{text if raw else escape(text)}</dd>"


def _findings(findings: Sequence[Found]) -> str:
    if not findings:
        return "<p>None.</p>"
    rows = "".join(
        f"<tr><td><strong>{escape(one.code)}</strong><td><code>{escape(one.object)}</code><td>{escape(one.message)}"
        f"<td>{escape(one.next_step)}</tr>"
        for one in findings
    )
    return f'<div class="wide"><table class="found"><thead><tr><th>code<th>object<th>what<th>next</tr></thead><tbody>{rows}</tbody></table></div>'


def _kind(kind: KindSeen) -> str:
    return (
        f'<tr><td>{escape(kind.kind)}<td>{kind.store}<td class="n">{kind.objects:,}<td class="n">{kind.read_objects:,}'
        f'<td class="n">{in_bytes(kind.stored_bytes)}<td>{escape(kind.vouched_by)}</tr>'
    )


def _bars(rows: Sequence[tuple[str, int, int]]) -> str:
    """A bar for each: all of it pale, what was read of it full."""
    if not rows:
        return "<p>None.</p>"
    most = max(1, *(count for _, count, _ in rows))
    height = len(rows) * _ROW
    bars = "".join(_bar(number, name, count, read, most) for number, (name, count, read) in enumerate(rows))
    label = escape("; ".join(f"{name} {count}" for name, count, _ in rows), quote=True)
    return f'<svg role="img" aria-label="{label}" viewBox="0 0 {_LABEL + _BAR + 110} {height}">{bars}</svg>'


def _bar(number: int, name: str, count: int, read: int, most: int) -> str:
    top, width, full = number * _ROW, _BAR * count / most, _BAR * read / most
    told = f"{count:,}" if read == count else f"{count:,}, {read:,} read"
    return (
        f'<text x="{_LABEL - 8}" y="{top + 15}" text-anchor="end">{escape(name)}</text>'
        f'<rect class="all" x="{_LABEL}" y="{top + 4}" width="{width:.1f}" height="14" rx="2"/>'
        f'<rect class="read" x="{_LABEL}" y="{top + 4}" width="{full:.1f}" height="14" rx="2"/>'
        f'<text x="{_LABEL + width + 8:.1f}" y="{top + 15}" class="count">{told}</text>'
    )


_STYLE = """
:root{color-scheme:light dark;--ink:#1b2430;--paper:#fff;--soft:#5a6675;--line:#d8dee6;--good:#1f6f4a;--bad:#a3261d;--bar:#2f6690;--pale:#c9d8e6}
@media (prefers-color-scheme:dark){:root{--ink:#e6ebf0;--paper:#14191f;--soft:#9aa7b5;--line:#2c3540;--good:#2b8a5f;--bad:#c2453b;--bar:#6ea8d4;--pale:#2e4254}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 3rem}
header{padding:1.2rem 1.4rem;border-radius:8px;color:#fff}header p{margin:0;opacity:.9}header h1{margin:.1rem 0;font-size:1.9rem}
header.good{background:var(--good)}header.bad{background:var(--bad)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.2rem;margin:1.4rem 0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:2rem 0 .6rem;border-bottom:1px solid var(--line);padding-bottom:.2rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem .3rem 0;vertical-align:top;border-bottom:1px solid var(--line)}
th{color:var(--soft);font-weight:600}.n{text-align:right;font-variant-numeric:tabular-nums}.wide{overflow-x:auto}
.found td{overflow-wrap:anywhere;min-width:7rem}.found strong{color:var(--bad)}code{font-size:.86em;overflow-wrap:anywhere}
svg{display:block;width:100%;max-width:46rem}svg text{font-size:12px;fill:var(--ink)}svg .count{fill:var(--soft)}
rect.all{fill:var(--pale)}rect.read{fill:var(--bar)}.note{border-left:3px solid var(--soft);padding-left:.8rem;color:var(--soft)}
@media print{header{color:#000;background:none!important;border:2px solid #000}}
"""
