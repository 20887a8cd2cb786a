"""Everything that can fail, in every state that it can meet us in: the table behind "it never shows an empty box".

`test_never_blank.py` plays each cell; `python -m tests.matrix` prints the table as docs/failures.md shows it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

from igfeed.feed.local_copy import FEED_KEY
from igfeed.tokens.document import TOKEN_KEY
from tests.servers.faults import Exchange, answer, hang, html_error, reset, truncate
from tests.servers.instagram import (
    APP_LIMIT,
    BUSINESS_LIMIT,
    EXPIRED,
    EXPIRED_463,
    PASSWORD_CHANGED,
    PERMISSION,
    TEMPORARY,
    UNSUPPORTED_REQUEST,
    Fault,
    huge,
    image,
    invalid_json,
    jpeg,
    picture_bomb,
    reply,
)

if TYPE_CHECKING:
    from tests.harness.deployment import Deployment, ServedProcess

Begin: TypeAlias = Callable[["Deployment"], None]

MEGABYTE = 1024 * 1024
OVER_QUOTA = "ERR max requests limit exceeded. Limit: 500000, Usage: 500001."


class Sight(Enum):
    """What a visitor sees, in the words of docs/failures.md."""

    ALL = "posts, pictures"
    PLACEHOLDERS = "posts, placeholders"
    NOTICE = "503, on its way"


class State(Enum):
    """What the fault meets. The value is the column's title, the explanation is printed below the table."""

    WARM = "warm process"
    FRESH = "fresh process, full store"
    DEAD = "fresh process, dead store"
    DIRECT = "fresh process, dead store, `INSTAGRAM_ACCESS_TOKEN` set"
    MONTH = "after a month"

    @property
    def is_without_store(self) -> bool:
        return self in (State.DEAD, State.DIRECT)


LEGEND = """\
*Warm process*: it has shown the posts. *Fresh process, full store*: it has just started; when it is the store that
fails, then after the first visitor. *Fresh process, dead store*: it has never reached the store. *After a month*:
nobody has looked for thirty days, and every address of a picture has expired. *Placeholders*: a drawn landscape in
place of each picture. *503, on its way*: a page that says that the posts are on their way, with a link to the status
for the owner."""


class Hits(Enum):
    """Whom a fault hits, which decides what can still be shown and who can know of it."""

    API = "Instagram's API"
    PICTURES = "Instagram's pictures"
    NOTHING = "a single post"
    STORE = "the store"
    WRITES = "what the store is given"
    SNAPSHOT = "what the store has, and we can make again"
    TOKEN = "what the store has, and only the owner can make again"
    BOTH = "Instagram's API and the store"


@dataclass(frozen=True)
class Failure:
    """One fault. `stalls`: what asks Instagram waits for it, so it is put apart and the fault ended by the test."""

    name: str
    hits: Hits
    begin: Begin
    stalls: bool = False

    @property
    def is_api_gone(self) -> bool:
        return self.hits in (Hits.API, Hits.BOTH)

    @property
    def is_store_gone(self) -> bool:
        return self.hits in (Hits.STORE, Hits.BOTH)

    @property
    def is_known(self) -> bool:
        """Whether the status route can know of it: what was made again is no trouble any more."""
        return self.hits in (Hits.API, Hits.NOTHING, Hits.STORE, Hits.WRITES, Hits.BOTH, Hits.TOKEN)


# How each begins


def instagram(fault: Fault, endpoint: str = "*") -> Begin:
    return lambda deployment: deployment.instagram.fail(endpoint, fault)


def stalling(fault: Fault) -> Begin:
    return lambda deployment: deployment.instagram.fail("*", deployment.stall.playing(fault))


def store(mode: str, **options: Any) -> Begin:
    return lambda deployment: deployment.upstash.fail(mode, **options)


def refusing_writes(how: str) -> Begin:
    return lambda deployment: deployment.upstash.refuse_writes(how)


def stored(key: str, text: str) -> Begin:
    return lambda deployment: deployment.upstash.raw("SET", key, text)


