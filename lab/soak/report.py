"""The figures of a soak as a Markdown table."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from lab.soak.claims import DROPPED_AT_END, LOSS_CLAIM, Tally
from lab.soak.run import Soak
from lab.soak.workers import thirds


def table(soak: Soak) -> str:
    """The run in Markdown."""
    rows = [*what_happened(soak), *how_fast(soak.tally), *workers(soak)]
    return "\n".join(["| what | figure |", "|---|---|", *(f"| {name} | {figure} |" for name, figure in rows)])


def what_happened(soak: Soak) -> Iterator[tuple[str, str]]:
    tally = soak.tally
    yield "duration", f"{soak.plan.seconds:g} s, seed {soak.plan.seed}, {soak.plan.visitors} visitors"
    yield "requests", f"{tally.answers.total()}"
    for (route, status), count in sorted(tally.answers.items()):
        yield f"{route} {status}", f"{count}"
    for excuse, count in sorted(tally.excused.items()):
        yield f"of these, {excuse}", f"{count}"
    for fault, count in sorted(soak.faults.counts.items()):
        yield f"fault: {fault}", f"{count}"
    slowest = f", the slowest done in {max(soak.restarts):.1f} s" if soak.restarts else ""
    yield "graceful restarts under load", f"{len(soak.restarts)}{slowest}"
    yield "requests lost", f"{len(tally.wrong.get(LOSS_CLAIM, []))}"
    yield "requests dropped at the server's end", f"{len(tally.wrong.get(DROPPED_AT_END, []))}"
    yield "kept connections found closed, tried anew", f"{tally.retried}"
    yield "status ok again after the last fault", soak.recovery
    for name, requests in (("store commands", soak.upstash.requests), ("Instagram calls", soak.instagram.requests)):
        yield name, f"{requests.total()}, of which {requests.total() - requests[None]} met a fault"


def how_fast(tally: Tally) -> Iterator[tuple[str, str]]:
    for route, seconds in sorted(tally.seconds.items()):
        ordered = sorted(seconds)
        p99 = ordered[int(len(ordered) * 0.99)]
        yield f"{route}: median, p99, slowest", f"{median(ordered):.3f} s, {p99:.3f} s, {ordered[-1]:.3f} s"


def workers(soak: Soak) -> Iterator[tuple[str, str]]:
    """Each worker's first and last third since it was warm; of a shorter-lived one its first and last moment."""
    for number, samples in enumerate(soak.samples.values(), 1):
        first, last = thirds(samples, soak.plan.warm_up)
        kind = "warm" if first else "whole life"
        first, last = (first, last) if first else (samples[:1], samples[-1:])
        figures = [
            f"{median(each.rss for each in part) / 1024:.1f} MiB, {median(each.descriptors for each in part):g} files, "
            f"{median(each.threads for each in part):g} threads"
            for part in (first, last)
        ]
        yield f"worker {number} ({samples[-1].at - samples[0].at:.0f} s, {kind})", " → ".join(figures)
