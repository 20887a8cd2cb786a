"""The JSON routes: who may call them, what they answer, what they do."""

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from igfeed import create_app
from igfeed.models import Token
from tests.conftest import MakeServices, to_the_moment
from tests.harness.clock import MovingClock
from tests.harness.disks import DISKS, small_disk
from tests.harness.owner import CRON, OWNER, STATUS
from tests.harness.visitor import Visitor
from tests.servers.faults import Fault
from tests.servers.instagram import (
    EXPIRED,
    PERMISSION,
    TEMPORARY,
    UNSUPPORTED_REQUEST,
    FakeInstagram,
    PictureReply,
    api_error,
    dead_token,
    image,
    reply,
)
from tests.servers.upstash import FakeUpstash

TOKEN_KEYS = [
    "present",
    "source",
    "state",
    "issued_at",
    "expires_at",
    "expires_in",
    "days_left",
    "renewable_at",
    "saved",
]


POSTS = 5


@pytest.fixture(autouse=True)
def few_pictures(instagram: FakeInstagram) -> None:
    """One post of each kind: every run of the cron copies all pictures, and no test here looks at them."""
    instagram.posts[:] = instagram.posts[:POSTS]


def basic(password: str, user: str = "anyone") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


# Who gets in


@pytest.mark.parametrize("headers", [OWNER, basic("the-cron-secret"), basic("the-cron-secret", user="")])
def test_the_secret_opens_as_bearer_and_as_basic_password(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.get(STATUS, headers=headers).status_code == 200


NOT_THE_SECRET: list[dict[str, str]] = [
    {},
    {"Authorization": ""},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer "},
    {"Authorization": "Bearer wrong"},
    {"Authorization": "Bearer the-cron-secret2"},
    {"Authorization": "Bearer the-cron-secre"},
    {"Authorization": "the-cron-secret"},
    {"Authorization": "Token the-cron-secret"},
    {"Authorization": "Digest username=the-cron-secret"},
    {"Authorization": "Bearer ünïcödé"},
    {"Authorization": "Bearer " + "x" * 60_000},
    {"Authorization": "Basic !!!"},
    {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode()},
    basic("wrong"),
    basic("", user="the-cron-secret"),
]


@to_the_moment
@pytest.mark.parametrize(("method", "path"), [("GET", STATUS), ("POST", STATUS), ("GET", CRON), ("POST", CRON)])
def test_no_other_header_opens_the_routes(
    client: FlaskClient, instagram: FakeInstagram, method: str, path: str
) -> None:
    for headers in NOT_THE_SECRET:
        response = client.open(path, method=method, headers=headers)

        assert response.status_code == 401, headers
        assert response.headers["WWW-Authenticate"] == 'Basic realm="igfeed"'
        assert response.headers["Cache-Control"] == "no-store"
        assert list(response.json or {}) == ["error", "message", "hint"]
        assert (response.json or {})["error"] == "unauthorized"
    assert instagram.calls == []


def test_a_secret_in_the_query_does_not_open(client: FlaskClient) -> None:
    assert client.get(f"{CRON}?secret=the-cron-secret&token=the-cron-secret").status_code == 401


def test_a_second_secret_is_accepted_too(make_services: MakeServices) -> None:
    client = create_app(services=make_services(VERCEL_CRON_SECRET="the other, ünïcödé one")).test_client()

    for secret in ("the-cron-secret", "the other, ünïcödé one"):
        assert client.get(STATUS, headers=basic(secret)).status_code == 200
    sent = "the other, ünïcödé one".encode().decode("latin-1")
    assert client.get(STATUS, headers={"Authorization": f"Bearer {sent}"}).status_code == 200


def test_without_a_secret_the_routes_stay_locked_and_say_which_variable_to_set(make_services: MakeServices) -> None:
    client = create_app(services=make_services(CRON_SECRET="")).test_client()

    for path in (STATUS, CRON):
        response = client.get(path, headers={"Authorization": "Bearer "})
        assert response.status_code == 503
        assert "CRON_SECRET" in (response.json or {})["hint"]
        assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("method", "path"), [("PUT", STATUS), ("DELETE", CRON), ("GET", "/api/nothing")])
def test_errors_below_api_are_json(client: FlaskClient, method: str, path: str) -> None:
    response = client.open(path, method=method, headers=OWNER)

    assert response.status_code in (404, 405)
    assert list(response.json or {}) == ["error", "message", "hint"]


# Status


def status(client: FlaskClient) -> dict[str, Any]:
    response = client.get(STATUS, headers=OWNER)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    return response.json or {}


