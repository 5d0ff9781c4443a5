"""The catalogue: partners, feeds, instruments, agreements and code lists, read from TOML files and checked against each other.

One broken file does not hide the others: it is listed in `Catalogue.broken`, and asking for it raises Misconfigured. Light to
import: the DAG files load it.
"""

import hashlib
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from pipeline.core.errors import Code, Misconfigured
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.codes import CodeList, Hierarchy
from pipeline.core.language.feed import Feed
from pipeline.core.language.instrument import Instrument
from pipeline.core.language.partner import Partner
from pipeline.core.soundness import Surroundings, unsound
from pipeline.core.versions import file_of, holds_at, misfits

_Kind = TypeVar("_Kind", Partner, Feed, Instrument, Agreement, CodeList, Hierarchy)


_FOLDERS = ("agreements", "codes", "feeds", "hierarchies", "instruments", "partners")


@dataclass(frozen=True, slots=True)
class Broken:
    """A file of the catalogue that cannot be used. `line` is 1-based; None where the fault has no line.

    `keys`: where in the file, `("columns", "surname", "clause")`; the message begins with it.
    """

    path: Path
    line: int | None
    message: str
    keys: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}" if self.line else str(self.path)

    def error(self) -> Misconfigured:
        return Misconfigured(
            Code.CATALOGUE_INVALID,
            f"{self.where}: {self.message}.",
            next_step="correct the file (`safeconduct check`), then rerun.",
        )


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the site exchanges with whom.

    `agreements`: of each the version that is in force at the instant that the catalogue was loaded for, else the one that
    comes next, else the last. `versions`: all of them, in order.
    """

    partners: Mapping[str, Partner]
    feeds: Mapping[str, Feed]
    instruments: Mapping[str, Instrument]
    agreements: Mapping[str, Agreement]
    versions: Mapping[str, tuple[Agreement, ...]]
    code_lists: Mapping[str, CodeList]
    hierarchies: Mapping[str, Hierarchy]
    texts: Mapping[Path, str]
    root: Path
    broken: tuple[Broken, ...]

    def feed(self, id: str) -> Feed:
        return self._found(self.feeds, "feeds", id)

    def agreement(self, id: str) -> Agreement:
        return self._found(self.agreements, "agreements", id)

    def instrument(self, id: str) -> Instrument:
        return self._found(self.instruments, "instruments", id)

    def agreements_of(self, feed: str) -> tuple[Agreement, ...]:
        """The agreements that release rows of `feed`, whatever their status."""
        return tuple(agreement for agreement in self.agreements.values() if feed in agreement.feeds)

    def path_of(self, agreement: Agreement) -> Path:
        """The agreement's file."""
        return self.root / "agreements" / file_name(agreement)

    def files_of(self, agreement: Agreement) -> dict[Path, str]:
        """The texts, as they were read, that decide what the agreement releases, and to whom: its own, those of the lists that
        it leans on, of its instrument (what its clauses permit), of its feed (which column holds the markings of rows), and
        of its recipient with all members."""
        instrument = self.root / "instruments" / f"{agreement.instrument}.toml"
        feed = self.root / "feeds" / f"{agreement.feed}.toml"
        recipient = self.partners[agreement.recipient]
        partners = (self.root / "partners" / f"{id}.toml" for id in (recipient.id, *(recipient.members or ())))
        codes = (self.root / "codes" / f"{id}.toml" for id in sorted(agreement.code_lists()))
        hierarchies = (self.root / "hierarchies" / f"{id}.toml" for id in sorted(agreement.hierarchies()))
        paths = (self.path_of(agreement), instrument, *codes, *hierarchies, feed, *partners)
        return {path: self.texts[path] for path in paths}

    def digest(self, agreement: Agreement) -> str:
        """SHA-256 (hex) of those texts, joined by zero bytes."""
        return hashlib.sha256("\x00".join(self.files_of(agreement).values()).encode()).hexdigest()

    def members(self, partner: str) -> tuple[Partner, ...]:
        """The partners that a community is made of; none for any other."""
        return tuple(self.partners[member] for member in self.partners[partner].members or ())

    def readers(self, recipient: str) -> tuple[str, ...]:
        """Whose keys a release to the recipient is sealed to: itself, or the members of a community."""
        return self.partners[recipient].members or (recipient,)

    @property
    def signed_feeds(self) -> frozenset[str]:
        """The feeds whose deliveries come with a signature beside them."""
        return frozenset(feed.id for feed in self.feeds.values() if feed.signed)

    def feeds_before(self, id: str) -> frozenset[str]:
        """The feeds that a delivery of the feed may go back to, and those that these may go back to."""
        return frozenset(_before(id, self.feeds))

    def is_broken(self, folder: str, id: str) -> bool:
        """Whether the catalogue has a file for `id` that cannot be used."""
        return any(broken.path.parent.name == folder and id_of(broken.path) == id for broken in self.broken)

    def _found(self, kind: Mapping[str, _Kind], folder: str, id: str) -> _Kind:
        if id in kind:
            return kind[id]
        for broken in self.broken:
            if broken.path.parent.name == folder and id_of(broken.path) == id:
                raise broken.error()
        known = ", ".join(sorted(kind)) or "none"
        raise Misconfigured(
            Code.NOT_FOUND, f"the catalogue has no {folder[:-1]} {id}.", next_step=f"name one of: {known}."
        )


