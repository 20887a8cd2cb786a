"""A mistyped variable is named in the log, what it holds is not, and what others read is left alone."""

import re
from pathlib import Path

import pytest

import igfeed
from igfeed import create_app
from igfeed.clock import RateLimit
from igfeed.config.unknown_variables import KNOWN, OF_OTHERS, warnings

HELD = "hunter2-hunter2"
CONFIG = Path(igfeed.__file__).parent / "config" / "settings.py"
VARIABLE = re.compile(r'"((?:IGFEED|INSTAGRAM|UPSTASH|KV|NEXT|VERCEL|CRON|BASE|FORWARDED)_[A-Z_]+|PORT|VERCEL)"')


def test_known_are_the_variables_that_are_read() -> None:
    assert set(VARIABLE.findall(CONFIG.read_text("utf-8"))) == KNOWN


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("IGFEED_POST", "IGFEED_POSTS"),
        ("IGFEED_LANG", "IGFEED_LANGUAGE"),
        ("IGFEED_TTL", "IGFEED_FEED_TTL"),
        ("IGFEED_FRAME_ANCESTOR", "IGFEED_FRAME_ANCESTORS"),
        ("IGFEED_ALERT", "IGFEED_ALERTS"),
        ("igfeed_posts", "IGFEED_POSTS"),
        ("IGFEEDPOSTS", "IGFEED_POSTS"),
        ("IG_FEED_POSTS", "IGFEED_POSTS"),
        ("INSTAGRAM_ACCES_TOKEN", "INSTAGRAM_ACCESS_TOKEN"),
        ("INSTAGRAM_TOKEN", "INSTAGRAM_ACCESS_TOKEN"),
        ("UPSTASH_REDIS_URL", "UPSTASH_REDIS_REST_URL"),
        ("UPSTASH_REDIS_TOKEN", "UPSTASH_REDIS_REST_TOKEN"),
        ("KV_REST_URL", "KV_REST_API_URL"),
        ("CRON_SECERT", "CRON_SECRET"),
        ("CRONSECRET", "CRON_SECRET"),
        ("cron_secret", "CRON_SECRET"),
        ("BASEURL", "BASE_URL"),
        ("FLASK_CACHE_DEFAULT_TIMEOT", "FLASK_CACHE_DEFAULT_TIMEOUT"),
    ],
)
def test_a_mistyped_variable_is_named_with_the_one_that_is_meant(name: str, meant: str) -> None:
    (line,) = warnings({name: HELD})

    assert line.startswith(f"{name} is set")
    assert line.endswith(f"Did you mean {meant}?")
    assert HELD not in line


def test_what_is_like_nothing_is_named_alone() -> None:
    assert list(warnings({"IGFEED_XYLOPHONE_QUARTZ": HELD})) == [
        "IGFEED_XYLOPHONE_QUARTZ is set, but igfeed does not know it. The README names all variables."
    ]


@pytest.mark.parametrize(
    "name",
    [
        *sorted(KNOWN | OF_OTHERS),
        *("PATH", "HOME", "HOST", "PORTS", "VERCEL_ENV", "VERCEL_REGION", "VERCEL_GIT_COMMIT_SHA", "REDIS_URL"),
        *("INSTAGRAM_USERNAME", "INSTAGRAM_WEBHOOK_SECRET", "UPSTASH_VECTOR_REST_URL", "CRON_TZ", "KV_REST_API_WHAT"),
        *("FLASK_APP", "FLASK_CACHE_TYPE", "NEXT_PUBLIC_ANALYTICS", "STORAGE_KV_REST_API_URL", "DATABASE_URL"),
    ],
)
def test_what_we_or_others_read_is_no_matter(name: str) -> None:
    assert list(warnings({name: HELD})) == []


def test_an_empty_variable_counts_as_absent_here_too() -> None:
    assert list(warnings({"IGFEED_POST": " "})) == []


def test_the_start_says_it_once_however_many_apps_a_process_makes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(igfeed, "logged_warnings", RateLimit(60))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IGFEED_POST", HELD)
    (tmp_path / ".env").write_text(f"IGFEED_LANGUAG={HELD}\n")

    for _ in range(3):
        create_app()

    lines = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [re.findall("IGFEED_[A-Z]+", line) for line in lines] == [
        ["IGFEED_LANGUAG", "IGFEED_LANGUAGE"],
        ["IGFEED_POST", "IGFEED_POSTS"],
    ]
    assert HELD not in caplog.text
