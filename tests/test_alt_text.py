"""What is read to somebody who does not see the picture."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis.strategies import characters, sampled_from, text

from igfeed.models import Picture, Post
from igfeed.widget.alt_text import MAX_ALT_TEXT_LENGTH, alt_text, alt_text_beside_caption
from igfeed.widget.translations import language_of

MAY = datetime(2026, 5, 3, tzinfo=UTC)


def post(**fields: object) -> Post:
    return Post(Picture("1"), **{"media_type": "IMAGE", "timestamp": MAY, **fields})  # type: ignore[arg-type]


def alt(language: str = "en", **fields: object) -> str:
    return alt_text(post(**fields), "studio.nord", language_of(language))


def test_the_owners_own_text_comes_first() -> None:
    assert alt(alt_text="A red cabin\nin the snow", caption="Hello!") == "A red cabin in the snow"


NO_SENTENCE_ENDS = [
    "Dr. Ada Holm opens the practice",
    "No. 5 is our favourite loaf",
    "z. B. am Montag gibt es Suppe",
    "z.B. Am Montag gibt es Suppe",
    "1. Mix 2. Bake 3. Eat",
    "Am 3. Mai ist zu",
    "St. Pauli bei Nacht",
    "M. Loup sleeps at the harbour",
    "J. R. Nord built this",
    "Mme. Loup est là",
    "Version 2.0 is here",
    "Made in the U.S. Army style",
    "So much bread… and no butter",
    "Open from 8 a.m. on",
    "Hello! We are open",
    "Write to info@studio-nord.example for a table",
    "See https://studio-nord.example/a#b for more",
    "We are the #1 in town",
]


@pytest.mark.parametrize("caption", NO_SENTENCE_ENDS)
def test_text_that_only_looks_like_an_end_of_a_sentence_or_a_tag_is_kept(caption: str) -> None:
    assert alt(caption=f"{caption}. Another sentence.") == f"{caption}."


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("The lights are on. Come in!", "The lights are on."),
        ("Is it only a jug? Never.", "Is it only a jug?"),
        ("Is it a jug? No. It is a vase.", "Is it a jug?"),
        ("We said no. Then yes.", "We said no."),
        ("🎉 We won! 🎉", "🎉 We won!"),
        ("We're #1! Thanks to all of you", "We're #1!"),
        ("He said “we are open.” And so it was.", "He said “we are open.”"),
        ("אור ראשון. עוד משפט.", "אור ראשון."),
        ("आज रोटी है। कल भी।", "आज रोटी है।"),
        ("ہم کھلے ہیں۔ آؤ۔", "ہم کھلے ہیں۔"),
        ("هل أنت هنا؟ نعم", "هل أنت هنا؟"),
    ],
)
def test_without_it_the_first_sentence_of_the_caption_is_used(caption: str, expected: str) -> None:
    assert alt(caption=caption) == expected


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("Version 2.0 is here #release", "Version 2.0 is here"),
        ("Version 2.0 is here! #release #two", "Version 2.0 is here!"),
        ("Thanks for the stay\n\n#sun #sea", "Thanks for the stay"),
        ("Thanks for the stay\n.\n.\n.\n#sun, #sea | #sand", "Thanks for the stay"),
        ("Rye bread, warm. @baker @mill", "Rye bread, warm."),
        ("#bread #butter\nBreakfast is ready", "Breakfast is ready"),
    ],
)
def test_tags_apart_from_the_sentence_are_left_out(caption: str, expected: str) -> None:
    assert alt(caption=caption) == expected


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("Thanks @atelier.sol for the stay", "Thanks atelier.sol for the stay"),
        ("Fresh bread with @baker, @mill and @farm!", "Fresh bread with baker, mill and farm!"),
        ("À la fête @studio.syd, on a vu la mer", "À la fête studio.syd, on a vu la mer"),
        ("Photo by @maria_k.", "Photo by maria_k."),
        ("Thanks to @baker", "Thanks to baker"),
        ("Our #sourdough is ready", "Our sourdough is ready"),
        ("A day in #Malmö", "A day in Malmö"),
        ("#summer-vibes on the roof", "summer-vibes on the roof"),
        ("#हिन्दी में हमारी नई रोटी", "हिन्दी में हमारी नई रोटी"),
        ("#தமிழ் நாடு", "தமிழ் நாடு"),
        ("(#bread) is ready now", "(bread) is ready now"),
        ("Our ＃sourdough is ready", "Our sourdough is ready"),
    ],
)
def test_tags_in_the_sentence_are_words_of_it(caption: str, expected: str) -> None:
    assert alt(caption=caption) == expected


@pytest.mark.parametrize(
    ("caption", "expected"), [("สวัสดี #ขนมปัง วันนี้", "สวัสดี วันนี้"), ("新しい #パン です", "新しい です")]
)
def test_in_scripts_that_separate_phrases_by_spaces_a_tag_is_left_out(caption: str, expected: str) -> None:
    assert alt(caption=caption) == expected


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("!!! NEU !!! Jetzt im Laden", "NEU !!! Jetzt im Laden"),
        ("... and then it rained", "and then it rained"),
        (".\n.\n.\nFinally open", "Finally open"),
        ("⠀\n—\nFinally open", "Finally open"),
        ("🎉! Opening party tonight", "🎉! Opening party tonight"),
        ("- Rye bread, warm", "Rye bread, warm"),
        ("-50% on all jugs", "-50% on all jugs"),
        (".5 litres of milk", ".5 litres of milk"),
        ("¡Hola a todos!", "¡Hola a todos!"),
    ],
)
def test_signs_before_the_first_word_are_left_out(caption: str, expected: str) -> None:
    assert alt(caption=caption) == expected


@pytest.mark.parametrize(
    "own",
    [
        "No photo description available.",
        "no photo description available",
        "Photo by Studio Nord on May 03, 2026. No photo description available.",
        "Keine Fotobeschreibung verfügbar.",
        "Aucune description de photo disponible.",
        " \u200b\n",
        "\x01",
    ],
)
def test_instagrams_placeholder_texts_are_not_used(own: str) -> None:
    assert alt(alt_text=own, caption="Rye bread, still warm") == "Rye bread, still warm"


def test_instagrams_automatic_description_is_used() -> None:
    assert alt(alt_text="May be an image of bread", caption="Hello!") == "May be an image of bread"


@given(text(alphabet=characters(codec="utf-8") | sampled_from("#@. \n!"), max_size=400))
def test_there_is_always_something_to_read(caption: str) -> None:
    found = alt(caption=caption)

    assert found.strip()
    assert len(found) <= MAX_ALT_TEXT_LENGTH + 1
    assert found.isprintable() or "\n" not in found


@pytest.mark.parametrize(
    "caption", ["#" * 2200, "@a" * 1100, "# " * 1100, "#a " * 733, "." * 2200, ". " * 1100, "a.\n" * 733]
)
def test_no_caption_takes_long(caption: str) -> None:
    assert alt(caption=caption)


@pytest.mark.parametrize("character", ["👩‍🎨", "e\u0301", "👍🏽", "क्षि"])
def test_shortening_keeps_whole_characters(character: str) -> None:
    for length in range(MAX_ALT_TEXT_LENGTH - 8, MAX_ALT_TEXT_LENGTH + 1):
        found = alt(caption="a" * length + character * 3)
        assert found.removesuffix("…").lstrip("a") in {character * times for times in range(4)}


def test_a_long_sentence_ends_at_a_word() -> None:
    text = alt(caption="word " * 100)

    assert len(text) <= MAX_ALT_TEXT_LENGTH + 1
    assert text.endswith("word…")


@pytest.mark.parametrize("caption", [None, "", "#only #tags @and.mentions", "❤️", "…"])
def test_without_a_usable_caption_author_and_date_are_used(caption: str | None) -> None:
    assert alt(caption=caption) == "Photo by @studio.nord, 3 May 2026"


def test_a_video_is_called_a_video_and_an_unknown_date_is_left_out() -> None:
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


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("A red cabin in the snow", "A red cabin in the snow"),
        (None, "Photo by @studio.nord, 3 May 2026"),
        ("No photo description available.", "Photo by @studio.nord, 3 May 2026"),
        ("THE LIGHTS\nare on.", "Photo by @studio.nord, 3 May 2026"),
    ],
)
def test_beside_the_caption_nothing_of_it_is_repeated(own: str | None, expected: str) -> None:
    shown = post(alt_text=own, caption="The lights are on. Come in!")

    assert alt_text_beside_caption(shown, "studio.nord", language_of("en")) == expected
