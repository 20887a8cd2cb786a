"""What the system knows of a process: its memory and the processor time that it has had."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def memory(pid: int) -> int:
    """Resident, in KiB."""
    return _kib(pid, "VmRSS")


def most_memory(pid: int) -> int:
    """Resident at most since it began, in KiB; `getrusage` would count what its parent had."""
    return _kib(pid, "VmHWM")


def processor_seconds(pid: int) -> float:
    """Of all its threads: what it would have taken with a processor for itself alone, whatever else went on."""
    # The name before them may hold anything, so count from the bracket that ends it.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def on(processors: set[int]) -> Iterator[None]:
    """What this thread begins inside, threads or processes, has these processors and no others."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _kib(pid: int, name: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.findall(rf"^{name}:\s+(\d+)", status, re.MULTILINE)[0])
