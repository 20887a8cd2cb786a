"""Secrets do not leak: whatever breaks, nothing secret is in anything that the app lets out.

Each test lives through one kind of trouble with secrets that are like no other text, collects all that comes out, and
looks for twelve characters of any of them. What must carry a secret is not looked at: requests to Instagram, the
store's ``Authorization`` header, and the token's own document in the store as long as there is no encryption key.
"""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests
from cryptography.fernet import Fernet
from flask import Flask
from msgspec import Struct
from werkzeug.serving import make_server

from igfeed import create_app
from igfeed.accounts.directory import Accounts
from igfeed.background import in_place
from igfeed.clock import system_clock
from igfeed.config import Settings
from igfeed.errors import IgfeedError
from igfeed.http.reply import Reply
from igfeed.http.transport import Transport
from igfeed.instagram.client import InstagramClient
from igfeed.models import Token
from igfeed.owner.all_accounts import cron
from igfeed.owner.connect import app_credentials
from igfeed.owner.status import report
from igfeed.services import Services, build
from igfeed.stores.guarded import GuardedStore
from igfeed.stores.read_ahead import ReadAhead
from igfeed.stores.upstash import UpstashStore
from igfeed.tokens.document import TOKEN_KEY
from igfeed.widget.page_cache import pages
from igfeed.widget.views import FeedFormat
from tests.harness.clock import MovingClock
from tests.harness.gunicorn import gunicorn
from tests.harness.leaks import LeakFinder, disguises, turn_up
from tests.harness.owner import CRON, STATUS
from tests.harness.site import no_sleep
from tests.harness.visitor import Visitor
from tests.servers.faults import Exchange, Fault
from tests.servers.instagram import (
    ERRORS,
    WRONG_SECRET,
    FakeInstagram,
    answer,
    close_after,
    drip,
    hang,
    html_error,
    huge,
    image,
    invalid_json,
    reply,
    reset,
    reset_after,
    slow,
    truncate,
    video,
)
from tests.servers.upstash import MODES, FakeUpstash

ROOT = Path(__file__).parent.parent

IN_A_PROCESS = {"logs", "pages", "JSON", "headers", "exceptions", "reprs", "the page cache"}
AT_THE_STORE = {"the store's REST log", "what the store holds"}
AT_INSTAGRAM = {"requests for pictures"}
AT_THE_TERMINAL = {"standard output", "standard error"}
ON_A_SERVER = {"what gunicorn says"}
ON_THE_DISK = {"the embedded store's files"}
PLACES = IN_A_PROCESS | AT_THE_STORE | AT_INSTAGRAM | AT_THE_TERMINAL | ON_A_SERVER | ON_THE_DISK
"""Where secrets are looked for. A test says which of them it has looked at, and fails if there was nothing to see."""

TOKEN = "IGAA+/=<&%\"'\\" + "q7Zp3xWv9KfT2mRb8LdY" * 3
FROM_ENVIRONMENT = "IGAAenvironment-+/=<&%" + "h4Jc6NsG1uXe5VoQ0aMi" * 3
CRON_SECRET = 'cron+/=<&%"-Bw2yPz8tLk5rHx7nDq'
SECOND_SECRET = "zweites-Geheimnis-äöü€-Fj3mVc9sKe1g"
HOOK = "hook-Tq8Wd2Rn6Hx4Lz"
HOOK_SECRET = "signing-Vb5Kp9Xc3Js7"
LATER_STEPS = ("media", "picture")
"""Endpoints that the upkeep does not ask, or whose error it does not tell, if every one fails."""
ALIKE_AT_EVERY_ENDPOINT = ERRORS.keys() - {"cannot_parse"}
"""Errors in JSON that repeat nothing of the request. One of them is enough for the later steps."""


def echo(status: int, *, as_html: bool = False) -> Fault:
    """An error that repeats the whole request in its text and in its headers, as Meta's messages may."""

    def play(exchange: Exchange) -> None:
        said = f"Malformed access token {exchange.request.path}?{exchange.request.query}"
        json_body = json.dumps({"error": {"message": said, "code": 190, "error_user_msg": said}})
        body, kind = (f"<p>{said}</p>", "text/html") if as_html else (json_body, "application/json")
        exchange.send(answer(status, body, kind, {"X-Echo": said, "WWW-Authenticate": f'OAuth "{said}"'}))

    return play


def quoting(disguise: Callable[[str], str]) -> Fault:
    """An error for people that quotes the token, written in this way."""

    def play(exchange: Exchange) -> None:
        params = parse_qs(exchange.request.query)
        said = " and ".join(disguise(params[name][0]) for name in ("access_token", "client_secret") if name in params)
        told = {"message": said, "code": 190, "error_user_msg": f"The user changed the password of {said}."}
        exchange.send(reply({"error": told}, 400))

    return play


