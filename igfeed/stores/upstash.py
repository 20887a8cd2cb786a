"""The store at Upstash: Redis over HTTP, through its SDK but with limits that the SDK does not have.

The SDK has no timeout, sleeps three seconds before a blind retry, and raises a dozen unrelated exceptions (read in
upstash-redis 1.8.0). Here every command has one total time limit and no retry, and fails as ``StoreError``.

Why the SDK's asyncio client: only a cancelled coroutine can end a reply that arrives byte by byte, or the lookup of a
name that does not resolve. It runs on one event loop in its own thread. The thread starts with the first command, so it
always starts after a fork.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from threading import Lock, Thread
from typing import TYPE_CHECKING, TypeVar

from igfeed.errors import StoreError, WriteRefused
from igfeed.stores import PROBE_KEY, Kind, Store

if TYPE_CHECKING:
    from upstash_redis.asyncio import Redis

COMMAND_TIME_LIMIT = 2.0
"""Seconds for one command, from the lookup of the name to the last byte."""

DATABASE_ERROR = "UpstashError"
"""The class name of the SDK's error for an error reply of the database. Importing the class would slow a cold start."""

SWAP_SCRIPT = """
local old = redis.pcall("GET", KEYS[1])
if type(old) == "table" then old = "" end
if not old or redis.sha1hex(old) ~= ARGV[1] then return 0 end
redis.call("SET", KEYS[1], ARGV[2])
return 1
"""
"""A value that is no text counts as "", as which ``_get`` reads it."""

GET_IF_CHANGED_SCRIPT = """
local value = redis.pcall("GET", KEYS[1])
if type(value) == "table" then return "" end
if value and redis.sha1hex(value) == ARGV[1] then return 1 end
return value
"""
UNCHANGED = 1
"""The script's reply if the text is the known one. A number cannot be confused with a stored text."""

GET_ALL_SCRIPT = """
local found = {}
for place, key in ipairs(KEYS) do
  local value = redis.pcall("GET", key)
  found[place] = type(value) == "table" and "" or value
end
return found
"""
"""Why not MGET: it reports a key that holds no text as missing. Here it must count as unreadable, as an empty text
does."""

KEYS_IN_A_SCAN = 1000

WRITE_REFUSALS = (
    (
        r"OOM |.*capacity quota",
        "The store is full and refuses writes.",
        "Raise the database's size limit at Upstash, or delete what else is kept in it; igfeed goes on by itself.",
    ),
    (
        r"NOPERM|.*ACL failure",
        "The store's token may only read, so the store refuses writes.",
        "Set the database's own token in place of the read-only one, and deploy again.",
    ),
    (
        r"READONLY",
        "The store is a read-only replica right now and refuses writes.",
        "Nothing to do if it ends within minutes; if it stays, check at Upstash that this URL is the primary's.",
    ),
)
"""Replies that refuse only writes: a pattern for the beginning of the reply, our message, and the hint for the owner.

Sources: Upstash's pages on troubleshooting, and Valkey's own replies. The reply itself is never quoted, because it may
repeat the command and so the token in it.
"""

REFUSALS = (
    (
        r"WRONGPASS|NOAUTH|Unauthorized",
        "The store refuses its token.",
        "Copy the database's REST URL and token from Upstash once more, both from the same database, and deploy again.",
    ),
    (
        r".*max (daily )?requests? limit",
        "The store has had as many commands as its plan allows.",
        "Choose a larger plan at Upstash, or wait for its next month; igfeed goes on by itself.",
    ),
)
"""The same for replies that refuse reads too."""

T = TypeVar("T")


