"""Nothing is released that the agreement, as it is read and signed, does not permit now."""

import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pipeline.core.duration import after
from pipeline.core.errors import Code, Misconfigured, Postponed, Refused
from pipeline.edges.ledger import Kind
from pipeline.edges.opening import NAMESPACE, read_private_key, signer_line
from pipeline.edges.overview import Standing, prospects
from pipeline.edges.permission import instants_of, signed
from pipeline.edges.registered import AGREEMENTS
from pipeline.edges.roles import read_identity
from pipeline.edges.sealing import Origin, RecipientKind, new_identity, open_sealed
from tests.stories import KEPT_IN, Officer, Story, agreement

CANARY = "CANARYVALUE7731"


def case(row: str, outcome: str, *, title: str = "an example") -> str:
    return f'[[cases]]\ntitle = "{title}"\nrow = {{ {row} }}\n{outcome}\n'


FINE_CASE = case('country = "US", program_status = "TIER3"', 'released = { country = "US", program_status = "TIER3" }')


def test_the_story_is_released(story: Story) -> None:
    """What the refusals below are measured against."""
    story.says(agreement(more=FINE_CASE))
    assert story.release().rows > 0
    assert set(story.rows()["program_status"]) <= {"VALIDATED", "TIER3"}


# Unsound


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (agreement(more=case(f'program_status = "TIER3", country = "{CANARY}"', 'released = { country = "US" }')), "cases.0"),
        (agreement(more=case('program_status = "TIER3"', 'not_released = "members"')), "cases.0"),
        (agreement(more=case('program_status = "REVOKED"', 'released = { program_status = "REVOKED" }')), "cases.0"),
        (agreement(more=FINE_CASE + case('program_status = "TIER3"', f'released = {{ country = "{CANARY}" }}')), "cases.1"),
        (agreement(columns=KEPT_IN.replace("[columns.country]", "[columns.shoe_size]")), "columns.shoe_size"),
        (
            agreement(
                columns='[columns.country]\ntreatment = "generalise-date"\nto = "year"\nclause = "D1"\n'
            ),
            "columns.country.treatment",
        ),
        (
            agreement(columns='[columns.legal_name]\ntreatment = "keep"\nclause = "item 3"\n'),
            "columns.legal_name.treatment",
        ),
        (
            agreement(retention='clock = "date"\ncolumn = "country"\ndelete_after = "P1Y"'),
            "handling.retention.column",
        ),
    ],
    ids=[
        "a row that would be rejected",
        "a row that is released after all",
        "a row that is kept back after all",
        "another cell",
        "an unknown column",
        "a treatment that does not suit",
        "a name without a clause that permits it",
        "a clock without a date",
    ],
)  # fmt: skip
def test_an_unsound_agreement_releases_nothing_and_says_where(story: Story, text: str, keys: str) -> None:
    story.says(text)
    error = story.refused(Misconfigured, Code.AGREEMENT_UNSOUND, named=f"agreement story: {keys}")
    assert CANARY not in str(error)
    kinds = [entry.kind for entry in story.exchange.site.ledger.entries()]
    assert Kind.INTENDED not in kinds


def test_a_case_is_run_again_when_the_list_that_it_leans_on_changes(story: Story) -> None:
    story.says(agreement(more=FINE_CASE))
    story.exchange.edit("codes/statuses-v1.toml", ', "TIER3"', "")
    story.refused(Misconfigured, Code.AGREEMENT_UNSOUND, named="an example")


# Signed

NEEDED = ["story.toml", "eu-us-mutual-recognition.toml", "statuses-v1.toml", "aeo-members.toml", "eu-customs.toml"]


def test_a_signed_agreement_is_released_where_signatures_are_asked_for(story: Story) -> None:
    story.wants_signatures()
    story.officer().signs(*story.files)
    assert story.release().rows > 0


def test_where_no_signature_is_asked_for_none_is_needed_and_a_good_one_does_no_harm(story: Story) -> None:
    story.officer().signs(story.path)
    assert story.release().rows > 0


