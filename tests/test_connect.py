"""Connect: from a button to a stored token, and every way in which it may fail without harm."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from igfeed import create_app
from igfeed.errors import StoreError, WrongAppId, WrongAppSecret
from igfeed.models import Token
from igfeed.owner.connect import app_credentials, login_failure
from igfeed.services import Services
from tests.conftest import MakeServices
from tests.harness.clock import MovingClock, about
from tests.harness.owner import OWNER
from tests.harness.visitor import POST_IDS, Visitor
from tests.servers.faults import Fault
from tests.servers.instagram import (
    PERMISSION,
    TEMPORARY,
    UNSUPPORTED_REQUEST,
    WRONG_SECRET,
    FakeInstagram,
    default_profile,
    html_error,
    image,
    login_error,
    reply,
)

CALLBACK = "http://localhost/connect/callback"


@pytest.fixture(autouse=True)
def two_posts(instagram: FakeInstagram) -> None:
    instagram.posts[:] = [image(), image()]


@pytest.fixture
def environ(environ: dict[str, str], instagram: FakeInstagram) -> dict[str, str]:
    """A deployment that knows its app at Meta."""
    return {
        **environ,
        "INSTAGRAM_OAUTH_URL": instagram.url,
        "INSTAGRAM_LOGIN_URL": instagram.url,
        "INSTAGRAM_APP_ID": instagram.app_id,
        "INSTAGRAM_APP_SECRET": instagram.app_secret,
    }


def begin(client: FlaskClient, query: str = "") -> TestResponse:
    """Press the button."""
    return client.get(f"/connect{query}", headers=OWNER)


def authorize(begun: TestResponse) -> str:
    """Go to Instagram's page and press Allow there. Gives the path that the browser is sent back to."""
    back = requests.get(begun.headers["Location"], allow_redirects=False, timeout=10).headers["Location"]
    return back.removeprefix("http://localhost").partition("#")[0]


def connect(client: FlaskClient) -> TestResponse:
    return client.get(authorize(begin(client)))


def done(response: TestResponse) -> str:
    """What the studio is told."""
    assert (response.status_code, response.headers["Cache-Control"]) == (303, "no-store")
    path, _, query = response.headers["Location"].partition("?")
    assert path == "/studio"
    return parse_qs(query).get("done", [""])[0]


def stored(services: Services) -> Token | None:
    return services.tokens.report().token


# The way that works


def test_a_login_ends_with_a_stored_token_and_a_feed(
    client: FlaskClient, instagram: FakeInstagram, services: Services, clock: MovingClock
) -> None:
    assert done(connect(client)) == "connected"

    token = stored(services)
    assert token
    assert instagram.alive(token.value)
    assert token.expires_at == about(clock.now + timedelta(seconds=instagram.lifetime))
    assert [instagram.count(each) for each in ("authorize", "code", "exchange")] == [1, 1, 1]
    assert POST_IDS.findall(client.get("/").text) == [post["id"] for post in instagram.posts]
    assert login_failure.last_failure(services) is None


def test_all_ids_of_the_account_that_came_are_kept_with_the_token_and_with_its_renewals(
    client: FlaskClient, services: Services, clock: MovingClock
) -> None:
    connect(client)
    ids = {"24500000000000001", "17841400000000001", "27100000000000001"}
    before = stored(services)
    assert before
    assert set(before.account_ids) == ids

    clock.forward(days=2)
    services.tokens.renew()

    after = stored(services)
    assert after
    assert after.value != before.value
    assert set(after.account_ids) == ids


def test_the_same_redirect_address_goes_to_the_page_and_into_the_exchange(
    make_services: MakeServices, instagram: FakeInstagram
) -> None:
    client = Visitor(create_app(services=make_services(BASE_URL="https://feed.example")))
    begun = client.get("/connect", headers={**OWNER, "Host": "feed.example"})
    back = urlsplit(authorize(begun))
    client.set_cookie("igfeed_connect", cookie(begun)[0], domain="feed.example", path="/connect")
    response = client.get(f"/connect/callback?{back.query}", headers={"Host": "feed.example"})

    assert done(response) == "connected"
    page, exchange = (next(call for call in instagram.calls if call.endpoint == name) for name in ("authorize", "code"))
    assert page.params["redirect_uri"] == exchange.params["redirect_uri"] == "https://feed.example/connect/callback"


