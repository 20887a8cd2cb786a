"""Meta's two callbacks: who may call them, and what becomes of token, posts and pictures."""

import base64
import hmac
import json
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from igfeed import create_app
from igfeed.clock import Deadline
from igfeed.config import LANGUAGES
from igfeed.errors import StoreError
from igfeed.models import Token
from igfeed.owner.hooks.deliveries import HOOKS_KEY
from igfeed.services import Services
from igfeed.tokens.manager import TokenManager
from tests.conftest import MakeServices
from tests.harness.clock import MovingClock
from tests.harness.owner import OWNER, STATUS
from tests.harness.visitor import POST_IDS, Visitor
from tests.servers.instagram import TEMPORARY, FakeInstagram, image
from tests.servers.upstash import FakeUpstash

DEAUTHORIZE, DELETE, DELETION = "/connect/deauthorize", "/connect/delete", "/connect/deletion"

OURS = "24500000000000001"
SOMEBODY = "24500000000000777"


@pytest.fixture(autouse=True)
def few_small_posts(instagram: FakeInstagram) -> None:
    instagram.picture_size = (48, 60)
    instagram.posts[:] = [image(), image()]


@pytest.fixture
def environ(environ: dict[str, str], instagram: FakeInstagram) -> dict[str, str]:
    return {**environ, "INSTAGRAM_APP_ID": instagram.app_id, "INSTAGRAM_APP_SECRET": instagram.app_secret}


@pytest.fixture
def filled(services: Services, token: Token) -> Services:
    """A feed with its pictures."""
    snapshot = services.feed.fetch()
    services.feed.mirror(snapshot.pictures(), Deadline(60))
    return services


def call(client: FlaskClient, path: str, signed: str) -> TestResponse:
    return client.post(path, data={"signed_request": signed})


def stored(services: Services) -> Token | None:
    return services.tokens.report().token


def posts(services: Services) -> list[str]:
    newest = services.feed.newest()
    return [post.id for post in newest.posts] if newest else []


def pictures_of(services: Services) -> list[str]:
    """The kept files that the store has of the two posts and of the portrait."""
    snapshot = services.feed.newest()
    assert snapshot
    return [f"picture:v1:{picture.id}-320" for picture in snapshot.pictures()]


# Who may call


def signature(secret: str, payload: bytes) -> str:
    return base64.urlsafe_b64encode(hmac.digest(secret.encode(), payload, "sha256")).rstrip(b"=").decode()


def signed_as(instagram: FakeInstagram, payload: bytes) -> str:
    """With the right signature of this encoded payload, whatever that is."""
    return f"{signature(instagram.app_secret, payload)}.{payload.decode()}"


def encoded(told: Any) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=")


def forged(instagram: FakeInstagram) -> dict[str, str]:
    good = instagram.signed_request()
    own, payload = good.split(".")
    other = encoded({"user_id": OURS, "algorithm": "HMAC-SHA256", "issued_at": 1})
    return {
        "nothing": "",
        "no signature": f".{payload}",
        "no payload": own,
        "not base64": "%%%.%%%",
        "not ASCII": f"é.{payload}",
        "another payload": f"{own}.{other.decode()}",
        "another secret": f"{signature('another secret', payload.encode())}.{payload}",
        "the payload padded afterwards": f"{good}==",
        "a part more": f"{good}.{payload}",
        "a shorter signature": f"{own[:-4]}.{payload}",
        "over the decoded payload": f"{signature(instagram.app_secret, base64.b64decode(payload + '=='))}.{payload}",
        "another algorithm": instagram.signed_request(algorithm="NONE"),
        "no algorithm": instagram.signed_request(algorithm=None),
        "no JSON": signed_as(instagram, base64.urlsafe_b64encode(b"not JSON")),
        "no object": signed_as(instagram, encoded([OURS])),
    }


@pytest.mark.parametrize("path", [DEAUTHORIZE, DELETE])
def test_a_forged_request_is_refused_and_changes_nothing(
    client: FlaskClient, filled: Services, instagram: FakeInstagram, path: str
) -> None:
    before = (stored(filled), posts(filled))
    instagram.forget_calls()

    for name, signed in forged(instagram).items():
        response = call(client, path, signed)
        assert (response.status_code, response.headers["Cache-Control"]) == (400, "no-store"), name
    assert client.get(f"{path}?signed_request={instagram.signed_request()}").status_code == 405
    assert (stored(filled), posts(filled), instagram.calls) == (before[0], before[1], [])


