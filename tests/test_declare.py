"""`safeconduct declare` and `safeconduct reverse`: what is asked for, what is told, and that no value is shown to whom it is not for."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pipeline import cli
from pipeline.core.errors import Misconfigured, Refused
from pipeline.edges.ledger import Kind
from tests.edges.test_declarations import asking
from tests.edges.test_reversal import TOKENS
from tests.stories import Story, agreement, traders


def called(story: Story, *arguments: str, exit_code: int, given: str = "") -> Result:
    done = CliRunner(env={"COLUMNS": "300"}).invoke(
        cli.app, ["--site", str(story.exchange.site.directory), *arguments], input=given
    )
    assert done.exit_code == exit_code, done.output
    return done


def told(story: Story, *arguments: str, exit_code: int = 0, given: str = "") -> str:
    """Everything that the command says; it ends as expected."""
    return called(story, *arguments, exit_code=exit_code, given=given).output


def document(story: Story, *arguments: str) -> Any:
    return json.loads(called(story, *arguments, "--json", exit_code=0).stdout)


def kinds(story: Story) -> list[Kind]:
    return [entry.kind for entry in story.exchange.site.ledger.entries()]


@pytest.fixture
def asked(story: Story) -> Story:
    """The story, which needs a declaration with a case."""
    story.says(asking("case"))
    return story


def declare(story: Story, *more: str, name: str = "", **options: Any) -> str:
    call = ["declare", "story", name or story.kept, "--purpose", "crime", "--by", "j.example", *more]
    return told(story, *call, **options)


# declare


def test_a_declared_lot_is_released_by_the_next_run(asked: Story) -> None:
    before = told(asked, "replay", asked.kept, exit_code=Refused.exit_code)
    assert "purpose-missing" in before
    said = declare(asked, "--case", "2026/114")
    assert "case-reference" in said
    assert f"Declared for {asked.kept}: crime." in said
    assert Kind.DECLARED in kinds(asked)
    assert "1 step made" in told(asked, "run")
    assert asked.published().predicate["purpose"]["declared"] == "crime"


def test_a_missing_condition_says_which_option_shows_it_and_writes_nothing(asked: Story) -> None:
    said = declare(asked, exit_code=Refused.exit_code)
    assert "condition-missing" in said
    assert "--case REFERENCE" in said
    assert Kind.DECLARED not in kinds(asked)
    assert asked.exchange.site.declarations.last("story", asked.kept) is None


def test_each_condition_has_its_option(story: Story) -> None:
    story.says(asking("case", "offence", "understanding", "consent", "review", "notice", "order"))
    said = declare(
        story,
        *("--case", "1", "--years", "5", "--test", "by-a-group", "--understanding", "2"),
        *("--consent", "example-customs=3", "--reviewed-by", "r.example", "--notice", "member-state=4"),
        *("--authority", "court=5"),
    )
    assert "Declared for" in said
    told(story, "replay", story.kept)
    shown = {one["condition"]: one["by"] for one in story.published().predicate["purpose"]["conditions"]}
    assert list(shown) == ["case", "offence", "understanding", "consent", "review", "notice", "order"]
    assert shown["review"].startswith("r.example, ")


def test_a_dry_run_declares_nothing(asked: Story) -> None:
    assert "Would be declared" in declare(asked, "--case", "2026/114", "--dry-run")
    assert Kind.DECLARED not in kinds(asked)
    assert asked.exchange.site.declarations.last("story", asked.kept) is None


def test_a_machine_reads_what_was_declared(asked: Story) -> None:
    said = document(asked, "declare", "story", asked.kept, "--purpose", "crime", "--by", "j.example", "--case", "7")
    assert (said["agreement"], said["kept"], said["declared"]) == ("story", [asked.kept], True)
    assert said["conditions"][0]["by"] == "7"


@pytest.mark.parametrize("named_by", ["delivery", "lot", "release"])
def test_the_rows_are_named_by_their_delivery_lot_or_release(asked: Story, named_by: str) -> None:
    kept = asked.exchange.site.vault.kept(asked.kept)
    names = {
        "delivery": kept.deliveries[0].delivery[:12],
        "lot": kept.lot,
        "release": f"story.{kept.lot.split('.')[1]}",
    }
    declare(asked, "--case", "2026/114", name=names[named_by])
    assert asked.release().rows > 0


def test_rows_of_another_feed_or_none_cannot_be_declared(asked: Story) -> None:
    asked.exchange.drop("pnr-push", b"UNA", "push.edi")
    (received,) = asked.exchange.receive()
    said = declare(asked, "--case", "1", name=received.lot, exit_code=Misconfigured.exit_code)
    assert "nothing to declare" in said
    assert Kind.DECLARED not in kinds(asked)


def test_what_is_released_already_cannot_be_declared_afterwards(story: Story) -> None:
    story.release()
    said = told(
        story,
        *("declare", "story", story.kept, "--purpose", "customs-control", "--by", "j.example"),
        exit_code=Misconfigured.exit_code,
    )
    assert "released already" in said
    assert Kind.DECLARED not in kinds(story)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (("--consent", "example-customs"), "--consent"),
        (("--consent", "=3"), "--consent"),
        (("--notice", "member-state="), "--notice"),
        (("--authority", "Court=1"), "authorities"),
        (("--authority", "court=1", "--authority", "court=2"), "twice"),
        (("--test", "by-a-group"), "--years"),
        (("--years", "-1"), "--years"),
        (("--years", "100"), "offence.most_years"),
        (("--case", " "), "case_reference"),
        (("--case", "two\nlines"), "case_reference"),
        (("--reviewed-by", ""), "reviewed"),
        (("--by", " "), "by"),
        (("--purpose", "Crime!"), "purpose"),
    ],
)
def test_what_cannot_be_read_is_wrong_usage_and_writes_nothing(asked: Story, more: tuple[str, ...], named: str) -> None:
    said = declare(asked, *more, exit_code=2)
    assert named in said
    assert Kind.DECLARED not in kinds(asked)


def test_an_agreement_that_nobody_wrote_is_named(story: Story) -> None:
    call = ("declare", "nothing", story.kept, "--purpose", "crime", "--by", "j.example")
    assert "not-found" in told(story, *call, exit_code=Misconfigured.exit_code)


# A delay


def test_a_release_that_waits_is_no_failure_of_a_run_and_status_says_that_it_waits(story: Story) -> None:
    story.says(agreement(handling='delay = { clock = "loaded", wait = "P2D", clause = "D1" }\n'))
    said = told(story, "replay", story.kept)
    assert "1 waiting, 0 refused or failed" in said
    assert "releases these rows from" in said
    assert document(story, "replay", story.kept)["exit_code"] == 0
    assert "pending not-yet" in told(story, "status")
    assert "Nothing to do" in told(story, "run")
    story.says(agreement())
    assert "1 step made" in told(story, "run")


@pytest.mark.parametrize("command", ["run", "replay"])
def test_an_agreement_that_cannot_be_read_is_told_of_by_a_run(story: Story, command: str) -> None:
    """It is not released, and an operator who only runs must not take that for well done."""
    story.says(agreement(version=2, begins="2040-01-01") + "[", version=2)
    said = told(story, command, *([story.kept] if command == "replay" else []), exit_code=Misconfigured.exit_code)
    assert "catalogue-invalid" in said
    assert "story.v2.toml" in said
    assert "1 refused or failed" in said


# reverse


@pytest.fixture
def tokens(story: Story) -> list[str]:
    story.says(agreement(columns=TOKENS))
    story.release()
    return [str(token) for token in story.rows()["legal_name"]]


def reverse(story: Story, *tokens: str, partner: str = "example-customs", **options: Any) -> str:
    call = ["reverse", "story", "--column", "legal_name", "--for", partner, "--reference", "2026/114", *tokens]
    return told(story, *call, **options)


def names_delivered() -> set[str]:
    return {line.split(",")[4] for line in traders().decode().splitlines()[1:]}


def test_tokens_are_turned_back_a_line_for_each_in_order(story: Story, tokens: list[str]) -> None:
    names = reverse(story, *tokens).splitlines()
    assert len(names) == len(tokens)
    assert reverse(story, *tokens[::-1]).splitlines() == names[::-1]
    assert reverse(story, given="\n".join([*tokens, ""])).splitlines() == names
    assert {name for name in names if "," not in name and '"' not in name} <= names_delivered()
    assert len([kind for kind in kinds(story) if kind is Kind.REVERSED]) == 3


def test_a_machine_reads_tokens_and_values(story: Story, tokens: list[str]) -> None:
    call = ("reverse", "story", "--column", "legal_name", "--for", "example-customs", "--reference", "2026/114")
    assert list(document(story, *call, *tokens)) == tokens


def test_a_value_that_a_terminal_would_obey_is_shown_harmless(story: Story) -> None:
    """The partner's own text, with what rich would take for markup and a terminal for a command."""
    from pipeline.edges.tokens import Tokens

    story.says(agreement(columns=TOKENS))
    made = Tokens.of(story.exchange.site.keyring, "story", "name", "1")
    said = reverse(story, made.token_of("[bold]A[/bold]\x1b[31m\nB"))
    assert said == "[bold]A[/bold]\\x1b[31m\\nB\n"


