"""The site is told of each new post once: real HTTP, a real store, and nothing that fails harms anybody."""

import hmac
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from igfeed import create_app
from igfeed.accounts.directory import accounts_of
from igfeed.clock import system_clock
from igfeed.models import Token
from igfeed.models.record import fingerprint
from igfeed.owner import choosing, upkeep
from igfeed.owner.hooks import sender
from igfeed.owner.hooks.deliveries import HOOKS_KEY, MAX_SENDING, MAX_TRIES, Hooks
from igfeed.owner.status import report
from igfeed.services import Services
from tests.conftest import MakeServices
from tests.harness.clock import MovingClock
from tests.harness.leaks import LeakFinder
from tests.harness.owner import CRON, OWNER, ROOT, STATUS
from tests.harness.visitor import Visitor
from tests.servers.instagram import EXPIRED, FakeInstagram, album, child_image, image
from tests.servers.receivers import Webhook
from tests.servers.upstash import FakeUpstash

BASE_URL = "https://feed.example.com"
HOOK_SECRET = "Grüße-signing-Xw7Pq2Lm9Vb"
SECRET = "hook-Zk3vQ8wLx2Rb7TnPc5"


@dataclass
class Process:
    """One process of a deployment that tells the webhook of new posts."""

    services: Services
    app: Flask

    def view(self, path: str = "/embed") -> None:
        """A view, with what comes after its answer."""
        Visitor(self.app).get(path)

    def cron(self) -> None:
        Visitor(self.app).get(CRON, headers=OWNER)

    def problem(self) -> tuple[str, str | None]:
        found = report(self.services)
        return found.status, found.problem


Start = Callable[..., Process]


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as webhook:
        yield webhook


@pytest.fixture
def start(make_services: MakeServices, webhook: Webhook, instagram: FakeInstagram) -> Start:
    """Start one more process."""
    instagram.posts[:], instagram.picture_size = [image(timestamp="2026-05-01T08:00:00+0000")], (48, 60)

    def start(**more: str) -> Process:
        services = make_services(**{"IGFEED_ON_NEW_POST": webhook.url(SECRET), "BASE_URL": BASE_URL, **more})
        return Process(services, create_app(services=services))

    return start


@pytest.fixture
def process(start: Start, token: Token) -> Process:
    """A process that has fetched once."""
    process = start()
    process.view()
    return process


def stale(clock: MovingClock) -> None:
    """Let so much time pass that a view fetches."""
    clock.forward(hours=2)


@pytest.fixture
def publish(instagram: FakeInstagram, clock: MovingClock) -> Callable[..., str]:
    """Publish a post, let the feed become stale, and give the post's id."""

    def publish(**fields: Any) -> str:
        clock.forward(minutes=1)
        new = image(timestamp=f"{clock.now:%Y-%m-%dT%H:%M:%S}+0000", **fields)
        instagram.publish(new)
        stale(clock)
        return str(new["id"])

    return publish


Publish = Callable[..., str]


# Once


def test_the_first_fetch_tells_nothing_and_each_new_post_is_told_once(
    process: Process, start: Start, publish: Publish, clock: MovingClock, webhook: Webhook
) -> None:
    assert webhook.requests == 0
    new = publish()

    for each in (process, process, start(), start()):
        each.view()
        each.cron()
        stale(clock)

    assert webhook.post_ids == [[new]]


def test_posts_of_one_fetch_are_told_together_and_the_next_one_alone(
    process: Process, publish: Publish, webhook: Webhook
) -> None:
    first, second = publish(), publish()
    process.view()
    third = publish()
    process.cron()

    assert webhook.post_ids == [[second, first], [third]]


def test_the_first_fetch_after_the_setting_was_made_tells_nothing(
    start: Start, token: Token, publish: Publish, webhook: Webhook
) -> None:
    before = start(IGFEED_ON_NEW_POST="")
    before.view()
    publish()
    process = start()
    process.view()
    assert webhook.requests == 0

    new = publish()
    process.view()
    assert webhook.post_ids == [[new]]


