"""A catalogue on disk: what is fine is usable whatever else is broken, and what is broken is named with its line."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.core.errors import Code, Misconfigured
from pipeline.core.language.treatment import FilterTerms
from pipeline.edges.catalogue import Broken, Catalogue, load
from pipeline.edges.permission import faults_of

CANARY = "CANARYVALUE7731"

FEED = """\
id = "members"
title = "A feed"
partner = "giver"
schema = "members"
format = { kind = "csv" }

[acceptance]
max_rejected_share = 0.05
"""
INSTRUMENT = """\
id = "treaty"
title = "A treaty"
kind = "treaty"
citation = "OJ L 1"
parties = ["Giver", "Taker"]
programme = "Tests"
confidence = "found"
source = "test"
status = "in force"
exchanges_records = true

[clauses."Art. 1"]
says = "What it is for"
confidence = "found"

[clauses."Art. 2"]
says = "What may be exchanged"
confidence = "found"
permits = ["direct identifier"]

[clauses."Art. 3"]
says = "How long"
confidence = "memory"
"""
AGREEMENT = """\
id = "exchange"
title = "A test"
instrument = "treaty"
provider = "giver"
recipient = "taker"
feeds = ["members"]
status = [{ to = "active", since = 2020-01-01T00:00:00Z, reason = "signed" }]
format = "csv"
in_force = { from = 2020-01-01T00:00:00Z, until = 2030-01-01T00:00:00Z }
requires = ["case"]

[purposes.control]
clause = "Art. 1"

[conditions.case]
kind = "case-reference"
clause = "Art. 1"

[declared]
purpose = "control"

[clauses.D1]
says = "Our choice"
confidence = "design"

[[rows]]
name = "first"
any = [
    { column = "country", any_of = ["NO", "DE"] },
    { column = "country", in_codes = "lands" },
]
clause = "Art. 1"

[[rows]]
name = "second"
clause = "Art. 1; D1"

[[rows.all]]
column = "country"
at_least = "A"

[[rows.all]]
column = "status"
in_codes = "lands"

[[rows.all]]
not = { column = "status", in_codes = "ended" }

[columns.country] # a comment
treatment = "keep"
clause = "Art. 2"

[columns.remarks]
treatment = "filter-terms"
codes = "terms"
clause = "Art. 2"

[columns.name]
treatment = "mask"
keep_first = 2
until = "P6M"
clause = "Art. 2"

[columns.place]
treatment = "generalise-code"
hierarchy = "places"
to = "continent"
clause = "Art. 2"

[handling]
marking = { tlp = "AMBER" }
onward = { default = "deny", with = ["case"], says = "Not without asking", clause = "Art. 3" }

[handling.retention]
delete_after = "P1Y"
clock = "released"
clause = "Art. 3"

[[cases]]
title = "one"
not_released = "first"

[cases.row]
country = "SE"

[[cases]]
title = "two"

[cases.row]
country = "NO"

[cases.released]
country = "NO"
"""
LANDS = """\
id = "lands"
title = "Lands"
agreed_on = 2026-01-01
source = "test"
codes = ["NO", "DE", "ON", "NULL", "1E5"]
"""
TERMS = LANDS.replace('"lands"', '"terms"')
ENDED = LANDS.replace('"lands"', '"ended"')
PLACES = """\
id = "places"
title = "Places"
agreed_on = 2026-01-01
source = "test"
levels = ["country", "continent"]

