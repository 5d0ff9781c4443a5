"""A token is turned back only for whom the agreement names, while it holds, and the ledger knows before anybody sees the value."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.core.errors import Code, Misconfigured, Refused, SafeconductError, Unavailable
from pipeline.edges.ledger import Entry, Kind, Ledger
from pipeline.edges.reversal import reverse
from tests.faults import Interrupted
from tests.stories import Story, agreement

TOKENS = """\
[columns.legal_name]
treatment = "tokenise"
domain = "name"
reversible_by = "example-customs"
reversal_clause = "D1"
clause = "D1"

[columns.tin]
treatment = "tokenise"
domain = "number"
reversible_by = "example-customs"
reversal_clause = "D1"
clause = "D1"

[columns.country]
treatment = "keep"
clause = "D1"
"""


@pytest.fixture
def tokens(story: Story) -> list[str]:
    """The tokens of names in the story's release, made of two columns of tokens."""
    story.says(agreement(columns=TOKENS))
    story.release()
    return [str(token) for token in story.rows()["legal_name"]]


def ask(
    story: Story, *tokens: str, column: str = "legal_name", partner: str = "example-customs", epoch: str = "1"
) -> list[str]:
    site = story.exchange.site
    catalogue = site.catalogue()
    asked = catalogue.agreement("story")
    return reverse(site, catalogue, asked, column, tokens, partner=partner, reference="2026/114", epoch=epoch)


def entries(story: Story) -> list[Entry]:
    return [entry for entry in story.exchange.site.ledger.entries() if entry.kind is Kind.REVERSED]


def refused(
    story: Story, kind: type[SafeconductError], code: Code, token: str, asks: Callable[[], object]
) -> SafeconductError:
    """It is refused so, says nothing of the token, and the ledger says nothing of it."""
    with pytest.raises(kind) as refusal:
        asks()
    assert refusal.value.code is code
    assert refusal.value.next_step
    assert token not in str(refusal.value)
    assert entries(story) == []
    return refusal.value


def test_the_named_partner_has_its_tokens_turned_back_in_order(story: Story, tokens: list[str]) -> None:
    names = ask(story, *tokens)
    assert len(names) == len(set(tokens)) == story.rows().height > 1
    assert set(names).isdisjoint(tokens)
    assert ask(story, *reversed(tokens)) == names[::-1]
    (kept,) = story.exchange.site.vault.kept(story.kept).deliveries
    assert kept.accepted == len(names)


def test_the_ledger_knows_for_whom_why_and_how_many(story: Story, tokens: list[str]) -> None:
    ask(story, *tokens[:3])
    (entry,) = entries(story)
    assert {key: entry.facts[key] for key in ("agreement", "column", "for", "reference", "tokens")} == {
        "agreement": "story",
        "column": "legal_name",
        "for": "example-customs",
        "reference": "2026/114",
        "tokens": 3,
    }
    assert tokens[0] not in str(entry)


def test_each_request_is_an_entry(story: Story, tokens: list[str]) -> None:
    ask(story, tokens[0])
    story.exchange.now += timedelta(seconds=1)
    ask(story, tokens[0])
    assert len(entries(story)) == 2


def test_where_the_ledger_cannot_be_written_no_value_is_told(story: Story, tokens: list[str]) -> None:
    def full() -> None:
        raise Unavailable(Code.STORAGE_FULL, "full.", next_step="rerun.")

    site = story.exchange.site
    store = Interrupted(site.vault.store.within("ledger"), at=0, by=full)
    catalogue = site.catalogue()
    with pytest.raises(Unavailable):
        reverse(
            replace(
                site, ledger=Ledger(store, site.publication.store.within("ledger"), site.keyring, site.ledger.origin)
            ),
            catalogue,
            catalogue.agreement("story"),
            "legal_name",
            tokens,
            partner="example-customs",
            reference="2026/114",
            epoch="1",
        )


@pytest.mark.parametrize("partner", ["eu-customs", "nobody", "", "Example-Customs"])
def test_nobody_else_has_a_token_turned_back(story: Story, tokens: list[str], partner: str) -> None:
    error = refused(story, Refused, Code.REVERSAL_FORBIDDEN, tokens[0], lambda: ask(story, tokens[0], partner=partner))
    assert "example-customs" in error.next_step


@pytest.mark.parametrize("column", ["country", "street", "shoe_size"])
def test_only_a_column_of_tokens_is_turned_back(story: Story, tokens: list[str], column: str) -> None:
    refused(story, Refused, Code.REVERSAL_FORBIDDEN, tokens[0], lambda: ask(story, tokens[0], column=column))


