"""Microseconds of processor time that an answer costs inside the process: no server, no socket, little noise.

`python -m lab.bench.inside`, with a deployment's variables set, prints JSON: medians over blocks that take turns.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from io import BytesIO
from statistics import median
from typing import Any
from wsgiref.util import setup_testing_defaults

from lab.bench import bare
from wsgi import app

BLOCKS = 40
CALLS = 100

Call = Callable[[], "tuple[str, list[tuple[str, str]]]"]


def call(wsgi: Callable[..., Iterable[bytes]], **headers: str) -> Call:
    """One view of the embed, through to its last byte."""
    environ: dict[str, Any] = {"PATH_INFO": "/embed", "REQUEST_METHOD": "GET", "wsgi.input": BytesIO(), **headers}
    setup_testing_defaults(environ)

    def view() -> tuple[str, list[tuple[str, str]]]:
        got: list[Any] = []
        body = wsgi(environ.copy(), lambda status, sent, _=None: got.extend((status, sent)))
        for _ in body:
            pass
        if close := getattr(body, "close", None):
            close()
        return got[0], got[1]

    return view


def measured(calls: dict[str, Call]) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(BLOCKS):
        for name, view in calls.items():
            started = time.process_time_ns()
            for _ in range(CALLS):
                view()
            taken[name].append((time.process_time_ns() - started) / CALLS / 1000)
    return {name: median(each) for name, each in taken.items()}


def main() -> None:
    etag = dict(call(app)()[1])["ETag"]
    calls = {
        "finished": call(app),
        "finished once more": call(app),
        "finished 304": call(app, HTTP_IF_NONE_MATCH=etag),
        # A request with credentials is for the view alone, whatever stands before it.
        "flask": call(app, HTTP_AUTHORIZATION="Basic bm9ib2R5"),
        "flask 304": call(app, HTTP_AUTHORIZATION="Basic bm9ib2R5", HTTP_IF_NONE_MATCH=etag),
        "bare view": call(bare.app),
        "bare WSGI": call(bare.wsgi),
    }
    for view in calls.values():
        view()
    json.dump(measured(calls), sys.stdout)


if __name__ == "__main__":
    main()
