"""The workers of the server: their memory over time, and their replacement under load."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from lab.soak.claims import LEAK_CLAIM, MEMORY_CLAIM
from tests.harness.gunicorn import PATIENCE, GunicornServer

MAX_MEMORY_GROWTH = 1.10
"""How much more memory a worker's last third may have than its first, once it is warm."""

MAX_MORE_DESCRIPTORS = 8
"""File descriptors and threads that a worker may gain once it is warm: connections come and go."""


@dataclass(frozen=True)
class Sample:
    """One worker at one moment; memory in KiB."""

    at: float
    rss: int
    descriptors: int
    threads: int


def sample(pid: int) -> Sample:
    status = Path(f"/proc/{pid}/status").read_text()
    rss, threads = (int(re.findall(rf"^{name}:\s+(\d+)", status, re.MULTILINE)[0]) for name in ("VmRSS", "Threads"))
    return Sample(time.monotonic(), rss, len(list(Path(f"/proc/{pid}/fd").iterdir())), threads)


def thirds(samples: Sequence[Sample], warm_up: float) -> tuple[Sequence[Sample], Sequence[Sample]]:
    """The first and the last third of a worker's samples since it was warm."""
    warm = [each for each in samples if each.at >= samples[0].at + warm_up]
    third = len(warm) // 3
    return warm[:third], warm[len(warm) - third :]


def replace_workers(server: GunicornServer) -> bool:
    """Restart gracefully, by SIGHUP. True once the old workers are gone and the new ones have answered somebody."""
    old = server.workers()
    server.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        time.sleep(0.1)
        new = server.workers() - old
        if not old & server.workers() and len(new) == len(old) and all(map(_has_answered, new)):
            return True
    return False


def _has_answered(pid: int) -> bool:
    with suppress(OSError):
        return sample(pid).threads >= 3  # The main one, one of the pool, and the store's: made with the first view.
    return False


def growth(samples: Mapping[int, Sequence[Sample]], warm_up: float) -> Iterator[tuple[str, str]]:
    """The claims about memory and leaks that do not hold, each with what breaks it."""
    for pid, of_one in samples.items():
        first, last = thirds(of_one, warm_up)
        if first:
            yield from _growth_of_one(pid, first, last)


def _growth_of_one(pid: int, first: Sequence[Sample], last: Sequence[Sample]) -> Iterator[tuple[str, str]]:
    before, after = (median(each.rss for each in part) for part in (first, last))
    if after > MAX_MEMORY_GROWTH * before:
        yield MEMORY_CLAIM, f"worker {pid}: {before / 1024:.1f} to {after / 1024:.1f} MiB"
    for name in ("descriptors", "threads"):
        few, many = (median(getattr(each, name) for each in part) for part in (first, last))
        if many > few + MAX_MORE_DESCRIPTORS:
            yield LEAK_CLAIM, f"worker {pid}: {few:g} to {many:g} {name}"
