"""One promise, four stores: a common suite for what they share, then what each promises on its own."""

import asyncio
import json
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from igfeed.background import Work, in_place
from igfeed.clock import system_clock
from igfeed.config import Settings
from igfeed.errors import StoreError, WriteRefused
from igfeed.services import build
from igfeed.stores import PROBE_KEY, Kind, Store
from igfeed.stores.guarded import MAX_WRITE_RETRY_PAUSE, STORE_RETRY_PAUSE, GuardedStore
from igfeed.stores.memory import MemoryStore
from igfeed.stores.missing import MissingStore
from igfeed.stores.read_ahead import ReadAhead
from igfeed.stores.scoped import ScopedStore
from igfeed.stores.sqlite import SqliteStore
from igfeed.stores.upstash import SWAP_SCRIPT, UpstashStore
from tests.conftest import to_the_moment
from tests.harness.clock import MovingClock
from tests.harness.disks import DISKS, small_disk
from tests.harness.leaks import told_by
from tests.harness.site import no_sleep
from tests.harness.stores import FrailStore
from tests.servers.upstash import MODES, WRITES_REFUSED, FakeUpstash

ROOT = Path(__file__).parent.parent
MINUTE = timedelta(minutes=1)
SECRET = "IGAA-what-is-kept"
WRONG = "wrong-token"
FEW_SECONDS = 0.2
"""A time limit that a test can wait for."""

PATIENCE = 60
"""Seconds that a store which must answer is given. The usual two are not enough for many threads on a busy machine: the
fake server shares their processor, and SQLite's lock goes to whoever asks at the right moment."""

VALUES = {
    "empty": "",
    "spaces": "  \n\t ",
    "emoji": "Grüße 👩‍🎨 مرحبا 東京",
    "html": "<b>\"quoted\"</b> & 'more' \\ /",
    "json": json.dumps({"caption": "Grüße 🪑", "posts": [1, None]}),
    "nul": "a\0b",
    "number": "0012",
    "ok": "OK",
    "large": "ü🪑x" * 150_000,
}

KEYS = ["feed:v1", "picture:1790:640", "a key with spaces", "ключ/🪑?x=1", "*", "%00"]


@dataclass(frozen=True)
class Kept:
    """A store and the way to let time pass for it."""

    store: Store
    elapse: Callable[[timedelta], Any]


def close(store: UpstashStore) -> None:
    """End its connections, as no process that lives on ever needs to."""
    if store._process is not None:
        asyncio.run_coroutine_threadsafe(store._redis.close(), store._loop).result(10)


@pytest.fixture(scope="module")
def client(upstash_server: FakeUpstash) -> Iterator[UpstashStore]:
    store = UpstashStore(upstash_server.url, upstash_server.token, PATIENCE)
    yield store
    close(store)


@pytest.fixture
def connected(upstash: FakeUpstash, client: UpstashStore) -> UpstashStore:
    """The one Upstash store of these tests, before an empty server in good health."""
    return client


@pytest.fixture
def connect(upstash: FakeUpstash) -> Iterator["Connect"]:
    """Makes further Upstash stores: `connect(token="wrong")`, `connect(time_limit=0.2)`."""
    stores = []

    def make(**options: Any) -> UpstashStore:
        stores.append(UpstashStore(**{"url": upstash.url, "token": upstash.token, **options}))
        return stores[-1]

    yield make
    for store in stores:
        close(store)


Connect = Callable[..., UpstashStore]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "instance" / "igfeed.sqlite3"


@pytest.fixture(params=["memory", "sqlite", "guarded", "scoped", "upstash"])
def kept(request: pytest.FixtureRequest, clock: MovingClock, path: Path) -> Kept:
    if request.param == "upstash":
        server: FakeUpstash = request.getfixturevalue("upstash")
        store = request.getfixturevalue("connected")
        return Kept(store, lambda time: server.elapse(time.total_seconds()))
    stores: dict[str, Callable[[], Store]] = {
        "memory": lambda: MemoryStore(clock),
        "sqlite": lambda: SqliteStore(path, clock, PATIENCE),
        "scoped": lambda: ScopedStore(MemoryStore(clock), "account:prints:1:", lambda: None),
        "guarded": lambda: ReadAhead(GuardedStore(SqliteStore(path, clock, PATIENCE), clock, in_place)),
    }
    return Kept(stores[request.param](), lambda time: clock.forward(seconds=time.total_seconds()))


@pytest.fixture
def store(kept: Kept) -> Store:
    return kept.store


def at_once(number: int, work: Callable[[int], Any]) -> list[Any]:
    """The results of so many threads that begin together."""
    barrier = threading.Barrier(number)

    def begin(thread: int) -> Any:
        barrier.wait(10)
        return work(thread)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(begin, range(number)))


# What all stores promise


def test_a_key_that_was_never_set_holds_nothing(store: Store) -> None:
    assert store.get("feed:v1") is None


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_what_is_set_is_got_to_the_letter(store: Store, value: str) -> None:
    store.set("feed:v1", value)
    assert store.get("feed:v1") == value


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_any_text_and_stands_for_itself_alone(store: Store, key: str) -> None:
    store.set("other", "other")
    store.set(key, "value")
    assert (store.get(key), store.get("other")) == ("value", "other")
    store.delete(key)
    assert (store.get(key), store.get("other")) == (None, "other")


def test_setting_again_replaces_the_whole_value(store: Store) -> None:
    store.set("feed:v1", "long " * 1000)
    store.set("feed:v1", "short")
    assert store.get("feed:v1") == "short"


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_what_still_is_as_it_was_is_swapped_to_the_letter(store: Store, value: str) -> None:
    store.set("token:v1", "before")
    assert store.swap("token:v1", "before", value)
    assert store.swap("token:v1", value, "after")
    assert store.get("token:v1") == "after"


@pytest.mark.parametrize("old", ["", "before ", "Before", None], ids=["empty", "longer", "other case", "none"])
def test_what_has_changed_is_not_swapped(store: Store, old: str | None) -> None:
    store.set("token:v1", "before")
    assert not store.swap("token:v1", old, "after")
    assert store.get("token:v1") == "before"


def test_what_is_not_there_is_swapped_for_nothing_only(store: Store) -> None:
    assert not store.swap("token:v1", "", "first")
    assert not store.swap("token:v1", "gone", "first")
    assert store.get("token:v1") is None
    assert store.swap("token:v1", None, "first")
    assert store.get("token:v1") == "first"


@pytest.mark.parametrize("old", ["before", None])
def test_of_many_threads_that_swap_exactly_one_does(store: Store, old: str | None) -> None:
    if old:
        store.set("token:v1", old)
    swapped = at_once(16, lambda thread: store.swap("token:v1", old, f"thread {thread}"))
    assert swapped.count(True) == 1
    assert store.get("token:v1") == f"thread {swapped.index(True)}"


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_rereading_what_has_not_changed_says_what_one_knows(store: Store, value: str) -> None:
    store.set("feed:v1", value)
    assert store.get_if_changed("feed:v1", value) == value


