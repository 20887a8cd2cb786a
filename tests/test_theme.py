"""What a page is painted with: readable for any colours that an owner may choose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igfeed.widget.options import TRANSPARENT, Options, default_options
from igfeed.widget.theme import BLACK, DARK, FONTS, LIGHT, MIN_CONTRAST, WHITE, Tones, contrast, luminance, theme
from igfeed.widget.views import View

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"{number:06x}")
chosen = st.builds(
    Options,
    theme=st.sampled_from(["auto", "light", "dark"]),
    background=st.none() | st.just(TRANSPARENT) | colours,
    color=st.none() | colours,
    accent=st.none() | colours,
    font=st.sampled_from(list(FONTS)),
)


def contrasts(tones: Tones) -> dict[str, float]:
    return {
        "text": contrast(tones.ink, tones.ground),
        "quiet text": contrast(tones.quiet, tones.ground),
        "link": contrast(tones.link, tones.ground),
        "text of a button": contrast(tones.on_accent, tones.accent),
    }


def poor(tones: Tones) -> dict[str, float]:
    return {name: ratio for name, ratio in contrasts(tones).items() if ratio < MIN_CONTRAST}


@given(chosen, st.sampled_from(View))
def test_every_text_on_a_known_ground_has_enough_contrast(options: Options, view: View) -> None:
    painted = theme(options, view)

    for palette in filter(None, (painted.usual, painted.dark)):
        assert poor(palette.post) == {}
        assert palette.post == palette.page or options.background == TRANSPARENT
        assert contrast(palette.page.on_accent, palette.page.accent) >= MIN_CONTRAST


def tones(**asked: str) -> Tones:
    return theme(Options.from_query(asked, Options(theme="light")), View.PAGE).usual.page


def test_readable_colours_stay_as_they_were_chosen() -> None:
    painted = tones(background="f5ead7", color="5c2438", accent="1d5a66")

    assert (painted.ground, painted.ink, painted.link) == ("#f5ead7", "#5c2438", "#1d5a66")
    assert (painted.accent, painted.on_accent) == ("#1d5a66", "#f5ead7")


@pytest.mark.parametrize(
    ("ground", "text", "moved"), [("000000", "111111", WHITE), ("ffffff", "eeeeee", BLACK), ("777777", "888888", BLACK)]
)
def test_a_text_that_is_hard_to_read_becomes_black_or_white(ground: str, text: str, moved: str) -> None:
    assert tones(background=ground, color=text).ink == moved
    assert tones(background=ground, accent=text).link == moved


def test_a_colour_on_an_unknown_ground_stays_as_it_was_chosen() -> None:
    palette = theme(Options(background=TRANSPARENT, color="ffffff", accent="ffff00"), View.EMBED).usual

    assert (palette.page.ink, palette.page.quiet, palette.page.link) == (WHITE, WHITE, "#ffff00")
    assert palette.post.ground == DARK.ground, "an opened post has the ground that suits the text"


def test_without_a_choice_the_tones_are_those_of_the_theme() -> None:
    auto = theme(Options(), View.PAGE)

    assert auto.dark
    assert (auto.usual.page, auto.dark.page) == (LIGHT, DARK)
    assert theme(Options(theme="dark"), View.PAGE).usual.page == DARK
    assert theme(Options(theme="light"), View.PAGE).dark is None
    assert [contrasts(each)["quiet text"] > MIN_CONTRAST for each in (LIGHT, DARK)] == [True, True]


def test_only_a_page_with_a_ground_of_its_own_declares_a_colour_scheme() -> None:
    declared = {view: theme(default_options(view), view).has_scheme for view in View}

    assert declared == {View.PAGE: True, View.EMBED: False, View.FRAGMENT: False}
    assert theme(Options(background=TRANSPARENT), View.PAGE).has_scheme is False
    assert theme(Options(background="000000"), View.EMBED).has_scheme is False
    assert theme(Options(background="000000"), View.EMBED).has_ground is True


def test_luminance_and_contrast_are_those_of_the_guidelines() -> None:
    assert luminance("#ff0000") == pytest.approx(0.2126)
    assert contrast(BLACK, WHITE) == pytest.approx(21)
    assert contrast("#777777", WHITE) == pytest.approx(4.48, abs=0.005)
