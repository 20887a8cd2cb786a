"""Hashtags and mentions of captions lead to Instagram, and what only looks like one stays text."""

from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from igfeed.texts.caption_links import caption_parts
from tests.harness.hostile import PIECES, texts

TAGS = "https://www.instagram.com/explore/tags/"
PROFILES = "https://www.instagram.com/"


def links(caption: str) -> list[str]:
    return [part.text for part in caption_parts(caption) if part.address]


def addresses(caption: str) -> list[str]:
    return [part.address for part in caption_parts(caption) if part.address]


@pytest.mark.parametrize(
    ("caption", "found"),
    {
        "Pulled on Tuesday. #screenprint #slow_design": ["#screenprint", "#slow_design"],
        "(#print), “#ink”: #paper!": ["#print", "#ink", "#paper"],
        "#2026goals and #Ⅷ are no numbers": ["#2026goals"],
        "#one#two": ["#one", "#two"],
        "Done.#print": ["#print"],
        "🌊#waves🌊 #fun❤️": ["#waves", "#fun"],
        "#rock'n'roll #well-made": ["#rock", "#well"],
        "#münchen #café #Ελλάδα #весна": ["#münchen", "#café", "#Ελλάδα", "#весна"],
        "#हिन्दी #தமிழ் #ไทยแลนด์": ["#हिन्दी", "#தமிழ்", "#ไทยแลนด์"],
        "#می\u200cخواهم #\u200cno #yes\u200d": ["#می\u200cخواهم", "#yes"],
        "新作#版画。 #渋谷": ["#版画", "#渋谷"],
        "הדפס חדש #דפוס": ["#דפוס"],
    }.items(),
)
def test_a_hashtag_is_letters_marks_digits_and_underscores(caption: str, found: list[str]) -> None:
    assert links(caption) == found


@pytest.mark.parametrize(
    "caption",
    [
        *("#1", "No. #42!", "#", "# print", "##print", "#_", "#!", "#️⃣", "#️⃣print", "#🌊", "C#", "F#m"),
        *("&#39;tis", "https://example.com/#top", "https://example.com/page#top", "a_#b"),
    ],
)
def test_a_number_an_emoji_and_a_part_of_an_address_are_no_hashtags(caption: str) -> None:
    assert links(caption) == []


@pytest.mark.parametrize(
    ("caption", "found"),
    {
        "Thank you @atelier.sol for the stay!": ["@atelier.sol"],
        "Thank you @atelier.sol.": ["@atelier.sol"],
        "By @anna... and @b_2, (@c)": ["@anna", "@b_2", "@c"],
        "@anna..bert": ["@anna"],
        "By @anna.Über uns": ["@anna"],
        "📷@anna": ["@anna"],
        "写真@annaさんと": ["@anna"],
        "ו@anna": ["@anna"],
        "@" + "a" * 30: ["@" + "a" * 30],
    }.items(),
)
def test_a_mention_ends_where_its_user_name_ends(caption: str, found: list[str]) -> None:
    assert links(caption) == found


@pytest.mark.parametrize(
    "caption",
    [
        *("studio@example.com", "a.b+c@example.com", "ä@example.com", "@anna@mastodon.example"),
        *("@@anna", "@ anna", "@"),
        *("https://tiktok.com/@anna", "@münchen", "@anna\u0301", "@.anna", "@...", "@12", "@" + "a" * 31),
    ],
)
def test_a_mail_address_and_a_name_from_elsewhere_are_no_mentions(caption: str) -> None:
    assert links(caption) == []


def test_links_lead_to_the_hashtag_and_to_the_account() -> None:
    assert addresses("#print @atelier.sol") == [f"{TAGS}print/", f"{PROFILES}atelier.sol/"]
    assert addresses("#Ελλάδα") == [f"{TAGS}%CE%95%CE%BB%CE%BB%CE%AC%CE%B4%CE%B1/"]


@given(st.lists(st.sampled_from(["#", "@", ".", "a", "é", "1", " ", "\n", "म", "ि", *PIECES])).map("".join) | texts)
@example("")
@example("#a")
def test_the_pieces_make_up_the_caption_and_addresses_have_only_plain_characters(caption: str) -> None:
    parts = list(caption_parts(caption))

    assert "".join(part.text for part in parts) == caption
    assert all(part.text for part in parts)
    for part in parts:
        if part.address:
            assert part.address.isascii()
            assert not set(part.address) & set("\"'<>&#@?\\ \n")
            assert unquote(part.address).rstrip("/").endswith(part.text[1:])