def test_a_login_is_forced_when_another_account_is_wanted_only(client: FlaskClient) -> None:
    assert "force_reauth=true" in begin(client, "?another=1").headers["Location"]
    assert "force_reauth" not in begin(client).headers["Location"]


@pytest.mark.parametrize("lifetime", [{}, {"expires_in": "5184000"}, {"expires": 5184000}], ids=repr)
def test_a_reply_whose_lifetime_is_odd_or_missing_is_used(
    client: FlaskClient, instagram: FakeInstagram, services: Services, lifetime: dict[str, Any]
) -> None:
    value = instagram.issue(age=timedelta())
    instagram.fail("exchange", reply({"access_token": value, "token_type": "bearer", **lifetime}))

    assert done(connect(client)) == "connected"
    token = stored(services)
    assert token
    assert token.value == value


# The state


def cookie(response: TestResponse) -> tuple[str, str]:
    """Its value and its attributes."""
    value, _, attributes = response.headers["Set-Cookie"].removeprefix("igfeed_connect=").partition("; ")
    return value, attributes


def test_the_cookie_is_for_connect_only_and_no_script_reads_it(client: FlaskClient) -> None:
    _, attributes = cookie(begin(client))

    assert {"HttpOnly", "Path=/connect", "SameSite=Lax", "Max-Age=600"} <= set(attributes.split("; "))
    assert "Secure" not in attributes


def test_the_cookie_is_secure_where_instagram_sends_the_browser_to_https(make_services: MakeServices) -> None:
    client = Visitor(create_app(services=make_services(BASE_URL="https://localhost")))

    assert "Secure" in cookie(begin(client))[1]


def test_below_a_prefix_the_cookie_has_the_prefix_too(client: FlaskClient) -> None:
    begun = client.get("/connect", headers=OWNER, environ_overrides={"SCRIPT_NAME": "/feed"})

    assert "Path=/feed/connect" in cookie(begun)[1]
    assert parse_qs(urlsplit(begun.headers["Location"]).query)["redirect_uri"] == [
        "http://localhost/feed/connect/callback"
    ]


def test_a_second_call_changes_nothing_and_leads_to_the_studio(
    client: FlaskClient, instagram: FakeInstagram, services: Services
) -> None:
    back = authorize(begin(client))
    client.get(back)
    before = stored(services)
    instagram.forget_calls()

    assert done(client.get(back)) == ""
    assert stored(services) == before
    assert instagram.calls == []
    assert login_failure.last_failure(services) is None


def test_a_second_call_to_another_process_changes_nothing_either(
    client: FlaskClient, make_services: MakeServices, instagram: FakeInstagram
) -> None:
    begun = begin(client)
    back = authorize(begun)
    client.get(back)
    other = Visitor(create_app(services=make_services()))
    other.set_cookie("igfeed_connect", cookie(begun)[0], path="/connect")
    instagram.forget_calls()

    assert done(other.get(back)) == ""
    assert instagram.calls == []


def test_a_head_request_uses_no_login_up(client: FlaskClient) -> None:
    back = authorize(begin(client))

    assert client.head(back).status_code == 405
    assert done(client.get(back)) == "connected"


def forged(state: str) -> Iterator[str]:
    yield from ("", "x", state[:-1], f"{state}A", state.swapcase(), "a.b.c", "é" * 10)


def test_a_forged_state_is_refused(client: FlaskClient, instagram: FakeInstagram, services: Services) -> None:
    back = authorize(begin(client))
    state = parse_qs(urlsplit(back).query)["state"][0]
    instagram.forget_calls()

    for other in forged(state):
        response = client.get("/connect/callback", query_string={"code": "AQx", "state": other})
        assert (response.status_code, response.headers["Cache-Control"]) == (400, "no-store")
    assert client.get("/connect/callback?code=AQx").status_code == 400
    assert (instagram.calls, stored(services)) == ([], None)
    assert login_failure.last_failure(services) is None, "anybody can call this route, so it writes nothing"