@pytest.mark.parametrize("known", ["before", "", "after ", None], ids=["other", "empty", "longer", "none"])
def test_rereading_what_has_changed_says_what_it_is(store: Store, known: str | None) -> None:
    store.set("feed:v1", "after")
    assert store.get_if_changed("feed:v1", known) == "after"


@pytest.mark.parametrize("known", ["before", "", None])
def test_rereading_what_is_gone_says_so(store: Store, known: str | None) -> None:
    assert store.get_if_changed("feed:v1", known) is None


def test_many_keys_are_read_at_once_in_the_order_asked_for(store: Store) -> None:
    for key in KEYS:
        store.set(key, f"value of {key}")
    store.set("empty", "")
    asked = ["not there", *reversed(KEYS), "empty", "not there either", KEYS[0]]
    assert store.get_all(asked) == [store.get(key) for key in asked]
    assert store.get_all([]) == []


def test_many_keys_are_deleted_by_one_command(store: Store) -> None:
    for key in "abc":
        store.set(key, key)
    store.delete("a", "c")
    assert [store.get(key) for key in "abc"] == [None, "b", None]


def test_deleting_what_is_not_there_is_no_error(store: Store) -> None:
    store.set("there", "1")
    store.delete("not there", "there", "not there")
    store.delete("there")
    assert store.get("there") is None


@pytest.mark.parametrize("prefix", ["account:prints:1:", "a*[b]?\\^-%_:"])
def test_a_prefix_is_deleted_with_its_documents_and_claims_and_nothing_else(store: Store, prefix: str) -> None:
    others = [f" {prefix}a", prefix.upper(), prefix[:-1], "a", "account:prints-2:1:a", f"account:prints:11:{prefix}"]
    for key in (prefix, f"{prefix}a", *others):
        store.set(key, key)
        store.claim(f"{key} claim", MINUTE)

    store.delete_prefix(prefix)

    assert store.get_all([prefix, f"{prefix}a", *others]) == [None, None, *others]
    claims = [store.claim(f"{key} claim", MINUTE) for key in (prefix, f"{prefix}a", *others)]
    assert claims == [True, True, *[False] * len(others)]


def test_a_deleted_key_can_be_set_again(store: Store) -> None:
    store.set("feed:v1", "1")
    store.delete("feed:v1")
    store.set("feed:v1", "2")
    assert store.get("feed:v1") == "2"


def test_a_document_does_not_expire(kept: Kept) -> None:
    kept.store.set("feed:v1", "1")
    kept.elapse(timedelta(days=400))
    assert kept.store.get("feed:v1") == "1"


def test_a_claim_is_won_once(store: Store) -> None:
    assert [store.claim("claim:feed", MINUTE) for _ in range(3)] == [True, False, False]


def test_claims_of_other_keys_do_not_matter(store: Store) -> None:
    assert store.claim("claim:feed", MINUTE)
    assert store.claim("claim:renewal:1", MINUTE)


def test_a_claim_holds_for_its_time_and_ends_with_it(kept: Kept) -> None:
    assert kept.store.claim("claim:feed", MINUTE)
    kept.elapse(MINUTE / 2)
    assert not kept.store.claim("claim:feed", MINUTE)
    kept.elapse(MINUTE / 2)
    assert kept.store.claim("claim:feed", MINUTE)
    assert not kept.store.claim("claim:feed", MINUTE)


def test_losing_a_claim_does_not_prolong_it(kept: Kept) -> None:
    assert kept.store.claim("claim:feed", MINUTE)
    kept.elapse(MINUTE / 2)
    assert not kept.store.claim("claim:feed", timedelta(days=1))
    kept.elapse(MINUTE / 2)
    assert kept.store.claim("claim:feed", MINUTE)


@to_the_moment
@pytest.mark.parametrize("ttl", [timedelta(), timedelta(milliseconds=1), timedelta(seconds=-5)])
def test_the_shortest_claim_is_a_second(kept: Kept, ttl: timedelta) -> None:
    assert kept.store.claim("claim:feed", ttl)
    assert not kept.store.claim("claim:feed", ttl)
    kept.elapse(timedelta(seconds=1))
    assert kept.store.claim("claim:feed", ttl)


def test_of_many_threads_exactly_one_wins(store: Store) -> None:
    assert at_once(16, lambda _: store.claim("claim:feed", MINUTE)).count(True) == 1


def test_threads_do_not_get_into_each_others_way(store: Store) -> None:
    def work(thread: int) -> list[str | None]:
        got = []
        for number in range(5):
            store.set(f"{thread}", f"{thread}-{number}")
            got.append(store.get(f"{thread}"))
        return got

    assert at_once(16, work) == [[f"{thread}-{number}" for number in range(5)] for thread in range(16)]


@to_the_moment
@pytest.mark.parametrize(("more", "won"), [(-1, False), (0, True), (1, True)])
@pytest.mark.parametrize("make", [MemoryStore, "sqlite"])
def test_a_claim_by_our_own_clock_ends_on_the_moment(
    clock: MovingClock, path: Path, make: Any, more: int, won: bool
) -> None:
    store: Store = SqliteStore(path, clock) if make == "sqlite" else MemoryStore(clock)
    store.claim("claim:feed", MINUTE)
    # A millisecond, because SQLite keeps the end as a float.
    clock.now += MINUTE + timedelta(milliseconds=more)
    assert store.claim("claim:feed", MINUTE) is won


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: MemoryStore(system_clock), "memory"),
        (lambda: SqliteStore(Path("x"), system_clock), "sqlite"),
        (lambda: UpstashStore("https://db.example", "t"), "upstash"),
        (lambda: GuardedStore(SqliteStore(Path("x"), system_clock), system_clock, in_place), "sqlite"),
        (MissingStore, "memory"),
    ],
)
def test_a_store_says_of_what_kind_it_is(make: Callable[[], Store], kind: Kind) -> None:
    assert make().kind == kind


# The missing store


@pytest.mark.parametrize(
    "command",
    [
        lambda store: store.get("k"),
        lambda store: store.set("k", "v"),
        lambda store: store.delete("k"),
        lambda store: store.claim("k", MINUTE),
    ],
)
def test_the_missing_store_refuses_everything_and_says_how_to_get_one(command: Callable[[Store], Any]) -> None:
    with pytest.raises(StoreError) as caught:
        command(MissingStore())
    assert "KV_REST_API_URL" in caught.value.hint
    assert "UPSTASH_REDIS_REST_URL" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("STORAGE_KV_REST_API_URL", "STORAGE_KV_REST_API_TOKEN"),
        ("MY_SHOP_KV_REST_API_URL", "MY_SHOP_KV_REST_API_TOKEN"),
        ("STORAGE_UPSTASH_REDIS_REST_URL", "STORAGE_UPSTASH_REDIS_REST_TOKEN"),
        ("IG_REDIS_REST_URL", "IG_REDIS_REST_TOKEN"),
    ],
)
def test_a_database_under_a_prefix_is_named_where_no_store_is_found(url: str, token: str) -> None:
    env = {url: "https://hidden.upstash.io", token: SECRET, "STORAGE_KV_URL": "rediss://hidden", "VERCEL": "1"}
    services = build(Settings.from_env(env), system_clock, sleep=no_sleep)

    with pytest.raises(StoreError) as caught:
        services.store.get("k")

    for error in (services.startup_error, caught.value):
        assert error
        assert f"{url} holds" in error.hint
        assert f"{token} holds" in error.hint
        assert "hidden" not in told_by(error)
        assert SECRET not in told_by(error)


