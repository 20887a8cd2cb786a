"""Where alerts and new posts arrive: a webhook over HTTP and a mailbox over SMTP, both on this machine."""

from __future__ import annotations

import json
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from threading import Event, Thread
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller

HOST = "127.0.0.1"


class Received(NamedTuple):
    """``headers`` by their names in small letters."""

    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class Webhook:
    """Takes any POST. ``status`` is what it answers; it answers nothing while ``is_silent``.

    ``received`` are the requests that it has answered with 200.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.requests = 0
        self.status = 200
        self.is_silent = False
        self._over = Event()

    def __enter__(self) -> Webhook:
        self._server = ThreadingHTTPServer((HOST, 0), self._handler())
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def address(self, secret: str = "hook") -> str:
        """For IGFEED_ALERTS; the secret is the path's, as in most webhooks."""
        return f"json://{HOST}:{self._server.server_port}/{secret}"

    def url(self, secret: str = "hook") -> str:
        """For IGFEED_ON_NEW_POST."""
        return f"http://{HOST}:{self._server.server_port}/{secret}"

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """What Apprise's ``json://`` has sent."""
        return [each.json for each in self.received]

    @property
    def post_ids(self) -> list[list[str]]:
        """The ids of the new posts in each request."""
        return [[item["id"] for item in each.json["items"]] for each in self.received]

    @property
    def titles(self) -> list[str]:
        return [alert["title"] for alert in self.alerts]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                webhook.requests += 1
                if webhook.is_silent:
                    webhook._over.wait(60)
                    return
                if webhook.status == 200:
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    webhook.received.append(Received(headers, body))
                # It repeats what is secret, as a server's page about an error may.
                answer = f"no such hook: {self.path}".encode()
                self.send_response(webhook.status)
                self.send_header("X-Path", self.path)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


class Mailbox:
    """Takes mail for anybody."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        # The controller connects to itself once it has started, so it must be told a port that is free.
        with socket() as free:
            free.bind((HOST, 0))
            self._port = free.getsockname()[1]
        self._controller = Controller(self, hostname=HOST, port=self._port)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def __enter__(self) -> Mailbox:
        self._controller.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._controller.stop()

    @property
    def address(self) -> str:
        return f"mailto://{HOST}:{self._port}/?from=feed@example.com&to=owner@example.com&mode=insecure"