QUOTES: dict[str, Callable[[str], str]] = {
    "raw": str,
    "percent-encoded": lambda secret: quote(secret, safe=""),
    "in halves": lambda secret: f"{secret[: len(secret) // 2]} {secret[len(secret) // 2 :]}",
    "in pieces": lambda secret: " ".join(secret[at : at + 13] for at in range(0, len(secret), 13)),
    "in capitals": str.upper,
    "in small letters": str.lower,
    "its end": lambda secret: secret[-16:],
    "as JSON": lambda secret: json.dumps({"access_token": secret}),
    "in base64": lambda secret: base64.b64encode(secret.encode()).decode(),
}
"""How a message may quote a secret."""


def flat_echo(exchange: Exchange) -> None:
    """An error of the login that repeats the form that was sent."""
    said = exchange.request.body.decode()
    exchange.send(reply({"error_type": "OAuthException", "code": 400, "error_message": f"Bad form: {said}"}, 400))


def redirect_to_itself(exchange: Exchange) -> None:
    request = exchange.request
    exchange.send(answer(302, headers={"Location": f"http://127.0.0.1:9{request.path}?{request.query}"}))


FAULTS: dict[str, Fault] = {
    **ERRORS,
    "reset": reset(),
    **{f"quoted {how}": quoting(disguise) for how, disguise in QUOTES.items()},
    "reset after": reset_after(),
    "closed after": close_after(),
    "truncated": truncate(),
    "HTML 500": html_error(),
    "HTML 200": html_error(200),
    "invalid JSON": invalid_json(),
    "no data": reply({"data": []}),
    "an empty object": reply({}),
    "five megabytes": huge(5 * 1024 * 1024),
    "not gzip": answer(body=b"x" * 100, headers={"Content-Encoding": "gzip"}),
    "a line that is no header": answer(400, b"{}", headers={"X-Odd": "1\r\nno header at all"}),
    "an echo": echo(400),
    "an echo in HTML": echo(500, as_html=True),
    "an echo at 200": echo(200),
    "a redirect": redirect_to_itself,
    "half a token": reply({"access_token": TOKEN, "expires_in": "soon"}),
}
LATE: dict[str, Fault] = {
    "hang": hang(),
    "drip": drip(0.03),
    "slow": slow(60),
    "chunked and measured": answer(200, b"{}", headers={"Transfer-Encoding": "chunked"}),
}


PARTS_OF_UPKEEP = {"usable", "renew", "fetch"}
TELL_AFTERWARDS = {"report", "trouble", "status"}
"""Of what `WatchedProcess.call` calls."""


class Impatient(Transport):
    """Once ``patience`` is short, it gives up so soon that a test can wait for it."""

    patience = 60.0

    def get(self, *args: Any, seconds: float, **limits: Any) -> Reply:
        return super().get(*args, seconds=min(seconds, self.patience), **limits)