@pytest.mark.parametrize("name", ["REDIS_URL", "KV_URL", "STORAGE_REDIS_URL"])
def test_a_database_without_a_rest_address_is_named_as_not_enough(name: str) -> None:
    settings = Settings.from_env({name: "rediss://hidden", "VERCEL": "1"})
    startup_error = build(settings, system_clock, sleep=no_sleep).startup_error

    assert startup_error
    assert f"{name} is of a database without a REST address" in startup_error.hint
    assert "Upstash integration" in startup_error.hint


@pytest.mark.parametrize("env", [{}, {"STORAGE_KV_REST_API_URL": " "}, {"STORAGE_KV_REST_API_TOKEN": "t"}])
def test_nothing_is_named_that_is_not_there(env: dict[str, str]) -> None:
    startup_error = build(Settings.from_env({**env, "VERCEL": "1"}), system_clock, sleep=no_sleep).startup_error

    assert startup_error
    assert startup_error.hint == MissingStore().error.hint


# SQLite


def test_building_a_sqlite_store_opens_nothing(path: Path) -> None:
    SqliteStore(path, system_clock)
    assert not path.parent.exists()


def test_the_sqlite_file_and_its_folders_are_made_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "igfeed.sqlite3"
    store = SqliteStore(path, system_clock)
    store.set("token:v1", SECRET)
    with closing(sqlite3.connect(path)) as db:  # An open connection keeps the side files in place.
        assert db.execute("SELECT count(*) FROM document").fetchone() == (1,)
        files = sorted(path.parent.iterdir())
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert path in files


def test_a_sqlite_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    path.parent.mkdir()
    path.touch(0o666)
    SqliteStore(path, system_clock).set("k", "v")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_sqlite_writes_ahead_so_that_readers_do_not_wait(path: Path) -> None:
    store = SqliteStore(path, system_clock)
    store.set("k", "before")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        db.execute("BEGIN IMMEDIATE")
        db.execute("UPDATE document SET value = 'after'")
        assert store.get("k") == "before"
        db.execute("COMMIT")
    assert store.get("k") == "after"


def test_a_second_sqlite_store_sees_what_the_first_wrote(path: Path, clock: MovingClock) -> None:
    first, second = SqliteStore(path, clock), SqliteStore(path, clock)
    first.set("k", "v")
    assert first.claim("claim:feed", MINUTE)
    assert second.get("k") == "v"
    assert not second.claim("claim:feed", MINUTE)


def test_the_threads_of_one_process_never_wait_for_a_lock_of_sqlites(path: Path, clock: MovingClock) -> None:
    store = SqliteStore(path, clock, time_limit=0)
    store.set("k", "first")

    with ThreadPoolExecutor(8) as threads:
        done = [threads.submit(store.set, f"k{number}", "v") for number in range(80)]

    assert [each.exception() for each in done] == [None] * 80


def test_ended_claims_do_not_pile_up_in_the_sqlite_file(path: Path, clock: MovingClock) -> None:
    store = SqliteStore(path, clock)
    for number in range(10):
        assert store.claim(f"claim:{number}", MINUTE)
        clock.forward(minutes=2)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM claim").fetchone() == (1,)


def test_a_sqlite_file_deleted_under_way_is_made_again(path: Path) -> None:
    store = SqliteStore(path, system_clock)
    store.set("k", "v")
    for file in path.parent.iterdir():
        file.unlink()
    assert store.get("k") is None
    store.set("k", "v")
    assert store.get("k") == "v"


@pytest.mark.parametrize("startup_error", ["folder in its place", "file in place of its folder"])
def test_a_path_that_cannot_be_written_is_a_store_error_with_a_hint(path: Path, startup_error: str) -> None:
    if startup_error == "folder in its place":
        path.mkdir(parents=True)
    else:
        path.parent.touch()
    with pytest.raises(StoreError) as caught:
        SqliteStore(path, system_clock).set("token:v1", SECRET)
    assert str(path) not in told_by(caught.value).split("Traceback")[0]
    assert "writable" in caught.value.hint
    assert SECRET not in told_by(caught.value)


def test_what_is_no_sqlite_file_is_a_store_error_and_stays_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database " * 100)
    store = SqliteStore(path, system_clock)
    for command in (lambda: store.get("k"), lambda: store.set("k", "v"), lambda: store.claim("k", MINUTE)):
        with pytest.raises(StoreError, match="embedded store"):
            command()
    assert path.read_bytes() == b"this is no database " * 100


def test_a_sqlite_file_damaged_under_way_is_a_store_error(path: Path) -> None:
    store = SqliteStore(path, system_clock)
    store.set("k", "v")
    for file in path.parent.iterdir():
        file.write_bytes(b"\0\xff" * 5000)
    with pytest.raises(StoreError):
        store.get("k")


ENDED_AFTER_A_WRITE = """
import os, signal, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("UPDATE document SET value = 'written ahead' WHERE key = 'k'")
os.kill(os.getpid(), signal.SIGKILL)
"""


def assert_read_and_refused(store: Store, value: str) -> None:
    assert store.get("k") == store.get_if_changed("k", "other") == value
    assert store.get_all(["none", "k"]) == [None, value]
    for name in WRITING:
        with pytest.raises(WriteRefused) as caught:
            COMMANDS[name](store)
        assert "IGFEED_STORE_PATH" in caught.value.hint
    assert store.get("k") == value


@pytest.mark.parametrize("disk", DISKS)
@pytest.mark.parametrize("is_fresh", [True, False], ids=["fresh process", "warm process"])
def test_a_sqlite_file_on_a_disk_that_takes_no_writes_is_read(
    tmp_path: Path, disk: str, is_fresh: bool, clock: MovingClock
) -> None:
    begin, end = DISKS[disk]
    with small_disk(tmp_path):
        store = SqliteStore(tmp_path / "igfeed.sqlite3", clock)
        store.set("k", "v" * 9000)
        store.set("token:v1", SECRET)
        begin(tmp_path)
        store = SqliteStore(tmp_path / "igfeed.sqlite3", clock) if is_fresh else store

        assert_read_and_refused(store, "v" * 9000)

        end(tmp_path)
        store.set("k", "w")
        assert store.get("k") == "w"
        assert store.claim("claim:feed", MINUTE)


