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
from igfeed.stores import PROBE_KEY, Kind, Store

log = logging.getLogger(__name__)

LOCK_TIME_LIMIT = 2.0
"""Seconds that a command waits for another writer's lock; the remote store has the same limit.

SQLite is not fair: it asks again after pauses that grow to 100 ms, so one writer among many may wait much longer than
the others. On a busy machine that writer reaches the limit, and its command fails with "database is locked". So the
threads of one process, which mirror pictures at the same time, take turns before they ask SQLite.
"""

BUSY_RETRY_PAUSE = 0.01
"""Seconds between two tries to switch the journal's mode."""

CLAIM_SLACK = timedelta(minutes=1)
"""How much later than a new claim an older one may end: another process may read the clock after us but write first."""

SCHEMA_SQL = """
CREATE TABLE IF NOT EXISTS document (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS claim (key TEXT PRIMARY KEY, ends REAL NOT NULL) WITHOUT ROWID;
"""

SET_SQL = "INSERT OR REPLACE INTO document (key, value) VALUES (?, ?)"
DELETE_SQL = "DELETE FROM document WHERE key = ?"
DELETE_PREFIX_SQL = tuple(
    f"DELETE FROM {table} WHERE substr(key, 1, length(:prefix)) = :prefix"  # noqa: S608  the tables' own names
    for table in ("document", "claim")
)
INSERT_SQL = "INSERT INTO document (key, value) VALUES (:key, :new) ON CONFLICT (key) DO NOTHING"
SWAP_SQL = "UPDATE document SET value = :new WHERE key = :key AND value = :old"

CLAIM_SQL = """
INSERT INTO claim (key, ends) VALUES (:key, :ends)
ON CONFLICT (key) DO UPDATE SET ends = excluded.ends WHERE claim.ends <= :now OR claim.ends > :latest
"""
"""A claim that ends later than any new claim could end was made before the clock was set back. It counts as ended."""

READ_ONLY_MODES = ("mode=ro", "mode=ro&immutable=1")
"""How to open a file that cannot be written: with its write-ahead log if that can be read, else without it."""

NOT_WRITABLE_CODES = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM}
NOT_PERMITTED_ERRNOS = {errno.EROFS, errno.EACCES, errno.EPERM}
DISK_FULL_ERRNOS = {errno.ENOSPC, errno.EDQUOT}

MIN_FREE_BYTES = 64 * 1024
"""Free bytes that the two files of the write-ahead log need. Without them SQLite says "disk I/O error", not "full"."""

T = TypeVar("T")


