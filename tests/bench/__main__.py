"""`make bench`: every figure that igfeed wants to be measured by, as a table on the terminal and in `docs/bench.md`.

All are ratios of two things that took turns on one machine (A B A B …), the median over the rounds; beside each stands
what the same method says of a thing against itself, which is the machine's noise. Load goes to 127.0.0.1 only and is
bounded in number and time: 64 connections from one thread, as generator and servers share the processors.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import rows
from tests.bench.deployment import deployment
from tests.bench.report import machine, table
from tests.bench.rows import Row
from tests.bench.tools import Tools, find_tools

REPORT = Path(__file__).parent.parent.parent / "docs" / "bench.md"

STEPS = (
    rows.under_gunicorn,
    rows.under_granian,
    rows.in_vain,
    rows.cold,
    rows.inside,
    rows.memory_kept,
    rows.growth,
)

INTRODUCTION = """# How fast it is

Made by `make bench`, {date}, on {machine}. Load of the machine when it began: {busy:.1f}, where 0 is best.

Each figure is a ratio of two things that took turns in one run, the median over its rounds; *noise* is what the same
method says of a thing measured against itself: the middle half of the rounds. The generator (wrk, one thread, 64
kept-alive connections) and the servers share the processors; each server has two workers, those of gunicorn with a
listening socket each (`--reuse-port`, which README's settings leave out). The page has {size:,} bytes.
"""


def measure(tools: Tools) -> tuple[list[Row], list[Row], int]:
    """The goals, the diagnosis, and how large the page is."""
    with ExitStack() as stack:
        page = Path(stack.enter_context(TemporaryDirectory(prefix="igfeed-bench-")), "embed.html")
        page.touch()
        ours = stack.enter_context(deployment(str(page)))
        page.write_bytes(rows.the_page(ours))
        goals: list[Row] = []
        diagnosis: list[Row] = []
        for step in STEPS:
            started = time.monotonic()
            for row in step(ours, tools, page):
                (goals if row.goal else diagnosis).append(row)
            sys.stderr.write(f"{step.__name__}: {time.monotonic() - started:.0f} s\n")
        return goals, diagnosis, page.stat().st_size


def main() -> None:
    started, busy = time.monotonic(), os.getloadavg()[0]
    tools = find_tools()
    goals, diagnosis, size = measure(tools)
    date = f"{datetime.now(UTC):%d %B %Y}"
    text = "\n".join(
        [
            INTRODUCTION.format(date=date, machine=machine(), busy=busy, size=size),
            table(Row.HEAD, [row.cells() for row in goals]),
            "\n## Where the time goes\n",
            table(Row.HEAD, [row.cells() for row in diagnosis]),
            *([f"\nNot measured: {', '.join(tools.missing)}."] if tools.missing else []),
            f"\nThe whole run took {(time.monotonic() - started) / 60:.0f} minutes.\n",
        ]
    )
    REPORT.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
