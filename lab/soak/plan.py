"""How long a soak takes and how much happens in it."""

from dataclasses import dataclass

POSTS_KEPT = 24
CHECK_TTL = 1
"""IGFEED_CHECK_TTL, in seconds."""

SECONDS_PER_RESTART = 45
"""A long run restarts the workers once in so many seconds. All restarts are in its first half."""


@dataclass(frozen=True)
class Plan:
    """The seed decides which faults come when, and what visitors do."""

    seconds: float = 180.0
    visitors: int = 16
    rate: float = 80.0
    restarts: int = 4
    seed: int = 1
    phase: tuple[float, float] = (2.0, 6.0)
    """Shortest and longest of a fault and of the pause between two, in seconds."""
    warm_up: float = 40.0
    """Seconds in which a worker fills its caches; the rendered pages take longest."""