@to_the_moment
def test_a_healthy_feed_is_ok_and_says_so_in_the_agreed_shape(client: FlaskClient, token: Token) -> None:
    client.get("/")

    found = status(client)

    assert list(found) == [
        "status",
        "problem",
        "hint",
        "account",
        "token",
        "last_renewal",
        "feed",
        "store",
        "alerts",
        "accounts",
        "version",
    ]
    assert list(found["token"]) == TOKEN_KEYS
    assert (found["status"], found["problem"], found["hint"]) == ("ok", None, None)
    assert list(found["account"]) == ["username", "name", "media_count"]
    assert found["token"] == {
        "present": True,
        "source": "store",
        "state": "fresh",
        "issued_at": "2026-04-03T12:00:00Z",
        "expires_at": "2026-06-02T12:00:00Z",
        "expires_in": 30 * 86400,
        "days_left": 30.0,
        "renewable_at": "2026-04-04T12:00:00Z",
        "saved": True,
    }
    assert found["last_renewal"] == {"at": None, "outcome": None, "error": None}
    assert found["feed"] == {
        "posts": POSTS,
        "fetched_at": "2026-05-03T12:00:00Z",
        "age": 0,
        "fresh": True,
        "last_error": None,
    }
    assert found["store"] == {"kind": "sqlite", "reachable": True}


def test_the_status_calls_nobody(client: FlaskClient, instagram: FakeInstagram, token: Token) -> None:
    status(client)

    assert instagram.calls == []


def test_before_anything_is_set_up_a_person_must_act(client: FlaskClient) -> None:
    found = status(client)

    assert found["status"] == "action_required"
    assert "No access token" in found["problem"]
    assert "setup-token" in found["hint"]
    assert found["token"]["present"] is False
    assert found["token"]["source"] is None
    assert found["token"]["state"] is None
    assert found["feed"]["posts"] == 0


def test_an_expired_token_needs_a_person(client: FlaskClient, token: Token, clock: MovingClock) -> None:
    clock.forward(days=30)

    found = status(client)

    assert (found["status"], found["token"]["state"]) == ("action_required", "expired")
    assert found["token"]["expires_in"] == 0


def test_a_rejected_token_needs_a_person_until_it_works_again(
    client: FlaskClient, instagram: FakeInstagram, token: Token, clock: MovingClock
) -> None:
    client.get("/")
    instagram.fail("*", EXPIRED)
    clock.forward(hours=1)
    client.get("/")
    rejected = status(client)
    instagram.heal()
    clock.forward(hours=2)
    client.get("/")

    assert (rejected["status"], rejected["token"]["state"]) == ("action_required", "rejected")
    assert rejected["feed"]["posts"] == POSTS
    assert status(client)["status"] == "ok"


def test_a_new_token_ends_the_rejection(
    client: FlaskClient, instagram: FakeInstagram, token: Token, make_services: MakeServices
) -> None:
    instagram.revoke(token.value)
    client.get("/")
    value = instagram.issue(age=timedelta(hours=1))

    runner = create_app(services=make_services()).test_cli_runner()
    assert runner.invoke(args=["igfeed", "setup-token", value]).exit_code == 0

    assert status(client)["status"] == "ok"
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (TEMPORARY, "degraded"),
        (PERMISSION, "action_required"),
        (api_error(200), "action_required"),
        (api_error(299), "action_required"),
        (UNSUPPORTED_REQUEST, "degraded"),
    ],
)
def test_the_status_has_the_reason_and_a_hint_for_a_failed_fetch_and_says_if_a_person_must_act(
    client: FlaskClient, instagram: FakeInstagram, token: Token, clock: MovingClock, fault: Fault, verdict: str
) -> None:
    client.get("/")
    instagram.fail("media", fault)
    clock.forward(hours=1)
    client.get("/")

    found = status(client)

    assert found["status"] == verdict
    assert found["problem"] == found["feed"]["last_error"]
    assert found["hint"]
    assert found["feed"]["fresh"] is False


@pytest.mark.parametrize(
    ("readable", "others", "problem"),
    [
        (1, [], f"without a reason: {POSTS - 1}"),
        (POSTS, [{"id": "1"}, {"id": None}], "could not be read: 2"),
    ],
)
def test_the_status_is_degraded_while_instagrams_list_lacks_posts(
    client: FlaskClient, instagram: FakeInstagram, token: Token, readable: int, others: list[Any], problem: str
) -> None:
    cron(client)
    list_ = reply({"data": [*instagram.posts[:readable], *others]})
    instagram.fail("media", list_, times=1)
    cron(client)
    degraded = status(client)
    cron(client)

    assert degraded["status"] == "degraded"
    assert problem in degraded["problem"]
    assert degraded["hint"]
    assert degraded["feed"]["posts"] == POSTS
    assert status(client)["status"] == "ok"