@pytest.mark.parametrize("path", [DEAUTHORIZE, DELETE, DELETION])
def test_strangers_make_the_store_work_a_few_times_a_minute_only(
    make_services: MakeServices, upstash: FakeUpstash, path: str
) -> None:
    store = {"UPSTASH_REDIS_REST_URL": upstash.url, "UPSTASH_REDIS_REST_TOKEN": upstash.token}
    services = make_services(**store, INSTAGRAM_APP_ID="", INSTAGRAM_APP_SECRET="")
    client = Visitor(create_app(services=services))
    upstash.forget()

    if path == DELETION:
        answers = [client.get(f"{path}/{number:024x}").status_code for number in range(30)]
        assert answers == [404] * 10 + [503] * 20
    else:
        assert {call(client, path, "a.b").status_code for _ in range(30)} == {400}
    assert len(upstash.commands()) == (10 if path == DELETION else 1)


@pytest.mark.parametrize("path", [DEAUTHORIZE, DELETE])
def test_a_body_that_is_far_too_long_is_not_read_into_memory(client: FlaskClient, path: str) -> None:
    # In chunks a client need not say how long it is, so that only the reader can notice.
    body = BytesIO(b"signed_request=" + b"x" * 10_000_000)
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    kind = "application/x-www-form-urlencoded"

    assert client.post(path, input_stream=body, content_type=kind, environ_base=chunked).status_code == 400
    assert body.tell() < 1_000_000
    assert call(client, path, "x" * 10_000_000).status_code == 413


def test_an_id_that_is_no_text_is_not_our_accounts(
    client: FlaskClient, filled: Services, instagram: FakeInstagram
) -> None:
    assert call(client, DELETE, instagram.signed_request("\ud800")).status_code == 200
    assert stored(filled)


def test_without_an_app_secret_nothing_can_be_checked_so_nothing_is_done(
    make_services: MakeServices, instagram: FakeInstagram
) -> None:
    client = Visitor(create_app(services=make_services(INSTAGRAM_APP_ID="", INSTAGRAM_APP_SECRET="")))

    assert call(client, DELETE, instagram.signed_request()).status_code == 400


# Deauthorize


@pytest.mark.parametrize("user_id", [OURS, "17841400000000001"])
def test_a_removal_of_the_app_deletes_the_token_and_the_posts_stay(
    client: FlaskClient, filled: Services, instagram: FakeInstagram, user_id: str
) -> None:
    shown = posts(filled)

    assert call(client, DEAUTHORIZE, instagram.signed_request(user_id)).status_code == 200

    assert stored(filled) is None
    assert posts(filled) == shown
    assert POST_IDS.findall(client.get("/").text) == shown


def test_asked_twice_it_answers_the_same(client: FlaskClient, filled: Services, instagram: FakeInstagram) -> None:
    first, second = (call(client, DEAUTHORIZE, instagram.signed_request()) for _ in range(2))

    assert (first.status_code, first.text) == (second.status_code, second.text)


@pytest.mark.parametrize("path", [DEAUTHORIZE, DELETE])
def test_a_request_about_an_unknown_account_gets_the_same_answer_and_changes_nothing(
    client: FlaskClient, filled: Services, instagram: FakeInstagram, path: str
) -> None:
    before = (stored(filled), posts(filled))
    instagram.forget_calls()

    assert call(client, path, instagram.signed_request(SOMEBODY)).status_code == 200
    assert (stored(filled), posts(filled), instagram.calls) == (before[0], before[1], [])


@pytest.mark.parametrize("path", [DEAUTHORIZE, DELETE])
@pytest.mark.parametrize("is_rejected", [True, False], ids=["rejected", "alive"])
def test_a_request_that_names_no_account_deletes_the_token_only_if_it_is_rejected(
    client: FlaskClient, filled: Services, instagram: FakeInstagram, token: Token, path: str, is_rejected: bool
) -> None:
    shown = posts(filled)
    instagram.forget_calls()
    if is_rejected:
        instagram.revoke(token.value, 458)

    assert call(client, path, instagram.signed_request("0")).status_code == 200

    assert (stored(filled) is None) is is_rejected
    assert instagram.count("*") == 1
    assert posts(filled) == shown


def test_a_token_that_cannot_be_tried_stays(
    client: FlaskClient, filled: Services, instagram: FakeInstagram, token: Token
) -> None:
    instagram.fail("profile", TEMPORARY)

    assert call(client, DEAUTHORIZE, instagram.signed_request("0")).status_code == 200
    kept = stored(filled)
    assert kept
    assert kept.value == token.value


# Delete


