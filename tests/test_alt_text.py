"""What is read to somebody who does not see the picture."""

from datetime import UTC, datetime

import pytest

from igfeed.alt_text import LONGEST, alt_text
from igfeed.config import LANGUAGES
from igfeed.models import Picture, Post
from igfeed.wording import MONTHS, WORDINGS, date

MAY = datetime(2026, 5, 3, tzinfo=UTC)


def post(**fields: object) -> Post:
    return Post(Picture("1"), **{"media_type": "IMAGE", "timestamp": MAY, **fields})  # type: ignore[arg-type]


def alt(language: str = "en", **fields: object) -> str:
    return alt_text(post(**fields), "studio.nord", language)


def test_the_owners_own_text_comes_first() -> None:
    assert alt(alt_text="A red cabin\nin the snow", caption="Hello!") == "A red cabin in the snow"


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("The lights are on. Come in!", "The lights are on."),
        ("Is it only a jug? Never.", "Is it only a jug?"),
        ("Version 2.0 is here #release", "Version 2.0 is here"),
        ("Thanks @atelier.sol for the stay\n\n#sun #sea", "Thanks for the stay"),
        ("🎉 We won! 🎉", "🎉 We won!"),
        ("אור ראשון. עוד משפט.", "אור ראשון."),
    ],
)
def test_else_the_captions_first_sentence_without_tags(caption: str, expected: str) -> None:
    assert alt(caption=caption) == expected


def test_a_long_sentence_ends_at_a_word() -> None:
    text = alt(caption="word " * 100)

    assert len(text) <= LONGEST + 1
    assert text.endswith("word…")


@pytest.mark.parametrize("caption", [None, "", "#only #tags @and.mentions", "❤️", "…"])
def test_else_who_made_it_and_when(caption: str | None) -> None:
    assert alt(caption=caption) == "Photo by @studio.nord, 3 May 2026"


def test_a_video_is_called_one_and_a_date_that_is_unknown_is_left_out() -> None:
    assert alt(media_type="VIDEO") == "Video by @studio.nord, 3 May 2026"
    assert alt(timestamp=None) == "Photo by @studio.nord"


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("de", "Foto von @studio.nord, 3. Mai 2026"),
        ("fr", "Photo de @studio.nord, 3 mai 2026"),
        ("es", "Foto de @studio.nord, 3 de mayo de 2026"),
        ("pt", "Foto de @studio.nord, 3 de maio de 2026"),
    ],
)
def test_in_the_owners_language(language: str, expected: str) -> None:
    assert alt(language) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_all_words_and_months(language: str) -> None:
    words = WORDINGS[language]

    assert all(vars(words).values())
    assert all(words.posts + words.followers)
    assert all("{name}" in text for text in (words.title, words.photo, words.video))
    assert len(MONTHS[language].split()) == 12
    assert len({date(datetime(2026, month, 1, tzinfo=UTC), language) for month in range(1, 13)}) == 12
