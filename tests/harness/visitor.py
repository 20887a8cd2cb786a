"""Visitors of a deployment: through Flask's test client, or over HTTP."""

from __future__ import annotations

import re
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import requests
from flask.testing import FlaskClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.test import TestResponse

PATIENCE = 60
"""Seconds after which a visitor of a broken app gives up, so that the test ends."""

POST_IDS = re.compile(r'data-post-id="(\d+)"')


def posts_on(page: requests.Response) -> list[str]:
    """The ids of the posts that a page shows, in its order."""
    return POST_IDS.findall(page.text)


class Visitor(FlaskClient):
    """Reads every answer to its end at once, as a server does: what comes after the answer has then happened."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        return super().open(*args, **{"buffered": True, **kwargs})


class HttpVisitor:
    """Asks over HTTP and waits until what comes after the answer has happened too.

    `wait_for_end` takes the id of a request (sent as ``X-Visit``) and tells whether the server is done with it.
    """

    def __init__(self, address: str, wait_for_end: Callable[[str], bool]) -> None:
        self._address = address
        self._wait_for_end = wait_for_end
        self._session = requests.Session()
        self._session.trust_env = False  # No proxy stands before 127.0.0.1, and looking for one takes its time.

    def get(self, path: str, headers: dict[str, str] | None = None) -> requests.Response:
        visit = token_hex(8)
        sent = {"X-Visit": visit, **(headers or {})}
        response = self._session.get(self._address + path, headers=sent, timeout=PATIENCE)
        assert self._wait_for_end(visit)
        return response

    def close(self) -> None:
        """Closes its connections."""
        self._session.close()

    def page(self) -> requests.Response:
        return self.get("/")

    def posts(self) -> list[str]:
        """The ids of the posts on the page."""
        return posts_on(self.page())

    def load(self, pictures: list[str]) -> set[tuple[int, str]]:
        """The statuses and types that these pictures are answered with."""
        responses = (self.get(path) for path in pictures)
        return {(response.status_code, response.headers["Content-Type"]) for response in responses}