def test_another_account_tells_nothing_with_its_first_fetch(
    process: Process, publish: Publish, instagram: FakeInstagram, clock: MovingClock, webhook: Webhook
) -> None:
    instagram.profile.update(id="24500000000000009", user_id="17841400000000009", username="atelier.sol")
    instagram.posts[:] = [image(), image()]
    stale(clock)
    process.view()
    assert webhook.requests == 0

    new = publish()
    process.view()
    assert webhook.post_ids == [[new]]


PROCESS = f"""
from igfeed import create_app
client = create_app().test_client()
client.get("/embed").close()
client.get({CRON!r}, headers={OWNER!r}).close()
"""


def test_four_processes_at_once_tell_a_new_post_once(
    environ: dict[str, str],
    process: Process,
    instagram: FakeInstagram,
    clock: MovingClock,
    webhook: Webhook,
) -> None:
    clock.now = system_clock()  # The processes have the true time.
    process.services.tokens.adopt(Token(instagram.issue(), clock(), clock() + timedelta(days=60)), is_verified=True)
    new = instagram.publish(image(timestamp=f"{clock.now:%Y-%m-%dT%H:%M:%S}+0000"))
    more = {"IGFEED_ON_NEW_POST": webhook.url(SECRET), "BASE_URL": BASE_URL, "IGFEED_FEED_TTL": "1"}
    options: dict[str, Any] = {"cwd": ROOT, "env": {**environ, **more}, "stderr": subprocess.PIPE, "text": True}

    for each in [subprocess.Popen([sys.executable, "-c", PROCESS], **options) for _ in range(4)]:
        _, said = each.communicate(timeout=120)
        assert each.returncode == 0, said

    assert webhook.post_ids == [[new["id"]]]


