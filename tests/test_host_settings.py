"""The settings of a feed in somebody's own app."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from igfeed.config import Settings
from igfeed.errors import ConfigError
from igfeed.extension.host_settings import settings_of, warnings

KEY = b"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
UPSTASH = {"UPSTASH_REDIS_REST_URL": "https://db.example", "UPSTASH_REDIS_REST_TOKEN": "t"}


def settings(environ: dict[str, str] | None = None, **config: Any) -> Settings:
    host = Flask("host", instance_path="/srv/host")
    host.config.update(config)
    return settings_of(host, environ or {})


def test_the_configuration_wins_over_the_environment_and_none_is_absent() -> None:
    environ = {"IGFEED_POSTS": "5", "CRON_SECRET": "of the environment", "IGFEED_LANGUAGE": "de"}
    found = settings(environ, IGFEED_POSTS=7, CRON_SECRET=None, IGFEED_LANGUAGE="")

    assert (found.posts, found.secrets, found.language) == (7, ("of the environment",), "en")


def test_values_may_have_their_own_types() -> None:
    found = settings(
        IGFEED_DEMO=True,
        IGFEED_FEED_TTL=timedelta(days=31),
        IGFEED_RENEW_WITHIN_DAYS=timedelta(days=9),
        IGFEED_FRAME_ANCESTORS=["'self'", "https://shop.example"],
        IGFEED_ENCRYPTION_KEY=[KEY, KEY.decode()],
        IGFEED_STORE_PATH=Path("/srv/store"),
        CRON_SECRET=123456,
    )

    assert (found.demo, found.feed_ttl, found.renew_within) == (True, timedelta(days=31), timedelta(days=9))
    assert found.frame_ancestors == "'self' https://shop.example"
    assert len(found.encryption_keys) == 2
    assert (found.store_path, found.secrets) == (Path("/srv/store"), ("123456",))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("IGFEED_POSTS", 0, "IGFEED_POSTS is '0': it takes"),
        ("IGFEED_POSTS", True, "IGFEED_POSTS in app.config is a bool"),
        ("IGFEED_POSTS", timedelta(1), "IGFEED_POSTS in app.config is a timedelta"),
        ("IGFEED_FEED_TTL", timedelta(milliseconds=1500), "IGFEED_FEED_TTL is '1.5'"),
        ("IGFEED_LANGUAGE", {"se-cret": 1}, "IGFEED_LANGUAGE in app.config is a dict"),
        ("CRON_SECRET", False, "CRON_SECRET in app.config is a bool"),
        ("CRON_SECRET", ["se-cret"], "CRON_SECRET in app.config is a list"),
        ("IGFEED_BASE_URL", 1.5, "IGFEED_BASE_URL in app.config is a float"),
        ("UPSTASH_REDIS_REST_URL", "https://db.example", "UPSTASH_REDIS_REST_TOKEN is missing"),
    ],
)
def test_a_wrong_value_stops_the_start_and_is_named(key: str, value: object, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        settings(None, **{key: value})

    assert str(error.value).startswith(said)
    assert "se-cret" not in str(error.value)


def test_any_name_may_have_our_prefix_where_the_host_uses_it_for_something_else() -> None:
    found = settings(BASE_URL="https://one.example/path", IGFEED_BASE_URL="https://two.example")

    assert found.base_url == "https://two.example"


def test_the_store_is_in_the_hosts_instance_folder() -> None:
    assert settings().store_path == Path("/srv/host/igfeed.sqlite3")
    assert settings({"IGFEED_STORE_PATH": "feeds/one"}).store_path == Path("/srv/host/feeds/one")


def test_where_the_configuration_has_chosen_a_store_the_environment_chooses_no_other() -> None:
    other = {"KV_REST_API_URL": "https://kv.example", "KV_REST_API_TOKEN": "t"}
    assert settings(UPSTASH, IGFEED_STORE_PATH="mine").redis is None
    found = settings(UPSTASH, **other).redis
    assert found
    assert found.url == "https://kv.example"
    token_only = {"UPSTASH_REDIS_REST_TOKEN": "t"}
    assert settings(token_only, UPSTASH_REDIS_REST_URL="https://db.example").redis


def test_what_the_host_has_for_itself_is_not_read() -> None:
    found = settings(
        {"PORT": "any", "IGFEED_LOG_LEVEL": "any", "FLASK_CACHE_TYPE": "any"}, PORT="any", CACHE_TYPE="any"
    )

    assert (found.port, found.log_level) == (8000, "INFO")


def test_a_mistyped_name_is_said_without_its_value() -> None:
    config = {"IGFEED_POST": "se-cret", "IGFEED_BASE_URL": "https://a.example", "SECRET_KEY": "se-cret"}
    lines = [*warnings(config, {"CRON_SECRT": "se-cret", "FLASK_CACHE_TYP": "x"})]

    assert [line.split()[0] for line in lines] == ["CRON_SECRT", "IGFEED_POST"]
    assert "se-cret" not in " ".join(lines)
