"""Claims about the fakes themselves: every other test is worth only as much as they are like the real services."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import requests
from PIL import Image
from upstash_redis import Redis

from tests.servers import instagram as ig
from tests.servers import upstash as up


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def instagram(clock: Clock) -> Iterator[ig.FakeInstagram]:
    with ig.FakeInstagram(clock) as server:
        yield server


@pytest.fixture(scope="module")
def database() -> Iterator[up.FakeUpstash]:
    with up.FakeUpstash() as server:
        yield server


@pytest.fixture
def upstash(database: up.FakeUpstash) -> Iterator[up.FakeUpstash]:
    yield database
    database.heal()
    database.start()
    database.flush()
    database.forget()


@pytest.fixture
def redis(upstash: up.FakeUpstash) -> Iterator[Redis]:
    client = Redis(upstash.url, upstash.token, rest_retries=0, allow_telemetry=False)
    yield client
    client.close()  # type: ignore[no-untyped-call]


def get(url: str, **params: Any) -> requests.Response:
    with requests.Session() as session:
        return session.get(url, params=params, timeout=10, allow_redirects=False)


def post(url: str, **form: Any) -> requests.Response:
    with requests.Session() as session:
        return session.post(url, data=form, timeout=10)


def media(instagram: ig.FakeInstagram, token: str, **params: Any) -> requests.Response:
    return get(f"{instagram.url}/v25.0/me/media", **{"access_token": token, "fields": "id", **params})


def renew(instagram: ig.FakeInstagram, token: str) -> requests.Response:
    url = f"{instagram.url}/refresh_access_token"
    return get(url, grant_type="ig_refresh_token", access_token=token)


def error(response: requests.Response) -> tuple[int, int, int | None]:
    """HTTP status, code, subcode."""
    body = response.json()["error"]
    return response.status_code, body["code"], body.get("error_subcode")


# Tokens


def test_renewal_starts_a_new_life(instagram: ig.FakeInstagram, clock: Clock) -> None:
    old = instagram.issue(age=timedelta(days=59))
    answer = renew(instagram, old).json()
    assert answer == {"access_token": answer["access_token"], "token_type": "bearer", "expires_in": 5183944}
    assert answer["access_token"] != old
    clock.now += timedelta(days=2)
    assert instagram.alive(answer["access_token"])
    assert error(media(instagram, old)) == (400, 190, 0)


def test_renewal_may_keep_the_string_or_kill_the_old_one(instagram: ig.FakeInstagram) -> None:
    token = instagram.issue()
    instagram.renewal_changes_string = False
    assert renew(instagram, token).json()["access_token"] == token
    instagram.renewal_changes_string, instagram.old_string_survives = True, False
    other = instagram.issue()
    assert renew(instagram, other).ok
    assert error(media(instagram, other)) == (400, 190, None)


def test_a_token_younger_than_a_day_is_not_renewed(instagram: ig.FakeInstagram, clock: Clock) -> None:
    token = instagram.issue(age=timedelta(hours=23, minutes=59))
    assert error(renew(instagram, token)) == (400, 100, None)
    clock.now += timedelta(minutes=1)
    assert renew(instagram, token).ok


def test_refused_tokens(instagram: ig.FakeInstagram) -> None:
    revoked = instagram.issue()
    instagram.revoke(revoked, 458)
    assert error(media(instagram, revoked)) == (400, 190, 458)
    assert error(media(instagram, "")) == (400, 100, None)
    assert error(media(instagram, "garbled")) == (400, 190, None)
    assert error(media(instagram, instagram.issue(prefix="EAA"))) == (400, 190, None)
    assert error(renew(instagram, instagram.issue(age=timedelta(days=61)))) == (400, 190, 0)
    assert error(get(f"{instagram.url}/v25.0/1/media", access_token=instagram.issue())) == (400, 100, 33)
    assert error(get(f"{instagram.url}/v25.0/refresh_access_token")) == (400, 100, 33)
    assert error(post(f"{instagram.url}/refresh_access_token", access_token="")) == (400, 100, None)


@pytest.mark.parametrize("flat", [False, True])
def test_login_from_authorize_page_to_long_lived_token(instagram: ig.FakeInstagram, flat: bool) -> None:
    instagram.code_reply_flat = flat
    back = "http://localhost/connect/callback"
    page = {"client_id": instagram.app_id, "response_type": "code", "redirect_uri": back, "state": "s"}
    place = urlsplit(get(f"{instagram.url}/oauth/authorize", **page).headers["Location"])
    query = parse_qs(place.query)
    assert (query["state"], place.fragment) == (["s"], "_")
    secrets = {"client_id": instagram.app_id, "client_secret": instagram.app_secret}
    form = {**secrets, "grant_type": "authorization_code", "redirect_uri": back, "code": query["code"][0]}
    answer = post(f"{instagram.url}/oauth/access_token", **form).json()
    token = answer["access_token"] if flat else answer["data"][0]["access_token"]
    again = post(f"{instagram.url}/oauth/access_token", **form)
    assert (again.status_code, set(again.json())) == (400, {"error_type", "code", "error_message"})
    exchange = {"grant_type": "ig_exchange_token", "client_secret": instagram.app_secret}
    long = get(f"{instagram.url}/access_token", **exchange, access_token=token).json()["access_token"]
    assert error(get(f"{instagram.url}/access_token", **exchange, access_token=long)) == (400, 452, None)


# Profile and media


def test_profile_has_what_was_asked_for(instagram: ig.FakeInstagram) -> None:
    asked = {"fields": "username,media_count", "access_token": instagram.issue()}
    url = f"{instagram.url}/v25.0/me"
    assert get(url, **asked).json() == {"username": "studio.nord", "media_count": 30}
    instagram.profile_in_list = True
    instagram.publish(ig.image())
    assert get(url, **asked).json() == {"data": [{"username": "studio.nord", "media_count": 31}]}


def test_paging_with_the_cursor(instagram: ig.FakeInstagram) -> None:
    token, seen = instagram.issue(), []
    answer = media(instagram, token, limit=20).json()
    seen += answer["data"]
    assert f"access_token={token}" in answer["paging"]["next"]
    assert get(answer["paging"]["next"]).ok
    instagram.publish(ig.reel())
    answer = media(instagram, token, limit=20, after=answer["paging"]["cursors"]["after"]).json()
    seen += answer["data"]
    assert "next" not in answer["paging"]
    assert [each["id"] for each in seen] == [each["id"] for each in instagram.posts[1:]]


def test_pages_may_be_short_and_empty(instagram: ig.FakeInstagram) -> None:
    token = instagram.issue()
    instagram.short_pages = True
    answer = media(instagram, token, limit=10).json()
    assert len(answer["data"]) == 5
    assert "next" in answer["paging"]
    instagram.posts.clear()
    assert media(instagram, token).json() == {"data": []}


def test_one_unknown_field_fails_the_request(instagram: ig.FakeInstagram) -> None:
    token = instagram.issue()
    assert media(instagram, token, fields="id,alt_text").ok
    instagram.unknown_fields = {"alt_text"}
    answer = media(instagram, token, fields="id,alt_text")
    assert error(answer) == (400, 100, None)
    assert answer.json()["error"]["message"] == "Tried accessing nonexisting field (alt_text)"


def test_the_wire_shape_of_posts(instagram: ig.FakeInstagram) -> None:
    children = [ig.child_image(media_url=None), ig.child_video()]
    album = ig.album(children, caption="Ü")
    instagram.posts = [album, ig.image(caption=None), ig.reel()]
    answer = media(instagram, instagram.issue(), fields="id,caption,permalink,media_url,children{id,media_url}")
    assert b"https:\\/\\/www.instagram.com\\/reel\\/" in answer.content
    assert b'"caption":"\\u00dc"' in answer.content
    first, second, _ = answer.json()["data"]
    assert set(second) == {"id", "permalink", "media_url"}
    assert set(first["children"]["data"][0]) == {"id"}
    assert "media_url" not in first
    assert len(first["id"]) == 17


def test_sample_posts_are_of_all_kinds() -> None:
    posts = ig.sample_posts(30)
    assert posts == ig.sample_posts(30)
    assert len({each["id"] for each in posts}) == 30
    assert {each["media_type"] for each in posts} == {"IMAGE", "VIDEO", "CAROUSEL_ALBUM"}
    assert posts == sorted(posts, key=lambda each: each["timestamp"], reverse=True)
    assert "null" not in json.dumps(posts)


def test_usage_headers(instagram: ig.FakeInstagram) -> None:
    instagram.app_usage = {"call_count": 97}
    instagram.fail("media", ig.APP_LIMIT)
    answer = media(instagram, instagram.issue())
    assert error(answer) == (403, 4, None)
    assert json.loads(answer.headers["X-App-Usage"]) == {"call_count": 97}


# Pictures


def picture_of(instagram: ig.FakeInstagram, field: str = "media_url") -> str:
    answer = media(instagram, instagram.issue(), fields=field, limit=1).json()
    return str(answer["data"][0][field])


def test_a_picture_address_dies_after_days(instagram: ig.FakeInstagram, clock: Clock) -> None:
    post = instagram.publish(ig.image())
    url = picture_of(instagram)
    answer = get(url)
    assert answer.headers["Content-Type"] == "image/jpeg"
    with Image.open(BytesIO(answer.content)) as picture:
        assert picture.size == (1440, 1800)
        corner: Any = picture.getpixel((0, 0))
        assert corner == pytest.approx(ig.picture_colour(post["id"]), abs=4)
    assert get(url.replace("oe=", "oe=F")).status_code == 403
    clock.now += timedelta(days=4.5)
    expired = get(url)
    assert (expired.status_code, expired.headers["Content-Type"], expired.text) == (
        403,
        "text/plain",
        "URL signature expired",
    )
    assert get(picture_of(instagram)).ok


def test_a_video_address_dies_sooner(instagram: ig.FakeInstagram, clock: Clock) -> None:
    instagram.publish(ig.video())
    film, still = picture_of(instagram), picture_of(instagram, "thumbnail_url")
    clock.now += timedelta(days=2)
    assert (get(film).status_code, get(still).status_code) == (403, 200)


def test_pictures_may_answer_otherwise(instagram: ig.FakeInstagram) -> None:
    album = instagram.publish(ig.album())
    url = picture_of(instagram)
    instagram.pictures[album["id"]] = ig.PictureReply(302, location="http://10.0.0.1/x.jpg")
    assert get(url).headers["Location"] == "http://10.0.0.1/x.jpg"
    instagram.pictures[album["id"]] = ig.PictureReply(content_type="text/html", body=b"<html>", chunked=True)
    assert get(url).text == "<html>"
    instagram.pictures[album["id"]] = ig.PictureReply(body=b"\xff\xd8\xff", length=5000)
    with pytest.raises(requests.RequestException, match="IncompleteRead"):
        get(url)


def test_the_bomb_is_small_to_send_and_huge_to_decode() -> None:
    bomb = ig.picture_bomb(4000, 4000)
    assert len(bomb) < 4000
    with Image.open(BytesIO(bomb)) as picture:
        picture.load()
        assert picture.size == (4000, 4000)


# Faults


@pytest.mark.parametrize("name", sorted(ig.ERRORS))
def test_every_class_of_error_is_an_error(instagram: ig.FakeInstagram, name: str) -> None:
    instagram.fail("media", ig.ERRORS[name], times=1)
    token = instagram.issue()
    status, code, _ = error(media(instagram, token))
    assert status >= 400
    assert code
    assert media(instagram, token).ok


def test_faults_come_in_sequence(instagram: ig.FakeInstagram) -> None:
    instagram.fail("*", ig.html_error(502), times=1, after=1)
    instagram.fail("media", ig.reset())
    token = instagram.issue()
    with pytest.raises(requests.ConnectionError):
        media(instagram, token)
    assert media(instagram, token).status_code == 502
    with pytest.raises(requests.ConnectionError):
        media(instagram, token)
    instagram.heal("media")
    assert media(instagram, token).ok


def test_a_renewal_whose_reply_is_lost_was_done(instagram: ig.FakeInstagram) -> None:
    instagram.renewal_changes_string, instagram.lifetime = False, 999
    token = instagram.issue()
    instagram.fail("renew", ig.reset_after())
    with pytest.raises(requests.ConnectionError):
        renew(instagram, token)
    assert instagram.expires_at(token) == instagram.clock() + timedelta(seconds=999)


def test_bad_bodies(instagram: ig.FakeInstagram) -> None:
    token = instagram.issue()
    instagram.fail("media", ig.invalid_json(), times=1)
    answer = media(instagram, token)
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    instagram.fail("media", ig.huge(3_000_000), times=1)
    assert len(media(instagram, token).content) > 3_000_000
    instagram.fail("media", ig.truncate(), times=1)
    with pytest.raises(requests.RequestException, match="IncompleteRead"):
        media(instagram, token)
    instagram.fail("media", ig.drip(0), times=1)
    assert media(instagram, token).json()["data"]


def test_healing_ends_what_hangs_at_once(instagram: ig.FakeInstagram) -> None:
    instagram.fail("media", ig.hang())
    instagram.fail("profile", ig.drip(60))
    asked = {"access_token": instagram.issue()}
    with ThreadPoolExecutor() as pool, instagram.hold("*") as gate:
        hanging = pool.submit(get, f"{instagram.url}/v25.0/me/media", **asked)
        dripping = pool.submit(get, f"{instagram.url}/v25.0/me", **asked)
        assert gate.wait(2)
        instagram.heal()
        assert isinstance(hanging.exception(), requests.ConnectionError)
        assert dripping.result().json() == {"id": instagram.profile["id"]}


def test_closing_ends_what_hangs_at_once(clock: Clock) -> None:
    with ig.FakeInstagram(clock) as instagram, ThreadPoolExecutor() as pool:
        gate = instagram.hold("media")
        waiting = pool.submit(media, instagram, instagram.issue())
        assert gate.arrived.wait(10)
        instagram.close()
        with pytest.raises(requests.ConnectionError):
            waiting.result()


def test_the_gate_holds_many_requests(instagram: ig.FakeInstagram) -> None:
    token = instagram.issue()
    with ThreadPoolExecutor(4) as pool, instagram.hold("media") as gate:
        waiting = [pool.submit(media, instagram, token) for _ in range(4)]
        assert gate.wait(4)
        assert instagram.count("media") == 4
        assert not any(each.done() for each in waiting)
        gate.release()
        assert all(each.result().ok for each in waiting)


def test_stopped_means_refused_and_started_means_the_same_port(instagram: ig.FakeInstagram) -> None:
    token, url = instagram.issue(), instagram.url
    with requests.Session() as session:
        asked = {"access_token": token}
        assert session.get(f"{url}/v25.0/me", params=asked, timeout=10).ok
        instagram.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(f"{url}/v25.0/me", params=asked, timeout=10)
        instagram.start()
        assert session.get(f"{url}/v25.0/me", params=asked, timeout=10).ok
    assert instagram.url == url


def test_calls_are_logged(instagram: ig.FakeInstagram, clock: Clock) -> None:
    token = instagram.issue()
    media(instagram, token, limit=3)
    (call,) = instagram.calls
    assert (call.endpoint, call.method, call.path, call.at) == ("media", "GET", "/v25.0/me/media", clock.now)
    assert call.params == {"access_token": token, "fields": "id", "limit": "3"}
    assert "user-agent" in call.headers
    instagram.forget_calls()
    assert instagram.count("*") == 0


def test_a_mistake_in_the_fake_does_not_pass_for_a_fault(clock: Clock) -> None:
    instagram = ig.FakeInstagram(clock)
    instagram.start()
    instagram.fail("*", lambda exchange: exchange.wait(1 / 0))
    with pytest.raises(requests.ConnectionError):
        media(instagram, instagram.issue())
    with pytest.raises(ZeroDivisionError):
        instagram.__exit__(None, None, None)


# Upstash


def test_set_nx_ex_through_the_sdk(upstash: up.FakeUpstash, redis: Redis) -> None:
    assert redis.set("k", "ä/1", nx=True, ex=60)
    assert not redis.set("k", "2", nx=True, ex=60)
    assert redis.get("k") == "ä/1"
    assert upstash.commands() == [
        ["SET", "k", "ä/1", "NX", "EX", "60"],
        ["SET", "k", "2", "NX", "EX", "60"],
        ["GET", "k"],
    ]
    assert [(entry.status, entry.fault) for entry in upstash.log] == [(200, None)] * 3


def test_pipelines_transactions_and_scripts(upstash: up.FakeUpstash, redis: Redis) -> None:
    pipeline = redis.pipeline()
    pipeline.set("a", "1")
    pipeline.incr("a")
    assert pipeline.exec() == [True, 2]
    transaction = redis.multi()
    transaction.incr("a")
    transaction.mget("a", "none")
    assert transaction.exec() == [3, ["3", None]]
    assert redis.eval("return redis.call('GET', KEYS[1])", ["a"]) == "3"
    assert upstash.commands()[:2] == [["SET", "a", "1"], ["INCR", "a"]]
    assert upstash.log[0].path == "/pipeline"


def test_refusals(upstash: up.FakeUpstash, redis: Redis) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    assert requests.post(upstash.url, json=["GET", "k"], headers=wrong, timeout=10).status_code == 401
    answer = requests.post(f"{upstash.url}/?_token={upstash.token}", json=["CONFIG", "GET", "*"], timeout=10)
    assert (answer.status_code, set(answer.json())) == (400, {"error"})
    upstash.raw("LPUSH", "list", "1")
    with pytest.raises(Exception, match="WRONGTYPE"):
        redis.get("list")
    with pytest.raises(up.RedisError, match="WRONGTYPE"):
        upstash.raw("GET", "list")
    assert requests.get(f"{upstash.url}/exists/list?_token={upstash.token}", timeout=10).json() == {"result": 1}


def test_time_passes_for_keys(upstash: up.FakeUpstash, redis: Redis) -> None:
    redis.set("short", "1", ex=60)
    redis.set("long", "1", ex=600)
    redis.set("for_ever", "1")
    upstash.elapse(60)
    assert sorted(upstash.raw("KEYS", "*")) == ["for_ever", "long"]
    assert 530 < upstash.raw("TTL", "long") <= 540


@pytest.mark.parametrize("mode", ["reset_after", "reply_lost_close", "truncate"])
def test_a_write_whose_reply_is_lost_was_done(upstash: up.FakeUpstash, redis: Redis, mode: str) -> None:
    upstash.fail(mode, match='"SET"')
    with pytest.raises(httpx.HTTPError):
        redis.set("k", "v", nx=True)
    assert redis.get("k") == "v"
    assert upstash.log[0].fault == mode


@pytest.mark.parametrize("mode", sorted(set(up.MODES) - {"latency", "hang", "drip"}))
def test_every_fault_fails_once_and_then_no_more(upstash: up.FakeUpstash, redis: Redis, mode: str) -> None:
    upstash.fail(mode, count=1, skip=1)
    assert redis.ping() == "PONG"
    # The SDK has no exception that all of its own have in common.
    with pytest.raises(Exception, match=r".*"):
        redis.ping()
    assert redis.ping() == "PONG"


@pytest.mark.parametrize(("mode", "options"), [("hang", {}), ("latency", {"ms": 60_000}), ("drip", {"ms": 60_000})])
def test_healing_ends_what_waits(upstash: up.FakeUpstash, redis: Redis, mode: str, options: dict[str, Any]) -> None:
    upstash.fail(mode, **options)
    with ThreadPoolExecutor() as pool, upstash.hold() as gate:
        waiting = pool.submit(redis.ping)
        assert gate.wait()
        upstash.heal()
        assert bool(waiting.exception(10)) is (mode == "hang")


def test_stopped_refuses_and_started_has_kept_the_data(upstash: up.FakeUpstash, redis: Redis) -> None:
    redis.set("k", "v")
    upstash.stop()
    with pytest.raises(httpx.HTTPError):
        redis.get("k")
    assert upstash.raw("GET", "k") == "v"
    upstash.start()
    assert redis.get("k") == "v"