@pytest.mark.parametrize("browser", ["another browser", "no cookie"])
def test_a_state_of_another_browser_is_refused(client: FlaskClient, instagram: FakeInstagram, browser: str) -> None:
    back = authorize(begin(client))
    other = Visitor(client.application)
    if browser == "another browser":
        begin(other)

    assert other.get(back).status_code == 400
    assert instagram.count("code") == 0


def test_a_state_is_good_for_ten_minutes(client: FlaskClient, clock: MovingClock) -> None:
    early, late = (authorize(begin(client)) for _ in range(2))

    clock.forward(minutes=9, seconds=50)
    assert done(client.get(early)) == "connected"
    clock.forward(seconds=20)
    assert client.get(late).status_code == 400


def test_a_state_that_another_secret_has_signed_is_refused(client: FlaskClient, make_services: MakeServices) -> None:
    begun = begin(client)
    other = Visitor(create_app(services=make_services(CRON_SECRET="another secret")))
    other.set_cookie("igfeed_connect", cookie(begun)[0], path="/connect")

    assert other.get(authorize(begun)).status_code == 400


def test_a_state_outlives_the_change_to_a_new_secret(client: FlaskClient, make_services: MakeServices) -> None:
    begun = begin(client)
    changed = make_services(CRON_SECRET="a new secret", VERCEL_CRON_SECRET=OWNER["Authorization"].split()[1])
    other = Visitor(create_app(services=changed))
    other.set_cookie("igfeed_connect", cookie(begun)[0], path="/connect")

    assert done(other.get(authorize(begun))) == "connected"


def test_connect_is_for_the_owner(client: FlaskClient, instagram: FakeInstagram) -> None:
    response = client.get("/connect")

    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, 'Basic realm="igfeed"')
    assert "Set-Cookie" not in response.headers
    assert client.get("/connect/confirm").status_code == 401


def test_a_browser_at_another_host_is_sent_to_ours_once_so_that_its_cookie_comes_back(
    make_services: MakeServices,
) -> None:
    client = Visitor(create_app(services=make_services(BASE_URL="https://feed.example")))
    first = begin(client, "?another=1")

    assert (first.status_code, "Set-Cookie" in first.headers) == (302, False)
    target = urlsplit(first.headers["Location"])
    assert (f"{target.scheme}://{target.netloc}{target.path}") == "https://feed.example/connect"
    # A proxy may say another host for ever.
    second = client.get(f"/connect?{target.query}", headers=OWNER)
    assert "force_reauth=true" in second.headers["Location"]


# What fails


ON_THE_WAY: dict[str, tuple[str, Fault, str]] = {
    "the secret is wrong": ("code", WRONG_SECRET, "WrongAppSecret"),
    "the secret is wrong at the second exchange": ("exchange", WRONG_SECRET, "WrongAppSecret"),
    "the code is used": ("code", login_error("This authorization code has been used"), "CodeSpent"),
    "another app": ("code", login_error("Invalid platform app"), "WrongAppId"),
    "no tester": ("code", login_error("Insufficient Developer Role"), "NotATester"),
    "the box unticked": (
        "code",
        reply({"access_token": "IGAAx", "permissions": ["instagram_business_manage_comments"]}),
        "PermissionUnticked",
    ),
    "no reply": ("code", html_error(502), "InstagramUnreachable"),
    "no long token": ("exchange", TEMPORARY, "InstagramUnreachable"),
    "a dead token": ("exchange", reply({"access_token": "IGAAdead"}), "LoginRefused"),
    "no profile": ("profile", TEMPORARY, "InstagramUnreachable"),
    "no permission for posts": ("media", PERMISSION, "PermissionRefused"),
    "tester role not accepted": ("media", UNSUPPORTED_REQUEST, "UnexpectedAnswer"),
}


