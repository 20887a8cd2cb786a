"""What a query string may ask for."""

import re
from dataclasses import fields, replace
from math import ceil
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igfeed.config import Settings
from igfeed.errors import ConfigError
from igfeed.models import KeptPost
from igfeed.widget.options import MAX_LIMIT, UNKNOWN_TAG, Options, requested_options
from igfeed.widget.views import View
from lab.option_tables import DOCUMENTS, with_table

DEFAULTS = Options()
KEPT = tuple(KeptPost("video" if place % 3 else "photo", frozenset({"a", f"t{place % 2}"})) for place in range(24))
OPTIONS_PAGE = Path(__file__).parent.parent / "docs/options.md"
NAMES = (
    "limit",
    "page",
    "columns",
    "gap",
    "radius",
    "ratio",
    "theme",
    "layout",
    "header",
    "captions",
    "open",
    "background",
    "font",
    "type",
    "tag",
    "q",
)


def options(**query: str) -> Options:
    return Options.from_query(query, DEFAULTS)


def test_every_option_is_read() -> None:
    numbers = options(limit="9", page="2", columns="3", gap="0", radius="8")
    words = options(ratio="tall", theme="light", layout="carousel", header="1", captions="1", open="instagram")
    taste = options(background="f5ead7", color="202020", accent="e1306c", font="serif")
    choice = options(type="video", tag="StudioNord")

    assert numbers == Options(9, 2, 3, 0, 8)
    assert words == Options(
        ratio="tall", theme="light", layout="carousel", header=True, captions=True, open="instagram"
    )
    assert taste == Options(background="f5ead7", color="202020", accent="e1306c", font="serif")
    assert choice == Options(type="video", tag="studionord")


def test_numbers_are_clamped() -> None:
    assert options(limit="0", page="0", columns="0", gap="-3", radius="-1") == Options(limit=1, columns=1, gap=0)
    assert options(limit="101", columns="9", gap="49", radius="99") == Options(limit=100, columns=8, gap=48, radius=48)


def test_bad_values_and_unknown_names_are_ignored() -> None:
    bad = {
        "layout": "list",
        "open": "_blank",
        "radius": "50%",
        "limit": "1e3",
        "page": "two",
        "columns": "",
        "gap": "4px",
        "ratio": "1:1",
        "theme": "DARK",
        "header": "yes",
        "background": "#fff",
        "color": "transparent",
        "accent": "red",
        "font": "Comic Sans MS",
        "type": "reel",
        "tag": "#prints",
    }

    assert options(**bad, captions="2", colour="red") == DEFAULTS


@given(st.dictionaries(st.sampled_from(NAMES), st.text() | st.integers().map(str)))
def test_any_query_string_makes_options_within_their_bounds(query: dict[str, str]) -> None:
    asked = options(**query).within(24)

    assert 1 <= asked.limit <= 24
    assert 1 <= asked.page <= ceil(24 / asked.limit)
    assert asked.columns is None or 1 <= asked.columns <= 8
    assert 0 <= asked.gap <= 48
    assert 0 <= asked.radius <= 48


@given(
    st.builds(
        Options,
        limit=st.integers(1, 24),
        page=st.integers(1, 9),
        columns=st.none() | st.integers(1, 8),
        gap=st.integers(0, 48),
        radius=st.integers(0, 48),
        ratio=st.sampled_from(["square", "portrait", "tall"]),
        theme=st.sampled_from(["auto", "light", "dark"]),
        layout=st.sampled_from(["grid", "carousel"]),
        header=st.booleans(),
        captions=st.booleans(),
        open=st.sampled_from(["lightbox", "instagram"]),
        background=st.none() | st.sampled_from(["transparent", "f5ead7"]),
        color=st.none() | st.just("202020"),
        accent=st.none() | st.just("e1306c"),
        font=st.sampled_from(["system", "serif"]),
        type=st.none() | st.sampled_from(["photo", "album"]),
        tag=st.none() | st.sampled_from(["prints", "夕焼け"]),
    ),
    st.integers(1, 9),
)
def test_a_link_to_another_page_asks_for_the_same_options(asked: Options, page: int) -> None:
    query = dict(parse_qsl(asked.query(DEFAULTS, page)))

    assert options(**query) == replace(asked, page=page)


@pytest.mark.parametrize("text", ["ABC", "abc", "AABBCC", "aabbcc"])
def test_a_colour_has_one_value_however_it_is_written(text: str) -> None:
    assert options(background=text).background == "aabbcc"


