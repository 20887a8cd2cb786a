"""The one list of environment variables, read once into a frozen ``Settings``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

from igfeed.config.reader import Reader, Redis
from igfeed.errors import ConfigError
from igfeed.models.app_credentials import AppCredentials
from igfeed.models.pasted import pasted
from igfeed.origins import Origins

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
MONTH_SECONDS = 31 * 24 * 3600

REDIS_VARIABLES = (
    ("UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"),
    ("KV_REST_API_URL", "KV_REST_API_TOKEN"),
)
"""Names for the URL and the token of the database. The first pair that is set is used."""

REDIS_ELSEWHERE = re.compile(r"\w+_(KV_REST_API|REDIS_REST)_URL|(\w+_)?(REDIS|KV)_URL", re.ASCII)
"""Variables of Vercel's integrations that igfeed cannot use: with a prefix that the owner chose, or without REST."""


@dataclass(frozen=True)
class Settings:
    """The checked settings. Durations are ``timedelta``. ``repr`` shows no secret."""

    redis: Redis | None
    redis_elsewhere: tuple[str, ...]
    """Names of variables that look like a database's URL but are not read. Only used in a hint."""
    store_path: Path
    secrets: tuple[str, ...] = field(repr=False)
    base_url: str | None
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    access_token: str | None = field(repr=False)
    app: AppCredentials | None
    oauth_url: str
    login_url: str
    api_url: str
    api_version: str
    media_origins: Origins
    demo: bool
    posts: int
    feed_ttl: timedelta
    check_ttl: timedelta
    renew_within: timedelta
    frame_ancestors: str
    encryption_keys: tuple[str, ...] = field(repr=False)
    alerts: tuple[str, ...] = field(repr=False)
    hooks: tuple[str, ...] = field(repr=False)
    hook_secret: str | None = field(repr=False)
    language: str
    log_level: str
    port: int
    on_vercel: bool

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """The settings in ``env``. An empty variable counts as absent.

        Raises ConfigError.
        """
        read = Reader(env)
        return cls(
            redis=read.redis(*REDIS_VARIABLES),
            redis_elsewhere=read.names(REDIS_ELSEWHERE),
            store_path=Path(read.text("IGFEED_STORE_PATH", "instance/igfeed.sqlite3")),
            secrets=read.secrets("CRON_SECRET", "VERCEL_CRON_SECRET"),
            base_url=read.base_url("BASE_URL", "NEXT_PUBLIC_BASE_URL", host_name="VERCEL_PROJECT_PRODUCTION_URL"),
            trusted_proxies=read.networks("FORWARDED_ALLOW_IPS", "127.0.0.1,::1"),
            **_instagram(read),
            demo=read.switch("IGFEED_DEMO"),
            posts=read.number("IGFEED_POSTS", 24, 1, 100),
            feed_ttl=timedelta(seconds=read.number("IGFEED_FEED_TTL", 900, 0, MONTH_SECONDS)),
            check_ttl=timedelta(seconds=read.number("IGFEED_CHECK_TTL", 30, 0, MONTH_SECONDS)),
            renew_within=timedelta(days=read.number("IGFEED_RENEW_WITHIN_DAYS", 7, 1, 59)),
            frame_ancestors=read.frame_ancestors("IGFEED_FRAME_ANCESTORS", "*"),
            encryption_keys=read.fernet_keys("IGFEED_ENCRYPTION_KEY"),
            alerts=read.alert_addresses("IGFEED_ALERTS"),
            hooks=read.hook_addresses("IGFEED_ON_NEW_POST"),
            hook_secret=read.text("IGFEED_HOOK_SECRET") or None,
            language=read.language("IGFEED_LANGUAGE", "en"),
            log_level=read.choice("IGFEED_LOG_LEVEL", "INFO", LOG_LEVELS),
            port=read.number("PORT", 8000, 1, 65535),
            on_vercel=read.text("VERCEL") == "1",
        )


def _instagram(read: Reader) -> dict[str, Any]:
    """The settings that say how to reach Instagram, by the names of their fields."""
    return {
        "access_token": read.token("INSTAGRAM_ACCESS_TOKEN", pasted),
        "app": read.app("INSTAGRAM_APP_ID", "INSTAGRAM_APP_SECRET"),
        "oauth_url": read.url("INSTAGRAM_OAUTH_URL", "https://api.instagram.com"),
        "login_url": read.url("INSTAGRAM_LOGIN_URL", "https://www.instagram.com"),
        "api_url": read.url("INSTAGRAM_API_URL", "https://graph.instagram.com"),
        "api_version": read.matching("INSTAGRAM_API_VERSION", "v25.0", r"v\d+\.\d+", "a version such as v25.0"),
        "media_origins": read.origins("INSTAGRAM_MEDIA_ORIGINS", "https://*.cdninstagram.com,https://*.fbcdn.net"),
    }


def environment(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """All variables. ``environ`` overrides the folder's ``.env.local``, which overrides its ``.env``.

    The ``flask`` command has already copied the nearest ``.env``, in this folder or above, into ``environ``. There it
    would override ``.env.local``. So a variable with the same value as in that file is removed from ``environ`` again.
    """
    shared, local = (_read_file(folder / name) for name in (".env", ".env.local"))
    if "FLASK_RUN_FROM_CLI" in environ:
        from dotenv import dotenv_values, find_dotenv  # noqa: PLC0415  only an owner with such a file needs it

        found = find_dotenv(usecwd=True)
        copied = dotenv_values(found) if found and Path(found) != folder / ".env" else shared
        environ = {name: value for name, value in environ.items() if copied.get(name) != value}
    return {**shared, **local, **environ}


def _read_file(path: Path) -> dict[str, str]:
    """The variables in the file, empty if it does not exist.

    Raises ConfigError for a line that cannot be parsed, which python-dotenv itself only logs.
    """
    if not path.exists():
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415  as above
    from dotenv.parser import parse_stream  # noqa: PLC0415  as above

    text = _text_of(path)  # Read once only, because it may be a pipe.
    for line in parse_stream(StringIO(text)):
        if line.error:
            name = line.original.string.strip().removeprefix("export ").partition("=")[0].strip()
            shown = name if re.fullmatch(r"\w+", name) else f"Line {line.original.line}"
            raise ConfigError(f"{shown} in {path.name} cannot be read.", 'Put its value in double quotes: NAME="…".')
    return {name: value for name, value in dotenv_values(stream=StringIO(text)).items() if value is not None}


def _text_of(path: Path) -> str:
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:  # Docker makes a folder if the file to mount is missing.
        raise ConfigError(f"{path.name} cannot be read: {error.strerror}.", "Correct or remove it.") from None
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # UTF-16 without a byte order mark decodes as UTF-8.
        raise ConfigError(f"{path.name} is not UTF-8.", "Save it as UTF-8 and start again.")
    return text
