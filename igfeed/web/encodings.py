"""Compression of responses: which encodings we have, and which one a visitor accepts."""

import gzip
from collections.abc import Callable
from contextlib import suppress
from functools import cache, lru_cache

from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

IDENTITY = "identity"
"""The name of no encoding at all (RFC 9110)."""


@cache
def encoders() -> dict[str, Callable[[bytes], bytes]]:
    """The functions that compress, by the name of the encoding, best first."""
    # Without a time inside, equal pages are equal bytes in every process, as their ETag says.
    found: dict[str, Callable[[bytes], bytes]] = {"gzip": lambda body: gzip.compress(body, mtime=0)}
    with suppress(ImportError):
        import brotli  # type: ignore[import-not-found]  # noqa: PLC0415  optional: pages are a third smaller with it

        found = {"br": lambda body: brotli.compress(body, quality=5), **found}
    return found


@lru_cache(maxsize=100)
def best_encoding(accepted: str) -> str:
    """The encoding to use for a visitor with this ``Accept-Encoding``, ``identity`` if none of ours is wanted."""
    accept = parse_accept_header(accepted, Accept)
    best = max(encoders(), key=accept.quality)
    return best if 0 < accept.quality(best) >= accept.quality(IDENTITY) else IDENTITY