[parents]
OSL = ["NO", "EUROPE"]
"""
FIRST = AGREEMENT.replace("until = 2030-01-01", "until = 2025-01-01")
SECOND = AGREEMENT.replace('id = "exchange"', 'id = "exchange"\nversion = 2').replace(
    "from = 2020-01-01T00:00:00Z, until = 2030", "from = 2025-01-01T00:00:00Z, until = 2035"
)
THIRD = SECOND.replace("version = 2", "version = 3").replace(
    "from = 2025-01-01T00:00:00Z, until = 2035", "from = 2035-01-01T00:00:00Z, until = 2045"
)


def partner(id: str, more: str = "") -> str:
    return f'id = "{id}"\ntitle = "A partner"\nrole = "customs"\ncountry = "NOR"\n{more}'


def community(id: str, *members: str) -> str:
    return partner(id, f'audience = "community"\nmembers = [{", ".join(map(quoted, members))}]\n')


def quoted(word: str) -> str:
    return f'"{word}"'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A fine catalogue of one agreement."""
    files = {
        "partners/giver": partner("giver"),
        "partners/taker": partner("taker"),
        "feeds/members": FEED,
        "instruments/treaty": INSTRUMENT,
        "agreements/exchange": AGREEMENT,
        "codes/lands": LANDS,
        "codes/terms": TERMS,
        "codes/ended": ENDED,
        "hierarchies/places": PLACES,
    }
    for name, text in files.items():
        path = tmp_path / f"{name}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def write(root: Path, name: str, text: str | bytes) -> Path:
    path = root / f"{name}.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def broken_by(root: Path, name: str, text: str | bytes) -> Broken:
    """What is wrong first with the file `name` once it holds `text`."""
    path = write(root, name, text)
    broken = next(one for one in load(root).broken if one.path == path)
    assert CANARY not in broken.message
    return broken


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_a_fine_catalogue_is_read_whole(root: Path) -> None:
    catalogue = load(root)
    assert catalogue.broken == ()
    assert catalogue.agreement("exchange").recipient == "taker"
    assert catalogue.feed("members").partner == "giver"
    assert [agreement.id for agreement in catalogue.agreements_of("members")] == ["exchange"]
    assert catalogue.agreements_of("other") == ()
    assert [agreement.version for agreement in catalogue.versions["exchange"]] == [1]
    assert catalogue.instrument("treaty").citation == "OJ L 1"
    assert catalogue.path_of(catalogue.agreement("exchange")) == root / "agreements/exchange.toml"


def test_the_catalogue_of_this_project_is_fine() -> None:
    catalogue = load(Path(__file__).parents[2] / "catalogue")
    assert catalogue.broken == ()
    assert len(catalogue.agreements) >= 4
    for agreement in catalogue.agreements.values():
        assert list(faults_of(catalogue, agreement)) == []


def test_norway_and_other_words_stay_text(root: Path) -> None:
    codes = load(root).code_lists["lands"].codes
    assert codes == ("NO", "DE", "ON", "NULL", "1E5")
    assert next(asks.any_of for asks in load(root).agreement("exchange").questions()) == ("NO", "DE")


@pytest.mark.parametrize("bare", ["NO", "no", "off", "1", "true", "2026-01-01"])
def test_what_is_not_quoted_is_not_taken_for_text(root: Path, bare: str) -> None:
    broken = broken_by(root, "codes/lands", LANDS.replace('"NO"', bare))
    assert broken.line == 5


# One broken file

BREAKAGE: dict[str, str | bytes] = {
    "syntax": AGREEMENT.replace('id = "exchange"', "id = "),
    "not UTF-8": b"\xff\xfe" + AGREEMENT.encode(),
    "UTF-8 with a mark": b"\xef\xbb\xbf" + AGREEMENT.encode(),
    "empty": "",
    "binary": bytes(range(256)),
    "unknown key": f'surprise = "{CANARY}"\n' + AGREEMENT,
    "number of 5000 digits": "x = " + "1" * 5000 + "\n" + AGREEMENT,
    "brackets in thousands": "x = " + "[" * 5000 + "]" * 5000 + "\n" + AGREEMENT,
    "another id": AGREEMENT.replace('id = "exchange"', 'id = "other"'),
    "unknown partner": AGREEMENT.replace('"taker"', '"nobody"'),
}


@pytest.mark.parametrize("how", sorted(BREAKAGE))
def test_one_broken_file_does_not_hide_the_others(root: Path, how: str) -> None:
    write(root, "agreements/fine", AGREEMENT.replace('id = "exchange"', 'id = "fine"'))
    broken = broken_by(root, "agreements/exchange", BREAKAGE[how])
    catalogue = load(root)
    assert len(catalogue.broken) == 1
    assert set(catalogue.agreements) == set(catalogue.versions) == {"fine"}
    assert catalogue.is_broken("agreements", "exchange")
    assert not catalogue.is_broken("agreements", "fine")
    assert not catalogue.is_broken("feeds", "exchange")
    with pytest.raises(Misconfigured) as refused:
        catalogue.agreement("exchange")
    assert refused.value.code is Code.CATALOGUE_INVALID
    assert broken.where in refused.value.message
    assert CANARY not in str(refused.value)


