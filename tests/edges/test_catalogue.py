"""A catalogue on disk: what is fine is usable whatever else is broken, and what is broken is named with its line."""

import re
from pathlib import Path

import pytest

from pipeline.core.agreement import FilterTerms
from pipeline.core.errors import Code, Misconfigured
from pipeline.core.redaction import check_names
from pipeline.edges.catalogue import Broken, Catalogue, load
from pipeline.edges.schemas import schema_of

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
AGREEMENT = """\
id = "exchange"
title = "A test"
instrument = "None"
confidence = "design"
provider = "giver"
recipient = "taker"
feeds = ["members"]
status = "active"
format = "csv"
in_force = { from = 2020-01-01T00:00:00Z, until = 2030-01-01T00:00:00Z }
purposes = { allow = ["control"], declared = "control", clause = "Art. 1" }

[[rows]]
name = "first"
any = [
    { column = "country", any_of = ["NO", "DE"] },
    { column = "country", in_codes = "lands" },
]
clause = "Art. 1"

[[rows]]
name = "second"
clause = "Art. 1"

[[rows.all]]
column = "country"
at_least = "A"

[[rows.all]]
column = "status"
in_codes = "lands"

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

[handling]
tlp = "AMBER"
onward = "none"

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


def partner(id: str) -> str:
    return f'id = "{id}"\ntitle = "A partner"\nrole = "customs"\ncountry = "NOR"\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A fine catalogue of one agreement."""
    files = {
        "partners/giver": partner("giver"),
        "partners/taker": partner("taker"),
        "feeds/members": FEED,
        "agreements/exchange": AGREEMENT,
        "codes/lands": LANDS,
        "codes/terms": TERMS,
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
    """The one file that is broken once `name` holds `text`."""
    path = write(root, name, text)
    (broken,) = [one for one in load(root).broken if one.path == path]
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
    assert set(catalogue.digests) == {"exchange"}


def test_the_catalogue_of_this_project_is_fine() -> None:
    catalogue = load(Path(__file__).parents[2] / "catalogue")
    assert catalogue.broken == ()
    assert len(catalogue.agreements) >= 4
    for agreement in catalogue.agreements.values():
        columns = schema_of(catalogue.feed(agreement.feed)).columns
        check_names(agreement, columns, dict(catalogue.code_lists))


def test_norway_and_other_words_stay_text(root: Path) -> None:
    codes = load(root).code_lists["lands"].codes
    assert codes == ("NO", "DE", "ON", "NULL", "1E5")
    assert load(root).agreement("exchange").rows[0].any[0].any_of == ("NO", "DE")


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
    assert set(catalogue.agreements) == set(catalogue.digests) == {"fine"}
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
    assert {one.path.stem: one.line for one in catalogue.broken} == {"members": 5, "exchange": 7}
    assert "feed members" in next(one.message for one in catalogue.broken if one.path.stem == "exchange")


def test_what_nobody_wrote_is_not_found(root: Path) -> None:
    catalogue = load(root)
    for ask, known in ((catalogue.feed, "members"), (catalogue.agreement, "exchange")):
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
    assert load(tmp_path) == Catalogue({}, {}, {}, {}, {}, ())


# Lines


@pytest.mark.parametrize(
    ("old", "new", "at"),
    [
        ('status = "active"', "status = active", "status = active"),
        ("[handling]", "[handling", "[handling"),
        ('title = "two"', 'title = "two', 'title = "two'),
        ('tlp = "AMBER"', 'tlp = "AMBER"\ntlp = "RED"', 'tlp = "RED"'),
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
    ('status = "active"', 'status = "alive"', 'status = "alive"', "status: "),
    ('feeds = ["members"]', "feeds = []", "feeds = []", "feeds: "),
    ("from = 2020-01-01T00:00:00Z", "from = 2020-01-01T00:00:00", "in_force =", "in_force.from: "),
    ('declared = "control"', 'declared = "Control"', "purposes =", "purposes.declared: "),
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
    ('tlp = "AMBER"', f'tlp = "{CANARY}"', "tlp = ", "handling.tlp: "),
    ('tlp = "AMBER"\n', "", "[handling]", "handling.tlp: Field required"),
    ('clock = "released"', 'clock = "loaded"', 'clock = "loaded"', "handling.retention.clock: "),
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
    text = AGREEMENT.replace('[handling]\ntlp = "AMBER"', '[handling]\n"tlp" = "AMBER"').replace(
        '[handling.retention]\ndelete_after = "P1Y"\nclock = "released"\nclause = "Art. 3"',
        'retention.delete_after = "P1Y"\nretention . clock = "loaded"\nretention.clause = "Art. 3"',
    )
    assert broken_by(root, "agreements/exchange", text).line == line_of(text, "retention . clock")


def test_a_line_is_counted_as_an_editor_counts(root: Path) -> None:
    """Only a line feed ends a line of TOML, also where Python sees more."""
    text = AGREEMENT.replace('title = "A test"', 'title = "A\u2028test\u0085"').replace('"AMBER"', '"BLUE"')
    assert broken_by(root, "agreements/exchange", text).line == line_of(text, 'tlp = "BLUE"')
    windows = AGREEMENT.replace('"AMBER"', '"BLUE"')
    assert broken_by(root, "agreements/exchange", windows.replace("\n", "\r\n")).line == line_of(windows, "tlp")


def test_more_faults_than_the_first_are_counted(root: Path) -> None:
    text = AGREEMENT.replace('"AMBER"', '"BLUE"').replace('"active"', '"alive"')
    assert broken_by(root, "agreements/exchange", text).message.endswith("(and 1 more)")


def test_an_unknown_treatment_is_not_repeated_but_the_known_ones_are_named(root: Path) -> None:
    broken = broken_by(root, "agreements/exchange", AGREEMENT.replace('"mask"', f'"{CANARY}"'))
    assert "'mask'" in broken.message
    assert "'pseudonymise'" in broken.message


def test_a_file_must_have_the_id_of_its_name(root: Path) -> None:
    broken = broken_by(root, "partners/taker", partner("other"))
    assert (broken.line, broken.message) == (1, "must have the id of its file name")


# References


@pytest.mark.parametrize(
    ("old", "new", "at", "named"),
    [
        ('provider = "giver"', 'provider = "nobody"', "provider", "partner nobody"),
        ('recipient = "taker"', 'recipient = "nobody"', "recipient", "partner nobody"),
        ('feeds = ["members"]', 'feeds = ["nothing"]', "feeds", "feed nothing"),
        ('provider = "giver"', 'provider = "taker"', "provider", "provider of feed members taker"),
        ('codes = "terms"', 'codes = "gone"', 'codes = "gone"', "code list gone"),
        (
            'column = "status"\nin_codes = "lands"',
            'column = "status"\nin_codes = "gone"',
            'in_codes = "gone"',
            "list gone",
        ),
        ('"country", in_codes = "lands"', '"country", in_codes = "gone"', 'in_codes = "gone"', "code list gone"),
    ],
)
def test_what_an_agreement_names_must_be_in_the_catalogue(root: Path, old: str, new: str, at: str, named: str) -> None:
    text = AGREEMENT.replace(old, new, 1)
    broken = broken_by(root, "agreements/exchange", text)
    assert broken.line == line_of(text, at)
    assert named in broken.message


def test_the_partner_of_a_feed_must_be_in_the_catalogue(root: Path) -> None:
    broken = broken_by(root, "feeds/members", FEED.replace('"giver"', '"nobody"'))
    assert (broken.line, "partner nobody" in broken.message) == (3, True)


# Digests


def test_an_agreement_has_another_digest_when_it_or_a_code_list_it_leans_on_changes(root: Path) -> None:
    write(root, "codes/unused", LANDS.replace('"lands"', '"unused"'))
    before = load(root).digests["exchange"]
    assert re.fullmatch("[0-9a-f]{64}", before)
    assert load(root).digests["exchange"] == before

    write(root, "codes/unused", LANDS.replace('"lands"', '"unused"').replace('"DE"', '"FR"'))
    write(root, "partners/taker", partner("taker") + "# a comment\n")
    assert load(root).digests["exchange"] == before

    seen = {before}
    for name, text in {
        "agreements/exchange": AGREEMENT.replace("keep_first = 2", "keep_first = 3"),
        "codes/lands": LANDS.replace('"DE"', '"FR"'),
        "codes/terms": TERMS.replace('"DE"', '"FR"'),
    }.items():
        write(root, name, text)
        seen.add(load(root).digests["exchange"])
    assert len(seen) == 4


def test_text_moved_from_one_file_to_the_next_changes_the_digest(root: Path) -> None:
    before = load(root).digests["exchange"]
    write(root, "agreements/exchange", AGREEMENT + "# tail\n")
    write(root, "codes/lands", LANDS)
    with_tail = load(root).digests["exchange"]
    write(root, "agreements/exchange", AGREEMENT)
    write(root, "codes/lands", "# tail\n" + LANDS)
    assert len({before, with_tail, load(root).digests["exchange"]}) == 3


def test_every_code_list_that_a_treatment_names_is_in_the_digest() -> None:
    """Of the real catalogue: an agreement that filters leans on its list."""
    catalogue = load(Path(__file__).parents[2] / "catalogue")
    filtering = [
        one for one in catalogue.agreements.values() if any(isinstance(t, FilterTerms) for t in one.columns.values())
    ]
    assert filtering
    assert all(one.code_lists() <= set(catalogue.code_lists) for one in filtering)
