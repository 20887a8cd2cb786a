"""The rows of the table, each measured its own way."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from statistics import median, quantiles
from typing import ClassVar

import requests

from lab.bench import load, process, servers
from lab.bench.deployment import MeasuredDeployment
from lab.bench.load import Result
from lab.bench.servers import Serving
from lab.bench.tools import Tools
from lab.growth import deployment as growing
from lab.growth.costs import FREE_COMMANDS, upstash

ROUNDS = 21
SLICE = 1
"""Seconds of load at a time: as short as wrk has it, so that there are many turns, and what disturbs the machine for a
while spoils a few of them and not the median."""

QUIET = 0.05
"""How much of the processors others may have. A twentieth changes a ratio by less than the noise of a quiet machine."""

STEADY = 0.25
"""How far the middle half of the noise may reach. On a quiet machine it was 0.06 to 0.19."""

FRESH = 9
"""Fresh processes of each kind."""

VIEWS = 100_000
DISTINCT = 10_000
FEW = 1_000
LIMIT = "a bare WSGI app of the same bytes, headers included"
WITH_TWO_HEADERS = "the same app with two headers"
CREDENTIALS = "Authorization: Basic bm9ib2R5"
"""What only the view itself may answer, whatever stands before it: so the layer is off for this request alone."""

OF_SERVERS = {"Server", "Date", "Connection"}

Rounds = Mapping[str, "list[float]"]


@dataclass(frozen=True)
class Row:
    """One line of the table; without a goal it is there for those who look for the time.

    ``spread`` is how far the middle half of the noise reaches; None for what is counted, which no load changes.
    """

    name: str
    figure: str
    noise: str = ""
    goal: str = ""
    held: bool | None = None
    spread: float | None = None
    doubt: str = ""

    HEAD: ClassVar = ("figure", "measured", "noise (the same against itself)", "goal")

    def measured_while(self, others: float) -> Row:
        """The same; in doubt if others had too much of the processors, or the noise was too wide, to say anything."""
        if self.spread is None:
            return self
        if others > QUIET:
            return replace(self, doubt=f"the machine was busy, others had {others:.0%} of it")
        return replace(self, doubt="the noise was too wide") if self.spread > STEADY else self

    def cells(self) -> tuple[str, ...]:
        return (self.name, self.figure, self.noise, self._verdict())

    def _verdict(self) -> str:
        if self.held is None:
            return self.goal
        if self.doubt:
            return f"{self.goal}: {'held' if self.held else 'not known'}, but {self.doubt}"
        return f"{self.goal}: {'held' if self.held else '**missed**'}"


def ratio(name: str, a: list[float], b: list[float], noise: tuple[list[float], list[float]], goal: str = "") -> Row:
    """A against B, round by round; ``noise`` are two measurements of one thing."""
    measured = median(one / other for one, other in zip(a, b, strict=True))
    low, _, high = quantiles([one / other for one, other in zip(*noise, strict=True)], n=4)
    held = None
    if goal:
        limit = float(goal.split()[1])
        held = measured >= limit if goal.startswith("≥") else measured <= limit
    return Row(name, f"{measured:.2f} ×", f"{low:.2f} to {high:.2f} ×", goal, held, spread=high - low)


def in_turns(measurements: Mapping[str, Callable[[], Result]], rounds: int = ROUNDS) -> dict[str, list[Result]]:
    taken: dict[str, list[Result]] = {name: [] for name in measurements}
    for _ in range(rounds):
        for name, measure in measurements.items():
            result = measure()
            if result.failed or not result.views:
                raise RuntimeError(f"{name}: {result.failed} of {result.views} views failed")
            taken[name].append(result)
    return taken


def rates(taken: Mapping[str, list[Result]]) -> Rounds:
    return {name: [each.per_second for each in results] for name, results in taken.items()}


def p99s(taken: Mapping[str, list[Result]]) -> Rounds:
    return {name: [each.p99 for each in results] for name, results in taken.items()}


def per_second(name: str, results: list[float]) -> Row:
    return Row(name, f"{median(results):,.0f} views a second")


def keep_answer(ours: MeasuredDeployment, page: Path) -> None:
    """Into the files of the bare views: the page and its headers, without what each server adds of its own."""
    with servers.gunicorn(ours.env) as server:
        answer = _answer(server)
    page.write_bytes(answer.content)
    page.with_name(f"{page.name}.headers").write_text(json.dumps(_own_headers(answer)), encoding="utf-8")


def _answer(server: Serving) -> requests.Response:
    return requests.get(f"{server.address}/embed", headers={"Accept-Encoding": "identity"}, timeout=30)


def _own_headers(answer: requests.Response) -> list[tuple[str, str]]:
    return [(name, value) for name, value in answer.headers.items() if name.title() not in OF_SERVERS]


def warm(*all_of_them: Serving) -> None:
    """Every worker has answered: with a connection for each view, sooner or later each gets one."""
    for server in all_of_them:
        load.load(f"{server.address}/embed", 1, "Connection: close")


def same(page: Path, *all_of_them: Serving) -> None:
    """What is compared must give the same bytes."""
    for server in all_of_them:
        if _answer(server).content != page.read_bytes():
            raise RuntimeError(f"{server.process.args!r} answers with something else")


def same_headers(ours: Serving, limit: Serving) -> None:
    """The limit must give all that we give."""
    if sorted(_own_headers(_answer(ours))) != sorted(_own_headers(_answer(limit))):
        raise RuntimeError(f"{limit.process.args!r} answers with other headers")


def etag_of(url: str) -> str:
    """And it is sure that with it the answer is a 304: wrk does not tell one from a 200."""
    plain = {"Accept-Encoding": "identity"}
    etag = requests.get(url, headers=plain, timeout=30).headers["ETag"]
    if requests.get(url, headers={**plain, "If-None-Match": etag}, timeout=30).status_code != HTTPStatus.NOT_MODIFIED:
        raise RuntimeError(f"{url} knows its own ETag no more")
    return etag


def under_gunicorn(ours: MeasuredDeployment, tools: Tools, page: Path) -> Iterator[Row]:
    if not tools.wrk:
        return
    with (
        servers.gunicorn(ours.env) as finished,
        servers.gunicorn(ours.env, "lab.bench.bare:app") as bare,
        servers.gunicorn(ours.env, "lab.bench.bare:wsgi") as limit,
        servers.gunicorn(ours.env, "lab.bench.bare:with_two_headers") as two,
    ):
        same(page, finished, bare, limit, two)
        same_headers(finished, limit)
        warm(finished, bare, limit, two)
        etag = etag_of(f"{finished.address}/embed")
        taken = in_turns(
            {
                "finished": _loading(finished),
                "limit": _loading(limit),
                "bare": _loading(bare),
                "finished again": _loading(finished),
                "two": _loading(two),
                "304": _loading(finished, f"If-None-Match: {etag}"),
                "flask": _loading(finished, CREDENTIALS),
                "bare too": _loading(bare, CREDENTIALS),
            }
        )
    yield from _gunicorn_rows(rates(taken), p99s(taken))


def _gunicorn_rows(rate: Rounds, late: Rounds) -> Iterator[Row]:
    noise = (rate["finished"], rate["finished again"])
    yield ratio(f"finished `/embed` under gunicorn against {LIMIT}", rate["finished"], rate["limit"], noise, "≥ 0.95 ×")
    yield ratio(
        "finished `/embed` under gunicorn against a bare Flask view of the same bytes",
        rate["finished"],
        rate["bare"],
        noise,
        "≥ 1.4 ×",
    )
    yield ratio(
        "the Flask path behind finished pages against the bare view", rate["flask"], rate["bare too"], noise, "≥ 0.85 ×"
    )
    yield ratio("304 answers against 200 answers", rate["304"], rate["finished"], noise, "≥ 1.0 ×")
    waits = (late["finished"], late["finished again"])
    yield ratio(
        "finished p99 at 64 connections against the bare view's", late["finished"], late["bare"], waits, "≤ 1.0 ×"
    )
    yield ratio(f"gunicorn, finished against {WITH_TWO_HEADERS}", rate["finished"], rate["two"], noise)
    names = {
        "finished": "finished",
        "304": "finished, 304",
        "flask": "Flask path",
        "bare": "bare Flask view",
        "limit": "bare WSGI app",
    }
    for key, name in names.items():
        yield per_second(f"gunicorn, {name}", rate[key])
    for name in ("finished", "bare"):
        yield Row(f"gunicorn, {name}, p99 at 64 connections", f"{median(late[name]):.0f} ms")


def under_granian(ours: MeasuredDeployment, tools: Tools, page: Path) -> Iterator[Row]:
    if not (tools.wrk and tools.granian and tools.nginx):
        return
    with (
        servers.granian(ours.env) as finished,
        servers.granian(ours.env, "lab.bench.bare:app") as bare,
        servers.granian(ours.env, "lab.bench.bare:wsgi") as limit,
        servers.granian(ours.env, "lab.bench.bare:with_two_headers") as two,
        servers.nginx(tools.nginx, page) as static,
    ):
        same(page, finished, bare, limit, two, static)
        same_headers(finished, limit)
        warm(finished, bare, limit, two, static)
        names = {
            "finished": finished,
            "limit": limit,
            "nginx": static,
            "finished again": finished,
            "two": two,
            "bare": bare,
        }
        taken = in_turns({name: _loading(server) for name, server in names.items()})
    yield from _granian_rows(rates(taken))


def _granian_rows(rate: Rounds) -> Iterator[Row]:
    noise = (rate["finished"], rate["finished again"])
    yield ratio(f"the same under granian against {LIMIT}", rate["finished"], rate["limit"], noise, "≥ 0.85 ×")
    yield ratio(
        "the same under granian against nginx with the bytes in a file",
        rate["finished"],
        rate["nginx"],
        noise,
        "≥ 0.5 ×",
    )
    yield ratio("granian, finished against the bare Flask view", rate["finished"], rate["bare"], noise)
    yield ratio(f"granian, finished against {WITH_TWO_HEADERS}", rate["finished"], rate["two"], noise)
    yield per_second("nginx, a file", rate["nginx"])
    for key, name in (("finished", "finished"), ("bare", "bare Flask view"), ("limit", "bare WSGI app")):
        yield per_second(f"granian, {name}", rate[key])


def _loading(server: Serving, *headers: str) -> Callable[[], Result]:
    return lambda: load.load(f"{server.address}/embed", SLICE, *headers)


def in_vain(ours: MeasuredDeployment, tools: Tools, page: Path) -> Iterator[Row]:
    """What a hundred thousand finished views ask of others."""
    if not tools.wrk:
        return
    with servers.gunicorn(ours.env) as server:
        warm(server)
        ours.forget()
        result = load.views(server.address, VIEWS)
        commands, calls = ours.calls()
    name = f"store commands and Instagram calls in {result.views:,} finished views within one `IGFEED_CHECK_TTL`"
    held = (commands, calls) == (0, 0) if result.views >= VIEWS else None  # The time was over before.
    yield Row(name, f"{commands} and {calls}", "exact", "0 and 0", held)


def cold(ours: MeasuredDeployment, tools: Tools, page: Path) -> Iterator[Row]:
    """Fresh processes, with their bytecode there, as it is in an image or after the first start."""
    embedded = {name: value for name, value in ours.env.items() if not name.startswith("UPSTASH")}
    embedded |= {"IGFEED_DEMO": "1", "IGFEED_STORE_PATH": str(page.with_name("store.sqlite3"))}
    kinds = {"page": ("page", ours.env), "flask": ("flask", ours.env), "flask again": ("flask", ours.env)}
    kinds["page, SQLite"] = ("page", embedded)
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(FRESH + 1):
        for name, (what, env) in kinds.items():
            milliseconds = float(_python("lab.bench.startup", what, env=env))
            if number:  # The first one writes the bytecode, and fills the embedded store.
                taken[name].append(milliseconds)
    noise = (taken["flask"], taken["flask again"])
    yield ratio(
        "time to the first page of a fresh process with a full store against `import flask` alone",
        taken["page"],
        taken["flask"],
        noise,
        "≤ 2.5 ×",
    )
    yield ratio("the same with the embedded store", taken["page, SQLite"], taken["flask"], noise)
    for name in ("page", "flask"):
        yield Row(f"a fresh process: {name}", f"{median(taken[name]):.0f} ms")


def inside(ours: MeasuredDeployment, tools: Tools, page: Path) -> Iterator[Row]:
    """The same without a server."""
    cost: dict[str, float] = json.loads(_python("lab.bench.inside", env=ours.env))
    again = f"once more: {cost['finished once more']:.1f} µs"
    for name in ("finished", "finished 304", "flask", "flask 304", "bare view", "bare WSGI"):
        against = f"{cost[name]:.1f} µs, {cost['bare view'] / cost[name]:.2f} × the bare view's speed"
        yield Row(f"inside the process: {name}", against, again if name == "finished" else "")


def memory_kept(ours: MeasuredDeployment, tools: Tools, page: Path) -> Iterator[Row]:
    """Of one worker, so that it has answered them all; the first views differ, so its caches are full then."""
    if not tools.wrk:
        return
    with servers.gunicorn(ours.env, "wsgi:app", "--workers", "1") as server:
        (worker,) = server.workers()
        answered = load.views(server.address, FEW, distinct=FEW).views
        before = settled(worker)
        answered += load.views(server.address, VIEWS - FEW, distinct=DISTINCT - FEW, first=FEW).views
        after = settled(worker)
        kept = after / before
    name = f"memory of a worker after {answered:,} views and {DISTINCT:,} query strings against after {FEW:,} views"
    held = kept <= 1.05 if answered >= VIEWS else None  # The time was over before.
    yield Row(name, f"{kept:.3f} × ({before / 1024:.1f} to {after / 1024:.1f} MiB)", "exact", "≤ 1.05 ×", held)


def growth(ours: MeasuredDeployment, tools: Tools, page: Path) -> Iterator[Row]:
    """Played, not measured: docs/scaling.md says how."""
    month = growing.SimulatedDeployment(growing.Scale(1e9)).month()
    is_free = upstash(month) == 0
    goal = f"within the free {FREE_COMMANDS:,}"
    yield Row("store commands a month at 10⁹ views behind a CDN", f"{month.commands:,.0f}", "exact", goal, is_free)


def settled(worker: int) -> int:
    """KiB, once nothing is going on."""
    time.sleep(0.5)
    return process.memory(worker)


def _python(module: str, *arguments: str, env: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=servers.ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        raise RuntimeError(re.sub(r"\s+", " ", done.stderr[-500:]))
    return done.stdout