@dataclass
class WatchedProcess:
    """One process of the app; what it lets out is searched for secrets."""

    finder: LeakFinder
    instagram: FakeInstagram
    services: Services
    app: Flask
    transport: Impatient

    def use(self, store: UpstashStore) -> None:
        """Another client of the same server."""
        read_ahead = self.services.store
        assert isinstance(read_ahead, ReadAhead)
        guarded = read_ahead._store
        assert isinstance(guarded, GuardedStore)
        guarded._store = store

    def live(self) -> None:
        """All that people, machines and the owner do in a day."""
        self.visit()
        self.call()
        self.look_inside()

    def tell_afterwards(self) -> None:
        """Where the owner reads what failed before."""
        client, owner = Visitor(self.app), knocks()[0]
        self.finder.look_at_answer("pages", "/studio", client.get("/studio", headers=owner))
        self.finder.look_at_answer("JSON", STATUS, client.get(STATUS, headers=owner))
        self.look_inside()

    def look_inside(self) -> None:
        """What whoever can see its memory would see."""
        self.finder.look_into(self.services)
        self.finder.look_at("reprs", "the app", repr(self.app), repr(dict(self.app.config)), repr(self.app.extensions))
        self.finder.look_at("the page cache", "keys and pages", *vars(pages.cache)["_cache"].items())

    def visit(self) -> None:
        """Every route, let in and not."""
        self.visit_as_anybody()
        self.visit_as_owner()

    def visit_as_anybody(self) -> None:
        client = Visitor(self.app)
        ids = [post["id"] for post in self.instagram.posts]
        paths = ["/", "/?page=2&captions=1", "/embed", "/nothing", "/oembed?url=http://localhost/", "/go/profile"]
        paths += [each.value for each in FeedFormat]
        paths += [f"/{kind}/{each}{end}" for each in ids for kind, end in (("media", "-320.webp"), ("go", ""))]
        for path in paths:
            self.finder.look_at_answer("pages", path, client.get(path))

    def visit_as_owner(self) -> None:
        """And as some who only claim to be the owner."""
        client = Visitor(self.app)
        owner, *others = knocks()
        for path in ("/studio", "/studio/preview", "/studio/snippets"):
            self.finder.look_at_answer("pages", path, client.get(path, headers=owner))
        for method, path in (("GET", STATUS), ("POST", STATUS), ("GET", CRON), ("PUT", CRON), ("GET", "/healthz")):
            self.finder.look_at_answer("JSON", path, client.open(path, method=method, headers=owner))
        for headers in others:
            self.finder.look_at_answer("JSON", STATUS, client.get(STATUS, headers=headers))

    def call(self, failing: str | None = None) -> None:
        """Everything that can raise an error of ours, with the secrets that it takes.

        ``failing`` names the one endpoint that fails: then only what asks it, and what tells afterwards how it went.
        The upkeep is called then, otherwise its parts: the cron's route has called it already.
        """
        for what, (endpoints, call) in self._calls().items():
            if what in (PARTS_OF_UPKEEP if failing else {"upkeep"}):
                continue
            if failing and failing not in endpoints and what not in TELL_AFTERWARDS:
                continue
            try:
                self.finder.look_at("reprs", what, repr(call()))
            except IgfeedError as error:
                self.finder.look_at_error(what, error)

    def _calls(self) -> dict[str, tuple[set[str], Callable[[], object]]]:
        """Each with the endpoints that it may ask."""
        services, secret = self.services, self.instagram.app_secret
        short = self.instagram.issue_short()
        self.finder.protect("the short-lived token", short)
        return {
            "usable": ({"renew"}, services.tokens.usable),
            "renew": ({"renew"}, services.tokens.renew),
            "adopt": (set(), lambda: services.tokens.adopt(Token(TOKEN), is_verified=False)),
            "report": (set(), services.tokens.report),
            "hold": (set(), services.tokens._vault.find),
            "fetch": ({"renew", "profile", "media"}, services.feed.fetch),
            "newest": (set(), services.feed.newest),
            "trouble": (set(), services.feed.failure),
            "profile": ({"profile"}, lambda: services.instagram.profile(TOKEN)),
            "media": ({"media"}, lambda: services.instagram.media(TOKEN, 30)),
            "renewal": ({"renew"}, lambda: services.instagram.renew(TOKEN)),
            "exchange": ({"exchange"}, lambda: services.instagram.exchange(short, secret)),
            "wrong app secret": ({"exchange"}, lambda: services.instagram.exchange(short, f"{secret}!")),
            "picture": ({"picture"}, lambda: services.instagram.picture(f"{self.instagram.url}/pictures/1.jpg")),
            "nobody's token": ({"profile"}, lambda: services.instagram.profile(TOKEN[4:])),
            "upkeep": ({"renew", "profile", "media", "picture"}, lambda: cron.run(Accounts(services, set))),
            "status": (set(), lambda: report(services)),
        }

    def type_in(self, *arguments: str, stdin: str | None = None) -> None:
        """A command at the terminal."""
        done = self.app.test_cli_runner().invoke(args=["igfeed", *arguments], input=stdin)
        self.finder.look_at("standard output", arguments[0], done.stdout)
        self.finder.look_at("standard error", arguments[0], done.stderr)
        if done.exception is not None:
            self.finder.look_at_error(arguments[0], done.exception)


def knocks() -> list[dict[str, str]]:
    """The right secrets, and wrong ones that hold a right one."""
    basic = base64.b64encode(f"owner:{SECOND_SECRET}".encode()).decode()
    given = [f"Bearer {CRON_SECRET}", f"Basic {basic}", f"Bearer {CRON_SECRET}x", f"Token {CRON_SECRET}", CRON_SECRET]
    return [{"Authorization": each} for each in given]


