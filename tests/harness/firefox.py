"""A real Firefox, driven by Marionette: the protocol that Firefox itself speaks (a length, a colon, JSON)."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 120
"""Seconds that a busy machine may take to start a browser or to load a page."""

PREFERENCES = {
    "marionette.port": 0,  # Any free port. Firefox writes it into the profile.
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
}
FLAGS = ("--headless", "--no-remote", "--marionette", "--remote-allow-system-access")

IS_DARK = "layout.css.prefers-color-scheme.content-override"
"""Firefox's setting for what pages take for the system's scheme: 0 is dark, 1 is light."""


class Firefox:
    """One window. A context manager: the browser ends with it."""

    def __init__(self, program: str, profile: Path) -> None:
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
        (profile / "user.js").write_text("\n".join(lines), "utf-8")
        command = [program, *FLAGS, "--profile", str(profile)]
        environment = {**os.environ, "HOME": str(profile)}
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdout=quiet, stderr=quiet, env=environment)
        self._socket = socket.create_connection(("127.0.0.1", self._port(profile / "MarionetteActivePort")), PATIENCE)
        self._file = self._socket.makefile("rb")
        self._receive()  # Firefox begins with a greeting.
        self._call("WebDriver:NewSession", {"capabilities": {}})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()
        self._process.terminate()
        self._process.wait(PATIENCE)

    def resize(self, width: int, height: int) -> None:
        """Of the page's area, in pixels."""
        edges = self.evaluate("return [outerWidth - innerWidth, outerHeight - innerHeight]")
        self._call("WebDriver:SetWindowRect", {"width": width + edges[0], "height": height + edges[1]})

    def go(self, address: str) -> None:
        """Returns when the page and its frames have loaded."""
        self._call("WebDriver:Navigate", {"url": address})

    def evaluate(self, script: str, *arguments: object) -> Any:
        """What the body of a function returns. A promise is waited for."""
        return self._call("WebDriver:ExecuteScript", {"script": script, "args": list(arguments)})["value"]

    def screenshot(self) -> bytes:
        """What is on the screen, as PNG."""
        return base64.b64decode(self._call("WebDriver:TakeScreenshot", {"full": False})["value"])

    def set_scheme(self, scheme: str) -> None:
        """Let pages believe that the system is ``light`` or ``dark``."""
        self._call("Marionette:SetContext", {"value": "chrome"})
        self.evaluate("Services.prefs.setIntPref(...arguments)", IS_DARK, int(scheme == "light"))
        self._call("Marionette:SetContext", {"value": "content"})

    def _port(self, file: Path) -> int:
        deadline = time.monotonic() + PATIENCE
        while not (file.exists() and file.read_text().strip()):
            assert self._process.poll() is None, "Firefox has ended"
            assert time.monotonic() < deadline, "Firefox does not start"
            time.sleep(0.05)
        return int(file.read_text())

    def _call(self, name: str, parameters: dict[str, Any]) -> Any:
        text = json.dumps([0, 1, name, parameters]).encode()
        self._socket.sendall(f"{len(text)}:".encode() + text)
        _, _, error, result = self._receive()
        assert error is None, error
        return result

    def _receive(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            length += self._file.read(1)
        return json.loads(self._file.read(int(length[:-1])))