def test_a_pseudonym_is_never_turned_back(story: Story) -> None:
    said = '[columns.legal_name]\ntreatment = "pseudonymise"\ndomain = "name"\nclause = "D1"\n'
    story.says(agreement(columns=said))
    story.release()
    pseudonym = story.rows()["legal_name"][0]
    refused(story, Refused, Code.REVERSAL_FORBIDDEN, pseudonym, lambda: ask(story, pseudonym))


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-4],
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token[:10] + ("A" if token[10] != "A" else "B") + token[11:],
        lambda token: token.replace("t1.", "t2."),
        lambda token: f"{token} ",
        lambda _: "",
        lambda _: "t1." + "A" * 64,
        lambda _: "CANARYVALUE7731",
    ],
    ids=["cut", "its end", "its middle", "version", "a space", "nothing", "made up", "a value"],
)
def test_a_wrong_token_is_refused_and_turns_the_whole_request_down(
    story: Story, tokens: list[str], change: Callable[[str], str]
) -> None:
    wrong = change(tokens[0])
    refused(story, Refused, Code.TOKEN_INVALID, wrong or "\0", lambda: ask(story, tokens[1], wrong))


def test_a_token_of_another_column_or_epoch_is_refused(story: Story, tokens: list[str]) -> None:
    other = str(story.rows()["tin"][0])
    refused(story, Refused, Code.TOKEN_INVALID, other, lambda: ask(story, other))
    refused(story, Refused, Code.TOKEN_INVALID, tokens[0], lambda: ask(story, tokens[0], epoch="2"))


def test_a_token_of_an_earlier_epoch_is_turned_back_by_naming_it(story: Story, tokens: list[str]) -> None:
    before = ask(story, tokens[0])
    story.says(agreement(columns=TOKENS, top='pseudonym_epoch = "2"'))
    assert ask(story, tokens[0], epoch="1") == before


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (agreement(columns=TOKENS, ends="2026-01-01"), Code.AGREEMENT_EXPIRED),
        (agreement(columns=TOKENS, begins="2039-01-01"), Code.AGREEMENT_NOT_IN_FORCE),
        (agreement(columns=TOKENS).replace('"active"', '"suspended"'), Code.AGREEMENT_NOT_ACTIVE),
        (agreement(columns=TOKENS).replace('"active"', '"terminated"'), Code.AGREEMENT_NOT_ACTIVE),
    ],
    ids=["expired", "not yet in force", "suspended", "terminated"],
)
def test_an_agreement_that_does_not_hold_turns_nothing_back(
    story: Story, tokens: list[str], text: str, code: Code
) -> None:
    story.says(text)
    refused(story, Refused, code, tokens[0], lambda: ask(story, tokens[0]))


def test_an_amendment_that_names_another_takes_the_right_away(story: Story, tokens: list[str]) -> None:
    story.says(agreement(columns=TOKENS, ends="2026-06-01"))
    changed = TOKENS.replace('reversible_by = "example-customs"', 'reversible_by = "police-liaison"')
    story.says(agreement(version=2, columns=changed, begins="2026-06-01"), version=2)
    refused(story, Refused, Code.REVERSAL_FORBIDDEN, tokens[0], lambda: ask(story, tokens[0]))
    assert ask(story, tokens[0], partner="police-liaison")


def test_an_agreement_that_was_edited_after_it_was_signed_turns_nothing_back(story: Story, tokens: list[str]) -> None:
    story.wants_signatures()
    officer = story.officer()
    refused(story, Refused, Code.AGREEMENT_UNSIGNED, tokens[0], lambda: ask(story, tokens[0]))
    officer.signs(*story.files)
    assert ask(story, tokens[0])
    story.says(agreement(columns=TOKENS.replace('reversible_by = "example-customs"', 'reversible_by = "eu-customs"')))
    with pytest.raises(Refused) as refusal:
        ask(story, tokens[0], partner="eu-customs")
    assert refusal.value.code is Code.AGREEMENT_UNSIGNED


def test_an_agreement_that_cannot_be_read_turns_nothing_back(story: Story, tokens: list[str]) -> None:
    story.path.write_text("not TOML", encoding="utf-8")
    refused(story, Misconfigured, Code.CATALOGUE_INVALID, tokens[0], lambda: ask(story, tokens[0]))
