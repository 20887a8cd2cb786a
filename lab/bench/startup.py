"""Milliseconds from nothing to the first page of a fresh process, or to an imported Flask, as the argument says."""

import sys
import time
from wsgiref.util import setup_testing_defaults


def first_page() -> None:
    from wsgi import app

    environ = {"PATH_INFO": "/embed"}
    setup_testing_defaults(environ)
    body = b"".join(app(environ, lambda *_: bytes))
    if b"data-post-id" not in body:
        raise SystemExit("There was no page.")


def flask() -> None:
    import flask  # noqa: F401  it is the import that is measured


def main() -> None:
    started = time.perf_counter()
    first_page() if sys.argv[1] == "page" else flask()
    sys.stdout.write(f"{(time.perf_counter() - started) * 1000:.2f}")


if __name__ == "__main__":
    main()