def load(root: Path, at: datetime | None = None) -> Catalogue:
    """The catalogue below `root`, one TOML file each, named by its id, as it is at the instant `at` (now if left out)."""
    if not (root / "feeds").is_dir():
        raise Misconfigured(
            Code.CATALOGUE_INVALID,
            f"{root} has no feeds/ folder.",
            next_step="point the site's `catalogue` at the catalogue.",
        )
    texts, unreadable = _texts(root)
    return understood(root, texts, at or datetime.now(UTC), unreadable)


def understood(root: Path, texts: Mapping[Path, str], at: datetime, unreadable: tuple[Broken, ...] = ()) -> Catalogue:
    """The catalogue of these texts, as it is at the instant; `unreadable` are files of it whose texts nobody has."""
    said = _understood(root, tuple(texts.items()), unreadable)
    return replace(said, agreements={id: holds_at(all_, at) for id, all_ in said.versions.items()})


def _texts(root: Path) -> tuple[dict[Path, str], tuple[Broken, ...]]:
    """Every file as it is, line ends too: signatures are over these bytes. Those that cannot be read are broken."""
    texts: dict[Path, str] = {}
    broken = []
    for path in sorted(path for folder in _FOLDERS for path in (root / folder).glob("*.toml")):
        try:
            texts[path] = path.read_bytes().decode()
        except OSError as error:
            broken.append(Broken(path, None, f"cannot be read ({error.strerror or 'unknown reason'})"))
        except UnicodeDecodeError:
            broken.append(Broken(path, None, "is not UTF-8"))
    return texts, tuple(broken)


@lru_cache(maxsize=4)
def _understood(root: Path, files: tuple[tuple[Path, str], ...], unreadable: tuple[Broken, ...]) -> Catalogue:
    """What the files say together, of no instant. The same texts as a moment ago need not be understood again."""
    broken, texts = list(unreadable), dict(files)
    partners = _by_id(_read(root / "partners", Partner, texts, broken), texts, broken)
    code_lists = _by_id(_read(root / "codes", CodeList, texts, broken), texts, broken)
    hierarchies = _by_id(_read(root / "hierarchies", Hierarchy, texts, broken), texts, broken)
    instruments = _by_id(_read(root / "instruments", Instrument, texts, broken), texts, broken)
    feeds = _by_id(_read(root / "feeds", Feed, texts, broken), texts, broken)
    written = _read(root / "agreements", Agreement, texts, broken)
    for id, fault in _communities_with_faults(partners).items():
        broken.append(_at(root / "partners" / f"{id}.toml", texts, ("members",), fault))
        del partners[id]
    for id in [id for id, feed in feeds.items() if feed.partner not in partners]:
        fault = _no_such("partner", feeds.pop(id).partner)
        broken.append(_at(root / "feeds" / f"{id}.toml", texts, ("partner",), fault))
    for id, keys, fault in list(_feeds_that_follow_wrongly(feeds, code_lists)):
        broken.append(_at(root / "feeds" / f"{id}.toml", texts, keys, fault))
        feeds.pop(id, None)
    around = Surroundings(partners, feeds, instruments, code_lists, hierarchies)
    for path, agreement in _well_named(written, texts, broken).items():
        broken += (_at(path, texts, fault.keys, fault.message) for fault in unsound(agreement, around))
    versions = _versions(written, texts, broken)
    return Catalogue(partners, feeds, instruments, {}, versions, code_lists, hierarchies, texts, root, tuple(broken))


