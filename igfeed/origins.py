"""A list of origins that files may be fetched from."""

import re
from urllib.parse import urlsplit

_PATTERN = re.compile(r"(https?)://[a-z0-9*.-]+(?::(\d{1,5}))?", re.IGNORECASE)
DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_PORT = 65535
_LABELS = r"[a-z0-9-]+(\.[a-z0-9-]+)*"


class Origins:
    """A list such as ``https://*.cdninstagram.com,https://*.fbcdn.net``. ``*`` stands for one or more labels.

    Raises ValueError if an entry is not an origin, or if there is none.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        entries = [_plain(entry.strip().rstrip("/").lower()) for entry in text.split(",") if entry.strip()]
        if not entries:
            raise ValueError("there is no origin in it")
        # Escaped first, so that a dot in an entry stands for a dot only.
        self._patterns = [re.compile(re.escape(entry).replace(r"\*", _LABELS)) for entry in entries]
        self._named = frozenset(entry for entry in entries if "*" not in entry)

    def allow(self, url: str) -> bool:
        """Whether the URL's origin is on the list. False for a URL with a user name, or one that cannot be parsed."""
        origin = origin_of(url)
        return any(pattern.fullmatch(origin) for pattern in self._patterns)

    def name(self, url: str) -> bool:
        """Whether the owner has put exactly this origin on the list, without a ``*``."""
        return origin_of(url) in self._named

    def __repr__(self) -> str:
        return f"Origins({self._text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Origins) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def _plain(entry: str) -> str:
    """The entry in the form that ``origin_of`` gives: without the default port."""
    match = _PATTERN.fullmatch(entry)
    port = int(match[2] or 0) if match else 0
    if match is None or port > MAX_PORT:
        raise ValueError(f"{entry!r} is not an origin")
    return entry.rpartition(":")[0] if port == DEFAULT_PORTS[match[1]] else entry


def origin_of(url: str) -> str:
    """The URL's origin in lower case, without the default port. Empty if it has a user name or cannot be parsed."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port not in (None, DEFAULT_PORTS.get(parts.scheme)) else ""
    except ValueError:
        return ""
    if "@" in parts.netloc or not parts.hostname:
        return ""
    return f"{parts.scheme}://{parts.hostname}{port}".lower()
