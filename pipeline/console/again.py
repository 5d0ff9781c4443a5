"""`safeconduct replay --as-was` and `--as-now`: a release made again from what is kept, compared, and never published.

As it was: from the kept rows and the texts of then, under the keys of then. Each part's bytes are held against the commitment
that the manifest signs: that only the site can make, and nobody else can try guesses on it. As it would be now: from the same
rows under today's agreement, in counts. No value is shown, and nothing is written.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

import typer

from pipeline.console.call import Call, counted
from pipeline.console.counterpart import Cells, cells_of, tally_of
from pipeline.console.diff import CELLS, cell_counts, facts, show
from pipeline.core.authority import Authorised, Recipient, authorise
from pipeline.core.disclosure import Disclosure, disclosure_diff
from pipeline.core.errors import Code, Conflict, Misconfigured
from pipeline.core.layout import Sheet
from pipeline.core.redaction import Redaction, compile_redaction
from pipeline.core.scope import Events
from pipeline.edges.backing import versions
from pipeline.edges.catalogue import Catalogue
from pipeline.edges.making import Made, Parts, make
from pipeline.edges.permission import instants_of, means, permission
from pipeline.edges.pinned import Pinned
from pipeline.edges.publication import Published
from pipeline.edges.schemas import schema_of
from pipeline.edges.site import Site
from pipeline.edges.tables import TablesThen, ToldTables
from pipeline.edges.vault import Kept
from pipeline.formats.parts import part_bytes

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class PartAgain:
    """One part of the release, and whether the same bytes came out again."""

    key: str
    rows: int
    columns: tuple[str, ...]
    same: bool


@dataclass(frozen=True, slots=True)
class AsWas:
    """A release made again as it was. `missing`: what it would take and is not there; then there are no parts.

    `changed`: which versions of what made it are other ones now, was and is.
    """

    release: str
    missing: tuple[str, ...]
    parts: tuple[PartAgain, ...]
    rows_same: bool
    changed: Mapping[str, tuple[str, str]]

    @property
    def same(self) -> bool:
        return not self.missing and self.rows_same and all(part.same for part in self.parts)


@dataclass(frozen=True, slots=True)
class AsNow:
    """The same rows under today's agreement: what it says otherwise, and how many rows and cells come out otherwise."""

    release: str
    disclosure: Disclosure
    rows_then: Mapping[str, Any]
    rows_now: Mapping[str, Any]
    rows_in_both: int | None
    cells: tuple[Cells, ...]


@dataclass(frozen=True, slots=True)
class _Then:
    """What the release was made of and under."""

    catalogue: Catalogue
    authorised: Authorised
    kept: Kept


@dataclass(slots=True)
class _Compared:
    """The parts as they come out again, one after the other, each against the one that was published in its place."""

    published: list[dict[str, Any]]
    commitment_key: bytes = field(repr=False)
    parts: list[PartAgain] = field(default_factory=list)

    def add(self, content: bytes, sheet: Sheet, *, until: datetime | None) -> None:
        place = len(self.parts)
        told = self.published[place] if place < len(self.published) else {"key": "", "commitment": ""}
        commitment = hmac.new(self.commitment_key, content, hashlib.sha256).hexdigest()
        same = hmac.compare_digest(commitment, told["commitment"]) and told["until"] == (until and until.isoformat())
        self.parts.append(PartAgain(told["key"], sheet.frame.height, tuple(sheet.frame.columns), same))


class _Nowhere:
    """Parts that nobody keeps: what counts is how many rows came through the gates."""

    def add(self, content: bytes, sheet: Sheet, *, until: datetime | None) -> None:
        pass


def as_was(site: Site, published: Published) -> AsWas:
    """The release made again from what is kept, under the texts and keys of then."""
    predicate = published.predicate
    changed = _changed(predicate["versions"])
    missing: list[str] = []
    then = _missed(missing, lambda: _then(site, published))
    agreement = predicate["agreement"]["id"]
    key = _missed(
        missing, lambda: site.keyring.commitment_key(agreement, predicate["pseudonym_epoch"], published.release)
    )
    if then and key:
        _look_for(site, then, predicate, missing)
        compared = _Compared(predicate["parts"], key)
        if not missing and (made := _missed(missing, lambda: _made(site, then, compared, published.release))):
            every = len(compared.parts) == len(predicate["parts"])
            rows = _plain(made) == predicate["rows"] or predicate["statistics"] is not None
            return AsWas(published.release, (), tuple(compared.parts), every and rows, changed)
    return AsWas(published.release, tuple(missing), (), rows_same=False, changed=changed)


def as_now(site: Site, published: Published) -> AsNow:
    """What today's agreement would make of the rows of the release, against what it made of them.

    Raises:
        Refused: today's agreement permits it no more. Misconfigured: what the release was made of is not there any more.
    """
    then = _then(site, published)
    catalogue = site.catalogue()
    agreement = catalogue.agreement(then.authorised.agreement.id)
    now = _Then(catalogue, permission(site, catalogue, agreement, then.kept), then.kept)
    made_then, made_now = (_plain(_made(site, one, _Nowhere(), published.release)) for one in (then, now))
    old, new = then.authorised.agreement, agreement
    tally = None
    if not (old.statistics or new.statistics):
        tally = tally_of(_compiled(site, then), _compiled(site, now), site.vault.rows(then.kept))
    return AsNow(
        published.release,
        disclosure_diff(old, new, before=then.catalogue, after=catalogue),
        made_then,
        made_now,
        tally.rows_in_both if tally else None,
        tuple(cells_of(old, new, tally)) if tally else (),
    )


