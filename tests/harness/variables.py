"""The environment variables of a deployment that talks to the fake servers."""

from pathlib import Path

from tests.harness.owner import SECRET
from tests.servers.instagram import FakeInstagram
from tests.servers.upstash import FakeUpstash


def variables(instagram: FakeInstagram, store: FakeUpstash | Path, **more: str) -> dict[str, str]:
    """`store` is the fake Upstash, or the file of the embedded store. `more` is set besides."""
    return {
        "INSTAGRAM_API_URL": instagram.url,
        "INSTAGRAM_MEDIA_ORIGINS": instagram.url,
        "CRON_SECRET": SECRET,
        **_store(store),
        **more,
    }


def _store(store: FakeUpstash | Path) -> dict[str, str]:
    if isinstance(store, Path):
        return {"IGFEED_STORE_PATH": str(store)}
    return {"UPSTASH_REDIS_REST_URL": store.url, "UPSTASH_REDIS_REST_TOKEN": store.token}