def test_another_partner_is_told_nothing(story: Story, tokens: list[str]) -> None:
    said = reverse(story, *tokens, partner="eu-customs", exit_code=Refused.exit_code)
    assert "reversal-forbidden" in said
    assert not any(name in said for name in names_delivered())
    assert tokens[0] not in said


def test_one_wrong_token_turns_the_request_down_and_shows_no_other_value(story: Story, tokens: list[str]) -> None:
    said = reverse(story, tokens[0], tokens[1][:-1], exit_code=Refused.exit_code)
    assert "token-invalid" in said
    assert not any(name in said for name in names_delivered())
    assert Kind.REVERSED not in kinds(story)


def test_a_request_without_tokens_or_reference_is_wrong_usage(story: Story, tokens: list[str]) -> None:
    assert "no token" in reverse(story, exit_code=2)
    call = ("reverse", "story", "--column", "legal_name", "--for", "example-customs", "--reference", " ", tokens[0])
    assert "--reference" in told(story, *call, exit_code=2)
    assert Kind.REVERSED not in kinds(story)


def test_the_vault_is_where_the_site_says(story: Story, tmp_path: Path) -> None:
    """A copy of a story is a site of its own: the tests above change nothing for each other."""
    assert story.exchange.site.directory.is_relative_to(tmp_path)