def tell_as_was(call: Call, made: AsWas) -> None:
    """The release as it was, for people or machines; exit code 4 where something is missing, 5 where it came out otherwise."""
    if call.json:
        call.document({**asdict(made), "same": made.same})
    for lack in made.missing:
        call.say(f"missing: {lack}", style="red")
    if made.parts:
        rows = [
            (
                part.key.split("/")[-1][:12],
                part.rows,
                len(part.columns),
                ("the same", "green") if part.same else ("differs", "red"),
            )
            for part in made.parts
        ]
        call.table(("part", "rows", "columns", "bytes"), rows)
    for name, (was, is_) in made.changed.items():
        call.say(f"made with {name} {was[:12]}; here it is {is_[:12] or 'not there'}", style="yellow")
    if made.same:
        call.say(f"{made.release} comes out again as it was released, byte for byte.", style="green")
        return
    if made.missing:
        call.say(f"{made.release} cannot be made again as it was.", style="red")
        raise typer.Exit(Misconfigured.exit_code)
    call.say(f"{made.release} comes out otherwise than it was released.", style="red")
    raise typer.Exit(Conflict.exit_code)


def tell_as_now(call: Call, made: AsNow) -> None:
    """What today's agreement would make of it, in counts."""
    if call.json:
        call.document({**asdict(made), "disclosure": facts(made.disclosure)})
        return
    show(call, made.disclosure)
    names = [name for name in made.rows_then if name != "by_rule"]
    call.table(
        ("rows", "then", "now"), [(name.replace("_", " "), made.rows_then[name], made.rows_now[name]) for name in names]
    )
    if made.rows_in_both is None:
        call.say("Its cells are not compared one by one: it counts, then or now.")
        return
    changed = [one for one in made.cells if one.differ or None in (one.before, one.after)]
    if changed:
        call.table(CELLS, [cell_counts(one) for one in changed])
    alike = len(made.cells) - len(changed)
    call.say(f"{alike} of {counted(len(made.cells), 'column')} come out alike in {counted(made.rows_in_both, 'row')}.")
    call.say("Nothing was published: a release is never changed.")


def _then(site: Site, published: Published) -> _Then:
    predicate = published.predicate
    at = datetime.fromisoformat(predicate["created_at"])
    catalogue = Pinned(site.vault.store).catalogue(predicate["policies"]["sha256"], at)
    agreement = catalogue.agreement(predicate["agreement"]["id"])
    kept = site.vault.kept(predicate["made_of"]["kept"])
    declared = site.declarations.last(agreement.id, kept.key, at=at)
    partner = catalogue.partners[published.recipient]
    authorised = authorise(
        agreement,
        agreement_digest=catalogue.digest(agreement),
        declaration=declared.declaration if declared else None,
        recipient=Recipient(partner, catalogue.members(partner.id), tuple(predicate["recipient"]["keys"])),
        instants=replace(instants_of(site, kept), released=at),
    )
    return _Then(catalogue, authorised, kept)


def _made(site: Site, of: _Then, parts: Parts, release: str) -> Made:
    agreement = of.authorised.agreement
    told = ToldTables(site.vault.store, site.vault.identities, agreement.id, release)
    feed = of.catalogue.feed(agreement.feed)
    return make(
        of.authorised,
        of.kept,
        site.vault.rows(of.kept),
        feed=feed,
        schema=schema_of(feed, of.catalogue.code_lists),
        means=means(site, of.catalogue, agreement),
        parts=parts,
        written=part_bytes,
        release=release,
        tables=TablesThen(told.as_they_were()),
    )


def _compiled(site: Site, of: _Then) -> Redaction:
    agreement, declared = of.authorised.agreement, of.authorised.declaration
    schema = schema_of(of.catalogue.feed(agreement.feed), of.catalogue.code_lists)
    events = Events(of.authorised.at, of.kept.loaded_at, declared.case_reference)
    return compile_redaction(agreement, schema, means(site, of.catalogue, agreement), events)


def _look_for(site: Site, then: _Then, predicate: Mapping[str, Any], missing: list[str]) -> None:
    """Every chunk is there, and the schema is the one that the rows were validated against."""
    gone = [
        chunk for one in then.kept.deliveries for chunk in one.chunks if not site.vault.has_chunk(one.delivery, chunk)
    ]
    if gone:
        missing.append(
            f"{len(gone)} of {sum(len(one.chunks) for one in then.kept.deliveries)} chunks of the vault are gone."
        )
    feed = then.catalogue.feed(then.authorised.agreement.feed)
    schema, told = schema_of(feed, then.catalogue.code_lists), predicate["made_of"]["schema"]
    if schema.version != told["version"]:
        missing.append(
            f"schema {told['id']} is at version {schema.version} here; the release was made with {told['version']}."
        )


def _missed(missing: list[str], found: Callable[[], _Found]) -> _Found | None:
    try:
        return found()
    except (Misconfigured, Conflict) as error:
        if error.code is Code.STORE_FORBIDDEN:
            raise
        missing.append(error.message)
        return None


def _changed(told: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    here = versions()
    return {name: (was, here.get(name, "")) for name, was in told.items() if here.get(name) != was}


def _plain(made: Made) -> dict[str, Any]:
    return asdict(made.rows)
