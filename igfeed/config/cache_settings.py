"""Checks the owner's FLASK_CACHE_… variables before Flask-Caching reads them.

Flask parses each of them as JSON if it can, so a password of digits arrives as a number.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from igfeed.errors import ConfigError

FLASK_PREFIX = "FLASK_"

TEXT_SETTINGS = {
    *("CACHE_TYPE", "CACHE_KEY_PREFIX", "CACHE_DIR", "CACHE_REDIS_URL", "CACHE_REDIS_HOST", "CACHE_REDIS_PASSWORD"),
    *("CACHE_REDIS_CLUSTER", "CACHE_REDIS_SENTINEL_MASTER", "CACHE_REDIS_SENTINEL_PASSWORD"),
    *("CACHE_MEMCACHED_USERNAME", "CACHE_MEMCACHED_PASSWORD", "CACHE_UWSGI_NAME"),
}
NUMBER_SETTINGS = {"CACHE_DEFAULT_TIMEOUT", "CACHE_THRESHOLD", "CACHE_REDIS_PORT", "CACHE_REDIS_DB"}
SWITCH_SETTINGS = {"CACHE_IGNORE_ERRORS", "CACHE_NO_NULL_WARNING", "CACHE_SOURCE_CHECK", "CACHE_ENABLE_SIGNALS"}
LIST_SETTINGS = {"CACHE_ARGS", "CACHE_MEMCACHED_SERVERS", "CACHE_REDIS_SENTINELS"}
OBJECT_SETTINGS = {"CACHE_OPTIONS"}
FUNCTION_SETTINGS = {"CACHE_HASH_METHOD", "CACHE_FILE_HASH_METHOD", "CACHE_SERIALIZER"}
"""These settings are Python functions, so no environment variable can set them."""

KNOWN_VARIABLES = {
    FLASK_PREFIX + name for name in TEXT_SETTINGS | NUMBER_SETTINGS | SWITCH_SETTINGS | LIST_SETTINGS | OBJECT_SETTINGS
}

SECRET_SETTINGS = (
    {name for name in TEXT_SETTINGS if name.endswith(("_URL", "_PASSWORD"))} | LIST_SETTINGS | OBJECT_SETTINGS
)
"""Settings that may contain a password, also inside a list or an object."""

CACHES = "SimpleCache, FileSystemCache, RedisCache, NullCache"

REDIS_TIME_LIMITS = {"socket_timeout": 1, "socket_connect_timeout": 1}
"""Seconds. The client has no time limits by default. Why so short: rendering the page anew takes less time."""

Config = MutableMapping[str, Any]


def check(config: Config) -> None:
    """Raises a ConfigError that names the wrong variable. Texts that Flask has read as numbers become texts again."""
    for name in TEXT_SETTINGS & config.keys():
        value = config[name]
        config[name] = value.strip() if isinstance(value, str) else json.dumps(value)
    for name in sorted(config.keys()):
        _check_type(name, config[name])
    kind = config["CACHE_TYPE"]
    if kind == "FileSystemCache":
        _check_folder(config.get("CACHE_DIR"))
    if kind == "RedisCache":
        _check_redis_url(config.get("CACHE_REDIS_URL"))
        config["CACHE_OPTIONS"] = {**REDIS_TIME_LIMITS, **(config.get("CACHE_OPTIONS") or {})}


def unusable(config: Config, error: Exception) -> ConfigError:
    """A ConfigError with the backend's error in one line, without the value of any secret variable."""
    if isinstance(error, ImportError):
        return ConfigError(
            f"FLASK_CACHE_TYPE is {config['CACHE_TYPE']!r}: it takes {CACHES} or another class of a cache."
        )
    reason = str(error).partition("\n")[0].rstrip(".:") or type(error).__name__
    # The backend's error may quote the URL with its password.
    if any(text in reason for text in _secrets(config)):
        reason = type(error).__name__
    return ConfigError(f"FLASK_CACHE_TYPE is {config['CACHE_TYPE']!r} and cannot be used: {reason}.")


def _check_type(name: str, value: object) -> None:
    # In Python, True is an int.
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if name in NUMBER_SETTINGS and not (is_number and value >= 0):  # type: ignore[operator]
        raise _wrong(name, value, "a whole number")
    if name in SWITCH_SETTINGS and value not in (True, False):
        raise _wrong(name, value, "1 or 0")
    if name in LIST_SETTINGS and not isinstance(value, list):
        raise _wrong(name, value, "a list in JSON")
    if name in OBJECT_SETTINGS and not isinstance(value, dict | None):
        raise _wrong(name, value, "an object in JSON")
    if name in FUNCTION_SETTINGS and isinstance(value, str):
        raise ConfigError(f"{FLASK_PREFIX}{name} cannot be set: it takes what no text can say.")


def _wrong(name: str, value: object, takes: str) -> ConfigError:
    shown = "not usable" if name in SECRET_SETTINGS else repr(value)
    return ConfigError(f"{FLASK_PREFIX}{name} is {shown}: it takes {takes}.")


def _check_folder(path: str | None) -> None:
    """Creates the folder if it is missing. The backend would too, but its error does not say what is wrong."""
    if not path:
        raise ConfigError("FLASK_CACHE_DIR is missing: FLASK_CACHE_TYPE FileSystemCache needs a folder.")
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"FLASK_CACHE_DIR is {path!r} and cannot be used: {error.strerror}.") from None
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise ConfigError(f"FLASK_CACHE_DIR is {path!r} and cannot be used: it cannot be written to.")


def _check_redis_url(url: str | None) -> None:
    try:
        parts = urlsplit(url or "redis://localhost")
        parts.port  # noqa: B018  reading it is the check: it raises for a port that is none
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise ConfigError("FLASK_CACHE_REDIS_URL is not usable: it takes a URL such as redis://localhost:6379/0.")


def _secrets(config: Mapping[str, Any]) -> Iterator[str]:
    """Every text in the secret variables, and every password in a URL: an error may quote only the password."""
    for text in _texts([config.get(name) for name in SECRET_SETTINGS]):
        yield text
        yield from re.findall(r"//[^/@]*:([^/@]+)@", text)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str) and value:
        yield value
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inside:
        yield from _texts(each)
