"""How much of the processors others had meanwhile: what was measured then says little of what it is about."""

from __future__ import annotations

import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

STAT = Path("/proc/stat")
USER, NICE, SYSTEM, STEAL = 0, 1, 2, 7
"""Which figures of a line of ``/proc/stat`` count (proc(5)). Interrupts do not: those of the loopback are ours."""


@dataclass(frozen=True)
class Moment:
    """Seconds so far: of work on all processors together, of our own part of it, and on the clock."""

    work: float
    own: float
    at: float
    processors: int


def now() -> Moment:
    """Our own part has the processes that we have begun and that have ended; so begin and end them in between."""
    lines = STAT.read_text(encoding="utf-8").splitlines()
    own = sum(time for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN) for time in resource.getrusage(who)[:2])
    return Moment(worked(lines[0]), own, time.monotonic(), sum(line.startswith("cpu") for line in lines) - 1)


def worked(line: str) -> float:
    """What was done for processes, here or, as `steal`, in other machines on the same hardware."""
    ticks = [int(figure) for figure in line.split()[1:]]
    return sum(ticks[place] for place in (USER, NICE, SYSTEM, STEAL)) / os.sysconf("SC_CLK_TCK")


def others(before: Moment, after: Moment) -> float:
    """Their share of all that the processors could have done, from 0 to 1."""
    theirs = (after.work - before.work) - (after.own - before.own)
    return max(0.0, theirs / ((after.at - before.at) * after.processors))