@pytest.mark.parametrize("disk", DISKS)
def test_what_a_killed_process_wrote_ahead_is_read_from_such_a_disk_too(tmp_path: Path, disk: str) -> None:
    begin, _ = DISKS[disk]
    with small_disk(tmp_path):
        path = tmp_path / "igfeed.sqlite3"
        SqliteStore(path, system_clock).set("k", "before")
        subprocess.run([sys.executable, "-c", ENDED_AFTER_A_WRITE, str(path)], check=False)
        begin(tmp_path)

        assert SqliteStore(path, system_clock).get("k") == "written ahead"


def test_a_full_disk_is_called_full_and_a_read_only_one_is_not(tmp_path: Path) -> None:
    for disk, (begin, end) in DISKS.items():
        with small_disk(tmp_path):
            SqliteStore(tmp_path / "igfeed.sqlite3", system_clock).set("k", "v")
            begin(tmp_path)
            with pytest.raises(WriteRefused) as caught:
                SqliteStore(tmp_path / "igfeed.sqlite3", system_clock).set("k", "w" * 100_000)
            assert ("full" in str(caught.value)) is (disk == "full")
            end(tmp_path)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root may write everything; as nobody it is anybody."""
    user = os.geteuid()
    os.seteuid(65534) if user == 0 else None
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def shown() -> Iterator[Path]:
    """A folder that everybody may look into."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def test_a_sqlite_file_that_this_user_may_only_read_is_read(shown: Path, clock: MovingClock) -> None:
    path = shown / "igfeed.sqlite3"
    SqliteStore(path, system_clock).set("k", "v")
    path.chmod(0o444)
    shown.chmod(0o555)

    with unprivileged():
        assert_read_and_refused(SqliteStore(path, clock), "v")
    assert [file.name for file in shown.iterdir()] == ["igfeed.sqlite3"]


LIMITED = """
import resource, sys
from pathlib import Path
from igfeed.clock import system_clock
from igfeed.errors import WriteRefused
from igfeed.stores.sqlite import SqliteStore

resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
store = SqliteStore(Path(sys.argv[1]), system_clock)
try:
    store.set("k", "w")
except WriteRefused:
    print(store.get("k"))
"""


def test_a_sqlite_file_is_read_by_a_process_whose_files_may_not_grow(path: Path) -> None:
    SqliteStore(path, system_clock).set("k", "v")

    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], env=env, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout == "v\n", done.stderr


def test_between_two_commands_a_sqlite_file_is_whole(path: Path) -> None:
    """What reads it from a disk that takes no writes reads this one file."""
    store = SqliteStore(path, system_clock)
    store.set("k", "v")
    store.claim("claim:feed", MINUTE)
    store.get("k")

    assert [file.name for file in path.parent.iterdir()] == [path.name]
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as db:
        assert db.execute("SELECT value FROM document").fetchall() == [("v",)]


def test_that_a_file_is_read_as_it_lies_is_logged_once(shown: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = shown / "igfeed.sqlite3"
    SqliteStore(path, system_clock).set("k", "v")
    path.chmod(0o444)
    shown.chmod(0o555)
    store = SqliteStore(path, system_clock)

    with unprivileged():
        for _ in range(3):
            store.get("k")

    assert [record.levelname for record in caplog.records] == ["WARNING"]


PROCESS = """
import sys
from datetime import timedelta
from pathlib import Path
from igfeed.clock import system_clock
from igfeed.stores.sqlite import SqliteStore

name, path = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
store = SqliteStore(Path(path), system_clock, 60)
won = store.claim("claim:feed", timedelta(minutes=5))
for number in range(6):
    store.set(f"{name}:{number}", name)
    store.set("shared", name)
    store.delete(f"{name}:{number - 1}")
print(won, store.get(f"{name}:5"))
"""


def start_process(name: str, path: Path) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PROCESS, name, str(path)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def test_many_processes_share_a_sqlite_file_from_its_first_opening_on(path: Path) -> None:
    names = [f"process-{number}" for number in range(6)]
    processes = [start_process(name, path) for name in names]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60) for process in processes]
    assert [errors for _, errors in told] == [""] * len(names)
    answers = [text.split() for text, _ in told]
    assert [name for _, name in answers] == names
    assert [won for won, _ in answers].count("True") == 1
    assert SqliteStore(path, system_clock).get("shared") in names


# Upstash


COMMANDS: dict[str, Callable[[Store], Any]] = {
    "get": lambda store: store.get("token:v1"),
    "reread": lambda store: store.get_if_changed("token:v1", SECRET),
    "get all": lambda store: store.get_all(["token:v1", "feed:v1"]),
    "set": lambda store: store.set("token:v1", SECRET),
    "swap": lambda store: store.swap("token:v1", SECRET, f"{SECRET} renewed"),
    "swap for nothing": lambda store: store.swap("token:v1", None, SECRET),
    "delete": lambda store: store.delete("token:v1", "feed:v1"),
    "claim": lambda store: store.claim("claim:feed", MINUTE),
    "check writable": lambda store: store.check_writable(0),
}

UNCLAIMING = [name for name in COMMANDS if name != "claim"]
PAUSING = [name for name in UNCLAIMING if name != "check writable"]
WRITING = ["set", "swap", "swap for nothing", "claim", "check writable"]
READING = ["get", "reread", "get all"]

FAULTS = sorted(set(MODES) - {"latency", "hang", "drip"})
"""Those that end by themselves."""


def test_building_an_upstash_store_opens_nothing(upstash: FakeUpstash) -> None:
    before = threading.active_count()
    UpstashStore(upstash.url, upstash.token)
    assert threading.active_count() == before
    assert not upstash.log


def test_a_prefix_with_more_keys_than_one_command_finds_is_deleted_whole(
    connected: UpstashStore, upstash: FakeUpstash
) -> None:
    upstash.raw("EVAL", "for i = 1, 2500 do redis.call('SET', ARGV[1] .. i, 'x') end", 0, "account:prints:1:")
    upstash.raw("SET", "feed:v1", "stays")

    connected.delete_prefix("account:prints:1:")

    assert upstash.raw("KEYS", "*") == ["feed:v1"]


def test_every_upstash_command_is_one_plain_request(connected: UpstashStore, upstash: FakeUpstash) -> None:
    connected.set("k", "v")
    connected.get("k")
    connected.delete("k", "other")
    connected.swap("k", None, "v")
    connected.swap("k", "v", "w")
    connected.claim("claim:feed", MINUTE)
    *others, claim = upstash.commands()
    assert others == [
        ["SET", "k", "v"],
        ["GET", "k"],
        ["DEL", "k", "other"],
        ["SET", "k", "v", "NX"],
        ["EVAL", SWAP_SCRIPT, "1", "k", "7a38d8cbd20d9932ba948efaa364bb62651d5ad4", "w"],
    ]
    assert (claim[:2], claim[3:]) == (["SET", "claim:feed"], ["NX", "EX", "60"])
    assert {entry.path for entry in upstash.log} == {"/"}


