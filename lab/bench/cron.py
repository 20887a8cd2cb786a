"""The whole run of the cron over HTTP: the seconds and the memory that new pictures cost, against Vercel's 300.

    python -m lab.bench.cron               # on made-up photographs, with more grain than real ones: the worst case
    python -m lab.bench.cron ~/Pictures    # on photographs of your own

prints a table in Markdown; each figure is the median over the rounds. The app is bound to one processor, as a small
function is; the fakes of Instagram and the store, both as slow as the network, have the others.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import median
from typing import ClassVar

import requests

from igfeed.feed.picture_files import WIDTHS
from lab.bench import process, servers
from lab.bench.deployment import MeasuredDeployment, variables
from lab.bench.pictures import DOWNLOAD, SIZE, photographs
from lab.bench.report import machine, table
from lab.soak.faults import CountingInstagram, CountingUpstash
from tests.harness.owner import CRON
from tests.servers.instagram import FakeInstagram, PictureReply, Post, album, child_image, image, slow

POSTS = 24
ALBUM = 10
ROUNDS = 3
COMMAND = 10
"""Milliseconds that a command to the store is played to take: one in the same region."""

PATIENCE = 180.0
"""Seconds for an answer: more than Vercel has, so that a run that takes too long is seen and not cut off."""

PROCESSORS = sorted(os.sched_getaffinity(0))
OURS, THEIRS = set(PROCESSORS[:1]), set(PROCESSORS[1:] or PROCESSORS)
"""The app's processor, and those of the services that it asks."""


@dataclass(frozen=True)
class Run:
    """One answer of the cron: time in seconds, pictures as files, memory in MiB."""

    seconds: float
    processor: float
    stored: int
    kept: int
    failed: int
    left: int
    before: float
    most: float

    HEAD: ClassVar = ("seconds", "of the processor", "files stored", "kept", "failed", "left", "MiB before", "at most")

    def cells(self) -> tuple[str, ...]:
        return (f"{self.seconds:.1f}", f"{self.processor:.1f}", *(f"{number:.0f}" for number in astuple(self)[2:]))


@dataclass(frozen=True)
class Case:
    """So many runs, one after the other, each a fresh process, from an empty store on."""

    name: str
    posts: list[Post]
    runs: int

    @property
    def files(self) -> int:
        """The account's own picture is one more, and an album has a cover besides its pictures."""
        pictures = 1 + sum(1 + len(post.get("children", {}).get("data", ())) for post in self.posts)
        return pictures * len(WIDTHS)


def cases() -> tuple[Case, ...]:
    albums = [album([child_image() for _ in range(ALBUM)]) for _ in range(POSTS)]
    return (
        Case(f"{POSTS} posts", [image() for _ in range(POSTS)], 2),
        Case(f"{POSTS} albums of {ALBUM}", albums, 3),
    )


def show(instagram: FakeInstagram, posts: list[Post], files: Sequence[bytes]) -> None:
    """Let the account have these posts, and the photographs for their pictures in turn."""
    shown = [child["id"] for post in posts for child in post.get("children", {}).get("data", [post])]
    instagram.posts = posts
    instagram.pictures = {
        picture_id: PictureReply(body=files[number % len(files)])
        for number, picture_id in enumerate(["profile", *shown])
    }


def run(ours: MeasuredDeployment, files: int) -> Run:
    """The cron's answer from a process that has done nothing before; ``files`` is what there is to mirror."""
    with ExitStack() as stack:
        with process.on(OURS):
            server = stack.enter_context(servers.gunicorn(ours.env, "wsgi:app", "--workers", "1"))
        (worker,) = server.workers()
        before, busy, started = process.most_memory(worker), process.processor_seconds(worker), time.monotonic()
        headers = {"Authorization": f"Bearer {ours.env['CRON_SECRET']}"}
        answer = requests.post(f"{server.address}{CRON}", headers=headers, timeout=PATIENCE)
        seconds = time.monotonic() - started
        pictures: dict[str, int] = answer.json()["pictures"]
        return Run(
            seconds,
            process.processor_seconds(worker) - busy,
            **pictures,
            left=files - sum(pictures.values()),
            before=before / 1024,
            most=process.most_memory(worker) / 1024,
        )


def played(cases: Iterable[Case], files: Sequence[bytes], rounds: int = ROUNDS) -> Iterator[tuple[str, list[Run]]]:
    """Each run of each case by its name, as often as there are rounds."""
    with process.on(THEIRS), CountingInstagram() as instagram, CountingUpstash() as upstash:
        instagram.fail("picture", slow(DOWNLOAD))
        upstash.fail("latency", ms=COMMAND)
        env = variables(instagram, upstash) | {"INSTAGRAM_ACCESS_TOKEN": instagram.issue()}
        ours = MeasuredDeployment(env, instagram, upstash)
        for case in cases:
            show(instagram, case.posts, files)
            by_round = [in_a_row(ours, case) for _ in range(rounds)]
            for number, runs in enumerate(zip(*by_round, strict=True), 1):
                yield f"{case.name}, run {number}", list(runs)


def in_a_row(ours: MeasuredDeployment, case: Case) -> list[Run]:
    ours.upstash.flush()
    return [run(ours, case.files) for _ in range(case.runs)]


def middle(runs: Sequence[Run]) -> Run:
    return Run(*(median(figures) for figures in zip(*map(astuple, runs), strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description="A table of what a run of the cron costs, in seconds and memory.")
    parser.add_argument("folder", type=Path, nargs="?", help="photographs; default: made-up ones")
    busy = os.getloadavg()[0]
    files = photographs(parser.parse_args().folder)
    size = sum(map(len, files)) / len(files) / 1024
    sys.stdout.write(f"{len(files)} pictures of {SIZE[0]}×{SIZE[1]}, {size:.0f} KB in the mean; {machine()}. ")
    sys.stdout.write(f"Load of the machine when it began: {busy:.1f}.\n\n")
    rows = ((name, *middle(runs).cells()) for name, runs in played(cases(), files))
    sys.stdout.write(f"{table(('run', *Run.HEAD), rows)}\n")


if __name__ == "__main__":
    main()
