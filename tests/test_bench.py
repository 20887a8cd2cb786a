"""What `make bench` says can be believed: it reads wrk rightly, and no figure passes that misses its goal."""

import pytest

from tests.bench.load import read
from tests.bench.report import table
from tests.bench.rows import Row, ratio

SAID = """Running 2s test @ http://127.0.0.1:8000/embed
  1 threads and 64 connections
  Latency Distribution
     50%    9.31ms
     99%    1.07s
  17702 requests in 2.01s, 228.45MB read
{trouble}Requests/sec:   8807.96
Transfer/sec:    113.66MB
"""
STEADY = ([1.0, 1.0, 1.0], [1.0, 1.0, 1.0])


def test_views_their_rate_and_the_slowest_hundredth_are_read_from_wrk() -> None:
    result = read(SAID.format(trouble=""))

    assert (result.views, result.failed, result.per_second, result.p99) == (17702, 0, 8807.96, 1070.0)


def test_every_kind_of_failure_counts() -> None:
    trouble = "  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 5\n"

    assert read(SAID.format(trouble=trouble)).failed == 15


@pytest.mark.parametrize(
    ("a", "goal", "held"),
    [(1.4, "≥ 1.4 ×", True), (1.39, "≥ 1.4 ×", False), (1.0, "≤ 1.0 ×", True), (1.01, "≤ 1.0 ×", False)],
)
def test_a_goal_is_held_at_its_edge_and_missed_beyond(a: float, goal: str, held: bool) -> None:
    assert ratio("it", [a] * 3, [1.0] * 3, STEADY, goal).held is held


def test_one_odd_round_changes_neither_the_figure_nor_the_verdict() -> None:
    row = ratio("it", [2.0, 2.0, 0.1], [1.0, 1.0, 1.0], STEADY, "≥ 1.4 ×")

    assert (row.figure, row.held) == ("2.00 ×", True)


def test_what_is_missed_is_said_in_the_table() -> None:
    missed = ratio("it", [1.0] * 3, [1.0] * 3, STEADY, "≥ 1.4 ×")

    assert "**missed**" in table(Row.HEAD, [missed.cells()])