@pytest.mark.parametrize("name", ON_THE_WAY)
def test_a_failed_login_changes_neither_token_nor_feed_and_says_why(
    client: FlaskClient, services: Services, instagram: FakeInstagram, token: Token, name: str
) -> None:
    endpoint, fault, kind = ON_THE_WAY[name]
    services.feed.fetch()
    before, posts = stored(services), services.feed.cached
    back = authorize(begin(client))
    instagram.fail(endpoint, fault)

    assert done(client.get(back)) == "connect_failed"

    failure = login_failure.last_failure(services)
    assert failure
    assert (failure.kind, bool(failure.message), bool(failure.hint)) == (kind, True, True)
    assert (stored(services), services.feed.newest()) == (before, posts)
    assert before
    assert instagram.alive(before.value)


def test_a_personal_account_is_told_how_to_become_a_professional_one(
    client: FlaskClient, services: Services, instagram: FakeInstagram
) -> None:
    instagram.profile["account_type"] = "Personal"

    assert done(connect(client)) == "connect_failed"
    failure = login_failure.last_failure(services)
    assert failure
    assert failure.kind == "PersonalAccount"
    assert "professional" in failure.hint
    assert stored(services) is None


def test_who_presses_cancel_reads_that_nothing_has_changed(
    client: FlaskClient, services: Services, instagram: FakeInstagram
) -> None:
    instagram.user_denies = True

    assert done(connect(client)) == "connect_failed"
    failure = login_failure.last_failure(services)
    assert failure
    assert (failure.kind, instagram.count("code")) == ("LoginDenied", 0)


def test_a_limit_on_the_posts_is_no_reason_to_throw_a_login_away(client: FlaskClient, instagram: FakeInstagram) -> None:
    instagram.fail("media", TEMPORARY)

    assert done(connect(client)) == "connected"


def test_the_next_start_forgets_the_failure(client: FlaskClient, services: Services, instagram: FakeInstagram) -> None:
    instagram.user_denies = True
    connect(client)

    begin(client)

    assert login_failure.last_failure(services) is None


def test_a_store_that_takes_nothing_is_found_out_before_the_code_is_spent(
    client: FlaskClient, services: Services, instagram: FakeInstagram, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = authorize(begin(client))

    def refuse(size: int | None = None) -> None:
        raise StoreError("The store is full.")

    monkeypatch.setattr(services.store, "check_writable", refuse)

    assert done(client.get(back)) == "connect_failed"
    assert instagram.count("code") == 0


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"INSTAGRAM_APP_ID": "", "INSTAGRAM_APP_SECRET": ""}, "INSTAGRAM_APP_ID"),
        ({"IGFEED_DEMO": "1"}, "IGFEED_DEMO"),
    ],
)
def test_where_nothing_can_be_connected_the_studio_says_what_to_set(
    make_services: MakeServices, variables: dict[str, str], said: str
) -> None:
    services = make_services(**variables)

    assert done(begin(Visitor(create_app(services=services)))) == "connect_failed"
    failure = login_failure.last_failure(services)
    assert failure
    assert said in failure.hint


# Another account


OTHER = {"id": "24500000000000009", "user_id": "17841400000000009", "username": "atelier.sol"}


@pytest.fixture
def another(client: FlaskClient, services: Services, instagram: FakeInstagram, token: Token) -> TestResponse:
    """The feed shows one account, and somebody has logged in with another one. Gives the answer of the callback."""
    services.feed.fetch()
    instagram.profile = {**default_profile(), **OTHER}
    instagram.login_id = "27100000000000009"
    instagram.posts[:] = [image(), image()]
    return connect(client)


def question(client: FlaskClient) -> str:
    response = client.get("/connect/confirm", headers=OWNER)
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")
    return unescape(response.text)


def send_answer(client: FlaskClient, show: str, **headers: str) -> TestResponse:
    token = re.findall(r'name="form_token" value="([^"]+)"', question(client))[0]
    form = {"form_token": token, "show": show}
    return client.post("/connect/confirm", data=form, headers={**OWNER, **headers})


def test_the_owner_is_asked_before_another_account_is_shown(
    client: FlaskClient, services: Services, another: TestResponse, token: Token
) -> None:
    assert (another.status_code, another.headers["Location"]) == (303, "/connect/confirm")
    page = question(client)
    assert "@atelier.sol" in page
    assert "@studio.nord" in page
    kept, feed = stored(services), services.feed.newest()
    assert kept
    assert feed
    assert (kept.value, feed.profile.username) == (token.value, "studio.nord")


