"""gunicorn's settings, found by plain ``gunicorn wsgi:app`` in this folder."""

import os
from pathlib import Path

from igfeed.config import Settings, environment
from igfeed.errors import ConfigError

try:
    settings = Settings.from_env(environment(os.environ, Path.cwd()))
except ConfigError as error:
    # Here, in the parent: a worker that stops at its start would be started again for ever.
    raise SystemExit(f"igfeed cannot start. {error} {error.hint}") from None

host = "127.0.0.1" if settings.demo else "0.0.0.0"  # noqa: S104  a server is for all, a sample for this machine
bind = f"{host}:{settings.port}"
worker_class = "gthread"  # A slow Instagram holds up one thread, not a worker.
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
threads = 8
preload_app = False  # Each worker makes its own connections; none is shared across a fork.
max_requests = 20_000
max_requests_jitter = 2_000  # So that the workers do not all start anew at once.
graceful_timeout = 30
keepalive = 5
control_socket_disable = True  # Nobody uses it, and a read-only home would make it fail.