def test_a_process_that_saw_the_post_before_another_one_told_it_tells_nothing(
    process: Process,
    start: Start,
    publish: Publish,
    clock: MovingClock,
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late = start()
    late.view()
    before = process.services.store.get(HOOKS_KEY)
    publish()
    process.view()
    read = late.services.store.get
    stale_answers = [before]
    monkeypatch.setattr(
        late.services.store,
        "get",
        lambda key: stale_answers.pop() if key == HOOKS_KEY and stale_answers else read(key),
    )

    stale(clock)
    late.view()

    assert stale_answers == []
    assert webhook.requests == 1


# What is sent


def test_an_address_gets_the_new_items_of_the_json_feed_signed(
    start: Start, token: Token, instagram: FakeInstagram, clock: MovingClock, webhook: Webhook
) -> None:
    process = start(IGFEED_HOOK_SECRET=HOOK_SECRET)
    process.cron()
    instagram.publish(
        album([child_image(), child_image()], caption="Süß <b> #bread", timestamp="2026-05-03T11:00:00+0000")
    )
    stale(clock)

    process.cron()

    (received,) = webhook.received
    assert received.headers["content-type"] == "application/json"
    assert received.headers["user-agent"].startswith("igfeed/")
    assert received.headers["igfeed-signature"] == hmac.digest(HOOK_SECRET.encode(), received.body, "sha256").hex()
    feed = json.loads(Visitor(process.app).get("/feed.json").text)
    own = received.json.pop("_igfeed")
    assert own == {"account": None}
    assert {**received.json, "_igfeed": own} == {**feed, "items": feed["items"][:1], "_igfeed": own}
    assert feed["items"][0]["image"].startswith(f"{BASE_URL}/media/")
    assert feed["items"][0]["_igfeed"]["sizes"][0]["width"], "the cron tells a post once its pictures are there"


def test_without_a_secret_there_is_no_signature_and_without_an_origin_addresses_begin_with_a_slash(
    start: Start, token: Token, publish: Publish, webhook: Webhook
) -> None:
    process = start(BASE_URL="")
    process.view()
    publish()

    Visitor(process.app).get(CRON, headers={**OWNER, "Host": "evil.example"})

    (received,) = webhook.received
    assert "igfeed-signature" not in received.headers
    assert received.json["items"][0]["image"].startswith("/media/")
    assert b"evil" not in received.body
    assert b"localhost" not in received.body


def test_another_account_tells_its_own_posts_with_its_name_and_its_addresses_below_a_proxys_prefix(
    process: Process, publish: Publish, instagram: FakeInstagram, clock: MovingClock, webhook: Webhook
) -> None:
    prints = instagram.add_account("nord.prints", [image(timestamp="2026-05-01T08:00:00+0000")])
    with accounts_of(process.app).setting_up("prints") as services:
        upkeep.set_up(services, instagram.issue(account=prints), expires_in=timedelta(days=50))
    assert webhook.requests == 0
    prints.posts.insert(0, image(timestamp="2026-05-03T11:00:00+0000"))
    stale(clock)

    Visitor(process.app).get("/prints/embed", base_url="http://localhost/mounted")
    publish()
    process.view()

    of_prints, of_default = webhook.received
    assert of_prints.json["_igfeed"] == {"account": "prints"}
    assert of_prints.json["feed_url"] == f"{BASE_URL}/mounted/prints/feed.json"
    picture = f"{BASE_URL}/mounted/prints/media/{prints.posts[0]['id']}-1080.webp"
    assert of_prints.json["items"][0]["image"] == picture
    assert of_default.json["_igfeed"] == {"account": None}


# The owner's choices


def test_a_post_that_waits_for_approval_is_told_right_after_it_is_approved(
    process: Process, publish: Publish, webhook: Webhook
) -> None:
    choosing.set_rules(process.services, approve_new=True)
    new = publish()
    process.view()
    process.cron()
    assert webhook.requests == 0

    choosing.approve(process.services, [new])

    assert webhook.post_ids == [[new]]


def test_a_hidden_post_is_not_told(
    process: Process, publish: Publish, instagram: FakeInstagram, webhook: Webhook
) -> None:
    choosing.set_rules(process.services, without_hashtags=["private"])
    new = publish(caption="Not for the site. #private")
    process.view()
    choosing.set_rules(process.services)
    process.cron()

    assert new in [post.id for post in process.services.feed.fetch().posts]
    assert webhook.requests == 0


def test_a_post_that_is_hidden_between_two_tries_is_not_told_any_more(
    process: Process, publish: Publish, clock: MovingClock, webhook: Webhook
) -> None:
    webhook.status = 500
    new = publish()
    process.view()
    choosing.hide(process.services, [new])

    process.cron()

    assert webhook.requests == 1


# When it is sent, and what that costs


@pytest.mark.parametrize("path", ["/embed", CRON])
def test_who_asks_is_answered_before_anything_is_sent(
    path: str, process: Process, publish: Publish, webhook: Webhook
) -> None:
    new = publish()

    answer = process.app.test_client().get(path, headers=OWNER)

    assert (answer.status_code, webhook.requests) == (200, 0)
    answer.close()
    assert webhook.post_ids == [[new]]


def test_a_fetch_costs_no_store_command_more_unless_it_brings_a_post(
    start: Start, upstash: FakeUpstash, instagram: FakeInstagram, clock: MovingClock, publish: Publish
) -> None:
    def commands(process: Process) -> list[str]:
        upstash.elapse(7200)
        upstash.forget()
        process.view()
        return [command[0] for command in upstash.commands()]

    without = ["EVAL_RO", "SET", "EVAL_RO", "EVAL", "EVAL"]
    store = {"UPSTASH_REDIS_REST_URL": upstash.url, "UPSTASH_REDIS_REST_TOKEN": upstash.token}
    process = start(**store)
    process.services.tokens.adopt(Token(instagram.issue(), clock(), clock() + timedelta(days=60)), is_verified=True)
    process.view()

    stale(clock)
    assert commands(process) == without
    publish()
    assert commands(process) == [*without, "GET", "EVAL", "EVAL"], "read, write what is being told, write that it was"
    stale(clock)
    assert commands(start(**store)) == [*without, "GET"], "the first fetch of a process looks what the others have told"


def test_a_status_costs_no_command_more(
    start: Start, upstash: FakeUpstash, instagram: FakeInstagram, clock: MovingClock
) -> None:
    process = start(UPSTASH_REDIS_REST_URL=upstash.url, UPSTASH_REDIS_REST_TOKEN=upstash.token)
    process.services.tokens.adopt(Token(instagram.issue(), clock(), clock() + timedelta(days=60)), is_verified=True)
    process.cron()
    upstash.forget()

    assert process.problem() == ("ok", None)
    assert len(upstash.commands()) == 1


def test_the_sample_account_tells_nothing(start: Start, webhook: Webhook) -> None:
    process = start(IGFEED_DEMO="1")
    process.view()

    assert process.services.store.get(HOOKS_KEY) is None
    assert webhook.requests == 0


@pytest.mark.parametrize("mode", ["away", "read only"])
def test_nothing_is_sent_while_the_store_cannot_keep_that_it_was_and_the_cron_makes_up_for_it(
    mode: str,
    start: Start,
    upstash: FakeUpstash,
    instagram: FakeInstagram,
    clock: MovingClock,
    publish: Publish,
    webhook: Webhook,
) -> None:
    process = start(UPSTASH_REDIS_REST_URL=upstash.url, UPSTASH_REDIS_REST_TOKEN=upstash.token)
    process.services.tokens.adopt(Token(instagram.issue(), clock(), clock() + timedelta(days=60)), is_verified=True)
    process.view()
    new = publish()
    if mode == "away":
        upstash.stop()
    else:
        upstash.refuse_writes("full")
    process.cron()
    assert webhook.requests == 0

    upstash.start()
    upstash.heal()
    process.cron()
    assert webhook.post_ids == [[new]]


def test_an_unreadable_document_counts_as_missing(process: Process, publish: Publish, webhook: Webhook) -> None:
    process.services.store.set(HOOKS_KEY, "no JSON")
    publish()
    process.view()
    assert webhook.requests == 0

    new = publish()
    process.view()
    assert webhook.post_ids == [[new]]


# Addresses that fail


def test_a_dead_address_is_tried_by_three_crons_and_shows_in_the_status_until_it_works(
    start: Start, token: Token, publish: Publish, clock: MovingClock, webhook: Webhook
) -> None:
    with Webhook() as dead:
        dead.status = 410
        process = start(IGFEED_ON_NEW_POST=f"{webhook.url(SECRET)} {dead.url('dead-Jw5nY9tGd3')}")
        process.view()
        first = publish()
        process.view()
        process.view()
        assert dead.requests == 1, "a view does not try again"
        problem = "Address 2 of IGFEED_ON_NEW_POST was not told of a new post. It answered with HTTP status 410."
        assert process.problem() == ("degraded", problem)
        upkeep.fetch(process.services)
        assert dead.requests == 2, "who asks for a fetch waits for no pause"
        for _ in range(MAX_TRIES):
            process.cron()

        assert dead.requests == MAX_TRIES
        assert process.problem() == ("degraded", problem)
        dead.status = 200
        second = publish()
        process.view()
        assert process.problem() == ("ok", None)
        assert webhook.post_ids == [[first], [second]], "it did not get the first one twice"
        assert dead.post_ids == [[second]]


def test_a_view_tells_what_is_new_and_leaves_what_has_failed_to_the_cron(
    process: Process, publish: Publish, webhook: Webhook
) -> None:
    webhook.status = 503
    first = publish()
    process.view()
    webhook.status = 200
    second = publish()
    process.view()
    assert webhook.post_ids == [[second]]

    process.cron()
    assert webhook.post_ids == [[second], [first]]


def test_a_later_try_that_works_ends_the_problem(
    process: Process, publish: Publish, clock: MovingClock, webhook: Webhook
) -> None:
    webhook.status = 503
    new = publish()
    process.view()
    webhook.status = 200

    process.cron()

    assert webhook.post_ids == [[new]]
    assert process.problem() == ("ok", None)


def test_a_cron_whose_fetch_fails_tries_again_all_the_same(
    process: Process, publish: Publish, instagram: FakeInstagram, clock: MovingClock, webhook: Webhook
) -> None:
    webhook.status = 503
    new = publish()
    process.view()
    webhook.status = 200
    instagram.fail("*", EXPIRED)

    process.cron()

    assert webhook.post_ids == [[new]]


def test_an_address_that_the_owner_has_replaced_is_no_problem_any_more(
    process: Process, start: Start, publish: Publish, webhook: Webhook
) -> None:
    webhook.status = 404
    publish()
    process.view()
    assert process.problem()[0] == "degraded"

    assert start(IGFEED_ON_NEW_POST=webhook.url("another")).problem() == ("ok", None)


def test_a_delivery_that_was_begun_by_a_process_that_was_killed_is_taken_up_by_the_next_cron(
    process: Process, publish: Publish, clock: MovingClock, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("igfeed.owner.hooks.teller._send", lambda *_: 1 / 0)
        new = publish()
        process.view()
    process.cron()
    assert webhook.requests == 0, "it may still be sending"
    clock.now += MAX_SENDING

    process.cron()

    assert webhook.post_ids == [[new]]


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        ("stopped", "There was no answer (ConnectionError)."),
        ("silent", "There was no answer in time."),
        ("redirect", "It answered with HTTP status 308: igfeed follows no redirect."),
    ],
)
def test_whatever_the_server_does_visitors_and_the_cron_are_served(
    trouble: str, error: str, process: Process, publish: Publish, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "SENDING_TIME_LIMIT", 0.2 if trouble == "silent" else 10)
    webhook.is_silent = trouble == "silent"
    webhook.status = 308 if trouble == "redirect" else 200
    if trouble == "stopped":
        webhook._server.server_close()
    publish()

    assert Visitor(process.app).get("/embed").status_code == 200
    assert Visitor(process.app).get(CRON, headers=OWNER).status_code == 200
    status, problem = process.problem()
    assert (status, (problem or "").endswith(error)) == ("degraded", True)


