"""igfeed: one's Instagram posts as a page and an embed, for years."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from flask import Flask

from igfeed import http_errors
from igfeed.clock import RateLimit, sleep, system_clock
from igfeed.config import Settings, environment, unknown_variables
from igfeed.errors import ConfigError
from igfeed.owner import api, commands
from igfeed.owner.alerts import listener
from igfeed.owner.connect import routes as connect_routes
from igfeed.owner.studio import routes as studio_routes
from igfeed.owner.withdrawal import routes as withdrawal_routes
from igfeed.services import Services, build
from igfeed.web import headers, proxies
from igfeed.widget import finished_pages, routes
from igfeed.widget.oembed import routes as oembed_routes
from igfeed.widget.page_cache import IN_THIS_PROCESS
from igfeed.widget.privacy import routes as privacy_routes
from igfeed.widget.syndication import routes as syndication_routes

ROOT = Path(__file__).parent.parent
YEAR = 365 * 24 * 3600
MAX_BODY_BYTES = 64 * 1024
"""The largest body of a request. Forms are parsed in memory, and Meta's callbacks are open to everybody."""

log = logging.getLogger(__name__)
logged_warnings = RateLimit(YEAR)


def create_app(settings: Settings | None = None, services: Services | None = None) -> Flask:
    """The app with ``services``, or with services for ``settings``, or with services for the environment.

    Raises ConfigError if a variable has a wrong value.
    """
    env = {} if settings or services else environment(os.environ, Path.cwd())
    services = services or build(settings or Settings.from_env(env), system_clock, sleep=sleep)
    _set_up_logging(services.settings.log_level)
    _warn_of_unknown_variables(env)

    app = Flask("igfeed", root_path=str(ROOT), instance_path=str(ROOT / "instance"))
    app.url_map.strict_slashes = False  # No redirect for a final slash: crons do not follow redirects.
    app.config.from_mapping(
        CACHE_TYPE=IN_THIS_PROCESS,
        CACHE_THRESHOLD=200,
        CACHE_KEY_PREFIX="igfeed:",
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        SEND_FILE_MAX_AGE_DEFAULT=YEAR,
    )
    app.config.from_prefixed_env()  # The owner may set FLASK_CACHE_TYPE and the like.
    app.extensions["igfeed"] = services

    # The last two wrap the app, so that they see each request first.
    for_visitors = (routes, oembed_routes, privacy_routes, syndication_routes)
    for_the_owner = (api, studio_routes, connect_routes, withdrawal_routes, commands, listener)
    for room in (headers, *for_visitors, *for_the_owner, http_errors, finished_pages, proxies):
        room.init_app(app)
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


def _warn_of_unknown_variables(env: Mapping[str, str]) -> None:
    """Log each line once. gunicorn's parent and its workers all make an app; the workers inherit what was logged."""
    for line in unknown_variables.warnings(env):
        if logged_warnings.allows(line):
            log.warning(line)


def _set_up_logging(level: str) -> None:
    """Log our own lines at this level. The HTTP libraries only warn: their other lines contain tokens."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("igfeed").setLevel(level)
    for name in ("httpcore", "httpx", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
