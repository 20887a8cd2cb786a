"""What Instagram says is repeated to the owner, and never with a secret in it."""

import base64
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igfeed.instagram.error_message import MAX_SENTENCE_LENGTH, sentence
from tests.harness.leaks import LeakFinder

TOKEN = "IGAA" + "q7Zp3xWv9KfT2mRb8LdY" * 8
LETTERS = "IGAA" + "qwErTzUiOpAsDfGhJkLy" * 8
"""One without digits, so that its pieces look like words."""
APP_SECRET = "5f2b8c1e9a7d4036bc58e2f17a90d3c4"


@pytest.mark.parametrize(
    "said",
    [
        "Error validating access token: Session has expired on Wednesday, 26-Nov-26 04:00:00 PST.",
        "Error validating access token: The session has been invalidated because the user changed their password.",
        "Invalid OAuth access token - Cannot parse access token",
        "(#10) Application does not have permission for this action",
        "Unsupported request - method type: get",
        "Tried accessing nonexisting field (is_shared_to_feed)",
        "The account must grant instagram_business_basic.",
        "Die Sitzung ist abgelaufen, weil das Passwort geändert wurde.",
        "アクセストークンを検証できませんでした。ユーザーがパスワードを変更したため、セッションは無効になりました。",
        "خطأ في التحقق من رمز الوصول",
    ],
)
def test_a_sentence_is_repeated_as_it_is(said: str) -> None:
    assert sentence({"message": said}, [TOKEN]) == said


def test_a_text_for_people_comes_before_one_for_programmers() -> None:
    assert sentence({"message": "(#100) x", "error_user_msg": "Please log in."}, []) == "Please log in."
    assert sentence({"message": "(#100) x", "error_user_msg": ""}, []) == "(#100) x"


@pytest.mark.parametrize("said", [None, "", " \n", 5, ["x"], {"a": 1}, TOKEN, f"{TOKEN} {TOKEN}", "https://a.example/"])
def test_where_nothing_can_be_repeated_nothing_is_said(said: object) -> None:
    assert sentence({"message": said}, [TOKEN]) is None


def test_what_is_left_out_is_marked_once() -> None:
    said = f"Malformed access token {TOKEN[:60]} {TOKEN[60:]} given"

    assert sentence({"message": said}, [TOKEN]) == "Malformed access token … given"


@pytest.mark.parametrize(
    "word",
    [
        "IGAAshort",
        "EAABshort",
        "IGQVshort",
        "access_token=abc",
        "client_secret=abc",
        "code=abc",
        "https://graph.instagram.com/me",
        "www.instagram.com/oauth",
        "owner@studio.example",
        "AkQ3vYt0cVxq8sJ1hWmZ2eP",
        '{"access_token":"abc"}',
        "%49%47%41",
        "&#73;&#71;",
        "\\u0049\\u0047",
    ],
)
def test_a_word_that_may_be_a_secret_or_an_address_is_left_out_though_nobody_knows_it(word: str) -> None:
    assert sentence({"message": f"Before ({word}), after."}, []) == "Before … after."


def test_control_characters_and_changes_of_direction_are_spaces() -> None:
    assert sentence({"message": "One\ntwo\x1b[31m \u202ethree\u2066"}, []) == "One two [31m three"


def test_a_long_text_ends_at_a_word() -> None:
    told = sentence({"message": "word " * 1000}, [])

    assert told is not None
    assert len(told) <= MAX_SENTENCE_LENGTH + 2
    assert told.endswith("word …")


HALF = len(TOKEN) // 2
DISGUISES: dict[str, Callable[[str], str]] = {
    "raw": str,
    "percent-encoded": lambda secret: quote(secret, safe=""),
    "every letter percent-encoded": lambda secret: "".join(f"%{ord(each):02x}" for each in secret),
    "in halves": lambda secret: f"{secret[: len(secret) // 2]} and {secret[len(secret) // 2 :]}",
    "in small pieces": lambda secret: " ".join(secret[at : at + 14] for at in range(0, len(secret), 14)),
    "its end": lambda secret: secret[-15:],
    "in small pieces and letters": lambda secret: " ".join(secret[at : at + 14].lower() for at in range(0, 160, 14)),
    "with hyphens": lambda secret: "-".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
    "in capitals": str.upper,
    "in small letters": str.lower,
    "in wide letters": lambda secret: "".join(chr(ord(each) + 0xFEE0) for each in secret),
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "hex": lambda secret: secret.encode().hex(),
    "as JSON": lambda secret: f'{{"access_token":"{secret}"}}',
    "in quotes": lambda secret: f"'{secret}',",
}


@pytest.mark.parametrize("secret", [TOKEN, LETTERS, APP_SECRET], ids=["token", "letters", "app secret"])
@pytest.mark.parametrize("disguise", DISGUISES.values(), ids=DISGUISES)
def test_no_disguise_brings_a_secret_through(disguise: Callable[[str], str], secret: str) -> None:
    told = sentence({"message": f"Malformed access token {disguise(secret)}. Try again."}, [secret])

    assert told is not None
    finder = LeakFinder()
    finder.protect("a secret", secret, secret.lower(), secret.upper())
    finder.look_at("the status", "a message", told)
    assert finder.found() == []
    assert told.startswith("Malformed access token")


@given(st.text(max_size=60), st.text(max_size=60), st.integers(0, len(TOKEN)), st.integers(12, len(TOKEN)))
def test_no_piece_of_the_token_comes_through_wherever_it_stands(before: str, after: str, start: int, size: int) -> None:
    told = sentence({"message": f"{before}{TOKEN[start : start + size]}{after}"}, [TOKEN])

    finder = LeakFinder()
    finder.protect("the token", TOKEN)
    finder.look_at("the status", "a message", told)
    assert finder.found() == []
