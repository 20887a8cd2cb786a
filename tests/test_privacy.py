"""The privacy page says what is stored, of whom, and how to have it removed, in the page's language."""

from html import unescape

import pytest
from flask.testing import FlaskClient

from igfeed import create_app
from igfeed.config import LANGUAGES
from igfeed.models import Token
from igfeed.services import Services
from igfeed.widget.privacy.wording import wording_of
from tests.conftest import MakeServices
from tests.harness.visitor import Visitor
from tests.servers.instagram import FakeInstagram


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_names_the_account_in_every_language(
    make_services: MakeServices, services: Services, token: Token, instagram: FakeInstagram, language: str
) -> None:
    instagram.profile["name"] = "Studio <Nord> {0}"
    services.feed.fetch()
    page = Visitor(create_app(services=make_services(IGFEED_LANGUAGE=language))).get("/privacy")

    assert page.status_code == 200
    assert f'<html lang="{language}"' in page.text
    assert "Studio &lt;Nord&gt; {0}" in page.text
    assert 'href="https://www.instagram.com/studio.nord/"' in page.text
    said = wording_of(language).privacy
    assert [each.heading in unescape(page.text) for each in (said.visitors, said.stored, said.removal)] == [True] * 3
    assert "{name}" not in page.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_says_as_much_as_english(language: str) -> None:
    def shape(code: str) -> list[tuple[int, int]]:
        """How many paragraphs, and how many of them name the account."""
        said = wording_of(code).privacy
        sections = (said.visitors, said.stored, said.removal)
        return [(len(each.paragraphs), sum("{name}" in text for text in each.paragraphs)) for each in sections]

    assert shape(language) == shape("en")
    assert "{name}" in wording_of(language).privacy.about
    assert "{date}" in wording_of(language).deletion.deleted


def test_without_a_feed_it_is_there_and_names_nobody(client: FlaskClient, instagram: FakeInstagram) -> None:
    page = client.get("/privacy")

    assert (page.status_code, instagram.calls) == (200, [])
    assert "the owner of this site" in page.text
    assert "instagram.com" not in page.text


def test_without_a_store_it_is_there_too(make_services: MakeServices) -> None:
    client = Visitor(create_app(services=make_services(VERCEL="1", IGFEED_STORE_PATH="")))

    assert client.get("/privacy").status_code == 200


def test_it_sets_no_cookie_and_caches_may_keep_it(client: FlaskClient) -> None:
    page = client.get("/privacy")

    assert "Set-Cookie" not in page.headers
    assert page.headers["Cache-Control"] == "public, max-age=300"
    assert client.get("/privacy", headers={"If-None-Match": page.headers["ETag"]}).status_code == 304
    assert "<script" not in page.text