def test_two_claims_never_look_the_same(connected: UpstashStore, upstash: FakeUpstash) -> None:
    connected.claim("claim:feed", MINUTE)
    connected.claim("claim:feed", MINUTE)
    first, second = upstash.commands()
    assert first[2] != second[2]


def test_nothing_is_told_to_upstash_about_this_machine(connected: UpstashStore, upstash: FakeUpstash) -> None:
    connected.set("k", "v")
    (entry,) = upstash.log
    assert not [name for name in entry.exchange.request.headers if "telemetry" in name]


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("mode", FAULTS)
def test_every_upstash_fault_is_a_store_error_that_tells_no_secret(
    connected: UpstashStore, upstash: FakeUpstash, mode: str, command: Callable[[Store], Any]
) -> None:
    upstash.fail(mode)
    with pytest.raises(StoreError) as caught:
        command(connected)
    told = told_by(caught.value)
    for secret in (upstash.token, upstash.url, upstash.url.removeprefix("http://"), SECRET):
        assert secret not in told


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_refused_upstash_token_is_a_store_error_that_tells_no_secret(
    connect: Connect, upstash: FakeUpstash, command: Callable[[Store], Any]
) -> None:
    with pytest.raises(StoreError) as caught:
        command(connect(token=WRONG))
    assert WRONG not in told_by(caught.value)
    assert upstash.url not in told_by(caught.value)
    assert SECRET not in told_by(caught.value)


def test_what_redis_refuses_is_a_store_error(connected: UpstashStore, upstash: FakeUpstash) -> None:
    upstash.fail("json_error", error="ERR max requests limit exceeded", status=400)
    with pytest.raises(StoreError):
        connected.get("k")


def test_what_is_no_text_under_a_key_reads_as_an_unreadable_one(connected: UpstashStore, upstash: FakeUpstash) -> None:
    upstash.raw("LPUSH", "k", "1")

    assert connected.get("k") == ""
    assert connected.get_if_changed("k", "v") == ""
    connected.set("k", "v")
    assert connected.get("k") == "v"


def test_what_is_no_text_among_several_keys_reads_as_an_unreadable_one(
    connected: UpstashStore, upstash: FakeUpstash
) -> None:
    upstash.raw("LPUSH", "list", "1")
    connected.set("text", "v")

    assert connected.get_all(["text", "list", "nothing"]) == ["v", "", None]


@pytest.mark.parametrize("result", [None, "v", [], ["v", "w", "x"], ["v", 1]])
def test_an_odd_answer_for_several_keys_is_a_store_error(
    connected: UpstashStore, upstash: FakeUpstash, result: object
) -> None:
    upstash.fail("json_shape", body={"result": result})
    with pytest.raises(StoreError):
        connected.get_all(["k", "l"])


@pytest.mark.parametrize("result", [0, 2, [], ["v"]])
def test_an_odd_answer_to_rereading_is_a_store_error(
    connected: UpstashStore, upstash: FakeUpstash, result: object
) -> None:
    upstash.fail("json_shape", body={"result": result})
    with pytest.raises(StoreError):
        connected.get_if_changed("k", "v")


def test_an_answer_that_is_no_text_is_a_store_error(connected: UpstashStore, upstash: FakeUpstash) -> None:
    upstash.fail("json_shape", body={"result": [1]})
    with pytest.raises(StoreError):
        connected.get("k")


@pytest.mark.parametrize("mode", FAULTS)
@pytest.mark.parametrize("name", UNCLAIMING)
def test_a_failed_upstash_command_is_not_tried_again(
    connected: UpstashStore, upstash: FakeUpstash, mode: str, name: str
) -> None:
    upstash.fail(mode)
    with pytest.raises(StoreError):
        COMMANDS[name](connected)
    assert len(upstash.log) == 1


def test_a_stopped_upstash_is_a_store_error_and_a_started_one_is_found_again(
    connected: UpstashStore, upstash: FakeUpstash
) -> None:
    connected.set("k", "v")
    upstash.stop()
    try:
        with pytest.raises(StoreError) as caught:
            connected.get("k")
    finally:
        upstash.start()
    assert upstash.url.removeprefix("http://") not in told_by(caught.value)
    assert connected.get("k") == "v"


def test_after_a_fault_the_same_upstash_store_works_again(connected: UpstashStore, upstash: FakeUpstash) -> None:
    connected.set("k", "v")
    upstash.fail("truncate", count=1)
    with pytest.raises(StoreError):
        connected.get("k")
    assert connected.get("k") == "v"


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize(("mode", "options"), [("hang", {}), ("drip", {"ms": 50}), ("latency", {"ms": 60_000})])
def test_an_upstash_command_ends_with_its_time_limit(
    connect: Connect, upstash: FakeUpstash, mode: str, options: dict[str, Any], command: Callable[[Store], Any]
) -> None:
    store = connect(time_limit=FEW_SECONDS)
    upstash.fail(mode, **options)
    with pytest.raises(StoreError, match=r"within 0\.2 seconds") as caught:
        command(store)
    assert upstash.token not in told_by(caught.value)
    assert SECRET not in told_by(caught.value)


def test_after_its_time_limit_the_same_upstash_store_works_again(connect: Connect, upstash: FakeUpstash) -> None:
    store = connect(time_limit=1)
    upstash.fail("hang", count=1)
    with pytest.raises(StoreError):
        store.set("k", "v")
    store.set("k", "v")
    assert store.get("k") == "v"


def test_one_hanging_command_holds_up_no_other(connected: UpstashStore, upstash: FakeUpstash) -> None:
    with ThreadPoolExecutor() as pool, upstash.hold("slow") as gate:
        waiting = pool.submit(connected.get, "slow")
        assert gate.wait()
        connected.set("quick", "v")
        assert connected.get("quick") == "v"
        assert not waiting.done()
        gate.release()
        assert waiting.result() is None


@pytest.mark.parametrize("mode", ["reset_after", "reply_lost_close", "truncate"])
def test_a_won_claim_whose_reply_was_lost_is_read_back_as_won(
    connected: UpstashStore, upstash: FakeUpstash, mode: str
) -> None:
    upstash.fail(mode, count=1, match='"SET"')
    assert connected.claim("claim:feed", MINUTE)
    assert [command[0] for command in upstash.commands()] == ["SET", "GET"]
    assert not connected.claim("claim:feed", MINUTE)


@pytest.mark.parametrize("mode", ["reset_after", "reply_lost_close", "truncate"])
def test_a_lost_claim_whose_reply_was_lost_stays_lost(
    connected: UpstashStore, connect: Connect, upstash: FakeUpstash, mode: str
) -> None:
    assert connect().claim("claim:feed", MINUTE)
    upstash.fail(mode, count=1, match='"SET"')
    assert not connected.claim("claim:feed", MINUTE)


