"""Minutes of visitors while Instagram and the store flap, because leaks and lost requests show in nothing shorter.

The app runs under gunicorn with the shipped configuration between the two fakes; its workers are replaced under load
several times and ended under load at last. Everything is on 127.0.0.1, bounded in rate and time, and stops by itself:

    python -m lab.soak --seconds 180

prints what happened as a table and ends with 1 when a claim does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import Random
from statistics import median
from threading import Event, Lock, Thread
from typing import Any, TypeAlias

from igfeed.clock import system_clock
from tests.servers import instagram as ig
from tests.servers.faults import Fault
from tests.servers.instagram import FakeInstagram
from tests.servers.upstash import FakeUpstash

ROOT = Path(__file__).parent.parent
SECRET = "the-cron-secret"
STATUS = "/api/instagram/refresh-token"
CRON = "/api/cron/refresh-instagram-token"
POSTS_KEPT = 24
CHECK_TTL = 1
"""IGFEED_CHECK_TTL, in seconds."""

PAGES = (
    "/",
    "/?page=2",
    f"/?limit={POSTS_KEPT}&captions=1",
    "/?columns=3&gap=8&theme=dark",
    "/embed",
    "/embed?limit=9&columns=3",
    "/embed?ratio=tall&header=1",
    "/embed?theme=light&nonsense={number}",
)
"""What visitors look at; the last one must not fill the cache, whatever stands there."""

POST = re.compile(rb'data-post-id="\d+"')
PICTURE = re.compile(rb"/media/([\d_]+-\d+)\.webp")

AFTERMATH = {"Instagram": 31.0, "store": 9.0}
"""Seconds for which a fault may show after its end: the pause for pictures; the guard's pause, a look, a time limit."""

PATIENCE = 60.0
"""Seconds after which a visitor gives up, which counts as a lost request: more than any time limit of the app."""

FEW_VIEWS = 40
BETWEEN_VIEWS = 0.5
"""After the last fault: how many looks at the status, how far apart, until all must be well."""

STEADY = 1.10
"""How much more memory a worker's last third may have than its first, once it is warm."""

AT_THE_END = "dropped with the end of the server"
"""A stopping gunicorn worker keeps the listening socket until its last connection is done, and what the system has
accepted meanwhile is reset then. With a restart the next workers take it; at the very end nobody is there to."""

SECONDS_PER_RESTART = 45
"""A long run has one restart for so many, all in its first part."""

MOST_DETAILS = 20
"""Lines for one claim that does not hold."""

MORE_AT_MOST = 8
"""File descriptors and threads that a worker may gain once it is warm: connections come and go."""

INSTAGRAM: dict[str, tuple[str, Fault]] = {
    "reset": ("*", ig.reset()),
    "hang": ("*", ig.hang()),
    "slow": ("*", ig.slow(1.0)),
    "truncated": ("*", ig.truncate()),
    "HTML 500": ("*", ig.html_error()),
    "JSON 500": ("*", ig.TEMPORARY),
    "190": ("*", ig.EXPIRED),
    "100": ("*", ig.UNSUPPORTED_REQUEST),
    "10": ("*", ig.PERMISSION),
    "4": ("*", ig.APP_LIMIT),
    "80002": ("profile", ig.BUSINESS_LIMIT),
    "invalid JSON": ("media", ig.invalid_json()),
    "no posts": ("media", ig.reply({"data": []})),
    "pictures 403": ("picture", ig.answer(403, "URL signature expired")),
}
STORE: dict[str, tuple[str, dict[str, Any]]] = {
    "reset": ("reset", {}),
    "reply lost": ("reset_after", {}),
    "hang": ("hang", {}),
    "slow": ("latency", {"ms": 200}),
    "truncated": ("truncate", {}),
    "500": ("status", {"status": 500}),
    "401": ("json_error", {"status": 401, "error": "Unauthorized"}),
    "over quota": ("json_error", {"status": 400, "error": "ERR max daily request limit exceeded"}),
    "HTML 502": ("html", {}),
    "garbage": ("garbage", {}),
    "empty": ("empty", {}),
}
REFUSED = "refused"