@pytest.mark.parametrize(("subcode", "word"), [(459, "Log in"), (464, "Log in"), (460, "setup-token"), (None, "setup")])
def test_the_status_of_a_rejected_token_has_instagrams_words_and_a_hint(
    client: FlaskClient, instagram: FakeInstagram, token: Token, clock: MovingClock, subcode: int | None, word: str
) -> None:
    said = "Error validating access token: the user changed the password."
    instagram.fail("*", dead_token(subcode, f"{said} access_token={token.value} {token.value}"))
    client.get("/")

    found = status(client)

    assert (found["status"], found["token"]["state"]) == ("action_required", "rejected")
    assert said in found["problem"]
    assert word in found["hint"]
    assert token.value[:12] not in str(found)


def test_after_a_login_that_instagram_has_asked_for_the_same_token_works_again(
    client: FlaskClient, instagram: FakeInstagram, token: Token, clock: MovingClock
) -> None:
    instagram.fail("*", dead_token(459))
    cron(client, 502)
    instagram.heal()
    clock.forward(minutes=1)

    cron(client)

    found = status(client)
    assert (found["status"], found["problem"]) == ("ok", None)


def test_a_renewal_that_instagram_does_not_permit_needs_a_person(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    instagram.fail("renew", PERMISSION)
    cron(client, 502)

    found = status(client)

    assert found["status"] == "action_required"
    assert found["problem"].startswith("The last renewal failed")


@pytest.mark.parametrize(("prefix", "word"), [("EAA", "Facebook"), ("IGQV", "Basic"), ("IGQW", "Basic")])
@pytest.mark.parametrize("has_stored", [False, True])
def test_a_variable_with_another_kind_of_token_is_named_and_nobody_is_asked_with_it(
    make_services: MakeServices, instagram: FakeInstagram, prefix: str, word: str, has_stored: bool
) -> None:
    value = instagram.issue(prefix=prefix)
    services = make_services(INSTAGRAM_ACCESS_TOKEN=value)
    if has_stored:
        services.tokens.adopt(Token(instagram.issue()), is_verified=True)
    client = Visitor(create_app(services=services))
    client.get("/")

    found = status(client)

    assert found["status"] == ("degraded" if has_stored else "action_required")
    assert "INSTAGRAM_ACCESS_TOKEN" in found["problem"]
    assert word in found["problem"]
    assert "IGAA" in found["hint"]
    assert value not in [call.params.get("access_token") for call in instagram.calls]


def test_the_state_of_a_due_token_is_due(client: FlaskClient, token: Token, clock: MovingClock) -> None:
    clock.forward(days=23, seconds=1)

    assert status(client)["token"]["state"] == "due"


@to_the_moment
def test_after_a_failed_renewal_the_status_is_degraded(
    client: FlaskClient, instagram: FakeInstagram, token: Token, clock: MovingClock
) -> None:
    instagram.fail("renew", TEMPORARY)
    clock.forward(days=24)
    client.get("/")

    found = status(client)

    assert found["status"] == "degraded"
    assert found["last_renewal"]["outcome"] == "failed"
    assert found["last_renewal"]["error"]
    assert found["last_renewal"]["at"] == "2026-05-27T12:00:00Z"
    assert found["feed"]["posts"] == POSTS


def test_the_status_is_one_command_to_the_store(
    make_services: MakeServices, upstash: FakeUpstash, instagram: FakeInstagram, clock: MovingClock
) -> None:
    services = make_services(UPSTASH_REDIS_REST_URL=upstash.url, UPSTASH_REDIS_REST_TOKEN=upstash.token)
    services.tokens.adopt(Token(instagram.issue(), clock(), clock() + timedelta(days=60)), is_verified=True)
    services.feed.fetch()
    client = create_app(services=services).test_client()
    upstash.forget()

    found = status(client)

    assert len(upstash.commands()) == 1
    assert (found["status"], found["feed"]["posts"], found["token"]["source"]) == ("ok", POSTS, "store")


def test_on_vercel_without_a_database_the_status_says_so(make_services: MakeServices) -> None:
    found = status(create_app(services=make_services(VERCEL="1")).test_client())

    assert found["status"] == "action_required"
    assert "Upstash" in found["hint"]
    assert found["store"] == {"kind": "memory", "reachable": False}


# Cron


def cron(client: FlaskClient, expected: int = 200) -> dict[str, Any]:
    response = client.get(CRON, headers=OWNER)
    assert response.status_code == expected, response.text
    assert response.headers["Cache-Control"] == "no-store"
    return response.json or {}


@to_the_moment
def test_the_cron_renews_fetches_and_mirrors(client: FlaskClient, instagram: FakeInstagram, token: Token) -> None:
    instagram.posts[:] = [image(), image()]

    done = cron(client)

    assert list(done) == ["ok", "renewal", "feed", "posts", "pictures", "token", "error", "hint", "accounts"]
    assert done | {"token": None} == {
        "ok": True,
        "renewal": "renewed",
        "feed": "fetched",
        "posts": 2,
        "pictures": {"stored": 9, "kept": 0, "failed": 0},
        "token": None,
        "error": None,
        "hint": None,
        "accounts": {},
    }
    assert list(done["token"]) == TOKEN_KEYS
    assert done["token"]["issued_at"] == "2026-05-03T12:00:00Z"


@to_the_moment
def test_running_the_cron_twice_in_a_row_is_harmless(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    instagram.posts[:] = [image(), image()]
    first, second = cron(client), cron(client)

    assert second["renewal"] == "not_due"
    assert second["pictures"] == {"stored": 0, "kept": 9, "failed": 0}
    assert second["token"] == first["token"]
    assert instagram.count("renew") == 1


@to_the_moment
def test_the_cron_renews_a_token_that_was_last_renewed_a_day_ago(
    client: FlaskClient, instagram: FakeInstagram, token: Token, clock: MovingClock
) -> None:
    cron(client)
    clock.forward(hours=23, minutes=59)
    too_early = cron(client)["renewal"]
    clock.forward(minutes=2)

    assert (too_early, cron(client)["renewal"]) == ("not_due", "renewed")


def test_a_token_set_up_a_moment_ago_is_too_young(
    client: FlaskClient, instagram: FakeInstagram, token: Token, make_services: MakeServices
) -> None:
    value = instagram.issue(age=timedelta(0))
    create_app(services=make_services()).test_cli_runner().invoke(args=["igfeed", "setup-token", value])
    instagram.forget_calls()

    done = cron(client)

    assert (done["ok"], done["renewal"]) == (True, "too_young")
    assert instagram.count("renew") == 1, "nobody knows its age, so Instagram is asked"
    found = status(client)
    assert (found["status"], found["last_renewal"]) == ("ok", {**found["last_renewal"], "outcome": "too_young"})


def test_a_failed_renewal_is_502_and_the_feed_is_fetched_all_the_same(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    instagram.fail("renew", TEMPORARY)

    done = cron(client, expected=502)

    assert (done["ok"], done["renewal"], done["feed"], done["posts"]) == (False, "failed", "fetched", POSTS)
    assert done["error"]
    assert done["hint"]


def test_the_cron_ignores_the_pause_after_a_failure(
    client: FlaskClient, instagram: FakeInstagram, token: Token, clock: MovingClock
) -> None:
    instagram.fail("*", TEMPORARY)
    cron(client, expected=502)
    instagram.heal()

    done = cron(client)

    assert (done["renewal"], done["feed"]) == ("renewed", "fetched")


def test_a_failed_fetch_is_502_and_keeps_the_posts(client: FlaskClient, instagram: FakeInstagram, token: Token) -> None:
    cron(client)
    instagram.fail("media", TEMPORARY)

    done = cron(client, expected=502)

    assert (done["feed"], done["posts"]) == ("failed", POSTS)
    assert client.get("/").status_code == 200


def test_a_picture_that_cannot_be_mirrored_is_502_and_the_others_are_mirrored(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    instagram.posts[:] = [image(), image()]
    instagram.pictures[instagram.posts[0]["id"]] = PictureReply(403, "text/plain", b"URL signature expired")

    done = cron(client, expected=502)

    assert done["pictures"] == {"stored": 6, "kept": 0, "failed": 3}
    assert "3 picture files" in done["error"]


def test_without_a_token_the_cron_says_what_to_do(client: FlaskClient) -> None:
    done = cron(client, expected=502)

    assert (done["renewal"], done["feed"]) == ("failed", "failed")
    assert "setup-token" in done["hint"]


def test_post_renews_now_and_answers_as_the_cron_does(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    response = client.post(STATUS, headers=OWNER)

    assert response.status_code == 200
    assert (response.json or {})["renewal"] == "renewed"


def test_no_answer_holds_the_token_or_a_secret(
    client: FlaskClient, instagram: FakeInstagram, token: Token, clock: MovingClock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        said = [client.get(path, headers=OWNER).text for path in (STATUS, CRON, "/")]
        instagram.fail("*", EXPIRED)
        clock.forward(days=2)
        said += [client.get(path, headers=OWNER).text for path in (STATUS, CRON, "/")]
    values = {token.value} | {call.params["access_token"] for call in instagram.calls if "access_token" in call.params}

    assert len(values) == 2
    for secret in {*values, "the-cron-secret"}:
        assert secret not in "".join(said)
        assert secret not in caplog.text


def test_healthz_does_no_io(client: FlaskClient, instagram: FakeInstagram, tmp_path: object) -> None:
    response = client.get("/healthz")

    assert (response.status_code, response.json) == (200, {"ok": True})
    assert instagram.calls == []


@pytest.mark.parametrize("secret", ["abc=def", "a=b=", "==", "with spaces, and commas"])
def test_any_text_may_be_the_secret(make_services: MakeServices, secret: str) -> None:
    client = create_app(services=make_services(CRON_SECRET=secret)).test_client()

    for headers in ({"Authorization": f"Bearer {secret}"}, {"Authorization": f"bearer  {secret} "}, basic(secret)):
        assert client.get(STATUS, headers=headers).status_code == 200


def test_a_head_request_does_not_run_the_cron(client: FlaskClient, instagram: FakeInstagram, token: Token) -> None:
    response = client.head(CRON, headers=OWNER)

    assert (response.status_code, instagram.calls) == (405, [])


def test_an_expired_token_needs_a_person_although_the_store_is_away_too(
    make_services: MakeServices, upstash: FakeUpstash, instagram: FakeInstagram, clock: MovingClock
) -> None:
    services = make_services(UPSTASH_REDIS_REST_URL=upstash.url, UPSTASH_REDIS_REST_TOKEN=upstash.token)
    value = instagram.issue(age=timedelta(days=30))
    services.tokens.adopt(Token(value, clock(), clock() + timedelta(days=1)), is_verified=True)
    client = create_app(services=services).test_client()
    upstash.fail("redis_down")
    clock.forward(days=2)

    found = status(client)

    assert (found["status"], found["token"]["state"]) == ("action_required", "expired")
    assert found["store"]["reachable"] is False


@pytest.mark.parametrize("disk", DISKS)
def test_a_new_process_on_a_read_only_disk_shows_the_stored_feed_and_reports_the_disk(
    make_services: MakeServices, instagram: FakeInstagram, token: Token, tmp_path: Path, disk: str
) -> None:
    begin, end = DISKS[disk]
    instagram.posts[:] = instagram.posts[:3]
    with small_disk(tmp_path):
        services = make_services()
        services.tokens.adopt(token, is_verified=True)
        assert cron(create_app(services=services).test_client())["ok"]
        begin(tmp_path)

        client = create_app(services=make_services()).test_client()
        found = status(client)

        assert (found["status"], found["store"]["reachable"]) == ("degraded", True)
        assert "IGFEED_STORE_PATH" in found["hint"]
        assert client.get("/").status_code == 200
        assert "store" in cron(client, expected=502)["error"]
        end(tmp_path)
        assert cron(client)["ok"]
        assert status(client)["status"] == "ok"


def test_without_a_store_the_cron_renews_nothing(make_services: MakeServices, instagram: FakeInstagram) -> None:
    services = make_services(VERCEL="1", INSTAGRAM_ACCESS_TOKEN=instagram.issue())

    done = cron(create_app(services=services).test_client(), expected=502)

    assert "Upstash" in done["hint"]
    assert instagram.calls == []


def test_a_cron_run_that_the_store_did_not_save_is_502_and_the_next_one_saves_it(
    make_services: MakeServices, upstash: FakeUpstash, instagram: FakeInstagram, clock: MovingClock
) -> None:
    services = make_services(UPSTASH_REDIS_REST_URL=upstash.url, UPSTASH_REDIS_REST_TOKEN=upstash.token)
    value = instagram.issue(age=timedelta(days=30), life=timedelta(days=38))
    services.tokens.adopt(Token(value, clock() - timedelta(days=30), clock() + timedelta(days=8)), is_verified=True)
    client = create_app(services=services).test_client()
    client.get("/")
    clock.forward(days=2)
    upstash.fail("redis_down")

    failed = cron(client, expected=502)
    upstash.heal()
    healed = cron(client)

    assert (failed["renewal"], failed["token"]["saved"]) == ("renewed", False)
    assert "store" in failed["error"]
    assert healed["token"]["saved"] is True