def test_a_claim_that_never_arrived_is_neither_won_nor_lost(connected: UpstashStore, upstash: FakeUpstash) -> None:
    upstash.fail("reset", count=1, match='"SET"')
    with pytest.raises(StoreError):
        connected.claim("claim:feed", MINUTE)
    assert connected.claim("claim:feed", MINUTE)


@pytest.mark.parametrize("how", WRITES_REFUSED)
@pytest.mark.parametrize("name", WRITING)
def test_a_refused_write_is_told_from_a_store_that_is_away(
    connected: UpstashStore, upstash: FakeUpstash, how: str, name: str
) -> None:
    if name == "swap":  # A comparison that fails never comes to its SET.
        connected.set("token:v1", SECRET)
    upstash.refuse_writes(how)

    with pytest.raises(WriteRefused) as caught:
        COMMANDS[name](connected)

    for secret in (upstash.token, upstash.url, SECRET):
        assert secret not in told_by(caught.value)


@pytest.mark.parametrize("how", WRITES_REFUSED)
def test_a_store_that_refuses_writes_is_read_as_ever(connected: UpstashStore, upstash: FakeUpstash, how: str) -> None:
    connected.set("token:v1", SECRET)
    upstash.raw("LPUSH", "feed:v1", "no text")
    before = [COMMANDS[name](connected) for name in READING]
    upstash.refuse_writes(how)

    assert [COMMANDS[name](connected) for name in READING] == before
    assert connected.get_if_changed("token:v1", "before") == SECRET


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ("full", "size"),
        ("read-only token", "read-only one"),
        ("SET alone", "read-only one"),
        ("read-only replica", "primary"),
    ],
)
@pytest.mark.parametrize("name", ["set", "swap", "claim"])
def test_the_hint_fits_the_reason_of_the_refusal(
    connected: UpstashStore, upstash: FakeUpstash, how: str, word: str, name: str
) -> None:
    connected.set("token:v1", SECRET)
    upstash.refuse_writes(how)

    with pytest.raises(WriteRefused) as caught:
        COMMANDS[name](connected)

    assert word in caught.value.hint


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ("ERR DB capacity quota exceeded. Limit: 268435456 bytes, Usage: 301254128 bytes.", "size"),
        ("NOPERM this user has no permissions to run the 'set' command or its subcommand", "read-only one"),
        ("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.", "plan"),
    ],
)
def test_upstashs_own_words_for_a_refused_write_are_known(
    connected: UpstashStore, upstash: FakeUpstash, answer: str, word: str
) -> None:
    upstash.fail("json_error", status=400, error=f'{answer}, command was: [["set","k","{SECRET}"]]')

    with pytest.raises(WriteRefused) as caught:
        connected.set("k", SECRET)

    assert word in caught.value.hint
    assert SECRET not in told_by(caught.value)


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ("WRONGPASS invalid or missing auth token", "token from Upstash"),
        ("ERR max requests limit exceeded. Limit: 500000, Usage: 500001.", "plan"),
    ],
)
@pytest.mark.parametrize("name", ["get", "set", "claim"])
def test_what_refuses_everything_is_no_refused_write_and_says_what_to_do(
    connected: UpstashStore, upstash: FakeUpstash, answer: str, word: str, name: str
) -> None:
    upstash.fail("json_error", status=400, error=answer)

    with pytest.raises(StoreError) as caught:
        COMMANDS[name](connected)

    assert not isinstance(caught.value, WriteRefused)
    assert word in caught.value.hint


def test_a_claim_that_another_one_has_is_lost_though_writes_are_refused(
    connected: UpstashStore, upstash: FakeUpstash
) -> None:
    assert connected.claim("claim:feed", MINUTE)
    upstash.refuse_writes("read-only token")

    assert not connected.claim("claim:feed", MINUTE)


def test_proving_is_one_command_and_leaves_nothing(connected: UpstashStore, upstash: FakeUpstash) -> None:
    connected.check_writable(3)

    assert upstash.commands() == [["SET", PROBE_KEY, "xxx", "XX"]]
    assert upstash.raw("KEYS", "*") == []


FORKING = """
import os, signal, sys
from igfeed.stores.upstash import UpstashStore

store = UpstashStore(*sys.argv[1:])
store.set("k", "parent")
child = os.fork()
if child == 0:
    signal.alarm(10)
    store.set("child", store.get("k") + "'s child")
    os._exit(0)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), store.get("k"))
"""


def test_an_upstash_store_works_on_both_sides_of_a_fork(connected: UpstashStore, upstash: FakeUpstash) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "ignore", "-c", FORKING, upstash.url, upstash.token]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["0", "parent"]
    assert connected.get("child") == "parent's child"


# The guard


@pytest.fixture
def frail(clock: MovingClock) -> FrailStore:
    return FrailStore(clock)


@pytest.fixture
def guarded(frail: FrailStore, clock: MovingClock) -> GuardedStore:
    return GuardedStore(frail, clock, in_place)


@pytest.fixture
def ahead(guarded: GuardedStore) -> ReadAhead:
    return ReadAhead(guarded)


@pytest.fixture
def fallen(frail: FrailStore, guarded: GuardedStore) -> GuardedStore:
    """A guard that has just seen its store fail; counting begins anew."""
    frail.away = True
    with pytest.raises(StoreError):
        guarded.get("k")
    frail.asked = 0
    return guarded


def test_a_healthy_store_is_asked_each_time(frail: FrailStore, guarded: GuardedStore) -> None:
    for command in COMMANDS.values():
        command(guarded)
    assert frail.asked == len(COMMANDS)


@pytest.mark.parametrize("command", [COMMANDS[name] for name in UNCLAIMING])
def test_a_failure_of_the_store_goes_on_to_who_asked(
    frail: FrailStore, guarded: GuardedStore, command: Callable[[Store], Any]
) -> None:
    frail.away = True
    with pytest.raises(StoreError, match="away") as caught:
        command(guarded)
    assert caught.value.hint == "Call the owner."


@to_the_moment
@pytest.mark.parametrize("command", [COMMANDS[name] for name in PAUSING])
def test_after_a_failure_nobody_asks_and_everybody_hears_why(
    frail: FrailStore, fallen: GuardedStore, clock: MovingClock, command: Callable[[Store], Any]
) -> None:
    clock.now += STORE_RETRY_PAUSE - timedelta(microseconds=1)
    with pytest.raises(StoreError, match="away") as caught:
        command(fallen)
    assert caught.value.hint == "Call the owner."
    assert frail.asked == 0