@dataclass(frozen=True)
class Plan:
    """How long, how many, how often; the seed decides the weather and the visitors."""

    seconds: float = 180.0
    visitors: int = 16
    rate: float = 80.0
    restarts: int = 4
    seed: int = 1
    phase: tuple[float, float] = (2.0, 6.0)
    """Shortest and longest of a fault and of the calm between two, in seconds."""
    warm_up: float = 40.0
    """Seconds in which a worker fills its caches; the rendered pages take longest."""


class CountingUpstash(FakeUpstash):
    """Keeps numbers in place of a log, so that an hour of it fits into memory."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: Counter[str | None] = Counter()

    def note(self, exchange: Any, fault: str | None) -> None:
        self.requests[fault] += 1


class CountingInstagram(FakeInstagram):
    """The same of Instagram."""

    def __init__(self) -> None:
        super().__init__(clock=system_clock)
        self.requests: Counter[str | None] = Counter()

    def note(self, exchange: Any, fault: str | None) -> None:
        self.requests[fault] += 1


@dataclass(frozen=True)
class Sample:
    """One worker at one moment; memory in KiB."""

    at: float
    rss: int
    descriptors: int
    threads: int


def sample(pid: int) -> Sample:
    status = Path(f"/proc/{pid}/status").read_text()
    rss, threads = (int(re.findall(rf"^{name}:\s+(\d+)", status, re.MULTILINE)[0]) for name in ("VmRSS", "Threads"))
    return Sample(time.monotonic(), rss, len(list(Path(f"/proc/{pid}/fd").iterdir())), threads)


def thirds(samples: Sequence[Sample], warm_up: float) -> tuple[Sequence[Sample], Sequence[Sample]]:
    """The first and the last third of a worker's samples since it was warm."""
    warm = [each for each in samples if each.at >= samples[0].at + warm_up]
    third = len(warm) // 3
    return warm[:third], warm[len(warm) - third :]


@dataclass
class Tally:
    """What visitors saw. ``wrong`` is what they should not have seen, by the claim that it breaks."""

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

    def complain(self, claim: str, detail: str) -> None:
        with self.lock:
            self.wrong[claim].append(detail)


PAGE_CLAIM = "every page is a 200"
POSTS_CLAIM = "every page shows posts"
PICTURE_CLAIM = "every picture loads that is mirrored or can be fetched"
OPS_CLAIM = "the owner's routes answer as in the contract"
LOSS_CLAIM = "graceful restarts lose no request"
LOG_CLAIM = "the log has no traceback and no error"
END_CLAIM = "the server ends in time with 0"
RECOVERY_CLAIM = "the status is ok within a few views of the last fault"
RESTART_CLAIM = "every restart replaces all workers"
LEAK_CLAIM = "file descriptors and threads are flat"
MEMORY_CLAIM = "memory is flat"
CLAIMS = (
    *(PAGE_CLAIM, POSTS_CLAIM, PICTURE_CLAIM, OPS_CLAIM, LOSS_CLAIM, LOG_CLAIM, END_CLAIM),
    *(RECOVERY_CLAIM, RESTART_CLAIM, LEAK_CLAIM, MEMORY_CLAIM),
)


class Server:
    """gunicorn as shipped, on a port that the system chooses."""

    def __init__(self, env: dict[str, str]) -> None:
        command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "wsgi:app"]
        # A session of its own, so that Ctrl-C reaches it through us only, and all of it can be ended at once.
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        self.log: list[str] = []
        self._listening = Event()
        self.port = 0
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait(self) -> None:
        if not self._listening.wait(PATIENCE) or not self.port:
            raise RuntimeError(f"gunicorn did not start: {''.join(self.log)}")

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if "[INFO]" not in line and " INFO " not in line and " WARNING " not in line:
                self.log.append(line)
            if found := re.search(r"Listening at: http://\S+:(\d+)", line):
                self.port = int(found[1])
                self._listening.set()
        self._listening.set()

    def workers(self) -> set[int]:
        pid = self._process.pid
        return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}

    def restart(self) -> bool:
        """Replace all workers; True once the old ones are gone and the new ones have answered somebody."""
        old = self.workers()
        self._process.send_signal(signal.SIGHUP)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            time.sleep(0.1)
            new = self.workers() - old
            if not old & self.workers() and len(new) == len(old) and all(map(self._has_answered, new)):
                return True
        return False

    @staticmethod
    def _has_answered(pid: int) -> bool:
        with suppress(OSError):
            return sample(pid).threads >= 3  # The main one, one of the pool, and the store's: made with the first view.
        return False

    def end(self) -> int | None:
        """What a host does to stop it; the exit code, None when it had to be killed."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return None
        finally:
            self.kill()

    def kill(self) -> None:
        """Whatever is left of it, after whatever failure."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join(PATIENCE)
        if self._process.stderr:
            self._process.stderr.close()


