"""The settings of a feed in somebody's app: from ``app.config``, and from the environment where that says nothing.

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
"""In the host's instance folder, as every relative path of a store."""

PREFIX = "IGFEED_"

OF_THE_HOST = {"PORT", "IGFEED_LOG_LEVEL"}
"""Not read: the server and the log are the host's."""

NAMES = sorted(unknown_variables.KNOWN - OF_THE_HOST - {"VERCEL"})

ALTERNATIVES = (
    (*REDIS_VARIABLES, ("IGFEED_STORE_PATH",)),
    (("BASE_URL",), ("NEXT_PUBLIC_BASE_URL",), ("VERCEL_PROJECT_PRODUCTION_URL",)),
)
"""Where ``app.config`` has chosen one of several, the environment cannot choose another of them."""

SWITCHES = {"IGFEED_DEMO"}

UNITS = {
    "IGFEED_FEED_TTL": timedelta(seconds=1),
    "IGFEED_CHECK_TTL": timedelta(seconds=1),
    "IGFEED_RENEW_WITHIN_DAYS": timedelta(days=1),
}
"""What a ``timedelta`` is counted in."""

SEPARATORS = {
    "IGFEED_ALERTS": " ",
    "IGFEED_FRAME_ANCESTORS": " ",
    "IGFEED_ENCRYPTION_KEY": ",",
    "INSTAGRAM_MEDIA_ORIGINS": ",",
    "FORWARDED_ALLOW_IPS": ",",
}
"""What is between the values of a list."""

Config = Mapping[str, Any]


def settings_of(app: Flask, environ: Mapping[str, str]) -> Settings:
    """The settings. Raises ConfigError."""
    said = _said_by(app.config)
    ignored = {*OF_THE_HOST, *_ruled_out_by(said)}
    env = {name: value for name, value in environ.items() if name not in ignored} | said
    store = env.get("IGFEED_STORE_PATH", "").strip() or DEFAULT_STORE
    return replace(Settings.from_env(env), store_path=Path(app.instance_path) / store)


def warnings(config: Config, environ: Mapping[str, str]) -> Iterator[str]:
    """A line for each name, here or there, that is probably a mistyped one of ours."""
    # Not those with FLASK_: they are the host's.
    names = {name for name, value in environ.items() if value.strip() and not name.startswith("FLASK_")}
    names.update(key for key, value in config.items() if value is not None and key.removeprefix(PREFIX) not in NAMES)
    return unknown_variables.warnings(dict.fromkeys(names, "is set"))


def _said_by(config: Config) -> dict[str, str]:
    said: dict[str, str] = {}
    for name in NAMES:
        for key in (name, f"{PREFIX}{name}"):
            if config.get(key) is not None:
                said[name] = _text(key, name, config[key])
    return said


def _ruled_out_by(said: Mapping[str, str]) -> Iterator[str]:
    for alternatives in ALTERNATIVES:
        unsaid = [names for names in alternatives if not said.keys() & set(names)]
        if len(unsaid) < len(alternatives):
            yield from (name for names in unsaid for name in names)


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