def test_what_is_read_ahead_is_known_inside_the_block_and_to_this_thread_alone(
    frail: FrailStore, ahead: ReadAhead
) -> None:
    ahead.set("k", "before")
    with ahead.read_ahead("k", "nothing"):
        frail.asked = 0
        MemoryStore.set(frail, "k", "after")
        inside = ahead.get("k"), ahead.get("nothing"), ahead.get("other")
        with ThreadPoolExecutor(1) as thread:
            elsewhere = thread.submit(ahead.get, "k").result()
        asked = frail.asked

    assert inside == ("before", None, None)
    assert elsewhere == ahead.get("k") == "after"
    assert asked == 2


def test_what_an_outer_block_has_read_ahead_is_not_read_again(frail: FrailStore, ahead: ReadAhead) -> None:
    frail.set("a", "1")
    frail.set("b", "2")
    with ahead.read_ahead("a", "b", "c"):
        frail.asked = 0
        with ahead.read_ahead("a", "c"):
            assert (ahead.get("a"), ahead.get("c"), frail.asked) == ("1", None, 0)
            ahead.set("b", "3")
        assert (ahead.get("b"), ahead.get("a"), frail.asked) == ("3", "1", 3), "what was used or written is asked for"


def test_whoever_reads_a_second_time_wants_to_know_what_has_become_of_it(frail: FrailStore, ahead: ReadAhead) -> None:
    ahead.set("k", "before")
    with ahead.read_ahead("k"):
        first = ahead.get("k")
        MemoryStore.set(frail, "k", "after")

        assert (first, ahead.get("k")) == ("before", "after")


def test_rereading_too_knows_what_was_read_ahead(frail: FrailStore, ahead: ReadAhead) -> None:
    ahead.set("k", "before")
    known = ahead.get("k")
    with ahead.read_ahead("k"):
        MemoryStore.set(frail, "k", "after")

        assert ahead.get_if_changed("k", known) == "before"
        assert ahead.get_if_changed("k", known) == "after"


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.set("k", "after"),
        lambda store: store.swap("k", "before", "after"),
        lambda store: store.delete("k") or store.set("k", "after"),
    ],
    ids=["set", "swap", "delete"],
)
def test_what_was_read_ahead_is_forgotten_where_it_is_written(ahead: ReadAhead, write: Callable[[Store], Any]) -> None:
    ahead.set("k", "before")
    with ahead.read_ahead("k"):
        write(ahead)

        assert ahead.get("k") == "after"


def test_reading_ahead_inside_of_reading_ahead_takes_nothing_from_it(frail: FrailStore, ahead: ReadAhead) -> None:
    ahead.set("k", "before")
    with ahead.read_ahead("k"):
        with ahead.read_ahead("other"):
            MemoryStore.set(frail, "k", "after")

        assert ahead.get("k") == "before"


def test_a_store_that_takes_nothing_is_found_out(frail: FrailStore, guarded: GuardedStore) -> None:
    guarded.check_writable()
    frail.away = True

    with pytest.raises(StoreError):
        guarded.check_writable()


def test_reading_ahead_from_a_store_that_is_away_leaves_the_error_to_who_asks(
    frail: FrailStore, ahead: ReadAhead
) -> None:
    frail.away = True
    with ahead.read_ahead("k"), pytest.raises(StoreError, match="away"):
        ahead.get("k")


def test_the_pause_is_five_seconds() -> None:
    assert timedelta(seconds=5) == STORE_RETRY_PAUSE


def test_when_the_pause_is_over_one_asks_and_a_failure_begins_it_anew(
    frail: FrailStore, fallen: GuardedStore, clock: MovingClock
) -> None:
    clock.now += STORE_RETRY_PAUSE
    for _ in range(3):
        with pytest.raises(StoreError):
            fallen.get("k")
    assert frail.asked == 1
    clock.now += STORE_RETRY_PAUSE
    with pytest.raises(StoreError):
        fallen.get("k")
    assert frail.asked == 2


def test_while_one_finds_out_the_others_are_refused(
    frail: FrailStore, fallen: GuardedStore, clock: MovingClock
) -> None:
    clock.now += STORE_RETRY_PAUSE
    frail.away, frail.gate = False, threading.Event()
    with ThreadPoolExecutor() as pool:
        asking = pool.submit(fallen.get, "k")
        assert frail.reached.wait(10)
        for command in (COMMANDS["get"], COMMANDS["set"], COMMANDS["delete"]):
            with pytest.raises(StoreError):
                command(fallen)
        assert frail.asked == 1
        frail.gate.set()
        assert asking.result(10) is None


def test_a_store_that_is_back_is_asked_each_time_again(
    frail: FrailStore, fallen: GuardedStore, clock: MovingClock
) -> None:
    frail.away = False
    clock.now += STORE_RETRY_PAUSE
    assert fallen.get("k") is None
    fallen.set("k", "v")
    assert fallen.get("k") == "v"
    assert frail.asked == 4  # The probe went first.


def test_the_owners_tasks_find_out_at_once(frail: FrailStore, clock: MovingClock) -> None:
    guarded = GuardedStore(frail, clock, lambda _: None)
    frail.away = True
    with pytest.raises(StoreError):
        guarded.get("k")
    guarded.recheck()
    with pytest.raises(StoreError):
        guarded.get("k")
    frail.away = False

    guarded.recheck()

    assert guarded.get("k") is None


def test_a_store_that_took_what_it_was_given_is_not_asked_how_it_is(frail: FrailStore, guarded: GuardedStore) -> None:
    guarded.set("k", "v")
    guarded.recheck()

    assert frail.asked == 1


def test_nobody_waits_for_the_probe(frail: FrailStore, clock: MovingClock) -> None:
    later: list[Work] = []
    guarded = GuardedStore(frail, clock, later.append)
    frail.away = True
    with pytest.raises(StoreError):
        guarded.get("k")
    frail.away, frail.asked = False, 0
    clock.now += STORE_RETRY_PAUSE

    for _ in range(3):
        with pytest.raises(StoreError):
            guarded.get("k")
    assert (len(later), frail.asked) == (1, 0)
    later[0]()

    assert guarded.get("k") is None


def test_going_and_coming_back_is_logged_once_each(
    frail: FrailStore, guarded: GuardedStore, clock: MovingClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="igfeed")
    frail.away = True
    for _ in range(3):
        with pytest.raises(StoreError):
            guarded.get("k")
        clock.now += STORE_RETRY_PAUSE
    frail.away = False
    guarded.get("k")
    guarded.get("k")
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_while_the_store_is_away_claims_are_decided_here(
    frail: FrailStore, guarded: GuardedStore, clock: MovingClock
) -> None:
    frail.away = True
    assert guarded.claim("claim:feed", MINUTE)
    assert not guarded.claim("claim:feed", MINUTE)
    assert guarded.claim("claim:other", MINUTE)
    clock.now += MINUTE
    assert guarded.claim("claim:feed", MINUTE)


def test_while_the_store_is_away_exactly_one_thread_wins(fallen: GuardedStore) -> None:
    assert at_once(16, lambda _: fallen.claim("claim:feed", MINUTE)).count(True) == 1