def test_a_file_that_cannot_be_read_does_not_hide_the_others(root: Path) -> None:
    (root / "agreements/folder.toml").mkdir()
    (root / "agreements/nowhere.toml").symlink_to(root / "gone")
    catalogue = load(root)
    assert {one.path.stem for one in catalogue.broken} == {"folder", "nowhere"}
    assert all("cannot be read" in one.message for one in catalogue.broken)
    assert set(catalogue.agreements) == {"exchange"}


def test_what_leans_on_a_broken_file_is_broken_too_and_says_so(root: Path) -> None:
    write(root, "feeds/members", FEED.replace("csv", "xlsx"))
    catalogue = load(root)
    assert {one.path.stem: one.line for one in catalogue.broken} == {"members": 5, "exchange": 6}
    assert "feed members" in next(one.message for one in catalogue.broken if one.path.stem == "exchange")


def test_what_nobody_wrote_is_not_found(root: Path) -> None:
    catalogue = load(root)
    for ask, known in (
        (catalogue.feed, "members"),
        (catalogue.agreement, "exchange"),
        (catalogue.instrument, "treaty"),
    ):
        with pytest.raises(Misconfigured) as refused:
            ask("nobody")
        assert refused.value.code is Code.NOT_FOUND
        assert known in refused.value.next_step


def test_a_folder_that_is_no_catalogue_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as refused:
        load(tmp_path)
    assert refused.value.code is Code.CATALOGUE_INVALID


def test_a_catalogue_without_agreements_is_fine(tmp_path: Path) -> None:
    (tmp_path / "feeds").mkdir()
    assert load(tmp_path) == Catalogue({}, {}, {}, {}, {}, {}, {}, {}, tmp_path, ())


# Lines


@pytest.mark.parametrize(
    ("old", "new", "at"),
    [
        ('format = "csv"', "format = csv", "format = csv"),
        ("[handling]", "[handling", "[handling"),
        ('title = "two"', 'title = "two', 'title = "two'),
        ('purpose = "control"', 'purpose = "control"\npurpose = "other"', 'purpose = "other"'),
        ("[columns.name]", "[columns.country]", '[columns.country]\ntreatment = "mask"'),
    ],
)
def test_a_syntax_error_is_shown_at_its_line(root: Path, old: str, new: str, at: str) -> None:
    text = AGREEMENT.replace(old, new, 1)
    broken = broken_by(root, "agreements/exchange", text)
    assert broken.line == line_of(text, at)
    assert "is not TOML" in broken.message


FAULTS = [
    # (what stands there, what shall stand there, the line that is named holds, the path in the message)
    ('to = "active"', 'to = "alive"', "status =", "status.0.to: "),
    ("since = 2020-01-01T00:00:00Z", "since = 2020-01-01", "status =", "status.0.since: "),
    (', reason = "signed"', "", "status =", "status.0.reason: Field required"),
    ('kind = "case-reference"', 'kind = "case"', "[conditions.case]", "conditions.case: "),
    ('confidence = "design"', 'confidence = "sure"', 'confidence = "sure"', "clauses.D1.confidence: "),
    ('format = "csv"', 'format = "csv"\nversion = 0', "version = 0", "version: "),
    ('feeds = ["members"]', "feeds = []", "feeds = []", "feeds: "),
    ("from = 2020-01-01T00:00:00Z", "from = 2020-01-01T00:00:00", "in_force =", "in_force.from: "),
    ('purpose = "control"', 'purpose = "Control"', 'purpose = "Control"', "declared.purpose: "),
    ("declared]\npurpose", "declared]\nconsents = 1\npurpose", "consents = 1", "declared.consents: "),
    ('name = "first"', 'name = "First"', 'name = "First"', "rows.0.name: "),
    ('{ column = "country", in_codes = "lands" }', '{ column = "country" }', "any = [", "rows.0.any.1: "),
    ('name = "second"', 'name = "second"\notherwise = "never"', "otherwise", "rows.1.otherwise: "),
    ('at_least = "A"', "at_least = 1", "at_least = 1", "rows.1.all.0.at_least: "),
    ('column = "status"\n', 'column = "status"\nextra = 1\n', "extra = 1", "rows.1.all.1.extra: "),
    ('treatment = "keep"', 'treatment = "kept"', "[columns.country]", "columns.country: "),
    ('codes = "terms"', 'codes = "TERMS"', 'codes = "TERMS"', "columns.remarks.codes: "),
    ("keep_first = 2", "keep_first = 9", "keep_first = 9", "columns.name.keep_first: "),
    ('until = "P6M"', 'until = "6M"', 'until = "6M"', "columns.name.until: "),
    ("keep_first = 2\n", f'keep_first = 2\ndomain = "{CANARY}"\n', "domain = ", "columns.name.domain: "),
    ('[columns.name]\ntreatment = "mask"', "[columns.name]", "[columns.name]", "columns.name: "),
    ('tlp = "AMBER"', f'tlp = "{CANARY}"', "marking = ", "handling.marking.tlp: "),
    ('marking = { tlp = "AMBER" }\n', "", "[handling]", "handling.marking: Field required"),
    ('default = "deny"', 'default = "maybe"', "onward = ", "handling.onward.default: "),
    ('clock = "released"', 'clock = "now"', 'clock = "now"', "handling.retention.clock: "),
    ('clock = "released"', 'clock = "date"', "[handling.retention]", "handling.retention: "),
    ('country = "SE"', "country = 5", "country = 5", "cases.0.row.country: "),
    ('[cases.released]\ncountry = "NO"', "[cases.released]\ncountry = 6", "country = 6", "cases.1.released.country: "),
    ('[cases.released]\ncountry = "NO"', "", '[[cases]]\ntitle = "two"', "cases.1: "),
    ("[columns.country]", "[columns.Country]", "[columns.Country]", "columns.Country"),
    ("[columns.country]", '[columns."country of birth"]', '[columns."country', "columns.country of birth"),
]


