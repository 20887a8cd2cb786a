"""Alerts reach the owner once: when a person is needed, when that day comes near, and when all is well again."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from igfeed import create_app
from igfeed.clock import system_clock
from igfeed.config import Settings
from igfeed.config.alert_addresses import SCHEMES, is_alert_address, kind_of
from igfeed.errors import ConfigError, IgfeedError
from igfeed.models import Token
from igfeed.owner.alerts import sender
from igfeed.owner.alerts.due_alert import due_alert
from igfeed.owner.alerts.episode import EPISODE_KEY, MAX_TRIES, RETRY_PAUSES, Episode
from igfeed.owner.alerts.notifier import ALERT_CLAIM_TTL, _send_once, notify, send_test
from igfeed.owner.observation import observe
from igfeed.owner.status import report
from igfeed.services import Services
from tests.conftest import MakeServices
from tests.harness.clock import MovingClock
from tests.harness.leaks import LeakFinder
from tests.harness.owner import CRON, OWNER, ROOT, STATUS
from tests.harness.visitor import Visitor
from tests.servers.faults import Fault
from tests.servers.instagram import EXPIRED, PERMISSION, TEMPORARY, FakeInstagram, image
from tests.servers.receivers import Mailbox, Webhook
from tests.servers.upstash import FakeUpstash

DAY = timedelta(days=1)
NEEDED = "Your Instagram feed needs you"
SOON = "Your Instagram feed needs you soon"
WELL = "All is well again with your Instagram feed"
BASE_URL = "https://feed.example.com"
SECRET = "hook-Zk3vQ8wLx2Rb7TnPc5"


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as webhook:
        yield webhook


@pytest.fixture(autouse=True)
def one_small_post(instagram: FakeInstagram) -> None:
    """The cron resizes each picture, which would take most of these tests' time."""
    instagram.posts[:], instagram.picture_size = [image()], (48, 60)


Start = Callable[..., Services]


@pytest.fixture
def start(make_services: MakeServices, webhook: Webhook) -> Start:
    """Start one more process, with alerts to the webhook."""
    return lambda **more: make_services(**{"IGFEED_ALERTS": webhook.address(SECRET), "BASE_URL": BASE_URL, **more})


@pytest.fixture
def services(start: Start) -> Services:
    return start()


def visit(services: Services) -> None:
    """A view in a process of its own, with what comes after its answer."""
    Visitor(create_app(services=services)).get("/embed")


def run_cron(services: Services) -> None:
    Visitor(create_app(services=services)).get(CRON, headers=OWNER)


def set_up(services: Services, instagram: FakeInstagram, clock: MovingClock) -> None:
    """The owner sets another token up, which works."""
    instagram.heal()
    services.tokens.adopt(Token(instagram.issue(age=2 * DAY), clock(), clock() + 60 * DAY), is_verified=True)


def stale(clock: MovingClock) -> None:
    """Let so much time pass that a view fetches, whatever pause there was."""
    clock.forward(hours=2)


# When a person is needed


def test_a_rejected_token_is_told_once_with_what_to_do_and_what_visitors_see(
    services: Services, start: Start, token: Token, instagram: FakeInstagram, clock: MovingClock, webhook: Webhook
) -> None:
    run_cron(services)
    instagram.fail("*", EXPIRED)
    stale(clock)

    visit(services)

    assert webhook.titles == [NEEDED]
    assert webhook.alerts[0]["type"] == "failure"
    lines = webhook.alerts[0]["message"].splitlines()
    assert lines[0] == "The access token of @studio.nord was rejected."
    assert "Instagram" in lines[1]
    assert f"Connect again: {BASE_URL}/studio" in lines
    assert lines[-1] == "Visitors still see the posts of 3 May."
    for process in (services, start(), start()):
        stale(clock)
        visit(process)
        run_cron(process)
    assert webhook.titles == [NEEDED]


def test_without_an_address_of_its_own_the_message_says_where_the_studio_is(
    start: Start, token: Token, instagram: FakeInstagram, webhook: Webhook
) -> None:
    instagram.fail("*", EXPIRED)

    visit(start(BASE_URL=""))

    message = webhook.alerts[0]["message"]
    assert "/studio at your feed's address" in message
    assert "BASE_URL" in message
    assert "Visitors see no posts yet." in message