def of_wrong_type(pattern: str) -> Begin:
    def begin(deployment: Deployment) -> None:
        for key in deployment.upstash.raw("KEYS", pattern):
            deployment.upstash.raw("DEL", key)
            deployment.upstash.raw("LPUSH", key, "what is this")

    return begin


def together(*begins: Begin) -> Begin:
    def begin(deployment: Deployment) -> None:
        for each in begins:
            each(deployment)

    return begin


def refuse_instagram(deployment: Deployment) -> None:
    deployment.instagram.stop()


def refuse_store(deployment: Deployment) -> None:
    deployment.upstash.stop()


def hang_store(deployment: Deployment) -> None:
    deployment.hang_store()


def drip_and_break(exchange: Exchange) -> None:
    """One byte at a time, and in the end one byte too few."""
    true = exchange.execute()
    exchange.send_slowly(replace(true, length=len(true.body) + 1), 0.02)
    exchange.close()


def break_one_post(deployment: Deployment) -> None:
    """Its id is no id and its children are no list; the others are as they were."""
    deployment.instagram.posts.insert(1, {**image(), "id": "../../etc/passwd", "children": {"data": [{"id": 7}]}})


def from_the_future(deployment: Deployment) -> None:
    snapshot = {"schema": 2, "account": {"handle": "studio.nord"}, "tiles": [{"key": "1"}], "at": 1777809600}
    deployment.upstash.raw("SET", FEED_KEY, json.dumps(snapshot))


CUT_OFF = jpeg("17900000000000001", (48, 60))[:400]

FAILURES = (
    Failure("Instagram: connection refused", Hits.API, refuse_instagram),
    Failure("Instagram: connection reset", Hits.API, instagram(reset())),
    Failure("Instagram: hangs", Hits.API, stalling(hang()), stalls=True),
    Failure("Instagram: drips", Hits.API, stalling(drip_and_break), stalls=True),
    Failure("Instagram: 500 in HTML", Hits.API, instagram(html_error())),
    Failure("Instagram: 500, code 2", Hits.API, instagram(TEMPORARY)),
    Failure("Instagram: code 190, subcode 0", Hits.API, instagram(EXPIRED)),
    Failure("Instagram: code 190, subcode 460", Hits.API, instagram(PASSWORD_CHANGED)),
    Failure("Instagram: code 190, subcode 463", Hits.API, instagram(EXPIRED_463)),
    Failure("Instagram: code 100, unsupported request", Hits.API, instagram(UNSUPPORTED_REQUEST)),
    Failure("Instagram: code 10", Hits.API, instagram(PERMISSION)),
    Failure("Instagram: 403, code 4", Hits.API, instagram(APP_LIMIT)),
    Failure("Instagram: code 80002", Hits.API, instagram(BUSINESS_LIMIT)),
    Failure("Instagram: invalid JSON", Hits.API, instagram(invalid_json(), "media")),
    Failure('Instagram: {"data": []}', Hits.API, instagram(reply({"data": []}), "media")),
    Failure("Instagram: data is missing", Hits.API, instagram(reply({"paging": {}}), "media")),
    Failure("Instagram: ten megabytes of JSON", Hits.API, instagram(huge(10 * MEGABYTE), "media")),
    Failure("Instagram: one broken post among good ones", Hits.NOTHING, break_one_post),
    Failure(
        "Pictures: 403, signature expired", Hits.PICTURES, instagram(answer(403, "URL signature expired"), "picture")
    ),
    Failure("Pictures: HTML", Hits.PICTURES, instagram(answer(200, "<!doctype html>", "image/jpeg"), "picture")),
    Failure("Pictures: reply cut short", Hits.PICTURES, instagram(truncate(), "picture")),
    Failure("Pictures: file cut short", Hits.PICTURES, instagram(answer(200, CUT_OFF, "image/jpeg"), "picture")),
    Failure(
        "Pictures: decompression bomb", Hits.PICTURES, instagram(answer(200, picture_bomb(), "image/png"), "picture")
    ),
    Failure("Store: connection refused", Hits.STORE, refuse_store),
    Failure("Store: connection reset", Hits.STORE, store("reset")),
    Failure("Store: hangs", Hits.STORE, hang_store),
    Failure("Store: 401", Hits.STORE, store("json_error", status=401, error="WRONGPASS invalid or missing auth token")),
    Failure("Store: 500", Hits.STORE, store("status", status=500)),
    Failure("Store: garbage", Hits.STORE, store("garbage")),
    Failure("Store: empty body", Hits.STORE, store("empty")),
    Failure("Store: over quota", Hits.STORE, store("json_error", status=400, error=OVER_QUOTA)),
    Failure("Store: reply lost after execution", Hits.STORE, store("reset_after")),
    Failure("Store: full, refuses writes", Hits.WRITES, refusing_writes("full")),
    Failure("Store: read-only token", Hits.WRITES, refusing_writes("read-only token")),
    Failure("Store: read-only token, no scripts", Hits.WRITES, refusing_writes("read-only token that runs no scripts")),
    Failure("Store: read-only replica", Hits.WRITES, refusing_writes("read-only replica")),
    Failure("Store: snapshot of a wrong type", Hits.SNAPSHOT, of_wrong_type(FEED_KEY)),
    Failure("Store: snapshot of a future version", Hits.SNAPSHOT, from_the_future),
    Failure("Store: pictures of a wrong type", Hits.SNAPSHOT, of_wrong_type("picture:*")),
    Failure("Store: token of a wrong type", Hits.TOKEN, of_wrong_type(TOKEN_KEY)),
    Failure("Store: unreadable token", Hits.TOKEN, stored(TOKEN_KEY, "IGAA, or was it?")),
    Failure("Both: connection refused", Hits.BOTH, together(refuse_instagram, refuse_store)),
    Failure("Both: hang", Hits.BOTH, together(stalling(hang()), hang_store), stalls=True),
    Failure(
        "Both: token rejected, over quota",
        Hits.BOTH,
        together(instagram(EXPIRED), store("json_error", error=OVER_QUOTA)),
    ),
)