@pytest.mark.parametrize(("old", "new", "at", "path"), FAULTS)
def test_a_fault_is_shown_at_its_line_and_path(root: Path, old: str, new: str, at: str, path: str) -> None:
    assert AGREEMENT.count(old) >= 1
    text = AGREEMENT.replace(old, new, 1)
    broken = broken_by(root, "agreements/exchange", text)
    assert (broken.line, broken.message[: len(path)]) == (line_of(text, at), path)
    assert broken.where == f"{broken.path}:{broken.line}"


def test_a_dotted_key_has_its_line_too(root: Path) -> None:
    text = AGREEMENT.replace('marking = { tlp = "AMBER" }', 'marking."tlp" = "AMBER"').replace(
        '[handling.retention]\ndelete_after = "P1Y"\nclock = "released"\nclause = "Art. 3"',
        'retention.delete_after = "P1Y"\nretention . clock = "soon"\nretention.clause = "Art. 3"',
    )
    assert broken_by(root, "agreements/exchange", text).line == line_of(text, "retention . clock")


def test_a_line_is_counted_as_an_editor_counts(root: Path) -> None:
    """Only a line feed ends a line of TOML, also where Python sees more."""
    text = AGREEMENT.replace('title = "A test"', 'title = "A\u2028test\u0085"').replace('"AMBER"', '"BLUE"')
    assert broken_by(root, "agreements/exchange", text).line == line_of(text, "marking = ")
    windows = AGREEMENT.replace('"AMBER"', '"BLUE"')
    assert broken_by(root, "agreements/exchange", windows.replace("\n", "\r\n")).line == line_of(windows, "marking = ")


def test_more_faults_than_the_first_are_counted(root: Path) -> None:
    text = AGREEMENT.replace('"AMBER"', '"BLUE"').replace('"deny"', '"maybe"')
    assert broken_by(root, "agreements/exchange", text).message.endswith("(and 1 more)")


def test_an_unknown_treatment_is_not_repeated_but_the_known_ones_are_named(root: Path) -> None:
    broken = broken_by(root, "agreements/exchange", AGREEMENT.replace('"mask"', f'"{CANARY}"'))
    assert "'mask'" in broken.message
    assert "'pseudonymise'" in broken.message


def test_a_file_must_have_the_id_of_its_name(root: Path) -> None:
    broken = broken_by(root, "partners/taker", partner("other"))
    assert (broken.line, broken.message) == (1, "id: by its id and version the file must be named other.toml")


# References

