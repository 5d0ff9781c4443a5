"""A token is turned back into its value by whom it was made for, and by nobody else, nor when a bit of it differs."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import Code, Refused
from pipeline.edges.epochs import Epochs
from pipeline.edges.keys import Keyring
from pipeline.edges.storage import open_store
from pipeline.edges.tokens import Tokens
from tests.core.builders import LAW, assert_silent

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
KEY = bytes(range(64))
TOKENS = Tokens("an-agreement", "person", "1", KEY)


def refused(tokens: Tokens, token: str) -> Refused:
    with pytest.raises(Refused) as raised:
        tokens.value_of(token)
    assert raised.value.code is Code.TOKEN_INVALID
    assert_silent(raised.value, *(text for text in (token, KEY.hex()) if text))
    return raised.value


@LAW
@given(TEXT)
def test_a_token_is_turned_back_into_its_value(value: str) -> None:
    assert TOKENS.value_of(TOKENS.token_of(value)) == value


@LAW
@given(TEXT)
def test_a_token_holds_only_its_alphabet_and_tells_the_length_by_whole_blocks(value: str) -> None:
    token = TOKENS.token_of(value)
    assert re.fullmatch(r"t1\.[A-Za-z0-9_-]{64,}", token)
    blocks = len(value.encode()) // 32 + 1
    assert len(token) == len("t1.") + -(-(16 + 32 * blocks) * 8 // 6)


@LAW
@given(st.lists(TEXT, max_size=6))
def test_equal_values_have_equal_tokens_and_others_have_others(values: list[str]) -> None:
    tokens = TOKENS.tokens_of(values)
    assert tokens == [TOKENS.token_of(value) for value in values]
    assert len(set(tokens)) == len(set(values))


def test_a_token_is_what_aes_siv_makes_of_the_padded_value() -> None:
    """Computed once: version 1 of a token is fixed for ever."""
    sealed = AESSIV(KEY).encrypt(b"Alba" + b"\x80" + bytes(27), [b"an-agreement", b"person", b"1"])
    vector = "t1.qtaYOKsLohLd3_l8rfO-7-riDmX2M-FryJCLvz-zje5qInVuHWp4VBa6jiHUAdZm"
    assert TOKENS.token_of("Alba") == vector == "t1." + urlsafe_b64encode(sealed).decode()


@pytest.mark.parametrize("value", ["", "\x80", "a\x00", "\x00", "\x80\x00", "x" * 31, "x" * 32, "é" * 16])
def test_padding_hides_no_end_of_a_value(value: str) -> None:
    assert TOKENS.value_of(TOKENS.token_of(value)) == value


@pytest.mark.parametrize(
    "other",
    [
        Tokens("another-agreement", "person", "1", KEY),
        Tokens("an-agreement", "document", "1", KEY),
        Tokens("an-agreement", "person", "2", KEY),
        Tokens("an-agreementperson", "", "1", KEY),
        Tokens("an-agreement", "person", "1", KEY[::-1]),
    ],
)
def test_another_agreement_domain_epoch_or_key_refuses_the_token_and_makes_another(other: Tokens) -> None:
    refused(other, TOKENS.token_of("Alba Example"))
    assert other.token_of("Alba Example") != TOKENS.token_of("Alba Example")


@LAW
@given(TEXT, st.data())
def test_a_token_of_which_a_letter_differs_is_refused(value: str, data: st.DataObject) -> None:
    token = TOKENS.token_of(value)
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABCxyz019-_.=~\n ").filter(lambda letter: letter != token[place]))
    refused(TOKENS, token[:place] + letter + token[place + 1 :])


def test_another_spelling_of_the_same_bytes_is_refused() -> None:
    """Base64 of 80 bytes leaves two bits of its last letter unused: one value would have four tokens."""
    token = TOKENS.token_of("x" * 40)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    place = alphabet.index(token[-1])
    assert place % 4 == 0
    for spelled in alphabet[place + 1 : place + 4]:
        refused(TOKENS, token[:-1] + spelled)


@pytest.mark.parametrize(
    "change", [str.upper, lambda t: t + "=", lambda t: t + "\n", lambda t: t[:-1], lambda t: t[3:]]
)
def test_what_is_not_a_whole_token_is_refused(change: Callable[[str], str]) -> None:
    refused(TOKENS, change(TOKENS.token_of("Alba Example")))


@pytest.mark.parametrize("text", ["", "t1.", "t1." + "A" * 64, "t1." + "A" * 65, "t2." + "A" * 64, "Alba", "é" * 67])
def test_a_text_that_nobody_made_is_refused(text: str) -> None:
    refused(TOKENS, text)


def test_no_token_maker_shows_its_key() -> None:
    assert KEY.hex() not in repr(TOKENS)
    assert str(KEY) not in repr(TOKENS)


def test_the_keys_of_tokens_are_their_own_for_each_agreement_domain_and_epoch(tmp_path: Path) -> None:
    epochs = Epochs(open_store(tmp_path.as_uri()))
    keyring = Keyring.create(tmp_path / "keys", epochs=epochs)
    names = [("a", "b", "c"), ("ab", "", "c"), ("a", "", "bc"), ("a", "b", "d"), ("x", "b", "c"), ("a", "x", "c")]
    keys = [keyring.token_key(*name) for name in names]
    assert len(set(keys)) == len(names)
    assert {len(key) for key in keys} == {64}
    assert not {key[:32] for key in keys} & {keyring.pseudonym_key(*name) for name in names}
    made = Tokens.of(keyring, "a", "b", "c").token_of("Alba")
    assert Tokens.of(Keyring.open(keyring.directory, epochs=epochs), "a", "b", "c").value_of(made) == "Alba"
