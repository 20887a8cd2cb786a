"""The pages of the feed as files: what the app answers, with addresses that work in a folder.

The app is asked as by a visitor behind a made-up prefix. So each address of ours in an answer begins with that prefix,
and no other text does. Whatever an answer names becomes a file too.
"""

import re
from collections import deque
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, url_for
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from igfeed.errors import IgfeedError
from igfeed.owner.export.file_names import DRAWING, page_name, picture_name
from igfeed.owner.export.folder import NewExport
from igfeed.web.addresses import FOR_FILES
from igfeed.web.headers import CSP_HEADER
from igfeed.widget.views import View

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

PICTURES = "/media/"
TEXTS = ("text/", "application/")
"""Answers with media types that begin so may have addresses in them."""

CHARSET = b'<meta charset="utf-8">\n'
NOT_IN_ELEMENT = re.compile(r"; frame-ancestors [^;]*")
"""The part of a policy that browsers take from a header only."""


class Site:
    """Adds the files of an account's feed to an export. ``base`` is the address of its folder, None if unknown.

    ``prefix`` is a word that is in no text of the feed, and ``query`` has the options of all pages.
    """

    def __init__(
        self, app: Flask, export: NewExport, prefix: str, *, account: str | None, base: str | None, query: str
    ) -> None:
        self._app, self._export, self._base, self._query = app, export, base, query
        self._prefix = f"/{prefix}"
        self._address = re.compile(
            rf'((?:https?:)?//[^/\s"]*)?{self._prefix}(/[\w./%-]*)(\?(?:&amp;|[\w=%.+&-])*)?', re.ASCII
        )
        with app.request_context(self._request("/")):
            top = url_for("widget.index").removeprefix(self._prefix).rstrip("/")
        self._top = f"/{account}{top}" if account else top
        self._texts: set[str] = set()
        self._waiting: deque[tuple[str, str, str]] = deque()
        self._pictures: dict[str, str] = {}

    def write(self) -> None:
        self._export.write(".nojekyll", b"")  # GitHub Pages would leave out files of some names.
        # With an address, the page names the documents for programs.
        for view in View if self._base else (View.PAGE, View.EMBED):
            self._name(f"{self._top}{view.path}", self._query)
        for script in ("embed.js", "widget.js"):
            self._name(f"{self._top}/{script}", "")
        while self._waiting:
            self._write_text(*self._waiting.popleft())

    def _name(self, path: str, query: str) -> str:
        """The name of the file for an address. A text is added to those that have to be written."""
        own = path.removeprefix(self._top)
        if own.startswith(PICTURES):
            return self._picture(path, own)
        view = View.at(own)
        name = page_name(view, query) if view else own.lstrip("/")
        if name not in self._texts:
            self._texts.add(name)
            self._waiting.append((name, path, query))
        return name

    def _picture(self, path: str, own: str) -> str:
        """The name of a picture's file. If it cannot be fetched: the file of the export before, or a drawing."""
        if path not in self._pictures:
            answer, usual = self._ask(path), own.lstrip("/")
            if answer.mimetype == DRAWING and self._export.keep(usual):
                self._pictures[path] = usual
            else:
                self._pictures[path] = picture_name(usual, str(answer.mimetype))
                self._export.write(self._pictures[path], answer.get_data())
        return self._pictures[path]

    def _write_text(self, name: str, path: str, query: str) -> None:
        answer = self._ask(path, query)
        if answer.status_code != 200:  # noqa: PLR2004
            raise IgfeedError(f"{name} could not be made: the app answers {path} with {answer.status}.")
        content = answer.get_data()
        if str(answer.mimetype).startswith(TEXTS):
            content = self._address.sub(self._in_folder, content.decode()).encode()
        if answer.mimetype == "text/html":
            content = _with_policy(content, answer.headers[CSP_HEADER])
        self._export.write(name, content)

    def _in_folder(self, found: re.Match[str]) -> str:
        """The address of a file in place of the found address. A relative one begins with ``./``."""
        origin, path, query = found.groups(default="")
        name = self._name(path, unescape(query)[1:])
        if not origin:
            return f"./{name}"
        base = self._base or origin
        place = base if origin.startswith("http") else base[base.index("//") :]
        return f"{place}/{'' if name == 'index.html' else name}"

    def _ask(self, path: str, query: str = "") -> Response:
        return Response.from_app(self._app.wsgi_app, self._request(path, query), buffered=True)

    def _request(self, path: str, query: str = "") -> "WSGIEnvironment":
        origin = urlsplit(self._base or "http:")
        builder = EnvironBuilder(
            path,
            base_url=f"{origin.scheme}://{origin.netloc or 'localhost'}{self._prefix}",
            query_string=query,
            environ_overrides={FOR_FILES: True},
        )
        environ = builder.get_environ()
        return environ if origin.netloc else environ | {"HTTP_HOST": ""}


def _with_policy(page: bytes, policy: str) -> bytes:
    """The page with its policy inside, as a static host sends none."""
    element = f'<meta http-equiv="Content-Security-Policy" content="{NOT_IN_ELEMENT.sub("", policy)}">\n'
    return page.replace(CHARSET, CHARSET + element.encode(), 1)