class WatchedDeployment:
    """A deployment with every secret there is, and what must be looked at after the processes have lived."""

    def __init__(self, finder: LeakFinder, instagram: FakeInstagram, upstash: FakeUpstash, clock: MovingClock) -> None:
        self.finder = finder
        self.instagram = instagram
        self.upstash = upstash
        self.clock = clock
        self.is_encrypted = False
        self.key = Fernet.generate_key().decode()
        self.environ = {
            "INSTAGRAM_API_URL": instagram.url,
            "INSTAGRAM_MEDIA_ORIGINS": instagram.url,
            "INSTAGRAM_ACCESS_TOKEN": FROM_ENVIRONMENT,
            "UPSTASH_REDIS_REST_URL": upstash.url,
            "UPSTASH_REDIS_REST_TOKEN": upstash.token,
            "CRON_SECRET": CRON_SECRET,
            "VERCEL_CRON_SECRET": SECOND_SECRET,
            "IGFEED_ON_NEW_POST": f"http://127.0.0.1:9/{HOOK}",
            "IGFEED_HOOK_SECRET": HOOK_SECRET,
            "IGFEED_LOG_LEVEL": "DEBUG",
        }
        finder.protect("the access token", TOKEN, TOKEN.upper(), TOKEN.lower())
        finder.protect("the environment's token", FROM_ENVIRONMENT)
        finder.protect("the store's token", upstash.token)
        finder.protect("a cron secret", CRON_SECRET, SECOND_SECRET)
        finder.protect("an address to tell of new posts", HOOK)
        finder.protect("the secret that signs for it", HOOK_SECRET)
        finder.protect("the app secret", instagram.app_secret)
        finder.protect("the encryption key", self.key)

    def start(self, store: UpstashStore, **variables: str) -> WatchedProcess:
        """One more process. Its client of the store is one that the tests close."""
        services = build(Settings.from_env({**self.environ, **variables}), self.clock, in_place, sleep=no_sleep)
        assert isinstance(services.instagram, InstagramClient)
        transport = services.instagram._transport = Impatient("igfeed/tests")
        process = WatchedProcess(self.finder, self.instagram, services, create_app(services=services), transport)
        process.use(store)
        turn_up()
        return process

    def look_around(self) -> None:
        """What the servers on the other side of the wire have seen, and the tokens they have given out."""
        self.finder.protect("a token that Instagram gave out", *self.instagram._tokens)
        for entry in self.upstash.log:
            request = entry.exchange.request
            headers = {name: value for name, value in request.headers.items() if name != "authorization"}
            self.finder.look_at("the store's REST log", entry.path, request.query, headers)
            for command in entry.commands:
                is_new_token = TOKEN_KEY in command and command[0] in ("SET", "EVAL") and not self.is_encrypted
                value = {"SET": 2, "EVAL": 5}.get(command[0], 0)
                told = [*command[:value], *command[value + 1 :]] if is_new_token else command
                self.finder.look_at("the store's REST log", command[0], *told)
        for key in self.upstash.raw("KEYS", "*"):
            if key != TOKEN_KEY or self.is_encrypted:
                self.finder.look_at("what the store holds", key, self.upstash.raw("GET", key))
        for call in self.instagram.calls:
            if call.endpoint == "picture":
                self.finder.look_at("requests for pictures", call.path, call.params, call.headers)


@pytest.fixture
def finder() -> LeakFinder:
    return LeakFinder()


@pytest.fixture
def site(finder: LeakFinder, instagram: FakeInstagram, upstash: FakeUpstash, clock: MovingClock) -> WatchedDeployment:
    instagram.picture_size = (48, 60)
    instagram.posts[:] = [image(), video()]
    instagram.issue(string=TOKEN)
    instagram.issue(string=FROM_ENVIRONMENT)
    return WatchedDeployment(finder, instagram, upstash, clock)


@pytest.fixture(scope="session")
def hasty_connection(upstash_server: FakeUpstash) -> Iterator[UpstashStore]:
    """A client that gives up so soon that a test can wait for it."""
    with connected(upstash_server.url, upstash_server.token, time_limit=0.1) as store:
        yield store


@contextmanager
def connected(url: str, token: str, time_limit: float = 2.0) -> Iterator[UpstashStore]:
    store = UpstashStore(url, token, time_limit)
    yield store
    store._run(lambda redis: redis.close())


def adopt(process: WatchedProcess) -> None:
    now = process.services.clock()
    process.services.tokens.adopt(Token(TOKEN, now - timedelta(days=54), now + timedelta(days=6)), is_verified=True)


# The processes


@pytest.mark.parametrize("name", [*FAULTS, *LATE])
def test_no_fault_of_instagrams_brings_a_secret_out(
    site: WatchedDeployment, upstash_store: UpstashStore, clock: MovingClock, name: str
) -> None:
    with site.finder.listening():
        process = site.start(upstash_store)
        adopt(process)
        Visitor(process.app).get("/")
        for endpoint in LATER_STEPS if name in FAULTS.keys() - ALIKE_AT_EVERY_ENDPOINT else ():
            site.instagram.fail(endpoint, FAULTS[name])
            clock.forward(days=2)
            process.call(endpoint)
            site.instagram.heal()
        site.instagram.fail("*", {**FAULTS, **LATE}[name])
        if name in LATE:
            process.transport.patience = 0.05
        clock.forward(days=2)
        process.live()
        site.instagram.heal()
        process.transport.patience = Impatient.patience
        process.tell_afterwards()
    site.look_around()

    assert site.finder.found() == []
    assert site.finder.places == IN_A_PROCESS | AT_THE_STORE | AT_INSTAGRAM


def test_an_instagram_that_is_not_there_brings_no_secret_out(
    site: WatchedDeployment, upstash_store: UpstashStore, clock: MovingClock
) -> None:
    with site.finder.listening():
        process = site.start(upstash_store)
        adopt(process)
        Visitor(process.app).get("/")
        site.instagram.stop()
        clock.forward(days=2)
        process.live()
        clock.forward(days=60)  # Now the token is dead too.
        process.live()
    site.look_around()

    assert site.finder.found() == []
    assert site.finder.places == IN_A_PROCESS | AT_THE_STORE


STORE_FAULTS: dict[str, dict[str, Any]] = {
    **{mode: {} for mode in MODES},
    "json_error": {
        "error": f"ERR unknown command, with args beginning with: 'SET' '{TOKEN_KEY}' '{TOKEN}'",
        "status": 400,
    },
    "json_shape": {"body": {"result": TOKEN}},
    "status": {"status": 401, "body": f"Unauthorized: {TOKEN}"},
    "latency": {"ms": 60_000},
}
"""Every mode of the fake, some of them with an answer that repeats what it was asked."""