def test_a_missing_token_is_told(services: Services, webhook: Webhook) -> None:
    run_cron(services)

    assert webhook.titles == [NEEDED]
    lines = webhook.alerts[0]["message"].splitlines()
    assert lines[1:3] == ["No access token is set up.", f"Connect: {BASE_URL}/studio"]


def test_all_is_well_again_is_told_once_and_the_next_time_it_is_needed_again(
    services: Services, token: Token, instagram: FakeInstagram, clock: MovingClock, webhook: Webhook
) -> None:
    for _ in range(2):
        instagram.fail("*", EXPIRED)
        stale(clock)
        visit(services)
        set_up(services, instagram, clock)
        stale(clock)
        visit(services)
        assert webhook.titles[-1] == WELL, "the first fetch that succeeds tells it"
        run_cron(services)

    assert webhook.titles == [NEEDED, WELL] * 2
    assert "@studio.nord" in webhook.alerts[1]["message"]
    assert webhook.alerts[1]["type"] == "success"


def test_the_cron_tells_what_the_view_that_saw_it_could_not(
    services: Services, token: Token, instagram: FakeInstagram, clock: MovingClock, webhook: Webhook
) -> None:
    run_cron(services)
    instagram.fail("*", EXPIRED)
    run_cron(services)
    set_up(services, instagram, clock)

    run_cron(services)

    assert webhook.titles == [NEEDED, WELL]


def test_faults_that_come_and_go_during_an_episode_send_no_second_alert(
    services: Services, token: Token, instagram: FakeInstagram, clock: MovingClock, webhook: Webhook
) -> None:
    run_cron(services)
    faults: list[Fault] = [EXPIRED, TEMPORARY, EXPIRED, TEMPORARY]
    for fault in faults:
        instagram.heal()
        instagram.fail("*", fault)
        stale(clock)
        visit(services)

    assert webhook.titles == [NEEDED]


def test_another_token_that_is_rejected_too_is_told_again(
    services: Services, token: Token, instagram: FakeInstagram, clock: MovingClock, webhook: Webhook
) -> None:
    instagram.fail("*", EXPIRED)
    run_cron(services)
    set_up(services, instagram, clock)
    instagram.fail("*", EXPIRED)

    run_cron(services)
    run_cron(services)

    assert webhook.titles == [NEEDED, NEEDED]


def test_problems_that_pass_by_themselves_send_no_alert(
    services: Services, token: Token, instagram: FakeInstagram, clock: MovingClock, webhook: Webhook
) -> None:
    instagram.fail("*", TEMPORARY)
    for _ in range(3):
        stale(clock)
        visit(services)
        run_cron(services)

    assert webhook.requests == 0


# Before the token expires


def test_failing_renewals_are_told_at_21_14_7_3_and_1_days_and_once_more_when_it_has_expired(
    start: Start, token: Token, instagram: FakeInstagram, clock: MovingClock, webhook: Webhook
) -> None:
    instagram.fail("renew", TEMPORARY)
    told: list[tuple[str, str]] = []
    for before, after in pairwise((30, 22, 21, 20, 14, 13, 8, 7, 4, 3, 2, 1, 0.5, 0, -1)):
        clock.forward(days=before - after)
        run_cron(start())  # Each time in a new process, as on Vercel.
        told += [(alert["title"], alert["message"].split(" expires in ")[-1][:7]) for alert in webhook.alerts]
        webhook.received.clear()

    days = ["21 days", "14 days", "7 days,", "3 days,", "1 day, "]
    assert told[:5] == [(SOON, each) for each in days]
    assert [title for title, _ in told[5:]] == [NEEDED]


def test_a_process_that_starts_late_sends_only_the_latest_warning_with_the_real_days(
    services: Services, token: Token, instagram: FakeInstagram, clock: MovingClock, webhook: Webhook
) -> None:
    instagram.fail("renew", TEMPORARY)
    clock.forward(days=17, hours=1)

    run_cron(services)
    run_cron(services)

    assert webhook.titles == [SOON]
    assert "expires in 13 days, on 2 June 2026" in webhook.alerts[0]["message"]
    instagram.heal()
    run_cron(services)
    assert webhook.titles == [SOON, WELL]


def test_renewals_that_succeed_tell_nothing_however_few_days_are_left(
    services: Services, token: Token, clock: MovingClock, webhook: Webhook
) -> None:
    clock.forward(days=29)
    run_cron(services)

    assert webhook.requests == 0