def test_the_new_account_is_shown_when_the_owner_says_so(
    client: FlaskClient, services: Services, another: TestResponse, instagram: FakeInstagram
) -> None:
    assert done(send_answer(client, "new")) == "connected"

    feed = services.feed.newest()
    assert feed
    assert feed.profile.username == "atelier.sol"
    assert [post.id for post in feed.posts] == [post["id"] for post in instagram.posts]
    assert client.get("/connect/confirm", headers=OWNER).status_code == 303, "asked once"


def test_the_old_posts_stay_until_the_new_ones_are_there(
    client: FlaskClient, services: Services, another: TestResponse, instagram: FakeInstagram
) -> None:
    instagram.fail("media", TEMPORARY)

    assert done(send_answer(client, "new")) == "connected"

    feed = services.feed.newest()
    assert feed
    assert feed.profile.username == "studio.nord"


def test_the_old_account_stays_when_the_owner_says_so(
    client: FlaskClient, services: Services, another: TestResponse, token: Token
) -> None:
    assert done(send_answer(client, "old")) == "connect_kept"

    kept = stored(services)
    assert kept
    assert kept.value == token.value
    assert client.get("/connect/confirm", headers=OWNER).status_code == 303


def test_an_answer_that_another_site_sends_is_refused(
    client: FlaskClient, services: Services, another: TestResponse, token: Token
) -> None:
    assert send_answer(client, "new", **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.post("/connect/confirm", data={"show": "new"}, headers=OWNER).status_code == 403
    kept = stored(services)
    assert kept
    assert kept.value == token.value


def test_a_login_that_waits_too_long_is_deleted(
    client: FlaskClient, services: Services, another: TestResponse, clock: MovingClock
) -> None:
    clock.forward(minutes=11)

    assert client.get("/connect/confirm", headers=OWNER).status_code == 303
    assert services.store.get("connect-pending:v1") is None


def test_a_new_login_ends_the_question_about_an_earlier_one(
    client: FlaskClient, services: Services, another: TestResponse
) -> None:
    begin(client)

    assert services.store.get("connect-pending:v1") is None


def test_an_answer_that_comes_too_late_changes_nothing(
    client: FlaskClient, services: Services, another: TestResponse, token: Token, clock: MovingClock
) -> None:
    form = {"form_token": re.findall(r'name="form_token" value="([^"]+)"', question(client))[0], "show": "new"}
    clock.forward(minutes=11)

    assert done(client.post("/connect/confirm", data=form, headers=OWNER)) == "too_late"
    kept = stored(services)
    assert kept
    assert kept.value == token.value


@pytest.mark.parametrize(
    "same",
    [
        {"username": "studio.nord.new"},
        {"username": "studio.nord.new", "id": OTHER["id"]},
        {"username": "studio.nord.new", "user_id": OTHER["user_id"]},
        {"id": OTHER["id"], "user_id": OTHER["user_id"]},
        {"username": "Studio.Nord", "id": OTHER["id"], "user_id": OTHER["user_id"]},
    ],
    ids=repr,
)
def test_an_account_is_known_by_any_of_its_ids_or_by_its_name(
    client: FlaskClient, services: Services, instagram: FakeInstagram, token: Token, same: dict[str, str]
) -> None:
    services.feed.fetch()
    instagram.profile = {**default_profile(), **same}

    assert done(connect(client)) == "connected"


def test_the_waiting_token_is_kept_encrypted(
    services: Services, another: TestResponse, instagram: FakeInstagram
) -> None:
    kept = services.store.get("connect-pending:v1") or ""

    assert kept.startswith("fernet:")
    assert [value for value in instagram._tokens if value[:20] in kept] == []


# The app's id and secret, typed into the studio


NO_APP = {"INSTAGRAM_APP_ID": "", "INSTAGRAM_APP_SECRET": ""}


def test_a_typed_app_connects_as_one_of_the_variables_does(
    make_services: MakeServices, instagram: FakeInstagram
) -> None:
    app_credentials.save(make_services(**NO_APP), f" {instagram.app_id}\n", f'"{instagram.app_secret}"')
    services = make_services(**NO_APP)

    assert app_credentials.source(services) == "store"
    assert done(connect(Visitor(create_app(services=services)))) == "connected"


def test_the_variables_win(make_services: MakeServices, instagram: FakeInstagram) -> None:
    services = make_services()
    app_credentials.save(services, "999999", "0123456789abcdef")

    found = app_credentials.credentials(services)
    assert found
    assert (found.id, app_credentials.source(services)) == (instagram.app_id, "environment")


@pytest.mark.parametrize("key", ["", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="], ids=["cron secret", "a key"])
def test_the_typed_secret_is_encrypted_in_the_store(make_services: MakeServices, key: str) -> None:
    services = make_services(**NO_APP, IGFEED_ENCRYPTION_KEY=key)
    app_credentials.save(services, "999999", "0123456789abcdef")

    kept = services.store.get("app:v1") or ""
    assert kept.startswith("fernet:")
    assert "0123456789" not in kept
    found = app_credentials.credentials(services)
    assert found
    assert found.secret == "0123456789abcdef"
    assert "0123456789" not in repr(found)


def test_a_key_that_is_set_later_opens_what_was_stored_before(make_services: MakeServices) -> None:
    app_credentials.save(make_services(**NO_APP), "999999", "0123456789abcdef")
    keyed = make_services(**NO_APP, IGFEED_ENCRYPTION_KEY="MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")

    assert app_credentials.credentials(keyed)


def test_after_a_change_of_the_secret_the_owner_is_asked_to_type_it_again(make_services: MakeServices) -> None:
    app_credentials.save(make_services(**NO_APP), "999999", "0123456789abcdef")
    services = make_services(**NO_APP, CRON_SECRET="another secret")

    with pytest.raises(StoreError, match="cannot be read") as caught:
        app_credentials.credentials(services)
    assert "again" in caught.value.hint
    app_credentials.save(services, "999999", "0123456789abcdef")
    assert app_credentials.credentials(services)


def test_without_a_secret_nothing_is_kept(make_services: MakeServices) -> None:
    with pytest.raises(StoreError):
        app_credentials.save(make_services(**NO_APP, CRON_SECRET=""), "999999", "0123456789abcdef")


@pytest.mark.parametrize(
    ("app_id", "secret", "kind"),
    [
        ("", "0123456789abcdef", WrongAppId),
        ("0123456789abcdef", "999999", WrongAppId),
        ("999999", "", WrongAppSecret),
        ("999999", "IGAA-token_of another kind", WrongAppSecret),
    ],
)
def test_what_cannot_be_right_is_refused_at_once(
    services: Services, app_id: str, secret: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        app_credentials.save(services, app_id, secret)


def test_a_forgotten_app_is_gone(make_services: MakeServices) -> None:
    services = make_services(**NO_APP)
    app_credentials.save(services, "999999", "0123456789abcdef")
    app_credentials.forget(services)

    assert app_credentials.credentials(services) is None


CODE = "0" * 24
KEYS = ("app:v1", "connect:v1", "connect-pending:v1", "token-forgotten:v1", "feed-removed:v1", f"deletion:v1:{CODE}")


@pytest.mark.parametrize("key", KEYS)
def test_an_odd_document_breaks_no_page(make_services: MakeServices, key: str) -> None:
    services = make_services(**NO_APP)
    client = Visitor(create_app(services=services))

    for text in ("", "[]", "{}", "fernet:nothing"):
        services.store.set(key, text)
        pages = ("/studio", "/connect", "/connect/confirm", f"/connect/deletion/{CODE}", "/privacy", "/embed")
        statuses = {path: client.get(path, headers=OWNER).status_code for path in pages}
        assert statuses == {
            "/studio": 200,
            "/connect": 303,
            "/connect/confirm": 303,
            f"/connect/deletion/{CODE}": 404,
            "/privacy": 200,
            "/embed": 503,
        }
