"""The Flask extension."""

import logging
import os

from flask import Flask

from igfeed.assembly import add_rooms, new_app
from igfeed.clock import sleep, system_clock
from igfeed.config import Settings
from igfeed.extension import addresses, host_settings, mount
from igfeed.extension.commands import MountedCommands
from igfeed.extension.in_template import FeedInTemplate
from igfeed.owner.pages.account_addresses import mount_of
from igfeed.services import Services, build

log = logging.getLogger(__name__)


class IgFeed:
    """Puts the feed into a Flask app, the host, under a prefix: ``IgFeed(app)``, or ``IgFeed().init_app(app)``.

    What is below the prefix is an app of its own, made of the same blueprints as the app of ``create_app``. Its
    blueprints are not registered on the host, because what the host does with its own requests could blank the feed or
    close it: a login that ``before_request`` demands, a CSRF protection that refuses Meta's callbacks and our forms, a
    response class or an ``after_request`` that changes our headers, error pages, a template of the same name. The other
    way round, our headers and error pages do not reach the host's pages.

    There is no global state: everything is in ``app.extensions["igfeed"]`` (``Services``) and in the mounted app.
    """

    def __init__(
        self,
        app: Flask | None = None,
        url_prefix: str = "/instagram",
        *,
        settings: Settings | None = None,
        services: Services | None = None,
    ) -> None:
        self._url_prefix = url_prefix
        if app is not None:
            self.init_app(app, settings=settings, services=services)

    def init_app(
        self,
        app: Flask,
        url_prefix: str | None = None,
        *,
        settings: Settings | None = None,
        services: Services | None = None,
    ) -> None:
        """Mounts the feed. ``services`` win over ``settings``, and those win over ``app.config`` and the environment.

        ``app.config`` and the environment are read now, so set them before. Opens no file and no connection. Raises
        ConfigError for a wrong value or prefix, and RuntimeError if the app has a feed already.
        """
        if "igfeed" in app.extensions:
            raise RuntimeError("This app has a feed already: call IgFeed or init_app once.")
        prefix = mount.checked_prefix(self._url_prefix if url_prefix is None else url_prefix)
        if services is None:
            services = build(settings or _settings(app), system_clock, sleep=sleep)
        inner = _app_below_prefix(app, services)
        mount_of(inner).prefix = f"{app.config['APPLICATION_ROOT'].rstrip('/')}{prefix}"
        addresses.init_app(app, prefix)
        mount.init_app(app, inner, prefix)
        app.cli.add_command(MountedCommands(inner))
        app.jinja_env.globals["igfeed"] = FeedInTemplate(app, inner, prefix)
        app.extensions["igfeed"] = services


def _settings(app: Flask) -> Settings:
    for line in host_settings.warnings(app.config, os.environ):
        log.warning(line)
    return host_settings.settings_of(app, os.environ)


def _app_below_prefix(host: Flask, services: Services) -> Flask:
    inner = new_app(services)
    # No other key of the host's configuration is taken over, because it is about the host's own requests.
    for name in ("DEBUG", "TESTING", "TRUSTED_HOSTS"):
        inner.config[name] = host.config.get(name)
    add_rooms(inner)
    return inner
