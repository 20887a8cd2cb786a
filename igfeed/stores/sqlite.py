"""The embedded store: one SQLite file, safe across threads and processes."""

import logging
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Lock

from igfeed.clock import Clock, Deadline, sleep, system_clock
from igfeed.errors import StoreError
from igfeed.stores import Kind

log = logging.getLogger(__name__)

TIME_LIMIT = 2.0
"""Seconds to wait for another process's write, the same as for the remote store."""

BUSY_PAUSE = 0.01
"""Seconds between two tries at what SQLite itself does not wait for."""

CLAIM_SLACK = timedelta(minutes=1)
"""How far a claim may outlast our own: who has it may have read the clock after us and still been first."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS document (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS claim (key TEXT PRIMARY KEY, ends REAL NOT NULL) WITHOUT ROWID;
"""

FIRST = "INSERT INTO document (key, value) VALUES (:key, :new) ON CONFLICT (key) DO NOTHING"
SWAP = "UPDATE document SET value = :new WHERE key = :key AND value = :old"

CLAIM = """
INSERT INTO claim (key, ends) VALUES (:key, :ends)
ON CONFLICT (key) DO UPDATE SET ends = excluded.ends WHERE claim.ends <= :now OR claim.ends > :latest
"""
"""One that reaches further than any claim can was made before the clock was set back, and counts as ended."""


class SqliteStore:
    """Opens the file anew for each command: nothing to share between threads, nothing to carry across a fork."""

    kind: Kind = "sqlite"

    def __init__(self, path: Path, clock: Clock = system_clock) -> None:
        self._path = path
        self._clock = clock
        self._ready = False
        self._lock = Lock()

    def get(self, key: str) -> str | None:
        with self._open() as db:
            row = db.execute("SELECT value FROM document WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def reread(self, key: str, known: str | None) -> str | None:  # noqa: ARG002  nothing is sent here
        return self.get(key)

    def get_all(self, keys: Sequence[str]) -> list[str | None]:
        marks = ", ".join("?" * len(keys))
        with self._open() as db:
            found = dict(db.execute(f"SELECT key, value FROM document WHERE key IN ({marks})", tuple(keys)))  # noqa: S608
        return [found.get(key) for key in keys]

    def set(self, key: str, value: str) -> None:
        with self._open() as db:
            db.execute("INSERT OR REPLACE INTO document (key, value) VALUES (?, ?)", (key, value))

    def swap(self, key: str, old: str | None, new: str) -> bool:
        with self._open() as db:
            return db.execute(FIRST if old is None else SWAP, {"key": key, "old": old, "new": new}).rowcount == 1

    def delete(self, *keys: str) -> None:
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            db.executemany("DELETE FROM document WHERE key = ?", [(key,) for key in keys])
            db.execute("COMMIT")

    def claim(self, key: str, ttl: timedelta) -> bool:
        now = self._clock()
        ends = now + max(ttl, timedelta(seconds=1))
        moments = {"now": now, "ends": ends, "latest": ends + CLAIM_SLACK}
        seconds = {name: moment.timestamp() for name, moment in moments.items()}
        with self._open() as db:
            won = db.execute(CLAIM, {"key": key, **seconds}).rowcount == 1
            db.execute("DELETE FROM claim WHERE ends <= ?", (now.timestamp(),))
        return won

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self._prepare()
            with closing(sqlite3.connect(self._path, timeout=TIME_LIMIT, isolation_level=None)) as db:
                yield db
        except (sqlite3.Error, OSError) as error:
            # Where it is goes into the log only: the error is shown on the page while there is nothing else to show.
            log.warning("The store %s failed: %s", self._path, error)
            hint = "Check that the file at IGFEED_STORE_PATH and its folder are writable; the log says more."
            raise StoreError(f"The embedded store failed ({type(error).__name__}).", hint) from None

    def _prepare(self) -> None:
        """Make the file once, readable by its owner alone before anything is in it."""
        with self._lock:
            if self._ready and self._path.exists():
                return
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            os.fchmod(descriptor, 0o600)
            os.close(descriptor)
            with closing(sqlite3.connect(self._path, timeout=TIME_LIMIT, isolation_level=None)) as db:
                _write_ahead(db)
                db.executescript(SCHEMA)
            self._ready = True


def _write_ahead(db: sqlite3.Connection) -> None:
    """Change the journal's mode, for which SQLite fails at once where another process is doing just that."""
    deadline = Deadline(TIME_LIMIT)
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or not deadline.left():
                raise
            sleep(BUSY_PAUSE)
        else:
            return