def test_a_view_that_could_not_renew_tells_it_too(
    services: Services, token: Token, instagram: FakeInstagram, clock: MovingClock, webhook: Webhook
) -> None:
    instagram.fail("renew", PERMISSION)
    clock.forward(days=27, hours=1)

    visit(services)
    stale(clock)
    visit(services)

    assert webhook.titles == [NEEDED, SOON], "only a person can mend it, and three days are left"


# When it is sent, and what that costs


def test_a_view_that_waits_for_its_feed_is_answered_before_the_alert_is_sent(
    services: Services, token: Token, instagram: FakeInstagram, webhook: Webhook
) -> None:
    instagram.fail("*", EXPIRED)

    answer = create_app(services=services).test_client().get("/embed")

    assert (answer.status_code, webhook.requests) == (503, 0)
    answer.close()
    assert webhook.titles == [NEEDED]


def test_a_view_that_fetches_costs_no_more_commands_with_alerts(
    start: Start, upstash: FakeUpstash, instagram: FakeInstagram, clock: MovingClock, webhook: Webhook
) -> None:
    services = start(UPSTASH_REDIS_REST_URL=upstash.url, UPSTASH_REDIS_REST_TOKEN=upstash.token)
    services.tokens.adopt(Token(instagram.issue(), clock(), clock() + 60 * DAY), is_verified=True)
    visit(services)
    clock.forward(hours=1)
    upstash.elapse(3600)
    upstash.forget()

    visit(services)

    assert [command[0] for command in upstash.commands()] == ["EVAL_RO", "SET", "EVAL_RO", "EVAL", "EVAL"]


def test_the_sample_account_sends_nothing(start: Start, webhook: Webhook) -> None:
    services = start(IGFEED_DEMO="1")

    notify(services)

    with pytest.raises(IgfeedError, match="No address"):
        send_test(services)
    assert report(services).to_json()["alerts"] == {"configured": False, "last_error": None}
    assert webhook.requests == 0


@pytest.mark.parametrize("mode", ["away", "read only"])
def test_nothing_is_sent_where_the_store_cannot_keep_that_it_was(
    mode: str, start: Start, upstash: FakeUpstash, instagram: FakeInstagram, webhook: Webhook
) -> None:
    services = start(UPSTASH_REDIS_REST_URL=upstash.url, UPSTASH_REDIS_REST_TOKEN=upstash.token)
    if mode == "away":
        upstash.stop()
    else:
        upstash.refuse_writes("full")
    instagram.fail("*", EXPIRED)

    run_cron(services)

    upstash.start()
    upstash.heal()
    assert webhook.requests == 0


# Addresses that fail


def test_a_dead_address_harms_no_other_is_tried_five_times_and_shows_in_the_status(
    start: Start, token: Token, instagram: FakeInstagram, clock: MovingClock, webhook: Webhook
) -> None:
    with Webhook() as dead:
        dead.status = 410
        both = f"{dead.address('dead-Jw5nY9tGd3')} {webhook.address(SECRET)}"
        services = start(IGFEED_ALERTS=both)
        instagram.fail("*", EXPIRED)
        for _ in range(MAX_TRIES + 2):
            run_cron(services)
            run_cron(services)
            clock.now += RETRY_PAUSES[-1]

        assert webhook.titles == [NEEDED]
        assert dead.requests == MAX_TRIES
        found = report(services).to_json()["alerts"]
        assert found == {"configured": True, "last_error": "Address 1 (json): It answered with HTTP status 410."}

        dead.status = 200
        send_test(services)
        assert report(services).alerts.last_error is None
        set_up(services, instagram, clock)
        run_cron(services)
        assert dead.titles[-1] == webhook.titles[-1] == WELL


def test_a_failed_try_is_repeated_after_its_pause_and_not_before(
    services: Services, token: Token, instagram: FakeInstagram, clock: MovingClock, webhook: Webhook
) -> None:
    webhook.status = 500
    instagram.fail("*", EXPIRED)
    for number, pause in enumerate(RETRY_PAUSES, start=1):
        run_cron(services)
        run_cron(services)
        assert webhook.requests == number
        clock.now += pause
    webhook.status = 200

    run_cron(services)

    assert webhook.titles == [NEEDED]


