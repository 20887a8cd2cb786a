"""The commands, as a person and as a script use them."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from igfeed import create_app
from igfeed.clock import system_clock
from igfeed.config import Settings
from igfeed.models import Token
from igfeed.owner.choosing import set_rules
from igfeed.owner.post_commands import group
from igfeed.services import Services
from igfeed.tokens.document import TOKEN_KEY
from tests.conftest import MakeServices, to_the_moment
from tests.harness.clock import MovingClock, about
from tests.harness.owner import OWNER, STATUS
from tests.servers.instagram import (
    APP_LIMIT,
    EXPIRED,
    TEMPORARY,
    FakeInstagram,
    Fault,
    PictureReply,
    html_error,
    image,
    reset_after,
)
from tests.servers.upstash import FakeUpstash

AS_PASTED = [
    '"…"',
    "'…'",
    "“…”",
    " …\r\n",
    "\ufeff…",
    "…\u200b",
    "Bearer …",
    "access_token=…",
    'access_token="…",',
    "`…`;",
]
"""What surrounds a token that was copied from a document, a shell, an address or a message."""

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def small_pictures(instagram: FakeInstagram) -> None:
    """Small pictures are faster, and no test here looks at them."""
    instagram.picture_size = (96, 120)


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    return app.test_cli_runner()


def test_setup_token_checks_stores_and_says_whose_it_is_and_when_it_expires(
    runner: FlaskCliRunner, instagram: FakeInstagram, services: Services
) -> None:
    value = instagram.issue(age=timedelta(0))

    done = runner.invoke(args=["igfeed", "setup-token", value])

    assert done.exit_code == 0
    assert f"@{instagram.profile['username']}" in done.stdout
    assert "2026-07-02 12:00 UTC" in done.stdout
    assert "24 posts" in done.stdout
    assert value not in done.output
    assert services.tokens.usable().value == value
    assert services.feed.newest() is not None


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_the_token_may_come_through_a_pipe(
    runner: FlaskCliRunner, instagram: FakeInstagram, services: Services, arguments: list[str]
) -> None:
    value = instagram.issue()

    done = runner.invoke(args=["igfeed", "setup-token", *arguments], input=f"{value}\n")

    assert done.exit_code == 0
    assert value not in done.output
    assert services.tokens.usable().lineage == Token(value).lineage


@pytest.mark.parametrize("around", AS_PASTED)
def test_text_pasted_around_a_token_is_removed(
    runner: FlaskCliRunner, instagram: FakeInstagram, services: Services, around: str
) -> None:
    value = instagram.issue(age=timedelta(0))

    done = runner.invoke(args=["igfeed", "setup-token", "-"], input=around.replace("…", value))

    assert done.exit_code == 0
    assert services.tokens.usable().value == value


@pytest.mark.parametrize("around", AS_PASTED)
def test_text_pasted_around_the_variables_token_is_removed(around: str) -> None:
    assert Settings.from_env({"INSTAGRAM_ACCESS_TOKEN": around.replace("…", "IGAAtoken")}).access_token == "IGAAtoken"


def test_a_renewal_at_once_tells_how_long_the_token_lives(
    runner: FlaskCliRunner, instagram: FakeInstagram, services: Services
) -> None:
    instagram.old_string_survives = False
    value = instagram.issue(age=timedelta(days=60, hours=-3))

    done = runner.invoke(args=["igfeed", "setup-token", value])

    token = services.tokens.report().token
    assert token is not None
    assert token.issued_at is not None
    assert token.value != value
    assert token.expires_at == token.issued_at + timedelta(seconds=5183944)
    assert done.exit_code == 0
    assert f"It expires on {token.expires_at:%Y-%m-%d %H:%M} UTC" in done.stdout
    assert instagram.alive(token.value)


def test_a_token_that_is_not_renewed_at_once_counts_as_new_and_is_renewed_once_it_must_be_old_enough(
    runner: FlaskCliRunner, instagram: FakeInstagram, services: Services, clock: MovingClock
) -> None:
    value = instagram.issue(age=timedelta(hours=1))
    runner.invoke(args=["igfeed", "setup-token", value])
    instagram.forget_calls()

    services.feed.refresh()
    soon = instagram.count("renew")
    clock.forward(hours=24)
    services.feed.refresh()

    assert (soon, instagram.count("renew")) == (0, 1)
    assert services.tokens.usable().value != value


@pytest.mark.parametrize("fault", [APP_LIMIT, TEMPORARY, html_error(502)])
def test_a_token_whose_first_renewal_got_no_reply_stays_due(
    runner: FlaskCliRunner, instagram: FakeInstagram, services: Services, fault: Fault
) -> None:
    instagram.fail("renew", fault)

    done = runner.invoke(args=["igfeed", "setup-token", instagram.issue()])

    report = services.tokens.report()
    assert done.exit_code == 0
    assert "not known yet" in done.stdout
    assert report.token is not None
    assert (report.token.expires_at, report.is_due) == (None, True)


def test_a_token_that_ended_with_a_lost_renewal_reply_is_not_stored(
    runner: FlaskCliRunner, instagram: FakeInstagram, services: Services, token: Token
) -> None:
    instagram.old_string_survives = False
    instagram.fail("renew", reset_after())

    done = runner.invoke(args=["igfeed", "setup-token", instagram.issue()])

    assert done.exit_code == 1
    assert "its answer never came" in done.stderr
    assert services.tokens.usable().value == token.value


def test_no_renewal_is_requested_if_the_store_takes_no_writes(
    make_services: MakeServices, instagram: FakeInstagram
) -> None:
    runner = create_app(services=make_services(IGFEED_STORE_PATH="/proc/igfeed/x")).test_cli_runner()

    done = runner.invoke(args=["igfeed", "setup-token", instagram.issue()])

    assert done.exit_code == 1
    assert instagram.count("renew") == 0


@pytest.mark.parametrize("option", [[], ["--no-verify"]])
@pytest.mark.parametrize("prefix", ["EAA", "IGQV", "IGQW"])
def test_a_token_of_another_kind_is_named_before_any_call(
    runner: FlaskCliRunner, instagram: FakeInstagram, services: Services, prefix: str, option: list[str]
) -> None:
    value = instagram.issue(prefix=prefix)

    done = runner.invoke(args=["igfeed", "setup-token", *option, value])

    assert done.exit_code == 1
    assert f"({prefix}…)" in done.stderr
    assert "IGAA" in done.stderr
    assert value not in done.output
    assert instagram.calls == []
    assert services.tokens.report().token is None


def test_the_age_follows_from_the_remaining_life(
    runner: FlaskCliRunner, instagram: FakeInstagram, services: Services, clock: MovingClock
) -> None:
    value = instagram.issue(age=timedelta(days=50))

    runner.invoke(args=["igfeed", "setup-token", value, "864000"])

    token = services.tokens.report().token
    assert token is not None
    assert token.expires_at == about(clock.now + timedelta(days=10))
    assert token.issued_at == about(clock.now - timedelta(days=50))


def test_a_token_that_instagram_rejects_is_not_stored(
    runner: FlaskCliRunner, instagram: FakeInstagram, services: Services, token: Token
) -> None:
    done = runner.invoke(args=["igfeed", "setup-token", "IGAAnonsense"])

    assert done.exit_code == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "rejected" in done.stderr
    assert "IGAAnonsense" not in done.output
    assert services.tokens.usable().value == token.value


@pytest.mark.parametrize("account", [(), ("--account", "fresh")], ids=["default", "new"])
@pytest.mark.parametrize(
    ("fault", "to_do"),
    [
        (TEMPORARY, "Run it again later."),
        (APP_LIMIT, "Run it again later."),
        (EXPIRED, "Generate another one in the app's dashboard at Meta, and run it again."),
    ],
    ids=["away", "limited", "rejected"],
)
def test_a_set_up_that_fails_says_that_nothing_was_stored_and_promises_no_other_try(
    runner: FlaskCliRunner, instagram: FakeInstagram, fault: Fault, to_do: str, account: tuple[str, ...]
) -> None:
    instagram.fail("*", fault)

    done = runner.invoke(args=["igfeed", "setup-token", *account, instagram.issue()])

    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.endswith(f" Nothing was stored. {to_do}\n")


def test_without_verification_the_token_is_stored_without_asking_instagram(
    runner: FlaskCliRunner, instagram: FakeInstagram, services: Services
) -> None:
    value = instagram.issue()

    done = runner.invoke(args=["igfeed", "setup-token", "--no-verify", value])

    assert done.exit_code == 0
    assert "This is a token of" not in done.stdout
    assert services.tokens.usable().value == value


def test_an_unverified_token_that_is_rejected_is_replaced_by_the_one_before_and_the_command_says_so(
    runner: FlaskCliRunner, instagram: FakeInstagram, services: Services, token: Token
) -> None:
    done = runner.invoke(args=["igfeed", "setup-token", "--no-verify", "IGAAnonsense"])

    assert done.exit_code == 1
    assert "the one before it works and stays" in done.stderr
    assert services.tokens.usable().value == token.value


COMMANDS = sorted(group.commands)
TAKING_POSTS = {"hide", "show", "pin", "unpin"}
"""They take any text for the name of a post."""
WRONG_PLACES = [
    *(["setup-token", *arguments] for arguments in (["5184000", "IGAAsecret"], ["IGAAsecret", "1", "IGAAsecret"])),
    *([command, "IGAAsecret", "IGAAsecret", "1"] for command in COMMANDS if command not in TAKING_POSTS),
    *([command, "--IGAAsecret", "IGAAsecret", "1"] for command in COMMANDS),
    ["IGAAsecret"],
    ["--IGAAsecret"],
    ["-IGAAsecret", "status"],
    ["setup_token", "IGAAsecret"],
    ["status", "--json=IGAAsecret"],
]


@pytest.mark.parametrize("arguments", WRONG_PLACES, ids=" ".join)
def test_a_token_in_the_wrong_place_is_not_repeated(runner: FlaskCliRunner, arguments: list[str]) -> None:
    done = runner.invoke(args=["igfeed", *arguments])

    assert done.exit_code == 2
    assert "--help" in done.stderr
    assert "IGAAsecret" not in done.output


def test_without_a_command_the_help_is_shown(runner: FlaskCliRunner) -> None:
    done = runner.invoke(args=["igfeed"])

    assert "setup-token" in done.output


def test_a_token_is_stored_even_if_the_feed_cannot_be_fetched_yet(
    runner: FlaskCliRunner, instagram: FakeInstagram, services: Services
) -> None:
    value = instagram.issue()
    instagram.fail("media", TEMPORARY)

    done = runner.invoke(args=["igfeed", "setup-token", value])

    assert done.exit_code == 0
    assert "could not be fetched yet" in done.stderr
    assert services.tokens.usable().lineage == Token(value).lineage


@pytest.mark.parametrize(
    "arguments",
    [
        ["setup-token", "two words"],
        ["setup-token", "tökén"],
        ["setup-token", ""],
        ["setup-token", "IGAAtoken", "0"],
        ["setup-token", "IGAAtoken", "5184001"],
        ["setup-token", "IGAAtoken", "soon"],
        ["status", "--yaml"],
        ["renew"],
    ],
)
def test_wrong_usage_is_exit_2(runner: FlaskCliRunner, instagram: FakeInstagram, arguments: list[str]) -> None:
    done = runner.invoke(args=["igfeed", *arguments])

    assert done.exit_code == 2
    assert instagram.calls == []


def test_status_prints_lines_for_people(runner: FlaskCliRunner, token: Token) -> None:
    runner.invoke(args=["igfeed", "fetch"])

    done = runner.invoke(args=["igfeed", "status"])

    assert done.exit_code == 0
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert lines["Status"] == "ok"
    assert "expires 2026-06-02 12:00 UTC, 30 days left" in lines["Token"]
    assert lines["Feed"] == "24 posts, fetched 2026-05-03 12:00 UTC"
    assert lines["Store"] == "sqlite, reachable"


@to_the_moment
def test_status_as_json_is_what_the_route_says(app: Flask, runner: FlaskCliRunner, token: Token) -> None:
    route = app.test_client().get(STATUS, headers=OWNER)

    done = runner.invoke(args=["igfeed", "status", "--json"])

    assert json.loads(done.stdout) == route.json


def test_status_says_what_to_do(runner: FlaskCliRunner) -> None:
    done = runner.invoke(args=["igfeed", "status"])

    assert done.exit_code == 0
    assert "action required" in done.stdout
    assert "setup-token" in done.stdout


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_status_check_has_an_exit_code_for_each_verdict(
    runner: FlaskCliRunner, instagram: FakeInstagram, clock: MovingClock, option: list[str]
) -> None:
    def code() -> int:
        return runner.invoke(args=["igfeed", "status", "--check", *option]).exit_code

    missing = code()
    runner.invoke(args=["igfeed", "setup-token", instagram.issue()])
    fine = code()
    instagram.fail("media", TEMPORARY)
    runner.invoke(args=["igfeed", "fetch"])

    assert (missing, fine, code()) == (2, 0, 1)


def test_refresh_asks_instagram_if_the_tokens_age_is_unknown(
    runner: FlaskCliRunner, instagram: FakeInstagram, clock: MovingClock
) -> None:
    runner.invoke(args=["igfeed", "setup-token", instagram.issue(age=timedelta(hours=23))])
    instagram.forget_calls()

    young = runner.invoke(args=["igfeed", "refresh"])
    asked = instagram.count("renew")
    clock.forward(hours=2)
    old = runner.invoke(args=["igfeed", "refresh"])

    assert (young.exit_code, asked) == (0, 1)
    assert "younger than 24 hours" in young.stdout
    assert (old.exit_code, old.stdout) == (0, "The token was renewed.\n")


@pytest.mark.parametrize("how", [[], ["5184000"]], ids=["age unknown", "new"])
def test_refresh_says_of_a_rejected_token_that_it_is_rejected(
    runner: FlaskCliRunner, instagram: FakeInstagram, how: list[str]
) -> None:
    value = instagram.issue(age=timedelta(hours=1))
    runner.invoke(args=["igfeed", "setup-token", value, *how])
    instagram.revoke(value)

    done = runner.invoke(args=["igfeed", "refresh"])

    assert done.exit_code == 1
    assert "rejected" in done.stderr
    assert done.stdout == ""


def test_refresh_renews_now(runner: FlaskCliRunner, instagram: FakeInstagram, token: Token) -> None:
    first, second = (runner.invoke(args=["igfeed", "refresh"]) for _ in range(2))

    assert (first.exit_code, first.stdout) == (0, "The token was renewed.\n")
    assert second.exit_code == 0
    assert "within the last 24 hours" in second.stdout
    assert instagram.count("renew") == 1


def test_refresh_that_fails_is_exit_1_with_one_line(
    runner: FlaskCliRunner, instagram: FakeInstagram, token: Token
) -> None:
    instagram.fail("renew", EXPIRED)

    done = runner.invoke(args=["igfeed", "refresh"])

    assert done.exit_code == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "setup-token" in done.stderr
    assert token.value not in done.output


def test_fetch_fetches_and_mirrors(runner: FlaskCliRunner, instagram: FakeInstagram, token: Token) -> None:
    instagram.posts[:] = [image(), image()]

    done = runner.invoke(args=["igfeed", "fetch"])

    assert done.exit_code == 0
    assert "2 posts" in done.stdout
    assert "9 stored, 0 kept, 0 failed" in done.stdout


def test_a_fetch_with_failed_pictures_is_exit_1_and_says_why(
    runner: FlaskCliRunner, instagram: FakeInstagram, token: Token, caplog: pytest.LogCaptureFixture
) -> None:
    instagram.posts[:] = [image()]
    instagram.pictures[instagram.posts[0]["id"]] = PictureReply(404, "text/plain", b"")

    done = runner.invoke(args=["igfeed", "fetch"])

    assert done.exit_code == 1
    assert "3 failed" in done.stdout
    assert f"Picture {instagram.posts[0]['id']} could not be mirrored: " in caplog.text
    assert "HTTP 404" in caplog.text


@pytest.mark.parametrize("command", ["refresh", "fetch"])
@pytest.mark.parametrize("variables", [{"VERCEL": "1"}, {"IGFEED_STORE_PATH": "/proc/igfeed/x"}], ids=["none", "away"])
def test_without_a_store_the_command_renews_nothing(
    make_services: MakeServices, instagram: FakeInstagram, command: str, variables: dict[str, str]
) -> None:
    services = make_services(INSTAGRAM_ACCESS_TOKEN=instagram.issue(), **variables)
    instagram.forget_calls()

    done = create_app(services=services).test_cli_runner().invoke(args=["igfeed", command])

    assert done.exit_code == 1
    assert "store" in done.stderr.lower()
    assert instagram.count("*") == 0


@pytest.mark.parametrize("command", ["refresh", "fetch"])
def test_a_read_only_store_counts_as_no_store(
    make_services: MakeServices, instagram: FakeInstagram, upstash: FakeUpstash, command: str
) -> None:
    upstash.refuse_writes("read-only token")
    services = make_services(
        INSTAGRAM_ACCESS_TOKEN=instagram.issue(),
        UPSTASH_REDIS_REST_URL=upstash.url,
        UPSTASH_REDIS_REST_TOKEN=upstash.token,
    )
    instagram.forget_calls()

    done = create_app(services=services).test_cli_runner().invoke(args=["igfeed", command])

    assert done.exit_code == 1
    assert "may only read" in done.stderr
    assert "read-only one" in done.stderr
    assert instagram.count("*") == 0


@pytest.mark.parametrize("command", ["refresh", "fetch"])
def test_while_the_stored_token_is_unreadable_the_command_renews_nothing(
    make_services: MakeServices, instagram: FakeInstagram, command: str
) -> None:
    services = make_services(INSTAGRAM_ACCESS_TOKEN=instagram.issue())
    services.store.set(TOKEN_KEY, "fernet:lost")
    instagram.forget_calls()

    done = create_app(services=services).test_cli_runner().invoke(args=["igfeed", command])

    assert done.exit_code == 1
    assert "IGFEED_ENCRYPTION_KEY" in done.stderr
    assert instagram.count("renew") == 0


def test_commands_say_when_there_is_no_store(make_services: MakeServices, instagram: FakeInstagram) -> None:
    runner = create_app(services=make_services(VERCEL="1")).test_cli_runner()

    done = runner.invoke(args=["igfeed", "setup-token", instagram.issue()])

    assert done.exit_code == 1
    assert "Upstash" in done.stderr


# The real command


def flask(*arguments: str, env: dict[str, str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flask", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **env},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def test_plain_flask_finds_the_commands(environ: dict[str, str], instagram: FakeInstagram) -> None:
    instagram.clock = system_clock
    value = instagram.issue(age=timedelta(0))

    stored = flask("igfeed", "setup-token", env=environ, stdin=value)
    found = flask("igfeed", "status", "--json", env=environ)

    assert stored.returncode == 0, stored.stderr
    assert value not in stored.stdout + stored.stderr
    assert json.loads(found.stdout)["status"] == "ok"


def test_a_bad_variable_stops_the_start_with_one_line_that_names_it(environ: dict[str, str]) -> None:
    done = flask("igfeed", "status", env={**environ, "IGFEED_POSTS": "many"})

    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "IGFEED_POSTS" in done.stderr
    assert "'many'" in done.stderr


# Posts


def posts_of(runner: FlaskCliRunner) -> list[str]:
    """What ``posts`` prints, line by line."""
    done = runner.invoke(args=["igfeed", "posts"])
    assert done.exit_code == 0
    return done.stdout.splitlines()


def test_posts_are_hidden_pinned_and_listed_by_commands(
    runner: FlaskCliRunner, instagram: FakeInstagram, services: Services, token: Token
) -> None:
    assert posts_of(runner) == ["There are no posts yet. `flask igfeed fetch` fetches them."]
    services.feed.fetch()
    first, second, third, *_ = (post["id"] for post in instagram.posts)

    hidden = runner.invoke(args=["igfeed", "hide", first, instagram.posts[1]["permalink"]])
    pinned = runner.invoke(args=["igfeed", "pin", third])

    assert hidden.exit_code == pinned.exit_code == 0
    assert hidden.stdout == "Done. Visitors see 24 of 26 posts.\n"
    lines = posts_of(runner)
    assert [line.split("  ")[0] for line in lines[:3]] == [first, second, third]
    assert ["hidden by you" in line for line in lines[:3]] == [True, True, False]
    assert "pinned 1" in lines[2]
    runner.invoke(args=["igfeed", "show", first, second])
    runner.invoke(args=["igfeed", "unpin", third])
    assert not any("hidden" in line or "pinned" in line for line in posts_of(runner))


def test_show_says_what_keeps_a_post_out_all_the_same(
    runner: FlaskCliRunner, instagram: FakeInstagram, services: Services, token: Token
) -> None:
    services.feed.fetch()
    set_rules(services, with_hashtags=["#bread"])
    first = instagram.posts[0]["id"]

    done = runner.invoke(args=["igfeed", "show", first])

    assert f"{first} is not shown all the same: no #bread.\n" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["hide", "IGAAtoken"], 1, "Error: The feed has no such post. `flask igfeed posts` lists those that it has."),
        (["pin", "0", "1", "2", "3"], 1, "Error: Up to 3 posts can be pinned. Unpin another one first."),
        (
            ["hide"],
            2,
            "Error: It takes one or more posts, each by its media id, its shortcode or its address. See --help.",
        ),
    ],
)
def test_what_cannot_be_chosen_is_said_in_one_line(
    runner: FlaskCliRunner,
    instagram: FakeInstagram,
    services: Services,
    token: Token,
    arguments: list[str],
    code: int,
    line: str,
) -> None:
    services.feed.fetch()
    command, *names = arguments

    done = runner.invoke(
        args=["igfeed", command, *(instagram.posts[int(each)]["id"] if each.isdigit() else each for each in names)]
    )

    assert done.exit_code == code
    assert done.stderr.splitlines()[-1] == line
    assert "IGAAtoken" not in done.output
