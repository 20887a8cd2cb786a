"""A cache of rendered pages, kept by Flask-Caching.

It is in this process unless the owner chooses another kind (FLASK_CACHE_TYPE).
"""

import logging
import re
import warnings
from dataclasses import asdict, dataclass
from functools import partialmethod
from typing import Any

from cachelib.serializers import BaseSerializer, JSONSerializer
from flask import Flask
from flask_caching import Cache
from flask_caching.backends import NullCache

from igfeed.clock import RateLimit
from igfeed.config import cache_settings
from igfeed.errors import ConfigError

PAGE_TIMEOUT = 24 * 3600
"""Seconds. A cached page is never wrong, as its key names its snapshot. This only limits how many are kept."""

IN_THIS_PROCESS = "SimpleCache"

log = logging.getLogger(__name__)

pages = Cache()
WARNING_INTERVAL = 600.0
"""Seconds between two warnings of the same kind in the log."""

warning_limit = RateLimit(WARNING_INTERVAL)


@dataclass(frozen=True)
class Page:
    """A page, or a document for programs, with its ETag (no quotes) and its Content-Security-Policy."""

    body: bytes
    etag: str
    policy: str


class NoSerializer(BaseSerializer):
    """For the cache in this process: a page never changes, so it need not be copied."""

    def dumps(self, value: Any, *_: object) -> Any:
        return value

    def loads(self, value: Any) -> Any:
        return value


def _page_to_json(page: Page) -> dict[str, str]:
    return {**asdict(page), "body": page.body.decode()}


def _page_from_json(found: dict[str, Any]) -> Page | None:
    """The page, or None if this is none. What goes into a header may hold nothing that would end the header."""
    is_page = found.keys() == {"body", "etag", "policy"} and all(isinstance(text, str) for text in found.values())
    if not is_page or not re.fullmatch(r"[0-9a-f]+ [ -~]+", f"{found['etag']} {found['policy']}"):
        return None
    return Page(found["body"].encode(), found["etag"], found["policy"])


class PageSerializer(JSONSerializer):
    """Pages as JSON, for caches outside this process. Whoever can write a pickle there could run code here."""

    dump = partialmethod(JSONSerializer.dump, default=_page_to_json)
    dumps = partialmethod(JSONSerializer.dumps, default=_page_to_json)
    load = partialmethod(JSONSerializer.load, object_hook=_page_from_json)
    loads = partialmethod(JSONSerializer.loads, object_hook=_page_from_json)


def init_app(app: Flask) -> None:
    """Raises ConfigError if the settings are wrong. A cache that is only unreachable now is no error."""
    cache_settings.check(app.config)
    if app.debug:  # A cached page would hide what was saved in a template since.
        app.config["CACHE_TYPE"] = "NullCache"
    kind = app.config["CACHE_TYPE"]
    app.config["CACHE_SERIALIZER"] = NoSerializer() if kind == IN_THIS_PROCESS else PageSerializer()
    try:
        with warnings.catch_warnings(action="ignore"):  # This function checks what it warns of.
            pages.init_app(app)
    except Exception as error:  # noqa: BLE001  each kind of cache has its own errors
        raise cache_settings.unusable(app.config, error) from None
    backend = app.extensions["cache"][pages]
    if not isinstance(backend, NullCache) and not isinstance(getattr(backend, "serializer", None), BaseSerializer):
        raise ConfigError(f"FLASK_CACHE_TYPE is {kind!r} and cannot be used: it keeps pickles, and no JSON.")


def get(key: str) -> Page | None:
    """The page under this key, or None. A cache that fails, or returns something else, counts as empty."""
    try:
        page = pages.get(key)
    except Exception as error:  # noqa: BLE001  as above
        _warn(error)
        return None
    return page if isinstance(page, Page) else None


def put(key: str, page: Page) -> None:
    try:
        pages.set(key, page, timeout=PAGE_TIMEOUT)
    except Exception as error:  # noqa: BLE001  as above
        _warn(error)


def _warn(error: Exception) -> None:
    """Log the class of the error only: its text may quote an address with a password."""
    name = type(error).__name__
    if warning_limit.allows(name):
        log.warning("The cache of pages (FLASK_CACHE_TYPE) failed, going on without it: %s", name)