@pytest.mark.parametrize("missing", NEEDED)
def test_an_unsigned_file_releases_nothing_where_signatures_are_asked_for(story: Story, missing: str) -> None:
    story.wants_signatures()
    officer = story.officer()
    officer.signs(*(path for path in story.files if path.name != missing))
    error = story.refused(Refused, Code.AGREEMENT_UNSIGNED, named=missing)
    assert f"ssh-keygen -Y sign -n {AGREEMENTS}" in error.next_step
    officer.signs(*story.files)
    assert story.release().rows > 0


@pytest.mark.parametrize("asked", [True, False], ids=["asked for", "optional"])
@pytest.mark.parametrize("edited", NEEDED)
def test_a_file_that_was_edited_after_it_was_signed_releases_nothing(story: Story, edited: str, *, asked: bool) -> None:
    if asked:
        story.wants_signatures()
    officer = story.officer()
    officer.signs(*story.files)
    (path,) = (path for path in story.files if path.name == edited)
    path.write_text(path.read_text(encoding="utf-8").replace("A story", "The story") + "# edited\n", encoding="utf-8")
    story.refused(Refused, Code.AGREEMENT_UNSIGNED, named=edited)
    officer.signs(path)
    assert story.release().rows > 0


def by_nobody_known(story: Story) -> None:
    Officer(Ed25519PrivateKey.generate()).signs(*story.files)


def for_a_delivery(story: Story) -> None:
    story.officer().signs(*story.files, namespace=NAMESPACE)


def by_a_partner(story: Story) -> None:
    story.officer()
    key = (story.exchange.directory / "demo" / "example-customs.ed25519").read_bytes()
    Officer(read_private_key(key)).signs(*story.files)


def by_somebody_of_another_namespace(story: Story) -> None:
    officer = story.officer()
    path = story.exchange.directory / "site/keys/officers/allowed_signers"
    path.write_text(signer_line("officer", officer.key.public_key(), namespace="git"), encoding="utf-8")
    officer.signs(*story.files)


def of_another_file(story: Story) -> None:
    story.officer().signs(*story.files)
    first, other, *_ = (path.with_name(f"{path.name}.sig") for path in story.files)
    shutil.copy(other, first)


def nonsense(story: Story) -> None:
    story.officer().signs(*story.files)
    story.path.with_name("story.toml.sig").write_bytes(CANARY.encode())


def a_folder(story: Story) -> None:
    story.officer().signs(*story.files[1:])
    story.path.with_name("story.toml.sig").mkdir()


def endless(story: Story) -> None:
    story.officer().signs(*story.files[1:])
    story.path.with_name("story.toml.sig").symlink_to("/dev/zero")


def while_nobody_is_an_officer(story: Story) -> None:
    story.officer().signs(*story.files)
    (story.exchange.directory / "site/keys/officers/allowed_signers").unlink()


@pytest.mark.parametrize("asked", [True, False], ids=["asked for", "optional"])
@pytest.mark.parametrize(
    "wrongly",
    [
        by_nobody_known,
        for_a_delivery,
        by_a_partner,
        by_somebody_of_another_namespace,
        of_another_file,
        nonsense,
        a_folder,
        endless,
        while_nobody_is_an_officer,
    ],
    ids=lambda wrongly: wrongly.__name__,
)
def test_a_signature_that_does_not_hold_releases_nothing_even_where_none_is_asked_for(
    story: Story, wrongly: Callable[[Story], None], *, asked: bool
) -> None:
    if asked:
        story.wants_signatures()
    wrongly(story)
    error = story.refused(Refused, Code.AGREEMENT_UNSIGNED, named="story")
    assert CANARY not in str(error)


