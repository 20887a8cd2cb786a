"""The measure: a Flask view that does nothing but return the same bytes, those of the file `BENCH_PAGE`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PAGE = Path(os.environ["BENCH_PAGE"]).read_bytes()
HEADERS = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(PAGE)))]

app = Flask(__name__)


@app.get("/embed")
def embed() -> bytes:
    return PAGE


def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """What no Python server can go below."""
    start_response("200 OK", HEADERS)
    return [PAGE]
