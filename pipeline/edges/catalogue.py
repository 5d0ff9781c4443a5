"""The catalogue: partners, feeds, agreements and code lists, read from TOML files and checked against each other.

One broken file does not hide the others: it is listed in `Catalogue.broken`, and asking for it raises Misconfigured. Light to
import: the DAG files load it.
"""

import hashlib
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from pipeline.core.agreement import Agreement, CodeList
from pipeline.core.errors import Code, Misconfigured
from pipeline.core.feed import Feed
from pipeline.core.partner import Partner

_Kind = TypeVar("_Kind", Partner, Feed, Agreement, CodeList)


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
    """What the site exchanges with whom. `digests`: SHA-256 of each agreement together with the code lists it leans on."""

    partners: Mapping[str, Partner]
    feeds: Mapping[str, Feed]
    agreements: Mapping[str, Agreement]
    code_lists: Mapping[str, CodeList]
    digests: Mapping[str, str]
    broken: tuple[Broken, ...]

    def feed(self, id: str) -> Feed:
        return self._found(self.feeds, "feeds", id)

    def agreement(self, id: str) -> Agreement:
        return self._found(self.agreements, "agreements", id)

    def agreements_of(self, feed: str) -> tuple[Agreement, ...]:
        """The agreements that release rows of `feed`, whatever their status."""
        return tuple(agreement for agreement in self.agreements.values() if feed in agreement.feeds)

    @property
    def signed_feeds(self) -> frozenset[str]:
        """The feeds whose deliveries come with a signature beside them."""
        return frozenset(feed.id for feed in self.feeds.values() if feed.signed)

    def is_broken(self, folder: str, id: str) -> bool:
        """Whether the catalogue has a file for `id` that cannot be used."""
        return any(broken.path.parent.name == folder and broken.path.stem == id for broken in self.broken)

    def _found(self, kind: Mapping[str, _Kind], folder: str, id: str) -> _Kind:
        if id in kind:
            return kind[id]
        for broken in self.broken:
            if broken.path.parent.name == folder and broken.path.stem == id:
                raise broken.error()
        known = ", ".join(sorted(kind)) or "none"
        raise Misconfigured(
            Code.NOT_FOUND, f"the catalogue has no {folder[:-1]} {id}.", next_step=f"name one of: {known}."
        )


def load(root: Path) -> Catalogue:
    """The catalogue below `root`: `partners/`, `feeds/`, `agreements/`, `codes/`, one TOML file each, named by its id."""
    if not (root / "feeds").is_dir():
        raise Misconfigured(
            Code.CATALOGUE_INVALID,
            f"{root} has no feeds/ folder.",
            next_step="point the site's `catalogue` at the catalogue.",
        )
    broken: list[Broken] = []
    texts: dict[Path, str] = {}
    partners = _read(root / "partners", Partner, broken, texts)
    code_lists = _read(root / "codes", CodeList, broken, texts)
    feeds = _read(root / "feeds", Feed, broken, texts)
    agreements = _read(root / "agreements", Agreement, broken, texts)
    for id in [id for id, feed in feeds.items() if feed.partner not in partners]:
        broken.append(_reference(root / "feeds" / f"{id}.toml", texts, "partner", "partner", feeds.pop(id).partner))
    for id, agreement in list(agreements.items()):
        wrong = _missing_reference(agreement, partners, feeds, code_lists)
        if wrong:
            broken.append(_reference(root / "agreements" / f"{id}.toml", texts, *wrong))
            del agreements[id]
    digests = {
        id: _digest(
            [texts[root / "agreements" / f"{id}.toml"]]
            + [texts[root / "codes" / f"{codes}.toml"] for codes in sorted(agreement.code_lists())]
        )
        for id, agreement in agreements.items()
    }
    return Catalogue(partners, feeds, agreements, code_lists, digests, tuple(broken))


def _missing_reference(
    agreement: Agreement, partners: Mapping[str, Partner], feeds: Mapping[str, Feed], code_lists: Mapping[str, CodeList]
) -> tuple[str, str, str] | None:
    """The key that names it, what it is, and its id."""
    for key in ("provider", "recipient"):
        if getattr(agreement, key) not in partners:
            return key, "partner", getattr(agreement, key)
    if agreement.feed not in feeds:
        return "feeds", "feed", agreement.feed
    if feeds[agreement.feed].partner != agreement.provider:
        return "provider", f"provider of feed {agreement.feed}", agreement.provider
    for codes in sorted(agreement.code_lists() - set(code_lists)):
        return "codes", "code list", codes
    return None


def _reference(path: Path, texts: Mapping[Path, str], key: str, what: str, id: str) -> Broken:
    line = _line_of(texts[path], (key,)) or _line_naming(texts[path], id)
    return Broken(path, line, f"names the {what} {id}, which the catalogue does not have or cannot read")


def _read(folder: Path, kind: type[_Kind], broken: list[Broken], texts: dict[Path, str]) -> dict[str, _Kind]:
    found: dict[str, _Kind] = {}
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
            if entry.id != path.stem:
                broken.append(Broken(path, _line_of(texts[path], ("id",)), "must have the id of its file name"))
            else:
                found[entry.id] = entry
    return found


def _invalid(path: Path, text: str, written: Mapping[str, object], error: ValidationError) -> Broken:
    faults = error.errors(include_input=False, include_url=False)
    first = faults[0]
    location = _keys(written, first["loc"], missing=first["type"] == "missing")
    message = first["msg"]
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


def _line_naming(text: str, id: str) -> int | None:
    named = re.compile(rf"""[^#]*["']{re.escape(id)}["']""")
    return next((number for number, line in enumerate(text.split("\n"), start=1) if named.match(line)), None)


def _digest(texts: list[str]) -> str:
    return hashlib.sha256("\x00".join(texts).encode()).hexdigest()