def test_an_owner_who_got_no_alert_is_not_told_that_all_is_well_again(
    services: Services, token: Token, instagram: FakeInstagram, clock: MovingClock, webhook: Webhook
) -> None:
    webhook.status = 500
    instagram.fail("*", EXPIRED)
    run_cron(services)
    set_up(services, instagram, clock)
    webhook.status = 200

    run_cron(services)

    assert webhook.titles == []
    instagram.fail("*", EXPIRED)
    run_cron(services)
    assert webhook.titles == [NEEDED], "and the next episode begins"


def test_a_server_that_never_answers_costs_the_time_limit_and_no_more(
    services: Services, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "SENDING_TIME_LIMIT", 0.1)
    webhook.is_silent = True

    (delivery,) = send_test(services)

    assert str(delivery) == "Address 1 (json): It did not answer within 0.1 seconds."


def test_an_unreadable_document_counts_as_missing(
    services: Services, token: Token, instagram: FakeInstagram, webhook: Webhook
) -> None:
    services.store.set(EPISODE_KEY, "no JSON")
    instagram.fail("*", EXPIRED)

    run_cron(services)
    run_cron(services)

    assert webhook.titles == [NEEDED]


# Real processes, a real webhook, a real mail server

PROCESS = f"""
from igfeed import create_app
client = create_app().test_client()
client.get("/embed").close()
client.get({CRON!r}, headers={OWNER!r}).close()
"""


def test_four_processes_at_once_and_one_after_them_send_one_message_to_each_address(
    environ: dict[str, str], instagram: FakeInstagram, clock: MovingClock, services: Services, webhook: Webhook
) -> None:
    clock.now = system_clock()  # The processes have the true time.
    services.tokens.adopt(Token(instagram.issue(), clock(), clock() + 60 * DAY), is_verified=True)
    instagram.fail("*", EXPIRED)
    with Mailbox() as mailbox:
        alerts = f"{webhook.address()} {mailbox.address}"
        for processes in (4, 1):
            run(processes, {**environ, "IGFEED_ALERTS": alerts, "BASE_URL": BASE_URL, "IGFEED_FEED_TTL": "1"})

        assert webhook.titles == [NEEDED]
        (mail,) = mailbox.mails
        assert mail["Subject"] == NEEDED
        assert f"Connect again: {BASE_URL}/studio" in mail.get_content().splitlines()


def test_an_alert_that_another_process_has_claimed_is_left_to_it_until_the_claim_ends(
    services: Services, webhook: Webhook, clock: MovingClock
) -> None:
    assert services.store.claim("claim:alert:1:action-required:no-token:0", ALERT_CLAIM_TTL)

    notify(services)

    assert webhook.requests == 0
    clock.now += ALERT_CLAIM_TTL
    notify(services)
    assert webhook.titles == [NEEDED]


def test_a_process_that_decided_before_another_one_sent_the_alert_looks_again_before_it_sends(
    services: Services, webhook: Webhook, clock: MovingClock
) -> None:
    before, seen = Episode(), observe(services)
    alert = due_alert(before, seen)
    assert alert is not None
    notify(services)
    clock.now += ALERT_CLAIM_TTL

    _send_once(services, alert, before, seen)

    assert webhook.titles == [NEEDED]


def run(count: int, environ: dict[str, str]) -> None:
    command = [sys.executable, "-c", PROCESS]
    options: dict[str, Any] = {"cwd": ROOT, "env": environ, "stderr": subprocess.PIPE, "text": True}
    for process in [subprocess.Popen(command, **options) for _ in range(count)]:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said


# Settings, the command, the status