class SqliteStore(Store):
    """Opens the file for each command and closes it: no connection is shared between threads or carried across a fork.

    The last connection that is closed merges the write-ahead log into the file (SQLite does so by itself). So the file
    is complete between two commands, and can still be read after the disk has become full or read-only.
    ``time_limit`` is how many seconds a command waits for another writer.
    """

    kind: Kind = "sqlite"

    def __init__(self, path: Path, clock: Clock, time_limit: float = LOCK_TIME_LIMIT) -> None:
        self._path = path
        self._clock = clock
        self._time_limit = time_limit
        self._ready = False
        self._lock = Lock()
        self._turn = Lock()
        self._is_read_only = False

    def get(self, key: str) -> str | None:
        row = self._read("SELECT value FROM document WHERE key = ?", key)
        return row[0][0] if row else None

    def get_if_changed(self, key: str, known: str | None) -> str | None:  # noqa: ARG002  reading a file transfers nothing
        return self.get(key)

    def get_all(self, keys: Sequence[str]) -> list[str | None]:
        # Only question marks are formatted into the statement. The keys are bound as values.
        marks = ", ".join("?" * len(keys))
        found = dict(self._read(f"SELECT key, value FROM document WHERE key IN ({marks})", *keys))  # noqa: S608
        return [found.get(key) for key in keys]

    def set(self, key: str, value: str) -> None:
        self._write(lambda db: db.execute(SET_SQL, (key, value)))

    def swap(self, key: str, old: str | None, new: str) -> bool:
        statement, texts = INSERT_SQL if old is None else SWAP_SQL, {"key": key, "old": old, "new": new}
        return self._write(lambda db: db.execute(statement, texts).rowcount == 1)

    def delete(self, *keys: str) -> None:
        def delete_all(db: sqlite3.Connection) -> None:
            # Without this transaction each key would be deleted in one of its own (autocommit).
            db.execute("BEGIN IMMEDIATE")
            db.executemany(DELETE_SQL, [(key,) for key in keys])
            db.execute("COMMIT")

        self._write(delete_all)

    def delete_prefix(self, prefix: str) -> None:
        def delete_all(db: sqlite3.Connection) -> None:
            db.execute("BEGIN IMMEDIATE")
            for statement in DELETE_PREFIX_SQL:
                db.execute(statement, {"prefix": prefix})
            db.execute("COMMIT")

        self._write(delete_all)

    def claim(self, key: str, ttl: timedelta) -> bool:
        now = self._clock()
        ends = now + max(ttl, timedelta(seconds=1))
        moments = {"now": now, "ends": ends, "latest": ends + CLAIM_SLACK}
        seconds = {name: moment.timestamp() for name, moment in moments.items()}

        def take(db: sqlite3.Connection) -> bool:
            won = db.execute(CLAIM_SQL, {"key": key, **seconds}).rowcount == 1
            # Ended claims are deleted, because many keys are claimed once only and would pile up.
            db.execute("DELETE FROM claim WHERE ends <= ?", (now.timestamp(),))
            return won

        return self._write(take)

    def check_writable(self, size: int | None = None) -> None:
        """Stores a text and deletes it. Only a real write shows that the disk has room."""
        self.set(PROBE_KEY, "x" * (size or 0))
        self.delete(PROBE_KEY)

    def _read(self, query: str, *values: str) -> list[Any]:
        """The rows. SQLite writes extra files even to read; if the disk refuses that, the file is opened read-only."""
        address = self._path.absolute().as_uri()
        try:
            self._prepare()
            rows = self._rows(address, query, values)
        except (sqlite3.Error, OSError) as error:
            found = self._rows_without_writing(address, query, values) if _is_write_refusal(error) else None
            if found is None:
                raise self._failure(error) from None
            self._log_read_only(error)
            return found
        self._is_read_only = False
        return rows

    def _rows(self, address: str, query: str, values: tuple[str, ...]) -> list[Any]:
        with closing(sqlite3.connect(address, uri=True, timeout=self._time_limit, isolation_level=None)) as db:
            return db.execute(query, values).fetchall()

    def _rows_without_writing(self, address: str, query: str, values: tuple[str, ...]) -> list[Any] | None:
        """The rows, None if the file cannot be opened read-only either."""
        for mode in READ_ONLY_MODES:
            with suppress(sqlite3.Error):
                return self._rows(f"{address}?{mode}", query, values)
        return None

    def _write(self, command: Callable[[sqlite3.Connection], T]) -> T:
        try:
            self._prepare()
            with self._turn, closing(self._connect()) as db:
                return command(db)
        except (sqlite3.Error, OSError) as error:
            raise self._failure(error, WriteRefused if _is_write_refusal(error) else StoreError) from None

    def _connect(self) -> sqlite3.Connection:
        # No isolation level: sqlite3 then begins no transaction by itself, and each statement commits at once.
        return sqlite3.connect(self._path, timeout=self._time_limit, isolation_level=None)

    def _failure(self, error: sqlite3.Error | OSError, kind: type[StoreError] = StoreError) -> StoreError:
        # The path goes into the log only, because visitors see the error while there is no feed to show.
        log.warning("The store %s failed: %s", self._path, error)
        if _is_write_refusal(error) and self._is_disk_full(error):
            return kind("The disk is full, so the store takes no writes.", "Make room where IGFEED_STORE_PATH lies.")
        hint = "Check that the file at IGFEED_STORE_PATH and its folder are writable; the log says more."
        if kind is WriteRefused:
            return kind("The store's file can only be read.", hint)
        return kind(f"The embedded store failed ({type(error).__name__}).", hint)

    def _is_disk_full(self, error: sqlite3.Error | OSError) -> bool:
        if _code(error) == sqlite3.SQLITE_FULL or getattr(error, "errno", None) in DISK_FULL_ERRNOS:
            return True
        with suppress(OSError):
            return _code(error) == sqlite3.SQLITE_IOERR and shutil.disk_usage(self._path.parent).free < MIN_FREE_BYTES
        return False

    def _log_read_only(self, error: sqlite3.Error | OSError) -> None:
        if not self._is_read_only:
            log.warning("The store %s cannot be written and is read as it is: %s", self._path, error)
        self._is_read_only = True

    def _prepare(self) -> None:
        """Create the file if it is missing. Only its owner may read it, even before it has any content."""
        with self._lock:
            # Looked up each time, because somebody may delete the file while this process runs.
            if self._ready and self._path.exists():
                return
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            # A file that already exists keeps its mode when it is opened, so the mode is set again.
            os.fchmod(descriptor, 0o600)
            os.close(descriptor)
            with closing(sqlite3.connect(self._path, timeout=self._time_limit, isolation_level=None)) as db:
                _write_ahead(db, self._time_limit)
                db.executescript(SCHEMA_SQL)
            self._ready = True


def _is_write_refusal(error: sqlite3.Error | OSError) -> bool:
    """Whether the error says that the disk takes no writes. A locked file is another error."""
    if isinstance(error, OSError):
        return error.errno in NOT_PERMITTED_ERRNOS | DISK_FULL_ERRNOS
    return _code(error) in {*NOT_WRITABLE_CODES, sqlite3.SQLITE_FULL}


def _code(error: sqlite3.Error | OSError) -> int:
    """SQLite's primary result code, which is the last byte of an extended code. 0 if it is no SQLite error."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _write_ahead(db: sqlite3.Connection, time_limit: float) -> None:
    """Switch the journal to WAL, so that readers do not wait for a writer.

    SQLite's own timeout has no effect here: the switch fails at once while another process switches. So this waits.
    """
    deadline = Deadline(time_limit)
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or not deadline.left():
                raise
            sleep(BUSY_RETRY_PAUSE)
        else:
            return
