"""The settings of a feed in somebody's app: from ``app.config``, and from the environment if that has no such key.

The keys of ``app.config`` are the names of the variables. ``IGFEED_`` may be put before any of them, for a host that
uses a name such as ``BASE_URL`` for something else. None counts as absent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask

from igfeed.config import Settings, unknown_variables
from igfeed.config.settings import REDIS_VARIABLES
from igfeed.errors import ConfigError

DEFAULT_STORE = "igfeed.sqlite3"
"""Relative paths of a store are below the host's instance folder."""

PREFIX = "IGFEED_"

OF_THE_HOST = {"PORT", "IGFEED_LOG_LEVEL"}
"""Not read: the server and the log are the host's."""

NAMES = sorted(unknown_variables.KNOWN - OF_THE_HOST - {"VERCEL"})

ALTERNATIVES = (
    (*REDIS_VARIABLES, ("IGFEED_STORE_PATH",)),
    (("BASE_URL",), ("NEXT_PUBLIC_BASE_URL",), ("VERCEL_PROJECT_PRODUCTION_URL",)),
)
"""If ``app.config`` has one alternative of a row, the environment's others of that row are not read."""

SWITCHES = {"IGFEED_DEMO"}

UNITS = {
    "IGFEED_FEED_TTL": timedelta(seconds=1),
    "IGFEED_CHECK_TTL": timedelta(seconds=1),
    "IGFEED_RENEW_WITHIN_DAYS": timedelta(days=1),
}
"""The unit that a ``timedelta`` is converted to."""

SEPARATORS = {
    "IGFEED_ALERTS": " ",
    "IGFEED_FRAME_ANCESTORS": " ",
    "IGFEED_ENCRYPTION_KEY": ",",
    "INSTAGRAM_MEDIA_ORIGINS": ",",
    "FORWARDED_ALLOW_IPS": ",",
}
"""What separates the values of a list."""

Config = Mapping[str, Any]


def settings_of(app: Flask, environ: Mapping[str, str]) -> Settings:
    """The settings. Raises ConfigError."""
    given = _given_in(app.config)
    ignored = {*OF_THE_HOST, *_ruled_out_by(given)}
    env = {name: value for name, value in environ.items() if name not in ignored} | given
    store = env.get("IGFEED_STORE_PATH", "").strip() or DEFAULT_STORE
    return replace(Settings.from_env(env), store_path=Path(app.instance_path) / store)


def warnings(config: Config, environ: Mapping[str, str]) -> Iterator[str]:
    """A line for each key or variable that is probably a mistyped name of ours."""
    # Names that begin with FLASK_ are the host's.
    names = {name for name, value in environ.items() if value.strip() and not name.startswith("FLASK_")}
    names.update(key for key, value in config.items() if value is not None and key.removeprefix(PREFIX) not in NAMES)
    return unknown_variables.warnings(dict.fromkeys(names, "is set"))


def _given_in(config: Config) -> dict[str, str]:
    given: dict[str, str] = {}
    for name in NAMES:
        for key in (name, f"{PREFIX}{name}"):
            if config.get(key) is not None:
                given[name] = _text(key, name, config[key])
    return given


def _ruled_out_by(given: Mapping[str, str]) -> Iterator[str]:
    """The variables that are not read because ``app.config`` has an alternative."""
    for alternatives in ALTERNATIVES:
        absent = [names for names in alternatives if not given.keys() & set(names)]
        if len(absent) < len(alternatives):
            yield from (name for names in absent for name in names)


def _text(key: str, name: str, value: object) -> str:
    """The value as a variable would have it. Raises ConfigError, which does not repeat the value: it may be secret."""
    if isinstance(value, bool) and name in SWITCHES:
        return str(int(value))
    if isinstance(value, timedelta) and name in UNITS:
        units = value / UNITS[name]
        return str(int(units) if units.is_integer() else units)
    if isinstance(value, list | tuple) and name in SEPARATORS:
        return SEPARATORS[name].join(_text(key, name, each) for each in value)
    if isinstance(value, bytes):  # Fernet makes its keys as bytes.
        return value.decode("ascii", "replace")
    if isinstance(value, str | int | Path) and not isinstance(value, bool):
        return str(value)
    raise ConfigError(f"{key} in app.config is a {type(value).__name__}: it takes what the variable takes, as a text.")
