"""An HTTP client of the soak: it keeps one connection, as a browser does, and tallies what it gets."""

from __future__ import annotations

import time
from http.client import HTTPConnection, HTTPException
from threading import Event

from lab.soak.claims import DROPPED_AT_END, LOSS_CLAIM, Tally

CLIENT_TIME_LIMIT = 60.0
"""Seconds after which a visitor gives up, which counts as a lost request: more than any time limit of the app."""


class Client:
    """One client with one connection. What it cannot get is in the tally; it stops when the server is gone."""

    def __init__(self, port: int, tally: Tally, ending: Event) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=CLIENT_TIME_LIMIT)
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
        """Tried anew once where a kept connection turns out to be closed, as clients do."""
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
            claim = DROPPED_AT_END if self._ending.is_set() else LOSS_CLAIM
            self._tally.break_claim(claim, f"{path}: {type(error).__name__} {error}")
