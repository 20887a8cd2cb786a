"""Addresses as hosts and people write them: with a final slash, or wrong; and hosts that isolate themselves."""

import re
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from igfeed import create_app
from igfeed.config import LANGUAGES
from igfeed.feed.service import FeedService
from igfeed.models import Token
from igfeed.widget.translations import language_of
from tests.conftest import MakeServices
from tests.harness.owner import CRON, OWNER, STATUS
from tests.harness.visitor import Visitor
from tests.servers.instagram import FakeInstagram

EMBEDDER = "Cross-Origin-Embedder-Policy"
RESOURCE = "Cross-Origin-Resource-Policy"


@pytest.fixture
def shown(client: FlaskClient, token: Token, instagram: FakeInstagram) -> FlaskClient:
    """There is a feed, and a first visitor has seen it. Its pictures are small, so that the cron is done soon."""
    instagram.picture_size = (48, 60)
    client.get("/")
    return client


@pytest.mark.parametrize("path", ["/embed", "/embed.js", "/healthz", STATUS, CRON])
def test_with_a_final_slash_an_address_is_served_alike_and_not_redirected(shown: FlaskClient, path: str) -> None:
    plain, slashed = (shown.get(each, headers=OWNER) for each in (path, f"{path}/"))

    assert (plain.status_code, slashed.status_code) == (200, 200)
    assert slashed.mimetype == plain.mimetype
    if path != CRON:
        assert slashed.data == plain.data


def test_the_cron_with_a_final_slash_runs_and_a_head_request_does_not(
    shown: FlaskClient, instagram: FakeInstagram
) -> None:
    before = instagram.count("media")

    looked = shown.head(f"{CRON}/", headers=OWNER)
    refused = shown.get(f"{CRON}/")
    between = instagram.count("media")
    ran = shown.post(f"{CRON}/", headers=OWNER)

    assert (looked.status_code, refused.status_code, ran.status_code) == (405, 401, 200)
    assert (between, instagram.count("media")) == (before, before + 1)


@pytest.mark.parametrize("first", ["/embed?limit=5", "/embed/?limit=5"])
def test_with_and_without_a_final_slash_the_finished_page_is_the_same(app: Flask, token: Token, first: str) -> None:
    woken: list[str] = []
    app.before_request(lambda: woken.append(request.path))
    client = Visitor(app)
    client.get("/")
    client.get(first)
    pages = [client.get(path) for path in ("/embed?limit=5", "/embed/?limit=5")]

    assert woken == ["/", first.partition("?")[0]], "both are one finished page"
    assert pages[0].data == pages[1].data
    assert 'href="/embed?limit=5&amp;page=2"' in pages[0].text
    assert "/embed/" not in pages[0].text


def test_two_final_slashes_are_not_taken_for_a_page(shown: FlaskClient) -> None:
    assert shown.get("/embed//").status_code == 308


# Addresses that lead nowhere


@pytest.fixture
def framed(make_services: MakeServices, token: Token) -> FlaskClient:
    return Visitor(create_app(services=make_services(IGFEED_FRAME_ANCESTORS="https://shop.example")))


@pytest.mark.parametrize("path", ["/embd", "/embed/x", "/nobody/embed", "/embed.html"])
def test_a_mistyped_address_is_a_page_that_may_stand_in_a_frame(framed: FlaskClient, path: str) -> None:
    response = framed.get(path)

    assert response.status_code == 404
    assert response.mimetype == "text/html"
    assert response.headers["Content-Security-Policy"].endswith("frame-ancestors https://shop.example")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers[EMBEDDER] == "credentialless"
    assert '<a href="/">' in response.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_at_a_wrong_address_has_the_owners_language_and_a_link_to_the_posts(
    make_services: MakeServices, language: str
) -> None:
    words = language_of(language).words
    page = create_app(services=make_services(IGFEED_LANGUAGE=language)).test_client().get("/nothing")

    assert f'<html lang="{language}"' in page.text
    assert f"<h1>{words.page_not_found}</h1>" in page.text
    assert f">{words.see_posts}</a>" in page.text


def test_the_page_at_a_wrong_address_heeds_the_prefix_and_the_theme(client: FlaskClient) -> None:
    page = client.get("/nothing?theme=dark", environ_overrides={"SCRIPT_NAME": "/shop"}).text

    assert '<a href="/shop/">' in page
    assert 'data-theme="dark"' in page


@pytest.mark.parametrize("path", ["/api/x", "/api/instagram/refresh-token/x"])
def test_a_wrong_address_below_api_gets_json(client: FlaskClient, path: str) -> None:
    response = client.get(path)

    assert (response.status_code, response.json["error"]) == (404, "not_found")  # type: ignore[index]
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/media/1-320.webp", "/static/x"])
def test_a_missing_file_gets_a_short_text_and_no_page(shown: FlaskClient, path: str) -> None:
    response = shown.get(path)

    assert response.status_code == 404
    assert b"<main" not in response.data


@pytest.mark.parametrize("path", ["/", "/embed", "/embed/", "/go/profile"])
def test_an_internal_error_is_a_page_too(app: Flask, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    def fail(_: FeedService) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(FeedService, "current", fail)
    response = Visitor(app).get(path)

    assert response.status_code == 500
    assert language_of("en").words.feed_not_ready in response.text
    assert response.headers["Content-Security-Policy"].endswith("frame-ancestors *")
    assert response.headers["Cache-Control"] == "no-store"


# Host pages that isolate themselves


def isolation(response: TestResponse) -> tuple[str | None, str | None]:
    return response.headers.get(EMBEDDER), response.headers.get(RESOURCE)


@pytest.mark.parametrize("path", ["/", "/embed", "/embed/", "/nothing"])
def test_a_page_may_stand_in_a_frame_of_a_host_that_isolates_itself(shown: FlaskClient, path: str) -> None:
    for response in (shown.get(path), shown.get(path), shown.get(path, headers={"If-None-Match": "*"})):
        assert isolation(response) == ("credentialless", "cross-origin")


def test_the_page_without_a_feed_may_be_in_such_a_frame_too(client: FlaskClient) -> None:
    response = client.get("/embed")

    assert response.status_code == 503
    assert isolation(response) == ("credentialless", "cross-origin")


def test_such_a_host_may_load_our_files_but_nothing_that_needs_the_secret(shown: FlaskClient) -> None:
    picture = re.findall(r'src="(/media/[^"]+)', shown.get("/").text)[0]
    icon = re.findall(r'href="(/static/[^"]+)', shown.get("/").text)[0]

    for path in (picture, icon, "/embed.js"):
        assert shown.get(path).headers[RESOURCE] == "cross-origin"
    assert shown.get("/embed.js").headers["Access-Control-Allow-Origin"] == "*"
    for path in (STATUS, CRON):
        response = shown.get(path, headers=OWNER)
        assert isolation(response) == (None, None)
        assert "Access-Control-Allow-Origin" not in response.headers


def test_such_a_host_may_load_the_placeholder_of_a_picture(shown: FlaskClient, instagram: FakeInstagram) -> None:
    picture = re.findall(r'src="(/media/[^"]+)', shown.get("/").text)[0]
    instagram.stop()
    response = shown.get(picture)

    assert (response.status_code, response.headers[RESOURCE]) == (503, "cross-origin")
