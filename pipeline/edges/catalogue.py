"""The catalogue: partners, feeds, instruments, agreements and code lists, read from TOML files and checked against each other.

One broken file does not hide the others: it is listed in `Catalogue.broken`, and asking for it raises Misconfigured. Light to
import: the DAG files load it.
"""

import hashlib
import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
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

_Kind = TypeVar("_Kind", Partner, Feed, Instrument, Agreement, CodeList, Hierarchy)


@dataclass(frozen=True, slots=True)
class Broken:
    """A file of the catalogue that cannot be used. `line` is 1-based; None where the fault has no line."""

    path: Path
    line: int | None
    message: str

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
        """The texts, as they were read, that decide what the agreement releases: its own and the lists' it leans on."""
        codes = (self.root / "codes" / f"{id}.toml" for id in sorted(agreement.code_lists()))
        hierarchies = (self.root / "hierarchies" / f"{id}.toml" for id in sorted(agreement.hierarchies()))
        return {path: self.texts[path] for path in (self.path_of(agreement), *codes, *hierarchies)}

    def digest(self, agreement: Agreement) -> str:
        """SHA-256 (hex) of those texts, joined by zero bytes."""
        return hashlib.sha256("\x00".join(self.files_of(agreement).values()).encode()).hexdigest()

    def members(self, partner: str) -> tuple[Partner, ...]:
        """The partners that a community is made of; none for any other."""
        return tuple(self.partners[member] for member in self.partners[partner].members or ())

    @property
    def signed_feeds(self) -> frozenset[str]:
        """The feeds whose deliveries come with a signature beside them."""
        return frozenset(feed.id for feed in self.feeds.values() if feed.signed)

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
    broken: list[Broken] = []
    texts: dict[Path, str] = {}
    partners = _by_id(_read(root / "partners", Partner, broken, texts))
    code_lists = _by_id(_read(root / "codes", CodeList, broken, texts))
    hierarchies = _by_id(_read(root / "hierarchies", Hierarchy, broken, texts))
    instruments = _by_id(_read(root / "instruments", Instrument, broken, texts))
    feeds = _by_id(_read(root / "feeds", Feed, broken, texts))
    written = _read(root / "agreements", Agreement, broken, texts)
    for id, partner in list(partners.items()):
        unknown = sorted(set(partner.members or ()) - set(partners))
        if unknown:
            broken.append(_at(root / "partners" / f"{id}.toml", texts, ("members",), _no_such("partner", unknown[0])))
            del partners[id]
    for id in [id for id, feed in feeds.items() if feed.partner not in partners]:
        fault = _no_such("partner", feeds.pop(id).partner)
        broken.append(_at(root / "feeds" / f"{id}.toml", texts, ("partner",), fault))
    around = Surroundings(partners, feeds, instruments, code_lists, hierarchies)
    for path, agreement in written.items():
        broken += (_at(path, texts, fault.keys, fault.message) for fault in unsound(agreement, around))
    versions = _versions(written, texts, broken)
    agreements = {id: _current(all_versions, at or datetime.now(UTC)) for id, all_versions in versions.items()}
    return Catalogue(
        partners, feeds, instruments, agreements, versions, code_lists, hierarchies, texts, root, tuple(broken)
    )


def id_of(path: Path) -> str:
    """The id that a file of the catalogue is about: `x` for x.toml and x.v2.toml."""
    return re.sub(r"\.v[0-9]+\Z", "", path.stem)


def file_name(entry: Partner | Feed | Instrument | Agreement | CodeList | Hierarchy) -> str:
    """What the entry's file is named: by its id, and by its version where it is an amendment."""
    version = entry.version if isinstance(entry, Agreement) else 1
    return f"{entry.id}.toml" if version == 1 else f"{entry.id}.v{version}.toml"


def _by_id(read: Mapping[Path, _Kind]) -> dict[str, _Kind]:
    return {one.id: one for one in read.values()}


def _versions(
    written: Mapping[Path, Agreement], texts: Mapping[Path, str], broken: list[Broken]
) -> dict[str, tuple[Agreement, ...]]:
    """The versions of each agreement, none of whose files is broken: an amendment that cannot be read may have ended it."""
    versions: dict[str, tuple[Agreement, ...]] = {}
    for id in sorted({agreement.id for agreement in written.values()}):
        of_id = sorted((agreement.version, path) for path, agreement in written.items() if agreement.id == id)
        for (_, before_path), (_, path) in pairwise(of_id):
            before, agreement = written[before_path], written[path]
            if agreement.in_force.since < before.in_effect_until:
                message = (
                    f"version {agreement.version} begins before version {before.version} ends: let in_force.until of "
                    f"{before_path.name}, or its status superseded, be no later than in_force.from here"
                )
                broken.append(_at(path, texts, ("in_force",), message))
            if agreement.recipient != before.recipient or agreement.feeds != before.feeds:
                broken.append(
                    _at(path, texts, ("recipient",), "a version has the recipient and feeds of the one before")
                )
        versions[id] = tuple(written[path] for _, path in of_id)
    faulty = {id_of(one.path) for one in broken if one.path.parent.name == "agreements"}
    return {id: all_versions for id, all_versions in versions.items() if id not in faulty}


def _current(versions: Sequence[Agreement], at: datetime) -> Agreement:
    return next((version for version in versions if at < version.in_effect_until), versions[-1])


def _no_such(what: str, id: str) -> str:
    return f"names the {what} {id}, which the catalogue does not have or cannot read"


def _at(path: Path, texts: Mapping[Path, str], keys: tuple[str, ...], message: str) -> Broken:
    return Broken(path, _line_of(texts[path], keys), f"{'.'.join(keys)}: {message}")


def _read(folder: Path, kind: type[_Kind], broken: list[Broken], texts: dict[Path, str]) -> dict[Path, _Kind]:
    found: dict[Path, _Kind] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            texts[path] = path.read_text(encoding="utf-8")
            written = tomllib.loads(texts[path])
            entry = kind.model_validate(written)
        except OSError as error:
            broken.append(Broken(path, None, f"cannot be read ({error.strerror or 'unknown reason'})"))
        except UnicodeDecodeError:
            broken.append(Broken(path, None, "is not UTF-8"))
        except tomllib.TOMLDecodeError as error:
            at = re.search(r"line (\d+)", str(error))
            broken.append(Broken(path, int(at[1]) if at else None, f"is not TOML: {str(error).split(' (at ')[0]}"))
        except ValidationError as error:
            broken.append(_invalid(path, texts[path], written, error))
        except (ValueError, RecursionError):  # a number of thousands of digits, brackets in thousands
            broken.append(Broken(path, None, "is not TOML that can be read"))
        else:
            name = file_name(entry)
            if path.name != name:
                broken.append(_at(path, texts, ("id",), f"by its id and version the file must be named {name}"))
            else:
                found[path] = entry
    return found


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
    return Broken(path, _line_of(text, location), f"{'.'.join(location) or 'file'}: {message}{more}")


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


def _line_of(text: str, location: tuple[str, ...]) -> int | None:
    """The line of the deepest key of `location` that can be found: `columns.x.until` in the table `[columns.x]`."""
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
        depth = len(keys) if keys == location[: len(keys)] else 0
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
