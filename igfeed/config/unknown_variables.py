"""Finds environment variables that seem to be meant for igfeed but are not read: mistyped, or of another version.

Every unknown name that begins with IGFEED is reported. Other names may belong to other programs, so they are reported
only if they nearly equal one of ours.
"""

import re
from collections.abc import Iterator, Mapping

from igfeed.config.cache_settings import KNOWN_VARIABLES as CACHE_VARIABLES

# A test compares this list with the names that Settings reads.
KNOWN = {
    *("BASE_URL", "NEXT_PUBLIC_BASE_URL", "VERCEL_PROJECT_PRODUCTION_URL", "FORWARDED_ALLOW_IPS"),
    *("CRON_SECRET", "VERCEL_CRON_SECRET"),
    *("UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN", "KV_REST_API_URL", "KV_REST_API_TOKEN"),
    *("INSTAGRAM_ACCESS_TOKEN", "INSTAGRAM_API_URL", "INSTAGRAM_API_VERSION", "INSTAGRAM_MEDIA_ORIGINS"),
    *("INSTAGRAM_APP_ID", "INSTAGRAM_APP_SECRET", "INSTAGRAM_OAUTH_URL", "INSTAGRAM_LOGIN_URL"),
    *("IGFEED_STORE_PATH", "IGFEED_DEMO", "IGFEED_POSTS", "IGFEED_FEED_TTL", "IGFEED_CHECK_TTL"),
    *("IGFEED_RENEW_WITHIN_DAYS", "IGFEED_FRAME_ANCESTORS", "IGFEED_ENCRYPTION_KEY", "IGFEED_LANGUAGE"),
    *("IGFEED_ALERTS", "IGFEED_ON_NEW_POST", "IGFEED_HOOK_SECRET", "IGFEED_LOG_LEVEL", "PORT", "VERCEL"),
}

OF_OTHERS = {
    *("KV_REST_API_READ_ONLY_TOKEN", "UPSTASH_REDIS_REST_READONLY_TOKEN", "KV_URL"),
    *("UPSTASH_VECTOR_REST_URL", "UPSTASH_VECTOR_REST_TOKEN", "UPSTASH_SEARCH_REST_URL", "UPSTASH_SEARCH_REST_TOKEN"),
}
"""Variables that Vercel and Upstash set too, and that look like ours."""

OUR_PREFIX = "IGFEED"
CHECKED_NAME = re.compile(r"(IG_?F|INSTA|UPSTASH|KV_|CRON|VERCEL_CRON|BASE_?U|NEXT_PUBLIC_B|FLASK_CACHE_)\w*", re.ASCII)
ALIKE, VERY_ALIKE = 0.7, 0.8
"""The least similarity (``difflib``, 0 to 1) at which a name counts as a mistyped one of ours. ALIKE is for names that
begin with IGFEED, VERY_ALIKE for all others."""


def warnings(env: Mapping[str, str]) -> Iterator[str]:
    """A log line for each variable that is probably a mistake. It never contains the variable's value."""
    expected = KNOWN | CACHE_VARIABLES | OF_OTHERS
    for name in sorted(env):
        if name in expected or not env[name].strip() or not CHECKED_NAME.fullmatch(name.upper()):
            continue
        if nearest := _nearest(name):
            yield f"{name} is set, but igfeed does not know it. Did you mean {nearest}?"
        elif name.upper().startswith(OUR_PREFIX):
            yield f"{name} is set, but igfeed does not know it. The README names all variables."


def _nearest(name: str) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415  most cold starts do not need it

    alike = ALIKE if name.upper().startswith(OUR_PREFIX) else VERY_ALIKE
    candidates = sorted(KNOWN | CACHE_VARIABLES)
    return next(iter(get_close_matches(name.upper(), candidates, n=1, cutoff=alike)), None)
