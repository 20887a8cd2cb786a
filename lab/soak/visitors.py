"""The visitors of the soak: they look at pages and pictures, and say what should not have happened."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from random import Random
from threading import Event

from lab.soak import owner
from lab.soak.claims import PAGE_CLAIM, PICTURE_CLAIM, POSTS_CLAIM, Tally
from lab.soak.client import Client
from lab.soak.faults import FaultInjector
from lab.soak.plan import CHECK_TTL, POSTS_KEPT, Plan
from tests.servers.instagram import FakeInstagram
from tests.servers.upstash import FakeUpstash

PAGES = (
    "/",
    "/?page=2",
    f"/?limit={POSTS_KEPT}&captions=1",
    "/?columns=3&gap=8&theme=dark",
    "/embed",
    "/embed?limit=9&columns=3",
    "/embed?ratio=tall&header=1",
    "/embed?theme=light&nonsense={number}",
)
"""What visitors look at; the last one has an unknown option, which must not fill the cache."""

POST = re.compile(rb'data-post-id="\d+"')
PICTURE = re.compile(rb"/media/([\d_]+-\d+)\.webp")


class Visitors:
    """`connect` gives a new client; `over` is set when visitors shall go home."""

    def __init__(
        self,
        plan: Plan,
        tally: Tally,
        faults: FaultInjector,
        instagram: FakeInstagram,
        upstash: FakeUpstash,
        connect: Callable[[], Client],
        over: Event,
    ) -> None:
        self._plan = plan
        self._tally = tally
        self._faults = faults
        self._instagram = instagram
        self._upstash = upstash
        self._connect = connect
        self._over = over

    def visit(self, number: int) -> None:
        """Pages and some of their pictures. Every fourth visitor comes anew each time, the others keep a connection."""
        random = Random(f"{self._plan.seed} {number}")
        client = self._connect()
        pause = self._plan.visitors / self._plan.rate
        wanted: list[str] = []
        while client.is_served and not self._over.wait(random.expovariate(1 / pause)):
            if wanted:
                self._look_at_picture(client, wanted.pop())
            else:
                wanted = self._look_at_page(client, random)
            if random.random() < 0.005:
                owner.status(client, self._tally)
            if number % 4 == 0:
                client.close()
        client.close()

    def _look_at_page(self, client: Client, random: Random) -> list[str]:
        """Look, complain, and name the pictures to look at next."""
        path = random.choice(PAGES).format(number=random.randrange(10**6))
        answer = client.get("page", path)
        if answer is None:
            return []
        status, body = answer
        if status != 200:
            self._tally.break_claim(PAGE_CLAIM, f"{path}: {status} {body[-1500:].decode(errors='replace')}")
        elif not POST.search(body):
            self._tally.break_claim(POSTS_CLAIM, path)
        found = sorted(name.decode() for name in set(PICTURE.findall(body)))
        return random.sample(found, min(len(found), 3))

    def _look_at_picture(self, client: Client, name: str) -> None:
        """Twice where it is missing: a process asks the store for it again only after IGFEED_CHECK_TTL."""
        problem = self._problem_with_picture(client, name)
        if problem and not self._over.wait(1.5 * CHECK_TTL):
            problem = self._problem_with_picture(client, name)
            if problem:
                self._tally.break_claim(PICTURE_CLAIM, problem)

    def _problem_with_picture(self, client: Client, name: str) -> str | None:
        """What is wrong with the answer; None where it is the picture, or where there is an excuse."""
        is_mirrored = bool(self._upstash.raw("EXISTS", f"picture:v1:{name}"))
        started = time.monotonic()
        answer = client.get("picture", f"/media/{name}.webp")
        if answer is None or answer[0] == 200:
            return None
        has_store = not self._faults.was_failing("store", started)
        excuse = self._excuse(answer[0], name, has_store=has_store, is_mirrored=is_mirrored, since=started)
        if excuse:
            self._tally.excuse(f"picture {answer[0]}: {excuse}")
            return None
        return f"{name}: {answer[0]}, mirrored: {is_mirrored}, store: {has_store}"

    def _excuse(self, status: int, name: str, *, has_store: bool, is_mirrored: bool, since: float) -> str | None:
        """Why a picture may be missing; None when there is no reason."""
        if status == 503 and self._faults.was_failing("Instagram", since) and not (is_mirrored and has_store):
            return "the store was failing too" if is_mirrored else "never mirrored, Instagram was failing"
        if status == 404 and name.split("-", maxsplit=1)[0] not in self._shown_posts():
            return "its post left the feed after the page"
        if status == 404 and not has_store:
            return "the store was failing, the other worker knew a newer feed"
        return None

    def _shown_posts(self) -> set[str]:
        return {post["id"] for post in self._instagram.posts[:POSTS_KEPT]}
