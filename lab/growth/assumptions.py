"""What is taken for what: times and sizes, as they are set, measured or supposed."""

from datetime import timedelta

from igfeed.cache_lifetimes import PAGE
from igfeed.feed.picture_files import WIDTHS, Files

DAYS = 3
"""So many are played and taken for a month."""

MONTH = 30
NEW_POSTS = 1
"""A day."""

S_MAXAGE = timedelta(seconds=int(PAGE.split("s-maxage=")[1].split(",")[0]))
FEED_TTL = timedelta(seconds=900)
CHECK_TTL = timedelta(seconds=30)

IDLE = timedelta(minutes=10)
"""How long an instance outlives its last request: an assumption, platforms do not say."""

ANSWER = timedelta(milliseconds=20)
START = timedelta(milliseconds=500)
"""How long a request and a cold start keep an instance busy that does one thing at a time: assumptions too."""

BARE_ANSWER = timedelta(microseconds=350)
"""How long a view keeps a processor busy on a server that lives on, nearly all being answered from finished pages.

HTTP included, and rounded up: two gunicorn workers that share their processors with who asks hand out 6,000 a second
and more (docs/bench.md).
"""

MEMORY = 2
"""Gigabytes of an instance."""

PAGE_BYTES = 10_800
"""Of `/embed` with twelve posts and its headers, as gzip: measured (see tests/test_growth.py)."""

WEBP_SIZES, AVIF_SIZES = (10_000, 31_000, 80_000), (7_000, 22_000, 49_000)
"""Usual bytes of a picture in each width (docs/pictures.md)."""

WEBP: Files = {
    (width, "webp"): b"RIFF....WEBP".ljust(size, b"x") for width, size in zip(WIDTHS, WEBP_SIZES, strict=True)
}
AVIF: Files = {
    (width, "avif"): b"....ftypavif".ljust(size, b"x") for width, size in zip(WIDTHS, AVIF_SIZES, strict=True)
}
FILES = WEBP | AVIF

GB = 1e9
