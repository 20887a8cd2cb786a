"""Prints the summary of many histories, for our cron and for one that renews late."""

from __future__ import annotations

import argparse
import sys
import time

from lab.simulation.histories import in_parallel
from lab.simulation.run import only_under_seven_days, renews_whenever_it_may


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=20000)
    parser.add_argument("--years", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cron-days", type=int, default=7, help="days between two runs of the cron")
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.histories)
    broken = 0
    for rule in (renews_whenever_it_may, only_under_seven_days):
        began = time.monotonic()
        table = in_parallel(seeds, options.years, rule, options.cron_days)
        broken += len(table.violations)
        name = rule.__name__.replace("_", " ")
        sys.stdout.write(f"The cron {name} ({time.monotonic() - began:.0f} s)\n{table}\n\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
