"""What people wrote gets to the page without what no page may hold, and never as an empty text."""

import json
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from igfeed.models import FeedSnapshot, Picture, Post, Profile
from igfeed.texts.cleaning import clean
from tests.harness.hostile import PIECES

RIGHT_TO_LEFT, LEFT_TO_RIGHT, ISOLATE, FIRST_STRONG = "\u202b", "\u202a", "\u2067", "\u2068"
END, END_OF_ISOLATE = "\u202c", "\u2069"


@pytest.mark.parametrize(
    "character",
    [
        *("\0", "\x01", "\x07", "\x08", "\x0b", "\x0c", "\x0e", "\x1b", "\x1f", "\x7f", "\x80", "\x85", "\x9b", "\x9f"),
        *("\ud800", "\udfff", "\ufdd0", "\ufdef", "\ufffe", "\uffff", "\U0001fffe", "\U0010ffff"),
        *("\u202d", "\u202e"),
    ],
)
def test_what_no_page_may_hold_goes_and_the_rest_stays(character: str) -> None:
    assert clean(f"{character}Oak{character} chairs{character}") == "Oak chairs"
    assert clean(character) is None


@pytest.mark.parametrize("text", ["a\r\nb", "a\rb", "a\nb", "a\u2028b", "a\u2029b"])
def test_the_end_of_a_line_is_one(text: str) -> None:
    assert clean(text) == "a\nb"


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "\t\n", "\u00a0", "\u3000", "\u2003", "\u200b", "\u200d", "\u200e", "\u200f", "\u061c", "\ufeff"),
        *("\u00ad", "\u2060", "\u180e", "\ufe0f", "\U000e0100", "\U000e0020", "\U000e007f", "\u3164", "\u115f\u1160"),
        *("\uffa0", "\u2800", "\u034f", "\u0301", "\u20dd", "\u2066\u2069", "\ufffc", "\u17b5", "\U0001d159"),
        " \u200b\n\u2800\u3164\ufe0f \u00ad",
    ],
)
def test_what_nobody_can_see_counts_as_no_text(text: str) -> None:
    assert clean(text) is None
    assert clean(f"{text}.") is not None


@pytest.mark.parametrize(
    "text",
    [
        *(
            ".",
            "…",
            "☕",
            "👩\u200d👩\u200d👧",
            "❤\ufe0f",
            "🏴\U000e0067\U000e0062\U000e007f",
            "\uf8ff",
            "e\u0301",
            "ﷺ",
            "ㅤ한",
        ),
        "\U0001fad9",  # an emoji that older versions of Python do not know
        "\U0001fbff",  # unassigned today
        "مرحبا \u2067hello\u2069 \u200fשבת\u200e",
        "a\tb",
    ],
)
def test_what_languages_and_emoji_need_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        (f"{RIGHT_TO_LEFT}abc", f"{RIGHT_TO_LEFT}abc{END}"),
        (f"{ISOLATE}abc", f"{ISOLATE}abc{END_OF_ISOLATE}"),
        (f"{ISOLATE}{LEFT_TO_RIGHT}abc", f"{ISOLATE}{LEFT_TO_RIGHT}abc{END}{END_OF_ISOLATE}"),
        (f"{ISOLATE}{LEFT_TO_RIGHT}a{END_OF_ISOLATE}b", f"{ISOLATE}{LEFT_TO_RIGHT}a{END_OF_ISOLATE}b"),
        (f"{RIGHT_TO_LEFT}a\nb", f"{RIGHT_TO_LEFT}a{END}\nb"),
        (f"a{END}b{END_OF_ISOLATE}", "ab"),
        (f"{ISOLATE}a{END}b{END_OF_ISOLATE}", f"{ISOLATE}ab{END_OF_ISOLATE}"),
        (f"{FIRST_STRONG}a{END_OF_ISOLATE}{END_OF_ISOLATE}", f"{FIRST_STRONG}a{END_OF_ISOLATE}"),
    ],
)
def test_no_change_of_direction_reaches_beyond_its_line(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(text=st.lists(st.sampled_from(PIECES) | st.text(max_size=5)).map("".join))
@example(text="".join(PIECES))
def test_a_clean_text_is_fit_for_every_page_and_stays_as_it_is(text: str) -> None:
    cleaned = clean(text)

    if cleaned is None:
        return
    assert cleaned.encode()
    assert cleaned == clean(cleaned)
    assert {character for character in cleaned if unicodedata.category(character) in ("Cc", "Cs")} <= {"\n", "\t"}
    for line in cleaned.split("\n"):
        assert sum(map(line.count, "\u202a\u202b")) >= line.count("\u202c")
        assert sum(map(line.count, "\u2066\u2067\u2068")) == line.count("\u2069")


SNAPSHOT = FeedSnapshot(
    Profile("studio.nord", name="Studio Nord", biography="Chairs"),
    (Post(Picture("1", "https://a.example/1.jpg"), "IMAGE", caption="Oak", alt_text="A chair"),),
    datetime(2026, 5, 3, tzinfo=UTC),
)


def test_what_the_store_has_from_less_strict_times_is_clean_too() -> None:
    document = json.loads(SNAPSHOT.to_text())
    document["profile"] |= {"username": "studio\x07.nord", "name": "\u3164", "biography": "\x1b[31mChairs"}
    document["posts"][0] |= {"caption": "\u202eOak", "alt_text": "\u200b"}

    read = FeedSnapshot.from_text(json.dumps(document))

    assert (read.profile.username, read.profile.name, read.profile.biography) == ("studio.nord", None, "[31mChairs")
    assert (read.posts[0].caption, read.posts[0].alt_text) == ("Oak", None)


def test_a_stored_profile_whose_user_name_nobody_can_see_is_unreadable() -> None:
    document = json.loads(SNAPSHOT.to_text())
    document["profile"]["username"] = "\u3164"

    with pytest.raises(ValueError, match="user name"):
        FeedSnapshot.from_text(json.dumps(document))
