"""While there is no feed, visitors read that it is coming. Why it is not there yet is for the owner: status and log."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask.testing import FlaskClient

from igfeed import create_app
from igfeed.models import Token
from igfeed.services import Services
from igfeed.tokens.document import TOKEN_KEY
from igfeed.tokens.encryption import FernetCipher
from igfeed.widget.translations import language_of
from igfeed.widget.views import FeedFormat
from tests.conftest import MakeServices
from tests.harness.owner import OWNER, STATUS
from tests.harness.visitor import Visitor
from tests.servers.faults import Fault, reset
from tests.servers.instagram import APP_LIMIT, EXPIRED, PERMISSION, UNSUPPORTED_REQUEST, FakeInstagram

PAGES = ("/", "/embed", "/fragment", "/embed/?columns=3")
FEEDS = tuple(each.value for each in FeedFormat)
DOCUMENTS = (
    *FEEDS,
    "/oembed?url=http://localhost/",
    "/oembed?url=http://localhost/&format=xml",
    "/go/17900000000000001",
)
ALSO_ANSWERED = ("/embed.js", "/media/17900000000000001-320.webp", "/nothing")
"""What visitors' browsers ask for besides, and what has no words of its own about the feed."""

OWNERS_WORDS = re.compile(
    r"token|\bstore\b|database|redis|upstash|sqlite|disk|variable|command|flask |clock|secret|dashboard|traceback"
    r"|INSTAGRAM_|IGFEED_|KV_|CRON_|<code",
    re.IGNORECASE,
)
"""What visitors have no use for. In the German page none of these is an ordinary word."""

OWNERS_ADDRESSES = re.compile(f"{STATUS}|/studio")

Break = Callable[[FakeInstagram, Services], None]


def nothing(instagram: FakeInstagram, services: Services) -> None:
    """There is no token, or the variables alone are the failure."""


def refusing(fault: Fault) -> Break:
    """A stored token, whose first fetch Instagram answers with ``fault``."""

    def begin(instagram: FakeInstagram, services: Services) -> None:
        adopt(instagram, services, left=30)
        instagram.fail("*", fault)

    return begin


def expired(instagram: FakeInstagram, services: Services) -> None:
    adopt(instagram, services, left=-1)


def wrong_clock(instagram: FakeInstagram, services: Services) -> None:
    """The server's clock is a hundred days ahead, so the token seems to be over. Instagram fails besides."""
    expired(instagram, services)
    real = services.clock() - timedelta(days=100)
    instagram.clock = lambda: real
    instagram.fail("*", APP_LIMIT)


def unreadable(instagram: FakeInstagram, services: Services) -> None:
    services.store.set(TOKEN_KEY, "IGAA, or was it?")


def encrypted(instagram: FakeInstagram, services: Services) -> None:
    """The store has a token that another deployment has encrypted, and this one has no key."""
    token = Token("IGAAtoken", services.clock(), services.clock() + timedelta(days=30))
    cipher = FernetCipher((Fernet.generate_key().decode(),))
    services.store.set(TOKEN_KEY, cipher.encrypt(token.to_text()))


def adopt(instagram: FakeInstagram, services: Services, left: float) -> None:
    value, now = instagram.issue(age=timedelta(days=30), life=timedelta(days=30 + left)), services.clock()
    services.tokens.adopt(Token(value, now - timedelta(days=30), now + timedelta(days=left)), is_verified=True)


@dataclass(frozen=True)
class Failure:
    name: str
    begin: Break = nothing
    variables: dict[str, str] | None = None


ON_VERCEL = {"VERCEL": "1", "INSTAGRAM_ACCESS_TOKEN": "IGAAtoken"}
UNREACHABLE = {"UPSTASH_REDIS_REST_URL": "http://127.0.0.1:9", "UPSTASH_REDIS_REST_TOKEN": "a-token"}

FAILURES = [
    Failure("no token"),
    Failure("token rejected", refusing(EXPIRED)),
    Failure("token expired", expired),
    Failure("clock wrong", wrong_clock),
    Failure("token unreadable", unreadable),
    Failure("token mistyped in the environment", variables={"INSTAGRAM_ACCESS_TOKEN": "IGAAtypo"}),
    Failure("token of another interface", variables={"INSTAGRAM_ACCESS_TOKEN": "EAAtoken"}),
    Failure("no permission", refusing(PERMISSION)),
    Failure("tester role not accepted", refusing(UNSUPPORTED_REQUEST)),
    Failure("too many calls", refusing(APP_LIMIT)),
    Failure("Instagram out of reach", refusing(reset())),
    Failure("store missing on Vercel", variables=ON_VERCEL),
    Failure("store under a prefix on Vercel", variables={**ON_VERCEL, "STORAGE_KV_REST_API_URL": "https://db.example"}),
    Failure("store out of reach", variables=UNREACHABLE),
    Failure("store's file cannot be made", variables={"IGFEED_STORE_PATH": "/proc/igfeed/store.sqlite3"}),
    Failure("no secret", variables={"CRON_SECRET": ""}),
    Failure("no key for what is encrypted", encrypted),
]


def visitor_in_german(make_services: MakeServices, instagram: FakeInstagram, failure: Failure) -> FlaskClient:
    services = make_services(IGFEED_LANGUAGE="de", **failure.variables or {})
    failure.begin(instagram, services)
    return Visitor(create_app(services=services))


def seen(client: FlaskClient, path: str) -> str:
    return OWNERS_ADDRESSES.sub("", unescape(client.get(path).text))


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
def test_visitors_read_that_the_posts_are_coming_and_the_owner_what_is_wrong(
    make_services: MakeServices, instagram: FakeInstagram, failure: Failure, caplog: pytest.LogCaptureFixture
) -> None:
    client, words = visitor_in_german(make_services, instagram, failure), language_of("de").words

    for path in (*PAGES, *DOCUMENTS):
        answer = client.get(path)
        assert (path, answer.status_code, answer.headers["Cache-Control"]) == (path, 503, "no-store")
        assert words.feed_not_ready in answer.text
    leaks = {path: OWNERS_WORDS.findall(seen(client, path)) for path in (*PAGES, *DOCUMENTS, *ALSO_ANSWERED)}
    assert {path: found for path, found in leaks.items() if found} == {}
    assert_told_to_the_owner(client, caplog)


def assert_told_to_the_owner(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    """In the log always; in the status for who has a secret."""
    lines = [line for record in caplog.records if "nothing to show yet" in (line := record.getMessage())]
    assert lines
    status: dict[str, Any] = client.get(STATUS, headers=OWNER).json or {}
    assert status.get("problem") or status["error"] == "not_configured"
    assert status["hint"]
