"""Several accounts in one deployment: each below its name, with keys of its own, and none harms another."""

from __future__ import annotations

import logging
import re
import sqlite3
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from igfeed import create_app
from igfeed.accounts.account_list import ACCOUNTS_KEY
from igfeed.accounts.cron_notes import MIN_CLEANING_PAUSE
from igfeed.accounts.directory import accounts_of
from igfeed.accounts.known_list import MAX_AGE_FOR_WRITES
from igfeed.accounts.log_lines import AccountFormatter
from igfeed.clock import Deadline
from igfeed.errors import StoreError
from igfeed.feed.mirror import MirrorReport
from igfeed.owner.all_accounts import cron
from igfeed.owner.all_accounts.account_run import WAITING_HINT
from tests.harness.app_server import serving
from tests.harness.owner import OWNER, Owner
from tests.harness.visitor import POST_IDS, Visitor
from tests.servers.instagram import html_error, image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from click.testing import Result
    from flask import Flask

    from tests.conftest import MakeServices
    from tests.harness.clock import MovingClock
    from tests.servers.instagram import Account, FakeInstagram, Post
    from tests.servers.upstash import FakeUpstash

DAY = timedelta(days=1)
TTL = 31
"""Seconds after which a process has asked for the list of accounts again."""


def ids_of(posts: list[Post]) -> list[str]:
    return [post["id"] for post in posts]


@dataclass(frozen=True)
class Stored:
    """What makes processes use this store, and all keys that it has."""

    variables: dict[str, str]
    keys: Callable[[], list[str]]


class Process:
    """One process of the deployment, answered over HTTP, and the commands of its host."""

    def __init__(self, app: Flask, address: str) -> None:
        self.app = app
        self._address = address
        self.owner = Owner(self.get)

    def get(self, path: str, **more: Any) -> requests.Response:
        return requests.get(self._address + path, timeout=60, allow_redirects=False, **more)

    def posts(self, path: str) -> list[str]:
        response = self.get(path)
        assert response.status_code == 200
        return POST_IDS.findall(response.text)

    def statuses(self, *paths: str) -> list[int]:
        return [self.get(path).status_code for path in paths]

    def run(self, *arguments: str, **more: Any) -> Result:
        return self.app.test_cli_runner().invoke(args=["igfeed", *arguments], **more)


@dataclass(frozen=True)
class Deployment:
    """The default account has two posts, and so has another one, which is called prints."""

    instagram: FakeInstagram
    clock: MovingClock
    prints: Account
    start: Callable[..., Process]
    all_keys: Callable[[], list[str]]
    """All keys of the store."""

    def token_of(self, username: str) -> str:
        """The token that Instagram has given this account last."""
        booked = self.instagram._tokens.items()
        return [text for text, token in booked if token.account and token.account.profile["username"] == username][-1]

    def issue(self, account: Account | None = None) -> str:
        return self.instagram.issue(age=2 * DAY, account=account)

    def filled(self) -> Process:
        """A process that has set both accounts up, and has mirrored their pictures."""
        process = self.start()
        value = self.issue(self.prints)
        assert process.run("setup-token", self.issue()).exit_code == 0
        done = process.run("--account", "prints", "setup-token", value)
        assert (done.exit_code, "@nord.prints" in done.stdout) == (0, True), done.output
        assert process.owner.cron().status_code == 200
        return process


