"""Plays the months, writes docs/scaling.md and draws docs/scaling.svg."""

import sys
from pathlib import Path

from lab.growth.deployment import Scale, SimulatedDeployment
from lab.growth.page import page
from lab.plot import drawing

DOCS = Path(__file__).parent.parent.parent / "docs"
VIEWS = tuple(10.0**exponent for exponent in range(3, 10))


def main() -> int:
    behind = {views: SimulatedDeployment(Scale(views)).month() for views in VIEWS}
    series = {
        "views": [(views, views) for views in VIEWS],
        "store commands": [(views, month.commands) for views, month in behind.items()],
        "invocations": [(views, month.invocations) for views, month in behind.items()],
        "Instagram calls": [(views, month.calls) for views, month in behind.items()],
    }
    (DOCS / "scaling.md").write_text(page(behind))
    (DOCS / "scaling.svg").write_text(drawing(series, "a month, against views a month"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