REFERENCES = [
    # (what stands there, what shall stand there, the line that is named holds, the path, what the message names)
    ('provider = "giver"', 'provider = "nobody"', 'provider = "nobody"', "provider", "partner nobody"),
    ('provider = "giver"', 'provider = "taker"', 'provider = "taker"', "provider", 'provider = "giver"'),
    ('recipient = "taker"', 'recipient = "nobody"', "recipient", "recipient", "partner nobody"),
    ('feeds = ["members"]', 'feeds = ["nothing"]', "feeds", "feeds", "feed nothing"),
    ('instrument = "treaty"', 'instrument = "song"', "instrument", "instrument", "instrument song"),
    ('codes = "terms"', 'codes = "gone"', 'codes = "gone"', "columns.remarks.codes", "code list gone"),
    ('"status"\nin_codes = "lands"', '"status"\nin_codes = "gone"', 'in_codes = "gone"', "rows.1.all.1.in_codes", "gone"),
    ('"country", in_codes = "lands"', '"country", in_codes = "gone"', "any = [", "rows.0.any.1.in_codes", "gone"),
    ('in_codes = "ended"', 'in_codes = "gone"', "not = {", "rows.1.all.2.not.in_codes", "gone"),
    ('hierarchy = "places"', 'hierarchy = "gone"', "hierarchy", "columns.place.hierarchy", "hierarchy gone"),
    ('to = "continent"', 'to = "planet"', 'to = "planet"', "columns.place.to", "country, continent"),
    ('requires = ["case"]', 'requires = ["gone"]', "requires", "requires", "condition gone"),
    ('with = ["case"]', 'with = ["gone"]', "onward =", "handling.onward.with", "condition gone"),
    ('clause = "Art. 1"\n\n[cond', 'clause = "Art. 9"\n\n[cond', "Art. 9", "purposes.control.clause", "Art. 9"),
    ('clause = "Art. 1; D1"', 'clause = "Art. 1; D2"', "D2", "rows.1.clause", "D2"),
    ('"Not without asking", clause = "Art. 3"', '"No", clause = "Art. 4"', "onward =", "handling.onward.clause", "Art. 4"),
    ('clause = "Art. 3"\n\n[[cases]]', 'clause = "Art. 4"\n\n[[cases]]', "Art. 4", "handling.retention.clause", "Art. 4"),
    ("[columns.country] # a comment\ntreatment = \"keep\"\nclause = \"Art. 2\"", "[columns.country]\ntreatment = \"keep\"\nclause = \"Art. 7\"", "Art. 7", "columns.country.clause", "Art. 7"),
]  # fmt: skip

CONTRADICTIONS = [
    ('purpose = "control"', 'purpose = "fun"', 'purpose = "fun"', "declared.purpose", "control"),
    ('tlp = "AMBER"', 'tlp = "RED"', "marking =", "handling.marking", "TLP:RED"),
    ('tlp = "AMBER"', 'tlp = "AMBER", cui = ["PRVCY"], designated_by = ["DHS"], controls = ["NOFORN"]', "marking =", "handling.marking", "NOFORN"),
    ('tlp = "AMBER"', 'tlp = "AMBER", controls = ["NOFORN"]', "marking =", "handling.marking", "cui"),
    ('confidence = "design"', 'confidence = "found"', 'confidence = "found"', "clauses.D1.confidence", "treaty.toml"),
    ("[clauses.D1]", '[clauses."Art. 2"]', '[clauses."Art. 2"]', "clauses.Art. 2", "treaty"),
    ("from = 2020-01-01T00:00:00Z, until = 2030", "from = 2020-01-01T00:00:00Z, until = 2019", "in_force =", "in_force", "after"),
    ('reason = "signed" }]', 'reason = "signed" }, { to = "suspended", since = 2019-01-01T00:00:00Z, reason = "x" }]', "status =", "status", "order them"),
    ('to = "active"', 'to = "superseded", since = 2019-01-01T00:00:00Z, reason = "x" }, { to = "active"', "status =", "status", "new version"),
    ('at_least = "A"\n\n[[rows.all]]\ncolumn = "status"', 'any_of = ["SE"]\n\n[[rows.all]]\ncolumn = "country"', '[[rows]]\nname = "second"', "rows.1", "country"),
    ('name = "second"', 'name = "first"', '[[rows]]', "rows", "one name"),
    ('until = "P6M"', 'until = "P6M"\nclock = "date"', 'clock = "date"', "columns.name.clock", "handling.retention.column"),
    ("[handling]\n", '[risk]\ncolumns = ["name2"]\nsmallest_group = 2\notherwise = "refuse"\nclause = "D1"\n\n[handling]\n', "columns = [\"name2\"]", "risk.columns", "name2"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "at", "path", "named"), REFERENCES + CONTRADICTIONS)
def test_what_does_not_hang_together_is_shown_at_its_line_and_path(
    root: Path, old: str, new: str, at: str, path: str, named: str
) -> None:
    assert AGREEMENT.count(old) >= 1
    text = AGREEMENT.replace(old, new, 1)
    broken = broken_by(root, "agreements/exchange", text)
    assert broken.message.startswith(f"{path}: ")
    assert named in broken.message
    assert broken.line == line_of(text, at)


