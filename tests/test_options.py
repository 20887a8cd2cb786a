"""What a query string may ask for."""

from hypothesis import given
from hypothesis import strategies as st

from igfeed.widget.options import Options

DEFAULTS = Options()
NAMES = ("limit", "page", "columns", "gap", "radius", "ratio", "theme", "layout", "header", "captions", "open", "q")


def options(**query: str) -> Options:
    return Options.from_query(query, DEFAULTS, most_posts=24)


def test_every_option_is_read() -> None:
    numbers = options(limit="9", page="2", columns="3", gap="0", radius="8")
    words = options(ratio="tall", theme="light", layout="carousel", header="1", captions="1", open="instagram")

    assert numbers == Options(9, 2, 3, 0, 8)
    assert words == Options(
        ratio="tall", theme="light", layout="carousel", header=True, captions=True, open="instagram"
    )


def test_numbers_are_clamped() -> None:
    assert options(limit="0", page="0", columns="0", gap="-3", radius="-1") == Options(limit=1, columns=1, gap=0)
    assert options(limit="25", columns="9", gap="49", radius="99") == Options(limit=24, columns=8, gap=48, radius=48)


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
    }

    assert options(**bad, captions="2", colour="red") == DEFAULTS


@given(st.dictionaries(st.sampled_from(NAMES), st.text() | st.integers().map(str)))
def test_any_query_string_makes_options_within_their_bounds(query: dict[str, str]) -> None:
    asked = options(**query)

    assert 1 <= asked.limit <= 24
    assert 1 <= asked.page <= Options.MOST_PAGES
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
    ),
    st.integers(1, 9),
)
def test_a_link_to_another_page_asks_for_the_same_options(asked: Options, page: int) -> None:
    from dataclasses import replace
    from urllib.parse import parse_qsl

    query = dict(parse_qsl(asked.query(DEFAULTS, page)))

    assert options(**query) == replace(asked, page=page)


def test_a_page_beyond_the_last_is_the_last_also_of_an_empty_feed() -> None:
    assert options(page="9", limit="10").within(24).page == 3
    assert options(page="9", limit="12").within(24).page == 2
    assert options(page="9").within(0).page == 1


def test_different_options_have_different_keys() -> None:
    some = [options(), options(page="2"), options(gap="12"), options(columns="1"), options(header="1")]

    assert len({asked.key for asked in some}) == len(some)