@pytest.mark.parametrize("match", [None, TOKEN_KEY])
@pytest.mark.parametrize("mode", STORE_FAULTS)
def test_no_fault_of_the_stores_brings_a_secret_out(
    site: WatchedDeployment,
    upstash_store: UpstashStore,
    hasty_connection: UpstashStore,
    clock: MovingClock,
    mode: str,
    match: str | None,
) -> None:
    with site.finder.listening():
        process = site.start(upstash_store)
        adopt(process)
        Visitor(process.app).get("/")
        site.upstash.fail(mode, match=match, **STORE_FAULTS[mode])
        clock.forward(days=2)
        process.use(hasty_connection)
        process.live()
        site.start(hasty_connection).live()  # A process that never had anything.
        site.upstash.heal()
        process.use(upstash_store)
        clock.forward(minutes=1)
        process.visit_as_anybody()
        process.tell_afterwards()
    site.look_around()

    assert site.finder.found() == []
    assert site.finder.places == IN_A_PROCESS | AT_THE_STORE | AT_INSTAGRAM


def test_a_store_that_is_not_there_and_a_token_it_does_not_take_bring_no_secret_out(
    site: WatchedDeployment, upstash: FakeUpstash, clock: MovingClock
) -> None:
    wrong = f"{upstash.token}x"
    site.finder.protect("the store's wrong token", wrong)
    for url, token in (("http://127.0.0.1:9", upstash.token), (upstash.url, wrong), ("http://[::1", upstash.token)):
        with connected(url, token) as store, site.finder.listening():
            site.start(store).live()
            site.instagram.stop()
            clock.forward(minutes=1)
            site.start(store, INSTAGRAM_ACCESS_TOKEN="").live()
            site.instagram.start()
    site.look_around()

    assert site.finder.found() == []
    assert site.finder.places >= IN_A_PROCESS | {"the store's REST log"}


DOCUMENTS = (TOKEN_KEY, "feed:v1", "renewal:v1", "feed-trouble:v1")


@pytest.mark.parametrize("text", [TOKEN, json.dumps({"value": TOKEN}), f'"{TOKEN}', json.dumps([TOKEN])])
@pytest.mark.parametrize("keys", [DOCUMENTS, *((key,) for key in DOCUMENTS)], ids=["all", *DOCUMENTS])
def test_a_document_in_the_store_that_cannot_be_read_is_not_quoted(
    site: WatchedDeployment, upstash_store: UpstashStore, keys: tuple[str, ...], text: str
) -> None:
    with site.finder.listening():
        for key in keys:
            site.upstash.raw("SET", key, text)
        process = site.start(upstash_store)
        if keys == DOCUMENTS:
            process.live()
        else:
            process.call()
            process.tell_afterwards()
    site.upstash.flush()  # The documents themselves.
    site.look_around()

    assert site.finder.found() == []
    assert site.finder.places >= IN_A_PROCESS - {"the page cache"}


@pytest.mark.parametrize("second_key", ["", Fernet.generate_key().decode()], ids=["no key", "another key"])
def test_a_missing_or_wrong_key_brings_no_secret_out(
    site: WatchedDeployment, upstash_store: UpstashStore, clock: MovingClock, second_key: str
) -> None:
    site.is_encrypted = True
    site.finder.protect("the other key", *filter(None, [second_key]))
    with site.finder.listening():
        adopt(site.start(upstash_store, IGFEED_ENCRYPTION_KEY=site.key))
        site.look_around()
        process = site.start(upstash_store, IGFEED_ENCRYPTION_KEY=second_key, INSTAGRAM_ACCESS_TOKEN="")
        process.visit()
        process.look_inside()
        with pytest.raises(IgfeedError) as caught:
            process.services.tokens.usable()
        site.finder.look_at_error("usable", caught.value)
    site.look_around()

    assert site.finder.found() == []
    assert site.finder.places >= (IN_A_PROCESS - {"the page cache"}) | AT_THE_STORE


def test_with_a_key_the_token_is_nowhere_on_the_wire_to_the_store(
    site: WatchedDeployment, upstash_store: UpstashStore, clock: MovingClock
) -> None:
    site.is_encrypted = True
    with site.finder.listening():
        process = site.start(upstash_store, IGFEED_ENCRYPTION_KEY=site.key)
        adopt(process)
        process.live()
        clock.forward(days=2)
        process.live()
    site.look_around()

    assert site.instagram.count("renew") >= 1
    assert site.finder.found() == []
    assert site.finder.places == IN_A_PROCESS | AT_THE_STORE | AT_INSTAGRAM