def test_an_agreement_cannot_rest_on_a_text_that_exchanges_no_records(root: Path) -> None:
    said = INSTRUMENT.partition("[clauses")[0].replace("exchanges_records = true", "exchanges_records = false")
    write(root, "instruments/treaty", said + 'commitments = ["To be friends"]\n')
    (broken,) = load(root).broken
    assert (broken.path.stem, broken.line) == ("exchange", 3)
    assert "no records" in broken.message


def test_a_partner_who_may_have_tokens_turned_back_must_be_known(root: Path) -> None:
    tokenise = 'treatment = "tokenise"\ndomain = "name"\nreversible_by = "nobody"\nreversal_clause = "Art. 2"'
    text = AGREEMENT.replace('treatment = "mask"\nkeep_first = 2', tokenise)
    broken = broken_by(root, "agreements/exchange", text)
    assert (broken.line, broken.keys) == (line_of(text, "reversible_by"), ("columns", "name", "reversible_by"))


@pytest.mark.parametrize("folder", ["codes", "hierarchies", "instruments", "feeds", "partners"])
def test_whatever_an_agreement_leans_on_is_broken_it_is_too(root: Path, folder: str) -> None:
    for path in (root / folder).iterdir():
        path.write_text("not TOML", encoding="utf-8")
    catalogue = load(root)
    assert catalogue.agreements == {}
    assert "agreements" in {one.path.parent.name for one in catalogue.broken}


def test_the_partner_of_a_feed_must_be_in_the_catalogue(root: Path) -> None:
    broken = broken_by(root, "feeds/members", FEED.replace('"giver"', '"nobody"'))
    assert (broken.line, "partner nobody" in broken.message) == (3, True)


# Communities


def test_a_community_has_its_members(root: Path) -> None:
    write(root, "partners/taker", community("taker", "one", "other"))
    write(root, "agreements/exchange", AGREEMENT.replace("AMBER", "GREEN"))
    for id in ("one", "other"):
        write(root, f"partners/{id}", partner(id))
    catalogue = load(root)
    assert catalogue.broken == ()
    assert [member.id for member in catalogue.members("taker")] == ["one", "other"]
    assert catalogue.members("giver") == ()


@pytest.mark.parametrize(
    ("members", "named"), [(("one", "nobody"), "partner nobody"), (("one", "inner"), "inner"), (("taker",), "taker")]
)
def test_a_community_needs_members_that_are_known_and_no_communities(
    root: Path, members: tuple[str, ...], named: str
) -> None:
    write(root, "partners/one", partner("one"))
    write(root, "partners/inner", community("inner", "nobody at all".replace(" ", "-")))
    broken = broken_by(root, "partners/taker", community("taker", *members))
    assert (broken.line, broken.keys) == (6, ("members",))
    assert named in broken.message
    assert "taker" not in load(root).partners
    assert load(root).is_broken("agreements", "exchange")


def test_a_community_goes_no_further_than_a_marking_lets_its_members(root: Path) -> None:
    write(root, "partners/taker", community("taker", "one"))
    write(root, "partners/one", partner("one"))
    write(root, "agreements/exchange", AGREEMENT.replace("AMBER", "GREEN"))
    assert load(root).broken == ()
    for tlp in ("AMBER", "AMBER+STRICT", "RED"):
        text = AGREEMENT.replace("AMBER", tlp)
        assert broken_by(root, "agreements/exchange", text).keys == ("handling", "marking")


# Versions


def at(year: int, month: int = 1) -> datetime:
    return datetime(year, month, 1, tzinfo=UTC)


@pytest.fixture
def amended(root: Path) -> Path:
    """The same with a second version, from 2025 on."""
    write(root, "agreements/exchange", FIRST)
    write(root, "agreements/exchange.v2", SECOND)
    return root


@pytest.mark.parametrize(("year", "version"), [(2000, 1), (2020, 1), (2024, 1), (2025, 2), (2034, 2), (2035, 2)])
def test_the_version_in_force_at_the_instant_is_used(amended: Path, year: int, version: int) -> None:
    catalogue = load(amended, at(year))
    assert catalogue.broken == ()
    assert catalogue.agreement("exchange").version == version
    assert [one.version for one in catalogue.versions["exchange"]] == [1, 2]
    assert (
        catalogue.path_of(catalogue.agreement("exchange")).name == {1: "exchange.toml", 2: "exchange.v2.toml"}[version]
    )


