"""`make bench`: every figure that igfeed wants to be measured by, as a table on the terminal and in `docs/bench.md`.

All are ratios of two things that took turns on one machine (A B A B …), the median over the rounds; beside each stands
what the same method says of a thing against itself, which is the machine's noise. Load goes to 127.0.0.1 only and is
bounded in number and time: 64 connections from one thread, as generator and servers share the processors.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import fill

from lab.bench import busy, rows
from lab.bench.deployment import MeasuredDeployment, deployment
from lab.bench.report import machine, table
from lab.bench.rows import Row
from lab.bench.tools import Tools, find_tools

REPORT = Path(__file__).parent.parent.parent / "docs" / "bench.md"

Step = Callable[[MeasuredDeployment, Tools, Path], Iterator[Row]]

STEPS: tuple[Step, ...] = (
    rows.under_gunicorn,
    rows.under_granian,
    rows.in_vain,
    rows.cold,
    rows.inside,
    rows.memory_kept,
    rows.growth,
)

INTRODUCTION = """# How fast it is

Made by `make bench`, {date}, on {machine}. Load of the machine when it began: {load:.1f}, where 0 is best; others had
{others:.0%} of the processors meanwhile. A figure that was measured while others had more than {quiet:.0%} says so.

Each figure is a ratio of two things that took turns in one run, the median over its rounds. *Noise* is what the same
method says of a thing measured against itself: the middle half of the rounds. *Finished* is a page that the server
hands out again without Flask. The generator (wrk, one thread, 64 kept-alive connections) and the servers share the
processors. Each server has two workers; those of gunicorn have a listening socket each (`--reuse-port`, which is off by
default). The page has {size:,} bytes.
"""


def measure(tools: Tools) -> tuple[list[Row], int]:
    """The rows, and how large the page is."""
    with ExitStack() as stack:
        page = Path(stack.enter_context(TemporaryDirectory(prefix="igfeed-bench-")), "embed.html")
        page.touch()
        ours = stack.enter_context(deployment(str(page)))
        rows.keep_answer(ours, page)
        measured = [row for step in STEPS for row in in_doubt_if_busy(step, ours, tools, page)]
        return measured, page.stat().st_size


def in_doubt_if_busy(step: Step, ours: MeasuredDeployment, tools: Tools, page: Path) -> list[Row]:
    before = busy.now()
    measured = [*step(ours, tools, page)]
    after = busy.now()
    others = busy.others(before, after)
    sys.stderr.write(f"{step.__name__}: {after.at - before.at:.0f} s, others had {others:.0%} of the processors\n")
    return [row.measured_while(others) for row in measured]


def in_lines(text: str) -> str:
    """The paragraphs in lines of 120 signs: the machine's name may be long."""
    return "\n\n".join(fill(each, 120, break_on_hyphens=False) for each in text.split("\n\n")) + "\n"


def main() -> None:
    load, before = os.getloadavg()[0], busy.now()
    tools = find_tools()
    measured, size = measure(tools)
    after = busy.now()
    date = f"{datetime.now(UTC):%d %B %Y}"
    others = busy.others(before, after)
    text = "\n".join(
        [
            in_lines(
                INTRODUCTION.format(date=date, machine=machine(), load=load, others=others, quiet=rows.QUIET, size=size)
            ),
            table(Row.HEAD, [row.cells() for row in measured if row.goal]),
            "\n## Where the time goes\n",
            table(Row.HEAD, [row.cells() for row in measured if not row.goal]),
            *([f"\nNot measured: {', '.join(tools.missing)}."] if tools.missing else []),
            f"\nThe whole run took {(after.at - before.at) / 60:.0f} minutes.\n",
        ]
    )
    REPORT.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
