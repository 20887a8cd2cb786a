"""The words of the owner's pages: the same in every language."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from igfeed import create_app
from igfeed.config import LANGUAGES
from igfeed.models import Token
from igfeed.owner.pages.words import FOLDER, words_of
from tests.conftest import MakeServices
from tests.harness.owner import OWNER
from tests.servers.instagram import FakeInstagram, image

STUDIO = {
    *("navigation", "health", "actions", "problems", "cards", "time", "look", "snippets", "options", "posts"),
    *("rules", "history", "connection", "title", "see_page", "decimal_point"),
}
"""The tables of the studio. Other pages may add theirs, and show English until they are translated."""

OTHERS = [code for code in LANGUAGES if code != "en"]


def texts(table: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """All texts of a file, by the full names of their keys."""
    found: dict[str, str] = {}
    for name, value in table.items():
        found |= texts(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return found


def texts_of(code: str) -> dict[str, str]:
    return texts(tomllib.loads((FOLDER / f"{code}.toml").read_text("utf-8")))


@pytest.mark.parametrize("code", OTHERS)
def test_a_language_has_all_texts_of_the_studio_and_none_that_english_lacks(code: str) -> None:
    english, own = texts_of("en"), texts_of(code)

    assert set(own) <= set(english)
    assert {name for name in english if name.partition(".")[0] in STUDIO} <= set(own)


@pytest.mark.parametrize("code", OTHERS)
def test_a_text_that_a_language_lacks_is_that_in_english(code: str, tmp_path: Path, monkeypatch: Any) -> None:
    whole = (FOLDER / f"{code}.toml").read_text("utf-8")
    (tmp_path / f"{code}.toml").write_text(whole.replace("forget_app = ", "forgotten = "), "utf-8")
    (tmp_path / "en.toml").write_text((FOLDER / "en.toml").read_text("utf-8"), "utf-8")
    monkeypatch.setattr("igfeed.owner.pages.words.FOLDER", tmp_path)

    words = words_of.__wrapped__(code)

    assert (words.connection.forget_app, words.connection.heading) == ("Delete them", words_of(code).connection.heading)


@pytest.mark.parametrize("code", OTHERS)
def test_a_text_has_the_placeholders_and_the_code_of_the_english_one(code: str) -> None:
    def marks(text: str) -> list[str]:
        return sorted(re.findall(r"{\w+}|`CRON_SECRET`|`INSTAGRAM_\w+`|`IGFEED_\w+`", text))

    english = texts_of("en")
    own = texts_of(code)
    assert {name: marks(text) for name, text in own.items()} == {name: marks(english[name]) for name in own}
    assert all(own.values())


def test_an_unknown_word_is_an_error_and_not_an_empty_place() -> None:
    with pytest.raises(KeyError):
        _ = words_of("en").cards.nothing


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_studio_speaks_the_owners_language(
    make_services: MakeServices, instagram: FakeInstagram, token: Token, code: str
) -> None:
    instagram.picture_size = (48, 60)
    instagram.posts[:] = [image()]
    client: FlaskClient = create_app(services=make_services(IGFEED_LANGUAGE=code)).test_client()
    client.get("/")
    page = client.get("/studio", headers=OWNER).text

    assert f'<html lang="{code}"' in page
    for text in (words_of(code).health.well.title, words_of(code).look.heading, words_of(code).connection.heading):
        assert text in page
