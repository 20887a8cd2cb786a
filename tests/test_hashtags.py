"""The hashtags of a caption: where they end, and which are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igfeed.texts.hashtags import MAX_HASHTAG_LENGTH, folded, hashtags


@pytest.mark.parametrize(
    ("caption", "found"),
    [
        ("Pulled by hand. #screenprint, #StudioNord!", {"screenprint", "studionord"}),
        ("#one#two", {"one", "two"}),
        ("#été and #E\u0301TE\u0301", {"été"}),
        ("#हिन्दी #אור #夕焼け。 #straße #STRASSE", {"हिन्दी", "אור", "夕焼け", "strasse"}),
        ("#wip❤️ #2026_plans", {"wip", "2026_plans"}),
        ("#1 of 3, C# and #, #️⃣", set()),
        ("", set()),
    ],
)
def test_a_hashtag_is_letters_marks_digits_and_underscores(caption: str, found: set[str]) -> None:
    assert hashtags(caption) == found


@pytest.mark.parametrize(
    "text", ["", "#art", "two words", "art-print", "123", "a" * (MAX_HASHTAG_LENGTH + 1), "\u200d", "a\n"]
)
def test_anything_else_is_no_hashtag(text: str) -> None:
    assert folded(text) is None


@given(st.text(max_size=20))
def test_folding_twice_changes_nothing_and_a_caption_has_its_own_hashtag(text: str) -> None:
    same = folded(text)

    assert same is None or folded(same) == same
    assert same is None or same in hashtags(f"Look: #{text} !") or text.endswith(("\u200c", "\u200d"))