@pytest.mark.parametrize("ended", ["terminated", "superseded"])
def test_a_version_that_was_ended_gives_way_to_the_next(root: Path, ended: str) -> None:
    change = f'reason = "signed" }}, {{ to = "{ended}", since = 2024-06-01T00:00:00Z, reason = "amended" }}]'
    write(root, "agreements/exchange", AGREEMENT.replace('reason = "signed" }]', change))
    write(root, "agreements/exchange.v2", SECOND.replace("from = 2025-01-01", "from = 2024-06-01"))
    assert load(root).broken == ()
    assert [load(root, at(2024, month)).agreement("exchange").version for month in (5, 6, 7)] == [1, 2, 2]


def test_a_version_that_was_suspended_does_not_give_way(root: Path) -> None:
    change = 'reason = "signed" }, { to = "suspended", since = 2024-06-01T00:00:00Z, reason = "asked" }]'
    write(root, "agreements/exchange", AGREEMENT.replace('reason = "signed" }]', change))
    broken = broken_by(root, "agreements/exchange.v2", SECOND.replace("from = 2025-01-01", "from = 2024-06-01"))
    assert broken.keys == ("in_force",)


def test_versions_that_overlap_are_a_fault_that_names_both(amended: Path) -> None:
    broken = broken_by(amended, "agreements/exchange.v2", SECOND.replace("from = 2025-01-01", "from = 2024-12-31"))
    assert broken.line == line_of(SECOND, "in_force")
    assert "exchange.toml" in broken.message
    assert "version 2" in broken.message
    assert load(amended).agreements == {}
    with pytest.raises(Misconfigured) as refused:
        load(amended).agreement("exchange")
    assert "exchange.v2.toml" in refused.value.message


def test_a_version_overlaps_also_one_that_is_not_the_last_before_it(amended: Path) -> None:
    """The second was ended before it began, so that the third could begin at once: but the first still holds."""
    ended = 'reason = "signed" }, { to = "terminated", since = 2022-01-01T00:00:00Z, reason = "never came" }]'
    write(amended, "agreements/exchange.v2", SECOND.replace('reason = "signed" }]', ended))
    broken = broken_by(amended, "agreements/exchange.v3", THIRD.replace("from = 2035", "from = 2023"))
    assert "exchange.toml" in broken.message
    assert load(amended).agreements == {}
    write(amended, "agreements/exchange.v3", THIRD.replace("from = 2035", "from = 2025"))
    assert load(amended, at(2026)).agreement("exchange").version == 3


@pytest.mark.parametrize("how", ["is not TOML", "unknown key", "unknown partner", "overlapping", "another name"])
def test_a_version_that_cannot_be_used_makes_the_agreement_unusable(amended: Path, how: str) -> None:
    """It may have ended what the version before it allows."""
    name = "agreements/exchange.v2"
    match how:
        case "is not TOML":
            write(amended, name, SECOND + "[")
        case "unknown key":
            write(amended, name, "surprise = 1\n" + SECOND)
        case "unknown partner":
            write(amended, name, SECOND.replace('"taker"', '"nobody"'))
        case "overlapping":
            write(amended, name, SECOND.replace("from = 2025", "from = 2021"))
        case "another name":
            (amended / f"{name}.toml").rename(amended / "agreements/exchange-amended.toml")
    catalogue = load(amended, at(2021))
    assert catalogue.broken
    assert (catalogue.agreements, catalogue.versions) == ({}, {})
    with pytest.raises(Misconfigured) as refused:
        catalogue.agreement("exchange")
    assert refused.value.code in {Code.CATALOGUE_INVALID, Code.NOT_FOUND}


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [('recipient = "taker"', 'recipient = "giver"', "recipient"), ('["members"]', '["others"]', "feeds")],
)
def test_a_version_has_the_recipient_and_feeds_of_those_before_it(amended: Path, old: str, new: str, key: str) -> None:
    write(amended, "feeds/others", FEED.replace('id = "members"', 'id = "others"'))
    text = SECOND.replace(old, new)
    broken = broken_by(amended, "agreements/exchange.v2", text)
    assert (broken.keys, broken.line) == ((key,), line_of(text, key))
    assert "exchange.toml" in broken.message
    assert load(amended).agreements == {}


