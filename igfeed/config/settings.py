"""The one list of variables, read once into a frozen ``Settings``.

Every bad value is a ``ConfigError`` whose one line names the variable, what it holds and what it may hold; what a
secret variable holds is never repeated.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from igfeed.errors import ConfigError
from igfeed.models.pasted import pasted
from igfeed.origins import Origins

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
SWITCH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
MONTH = 31 * 24 * 3600

HOST_AND_PORT = r"(\[[0-9a-fA-F:.]+\]|[\w-]+(\.[\w-]+)*\.?)(:\d{1,5})?"

_SCHEME = r"[a-z][a-z0-9+.-]*:"
_NAME = r"(\*\.)?[\w-]+(\.[\w-]+)*"
_NAME_WITH_DOT = r"(\*\.)?([\w-]+\.)+[\w-]+"
_PORT_AND_PATH = r"(:(\d{1,5}|\*))?(/[!-+\--:<->@-~]*)?"
ANCESTOR = re.compile(
    rf"\*|'self'|{_SCHEME}|({_SCHEME}//(\*|{_NAME})|{_NAME_WITH_DOT}|localhost){_PORT_AND_PATH}",
    re.ASCII | re.IGNORECASE,
)
"""A source of frame-ancestors (CSP Level 3); a lone word is none but localhost: ``self`` has lost its quotes."""


REDIS_ELSEWHERE = re.compile(r"\w+_(KV_REST_API|REDIS_REST)_URL|(\w+_)?(REDIS|KV)_URL", re.ASCII)
"""Names under which Vercel's integrations put a database: after a prefix that the owner chose, or without REST."""