@pytest.mark.parametrize(
    "text", ["", "ab", "abcd", "abcde", "aabbccd", "aabbccdd", "#abc", "ggg", "abc\n", "٣٣٣", "Transparent"]
)
def test_anything_else_is_no_colour(text: str) -> None:
    assert options(background=text) == DEFAULTS


def test_a_limit_beyond_the_feed_is_the_number_of_its_posts() -> None:
    assert options(limit="25").within(24).limit == 24
    assert options().within(5).limit == 5


@pytest.mark.parametrize(("view", "has_header"), [(View.PAGE, True), (View.EMBED, False)])
def test_the_page_has_a_header_by_default_and_the_embed_has_none(view: View, has_header: bool) -> None:
    assert requested_options("", view, KEPT).header is has_header
    assert requested_options("header=1", view, KEPT).header is True
    assert requested_options("header=0", view, KEPT).header is False


def test_the_embed_is_transparent_and_light_by_default_and_the_page_has_a_ground() -> None:
    page, embed = (requested_options("", view, KEPT) for view in (View.PAGE, View.EMBED))

    assert (page.background, page.theme) == (None, "auto")
    assert (embed.background, embed.theme) == ("transparent", "light")
    assert requested_options("background=transparent&theme=light", View.EMBED, KEPT) == embed


def test_the_first_value_of_a_name_counts() -> None:
    assert requested_options("gap=3&gap=9", View.PAGE, KEPT).gap == 3


# Choosing among the kept posts


def test_type_and_tag_choose_posts_in_their_order() -> None:
    assert list(options(type="photo").chosen(KEPT)) == [0, 3, 6, 9, 12, 15, 18, 21]
    assert list(options(tag="T1").chosen(KEPT)) == list(range(1, 24, 2))
    assert list(options(type="photo", tag="t1").chosen(KEPT)) == [3, 9, 15, 21]
    assert list(options(type="album").chosen(KEPT)) == []
    assert list(options().chosen(KEPT)) == list(range(24))


def test_limit_and_page_are_clamped_to_the_chosen_posts() -> None:
    asked = requested_options("type=photo&limit=9&page=2", View.EMBED, KEPT)
    paged = requested_options("type=photo&limit=3&page=9", View.EMBED, KEPT)

    assert (asked.limit, asked.page) == (8, 1)
    assert (paged.limit, paged.page) == (3, 3)


def test_all_tags_that_no_post_has_are_the_same() -> None:
    some = {requested_options(f"tag=none{number}&limit={number}", View.EMBED, KEPT) for number in range(1, 50)}

    assert [(each.tag, each.limit, list(each.chosen(KEPT))) for each in some] == [(UNKNOWN_TAG, 1, [])]
    assert requested_options("tag=T1", View.EMBED, KEPT).tag == "t1"


def test_without_posts_nothing_is_clamped() -> None:
    asked = requested_options("tag=none&limit=100&page=9", View.EMBED, None)

    assert (asked.tag, asked.limit, asked.page) == ("none", 100, 9)


# The table of options


def test_every_option_has_a_row() -> None:
    assert list(Options.table()) == [each.name for each in fields(Options)]
    assert all(row.values and row.default and row.help for row in Options.table().values())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_documents_show_the_table(document: Path) -> None:
    """After a change of the table: `python -m lab.option_tables`."""
    text = document.read_text("utf-8")

    assert text == with_table(text)


def test_docs_options_has_a_chapter_for_each_option() -> None:
    chapters = re.findall(r"^## `(\w+)`$", OPTIONS_PAGE.read_text("utf-8"), re.MULTILINE)

    assert chapters == list(Options.table())


def test_the_highest_limit_is_the_most_that_a_deployment_can_keep() -> None:
    assert Settings.from_env({"IGFEED_POSTS": str(MAX_LIMIT)}).posts == MAX_LIMIT
    with pytest.raises(ConfigError):
        Settings.from_env({"IGFEED_POSTS": str(MAX_LIMIT + 1)})


def test_a_page_beyond_the_last_is_the_last_also_of_an_empty_feed() -> None:
    assert options(page="9", limit="10").within(24).page == 3
    assert options(page="9", limit="12").within(24).page == 2
    assert options(page="9").within(0).page == 1


def test_different_options_have_different_keys() -> None:
    some = [options(), options(page="2"), options(gap="12"), options(columns="1"), options(header="1")]
    some += [options(tag="a"), options(type="photo"), options(color="a0a0a0"), options(accent="a0a0a0")]

    assert len({asked.key for asked in some}) == len(some)
