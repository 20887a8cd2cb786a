"""igfeed: one's Instagram posts as a page and an embed, for years."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask

from igfeed.accounts.log_lines import AccountFormatter
from igfeed.assembly import YEAR_SECONDS, add_rooms, new_app
from igfeed.clock import RateLimit, sleep, system_clock
from igfeed.config import Settings, environment, unknown_variables
from igfeed.errors import ConfigError
from igfeed.services import Services, build

if TYPE_CHECKING:
    from igfeed.extension import IgFeed

__all__ = ["IgFeed", "create_app", "create_app_or_exit"]

log = logging.getLogger(__name__)
logged_warnings = RateLimit(YEAR_SECONDS)


def create_app(settings: Settings | None = None, services: Services | None = None) -> Flask:
    """The app with ``services``, or with services for ``settings``, or with services for the environment.

    Raises ConfigError if a variable has a wrong value.
    """
    env = {} if settings or services else environment(os.environ, Path.cwd())
    services = services or build(settings or Settings.from_env(env), system_clock, sleep=sleep)
    _set_up_logging(services.settings.log_level)
    _warn_of_unknown_variables(env)

    app = new_app(services)
    app.config.from_prefixed_env()  # The owner may set FLASK_CACHE_TYPE and the like.
    add_rooms(app)
    return app


def create_app_or_exit() -> Flask:
    """The app. If it cannot start, the process ends with one line: what is wrong, or what is not installed."""
    try:
        return create_app()
    except ConfigError as error:
        raise SystemExit(f"igfeed cannot start. {error} {error.hint}") from None
    except ImportError as error:
        raise SystemExit(
            f"igfeed cannot start. {error}. Install what requirements.txt names and start again."
        ) from None


def __getattr__(name: str) -> object:
    """``IgFeed``, for those who ask for it. A deployment of its own starts without the extension."""
    if name != "IgFeed":
        raise AttributeError(f"module 'igfeed' has no attribute {name!r}")
    from igfeed.extension import IgFeed  # noqa: PLC0415  as above

    return IgFeed


def _warn_of_unknown_variables(env: Mapping[str, str]) -> None:
    """Log each line once. gunicorn's parent and its workers all make an app; the workers inherit what was logged."""
    for line in unknown_variables.warnings(env):
        if logged_warnings.allows(line):
            log.warning(line)


def _set_up_logging(level: str) -> None:
    """Log our own lines at this level. The HTTP libraries only warn: their other lines contain tokens."""
    handler = logging.StreamHandler()
    handler.setFormatter(AccountFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("igfeed").setLevel(level)
    for name in ("httpcore", "httpx", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