@dataclass(frozen=True)
class Redis:
    """Where an Upstash database is."""

    url: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class Settings:
    """What the owner has set, checked. Durations are ``timedelta``; a secret never shows in ``repr``."""

    redis: Redis | None
    redis_elsewhere: tuple[str, ...]
    """Variables that seem to be a database's URL, under names that are not read."""
    store_path: Path
    secrets: tuple[str, ...] = field(repr=False)
    base_url: str | None
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    access_token: str | None = field(repr=False)
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
    language: str
    log_level: str
    port: int
    on_vercel: bool

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read ``env``; an empty variable counts as absent.

        Raises ConfigError.
        """
        read = _Reader(env)
        return cls(
            redis=read.redis(),
            redis_elsewhere=read.names(REDIS_ELSEWHERE),
            store_path=Path(read.text("IGFEED_STORE_PATH", "instance/igfeed.sqlite3")),
            secrets=read.secrets("CRON_SECRET", "VERCEL_CRON_SECRET"),
            base_url=read.base_url(),
            trusted_proxies=read.networks("FORWARDED_ALLOW_IPS", "127.0.0.1,::1"),
            access_token=read.token("INSTAGRAM_ACCESS_TOKEN", pasted),
            api_url=read.url("INSTAGRAM_API_URL", "https://graph.instagram.com"),
            api_version=read.matching("INSTAGRAM_API_VERSION", "v25.0", r"v\d+\.\d+", "a version such as v25.0"),
            media_origins=read.origins("INSTAGRAM_MEDIA_ORIGINS", "https://*.cdninstagram.com,https://*.fbcdn.net"),
            demo=read.switch("IGFEED_DEMO"),
            posts=read.number("IGFEED_POSTS", 24, 1, 100),
            feed_ttl=timedelta(seconds=read.number("IGFEED_FEED_TTL", 900, 0, MONTH)),
            check_ttl=timedelta(seconds=read.number("IGFEED_CHECK_TTL", 30, 0, MONTH)),
            renew_within=timedelta(days=read.number("IGFEED_RENEW_WITHIN_DAYS", 7, 1, 59)),
            frame_ancestors=read.frame_ancestors("IGFEED_FRAME_ANCESTORS", "*"),
            encryption_keys=read.fernet_keys("IGFEED_ENCRYPTION_KEY"),
            language=read.language("IGFEED_LANGUAGE", "en"),
            log_level=read.choice("IGFEED_LOG_LEVEL", "INFO", LOG_LEVELS),
            port=read.number("PORT", 8000, 1, 65535),
            on_vercel=read.text("VERCEL") == "1",
        )


def environment(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """``environ`` over the folder's ``.env.local`` over its ``.env``.

    The ``flask`` command has already copied the next ``.env`` upwards into ``environ``, where it would hide
    ``.env.local``: what equals a line of that file is therefore taken to come from it.
    """
    shared, local = (_read_file(folder / name) for name in (".env", ".env.local"))
    if "FLASK_RUN_FROM_CLI" in environ:
        from dotenv import dotenv_values, find_dotenv  # noqa: PLC0415  only who has such a file needs it

        found = find_dotenv(usecwd=True)
        copied = dotenv_values(found) if found and Path(found) != folder / ".env" else shared
        environ = {name: value for name, value in environ.items() if copied.get(name) != value}
    return {**shared, **local, **environ}


def _read_file(path: Path) -> dict[str, str]:
    """Read once, as it may be a pipe. A line that cannot be read is refused: python-dotenv itself only logs that."""
    if not path.exists():
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415  as above
    from dotenv.parser import parse_stream  # noqa: PLC0415  as above

    text = _text_of(path)
    for line in parse_stream(StringIO(text)):
        if line.error:
            name = line.original.string.strip().removeprefix("export ").partition("=")[0].strip()
            shown = name if re.fullmatch(r"\w+", name) else f"Line {line.original.line}"
            raise ConfigError(f"{shown} in {path.name} cannot be read.", 'Put its value in double quotes: NAME="…".')
    return {name: value for name, value in dotenv_values(stream=StringIO(text)).items() if value is not None}


def _text_of(path: Path) -> str:
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:  # Docker makes a folder where a file that it shall mount is missing.
        raise ConfigError(f"{path.name} cannot be read: {error.strerror}.", "Correct or remove it.") from None
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # UTF-16 without a mark at its beginning passes for UTF-8.
        raise ConfigError(f"{path.name} is not UTF-8.", "Save it as UTF-8 and start again.")
    return text


class _Reader:
    """Reads one variable at a time and says which one is wrong."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    def text(self, name: str, default: str = "") -> str:
        return self._env.get(name, "").strip() or default

    def number(self, name: str, default: int, least: int, most: int) -> int:
        text = self.text(name, str(default))
        if not re.fullmatch(r"[+-]?\d{1,9}", text, re.ASCII) or not least <= int(text) <= most:
            raise ConfigError(f"{name} is {text!r}: it takes a whole number from {least} to {most}.")
        return int(text)

    def switch(self, name: str) -> bool:
        text = self.text(name, "0")
        if text.lower() not in SWITCH:
            raise ConfigError(f"{name} is {text!r}: it takes 1 or 0.")
        return SWITCH[text.lower()]

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        text = self.text(name, default)
        for choice in choices:
            if text.lower() == choice.lower():
                return choice
        raise ConfigError(f"{name} is {text!r}: it takes one of {', '.join(choices)}.")

    def language(self, name: str, default: str) -> str:
        """A region or an encoding behind it (``de-AT``, ``pt_BR.UTF-8``) makes no difference."""
        text = self.text(name, default)
        language = re.split("[-_.@]", text)[0].lower()
        return language if language in LANGUAGES else self.choice(name, default, LANGUAGES)

    def matching(self, name: str, default: str, pattern: str, meaning: str) -> str:
        text = self.text(name, default)
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ConfigError(f"{name} is {text!r}: it takes {meaning}.")
        return text

    def url(self, name: str, default: str = "") -> str:
        """An http or https URL without query, user name or final slash."""
        text = self.text(name, default)
        url = text.rstrip("/")
        if not _is_plain_url(url):
            shown = "not usable" if re.search("[@?]", text) else repr(text)  # It may hold a password.
            raise ConfigError(f"{name} is {shown}: it takes a URL such as {default or 'https://example.com'}.")
        return url

    def secret_url(self, name: str) -> str:
        """The same where a mistake may be a secret in the wrong place, so that it is not repeated."""
        if not _is_plain_url(self.text(name)):
            raise ConfigError(f"{name} is not usable: it takes the URL that the database's console shows.")
        return self.url(name)

    def base_url(self) -> str | None:
        for name in ("BASE_URL", "NEXT_PUBLIC_BASE_URL"):
            if self.text(name):
                url = self.url(name)
                if urlsplit(url).path:
                    raise ConfigError(f"{name} is {url!r}: it takes an origin without a path.")
                return url
        host = self.matching("VERCEL_PROJECT_PRODUCTION_URL", "", r"([\w-]+(\.[\w-]+)*)?", "a host name")
        return f"https://{host}" if host else None

    def redis(self) -> Redis | None:
        pairs = (
            ("UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"),
            ("KV_REST_API_URL", "KV_REST_API_TOKEN"),
        )
        for url_name, token_name in pairs:
            present = [name for name in (url_name, token_name) if self.text(name)]
            if len(present) == 1:
                missing = token_name if present[0] == url_name else url_name
                raise ConfigError(f"{missing} is missing: {present[0]} is set, and they only work as a pair.")
            if present:
                return Redis(self.secret_url(url_name), self.token(token_name) or "")
        return None

    def names(self, pattern: re.Pattern[str]) -> tuple[str, ...]:
        """Of the variables that hold something."""
        return tuple(sorted(name for name in self._env if pattern.fullmatch(name) and self.text(name)))

    def token(self, name: str, read: Callable[[str], str] = str) -> str | None:
        """A secret that travels in a header or an address, so it must be plain ASCII without spaces."""
        text = read(self.text(name))
        if not re.fullmatch(r"[!-~]*", text):
            raise ConfigError(f"{name} holds characters that no token has: copy it again.")
        return text or None

    def secrets(self, *names: str) -> tuple[str, ...]:
        return tuple(self.text(name) for name in names if self.text(name))

    def origins(self, name: str, default: str) -> Origins:
        try:
            return Origins(self.text(name, default))
        except ValueError as error:
            raise ConfigError(f"{name}: {error}; it takes origins such as {default}.") from None

    def networks(self, name: str, default: str) -> tuple[IPv4Network | IPv6Network, ...]:
        text = self.text(name, default)
        entries = ["0.0.0.0/0", "::/0"] if text == "*" else [entry.strip() for entry in text.split(",")]
        try:
            return tuple(ip_network(entry, strict=False) for entry in entries if entry)
        except ValueError:
            raise ConfigError(f"{name} is {text!r}: it takes *, or addresses and networks with commas.") from None

    def frame_ancestors(self, name: str, default: str) -> str:
        """What a browser would pass over unsaid is refused: it would let in others than the owner means, or nobody."""
        text = self.text(name, default)
        sources = text.split()
        if sources != ["'none'"] and not all(ANCESTOR.fullmatch(source) for source in sources):
            raise ConfigError(
                f"{name} is {text!r}: it takes *, or a list with spaces such as \"'self' https://example.com\"."
            )
        return " ".join(sources)

    def fernet_keys(self, name: str) -> tuple[str, ...]:
        text = self.text(name)
        keys = tuple(key.strip() for key in text.split(",") if key.strip())
        if (text and not keys) or not all(_is_fernet_key(key) for key in keys):
            raise ConfigError(f"{name} is not usable: it takes Fernet keys of 44 characters, separated by commas.")
        return keys


def _is_plain_url(text: str) -> bool:
    if re.search(r"[\s\x00-\x1f\x7f]", text):
        return False  # urlsplit lets some of these pass and drops the others, unseen.
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  reading it is the check: it raises for a port out of range
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment) and re.fullmatch(HOST_AND_PORT, parts.netloc)
    return parts.scheme in ("http", "https") and bool(plain)


def _is_fernet_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key.encode(), altchars=b"-_", validate=True)) == 32  # noqa: PLR2004  Fernet's size
    except (ValueError, binascii.Error):
        return False
