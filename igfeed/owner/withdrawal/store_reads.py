"""How often strangers may make igfeed ask the store: each command may cost the owner money.

Anybody can send a request to Meta's callbacks, or ask for the page of a made-up code.
"""

from typing import TYPE_CHECKING

from igfeed.clock import Deadline
from igfeed.errors import StoreError
from igfeed.services import Services

if TYPE_CHECKING:
    from igfeed.models.app_credentials import AppCredentials

APP_LIFETIME = 30.0
"""Seconds until the app's id and secret are read again. So long other processes may miss a change in the studio."""

CODES_IN_A_WINDOW = 10
"""So many confirmation codes are looked up in ``CODES_WINDOW`` seconds by one process."""

CODES_WINDOW = 60.0


class StoreReads:
    """What one process has read for strangers. Two threads may read twice, which does no harm."""

    def __init__(self) -> None:
        self._app: AppCredentials | None = None
        self._app_until = Deadline(0)
        self._codes_left = 0
        self._window = Deadline(0)

    def app(self, services: Services) -> "AppCredentials | None":
        """The app's id and secret. Raises StoreError if they have to be read and cannot be."""
        from igfeed.owner.connect import app_credentials  # noqa: PLC0415  a visitor's process needs none of this

        if not self._app_until.left():
            self._app = app_credentials.credentials(services)
            self._app_until = Deadline(APP_LIFETIME)
        return self._app

    def count_a_code(self) -> None:
        """Call this before a confirmation code is looked up. Raises StoreError if too many were looked up just now."""
        if not self._window.left():
            self._window, self._codes_left = Deadline(CODES_WINDOW), CODES_IN_A_WINDOW
        self._codes_left -= 1
        if self._codes_left < 0:
            raise StoreError("Too many confirmation codes were looked up in the last minute.")