Interval: TypeAlias = tuple[float, float]


class Weather:
    """Lets the two services fail by turns and remembers when they did."""

    def __init__(self, plan: Plan, instagram: FakeInstagram, upstash: FakeUpstash) -> None:
        self._random = Random(plan.seed)
        self._phase = plan.phase
        self._instagram, self._upstash = instagram, upstash
        self._decks: dict[str, list[str]] = defaultdict(list)
        self._bad: dict[str, list[Interval]] = {"Instagram": [], "store": []}
        self.faults: Counter[str] = Counter()

    def length(self) -> float:
        return self._random.uniform(*self._phase)

    def chance(self, share: float) -> bool:
        return self._random.random() < share

    def worsen(self, *, spare_store: bool = False) -> None:
        whom = "Instagram" if spare_store else self._draw("whom", ("Instagram", "store", "both"))
        if whom != "store":
            self._fail_instagram(self._draw("Instagram", (*INSTAGRAM, REFUSED)))
        if whom != "Instagram":
            self._fail_store(self._draw("store", (*STORE, REFUSED)))

    def heal(self) -> None:
        for fake, intervals in ((self._instagram, self._bad["Instagram"]), (self._upstash, self._bad["store"])):
            fake.heal()
            fake.start()
            if intervals:
                intervals[-1] = (intervals[-1][0], min(intervals[-1][1], time.monotonic()))

    def has_met_both(self) -> bool:
        return all(self._bad.values())

    def is_bad(self, service: str, since: float) -> bool:
        """Whether it has failed at any time since then, or so shortly before that it may show."""
        return any(end >= since - AFTERMATH[service] for _, end in list(self._bad[service]))

    def _draw(self, name: str, faults: Iterable[str]) -> str:
        """Like cards: each once before any comes again."""
        deck = self._decks[name]
        if not deck:
            deck += faults
            self._random.shuffle(deck)
        return deck.pop()

    def _begin(self, service: str, fault: str) -> None:
        self.faults[f"{service}: {fault}"] += 1
        self._bad[service].append((time.monotonic(), float("inf")))

    def _fail_instagram(self, fault: str) -> None:
        self._begin("Instagram", fault)
        if fault == REFUSED:
            self._instagram.stop()
        else:
            self._instagram.fail(*INSTAGRAM[fault])

    def _fail_store(self, fault: str) -> None:
        self._begin("store", fault)
        if fault == REFUSED:
            self._upstash.stop()
        else:
            mode, options = STORE[fault]
            self._upstash.fail(mode, **options)