def sqlite_keys(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return [key for table in ("document", "claim") for (key,) in db.execute(f"SELECT key FROM {table}")]


@pytest.fixture
def on_sqlite(environ: dict[str, str]) -> Stored:
    return Stored({}, lambda: sqlite_keys(Path(environ["IGFEED_STORE_PATH"])))


@pytest.fixture
def on_valkey(upstash: FakeUpstash) -> Stored:
    variables = {"UPSTASH_REDIS_REST_URL": upstash.url, "UPSTASH_REDIS_REST_TOKEN": upstash.token}
    return Stored(variables, lambda: upstash.raw("KEYS", "*"))


@pytest.fixture
def stored(request: pytest.FixtureRequest) -> Stored:
    """The embedded store, unless a test asks for another one."""
    found: Stored = request.getfixturevalue(getattr(request, "param", "on_sqlite"))
    return found


both_stores = pytest.mark.parametrize("stored", ["on_sqlite", "on_valkey"], indirect=True)


@pytest.fixture
def deployment(
    stored: Stored, instagram: FakeInstagram, clock: MovingClock, make_services: MakeServices
) -> Iterator[Deployment]:
    instagram.picture_size = (48, 60)
    instagram.posts[:] = [image(), image()]
    prints = instagram.add_account("nord.prints", [image(), image()])
    with ExitStack() as stack:

        def start(**more: str) -> Process:
            app = create_app(services=make_services(**stored.variables, **more))
            return Process(app, f"http://127.0.0.1:{stack.enter_context(serving(app))}")

        yield Deployment(instagram, clock, prints, start, stored.keys)


@both_stores
def test_accounts_stand_side_by_side_and_a_dead_one_touches_no_other(deployment: Deployment) -> None:
    process, instagram, prints = deployment.filled(), deployment.instagram, deployment.prints
    assert process.posts("/prints/") == process.posts("/prints/embed") == ids_of(prints.posts)
    assert process.posts("/") == ids_of(instagram.posts)
    stale, token = [*prints.posts], deployment.token_of("nord.prints")
    prints.posts.insert(0, image())
    instagram.posts.insert(0, image())
    instagram.revoke(token)
    deployment.clock.forward(days=2)

    cron = process.owner.cron()

    found = cron.json()
    assert (cron.status_code, found["ok"], found["renewal"], found["feed"]) == (502, False, "renewed", "fetched")
    assert found["accounts"]["prints"] | {"token": None} == {
        "ok": False,
        "renewal": "failed",
        "feed": "failed",
        "posts": 2,
        "pictures": {"stored": 0, "kept": 0, "failed": 0},
        "token": None,
        "error": found["error"].removeprefix("prints: "),
        "hint": found["hint"].removeprefix("prints: "),
    }
    assert [found[key].startswith("prints: ") for key in ("error", "hint")] == [True, True]
    other = deployment.start()
    for each in (process, other):
        assert (each.posts("/"), each.posts("/prints/")) == (ids_of(instagram.posts), ids_of(stale))
    status = other.owner.status()
    dead = status["accounts"]["prints"]
    assert (status["status"], status["token"]["state"]) == ("action_required", "fresh")
    assert (dead["status"], dead["token"]["state"]) == ("action_required", "rejected")
    assert (status["problem"], status["hint"]) == (f"prints: {dead['problem']}", f"prints: {dead['hint']}")
    assert list(dead) == ["status", "problem", "hint", "account", "token", "last_renewal", "feed"]
    events = other.get("/api/instagram/history", headers=OWNER).json()["events"]
    assert [(each["account"], each["what"], each["outcome"]) for each in events[:4]] == [
        ("prints", "fetch", "failed"),
        (None, "fetch", "fetched"),
        ("prints", "renewal", "failed"),
        (None, "renewal", "renewed"),
    ]


@both_stores
def test_a_removed_account_leaves_no_key_and_no_page(deployment: Deployment) -> None:
    process, other = deployment.filled(), deployment.start()
    assert other.statuses("/prints/") == [200]
    before = [key for key in deployment.all_keys() if "prints" not in key]
    assert any("picture" in key for key in set(deployment.all_keys()).difference(before))

    asked = [process.run("remove-account", "prints", input=answer) for answer in ("n\n", "")]
    done = process.run("remove-account", "prints", "--yes")

    assert ([each.exit_code for each in asked], done.exit_code) == ([1, 1], 0)
    assert ["With --yes" in each.stderr for each in asked] == [True, True], "a script gives no answer"
    assert sorted(deployment.all_keys()) == sorted(before)
    deployment.clock.forward(seconds=TTL)
    assert other.statuses("/prints/", "/prints/embed", "/prints/media/1-320.webp") == [404, 404, 404]
    assert other.posts("/") == ids_of(deployment.instagram.posts)
    assert "prints" not in process.run("accounts").stdout


@both_stores
def test_a_process_that_still_works_for_a_removed_account_stores_nothing_of_it(deployment: Deployment) -> None:
    process, other = deployment.filled(), deployment.start()
    late = accounts_of(other.app).get("prints")
    late.tokens.usable()
    process.run("remove-account", "prints", "--yes")
    deployment.clock.forward(seconds=MAX_AGE_FOR_WRITES.total_seconds())

    fetched = late.feed.fetch()
    late.feed.mirror(fetched.pictures(), Deadline(60))
    late.tokens.renew()

    assert [key for key in deployment.all_keys() if "prints" in key and "claim" not in key] == []


def test_what_another_process_writes_for_a_removed_account_is_deleted_by_the_cron(deployment: Deployment) -> None:
    process = deployment.filled()
    process.run("remove-account", "prints", "--yes")
    [removed] = accounts_of(process.app).list.known.removed
    accounts_of(process.app).default.store.set(f"{removed.entry.prefix}feed:v1", "written late")
    assert any("prints" in key for key in deployment.all_keys())

    deployment.clock.forward(seconds=MIN_CLEANING_PAUSE.total_seconds() + TTL)
    process.owner.cron()

    assert [key for key in deployment.all_keys() if "prints" in key] == []
    assert process.run("setup-token", "--account", "prints", deployment.issue(deployment.prints)).exit_code == 0
    assert process.posts("/prints/") == ids_of(deployment.prints.posts)


def test_an_account_set_up_again_shares_nothing_with_the_removed_one(deployment: Deployment) -> None:
    process, other = deployment.filled(), deployment.start()
    assert other.posts("/prints/") == ids_of(deployment.prints.posts)
    process.run("remove-account", "prints", "--yes")
    shop = deployment.instagram.add_account("nord.shop", [image()])

    assert process.run("setup-token", "--account", "prints", deployment.issue(shop)).exit_code == 0

    deployment.clock.forward(seconds=TTL)
    assert process.posts("/prints/") == other.posts("/prints/") == ids_of(shop.posts)
    assert other.owner.status()["accounts"]["prints"]["account"]["username"] == "nord.shop"


@pytest.mark.parametrize("stored", ["on_valkey"], indirect=True)
def test_a_deployment_with_one_account_pays_nothing(deployment: Deployment, upstash: FakeUpstash) -> None:
    process = deployment.start()
    process.run("setup-token", deployment.issue())
    assert process.owner.cron().status_code == 200
    upstash.forget()
    fresh = deployment.start()

    assert fresh.posts("/") == fresh.posts("/embed") == ids_of(deployment.instagram.posts)

    assert len(upstash.commands()) == 1
    assert ACCOUNTS_KEY not in upstash.commands()[0]
    assert [key for key in deployment.all_keys() if "account" in key] == []
    upstash.forget()
    process.owner.status()
    assert len(upstash.commands()) == 1, "the list is read with the rest"


@pytest.mark.parametrize("stored", ["on_valkey"], indirect=True)
def test_no_answer_of_the_store_is_not_a_no(deployment: Deployment, upstash: FakeUpstash) -> None:
    process, fresh = deployment.filled(), deployment.start()
    assert process.statuses("/prints/", "/unknown/") == [200, 404]
    upstash.fail("redis_down")
    deployment.clock.forward(seconds=TTL)

    assert process.posts("/prints/embed") == ids_of(deployment.prints.posts), "the last known list counts"
    assert process.statuses("/unknown/") == [404]
    paths = ("/prints", "/prints/embed", "/prints/feed.json", "/prints/media/1-320.webp")
    answers = [fresh.get(path) for path in paths]
    assert [answer.status_code for answer in answers] == [503, 503, 503, 503]
    assert all(answer.headers["Retry-After"] for answer in answers)
    upstash.heal()
    deployment.clock.forward(minutes=1)
    fresh.get("/prints/embed")
    assert fresh.posts("/prints/embed") == ids_of(deployment.prints.posts)


def test_the_list_survives_its_loss_and_is_not_replaced_if_it_cannot_be_read(
    deployment: Deployment, environ: dict[str, str]
) -> None:
    process, fresh = deployment.filled(), deployment.start()
    store = accounts_of(fresh.app).default.store
    text = store.get(ACCOUNTS_KEY)
    store.delete(ACCOUNTS_KEY)
    deployment.clock.forward(seconds=TTL)
    assert process.statuses("/prints/") == [200]
    assert store.get(ACCOUNTS_KEY) == text

    store.set(ACCOUNTS_KEY, "{}}")

    assert fresh.statuses("/prints/", "/") == [503, 200]
    done = fresh.run("setup-token", "--account", "shop", deployment.issue(deployment.prints))
    assert (done.exit_code, "cannot be read" in done.stderr) == (1, True)
    status = fresh.owner.status()
    assert (status["status"], status["problem"]) == ("degraded", "The list of accounts cannot be read.")
    assert fresh.owner.cron().json()["ok"] is False
    assert store.get(ACCOUNTS_KEY) == "{}}"


def test_a_replica_that_lags_takes_no_account_away(deployment: Deployment) -> None:
    process = deployment.filled()
    store = accounts_of(process.app).default.store
    before = store.get(ACCOUNTS_KEY) or ""
    assert process.run("setup-token", "--account", "shop", deployment.issue(deployment.prints)).exit_code == 0

    store.set(ACCOUNTS_KEY, before)

    deployment.clock.forward(seconds=TTL)
    assert process.statuses("/shop/", "/prints/") == [200, 200]


def test_only_what_belongs_to_an_account_has_an_address_below_its_name(deployment: Deployment) -> None:
    process = deployment.filled()
    post = ids_of(deployment.prints.posts)[0]

    shared = (
        "api/instagram/history",
        "healthz",
        "static/icon.svg",
        "connect/callback",
        "connect/deletion/1",
        "prints/",
    )
    assert process.statuses(*(f"/prints/{path}" for path in shared)) == [404] * len(shared)
    assert process.statuses(f"/media/{post}-320.webp", f"/prints/media/{post}-320.webp") == [404, 200]
    bare = process.get("/prints?columns=3")
    assert (bare.status_code, bare.headers["Location"]) == (308, "prints/?columns=3")
    assert bare.headers["Cache-Control"] == "no-store", "the account may be removed"
    page, feed = process.get("/prints/").text, process.get("/prints/feed.json").json()
    assert f'"/prints/media/{post}-' in page
    assert 'href="/static/icon.svg?' in page, "files that all accounts share"
    assert feed["feed_url"].endswith("/prints/feed.json")
    assert process.get("/prints/go/" + post).status_code == 302
    discovery = re.search(r'href="[^"]*(/prints/oembed[?]url=[^"]*)"', page)
    assert discovery
    assert "/prints/embed" in process.get(unescape(discovery[1])).json()["html"]
    assert "/prints/" in process.get("/prints/embed.js").text
    assert process.statuses("/prints/fragment", "/prints/widget.js", "/prints/privacy", "/prints/feed.xml") == [200] * 4


def test_a_prefix_of_a_proxy_stays_in_front_of_the_name(deployment: Deployment) -> None:
    client = deployment.filled().app.test_client()

    page = client.get("/prints/", environ_overrides={"SCRIPT_NAME": "/instagram"}).text

    assert '"/instagram/prints/media/' in page
    assert 'href="/instagram/static/icon.svg?' in page


def test_an_account_that_there_was_no_time_for_comes_first_in_the_next_run(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = deployment.filled()
    shop = deployment.instagram.add_account("nord.shop", [image()])
    assert process.run("setup-token", "--account", "shop", deployment.issue(shop)).exit_code == 0
    monkeypatch.setattr(cron, "RUN_TIME_LIMIT", 0.0)
    begun: list[str | None] = []
    for _ in range(4):
        deployment.instagram.forget_calls()
        found = process.owner.cron().json()
        runs = {None: found, **found["accounts"]}
        begun += [name for name, run in runs.items() if run["feed"] == "fetched"]
        left = [run for run in runs.values() if run["feed"] is None]
        assert deployment.instagram.count("media") == 1
        assert (found["ok"], found["error"]) == (True, None), "nothing has failed"
        assert [(run["renewal"], run["hint"]) for run in left] == [(None, WAITING_HINT)] * 2

    assert begun == [None, "prints", "shop", None]


def test_each_account_has_an_equal_share_of_the_time_for_pictures(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = deployment.filled()
    accounts, left = accounts_of(process.app), list[float]()
    for services in (accounts.default, *accounts.others()):

        def mirror(_: object, deadline: Deadline) -> MirrorReport:
            left.append(deadline.left())
            return MirrorReport()

        monkeypatch.setattr(services.feed, "mirror", mirror)

    process.owner.cron()

    assert left[0] <= cron.RUN_TIME_LIMIT / 2, "half of it"
    assert left[0] < left[1], "all that is left"


def test_an_unexpected_error_in_one_account_harms_no_other(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = deployment.filled()
    broken = accounts_of(process.app).get("prints")

    def fail(*_: object) -> None:
        raise KeyError("oddity")

    for part, method in ((broken.tokens, "renew"), (broken.tokens, "report"), (broken.feed, "fetch")):
        monkeypatch.setattr(part, method, fail)

    found, status = process.owner.cron().json(), process.owner.status()

    assert (found["ok"], found["renewal"], found["feed"]) == (False, "too_young", "fetched")
    assert (found["accounts"]["prints"]["renewal"], found["accounts"]["prints"]["feed"]) == ("failed", "failed")
    assert found["error"] == "prints: Something unexpected went wrong (KeyError)."
    assert (status["status"], status["problem"]) == (
        "degraded",
        "prints: Its status could not be told (KeyError).",
    )
    assert process.posts("/") == ids_of(deployment.instagram.posts)


def test_a_line_of_the_log_names_its_account(deployment: Deployment) -> None:
    process, lines = deployment.filled(), StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(AccountFormatter("%(name)s: %(message)s"))
    logging.getLogger("igfeed").addHandler(handler)
    deployment.prints.posts.insert(0, image())
    deployment.instagram.posts.insert(0, image())
    deployment.instagram.fail("picture", html_error(500))

    process.owner.cron()
    deployment.instagram.fail("media", html_error(500))
    deployment.clock.forward(days=1)
    visitor = Visitor(process.app)
    assert [visitor.get(path).status_code for path in ("/prints/", "/")] == [200, 200]

    logging.getLogger("igfeed").removeHandler(handler)
    for room, words in (("mirror", "Picture"), ("fetcher", "The feed could not be fetched")):
        found = [line for line in lines.getvalue().splitlines() if line.startswith(f"igfeed.feed.{room}: ")]
        said = [line.removeprefix(f"igfeed.feed.{room}: ") for line in found]
        assert [line for line in said if line.startswith(f"prints: {words}")]
        assert [line for line in said if line.startswith(words)]


def test_commands_take_the_account_before_and_after_their_name(deployment: Deployment) -> None:
    process = deployment.filled()

    names = [("--account", "prints", "status"), ("status", "--account", "prints")]
    told = [process.run(*arguments).stdout for arguments in names]

    assert told[0] == told[1]
    assert "@nord.prints" in told[0]
    assert [line.split() for line in process.run("accounts").stdout.splitlines()] == [
        ["(default)", "@studio.nord", "ok"],
        ["prints", "@nord.prints", "ok"],
    ]
    hidden = ids_of(deployment.prints.posts)[0]
    assert process.run("--account", "prints", "hide", hidden).exit_code == 0
    assert (hidden in process.posts("/prints/"), len(process.posts("/"))) == (False, 2)
    assert process.run("status", "--check").exit_code == 0


def test_wrong_uses_of_the_option_are_said_in_one_line(deployment: Deployment) -> None:
    process, token = deployment.start(), deployment.issue()

    unknown = process.run("--account", "shop", "fetch")
    refused = [process.run("setup-token", "--account", name, token) for name in ("studio", "-a", "A", "ü", "a" * 31)]
    for_all = [process.run(*each) for each in (("--account", "a", "accounts"), ("--account", "a", "new-key"))]
    twice = process.run("--account", "a", "status", "--account", "b")
    as_name = process.run("--account", token, "status")

    assert (unknown.exit_code, unknown.stderr.count("\n")) == (1, 1)
    assert "'shop'" in unknown.stderr
    assert "`flask igfeed setup-token --account NAME`" in unknown.stderr
    assert [(done.exit_code, done.stderr.count("\n")) for done in refused] == [(2, 1)] * 5
    assert "'studio'" in refused[0].stderr
    assert [done.exit_code for done in (*for_all, twice, as_name)] == [2, 2, 2, 2]
    assert token not in as_name.output
    assert process.run("remove-account", "shop").exit_code == 1
    assert deployment.instagram.calls == []


def test_a_set_up_that_fails_leaves_no_account(deployment: Deployment) -> None:
    process = deployment.start()
    dead = deployment.issue(deployment.prints)
    deployment.instagram.revoke(dead)

    done = process.run("setup-token", "--account", "prints", dead)

    assert done.exit_code == 1
    assert process.statuses("/prints/") == [404]
    assert [key for key in deployment.all_keys() if key.startswith("account:")] == []


def test_the_token_of_the_environment_is_for_the_default_account_alone(deployment: Deployment) -> None:
    process = deployment.start(INSTAGRAM_ACCESS_TOKEN=deployment.issue())
    with accounts_of(process.app).setting_up("prints"):
        """It gets no token."""

    assert process.posts("/") == ids_of(deployment.instagram.posts)
    assert process.statuses("/prints/") == [503]
    assert process.owner.status()["accounts"]["prints"]["token"]["present"] is False


def test_no_account_is_added_twice_under_one_name(deployment: Deployment) -> None:
    first, second = deployment.start(), deployment.start()
    accounts = accounts_of(first.app)

    with ExitStack() as stack:
        stack.enter_context(pytest.raises(StoreError))
        slower = stack.enter_context(accounts.setting_up("prints"))
        slower.store.set("token:v1", "first")
        with accounts_of(second.app).setting_up("prints") as quicker:
            quicker.store.set("token:v1", "second")

    assert [key for key in deployment.all_keys() if key.startswith("account:")] == ["account:prints:2:token:v1"]
    assert quicker.store.get("token:v1") == "second"
