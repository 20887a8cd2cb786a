"""Runs a soak from the command line."""

import argparse
import signal
import sys

from lab.soak.claims import verdicts
from lab.soak.plan import SECONDS_PER_RESTART, Plan
from lab.soak.report import table
from lab.soak.run import Soak


def main() -> int:
    parser = argparse.ArgumentParser(description="Visitors, faults and restarts for a while, and what came of it.")
    parser.add_argument("--seconds", type=float, default=Plan.seconds)
    parser.add_argument("--rate", type=float, default=Plan.rate, help="requests per second of all visitors")
    parser.add_argument("--seed", type=int, default=Plan.seed)
    options = parser.parse_args()
    restarts = max(1, round(options.seconds / SECONDS_PER_RESTART))
    # Always heard, also in the background of a shell, so that whoever stops this program stops gunicorn too.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    soak = Soak(Plan(options.seconds, rate=options.rate, restarts=restarts, seed=options.seed))
    soak.run()
    failures = soak.failures()
    sys.stdout.write(f"{table(soak)}\n\n{verdicts(failures)}\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())


if __name__ == "__main__":
    sys.exit(main())
