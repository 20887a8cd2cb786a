"""The studio: who may see it, what it says, and what its forms do."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from igfeed import create_app
from igfeed.models import Token
from igfeed.owner.pages.forms import FORM_LIFETIME
from tests.conftest import MakeServices
from tests.harness.clock import MovingClock
from tests.harness.owner import OWNER
from tests.harness.visitor import Visitor
from tests.servers.faults import Fault
from tests.servers.instagram import PERMISSION, TEMPORARY, FakeInstagram, dead_token, image
from tests.servers.receivers import Webhook
from tests.servers.upstash import FakeUpstash

FORMS = ("/studio/renew", "/studio/fetch")


@pytest.fixture(autouse=True)
def few_small_posts(instagram: FakeInstagram) -> None:
    instagram.picture_size = (48, 60)
    instagram.posts[:] = [image(), image()]


def studio(client: FlaskClient, query: str = "") -> str:
    """The page as a person reads it: its HTML with signs in place of entities."""
    response = client.get(f"/studio{query}", headers=OWNER)
    assert response.status_code == 200, response.text
    return unescape(response.text)


def title(page: str) -> str:
    (found,) = re.findall(r"<h1>(.*)</h1>", page)
    return str(found)


def token_in(page: str) -> str:
    return str(re.findall(r'name="form_token" value="([^"]+)"', page)[0])


def send(client: FlaskClient, path: str, form_token: str | None = None, **headers: str) -> TestResponse:
    """Press the button of this form, with the token of a page that was just loaded unless another is given."""
    form_token = token_in(studio(client)) if form_token is None else form_token
    return client.post(path, data={"form_token": form_token}, headers={**OWNER, **headers})


# Who gets in


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_the_secret_a_browser_asks_for_it_and_nothing_is_said(
    client: FlaskClient, token: Token, instagram: FakeInstagram, method: str
) -> None:
    path = "/studio" if method == "GET" else "/studio/fetch"
    response = client.open(path, method=method, headers={"Authorization": "Bearer wrong"})

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Basic realm="igfeed"'
    assert response.headers["Cache-Control"] == "no-store"
    assert "Token" not in response.text
    assert instagram.calls == []


@pytest.mark.parametrize("path", ["/studio", *FORMS])
def test_without_any_secret_set_it_says_how_to_set_one_and_nothing_else(
    make_services: MakeServices, instagram: FakeInstagram, path: str
) -> None:
    client = create_app(services=make_services(CRON_SECRET="")).test_client()
    response = client.get(path, headers=OWNER) if path == "/studio" else client.post(path, headers=OWNER)

    assert response.status_code == 503
    assert "CRON_SECRET" in response.text
    assert "<form" not in response.text
    assert instagram.calls == []


def test_its_policy_lets_nobody_frame_it_and_runs_nothing_that_is_not_its_own(
    client: FlaskClient, token: Token
) -> None:
    response = client.get("/studio", headers=OWNER)
    policy = response.headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'none'; ")
    assert policy.endswith("form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
    assert "unsafe" not in policy
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "same-origin"


# What it says


def test_all_is_well(client: FlaskClient, token: Token) -> None:
    client.get("/")

    page = studio(client)

    assert title(page) == "All is well."
    assert "Expires in 30 days" in page
    assert "2 posts" in page
    assert "Fetched just now" in page
    assert '<progress max="60" value="30' in page


def test_a_first_start_asks_for_an_account(client: FlaskClient) -> None:
    assert title(studio(client)) == "Let\N{RIGHT SINGLE QUOTATION MARK}s begin."


SAID = "Error validating access token: the user changed the password."
FAULTS: dict[str, tuple[Fault, str, str]] = {
    "rejected": (dead_token(460, SAID), "Instagram rejects the token.", SAID),
    "not permitted": (PERMISSION, "Instagram refuses.", "permission"),
    "temporary": (TEMPORARY, "It works. The last fetch failed.", "Instagram"),
}


@pytest.mark.parametrize(("fault", "sentence", "words"), FAULTS.values(), ids=FAULTS)
def test_what_is_wrong_is_said_once_with_the_words_of_instagram(
    client: FlaskClient, instagram: FakeInstagram, token: Token, fault: Fault, sentence: str, words: str
) -> None:
    client.get("/")
    instagram.fail("*", fault)
    send(client, "/studio/fetch")

    page = studio(client)

    assert title(page) == sentence
    (problems,) = re.findall(r"<ul lang=\"en\">(.*?)</ul>", page, re.DOTALL)
    assert words in problems
    said = re.findall(r"<li><p>(.*?)</p>", problems)
    assert len(said) == len(set(said))
    assert token.value not in page


@pytest.mark.parametrize(
    ("days", "sentence"), [(30, "It works. One renewal failed."), (6, "The token is running out.")]
)
def test_a_failed_renewal_is_urgent_only_when_few_days_are_left(
    client: FlaskClient, instagram: FakeInstagram, token: Token, clock: MovingClock, days: int, sentence: str
) -> None:
    client.get("/")
    clock.forward(days=30 - days)
    instagram.fail("renew", TEMPORARY)
    send(client, "/studio/renew")

    assert title(studio(client)) == sentence


def test_an_expired_token_is_said_with_its_day(client: FlaskClient, token: Token, clock: MovingClock) -> None:
    client.get("/")
    clock.forward(days=31)

    page = studio(client)

    assert title(page) == "The token has expired."
    assert "Expired on 2 June 2026" in page


def test_a_database_that_does_not_answer_is_said(
    make_services: MakeServices, upstash: FakeUpstash, token: Token
) -> None:
    services = make_services(UPSTASH_REDIS_REST_URL=upstash.url, UPSTASH_REDIS_REST_TOKEN=upstash.token)
    upstash.fail("redis_down")

    page = studio(Visitor(create_app(services=services)))

    assert title(page) == "The database does not answer."
    assert "Upstash Redis" in page


def test_without_a_database_on_vercel_it_says_that_one_is_missing(make_services: MakeServices) -> None:
    page = studio(create_app(services=make_services(VERCEL="1")).test_client())

    assert title(page) == "A database is missing."
    assert "Upstash" in page


def test_the_page_costs_four_store_commands(
    make_services: MakeServices, upstash: FakeUpstash, instagram: FakeInstagram, clock: MovingClock
) -> None:
    services = make_services(UPSTASH_REDIS_REST_URL=upstash.url, UPSTASH_REDIS_REST_TOKEN=upstash.token)
    services.tokens.adopt(Token(instagram.issue(), clock(), clock() + timedelta(days=60)), is_verified=True)
    services.feed.fetch()
    client = create_app(services=services).test_client()
    upstash.forget()

    assert title(studio(client)) == "All is well."
    assert len(upstash.commands()) == 4


# What its forms do


def test_the_buttons_renew_and_fetch_and_the_page_says_so(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    said = []
    for path in FORMS:
        response = send(client, path)
        assert response.status_code == 303
        said += re.findall(
            r'role="status">(.*)</p>', studio(client, response.headers["Location"].removeprefix("/studio"))
        )

    assert said == ["The token was renewed.", "The feed was fetched."]
    assert (instagram.count("renew"), instagram.count("media")) == (1, 1)


def test_a_failure_says_why_in_words_of_a_fixed_table(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    instagram.fail("*", TEMPORARY)

    location = send(client, "/studio/fetch").headers["Location"]

    assert location == "/studio?done=failed&because=instagram_away"
    assert "Instagram does not answer." in studio(client, location.removeprefix("/studio"))


@pytest.mark.parametrize("query", ["?done=<b>hello", "?done=fetched&because=Hello", "?done=items"])
def test_an_address_puts_no_words_onto_the_page(client: FlaskClient, token: Token, query: str) -> None:
    page = studio(client, query)

    assert "hello" not in page.lower()


FOREIGN: dict[str, dict[str, Any]] = {
    "without a token": {"form_token": ""},
    "with a token that is none": {"form_token": "x"},
    "with a forged token": {"form_token": "69f73a00.00000000"},
    "with a token of another key": {"form_token": "69f73a00." + "0" * 64},
    "from another site": {"Sec-Fetch-Site": "cross-site"},
    "from a neighbour": {"Sec-Fetch-Site": "same-site"},
    "from another origin": {"Origin": "https://evil.example"},
    "from a page without an origin": {"Origin": "null"},
    "from an origin that cannot be read": {"Origin": "http://["},
}


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("how", FOREIGN.values(), ids=FOREIGN)
def test_a_form_that_another_site_sends_changes_nothing(
    client: FlaskClient, instagram: FakeInstagram, token: Token, path: str, how: dict[str, Any]
) -> None:
    response = send(client, path, **how)

    assert response.status_code == 403
    assert "Nothing was changed" in response.text
    assert instagram.calls == []


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, {}],
    ids=["by its origin", "by what the browser says", "by a program"],
)
def test_a_form_of_ours_is_taken(client: FlaskClient, token: Token, headers: dict[str, str]) -> None:
    assert send(client, "/studio/renew", **headers).status_code == 303


def test_behind_a_proxy_the_origin_of_base_url_is_ours(make_services: MakeServices, token: Token) -> None:
    client = Visitor(create_app(services=make_services(BASE_URL="https://feed.example")))

    assert send(client, "/studio/renew", Origin="https://feed.example").status_code == 303


def test_a_form_of_a_page_that_was_open_for_too_long_changes_nothing_and_says_so(
    client: FlaskClient, instagram: FakeInstagram, token: Token, clock: MovingClock
) -> None:
    form_token = token_in(studio(client))
    clock.now += FORM_LIFETIME

    response = send(client, "/studio/renew", form_token)

    assert response.headers["Location"] == "/studio?done=too_late"
    assert instagram.count("renew") == 0


def test_a_form_token_of_a_second_secret_is_taken_while_the_owner_changes_the_first(
    make_services: MakeServices, client: FlaskClient, token: Token
) -> None:
    form_token = token_in(studio(client))
    changed = make_services(CRON_SECRET="new", VERCEL_CRON_SECRET="the-cron-secret")

    assert send(Visitor(create_app(services=changed)), "/studio/renew", form_token).status_code == 303


# Alerts


def alerts_card(page: str) -> tuple[str, str]:
    """Its level and its text."""
    (found,) = re.findall(r'<div class="card (\w+)">\s*<dt>Alerts</dt>(.*?)</div>', page, re.DOTALL)
    return found[0], " ".join(re.sub("<[^>]*>", " ", found[1]).split())


def test_without_an_address_for_alerts_the_card_says_how_to_set_one_and_there_is_no_button(
    client: FlaskClient, token: Token
) -> None:
    page = studio(client)

    assert alerts_card(page) == ("none", "Not set up IGFEED_ALERTS says where to")
    assert "test alert" not in page


def test_a_test_alert_is_sent_by_a_button_and_an_address_that_does_not_take_it_is_said(
    make_services: MakeServices, token: Token
) -> None:
    with Webhook() as webhook:
        address = webhook.address("hook-Zk3vQ8wLx2Rb7TnPc5")
        client = Visitor(create_app(services=make_services(IGFEED_ALERTS=address)))
        before = alerts_card(studio(client))
        taken = send(client, "/studio/test-alert").headers["Location"]
        webhook.status = 500
        refused = send(client, "/studio/test-alert").headers["Location"]

    assert before == ("good", "Set up You are told when you are needed")
    assert (taken, len(webhook.alerts)) == ("/studio?done=alert_sent", 1)
    assert refused == "/studio?done=alert_failed"
    page = studio(client)
    assert alerts_card(page) == ("warn", "Set up The last one did not arrive")
    assert "hook-Zk3vQ8wLx2Rb7TnPc5" not in page


# History and connection


def test_the_history_says_who_did_what_and_with_what_outcome(
    client: FlaskClient, instagram: FakeInstagram, token: Token, clock: MovingClock
) -> None:
    client.get("/api/cron/refresh-instagram-token", headers=OWNER)
    clock.forward(hours=5)
    instagram.fail("media", TEMPORARY)
    send(client, "/studio/fetch")

    rows = re.findall(r'<tr class="(\w+)">(.*?)</tr>', studio(client), re.DOTALL)
    texts = [(kind, [re.sub("<[^>]*>", "", cell) for cell in re.findall(r"<td>(.*?)</td>", row)]) for kind, row in rows]

    assert [(kind, cells[1:3]) for kind, cells in texts] == [
        ("bad", ["Fetch", "You"]),
        ("good", ["Fetch", "Cron"]),
        ("good", ["Renewal", "Cron"]),
    ]
    assert texts[0][1][3].startswith("Failed Instagram")
    assert (texts[2][1][0], texts[2][1][3]) == ("5 hours ago", "Renewed")


def test_the_last_cron_run_has_a_card(client: FlaskClient, instagram: FakeInstagram, token: Token) -> None:
    def card() -> str:
        return str(re.findall(r'<div class="card (\w+)">\s*<dt>Last cron run', studio(client))[0])

    before = card()
    client.get("/api/cron/refresh-instagram-token", headers=OWNER)
    after = card()
    instagram.fail("renew", TEMPORARY)
    instagram.fail("media", TEMPORARY)
    client.get("/api/cron/refresh-instagram-token", headers=OWNER)

    assert [before, after, card()] == ["none", "good", "warn"]


APP_SECRET = "f00dfeedf00dfeedf00dfeedf00dfeed"


def test_the_app_is_typed_in_once_and_its_secret_is_never_shown_again(client: FlaskClient) -> None:
    data = {"app_id": "1234567890", "app_secret": APP_SECRET, "form_token": token_in(studio(client))}
    before = studio(client)
    response = client.post("/studio/connection/app", data=data, headers=OWNER)

    assert response.headers["Location"] == "/studio?done=app_saved#connection"
    page = studio(client)
    assert ('href="/connect"' in before, 'href="/connect"' in page) == (False, True)
    assert 'value="1234567890"' in page
    assert APP_SECRET not in page
    client.post("/studio/connection/forget-app", data={"form_token": token_in(page)}, headers=OWNER)
    assert 'href="/connect"' not in studio(client)


@pytest.mark.parametrize(
    ("app_id", "secret", "result"), [("abc", APP_SECRET, "bad_app_id"), ("1234567890", "no secret", "bad_app_secret")]
)
def test_an_app_id_or_secret_that_cannot_be_right_is_not_stored(
    client: FlaskClient, app_id: str, secret: str, result: str
) -> None:
    data = {"app_id": app_id, "app_secret": secret, "form_token": token_in(studio(client))}
    response = client.post("/studio/connection/app", data=data, headers=OWNER)

    assert f"done={result}#" in response.headers["Location"]
    assert 'href="/connect"' not in studio(client)


def test_an_app_of_the_variables_is_named_and_cannot_be_changed_here(make_services: MakeServices) -> None:
    services = make_services(INSTAGRAM_APP_ID="1234567890", INSTAGRAM_APP_SECRET=APP_SECRET)
    page = studio(create_app(services=services).test_client())

    assert "INSTAGRAM_APP_SECRET" in page
    assert 'name="app_secret"' not in page
    assert APP_SECRET not in page


def test_the_redirect_address_is_that_of_base_url(make_services: MakeServices) -> None:
    page = studio(create_app(services=make_services(BASE_URL="https://feed.example")).test_client())

    assert "<code>https://feed.example/connect/callback</code>" in page