def test_with_a_key_the_embedded_stores_files_hold_no_token_not_even_an_old_plain_one(
    site: WatchedDeployment, tmp_path: Path, clock: MovingClock
) -> None:
    path = tmp_path / "store.sqlite3"
    without_store = {name: value for name, value in site.environ.items() if "UPSTASH" not in name}
    environ = {**without_store, "IGFEED_STORE_PATH": str(path)}
    plain = build(Settings.from_env(environ), clock, in_place, sleep=no_sleep)
    plain.tokens.adopt(Token(TOKEN, clock() - timedelta(days=2), clock() + timedelta(days=58)), is_verified=True)
    assert any(TOKEN[-20:].encode() in file.read_bytes() for file in tmp_path.iterdir())

    keyed = build(Settings.from_env({**environ, "IGFEED_ENCRYPTION_KEY": site.key}), clock, in_place, sleep=no_sleep)
    keyed.tokens.usable()
    keyed.feed.fetch()
    for file in tmp_path.iterdir():
        site.finder.look_at("the embedded store's files", file.name, file.read_bytes().decode("latin-1"))

    assert site.finder.found() == []
    assert site.finder.places == ON_THE_DISK


# Connect


LOGIN_FAULTS: dict[str, tuple[str, Fault]] = {
    "nothing": ("other", reset()),
    **{f"{name} at the {endpoint}": (endpoint, FAULTS[name]) for endpoint in ("code", "exchange") for name in (
        *("an echo", "an echo in HTML", "an echo at 200", "closed after"),
    )},
    "the request in a flat error": ("code", flat_echo),
    "the wrong secret": ("code", WRONG_SECRET),
    "the profile": ("profile", FAULTS["an echo"]),
    "the posts": ("media", FAULTS["an echo"]),
}  # fmt: skip


@pytest.mark.parametrize("name", LOGIN_FAULTS)
def test_no_login_brings_a_secret_out(site: WatchedDeployment, upstash_store: UpstashStore, name: str) -> None:
    instagram, finder = site.instagram, site.finder
    site.is_encrypted = True
    app = {"INSTAGRAM_APP_ID": instagram.app_id, "INSTAGRAM_APP_SECRET": instagram.app_secret}
    hosts = {"INSTAGRAM_OAUTH_URL": instagram.url, "INSTAGRAM_LOGIN_URL": instagram.url}
    with finder.listening():
        process = site.start(upstash_store, **app, **hosts, IGFEED_ENCRYPTION_KEY=site.key)
        client, owner = Visitor(process.app), knocks()[0]
        instagram.fail(*LOGIN_FAULTS[name])
        begun = client.get("/connect", headers=owner)
        finder.look_at_answer("pages", "/connect", begun)
        state = parse_qs(urlsplit(begun.headers["Location"]).query)["state"][0]
        code = instagram.issue_code("http://localhost/connect/callback")
        finder.protect("a code of the login", code)
        for query in ({"state": state, "code": code}, {"state": state, "code": code}, {"code": code}):
            finder.look_at_answer("pages", "/connect/callback", client.get("/connect/callback", query_string=query))
        for path in ("/studio", "/connect/confirm", "/privacy", STATUS):
            finder.look_at_answer("pages", path, client.get(path, headers=owner))
        signed = instagram.signed_request()
        for path in ("/connect/deauthorize", "/connect/delete"):
            finder.look_at_answer("JSON", path, client.post(path, data={"signed_request": signed}))
        finder.look_into(process.services)
        finder.look_at("reprs", "the app", repr(process.app), repr(process.app.extensions))
    site.look_around()

    assert finder.found() == []
    assert finder.places >= {"logs", "pages", "JSON", "headers", "reprs"} | AT_THE_STORE


def test_a_typed_app_secret_is_nowhere_in_the_clear(site: WatchedDeployment, upstash_store: UpstashStore) -> None:
    with site.finder.listening():
        process = site.start(upstash_store)
        app_credentials.save(process.services, site.instagram.app_id, site.instagram.app_secret)
        found = app_credentials.credentials(process.services)
        site.finder.look_at("reprs", "the app at Meta", repr(found))
        for name in ("/studio", "/connect"):
            site.finder.look_at_answer("pages", name, Visitor(process.app).get(name, headers=knocks()[0]))
    site.look_around()

    assert found
    assert found.secret == site.instagram.app_secret
    assert site.finder.found() == []
    assert site.finder.places >= {"reprs", "pages"} | AT_THE_STORE


# The configuration