def test_a_signature_by_ssh_keygen_itself_holds(story: Story, tmp_path: Path) -> None:
    story.wants_signatures()
    officer = story.officer()
    key = tmp_path / "officer-key"
    key.write_bytes(officer.key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    key.chmod(0o600)
    story.path.write_bytes(story.path.read_bytes().replace(b"\n", b"\r\n"))
    for path in story.files:
        call = ["ssh-keygen", "-q", "-Y", "sign", "-n", AGREEMENTS, "-f", str(key), str(path)]
        subprocess.run(call, check=True, capture_output=True, timeout=60)
    assert story.release().rows > 0


def test_a_signature_is_held_against_the_text_as_it_was_read(story: Story) -> None:
    """The file says again what was signed, but what would be released is what was read before."""
    signed_text = story.path.read_bytes()
    officer = story.officer()
    officer.signs(*story.files)
    story.says(agreement(marking='tlp = "CLEAR"'))
    site, catalogue = story.exchange.site, story.exchange.site.catalogue()
    story.path.write_bytes(signed_text)
    with pytest.raises(Refused) as refusal:
        signed(site, catalogue, catalogue.agreement("story"))
    assert refusal.value.code is Code.AGREEMENT_UNSIGNED
    signed(site, site.catalogue(), site.catalogue().agreement("story"))


def test_an_amendment_needs_a_signature_of_its_own(story: Story) -> None:
    story.wants_signatures()
    status = ", ".join(
        f'{{ to = "{to}", since = {since}T00:00:00Z, reason = "amended" }}'
        for to, since in (("active", "2020-01-01"), ("superseded", "2026-06-01"))
    )
    story.says(agreement(status=status))
    officer = story.officer()
    officer.signs(*story.files)
    story.says(agreement(version=2, begins="2026-06-01"), version=2)
    story.refused(Refused, Code.AGREEMENT_UNSIGNED, named="story.v2.toml")
    officer.signs(story.path.with_name("story.v2.toml"))
    assert story.release().rows > 0


# Delay


def waits(clock: str, wait: str) -> str:
    return agreement(handling=f'delay = {{ clock = "{clock}", wait = "{wait}", clause = "D1" }}\n')


@pytest.mark.parametrize("clock", ["received", "last-received", "loaded"])
def test_nothing_is_released_before_its_delay_is_over_and_then_it_is(story: Story, clock: str) -> None:
    story.says(waits(clock, "P2D"))
    site = story.exchange.site
    kept = site.vault.kept(story.kept)
    instants = instants_of(site, kept)
    begun = {"received": instants.received, "last-received": instants.last_received, "loaded": kept.loaded_at}[clock]
    until = after(begun, "P2D")
    for story.exchange.now in (instants.released, until - timedelta(microseconds=1)):
        error = story.refused(Postponed, Code.NOT_YET)
        assert isinstance(error, Postponed)
        assert (error.until, error.exit_code) == (until, 7)
        (prospect,) = prospects(site, site.catalogue(), kept)
        assert (prospect.standing, prospect.code) == (Standing.PENDING, "not-yet")
    assert Kind.REFUSED not in {entry.kind for entry in site.ledger.entries()}
    story.exchange.now = until
    assert story.release().rows > 0
    assert story.published().predicate["created_at"] == until.isoformat()


def test_a_delay_does_not_hide_that_the_agreement_says_no(story: Story) -> None:
    story.says(waits("loaded", "P2D").replace('to = "active"', 'to = "suspended"'))
    story.refused(Refused, Code.AGREEMENT_NOT_ACTIVE)


def test_an_agreement_that_ends_while_its_rows_wait_releases_nothing(story: Story) -> None:
    story.says(waits("loaded", "P2D").replace("until = 2040-01-01", f"until = {tomorrow(story):%Y-%m-%d}"))
    story.refused(Postponed, Code.NOT_YET)
    story.exchange.now += timedelta(days=3)
    story.refused(Refused, Code.AGREEMENT_EXPIRED)


def tomorrow(story: Story) -> datetime:
    return story.exchange.now.astimezone(UTC) + timedelta(days=1)


# Whose keys


def community(story: Story, *members: str) -> None:
    """The partner `allies` is made of these, and the story is for it."""
    text = 'id = "allies"\ntitle = "Allies"\nrole = "customs"\ncountry = "NOR"\naudience = "community"\n'
    said = ", ".join(f'"{member}"' for member in members)
    path = story.exchange.directory / "catalogue/partners/allies.toml"
    path.write_text(f"{text}members = [{said}]\n", encoding="utf-8")
    story.says(agreement(recipient="allies", marking='tlp = "GREEN"'))


def opens(story: Story, partner: str) -> bool:
    """Whether the partner can open every part."""
    identity = read_identity((story.exchange.directory / "demo" / f"{partner}.identity.txt").read_bytes())
    published = story.published()
    try:
        for part in published.predicate["parts"]:
            sealed = b"".join(story.exchange.site.publication.part(published, part["key"]))
            open_sealed(sealed, identity, origin=Origin.PARTNER)
    except Refused:
        return False
    else:
        return True


def test_the_parts_of_a_community_open_with_each_members_key_and_nobody_elses(story: Story) -> None:
    community(story, "eu-customs", "police-liaison")
    assert story.release().rows > 0
    assert {one: opens(story, one) for one in ("eu-customs", "police-liaison", "eu-piu", "example-customs")} == {
        "eu-customs": True,
        "police-liaison": True,
        "eu-piu": False,
        "example-customs": False,
    }
    assert len(story.published().predicate["recipient"]["keys"]) == 2


def test_a_community_of_which_a_member_has_no_key_gets_nothing_until_it_has_one(story: Story) -> None:
    community(story, "eu-customs", "police-liaison")
    path = story.exchange.site.keyring.recipients_path("police-liaison")
    text = path.read_bytes()
    path.unlink()
    story.refused(Misconfigured, Code.PARTNER_KEY_MISSING, named="police-liaison")
    path.write_bytes(text)
    assert story.release().rows > 0


def two_keys(story: Story) -> tuple[str, str]:
    """The recipient has registered a second key, whose private half nobody here has."""
    path = story.exchange.site.keyring.recipients_path("eu-customs")
    (first,), second = story.exchange.site.keyring.recipients("eu-customs"), new_identity().recipient
    path.write_text(f"{first}\n{second}\n", encoding="utf-8")
    return first, second


def test_only_the_keys_that_the_agreement_names_can_open_a_part(story: Story) -> None:
    _, second = two_keys(story)
    story.says(agreement(top=f'recipient_keys = ["{second}"]'))
    assert story.release().rows > 0
    assert story.published().predicate["recipient"]["keys"] == [second]
    assert not opens(story, "eu-customs")


def test_without_named_keys_every_registered_one_can(story: Story) -> None:
    keys = two_keys(story)
    story.release()
    assert story.published().predicate["recipient"]["keys"] == list(keys)
    assert opens(story, "eu-customs")


def test_a_recipient_with_a_hybrid_key_gets_releases_that_a_quantum_computer_will_not_open(story: Story) -> None:
    hybrid = new_identity(RecipientKind.HYBRID)
    path = story.exchange.site.keyring.recipients_path("eu-customs")
    path.write_text(f"{hybrid.recipient}\n", encoding="utf-8")
    story.says(agreement(top=f'recipient_keys = ["{hybrid.recipient}"]'))
    story.release()

    published = story.published()
    assert published.predicate["recipient"]["keys"] == [hybrid.recipient]
    for part in published.predicate["parts"]:
        sealed = b"".join(story.exchange.site.publication.part(published, part["key"]))
        assert b"-> mlkem768x25519 " in sealed
        assert b"-> X25519 " not in sealed
        assert open_sealed(sealed, hybrid, origin=Origin.PARTNER)


def test_a_recipient_with_keys_of_both_kinds_gets_nothing(story: Story) -> None:
    path = story.exchange.site.keyring.recipients_path("eu-customs")
    path.write_text(
        path.read_text(encoding="utf-8") + f"{new_identity(RecipientKind.HYBRID).recipient}\n", encoding="utf-8"
    )
    story.refused(Misconfigured, Code.RECIPIENTS_MIXED, named="eu-customs")


def test_a_named_key_that_the_recipient_has_not_registered_releases_nothing(story: Story) -> None:
    (registered,), other = story.exchange.site.keyring.recipients("eu-customs"), new_identity().recipient
    story.says(agreement(top=f'recipient_keys = ["{registered}", "{other}"]'))
    error = story.refused(Refused, Code.RECIPIENT_KEY_UNKNOWN, named="1 recipient key")
    assert other not in str(error)
