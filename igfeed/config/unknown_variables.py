"""Variables that the owner seems to mean for us and that nothing reads: mistyped, or of another version.

Of names that begin with IGFEED each is looked at; of others, which other programs may read, those that nearly are ours.
"""

import re
from collections.abc import Iterator, Mapping

from igfeed.config.cache_settings import KNOWN as KNOWN_OF_THE_CACHE

KNOWN = {
    *("BASE_URL", "NEXT_PUBLIC_BASE_URL", "VERCEL_PROJECT_PRODUCTION_URL", "FORWARDED_ALLOW_IPS"),
    *("CRON_SECRET", "VERCEL_CRON_SECRET"),
    *("UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN", "KV_REST_API_URL", "KV_REST_API_TOKEN"),
    *("INSTAGRAM_ACCESS_TOKEN", "INSTAGRAM_API_URL", "INSTAGRAM_API_VERSION", "INSTAGRAM_MEDIA_ORIGINS"),
    *("IGFEED_STORE_PATH", "IGFEED_DEMO", "IGFEED_POSTS", "IGFEED_FEED_TTL", "IGFEED_CHECK_TTL"),
    *("IGFEED_RENEW_WITHIN_DAYS", "IGFEED_FRAME_ANCESTORS", "IGFEED_ENCRYPTION_KEY", "IGFEED_LANGUAGE"),
    *("IGFEED_LOG_LEVEL", "PORT", "VERCEL"),
}
LATER = {
    *("IGFEED_ALERTS", "IGFEED_ON_NEW_POST", "IGFEED_HOOK_SECRET"),
    *("INSTAGRAM_APP_ID", "INSTAGRAM_APP_SECRET", "INSTAGRAM_OAUTH_URL", "INSTAGRAM_LOGIN_URL"),
}
"""What a later version reads."""

OF_OTHERS = {
    *("KV_REST_API_READ_ONLY_TOKEN", "UPSTASH_REDIS_REST_READONLY_TOKEN", "KV_URL"),
    *("UPSTASH_VECTOR_REST_URL", "UPSTASH_VECTOR_REST_TOKEN", "UPSTASH_SEARCH_REST_URL", "UPSTASH_SEARCH_REST_TOKEN"),
}
"""What Vercel and Upstash set besides, and looks like ours."""

OURS = "IGFEED"
LOOKED_AT = re.compile(r"(IG_?F|INSTA|UPSTASH|KV_|CRON|VERCEL_CRON|BASE_?U|NEXT_PUBLIC_B|FLASK_CACHE_)\w*", re.ASCII)
ALIKE, VERY_ALIKE = 0.7, 0.8
"""Shares of two names that are the same, from where on one is taken for the other (``difflib``)."""


def warnings(env: Mapping[str, str]) -> Iterator[str]:
    """A line for each, which never holds what the variable holds."""
    settled = KNOWN | KNOWN_OF_THE_CACHE | OF_OTHERS
    for name in sorted(env):
        if name in settled or not env[name].strip() or not LOOKED_AT.fullmatch(name.upper()):
            continue
        if name in LATER:
            yield f"{name} is set, but this version of igfeed does not use it."
        elif nearest := _nearest(name):
            yield f"{name} is set, but igfeed does not know it. Did you mean {nearest}?"
        elif name.upper().startswith(OURS):
            yield f"{name} is set, but igfeed does not know it. The README names all variables."


def _nearest(name: str) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415  a cold start has no use for it

    alike = ALIKE if name.upper().startswith(OURS) else VERY_ALIKE
    candidates = sorted(KNOWN | KNOWN_OF_THE_CACHE | LATER)
    return next(iter(get_close_matches(name.upper(), candidates, n=1, cutoff=alike)), None)