def id_of(path: Path) -> str:
    """The id that a file of the catalogue is about: `x` for x.toml, x.v2.toml, and for x.v2.draft.toml too."""
    return path.name.partition(".")[0]


def file_name(entry: Partner | Feed | Instrument | Agreement | CodeList | Hierarchy) -> str:
    """What the entry's file is named: by its id, and by its version where it is an amendment."""
    return file_of(entry) if isinstance(entry, Agreement) else f"{entry.id}.toml"


def _by_id(read: Mapping[Path, _Kind], texts: Mapping[Path, str], broken: list[Broken]) -> dict[str, _Kind]:
    return {one.id: one for one in _well_named(read, texts, broken).values()}


def _well_named(read: Mapping[Path, _Kind], texts: Mapping[Path, str], broken: list[Broken]) -> dict[Path, _Kind]:
    names = {path: file_name(entry) for path, entry in read.items()}
    broken += (
        _at(path, texts, ("id",), f"by its id and version the file must be named {name}")
        for path, name in names.items()
        if path.name != name
    )
    return {path: entry for path, entry in read.items() if path.name == names[path]}


def _feeds_that_follow_wrongly(
    feeds: Mapping[str, Feed], code_lists: Mapping[str, CodeList]
) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Feeds whose `follows` name what is not there, or lead back to themselves; where in the file, and why."""
    for feed in feeds.values():
        for number, rule in enumerate(feed.follows):
            keys = ("follows", str(number))
            if rule.feed not in feeds:
                yield feed.id, (*keys, "feed"), _no_such("feed", rule.feed)
            elif feed.id in _before(rule.feed, feeds):
                yield (
                    feed.id,
                    (*keys, "feed"),
                    f"{rule.feed} goes back to {feed.id}, so that each would wait for the other",
                )
            for id in sorted(rule.code_lists - set(code_lists)):
                yield feed.id, keys, _no_such("code list", id)


def _before(id: str, feeds: Mapping[str, Feed]) -> set[str]:
    """The feeds that must have come before the feed, and before those."""
    found: set[str] = set()
    ahead = [id]
    while ahead:
        new = {rule.feed for one in ahead if one in feeds for rule in feeds[one].follows} - found
        found |= new
        ahead = list(new)
    return found


def _communities_with_faults(partners: Mapping[str, Partner]) -> dict[str, str]:
    """What is wrong with the members of a community, by its id."""
    faults: dict[str, str] = {}
    for id, partner in partners.items():
        for member in partner.members or ():
            if member not in partners:
                faults[id] = _no_such("partner", member)
            elif partners[member].members is not None:
                faults[id] = f"names {member}, which is itself a community: name its members one by one"
    return faults


def _versions(
    written: Mapping[Path, Agreement], texts: Mapping[Path, str], broken: list[Broken]
) -> dict[str, tuple[Agreement, ...]]:
    """The versions of each agreement, none of whose files is broken: an amendment that cannot be read may have ended it."""
    of_id: dict[str, list[tuple[int, Path]]] = {}
    for path, agreement in written.items():
        of_id.setdefault(agreement.id, []).append((agreement.version, path))
    for one in broken:
        if one.path.parent.name == "agreements":
            of_id.pop(id_of(one.path), None)
            of_id.pop(written[one.path].id if one.path in written else "", None)
    versions: dict[str, tuple[Agreement, ...]] = {}
    for id, numbered in sorted(of_id.items()):
        paths = [path for _, path in sorted(numbered)]
        of_this = tuple(written[path] for path in paths)
        faults = [
            _at(path, texts, fault.keys, fault.message)
            for place, path in enumerate(paths)
            for fault in misfits(of_this[place], of_this[:place])
        ]
        broken += faults
        if not faults:
            versions[id] = of_this
    return versions


def _no_such(what: str, id: str) -> str:
    return f"names the {what} {id}, which the catalogue does not have or cannot read"


def _at(path: Path, texts: Mapping[Path, str], keys: tuple[str, ...], message: str) -> Broken:
    return Broken(path, line_of(texts[path], keys), f"{'.'.join(keys)}: {message}", keys)


def _read(folder: Path, kind: type[_Kind], texts: Mapping[Path, str], broken: list[Broken]) -> dict[Path, _Kind]:
    found: dict[Path, _Kind] = {}
    for path in (path for path in texts if path.parent == folder):
        try:
            found[path] = _entry(kind, texts[path])
        except tomllib.TOMLDecodeError as error:
            at = re.search(r"line (\d+)", str(error))
            broken.append(Broken(path, int(at[1]) if at else None, f"is not TOML: {str(error).split(' (at ')[0]}"))
        except ValidationError as error:
            broken.append(_invalid(path, texts[path], tomllib.loads(texts[path]), error))
        except (ValueError, RecursionError):  # a number of thousands of digits, brackets in thousands
            broken.append(Broken(path, None, "is not TOML that can be read"))
    return found


@lru_cache(maxsize=4096)
def _entry(kind: type[_Kind], text: str) -> _Kind:
    """What the text says."""
    return kind.model_validate(tomllib.loads(text))


def _invalid(path: Path, text: str, written: Mapping[str, object], error: ValidationError) -> Broken:
    faults = error.errors(include_input=False, include_url=False)
    first = faults[0]
    location = _keys(written, first["loc"], missing=first["type"] == "missing")
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "contradiction":
        location = tuple(first["ctx"]["keys"].split("."))
    if first["type"] == "union_tag_invalid":  # its own message repeats what the file says
        message = f"must have one of {first['ctx']['expected_tags']} as {first['ctx']['discriminator']}"
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return Broken(path, line_of(text, location), f"{'.'.join(location) or 'file'}: {message}{more}", location)


def _keys(written: object, location: tuple[str | int, ...], *, missing: bool) -> tuple[str, ...]:
    """`location` without what is no key of the file: pydantic also puts the kind of a treatment or format there."""
    keys: list[str] = []
    for part in location:
        inner = written if isinstance(written, dict) else dict(enumerate(written)) if isinstance(written, list) else {}
        if part in inner:
            written = inner[part]
        elif not (missing and part == location[-1]):
            continue
        keys.append(str(part))
    return tuple(keys)


_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"


def line_of(text: str, location: tuple[str, ...]) -> int | None:
    """The line of the deepest key of `location` that can be found: `columns.x.until` in the table `[columns.x]`.

    For a whole array or table it is where the first of it is.
    """
    best: tuple[int, int] | None = None
    table: tuple[str, ...] = ()
    tables: Counter[tuple[str, ...]] = Counter()
    for number, line in enumerate(text.split("\n"), start=1):
        if header := re.match(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]\]?\s*(?:#.*)?$", line):
            path = _parts(header[2])
            if header[1] == "[[":
                array = (*_numbered(path[:-1], tables), path[-1])
                tables[array] += 1
            table = keys = _numbered(path, tables)
        elif key := re.match(rf"\s*({_DOTTED})\s*=", line):
            keys = (*table, *_parts(key[1]))
        else:
            continue
        depth = min(len(keys), len(location)) if keys[: len(location)] == location[: len(keys)] else 0
        if depth and (best is None or depth > best[0]):
            best = (depth, number)
    return best[1] if best else None


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_KEY, dotted))


def _numbered(path: tuple[str, ...], tables: Mapping[tuple[str, ...], int]) -> tuple[str, ...]:
    """`path` with, after each array of tables, the number of the table that was opened last."""
    numbered: tuple[str, ...] = ()
    for part in path:
        numbered = (*numbered, part)
        if numbered in tables:
            numbered = (*numbered, str(tables[numbered] - 1))
    return numbered
