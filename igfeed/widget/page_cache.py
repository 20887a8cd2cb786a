"""Rendered pages, kept by Flask-Caching: in this process unless the owner chooses another kind (FLASK_CACHE_TYPE)."""

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

DAY = 24 * 3600
IN_THIS_PROCESS = "SimpleCache"

log = logging.getLogger(__name__)

pages = Cache()
warnings_allowed = RateLimit(600)


@dataclass(frozen=True)
class Page:
    """HTML with what its headers say of it."""

    body: bytes
    etag: str
    policy: str


class AsTheyAre(BaseSerializer):
    """What never changes and never leaves the process need not be copied."""

    def dumps(self, value: Any, *_: object) -> Any:
        return value

    def loads(self, value: Any) -> Any:
        return value


def _as_texts(page: Page) -> dict[str, str]:
    return {**asdict(page), "body": page.body.decode()}


def _as_page(found: dict[str, Any]) -> Page | None:
    """None for what is no page; what goes into headers must be fit for them."""
    is_page = found.keys() == {"body", "etag", "policy"} and all(isinstance(text, str) for text in found.values())
    if not is_page or not re.fullmatch(r"[0-9a-f]+ [ -~]+", f"{found['etag']} {found['policy']}"):
        return None
    return Page(found["body"].encode(), found["etag"], found["policy"])


class AsJson(JSONSerializer):
    """What leaves the process may come back from others, and whoever writes a pickle runs code here."""

    dump = partialmethod(JSONSerializer.dump, default=_as_texts)
    dumps = partialmethod(JSONSerializer.dumps, default=_as_texts)
    load = partialmethod(JSONSerializer.load, object_hook=_as_page)
    loads = partialmethod(JSONSerializer.loads, object_hook=_as_page)


def init_app(app: Flask) -> None:
    """Raises ConfigError if the settings are unusable. A cache that is only unreachable now is no error."""
    cache_settings.check(app.config)
    if app.debug:  # A cached page would hide what was saved in a template since.
        app.config["CACHE_TYPE"] = "NullCache"
    kind = app.config["CACHE_TYPE"]
    app.config["CACHE_SERIALIZER"] = AsTheyAre() if kind == IN_THIS_PROCESS else AsJson()
    try:
        with warnings.catch_warnings(action="ignore"):  # What it warns of is looked at here.
            pages.init_app(app)
    except Exception as error:  # noqa: BLE001  each kind of cache raises what it likes
        raise cache_settings.unusable(app.config, error) from None
    backend = app.extensions["cache"][pages]
    if not isinstance(backend, NullCache) and not isinstance(getattr(backend, "serializer", None), BaseSerializer):
        raise ConfigError(f"FLASK_CACHE_TYPE is {kind!r} and cannot be used: it keeps pickles, and no JSON.")


def kept(key: str) -> Page | None:
    """What the cache has, if it is a page: the owner may have chosen one that fails, or that others write to."""
    try:
        page = pages.get(key)
    except Exception as error:  # noqa: BLE001  as above
        _warn(error)
        return None
    return page if isinstance(page, Page) else None


def keep(key: str, page: Page) -> None:
    try:
        pages.set(key, page, timeout=DAY)
    except Exception as error:  # noqa: BLE001  as above
        _warn(error)


def _warn(error: Exception) -> None:
    """By its class only: the text may hold an address with a password in it."""
    name = type(error).__name__
    if warnings_allowed.allows(name):
        log.warning("The cache of pages (FLASK_CACHE_TYPE) failed, going on without it: %s", name)