@pytest.mark.parametrize(
    ("file", "text", "named"),
    [
        ("exchange.v2", FIRST, "must be named exchange.toml"),
        ("exchange.v3", SECOND, "must be named exchange.v2.toml"),
        ("exchange.v02", SECOND, "must be named exchange.v2.toml"),
        ("exchange.v1", FIRST, "must be named exchange.toml"),
        ("other.v2", SECOND, "must be named exchange.v2.toml"),
        ("exchange.V2", SECOND, "must be named exchange.v2.toml"),
    ],
)
def test_a_file_is_named_by_id_and_version(root: Path, file: str, text: str, named: str) -> None:
    write(root, "agreements/exchange", FIRST)
    assert named in broken_by(root, f"agreements/{file}", text).message
    assert load(root).agreements == {}


def test_a_version_that_is_missing_between_two_is_a_fault(amended: Path) -> None:
    write(amended, "agreements/exchange.v3", THIRD)
    assert load(amended).broken == ()
    (amended / "agreements/exchange.v2.toml").unlink()
    (broken,) = load(amended).broken
    assert (broken.path.name, broken.keys) == ("exchange.v3.toml", ("version",))
    assert "version 2" in broken.message
    assert load(amended).agreements == {}


def test_an_amendment_without_what_it_amends_is_a_fault(amended: Path) -> None:
    (amended / "agreements/exchange.toml").unlink()
    (broken,) = load(amended).broken
    assert (broken.keys, load(amended).agreements) == (("version",), {})


# Digests


def digest(root: Path) -> str:
    catalogue = load(root, at(2021))
    return catalogue.digest(catalogue.agreement("exchange"))


def test_an_agreement_has_another_digest_when_it_or_a_list_it_leans_on_changes(root: Path) -> None:
    before = digest(root)
    assert re.fullmatch("[0-9a-f]{64}", before)
    assert digest(root) == before
    seen = {before}
    for name, text in {
        "agreements/exchange": AGREEMENT.replace("keep_first = 2", "keep_first = 3"),
        "codes/lands": LANDS.replace('"DE"', '"FR"'),
        "codes/terms": TERMS.replace('"DE"', '"FR"'),
        "codes/ended": ENDED.replace('"DE"', '"FR"'),
        "hierarchies/places": PLACES.replace('"EUROPE"', '"AFRICA"'),
        "feeds/members": FEED + "# a comment\n",
        "partners/taker": partner("taker") + "# a comment\n",
        "instruments/treaty": INSTRUMENT + "# a comment\n",
    }.items():
        write(root, name, text)
        seen.add(digest(root))
    assert len(seen) == 9


def test_nothing_else_changes_the_digest(root: Path) -> None:
    before = digest(root)
    write(root, "codes/unused", LANDS.replace('"lands"', '"unused"'))
    write(root, "partners/giver", partner("giver") + "# a comment\n")
    write(root, "agreements/exchange.v2", SECOND.replace("from = 2025", "from = 2030"))
    catalogue = load(root, at(2021))
    assert catalogue.broken == ()
    assert digest(root) == before
    assert catalogue.digest(catalogue.versions["exchange"][1]) != before


def test_text_moved_from_one_file_to_the_next_changes_the_digest(root: Path) -> None:
    before = digest(root)
    write(root, "agreements/exchange", AGREEMENT + "# tail\n")
    with_tail = digest(root)
    write(root, "agreements/exchange", AGREEMENT)
    write(root, "codes/ended", "# tail\n" + ENDED)  # the first list in the order of the digest
    assert len({before, with_tail, digest(root)}) == 3


def test_the_text_of_a_file_is_what_its_bytes_say(root: Path) -> None:
    """A signature is over the bytes: line ends must not be made other ones."""
    windows = AGREEMENT.replace("\n", "\r\n").encode()
    path = write(root, "agreements/exchange", windows)
    catalogue = load(root)
    assert catalogue.broken == ()
    assert catalogue.files_of(catalogue.agreement("exchange"))[path].encode() == windows


def test_every_code_list_that_a_treatment_names_is_in_the_digest() -> None:
    """Of the real catalogue: an agreement that filters leans on its list."""
    catalogue = load(Path(__file__).parents[2] / "catalogue")
    filtering = [
        one for one in catalogue.agreements.values() if any(isinstance(t, FilterTerms) for t in one.columns.values())
    ]
    assert filtering
    assert all(one.code_lists() <= set(catalogue.code_lists) for one in filtering)