class UpstashStore(Store):
    """Threads may share it. After a fork, the child makes a connection of its own."""

    kind: Kind = "upstash"

    def __init__(self, url: str, token: str, time_limit: float = COMMAND_TIME_LIMIT) -> None:
        self._url = url
        self._token = token
        self._time_limit = time_limit
        self._lock = Lock()
        self._process: int | None = None

    def get(self, key: str) -> str | None:
        return _text(key, self._run(lambda redis: _get(redis, key)))

    def get_if_changed(self, key: str, known: str | None) -> str | None:
        """Uses a read-only script, which may run on the nearest replica as GET does."""
        if known is None:
            return self.get(key)
        digest = _digest(known)
        value = self._run(
            lambda redis: _by_script(redis, GET_IF_CHANGED_SCRIPT, [key], [digest], lambda: _get(redis, key))
        )
        return known if value == UNCHANGED else _text(key, value)

    def get_all(self, keys: Sequence[str]) -> list[str | None]:
        values = self._run(lambda redis: _by_script(redis, GET_ALL_SCRIPT, keys, [], lambda: _get_each(redis, keys)))
        if not isinstance(values, list) or len(values) != len(keys):
            raise StoreError("The store's answer for several keys is none.")
        return [_text(key, value) for key, value in zip(keys, values, strict=True)]

    def set(self, key: str, value: str) -> None:
        self._write(lambda redis: redis.set(key, value))

    def swap(self, key: str, old: str | None, new: str) -> bool:
        if old is None:
            return bool(self._write(lambda redis: redis.set(key, new, nx=True)))
        digest = _digest(old)  # A digest, so that the old token is not sent.
        return bool(self._write(lambda redis: redis.eval(SWAP_SCRIPT, keys=[key], args=[digest, new])))

    def delete(self, *keys: str) -> None:
        self._write(lambda redis: redis.delete(*keys))

    def delete_prefix(self, prefix: str) -> None:
        """One command for every thousand keys of the database, and one for each thousand that are deleted.

        SCAN gives every key that is there from its beginning to its end, some of them twice (documentation of Redis).
        """
        pattern, cursor = f"{_literally(prefix)}*", None
        while cursor != 0:
            cursor, found = self._run(partial(_scan, cursor=cursor or 0, pattern=pattern))
            if found:
                self.delete(*found)

    def claim(self, key: str, ttl: timedelta) -> bool:
        seconds = max(1, round(ttl.total_seconds()))
        # A random value, so that a claim whose reply was lost can be recognised as our own.
        mine = secrets.token_hex(8)
        return self._write(lambda redis: _claim(redis, key, mine, seconds))

    def check_writable(self, size: int | None = None) -> None:
        """SET XX of a key that does not exist: it is refused like any write, and changes nothing if it is accepted."""
        self._write(lambda redis: redis.set(PROBE_KEY, "x" * (size or 0), xx=True))

    def _write(self, command: Callable[[Redis], Awaitable[T]]) -> T:
        return self._run(command, is_write=True)

    def _run(self, command: Callable[[Redis], Awaitable[T]], *, is_write: bool = False) -> T:
        """The result of the command. Raises StoreError if anything goes wrong or the time limit is over.

        The SDK's exceptions may quote the URL or the reply. So ours is raised outside of the except block, where
        theirs does not become its context.
        """
        loop, redis = self._connected()
        running = asyncio.run_coroutine_threadsafe(_limited(command, redis, self._time_limit), loop)
        try:
            return running.result()
        except TimeoutError:
            failure = StoreError(f"The store did not answer within {self._time_limit:g} seconds.")
        except Exception as error:  # noqa: BLE001  the SDK's errors have no common root
            failure = _failure(error, is_write=is_write)
        raise failure

    def _connected(self) -> tuple[asyncio.AbstractEventLoop, Redis]:
        with self._lock:
            # A forked child inherits the object but not the thread, so it starts its own.
            if self._process != os.getpid():
                # Importing it takes half as long as importing Flask, so it waits for the first command.
                from upstash_redis.asyncio import Redis  # noqa: PLC0415

                self._loop = asyncio.new_event_loop()
                # A daemon, because a thread that waits for commands must not keep the process from ending.
                Thread(target=self._loop.run_forever, name="igfeed-store", daemon=True).start()
                self._redis = Redis(self._url, self._token, rest_retries=0, allow_telemetry=False)
                self._process = os.getpid()
            return self._loop, self._redis


def _literally(text: str) -> str:
    """The text as a part of a pattern that matches nothing but itself."""
    return re.sub(r"([*?\[\]^\\-])", r"\\\1", text)


def _digest(text: str) -> str:
    """The same digest as ``redis.sha1hex`` makes."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _text(key: str, value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise StoreError(f"The store's answer for {key!r} is no text.")
    return value


def _failure(error: Exception, *, is_write: bool) -> StoreError:
    """Our error for the SDK's. A write that the database itself refused is a WriteRefused: reads may still work."""
    # Only the beginning: the rest may quote the command, and a text in it must not match a pattern.
    name, text = type(error).__name__, str(error)[:100]
    for pattern, meaning, hint in REFUSALS:
        if name == DATABASE_ERROR and re.match(pattern, text):
            return StoreError(meaning, hint)
    if name != DATABASE_ERROR or not is_write:
        return StoreError(f"The store failed ({name}).")
    for pattern, meaning, hint in WRITE_REFUSALS:
        if re.match(pattern, text):
            return WriteRefused(meaning, hint)
    return WriteRefused("The store refuses writes.")


async def _limited(command: Callable[[Redis], Awaitable[T]], redis: Redis, seconds: float) -> T:
    return await asyncio.wait_for(_as_coroutine(command, redis), seconds)


async def _as_coroutine(command: Callable[[Redis], Awaitable[T]], redis: Redis) -> T:
    return await command(redis)


async def _get(redis: Redis, key: str) -> str | None:
    """The text under the key. A value that is no text reads as "", so it is unreadable, which is no store error."""
    try:
        return await redis.get(key)
    except Exception as error:
        if str(error).startswith("WRONGTYPE"):
            return ""
        raise


async def _scan(redis: Redis, cursor: int, pattern: str) -> tuple[int, list[str]]:
    return await redis.scan(cursor, match=pattern, count=KEYS_IN_A_SCAN)


async def _get_each(redis: Redis, keys: Sequence[str]) -> list[str | None]:
    return [await _get(redis, key) for key in keys]


async def _by_script(
    redis: Redis, script: str, keys: Sequence[str], args: list[str], fallback: Callable[[], Awaitable[object]]
) -> object:
    """What the script returns. If the token may read but not run scripts, what ``fallback`` returns."""
    try:
        return await redis.eval_ro(script, keys=list(keys), args=args)
    except Exception as error:
        if str(error).startswith("NOPERM"):
            return await fallback()
        raise


async def _claim(redis: Redis, key: str, mine: str, seconds: int) -> bool:
    """SET NX EX. If it fails, its reply may have been lost, so the value under the key then shows who has the claim.

    Raises the first error if the key does not exist: then the store did not accept the claim, and nobody has it.
    """
    try:
        return bool(await redis.set(key, mine, nx=True, ex=seconds))
    except Exception:
        found = await redis.get(key)
        if found is None:
            raise
        return found == mine
