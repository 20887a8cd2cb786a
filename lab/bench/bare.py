"""The measures: views that do nothing but return the same bytes, those of the file `BENCH_PAGE`.

`app` is one of Flask's. `wsgi` is the limit: it gives the whole of our answer, headers and body, and does nothing for
it. `with_two_headers` gives the body with the least that a browser needs; between the two is what our headers cost the
server.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

NAME = os.environ["BENCH_PAGE"]
PAGE = Path(NAME).read_bytes()
HEADERS = [(name, value) for name, value in json.loads(Path(f"{NAME}.headers").read_text("utf-8"))]
TWO_HEADERS = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(PAGE)))]

app = Flask(__name__)


@app.get("/embed")
def embed() -> bytes:
    return PAGE


def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """What no Python server can go below."""
    start_response("200 OK", HEADERS)
    return [PAGE]


def with_two_headers(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", TWO_HEADERS)
    return [PAGE]
