"""Assembles the app from its rooms. It reads from top to bottom like a table of contents."""

from pathlib import Path

from flask import Flask

from igfeed import http_errors
from igfeed.accounts import directory
from igfeed.owner import api, commands
from igfeed.owner.account_pages import routes as account_routes
from igfeed.owner.alerts import listener as alerts
from igfeed.owner.connect import routes as connect_routes
from igfeed.owner.hooks import listener as hooks
from igfeed.owner.studio import routes as studio_routes
from igfeed.owner.withdrawal import routes as withdrawal_routes
from igfeed.services import Services
from igfeed.web import headers, proxies
from igfeed.web.lazy_rule import LazyRule
from igfeed.widget import finished_pages, routes
from igfeed.widget.oembed import routes as oembed_routes
from igfeed.widget.page_cache import IN_THIS_PROCESS
from igfeed.widget.privacy import routes as privacy_routes
from igfeed.widget.syndication import routes as syndication_routes

PACKAGE = Path(__file__).parent
ROOT = PACKAGE if (PACKAGE / "templates").is_dir() else PACKAGE.parent
"""The folder of ``templates/`` and ``static/``: the package if pip has installed it, else the repository."""

YEAR_SECONDS = 365 * 24 * 3600
MAX_BODY_BYTES = 64 * 1024
"""The largest body of a request. Forms are parsed in memory, and Meta's callbacks are open to everybody."""


def new_app(services: Services) -> Flask:
    """An app without rooms. ``add_rooms`` reads its configuration, so a caller changes that before."""
    app = Flask("igfeed", root_path=str(ROOT), instance_path=str(ROOT / "instance"))
    app.url_map.strict_slashes = False  # No redirect for a final slash: crons do not follow redirects.
    app.url_rule_class = LazyRule
    app.config.from_mapping(
        CACHE_TYPE=IN_THIS_PROCESS,
        CACHE_THRESHOLD=200,
        CACHE_KEY_PREFIX="igfeed:",
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        SEND_FILE_MAX_AGE_DEFAULT=YEAR_SECONDS,
    )
    app.extensions["igfeed"] = services
    directory.init_app(app, services)
    return app


def add_rooms(app: Flask) -> None:
    """Raises ConfigError if the cache of pages cannot be used as the app's configuration says."""
    # The last two wrap the app, so that they see each request first.
    for_visitors = (routes, oembed_routes, privacy_routes, syndication_routes)
    for_the_owner = (api, studio_routes, account_routes, connect_routes, withdrawal_routes, commands, alerts, hooks)
    for room in (headers, *for_visitors, *for_the_owner, http_errors, finished_pages, proxies):
        room.init_app(app)