class Browser:
    """One client with one connection. What it cannot get is in the tally; it stops when the server is gone."""

    def __init__(self, port: int, tally: Tally, ending: Event) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._tally = tally
        self._ending = ending
        self.is_served = True

    def get(self, route: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes] | None:
        """Status and body; None when there was no answer."""
        started = time.monotonic()
        try:
            status, body = self._get(path, headers or {})
        except ConnectionRefusedError as error:
            self._miss(path, error, is_clean=self._ending.is_set())
            return None
        except (OSError, HTTPException) as error:
            self._miss(path, error, is_clean=False)
            return None
        self._tally.answer(route, status, time.monotonic() - started)
        return status, body

    def close(self) -> None:
        self._connection.close()

    def _get(self, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
        """Tried anew once where a kept connection turns out to be closed, as browsers do."""
        was_kept = self._connection.sock is not None
        try:
            self._connection.request("GET", path, headers=headers)
            response = self._connection.getresponse()
        except (ConnectionError, HTTPException):  # An answer that does not come at all; RemoteDisconnected is both.
            self._connection.close()
            if not was_kept:
                raise
            self._tally.retry()
            self._connection.request("GET", path, headers=headers)
            response = self._connection.getresponse()
        return response.status, response.read()

    def _miss(self, path: str, error: Exception, *, is_clean: bool) -> None:
        self._connection.close()
        self.is_served = not self._ending.is_set()
        if not is_clean:
            claim = AT_THE_END if self._ending.is_set() else LOSS_CLAIM
            self._tally.complain(claim, f"{path}: {type(error).__name__} {error}")


class Soak:
    """All of it, once; ``failures`` says which claims did not hold."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.tally = Tally()
        self.samples: dict[int, list[Sample]] = defaultdict(list)
        self.restarts: list[float] = []
        self.recovery: str = "none"
        self._over, self._ending = Event(), Event()

    def run(self) -> None:
        with ExitStack() as stack:
            self.instagram = stack.enter_context(CountingInstagram())
            self.upstash = stack.enter_context(CountingUpstash())
            self.instagram.picture_size = (240, 300)
            self.weather = Weather(self.plan, self.instagram, self.upstash)
            env = self._environment()
            set_up(env, self.instagram)
            self.server = stack.enter_context(serving(env))
            # Last in, first out: whatever happens, the visitors end before the server, and that before its services.
            stack.enter_context(self._crowd())
            self._direct()

    @contextmanager
    def _crowd(self) -> Iterator[None]:
        """Visitors, owner and watchman, as long as the block runs; what they raise is raised at its end."""
        with ThreadPoolExecutor(self.plan.visitors + 2) as pool:
            futures: list[Future[None]] = [pool.submit(self._watch), pool.submit(self._look_after)]
            futures += [pool.submit(self._visit, number) for number in range(self.plan.visitors)]
            try:
                yield
            finally:
                self._over.set()
                self._ending.set()
                self.weather.heal()
        for future in futures:
            future.result()

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "INSTAGRAM_API_URL": self.instagram.url,
            "INSTAGRAM_MEDIA_ORIGINS": self.instagram.url,
            "UPSTASH_REDIS_REST_URL": self.upstash.url,
            "UPSTASH_REDIS_REST_TOKEN": self.upstash.token,
            "CRON_SECRET": SECRET,
            "IGFEED_POSTS": str(POSTS_KEPT),
            "IGFEED_FEED_TTL": "2",  # So that much happens in little time.
            "IGFEED_CHECK_TTL": str(CHECK_TTL),
        }

    # The course of it

    def _direct(self) -> None:
        """Weather and restarts by turns, then the recovery, then the end."""
        started = time.monotonic()
        # All restarts come in the first half, so that the last workers live long enough for their memory to tell; the
        # first one comes first, when no fault of the store has to be waited for.
        due = [started + self.plan.seconds / 2 * number / self.plan.restarts for number in range(self.plan.restarts)]
        while due or time.monotonic() < started + self.plan.seconds or not self.weather.has_met_both():
            self._over.wait(self.weather.length())
            is_restart_due = bool(due) and time.monotonic() >= due[0]
            self._storm(with_restart=is_restart_due)
            if is_restart_due:
                due.pop(0)
        self._recover()
        self._end()

    def _storm(self, *, with_restart: bool) -> None:
        """One fault. A restart meets a store that works: a new process whose store is dead has nothing to show."""
        if with_restart:
            self._over.wait(AFTERMATH["store"] if self.weather.is_bad("store", time.monotonic()) else 0)
        if not with_restart or self.weather.chance(0.5):
            self.weather.worsen(spare_store=with_restart)
        if with_restart:
            self._restart()
        self._over.wait(self.weather.length())
        self.weather.heal()

    def _restart(self) -> None:
        started = time.monotonic()
        if self.server.restart():
            self.restarts.append(time.monotonic() - started)
        else:
            self.tally.complain(RESTART_CLAIM, f"after {PATIENCE:g} seconds the old workers were still there")

    def _recover(self) -> None:
        """The weather is fine again: one run of the cron, then a few looks at the status."""
        healed = time.monotonic()
        browser = Browser(self.server.port, self.tally, self._ending)
        status: Any = None
        for view in range(1, FEW_VIEWS + 1):
            self._cron(browser)
            status = self._status(browser)
            if status and status["status"] == "ok" and status["feed"]["fresh"]:
                self.recovery = f"{view} views, {time.monotonic() - healed:.1f} s"
                break
            self._over.wait(BETWEEN_VIEWS)
        else:
            self.tally.complain(RECOVERY_CLAIM, json.dumps(status))
        browser.close()

    def _end(self) -> None:
        self._over.wait(1.0)  # Under load to the last moment.
        self._ending.set()
        code = self.server.end()
        if code != 0:
            self.tally.complain(END_CLAIM, f"exit code {code}")

    # Who takes part

    def _visit(self, number: int) -> None:
        """Pages and some of their pictures. Every fourth visitor comes anew each time, the others keep a connection."""
        random = Random(f"{self.plan.seed} {number}")
        browser = Browser(self.server.port, self.tally, self._ending)
        pause = self.plan.visitors / self.plan.rate
        wanted: list[str] = []
        while browser.is_served and not self._over.wait(random.expovariate(1 / pause)):
            if wanted:
                self._look_at_picture(browser, wanted.pop())
            else:
                wanted = self._look_at_page(browser, random)
            if random.random() < 0.005:
                self._status(browser)
            if number % 4 == 0:
                browser.close()
        browser.close()

    def _look_at_page(self, browser: Browser, random: Random) -> list[str]:
        """Look, complain, and name the pictures to look at next."""
        path = random.choice(PAGES).format(number=random.randrange(10**6))
        answer = browser.get("page", path)
        if answer is None:
            return []
        status, body = answer
        if status != 200:
            self.tally.complain(PAGE_CLAIM, f"{path}: {status} {body[-1500:].decode(errors='replace')}")
        elif not POST.search(body):
            self.tally.complain(POSTS_CLAIM, path)
        found = sorted(name.decode() for name in set(PICTURE.findall(body)))
        return random.sample(found, min(len(found), 3))

    def _look_at_picture(self, browser: Browser, name: str) -> None:
        """Twice where it is missing: a process asks the store for it again only after IGFEED_CHECK_TTL."""
        problem = self._problem_with_picture(browser, name)
        if problem and not self._over.wait(1.5 * CHECK_TTL):
            problem = self._problem_with_picture(browser, name)
            if problem:
                self.tally.complain(PICTURE_CLAIM, problem)

    def _problem_with_picture(self, browser: Browser, name: str) -> str | None:
        """What is wrong with the answer; None where it is the picture, or where there is an excuse."""
        is_mirrored = bool(self.upstash.raw("EXISTS", f"picture:v1:{name}"))
        started = time.monotonic()
        answer = browser.get("picture", f"/media/{name}.webp")
        if answer is None or answer[0] == 200:
            return None
        has_store = not self.weather.is_bad("store", started)
        excuse = self._excuse(answer[0], name, has_store=has_store, is_mirrored=is_mirrored, since=started)
        if excuse:
            self.tally.excuse(f"picture {answer[0]}: {excuse}")
            return None
        return f"{name}: {answer[0]}, mirrored: {is_mirrored}, store: {has_store}"

    def _excuse(self, status: int, name: str, *, has_store: bool, is_mirrored: bool, since: float) -> str | None:
        """Why a picture may be missing; None when there is no reason."""
        if status == 503 and self.weather.is_bad("Instagram", since) and not (is_mirrored and has_store):
            return "the store was failing too" if is_mirrored else "never mirrored, Instagram was failing"
        if status == 404 and name.split("-", maxsplit=1)[0] not in self._shown_posts():
            return "its post left the feed after the page"
        if status == 404 and not has_store:
            return "the store was failing, the other worker knew a newer feed"
        return None

    def _shown_posts(self) -> set[str]:
        return {post["id"] for post in self.instagram.posts[:POSTS_KEPT]}

    def _look_after(self) -> None:
        """The owner: a new post now and then, and a cron that runs far more often than any real one."""
        random = Random(f"{self.plan.seed} owner")
        browser = Browser(self.server.port, self.tally, self._ending)
        while browser.is_served and not self._over.wait(random.uniform(0.4, 0.6) * sum(self.plan.phase) / 2):
            if random.random() < 0.2:
                self.instagram.publish(random.choice((ig.image, ig.reel, ig.album))())
            self._cron(browser)
        browser.close()

    def _cron(self, browser: Browser) -> None:
        answer = browser.get("cron", CRON, owner())
        if answer and answer[0] not in (200, 502):
            self.tally.complain(OPS_CLAIM, f"cron: {answer[0]}")

    def _status(self, browser: Browser) -> Any:
        answer = browser.get("status", STATUS, owner())
        if answer and answer[0] != 200:
            self.tally.complain(OPS_CLAIM, f"status: {answer[0]}")
        return json.loads(answer[1]) if answer and answer[0] == 200 else None

    def _watch(self) -> None:
        while not self._ending.is_set():
            for pid in self.server.workers():
                with suppress(OSError, IndexError):  # It may end while it is looked at.
                    self.samples[pid].append(sample(pid))
            self._ending.wait(min(1.0, self.plan.seconds / 60))

    # What came of it

    def failures(self) -> dict[str, list[str]]:
        """The claims that do not hold, each with what breaks it."""
        failures = {claim: list(details) for claim, details in self.tally.wrong.items()}
        failures.pop(AT_THE_END, None)  # A figure, no claim.
        if bad := [line.rstrip() for line in self.server.log]:
            failures[LOG_CLAIM] = bad
        for pid, samples in self.samples.items():
            first, last = thirds(samples, self.plan.warm_up)
            if first:
                self._judge(failures, pid, first, last)
        return failures

    @staticmethod
    def _judge(failures: dict[str, list[str]], pid: int, first: Sequence[Sample], last: Sequence[Sample]) -> None:
        before, after = (median(each.rss for each in part) for part in (first, last))
        if after > STEADY * before:
            failures.setdefault(MEMORY_CLAIM, []).append(f"worker {pid}: {before / 1024:.1f} to {after / 1024:.1f} MiB")
        for name in ("descriptors", "threads"):
            few, many = (median(getattr(each, name) for each in part) for part in (first, last))
            if many > few + MORE_AT_MOST:
                failures.setdefault(LEAK_CLAIM, []).append(f"worker {pid}: {few:g} to {many:g} {name}")


def set_up(env: dict[str, str], instagram: FakeInstagram) -> None:
    """What an owner does: a token in the middle of its life, checked, stored, and the first fetch done."""
    command = [sys.executable, "-m", "flask", "igfeed", "setup-token", "-", str(30 * 86400)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=env,
        input=instagram.issue(),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    if done.returncode != 0:
        raise RuntimeError(f"setup-token failed: {done.stderr}")


@contextmanager
def serving(env: dict[str, str]) -> Iterator[Server]:
    server = Server(env)
    try:
        server.wait()
        yield server
    finally:
        server.kill()


def owner() -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'owner:{SECRET}'.encode()).decode()}"}


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
    for fault, count in sorted(soak.weather.faults.items()):
        yield f"fault: {fault}", f"{count}"
    slowest = f", the slowest done in {max(soak.restarts):.1f} s" if soak.restarts else ""
    yield "graceful restarts under load", f"{len(soak.restarts)}{slowest}"
    yield "requests lost", f"{len(tally.wrong.get(LOSS_CLAIM, []))}"
    yield "requests dropped at the server's end", f"{len(tally.wrong.get(AT_THE_END, []))}"
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


def verdicts(failures: Mapping[str, Sequence[str]]) -> str:
    """Each claim, and of those that do not hold what breaks them."""
    lines = [f"- {'FAILED' if claim in failures else 'held'}: {claim}" for claim in CLAIMS]
    lines += [f"- {claim}: {detail}" for claim in CLAIMS for detail in failures.get(claim, [])[:MOST_DETAILS]]
    return "\n".join(lines)


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
