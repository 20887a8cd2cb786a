"""What a soak claims, and what its clients saw."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

PAGE_CLAIM = "every page is a 200"
POSTS_CLAIM = "every page shows posts"
PICTURE_CLAIM = "every picture loads that is mirrored or can be fetched"
OWNER_CLAIM = "the owner's routes answer as in the contract"
LOSS_CLAIM = "graceful restarts lose no request"
LOG_CLAIM = "the log has no traceback and no error"
END_CLAIM = "the server ends in time with 0"
RECOVERY_CLAIM = "the status is ok within a few views of the last fault"
RESTART_CLAIM = "every restart replaces all workers"
LEAK_CLAIM = "file descriptors and threads are flat"
MEMORY_CLAIM = "memory is flat"
CLAIMS = (
    *(PAGE_CLAIM, POSTS_CLAIM, PICTURE_CLAIM, OWNER_CLAIM, LOSS_CLAIM, LOG_CLAIM, END_CLAIM),
    *(RECOVERY_CLAIM, RESTART_CLAIM, LEAK_CLAIM, MEMORY_CLAIM),
)

DROPPED_AT_END = "dropped with the end of the server"
"""No claim, only counted. A stopping worker of gunicorn keeps its listening socket until its last connection is done,
and the system resets what it has accepted meanwhile. After a restart the next workers take that; at the end nobody."""

MAX_DETAILS = 20
"""Lines for one claim that does not hold."""


@dataclass
class Tally:
    """What all clients saw. ``wrong`` has what they should not have seen, by the claim that it breaks."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    retried: int = 0
    excused: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    lock: Lock = field(default_factory=Lock)

    def answer(self, route: str, status: int, seconds: float) -> None:
        with self.lock:
            self.answers[route, status] += 1
            self.seconds[route].append(seconds)

    def retry(self) -> None:
        with self.lock:
            self.retried += 1

    def excuse(self, what: str) -> None:
        with self.lock:
            self.excused[what] += 1

    def break_claim(self, claim: str, detail: str) -> None:
        with self.lock:
            self.wrong[claim].append(detail)


def verdicts(failures: Mapping[str, Sequence[str]]) -> str:
    """Each claim, and of those that do not hold what breaks them."""
    lines = [f"- {'FAILED' if claim in failures else 'held'}: {claim}" for claim in CLAIMS]
    lines += [f"- {claim}: {detail}" for claim in CLAIMS for detail in failures.get(claim, [])[:MAX_DETAILS]]
    return "\n".join(lines)
