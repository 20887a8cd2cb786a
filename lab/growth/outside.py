"""What igfeed talks to, played: a store that counts what it is asked, an Instagram on which posts appear."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from math import ceil

from igfeed.errors import PictureUnavailable, UnexpectedAnswer
from igfeed.instagram.reading import IsShown, every_post
from igfeed.models import Media, Picture, Post, Profile, Token
from igfeed.stores.memory import MemoryStore
from igfeed.stores.upstash import GET_ALL_SCRIPT, GET_IF_CHANGED_SCRIPT, SWAP_SCRIPT
from lab.growth.assumptions import NEW_POSTS
from tests.harness.clock import MovingClock

DIGEST = "0" * 40


class CountingStore(MemoryStore):
    """Counts what would be commands at Upstash, and the bytes of its REST API's bodies."""

    def __init__(self, clock: MovingClock, counted: Counter[str]) -> None:
        super().__init__(clock)
        self._counted = counted

    def get(self, key: str) -> str | None:
        text = super().get(key)
        self._count(["GET", key], text)
        return text

    def get_if_changed(self, key: str, known: str | None) -> str | None:
        if known is None:
            return self.get(key)
        text = super().get(key)
        self._count(["EVAL_RO", GET_IF_CHANGED_SCRIPT, 1, key, DIGEST], *([] if text == known else [text]))
        return known if text == known else text

    def get_all(self, keys: Sequence[str]) -> list[str | None]:
        texts = super().get_all(keys)
        self._count(["EVAL_RO", GET_ALL_SCRIPT, len(keys), *keys], *texts)
        return texts

    def set(self, key: str, value: str) -> None:
        super().set(key, value)
        self._count(["SET", key, value])

    def swap(self, key: str, old: str | None, new: str) -> bool:
        self._count(["EVAL", SWAP_SCRIPT, 1, key, DIGEST, new])
        return super().swap(key, old, new)

    def delete(self, *keys: str) -> None:
        super().delete(*keys)
        self._count(["DEL", *keys])

    def claim(self, key: str, ttl: timedelta) -> bool:
        self._count(["SET", key, "0123456789abcdef", "NX", "EX", "60"])
        return super().claim(key, ttl)

    def _count(self, command: list[str | int], *answer: str | None) -> None:
        """The answer's texts come as base64, as the SDK asks for: a third more."""
        read = len('{"result":""}') + sum(len('"",') + 4 * ceil(len(text or "") / 3) for text in answer)
        with self._lock:  # A mirroring asks from several threads.
            self._counted.update(commands=1, read=read, written=len(json.dumps(command)))


class Account:
    """An Instagram on which a post appears from time to time."""

    def __init__(self, clock: MovingClock, counted: Counter[str]) -> None:
        self._clock = clock
        self._since = clock()
        self._counted = counted

    def profile(self, token: str) -> Profile:
        self._counted["calls"] += 1
        return Profile("studio.nord", media_count=1000)

    def media(self, token: str, limit: int, is_shown: IsShown = every_post) -> Media:
        """Half a day in, so that the days that are played see all of theirs."""
        self._counted["calls"] += 1
        newest = 1000 + int((self._clock() - self._since) / timedelta(days=1) * NEW_POSTS + 0.5)
        return Media(tuple(self._post(number) for number in range(newest, newest - limit, -1)))

    def renew(self, token: str, seconds: float = 0.0) -> Token:
        self._counted["calls"] += 1
        return Token(f"{token}+", self._clock(), self._clock() + timedelta(days=60))

    def exchange(self, token: str, app_secret: str) -> Token:
        raise UnexpectedAnswer("Nobody logs in here.")

    def picture(self, url: str) -> bytes:
        raise PictureUnavailable("Every picture is ready made.")

    def _post(self, number: int) -> Post:
        url = f"https://scontent.cdninstagram.com/v/{number}.jpg?{'signature' * 30}"
        post_id = f"{17_900_000_000_000_000 + number}"
        return Post(
            Picture(post_id, url), "IMAGE", f"https://www.instagram.com/p/{number}/", self._since, "Caption " * 20
        )
