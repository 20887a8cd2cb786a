"""The embedded store: one SQLite file, safe across threads and processes."""

import errno
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from igfeed.clock import Clock, Deadline, sleep
from igfeed.errors import StoreError, WriteRefused
from igfeed.stores import PROBE, Kind, Store

log = logging.getLogger(__name__)

TIME_LIMIT = 2.0
"""Seconds to wait for another process's write, the same as for the remote store."""

BUSY_PAUSE = 0.01
"""Seconds between two tries at what SQLite itself does not wait for."""

CLAIM_SLACK = timedelta(minutes=1)
"""How much later than ours another claim may end: its owner may have read the clock later, but written first."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS document (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS claim (key TEXT PRIMARY KEY, ends REAL NOT NULL) WITHOUT ROWID;
"""

SET = "INSERT OR REPLACE INTO document (key, value) VALUES (?, ?)"
DELETE = "DELETE FROM document WHERE key = ?"
FIRST = "INSERT INTO document (key, value) VALUES (:key, :new) ON CONFLICT (key) DO NOTHING"
SWAP = "UPDATE document SET value = :new WHERE key = :key AND value = :old"

CLAIM = """
INSERT INTO claim (key, ends) VALUES (:key, :ends)
ON CONFLICT (key) DO UPDATE SET ends = excluded.ends WHERE claim.ends <= :now OR claim.ends > :latest
"""
"""One that reaches further than any claim can was made before the clock was set back, and counts as ended."""

READ_ONLY_WAYS = ("mode=ro", "mode=ro&immutable=1")
"""How a file is read that cannot be written: with what was written ahead if its files are there, else without that."""

NOT_WRITABLE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM}
NOT_PERMITTED = {errno.EROFS, errno.EACCES, errno.EPERM}
FULL = {errno.ENOSPC, errno.EDQUOT}

LEAST_ROOM = 64 * 1024
"""Bytes that the disk needs for the two files beside this one: SQLite says "disk I/O error" where they do not fit."""

T = TypeVar("T")


class SqliteStore(Store):
    """Opens the file anew for each command: nothing to share between threads, nothing to carry across a fork.

    Whoever closes it last merges what was written ahead into the file (SQLite does so by itself). So the file is whole
    between two commands, and can be read where the disk has become full or read-only.
    """

    kind: Kind = "sqlite"

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._ready = False
        self._lock = Lock()
        self._is_read_only = False

    def get(self, key: str) -> str | None:
        row = self._read("SELECT value FROM document WHERE key = ?", key)
        return row[0][0] if row else None

    def get_if_changed(self, key: str, known: str | None) -> str | None:  # noqa: ARG002  nothing is sent here
        return self.get(key)

    def get_all(self, keys: Sequence[str]) -> list[str | None]:
        marks = ", ".join("?" * len(keys))
        found = dict(self._read(f"SELECT key, value FROM document WHERE key IN ({marks})", *keys))  # noqa: S608
        return [found.get(key) for key in keys]

    def set(self, key: str, value: str) -> None:
        self._write(lambda db: db.execute(SET, (key, value)))

    def swap(self, key: str, old: str | None, new: str) -> bool:
        statement, texts = FIRST if old is None else SWAP, {"key": key, "old": old, "new": new}
        return self._write(lambda db: db.execute(statement, texts).rowcount == 1)

    def delete(self, *keys: str) -> None:
        def at_once(db: sqlite3.Connection) -> None:
            db.execute("BEGIN IMMEDIATE")
            db.executemany(DELETE, [(key,) for key in keys])
            db.execute("COMMIT")

        self._write(at_once)

    def claim(self, key: str, ttl: timedelta) -> bool:
        now = self._clock()
        ends = now + max(ttl, timedelta(seconds=1))
        moments = {"now": now, "ends": ends, "latest": ends + CLAIM_SLACK}
        seconds = {name: moment.timestamp() for name, moment in moments.items()}

        def take(db: sqlite3.Connection) -> bool:
            won = db.execute(CLAIM, {"key": key, **seconds}).rowcount == 1
            db.execute("DELETE FROM claim WHERE ends <= ?", (now.timestamp(),))
            return won

        return self._write(take)

    def check_writable(self, size: int | None = None) -> None:
        """Writes and rolls back. Nothing less shows that the disk has room."""
        self.set(PROBE, "x" * (size or 0))
        self.delete(PROBE)

    def _read(self, query: str, *values: str) -> list[Any]:
        """The rows. SQLite makes files beside this one even to read it; where it cannot, it is read as it lies."""
        address = self._path.absolute().as_uri()
        try:
            self._prepare()
            rows = _rows(address, query, values)
        except (sqlite3.Error, OSError) as error:
            found = _rows_without_writing(address, query, values) if _is_of_disk(error) else None
            if found is None:
                raise self._failure(error) from None
            self._tell_read_only(error)
            return found
        self._is_read_only = False
        return rows

    def _write(self, command: Callable[[sqlite3.Connection], T]) -> T:
        try:
            self._prepare()
            with closing(sqlite3.connect(self._path, timeout=TIME_LIMIT, isolation_level=None)) as db:
                return command(db)
        except (sqlite3.Error, OSError) as error:
            raise self._failure(error, WriteRefused if _is_of_disk(error) else StoreError) from None

    def _failure(self, error: sqlite3.Error | OSError, kind: type[StoreError] = StoreError) -> StoreError:
        # Where it is goes into the log only: the error is shown on the page while there is nothing else to show.
        log.warning("The store %s failed: %s", self._path, error)
        if _is_of_disk(error) and self._is_disk_full(error):
            return kind("The disk is full, so the store takes no writes.", "Make room where IGFEED_STORE_PATH lies.")
        hint = "Check that the file at IGFEED_STORE_PATH and its folder are writable; the log says more."
        if kind is WriteRefused:
            return kind("The store's file can only be read.", hint)
        return kind(f"The embedded store failed ({type(error).__name__}).", hint)

    def _is_disk_full(self, error: sqlite3.Error | OSError) -> bool:
        if _code(error) == sqlite3.SQLITE_FULL or getattr(error, "errno", None) in FULL:
            return True
        with suppress(OSError):
            return _code(error) == sqlite3.SQLITE_IOERR and shutil.disk_usage(self._path.parent).free < LEAST_ROOM
        return False

    def _tell_read_only(self, error: sqlite3.Error | OSError) -> None:
        if not self._is_read_only:
            log.warning("The store %s cannot be written and is read as it is: %s", self._path, error)
        self._is_read_only = True

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


def _rows(address: str, query: str, values: tuple[str, ...]) -> list[Any]:
    with closing(sqlite3.connect(address, uri=True, timeout=TIME_LIMIT, isolation_level=None)) as db:
        return db.execute(query, values).fetchall()


def _rows_without_writing(address: str, query: str, values: tuple[str, ...]) -> list[Any] | None:
    """None where that cannot be read either."""
    for way in READ_ONLY_WAYS:
        with suppress(sqlite3.Error):
            return _rows(f"{address}?{way}", query, values)
    return None


def _is_of_disk(error: sqlite3.Error | OSError) -> bool:
    """Whether it says that nothing can be written. What is no database, or is locked, has other reasons."""
    if isinstance(error, OSError):
        return error.errno in NOT_PERMITTED | FULL
    return _code(error) in {*NOT_WRITABLE, sqlite3.SQLITE_FULL}


def _code(error: sqlite3.Error | OSError) -> int:
    """SQLite's primary result code, which is the last byte of its extended ones; 0 of what is no SQLite error."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


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