def test_a_deletion_leaves_nothing_of_the_account(
    client: FlaskClient, filled: Services, instagram: FakeInstagram
) -> None:
    filled.store.set(HOOKS_KEY, "the ids of the posts")
    keys, portrait = [*pictures_of(filled), HOOKS_KEY], client.get("/").text
    assert all(filled.store.get_all(keys))
    assert "studio.nord" in portrait

    response = call(client, DELETE, instagram.signed_request())

    assert response.status_code == 200
    assert (stored(filled), posts(filled)) == (None, [])
    assert filled.store.get_all(keys) == [None] * len(keys)
    assert filled.store.get("feed:v1") is None
    page = client.get("/")
    assert "studio.nord" not in page.text


@pytest.mark.parametrize("path", ["/", "/embed", "/fragment"])
def test_caches_do_not_show_the_removed_posts_in_place_of_an_error(
    client: FlaskClient, filled: Services, instagram: FakeInstagram, make_services: MakeServices, path: str
) -> None:
    """What they have may be shown in place of a 5xx for a week: ``stale-if-error``."""
    assert client.get(path).status_code == 200
    call(client, DELETE, instagram.signed_request())

    for other in (client, Visitor(create_app(services=make_services()))):
        page = other.get(path)
        assert (page.status_code, page.headers["Cache-Control"]) == (410, "no-store")


def test_after_a_removal_the_next_account_is_shown(
    client: FlaskClient, filled: Services, instagram: FakeInstagram, clock: MovingClock
) -> None:
    call(client, DELETE, instagram.signed_request())
    client.get("/")
    clock.forward(hours=2)
    filled.tokens.adopt(Token(instagram.issue()), is_verified=True)
    filled.feed.fetch()

    assert client.get("/").status_code == 200


def test_a_deletion_answers_with_a_page_and_its_code_and_asked_twice_the_same(
    client: FlaskClient, filled: Services, instagram: FakeInstagram
) -> None:
    first, second = (call(client, DELETE, instagram.signed_request()).get_json() for _ in range(2))

    assert first == second
    assert set(first) == {"url", "confirmation_code"}
    assert first["url"] == f"http://localhost/connect/deletion/{first['confirmation_code']}"
    assert OURS not in first["url"]
    page = client.get(first["url"].removeprefix("http://localhost"))
    assert page.status_code == 200
    assert "3 May 2026" in page.text
    assert first["confirmation_code"] in page.text


def test_a_deletion_for_nobody_has_a_page_too_and_another_code_for_each(
    client: FlaskClient, filled: Services, instagram: FakeInstagram
) -> None:
    answers = [call(client, DELETE, instagram.signed_request(f"2450000000000077{n}")).get_json() for n in "78"]
    codes = {each["confirmation_code"] for each in answers}

    assert len(codes) == 2
    assert [client.get(f"/connect/deletion/{code}").status_code for code in codes] == [200, 200]
    assert posts(filled)


@pytest.mark.parametrize("code", ["0" * 24, "x", "../feed", "0" * 23 + "é"])
def test_an_unknown_code_is_not_found(client: FlaskClient, code: str) -> None:
    assert client.get(f"/connect/deletion/{code}").status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_about_a_deletion_is_in_the_language_of_the_page(
    make_services: MakeServices, filled: Services, instagram: FakeInstagram, language: str
) -> None:
    client = Visitor(create_app(services=make_services(IGFEED_LANGUAGE=language)))
    code = call(client, DELETE, instagram.signed_request()).get_json()["confirmation_code"]
    page = client.get(f"/connect/deletion/{code}")

    assert f'<html lang="{language}"' in page.text
    assert "2026" in page.text
    assert "Set-Cookie" not in page.headers


