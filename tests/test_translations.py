"""The files of the languages: each is whole, and has its own numbers and dates."""

import re
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from igfeed.config import LANGUAGES
from igfeed.widget.translations import language_of
from igfeed.widget.translations.language import FOLDER, read_language

Tables = dict[str, Any]

NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"


def test_every_language_has_a_file_and_every_file_a_language() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(LANGUAGES)


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_has_all_words_and_months(code: str) -> None:
    months = language_of(code).dates.months

    assert len(set(months)) == 12
    assert all(months)


def texts(table: Tables, prefix: str = "") -> Tables:
    """All texts of a file, by the full names of their keys."""
    found: Tables = {}
    for name, value in table.items():
        found |= texts(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return found


def tables(code: str) -> Tables:
    return tomllib.loads((FOLDER / f"{code}.toml").read_text("utf-8"))


def placeholders(code: str) -> dict[str, list[str]]:
    return {name: sorted(re.findall(r"{(\w*)}", str(value))) for name, value in texts(tables(code)).items()}


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_text_has_the_same_placeholders_as_in_english(code: str) -> None:
    assert placeholders(code) == placeholders("en")


@pytest.mark.parametrize(
    ("code", "numbers"),
    [
        ("en", ["7", "999", "1,234", "12,840", "1,234,567"]),
        ("de", ["7", "999", "1.234", "12.840", "1.234.567"]),
        ("fr", ["7", "999", *(each.replace(" ", NARROW_SPACE) for each in ("1 234", "12 840", "1 234 567"))]),
        ("es", ["7", "999", "1234", "12.840", "1.234.567"]),
        ("it", ["7", "999", "1234", "12.840", "1.234.567"]),
        ("pt", ["7", "999", "1.234", "12.840", "1.234.567"]),
        ("nl", ["7", "999", "1.234", "12.840", "1.234.567"]),
    ],
)
def test_numbers_are_written_as_in_the_language(code: str, numbers: list[str]) -> None:
    """As `Intl.NumberFormat` of Node.js writes them (CLDR 48)."""
    assert [language_of(code).number(number) for number in (7, 999, 1234, 12840, 1234567)] == numbers


@pytest.mark.parametrize(
    ("code", "day"),
    [
        ("en", "3 May 2026"),
        ("de", "3. Mai 2026"),
        ("fr", "3 mai 2026"),
        ("es", "3 de mayo de 2026"),
        ("it", "3 maggio 2026"),
        ("pt", "3 de maio de 2026"),
        ("nl", "3 mei 2026"),
    ],
)
def test_dates_are_written_as_in_the_language(code: str, day: str) -> None:
    assert language_of(code).date(datetime(2026, 5, 3, tzinfo=UTC)) == day


# Files that are not as they must be

ENGLISH = (FOLDER / "en.toml").read_text("utf-8")
FAULTS: dict[str, tuple[Callable[[str], str], str]] = {
    "a missing word": (lambda text: re.sub("(?m)^next_slide.*$", "", text), "xx.toml: words.next_slide is missing"),
    "an unknown word": (lambda text: f"{text}\nnext_slid = 'x'", "xx.toml: words.next_slid is unknown"),
    "a missing table": (lambda text: text.replace("[dates]", "[date]"), "xx.toml: dates is missing"),
    "a missing plural": (lambda text: text.replace(', other = "posts"', ""), "xx.toml: words.posts.other is missing"),
    "an empty word": (lambda text: re.sub("(?m)^close = .*$", 'close = ""', text), "xx.toml: words.close is ''"),
    "a number": (lambda text: re.sub("(?m)^close = .*$", "close = 1", text), "xx.toml: words.close is 1"),
    "no TOML": (lambda text: f"{text}\n?", "xx.toml: "),
}


@pytest.mark.parametrize(("change", "message"), FAULTS.values(), ids=FAULTS)
def test_an_error_names_the_file_and_the_key(tmp_path: Path, change: Callable[[str], str], message: str) -> None:
    (tmp_path / "xx.toml").write_text(change(ENGLISH), "utf-8")

    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        read_language(tmp_path / "xx.toml")


def test_a_file_is_read_once_in_a_process() -> None:
    assert language_of("nl") is language_of("nl")