def sight(failure: Failure, state: State) -> Sight:
    """What is to be seen: everything, unless nobody who has it can be asked."""
    if not state.is_without_store:
        return Sight.ALL
    if failure.is_api_gone or state is State.DEAD:
        return Sight.NOTICE
    return Sight.PLACEHOLDERS if failure.hits is Hits.PICTURES else Sight.ALL


def asks_instagram(failure: Failure, state: State) -> bool:
    """Whether the process has a token to ask with; it reads the store's when it fetches, not when it shows."""
    return state is not State.DEAD and not (state is State.FRESH and failure.is_store_gone)


def meet(failure: Failure, state: State, deployment: Deployment) -> ServedProcess:
    """Bring the state about and let the fault begin, when the feed is due. Gives the process that meets both."""
    is_warm = state is State.WARM or (state is State.MONTH and failure.is_store_gone)
    process = None
    if is_warm:
        process = deployment.warm_up()
    else:
        deployment.fill_by_another()
    if state is State.MONTH:
        deployment.forward(days=30)
    if failure.stalls:
        deployment.background.mode = "in a thread"
    if state is State.FRESH and failure.is_store_gone:
        process = deployment.start()
        process.visitor.page()
        process.visitor.load(deployment.shown_pictures)
    failure.begin(deployment)
    if state.is_without_store and not failure.is_store_gone:
        deployment.upstash.stop()
    deployment.forward(hours=2)
    token = {"INSTAGRAM_ACCESS_TOKEN": deployment.instagram.issue()} if state is State.DIRECT else {}
    return process or deployment.start(**token)


def matrix_as_markdown() -> str:
    return "\n".join([*_rows(), "", LEGEND, ""])


def _rows() -> Iterator[str]:
    yield _row("", *(state.value for state in State))
    yield "|" + "---|" * (1 + len(State))
    for failure in FAILURES:
        yield _row(failure.name, *(sight(failure, state).value for state in State))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(matrix_as_markdown())