def test_while_the_store_is_away_a_person_who_asks_for_a_deletion_gets_a_page(
    make_services: MakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> None:
        raise StoreError("The database does not answer.")

    services = make_services(IGFEED_LANGUAGE="de")
    monkeypatch.setattr(services.store, "get", fail)
    page = Visitor(create_app(services=services)).get(f"/connect/deletion/{'0' * 24}")

    assert (page.status_code, page.mimetype) == (503, "text/html")
    assert "in einer Minute" in page.text


def test_after_a_removal_of_the_app_a_deletion_still_knows_whose_posts_they_are(
    client: FlaskClient, filled: Services, instagram: FakeInstagram
) -> None:
    with_third_id = Token(instagram.issue(), account_ids=frozenset({OURS, "27100000000000001"}))
    filled.tokens.adopt(with_third_id, is_verified=True)

    for path in (DEAUTHORIZE, DELETE):
        assert call(client, path, instagram.signed_request("27100000000000001")).status_code == 200

    assert posts(filled) == []


def test_the_posts_of_one_account_go_and_the_token_of_the_next_one_stays(
    client: FlaskClient, filled: Services, instagram: FakeInstagram
) -> None:
    """The owner has connected another account, and its posts are not fetched yet."""
    next_one = Token(instagram.issue(), account_ids=frozenset({"24500000000000009"}))
    filled.tokens.adopt(next_one, is_verified=True)

    call(client, DELETE, instagram.signed_request())

    kept = stored(filled)
    assert kept
    assert (kept.value, posts(filled)) == (next_one.value, [])


def test_a_deletion_that_failed_is_not_reported_as_done(
    client: FlaskClient, filled: Services, instagram: FakeInstagram, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: str) -> None:
        raise StoreError("The database does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(filled.store, "delete", fail)
        assert call(client, DELETE, instagram.signed_request()).status_code == 503

    assert call(client, DELETE, instagram.signed_request()).status_code == 200
    assert posts(filled) == []


# It does not come back by itself


def test_another_process_does_not_bring_back_what_it_remembers(
    filled: Services, make_services: MakeServices, instagram: FakeInstagram, clock: MovingClock
) -> None:
    other = make_services()
    neighbour = Visitor(create_app(services=other))
    assert neighbour.get("/").status_code == 200
    other.tokens.usable()

    call(Visitor(create_app(services=filled)), DELETE, instagram.signed_request())
    clock.forward(minutes=1)

    assert other.tokens.report().token is None
    assert neighbour.get("/").status_code == 410
    assert filled.store.get("feed:v1") is None
    assert filled.store.get("token:v1") is None


def test_a_fetch_that_was_under_way_writes_nothing(
    filled: Services, make_services: MakeServices, instagram: FakeInstagram
) -> None:
    other = make_services()
    other.feed.current()

    def delete_meanwhile(exchange: Any) -> None:
        call(Visitor(create_app(services=filled)), DELETE, instagram.signed_request())
        exchange.send(exchange.execute())

    instagram.fail("media", delete_meanwhile, times=1)
    other.feed.fetch()

    assert filled.store.get("feed:v1") is None


def test_a_renewal_that_was_under_way_stores_nothing(
    filled: Services, make_services: MakeServices, instagram: FakeInstagram
) -> None:
    other = make_services()

    def delete_meanwhile(exchange: Any) -> None:
        call(Visitor(create_app(services=filled)), DEAUTHORIZE, instagram.signed_request())
        exchange.send(exchange.execute())

    instagram.fail("renew", delete_meanwhile, times=1)
    other.tokens.renew()

    assert filled.store.get("token:v1") is None
    assert other.tokens.report().token is None


@pytest.fixture
def in_environment(instagram: FakeInstagram) -> str:
    return instagram.issue()


@pytest.mark.parametrize("path", [DEAUTHORIZE, DELETE])
def test_the_token_of_the_variable_does_not_bring_the_feed_back(
    make_services: MakeServices, instagram: FakeInstagram, in_environment: str, clock: MovingClock, path: str
) -> None:
    variable = {"INSTAGRAM_ACCESS_TOKEN": in_environment}
    client = Visitor(create_app(services=make_services(**variable)))
    assert client.get("/").status_code == 200
    assert call(client, path, instagram.signed_request()).status_code == 200
    clock.forward(hours=2)

    for other in (client, Visitor(create_app(services=make_services(**variable)))):
        instagram.forget_calls()
        assert other.get("/").status_code == (410 if path == DELETE else 200)
        assert instagram.calls == []
        status = other.get(STATUS, headers=OWNER).get_json()
        assert (status["status"], status["token"]["present"]) == ("action_required", False)
        assert "INSTAGRAM_ACCESS_TOKEN is not used" in status["problem"]


def test_a_new_value_of_the_variable_is_used(
    make_services: MakeServices, instagram: FakeInstagram, in_environment: str
) -> None:
    client = Visitor(create_app(services=make_services(INSTAGRAM_ACCESS_TOKEN=in_environment)))
    client.get("/")
    call(client, DELETE, instagram.signed_request())
    other = Visitor(create_app(services=make_services(INSTAGRAM_ACCESS_TOKEN=instagram.issue())))

    other.get("/api/cron/refresh-instagram-token", headers=OWNER)
    assert other.get("/").status_code == 200


def test_a_token_that_is_set_up_again_is_used(
    filled: Services, make_services: MakeServices, instagram: FakeInstagram, token: Token
) -> None:
    call(Visitor(create_app(services=filled)), DEAUTHORIZE, instagram.signed_request())
    filled.tokens.adopt(token, is_verified=True)

    assert stored(make_services()) == token
    filled.store.delete("token:v1")
    assert filled.tokens.usable().value == token.value, "a lost document is written again from memory"


def test_a_token_that_cannot_be_read_is_deleted_too(filled: Services, make_services: MakeServices) -> None:
    filled.store.set("token:v1", "fernet:what another key has written")
    manager: TokenManager = make_services().tokens

    manager.forget()

    assert filled.store.get("token:v1") is None