@pytest.mark.parametrize(
    "address",
    [
        "json://127.0.0.1:8080/hook",
        "mailto://user:password@gmail.com",
        "MAILTOS://user:password@example.com?to=me@example.com",
        "tgram://123456789:AbCdEf/12345",
        "ntfys://topic",
        "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    ],
)
def test_an_address_of_apprise_or_a_webhook_of_slack_or_discord_is_taken(address: str) -> None:
    assert Settings.from_env({"IGFEED_ALERTS": f" {address}  {address} "}).alerts == (address, address)


@pytest.mark.parametrize(
    "address",
    [
        "owner@example.com",
        "mailto:owner@example.com",
        "slak://T1JJ3T3L2/A1BRTD4JD",
        "json://",
        "://host",
        "https://example.com/hook",
        "http://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/x",
        "https://hooks.slack.com.example.com/services/T1JJ3T3L2/A1BRTD4JD/x",
        "https://discord.com/",
        "json://host/\x00",
    ],
)
def test_a_bad_address_stops_the_start_and_is_not_repeated(address: str) -> None:
    assert not is_alert_address(address)

    with pytest.raises(ConfigError, match=r"Address 2 of IGFEED_ALERTS") as caught:
        Settings.from_env({"IGFEED_ALERTS": f"json://host {address}"})

    assert address not in f"{caught.value} {caught.value.hint}"


def test_the_schemes_are_those_of_the_apprise_that_is_installed() -> None:
    from apprise.manager_plugins import NotificationManager

    manager: Any = NotificationManager
    assert set(manager().schemas()) == SCHEMES


def test_of_an_address_only_its_kind_is_shown() -> None:
    assert kind_of("tgram://123456789:AbCdEf/12345") == "tgram"
    assert kind_of("https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/x") == "slack"
    assert kind_of("https://discordapp.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js") == "discord"


def test_the_command_sends_a_test_to_each_address_and_says_which_took_it(
    start: Start, webhook: Webhook, clock: MovingClock
) -> None:
    services = start(IGFEED_ALERTS=f"{webhook.address(SECRET)} json://127.0.0.1:9/{SECRET}")

    done = create_app(services=services).test_cli_runner().invoke(args=["igfeed", "test-alert"])

    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "Address 1 (json): It took the message.",
        "Address 2 (json): It could not be reached.",
    ]
    assert webhook.titles == ["Your Instagram feed can reach you"]
    assert SECRET not in done.output


def test_the_command_says_when_no_address_is_set(app: Flask, make_services: MakeServices) -> None:
    app.extensions["igfeed"] = make_services()

    done = app.test_cli_runner().invoke(args=["igfeed", "test-alert"])

    assert done.exit_code == 1
    assert "IGFEED_ALERTS" in done.stderr


def test_the_status_says_in_the_contracts_place_whether_alerts_are_set_up(
    client: FlaskClient, token: Token, webhook: Webhook
) -> None:
    found = client.get(STATUS, headers=OWNER).json or {}

    assert list(found)[-4:] == ["store", "alerts", "accounts", "version"]
    assert found["alerts"] == {"configured": True, "last_error": None}


# Secrets


def test_no_part_of_an_address_leaks_whatever_its_server_does(
    start: Start, token: Token, instagram: FakeInstagram, clock: MovingClock, webhook: Webhook
) -> None:
    finder = LeakFinder()
    finder.protect("an alert address", SECRET, "password-Rt6yHn8mKj4")
    webhook.status = 500
    addresses = (
        webhook.address(SECRET),
        f"json://127.0.0.1:9/{SECRET}",
        f"json://user:password-Rt6yHn8mKj4@127.0.0.1:9/{SECRET}",
        "mailto://user:password-Rt6yHn8mKj4@127.0.0.1:9/?to=owner@example.com&mode=insecure",
        f"slack://{SECRET}",
        f"tgram://{SECRET}",
    )
    with finder.listening():
        services = start(IGFEED_ALERTS=" ".join(addresses))
        app = create_app(services=services)
        instagram.fail("*", EXPIRED)
        for path in (CRON, STATUS, "/api/instagram/history", "/studio", "/"):
            finder.look_at_answer("JSON", path, Visitor(app).get(path, headers=OWNER))
        for command in ("test-alert", "status"):
            finder.look_at("standard output", command, app.test_cli_runner().invoke(args=["igfeed", command]).output)
        finder.look_at("what the store holds", EPISODE_KEY, services.store.get(EPISODE_KEY))
        finder.look_into(services)
        clock.forward(hours=1)

    assert webhook.requests == 2
    assert {"JSON", "standard output", "what the store holds", "logs", "reprs"} <= finder.places
    assert finder.found() == []


def test_a_bad_address_leaks_neither_into_the_error_nor_into_the_log() -> None:
    finder = LeakFinder()
    finder.protect("an alert address", SECRET)
    with finder.listening(), pytest.raises(ConfigError) as caught:
        Settings.from_env({"IGFEED_ALERTS": f"hook:{SECRET}"})
    finder.look_at_error("the start", caught.value)

    assert finder.found() == []