# The studio


def test_the_studio_says_how_many_addresses_are_told_and_whether_they_were(
    process: Process, start: Start, publish: Publish, webhook: Webhook
) -> None:
    def card(shown: Process) -> list[str]:
        found = re.findall(r'<div class="card (\w+)">\s*<dt>New posts</dt>(.*?)</div>', studio(shown), re.DOTALL)
        return [f"{level}: {' '.join(re.sub('<[^>]*>', ' ', text).split())}" for level, text in found]

    def studio(shown: Process) -> str:
        return Visitor(shown.app).get("/studio", headers=OWNER).text

    assert card(process) == ["good: 1 address is told Nothing to tell yet"]
    publish()
    process.view()
    assert card(process) == ["good: 1 address is told Last told just now"]
    webhook.status = 404
    publish()
    process.view()
    assert card(process) == ["warn: 1 address is told Not every address accepted the last one"]
    assert "Address 1 of IGFEED_ON_NEW_POST was not told of a new post." in studio(process)
    assert card(start(IGFEED_ON_NEW_POST="")) == []


# Secrets


def test_no_part_of_an_address_or_of_the_secret_leaks_whatever_happens(
    start: Start, token: Token, publish: Publish, webhook: Webhook
) -> None:
    finder = LeakFinder()
    finder.protect("a hook address", SECRET, "password-Rt6yHn8mKj4", f"{SECRET}.localhost")
    finder.protect("the hook secret", HOOK_SECRET)
    port = webhook.url().split(":")[2].split("/")[0]
    addresses = (
        webhook.url(SECRET),
        f"http://127.0.0.1:9/{SECRET}?key={SECRET}",
        f"http://user:password-Rt6yHn8mKj4@127.0.0.1:{port}/{SECRET}",
        f"http://{SECRET}.localhost:9/",
    )
    with finder.listening():
        process = start(IGFEED_ON_NEW_POST=" ".join(addresses), IGFEED_HOOK_SECRET=HOOK_SECRET)
        process.view()
        for status in (200, 500):
            webhook.status = status
            publish()
            for path in (CRON, STATUS, "/api/instagram/history", "/studio", "/"):
                finder.look_at_answer("JSON", path, Visitor(process.app).get(path, headers=OWNER))
        command = process.app.test_cli_runner().invoke(args=["igfeed", "status"])
        finder.look_at("standard output", "status", command.output)
        finder.look_at("what the store holds", HOOKS_KEY, process.services.store.get(HOOKS_KEY))
        finder.look_into(process.services)

    assert webhook.requests == 4
    assert {"JSON", "standard output", "what the store holds", "logs", "reprs"} <= finder.places
    assert finder.found() == []


def test_the_store_knows_an_address_by_its_fingerprint_only(
    process: Process, publish: Publish, webhook: Webhook
) -> None:
    webhook.status = 500
    publish()
    process.view()

    hooks = Hooks.from_text(process.services.store.get(HOOKS_KEY) or "")

    assert [each.addresses for each in hooks.deliveries] == [(fingerprint(webhook.url(SECRET)),)]