def test_a_mistake_of_ours_is_not_taken_for_a_store_that_is_away(guarded: GuardedStore) -> None:
    with pytest.raises(TypeError):
        guarded.set("k")  # type: ignore[call-arg]
    assert guarded.get("k") is None


@pytest.fixture(params=WRITES_REFUSED)
def refusing(request: pytest.FixtureRequest, connected: UpstashStore, upstash: FakeUpstash) -> UpstashStore:
    """A store with something in it that answers reads and refuses writes."""
    connected.set("k", "v")
    upstash.refuse_writes(request.param)
    upstash.forget()
    return connected


def test_a_refused_write_costs_no_reading(refusing: UpstashStore, clock: MovingClock) -> None:
    guarded = GuardedStore(refusing, clock, in_place)

    with pytest.raises(WriteRefused):
        guarded.set("k", "w")

    assert guarded.get("k") == guarded.get_if_changed("k", "v") == "v"
    assert guarded.get_all(["k", "none"]) == ["v", None]


@to_the_moment
def test_claims_that_the_store_refuses_are_decided_in_this_process(refusing: UpstashStore, clock: MovingClock) -> None:
    guarded = GuardedStore(refusing, clock, in_place)

    assert [guarded.claim("claim:feed", MINUTE) for _ in range(3)] == [True, False, False]
    assert guarded.claim("claim:other", MINUTE)
    clock.now += MINUTE
    assert guarded.claim("claim:feed", MINUTE)


@to_the_moment
def test_refused_writes_are_not_tried_again_by_everybody(
    refusing: UpstashStore, upstash: FakeUpstash, clock: MovingClock
) -> None:
    guarded = GuardedStore(refusing, clock, in_place)
    for pause in (STORE_RETRY_PAUSE, 2 * STORE_RETRY_PAUSE, 4 * STORE_RETRY_PAUSE):
        for _ in range(5):
            with pytest.raises(WriteRefused):
                guarded.set("k", "w")
            with pytest.raises(WriteRefused):
                guarded.swap("k", "v", "w")
            guarded.claim("claim:feed", MINUTE)
        clock.now += pause

    first, *probes = upstash.commands()
    assert first == ["SET", "k", "w"]
    assert probes == [["SET", PROBE_KEY, "", "XX"]] * 2


def test_a_store_that_refuses_writes_for_a_day_is_tried_every_five_minutes(
    connected: UpstashStore, upstash: FakeUpstash, clock: MovingClock
) -> None:
    guarded = GuardedStore(connected, clock, in_place)
    upstash.refuse_writes("full")
    upstash.forget()
    for _ in range(24 * 60):
        guarded.claim("claim:feed", MINUTE)
        clock.now += MINUTE

    assert 24 * 60 / 6 <= len(upstash.commands()) <= 24 * 60 / 5 + 10


def test_nobody_waits_for_the_try_whether_writes_are_taken_again(
    refusing: UpstashStore, upstash: FakeUpstash, clock: MovingClock
) -> None:
    later: list[Work] = []
    guarded = GuardedStore(refusing, clock, later.append)
    with pytest.raises(WriteRefused):
        guarded.set("k", "w")
    upstash.heal()
    clock.now += MAX_WRITE_RETRY_PAUSE

    with pytest.raises(WriteRefused):
        guarded.set("k", "w")
    (probe,) = later
    probe()
    guarded.set("k", "w")

    assert guarded.get("k") == "w"
    assert guarded.refusal is None


def test_what_is_deleted_is_deleted_from_a_full_store_too(
    connected: UpstashStore, upstash: FakeUpstash, clock: MovingClock
) -> None:
    guarded = GuardedStore(connected, clock, in_place)
    guarded.set("k", "v")
    upstash.refuse_writes("full")
    with pytest.raises(WriteRefused):
        guarded.set("k", "w")

    guarded.delete("k")

    assert guarded.get("k") is None


def test_proving_fails_at_a_store_that_refuses_writes(refusing: UpstashStore, clock: MovingClock) -> None:
    with pytest.raises(WriteRefused):
        GuardedStore(refusing, clock, in_place).check_writable()


def test_the_owners_tasks_find_out_that_writes_are_refused_and_taken_again(
    refusing: UpstashStore, upstash: FakeUpstash, clock: MovingClock
) -> None:
    guarded = GuardedStore(refusing, clock, in_place)

    guarded.recheck()
    refused = guarded.refusal
    upstash.heal()
    guarded.recheck()

    assert refused
    assert refused.hint
    assert guarded.refusal is None
    guarded.set("k", "w")


def test_a_comparison_that_fails_does_not_prove_that_writes_are_taken(
    connected: UpstashStore, upstash: FakeUpstash, clock: MovingClock
) -> None:
    guarded = GuardedStore(connected, clock, in_place)
    upstash.refuse_writes("full")

    assert not guarded.swap("k", "v", "w")
    guarded.recheck()

    assert guarded.refusal


class TightStore(MemoryStore):
    """Has room for so many characters at a time, and answers whatever it is asked."""

    room = 10

    def set(self, key: str, value: str) -> None:
        self.check_writable(len(value))
        super().set(key, value)

    def check_writable(self, size: int | None = None) -> None:
        if size and size > self.room:
            raise WriteRefused("No room.")


def test_a_little_that_finds_room_does_not_hide_that_more_does_not(clock: MovingClock) -> None:
    store = TightStore(clock)
    guarded = GuardedStore(store, clock, in_place)
    with pytest.raises(WriteRefused):
        guarded.set("picture", "x" * 11)
    clock.now += MAX_WRITE_RETRY_PAUSE

    guarded.set("document", "x" * 10)
    guarded.recheck()
    still = guarded.refusal
    store.room = 11
    guarded.recheck()

    assert still
    assert guarded.refusal is None


def test_read_only_and_writable_again_are_logged_once_each(
    refusing: UpstashStore, upstash: FakeUpstash, clock: MovingClock, caplog: pytest.LogCaptureFixture
) -> None:
    guarded = GuardedStore(refusing, clock, in_place)
    caplog.set_level("INFO", logger="igfeed")
    for _ in range(3):
        with pytest.raises(WriteRefused):
            guarded.set("k", "w")
        guarded.get("k")
        clock.now += MAX_WRITE_RETRY_PAUSE
    upstash.heal()
    guarded.set("k", "w")

    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_a_guarded_upstash_asks_once_and_heals(
    connected: UpstashStore, upstash: FakeUpstash, clock: MovingClock
) -> None:
    guarded = GuardedStore(connected, clock, in_place)
    upstash.fail("redis_down")
    for _ in range(4):
        with pytest.raises(StoreError):
            guarded.get("k")
    assert len(upstash.log) == 1
    upstash.heal()
    clock.now += STORE_RETRY_PAUSE
    guarded.set("k", "v")
    assert guarded.get("k") == "v"
