"""The store at Upstash: Redis over HTTP, with the promises its SDK does not make.

The SDK has no timeout, sleeps three seconds before a blind retry, and raises a dozen unrelated exceptions (read in
upstash-redis 1.8.0). Here every command has one total time limit, no retry, and fails as ``StoreError``. The SDK's
asyncio client is used because only a cancelled coroutine ends a reply that drips in byte by byte, or a name that
does not resolve; it runs on one event loop in a thread of its own, made with the first command, hence after any fork.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from threading import Lock, Thread
from typing import TYPE_CHECKING, TypeVar

from igfeed.errors import StoreError
from igfeed.stores import Kind

if TYPE_CHECKING:
    from upstash_redis.asyncio import Redis

TIME_LIMIT = 2.0
"""Seconds for one command, everything included."""

SWAP = """
local old = redis.call("GET", KEYS[1])
if not old or redis.sha1hex(old) ~= ARGV[1] then return 0 end
redis.call("SET", KEYS[1], ARGV[2])
return 1
"""

REREAD = """
local value = redis.pcall("GET", KEYS[1])
if type(value) == "table" then return "" end
if value and redis.sha1hex(value) == ARGV[1] then return 1 end
return value
"""
UNCHANGED = 1
"""A number, which no text is."""

READ_ALL = """
local found = {}
for place, key in ipairs(KEYS) do
  local value = redis.pcall("GET", key)
  found[place] = type(value) == "table" and "" or value
end
return found
"""
"""Not MGET, for which what is no text is not there: to us it is there and unreadable."""

T = TypeVar("T")


class UpstashStore:
    kind: Kind = "upstash"

    def __init__(self, url: str, token: str, time_limit: float = TIME_LIMIT) -> None:
        self._url = url
        self._token = token
        self._time_limit = time_limit
        self._lock = Lock()
        self._process: int | None = None

    def get(self, key: str) -> str | None:
        return _text(key, self._run(lambda redis: _get(redis, key)))

    def reread(self, key: str, known: str | None) -> str | None:
        """By a script that may run on the replica nearby, as GET does."""
        if known is None:
            return self.get(key)
        value = self._run(lambda redis: redis.eval_ro(REREAD, keys=[key], args=[_digest(known)]))
        return known if value == UNCHANGED else _text(key, value)

    def get_all(self, keys: Sequence[str]) -> list[str | None]:
        values = self._run(lambda redis: redis.eval_ro(READ_ALL, keys=list(keys)))
        if not isinstance(values, list) or len(values) != len(keys):
            raise StoreError("The store's answer for several keys is none.")
        return [_text(key, value) for key, value in zip(keys, values, strict=True)]

    def set(self, key: str, value: str) -> None:
        self._run(lambda redis: redis.set(key, value))

    def swap(self, key: str, old: str | None, new: str) -> bool:
        if old is None:
            return bool(self._run(lambda redis: redis.set(key, new, nx=True)))
        digest = _digest(old)  # The old secret stays off the wire.
        return bool(self._run(lambda redis: redis.eval(SWAP, keys=[key], args=[digest, new])))

    def delete(self, *keys: str) -> None:
        self._run(lambda redis: redis.delete(*keys))

    def claim(self, key: str, ttl: timedelta) -> bool:
        seconds = max(1, round(ttl.total_seconds()))
        mine = secrets.token_hex(8)
        return self._run(lambda redis: _claim(redis, key, mine, seconds))

    def _run(self, command: Callable[[Redis], Awaitable[T]]) -> T:
        """Run a command within the time limit; whatever goes wrong is a StoreError.

        The SDK's own exceptions may quote the URL or the reply, so ours is raised where it has none of them behind it.
        """
        loop, redis = self._connected()
        running = asyncio.run_coroutine_threadsafe(_limited(command, redis, self._time_limit), loop)
        try:
            return running.result()
        except TimeoutError:
            failure = f"did not answer within {self._time_limit:g} seconds"
        except Exception as error:  # noqa: BLE001  the SDK's errors have no common root
            failure = f"failed ({type(error).__name__})"
        raise StoreError(f"The store {failure}.")

    def _connected(self) -> tuple[asyncio.AbstractEventLoop, Redis]:
        with self._lock:
            if self._process != os.getpid():
                # As long to import as half of Flask, so not before the first command.
                from upstash_redis.asyncio import Redis  # noqa: PLC0415

                self._loop = asyncio.new_event_loop()
                Thread(target=self._loop.run_forever, name="igfeed-store", daemon=True).start()
                self._redis = Redis(self._url, self._token, rest_retries=0, allow_telemetry=False)
                self._process = os.getpid()
            return self._loop, self._redis


def _digest(text: str) -> str:
    """As ``redis.sha1hex`` makes it."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _text(key: str, value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise StoreError(f"The store's answer for {key!r} is no text.")
    return value


async def _limited(command: Callable[[Redis], Awaitable[T]], redis: Redis, seconds: float) -> T:
    return await asyncio.wait_for(_as_coroutine(command, redis), seconds)


async def _as_coroutine(command: Callable[[Redis], Awaitable[T]], redis: Redis) -> T:
    return await command(redis)


async def _get(redis: Redis, key: str) -> str | None:
    """What is no text at all reads as a text that nobody can make sense of: the store is well, its content is not."""
    try:
        return await redis.get(key)
    except Exception as error:
        if str(error).startswith("WRONGTYPE"):
            return ""
        raise


async def _claim(redis: Redis, key: str, mine: str, seconds: int) -> bool:
    """SET NX EX; if its answer was lost, what stands there tells whether it was ours."""
    try:
        return bool(await redis.set(key, mine, nx=True, ex=seconds))
    except Exception:  # noqa: BLE001  as above; it is raised again by the read unless that one succeeds
        return await redis.get(key) == mine
