"""Visitors of a deployment: through Flask's test client, or over HTTP."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http.client import HTTPConnection
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Protocol

from flask.testing import FlaskClient

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message

    from werkzeug.test import TestResponse

PATIENCE = 60
"""Seconds after which a visitor of a broken app gives up, so that the test ends."""

POST_IDS = re.compile(r'data-post-id="(\d+)"')


class Text(Protocol):
    """An answer of any client."""

    @property
    def text(self) -> str: ...


@dataclass(frozen=True)
class HttpAnswer:
    """An answer that came over HTTP."""

    status_code: int
    headers: Message
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)


def posts_on(page: Text) -> list[str]:
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

    def __init__(self, port: int, wait_for_end: Callable[[str], bool]) -> None:
        self._port = port
        self._wait_for_end = wait_for_end
        self._idle: list[HTTPConnection] = []

    def get(self, path: str, headers: dict[str, str] | None = None) -> HttpAnswer:
        visit = token_hex(8)
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        connection.request("GET", path, headers={"X-Visit": visit, **(headers or {})})
        response = connection.getresponse()
        answer = HttpAnswer(response.status, response.headers, response.read())
        self._idle.append(connection)
        assert self._wait_for_end(visit)
        return answer

    def close(self) -> None:
        """Closes its connections."""
        for connection in self._idle:
            connection.close()

    def page(self) -> HttpAnswer:
        return self.get("/")

    def posts(self) -> list[str]:
        """The ids of the posts on the page."""
        return posts_on(self.page())

    def load(self, pictures: list[str]) -> set[tuple[int, str]]:
        """The statuses and types that these pictures are answered with."""
        responses = (self.get(path) for path in pictures)
        return {(response.status_code, response.headers["Content-Type"]) for response in responses}
