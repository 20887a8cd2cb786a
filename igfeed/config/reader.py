"""Reads one environment variable at a time, and says which one is wrong.

Every bad value is a ``ConfigError`` in one line: it names the variable, its value and what it may hold. The value of a
secret variable is never repeated.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import urlsplit

from igfeed.errors import ConfigError
from igfeed.models.app_credentials import APP_ID, AppCredentials
from igfeed.origins import Origins

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl")
SWITCH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}

HOST_AND_PORT = r"(\[[0-9a-fA-F:.]+\]|[\w-]+(\.[\w-]+)*\.?)(:\d{1,5})?"

_SCHEME = r"[a-z][a-z0-9+.-]*:"
_NAME = r"(\*\.)?[\w-]+(\.[\w-]+)*"
_NAME_WITH_DOT = r"(\*\.)?([\w-]+\.)+[\w-]+"
_PORT_AND_PATH = r"(:(\d{1,5}|\*))?(/[!-+\--:<->@-~]*)?"
ANCESTOR = re.compile(
    rf"\*|'self'|{_SCHEME}|({_SCHEME}//(\*|{_NAME})|{_NAME_WITH_DOT}|localhost){_PORT_AND_PATH}",
    re.ASCII | re.IGNORECASE,
)
"""One source in the list of frame-ancestors (CSP Level 3).

A single word other than localhost is refused: it is usually ``self`` without its quotes.
"""


@dataclass(frozen=True)
class Redis:
    """Where an Upstash database is."""

    url: str
    token: str = field(repr=False)


class Reader:
    """Every method raises ConfigError for a bad value, and returns the default for an empty or missing one."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    def text(self, name: str, default: str = "") -> str:
        return self._env.get(name, "").strip() or default

    def number(self, name: str, default: int, least: int, most: int) -> int:
        text = self.text(name, str(default))
        # Nine digits are enough, and int() would raise another error for thousands of them.
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
        """One of LANGUAGES. A region or an encoding after it is ignored: ``de-AT``, ``pt_BR.UTF-8``."""
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
        """Like ``url``, but the error does not repeat the value: it may be a secret in the wrong variable."""
        if not _is_plain_url(self.text(name)):
            raise ConfigError(f"{name} is not usable: it takes the URL that the database's console shows.")
        return self.url(name)

    def base_url(self, *names: str, host_name: str) -> str | None:
        """The origin in the first variable of ``names`` that is set, else https with the host in ``host_name``."""
        for name in names:
            if self.text(name):
                url = self.url(name)
                if urlsplit(url).path:
                    raise ConfigError(f"{name} is {url!r}: it takes an origin without a path.")
                return url
        host = self.matching(host_name, "", r"([\w-]+(\.[\w-]+)*)?", "a host name")
        return f"https://{host}" if host else None

    def redis(self, *pairs: tuple[str, str]) -> Redis | None:
        """The database in the first pair of variables (URL, token) that is set. Half a pair is an error."""
        for url_name, token_name in pairs:
            if self._is_pair_set(url_name, token_name):
                return Redis(self.secret_url(url_name), self.token(token_name) or "")
        return None

    def app(self, id_name: str, secret_name: str) -> AppCredentials | None:
        """The app at Meta. Half a pair is an error."""
        if not self._is_pair_set(id_name, secret_name):
            return None
        if not APP_ID.fullmatch(self.text(id_name)):
            # Not repeated: it may be the secret in the wrong variable.
            raise ConfigError(f"{id_name} is not usable: it takes the digits of the Instagram app ID.")
        return AppCredentials(self.text(id_name), self.token(secret_name) or "")

    def _is_pair_set(self, first: str, second: str) -> bool:
        present = [name for name in (first, second) if self.text(name)]
        if len(present) == 1:
            missing = second if present[0] == first else first
            raise ConfigError(f"{missing} is missing: {present[0]} is set, and they only work as a pair.")
        return bool(present)

    def names(self, pattern: re.Pattern[str]) -> tuple[str, ...]:
        """The names of variables that match and are not empty."""
        return tuple(sorted(name for name in self._env if pattern.fullmatch(name) and self.text(name)))

    def token(self, name: str, read: Callable[[str], str] = str) -> str | None:
        """A secret, None if empty. It is sent in a header or a URL, so it must be plain ASCII without spaces."""
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
            # Not strict, so that 10.0.0.1/8 counts as 10.0.0.0/8.
            return tuple(ip_network(entry, strict=False) for entry in entries if entry)
        except ValueError:
            raise ConfigError(f"{name} is {text!r}: it takes *, or addresses and networks with commas.") from None

    def frame_ancestors(self, name: str, default: str) -> str:
        """The sources, as the CSP header takes them.

        A browser silently ignores a wrong source, and then allows the wrong sites or none. So it is refused here.
        """
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

    def alert_addresses(self, name: str) -> tuple[str, ...]:
        """The addresses, which are secrets."""
        addresses = self.text(name).split()
        if not addresses:
            return ()
        from igfeed.config.alert_addresses import is_alert_address  # noqa: PLC0415  most owners have set none

        for number, address in enumerate(addresses, start=1):
            if not is_alert_address(address):
                raise ConfigError(
                    f"Address {number} of {name} is not usable: it takes addresses such as mailto://…, "
                    "and https webhooks of Slack or Discord, separated by spaces."
                )
        return tuple(addresses)

    def hook_addresses(self, name: str) -> tuple[str, ...]:
        """The addresses, which are secrets."""
        addresses = self.text(name).split()
        if not addresses:
            return ()
        from igfeed.config.hook_addresses import is_hook_address  # noqa: PLC0415  most owners have set none

        for number, address in enumerate(addresses, start=1):
            if not is_hook_address(address):
                raise ConfigError(
                    f"Address {number} of {name} is not usable: it takes https addresses, separated by spaces."
                )
        return tuple(addresses)


def _is_plain_url(text: str) -> bool:
    if re.search(r"[\s\x00-\x1f\x7f]", text):
        return False  # urlsplit accepts some of these characters and silently drops the others.
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  reading it is the check: it raises for a port out of range
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment) and re.fullmatch(HOST_AND_PORT, parts.netloc)
    return parts.scheme in ("http", "https") and bool(plain)


def _is_fernet_key(key: str) -> bool:
    try:
        # Not tried with cryptography itself: importing that takes half as long as importing Flask.
        return len(base64.b64decode(key.encode(), altchars=b"-_", validate=True)) == 32  # noqa: PLR2004  Fernet's size
    except (ValueError, binascii.Error):
        return False
