"""gunicorn's settings, found by plain ``gunicorn wsgi:app`` in this folder."""

import os
import sys

from gunicorn.arbiter import Arbiter
from gunicorn.workers.gthread import ThreadWorker

from igfeed import create_app_or_exit
from igfeed.services import services_of

# The parent makes an app once only to check the start: an error ends gunicorn here with one line. If a worker failed
# instead, gunicorn would start it again for ever. No connection is opened yet, so the forks share none.
settings = services_of(create_app_or_exit()).settings


def number_of_workers(text: str) -> int:
    """Refuse zero: gunicorn would listen, but no worker would answer."""
    if int(text) < 1:
        raise SystemExit(f"igfeed cannot start. WEB_CONCURRENCY is {text!r}: it takes a whole number from 1 up.")
    return int(text)


class Worker(ThreadWorker):
    """Slow replies of Instagram hold up one thread, not a worker.

    If a start fails only in a worker, WORKER_BOOT_ERROR makes gunicorn end instead of starting it again.
    """

    def load_wsgi(self) -> None:
        os.environ["FORWARDED_ALLOW_IPS"] = ",".join(self.cfg.forwarded_allow_ips)  # The option wins.
        try:
            super().load_wsgi()
        except SystemExit as error:
            sys.stderr.write(f"{error.code}\n")
            raise SystemExit(Arbiter.WORKER_BOOT_ERROR) from None


host = "127.0.0.1" if settings.demo else "0.0.0.0"  # noqa: S104  a server is for all, a sample for this machine
# Without X-Forwarded-Proto: gunicorn takes "https, http" of two proxies for http, and refuses it in two lines. The app
# reads it itself, of the same proxies (FORWARDED_ALLOW_IPS, --forwarded-allow-ips), under any server.
secure_scheme_headers = {"X-FORWARDED-PROTOCOL": "ssl", "X-FORWARDED-SSL": "on"}
bind = f"{host}:{settings.port}"
worker_class = Worker
workers = number_of_workers(os.environ.get("WEB_CONCURRENCY") or "2")
threads = 8
# One listening socket for all. With one each, a few kept-alive connections are shared out more evenly, but the system
# goes on giving new ones to a worker that is ending: three reloads lost 10 of 8,473 requests, against none of 8,317.
reuse_port = False
preload_app = False  # Each worker makes its own connections; none is shared across a fork.
# A guard against an unknown leak. If it were much lower, a busy worker would start anew every few seconds, and each
# start is half a second of work, empty caches and a command to the store.
max_requests = 1_000_000
max_requests_jitter = 100_000  # So that the workers do not all start anew at once.
graceful_timeout = 30
keepalive = 5
control_socket_disable = True  # Nobody uses it, and a read-only home would make it fail.