WRONG: dict[str, dict[str, str]] = {
    "a token with a space": {"INSTAGRAM_ACCESS_TOKEN": f"{TOKEN} {TOKEN}"},
    "a token with a letter that no token has": {"INSTAGRAM_ACCESS_TOKEN": f"{TOKEN}ü"},
    "a store's token with a line break": {"UPSTASH_REDIS_REST_TOKEN": f"{TOKEN}\n{TOKEN}"},
    "a store's token without its URL": {"UPSTASH_REDIS_REST_URL": ""},
    "a store's URL with a password": {"UPSTASH_REDIS_REST_URL": f"rediss://default:{CRON_SECRET}@eu.example:6379"},
    "a store's URL with a token": {"UPSTASH_REDIS_REST_URL": f"https://eu.example?_token={CRON_SECRET}"},
    "a store's URL and token in each other's place": {
        "UPSTASH_REDIS_REST_URL": "AXxkACQgNmQ0-TheTokenInTheWrongPlace==",
        "UPSTASH_REDIS_REST_TOKEN": "https://eu.example",
    },
    "a key that is none": {"IGFEED_ENCRYPTION_KEY": f"{CRON_SECRET}{CRON_SECRET}"},
    "a key that is too short": {"IGFEED_ENCRYPTION_KEY": base64.urlsafe_b64encode(b"too short a key").decode()},
    "a base URL with a password": {"BASE_URL": f"https://owner:{CRON_SECRET}@feed.example"},
}


@pytest.mark.parametrize("name", WRONG)
def test_an_error_in_the_settings_does_not_quote_a_secret(site: WatchedDeployment, name: str) -> None:
    wrong = WRONG[name]
    for variable, value in wrong.items():
        if not value.startswith(("http", "rediss")):
            site.finder.protect(variable, value) if value else None

    with pytest.raises(IgfeedError) as caught:
        Settings.from_env({**site.environ, **wrong})
    site.finder.look_at_error(name, caught.value)
    site.finder.look_at("exceptions", "the hint", caught.value.hint)

    assert site.finder.found() == []
    assert site.finder.places == {"exceptions"}


# The terminal


@pytest.mark.parametrize("fault", ["none", "cannot_parse", "temporary", "an echo", "reset", "a line that is no header"])
def test_no_command_prints_a_secret(
    site: WatchedDeployment, upstash_store: UpstashStore, clock: MovingClock, fault: str
) -> None:
    with site.finder.listening():
        process = site.start(upstash_store)
        if fault != "none":
            site.instagram.fail("*", FAULTS[fault])
        for arguments in ([TOKEN], ["-"], [], ["--no-verify", TOKEN], [f"{TOKEN}x"], [TOKEN, "5184000"]):
            process.type_in("setup-token", *arguments, stdin=f"{TOKEN}\n")
            clock.forward(days=2)
        for arguments in (["status"], ["status", "--json"], ["refresh"], ["fetch"]):
            process.type_in(*arguments)
        process.finder.look_into(process.services)
    site.look_around()

    assert site.finder.found() == []
    assert site.finder.places >= AT_THE_TERMINAL | {"logs", "exceptions", "reprs"}


@pytest.mark.parametrize(
    "arguments",
    [["5184000", TOKEN], [TOKEN, TOKEN], [f"{TOKEN} {TOKEN}"], [TOKEN, "5184000", TOKEN], [f"--token={TOKEN}"]],
    ids=["the other way round", "broken by a space", "with a space", "once more", "as an option"],
)
def test_a_token_typed_in_wrongly_is_not_repeated(
    site: WatchedDeployment, upstash_store: UpstashStore, arguments: list[str]
) -> None:
    process = site.start(upstash_store)

    process.type_in("setup-token", *arguments)

    assert site.finder.found() == []
    assert "standard error" in site.finder.places


@pytest.fixture
def deployment(site: WatchedDeployment) -> dict[str, str]:
    """The variables of real processes, whose clock is the real one."""
    site.instagram.clock = system_clock
    site.instagram.issue(string=TOKEN)
    site.instagram.issue(string=FROM_ENVIRONMENT)
    return {"PATH": os.environ["PATH"], **site.environ}


@pytest.mark.parametrize("fault", ["an echo", "a line that is no header", "closed after"])
def test_the_real_command_with_a_bad_token_prints_no_secret(
    site: WatchedDeployment, deployment: dict[str, str], fault: str
) -> None:
    site.instagram.fail("*", FAULTS[fault])

    done = subprocess.run(
        [sys.executable, "-X", "dev", "-m", "flask", "igfeed", "setup-token", f"{TOKEN}bad"],
        cwd=ROOT,
        env=deployment,
        capture_output=True,
        text=True,
        check=False,
    )
    site.finder.look_at("standard output", "setup-token", done.stdout)
    site.finder.look_at("standard error", "setup-token", done.stderr)

    assert done.returncode == 1
    assert site.finder.found() == []
    assert site.finder.places == AT_THE_TERMINAL - {"standard output"}


def test_a_wrong_setting_stops_the_real_server_without_a_secret(
    site: WatchedDeployment, deployment: dict[str, str]
) -> None:
    wrong = {**deployment, **WRONG["a token with a space"]}

    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "wsgi:app"],
        cwd=ROOT,
        env=wrong,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    site.finder.look_at("what gunicorn says", "at its start", done.stdout, done.stderr)

    assert done.returncode == 1
    assert "INSTAGRAM_ACCESS_TOKEN" in done.stderr
    assert site.finder.found() == []


# The server


def test_the_real_server_says_no_secret_whatever_breaks(site: WatchedDeployment, deployment: dict[str, str]) -> None:
    with gunicorn(deployment, "--workers", "1", "--log-level", "debug", "--access-logfile", "-") as server:
        for fault in ("a line that is no header", "an echo"):
            site.instagram.fail("*", FAULTS[fault])
            ask_for_everything(site.finder, server.url)
            site.instagram.heal()
        site.upstash.fail("json_error", **STORE_FAULTS["json_error"])
        ask_for_everything(site.finder, server.url)
    site.finder.look_at("what gunicorn says", "from start to end", server.said)
    site.look_around()

    assert "GET /embed" in server.said
    assert site.finder.found() == []
    assert site.finder.places >= ON_A_SERVER | AT_THE_STORE | {"pages", "headers"}


def ask_for_everything(finder: LeakFinder, url: str) -> None:
    with requests.Session() as session:
        owner, *others = knocks()
        paths = ("/", "/embed", "/nothing", "/media/1-320.webp", STATUS, CRON)
        for path, headers in [*((path, owner) for path in paths), *((STATUS, other) for other in others)]:
            said = session.get(url + path, headers=headers, timeout=60)
            finder.look_at("pages", path, said.status_code, said.text)
            finder.look_at("headers", path, *said.headers.items())


def test_flasks_own_server_logs_no_secret(site: WatchedDeployment, upstash_store: UpstashStore) -> None:
    with site.finder.listening():
        process = site.start(upstash_store)
        server = make_server("127.0.0.1", 0, process.app)
        thread = Thread(target=server.serve_forever)
        thread.start()
        ask_for_everything(site.finder, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()
        server.server_close()

    assert site.finder.found() == []
    assert site.finder.places == {"logs", "pages", "headers"}


# The finder itself


def test_the_hunt_hears_the_libraries_at_debug(site: WatchedDeployment, upstash_store: UpstashStore) -> None:
    with site.finder.listening():
        process = site.start(upstash_store)
        adopt(process)
        process.visit()

    heard = {name for name, _ in site.finder._seen["logs"]}
    assert heard >= {"urllib3.connectionpool", "httpx", "igfeed.tokens.renewal"}
    assert any(name.startswith("httpcore") for name in heard)


@pytest.mark.parametrize("place", sorted(PLACES))
def test_the_hunt_finds_a_secret_in_every_place_and_does_not_repeat_it(place: str) -> None:
    finder = LeakFinder()
    finder.protect("the access token", TOKEN)
    finder.look_at(place, "something harmless", "nothing to see here")
    assert finder.found() == []

    finder.look_at(place, "something", f"before {TOKEN} after")

    assert finder.found() == [f"the access token in {place} of something"]
    assert finder.places == {place}


@pytest.mark.parametrize("secret", [TOKEN, SECOND_SECRET])
def test_the_hunt_finds_every_disguise_and_every_piece_of_twelve(secret: str) -> None:
    for number, disguised in enumerate(disguises(secret)):
        for start in range(0, len(disguised) - 12, 5):
            finder = LeakFinder()
            finder.protect("a secret", secret)
            finder.look_at("logs", str(number), f"…{disguised[start : start + 12]}…")
            assert finder.found() == [f"a secret in logs of {number}"]


def test_the_hunt_looks_through_base64_wherever_in_it_the_secret_stands() -> None:
    for before in range(3):
        finder = LeakFinder()
        finder.protect("a secret", CRON_SECRET)
        finder.look_at("headers", "x", base64.b64encode(b"u" * before + CRON_SECRET.encode() + b":pw").decode())
        assert finder.found() == ["a secret in headers of x"]


def test_the_hunt_looks_behind_an_error_at_what_caused_it() -> None:
    finder = LeakFinder()
    finder.protect("the access token", TOKEN)
    try:
        try:
            raise KeyError(TOKEN)
        except KeyError:
            raise IgfeedError("harmless") from None
    except IgfeedError as error:
        finder.look_at_error("x", error)

    assert finder.found() == ["the access token in exceptions of x"]


class Holder(Struct):
    """As our structs are: its parts are no part of ``vars()``."""

    held: object


class Quiet:
    """Its ``repr`` says nothing of what it holds."""

    def __init__(self, held: object) -> None:
        self.held = held


@pytest.mark.parametrize("holder", [Holder, Quiet])
def test_the_hunt_looks_into_every_kind_of_object_of_ours(
    holder: type[Holder | Quiet], monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in (Holder, Quiet):
        monkeypatch.setattr(kind, "__module__", "igfeed")
    finder = LeakFinder()
    finder.protect("the access token", TOKEN)

    finder.look_into(holder(Quiet(Holder(TOKEN))))  # type: ignore[arg-type]

    assert finder.found() == ["the access token in reprs of Holder"]


def test_every_place_is_looked_at_by_some_test() -> None:
    groups = (IN_A_PROCESS, AT_THE_STORE, AT_INSTAGRAM, AT_THE_TERMINAL, ON_A_SERVER, ON_THE_DISK)

    assert set().union(*groups) == PLACES
    assert sum(map(len, groups)) == len(PLACES)
