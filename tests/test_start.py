"""What cannot work ends the start with one line, whoever starts the app."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn, Self

import pytest
from cachelib.serializers import JSONSerializer
from flask_caching.backends.base import BaseCache

from igfeed import create_app, create_app_or_exit
from igfeed.clock import RateLimit
from igfeed.errors import ConfigError
from igfeed.models import Token
from igfeed.widget import page_cache
from tests.conftest import MakeServices

ROOT = Path(__file__).parent.parent
REDIS = {"FLASK_CACHE_TYPE": "RedisCache"}
FILES = {"FLASK_CACHE_TYPE": "FileSystemCache"}
MEMCACHED = {"FLASK_CACHE_TYPE": "MemcachedCache"}


def gunicorn(tmp_path: Path, variables: dict[str, str], *options: str) -> "subprocess.CompletedProcess[str]":
    """It ends by itself: a start that goes on is an error after a minute."""
    env = {"PATH": os.environ["PATH"], "IGFEED_STORE_PATH": str(tmp_path / "store.sqlite3"), **variables}
    command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", *options, "wsgi:app"]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"IGFEED_FEED_TTL": "soon"}, "IGFEED_FEED_TTL"),
        ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY"),
        ({"FLASK_CACHE_TYPE": "simple"}, "FLASK_CACHE_TYPE"),
        ({**FILES, "FLASK_CACHE_DIR": "/proc/pages"}, "FLASK_CACHE_DIR"),
        ({"FLASK_CACHE_DEFAULT_TIMEOUT": "x"}, "FLASK_CACHE_DEFAULT_TIMEOUT"),
    ],
)
def test_gunicorn_ends_with_one_line_that_names_the_variable(
    tmp_path: Path, variables: dict[str, str], named: str
) -> None:
    done = gunicorn(tmp_path, variables)

    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert named in done.stderr


def test_gunicorn_ends_when_only_its_workers_cannot_start(tmp_path: Path) -> None:
    """What it is told with --env is there after its settings have been read."""
    done = gunicorn(tmp_path, {}, "--env", "FLASK_CACHE_TYPE=simple", "--workers", "1")

    assert done.returncode == 3
    assert done.stderr.count("Booting worker") == 1
    assert "FLASK_CACHE_TYPE is 'simple'" in done.stderr


def test_gunicorn_ends_with_one_line_when_a_library_is_missing(tmp_path: Path) -> None:
    (tmp_path / "cryptography.py").write_text("raise ImportError('No module named cryptography')")

    key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    done = gunicorn(tmp_path, {"PYTHONPATH": str(tmp_path), "IGFEED_ENCRYPTION_KEY": key})

    assert done.returncode == 1
    assert "No module named cryptography" in done.stderr
    assert "requirements.txt" in done.stderr
    assert "Traceback" not in done.stderr


def test_any_other_server_ends_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """For granian, Vercel and the flask command, which end at the first SystemExit."""
    monkeypatch.setenv("FLASK_CACHE_TYPE", "simple")

    with pytest.raises(SystemExit) as ended:
        create_app_or_exit()

    assert "FLASK_CACHE_TYPE is 'simple'" in str(ended.value)
    assert "\n" not in str(ended.value)


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({"FLASK_CACHE_TYPE": "NoSuchCache"}, "FLASK_CACHE_TYPE is 'NoSuchCache': it takes SimpleCache,"),
        ({"FLASK_CACHE_TYPE": "5"}, "FLASK_CACHE_TYPE is '5'"),
        ({"FLASK_CACHE_TYPE": "os.path"}, "FLASK_CACHE_TYPE is 'os.path'"),
        (FILES, "FLASK_CACHE_DIR is missing"),
        ({**FILES, "FLASK_CACHE_DIR": ""}, "FLASK_CACHE_DIR is missing"),
        ({**FILES, "FLASK_CACHE_DIR": __file__}, f"FLASK_CACHE_DIR is {__file__!r}"),
        ({**FILES, "FLASK_CACHE_DIR": f"{__file__}/pages"}, "FLASK_CACHE_DIR is "),
        ({"FLASK_CACHE_DEFAULT_TIMEOUT": "x"}, "FLASK_CACHE_DEFAULT_TIMEOUT is 'x': it takes a whole number"),
        ({"FLASK_CACHE_DEFAULT_TIMEOUT": "true"}, "FLASK_CACHE_DEFAULT_TIMEOUT is True"),
        ({"FLASK_CACHE_THRESHOLD": "1.5"}, "FLASK_CACHE_THRESHOLD is 1.5"),
        ({"FLASK_CACHE_THRESHOLD": "-1"}, "FLASK_CACHE_THRESHOLD is -1"),
        ({"FLASK_CACHE_IGNORE_ERRORS": "perhaps"}, "FLASK_CACHE_IGNORE_ERRORS is 'perhaps': it takes 1 or 0"),
        ({"FLASK_CACHE_ARGS": "x"}, "FLASK_CACHE_ARGS is not usable: it takes a list"),
        ({"FLASK_CACHE_OPTIONS": "se-cret"}, "FLASK_CACHE_OPTIONS is not usable"),
        ({"FLASK_CACHE_HASH_METHOD": "md5"}, "FLASK_CACHE_HASH_METHOD cannot be set"),
        ({**REDIS, "FLASK_CACHE_REDIS_PORT": "x"}, "FLASK_CACHE_REDIS_PORT is 'x'"),
        ({**REDIS, "FLASK_CACHE_REDIS_URL": "localhost"}, "FLASK_CACHE_REDIS_URL is not usable"),
        ({**REDIS, "FLASK_CACHE_REDIS_URL": "redis://:se-cret/x@h:1"}, "FLASK_CACHE_REDIS_URL is not usable"),
        (MEMCACHED, "FLASK_CACHE_TYPE is 'MemcachedCache' and cannot be used"),
    ],
)
def test_a_cache_that_cannot_be_used_as_it_is_set_names_the_variable(
    make_services: MakeServices, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], line: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ConfigError) as error:
        create_app(services=make_services())

    assert str(error.value).startswith(line)
    assert "se-cret" not in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_for_the_cache_is_made_where_there_is_none(
    make_services: MakeServices, token: Token, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FLASK_CACHE_TYPE", "FileSystemCache")
    monkeypatch.setenv("FLASK_CACHE_DIR", str(tmp_path / "some" / "where"))

    assert create_app(services=make_services()).test_client().get("/embed").status_code == 200
    assert list((tmp_path / "some" / "where").iterdir())


class Talkative(BaseCache):
    """A cache that quotes its settings when they are wrong."""

    @classmethod
    def factory(cls, _: object, config: dict[str, Any], *__: object) -> Self:
        raise ValueError(f"no cache: {config['CACHE_KEY_PREFIX']}")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FLASK_CACHE_REDIS_URL", "redis://:se-cret@cache.example/0"),
        ("FLASK_CACHE_REDIS_PASSWORD", "se-cret"),
        ("FLASK_CACHE_OPTIONS", '{"credentials": ["somebody", "se-cret"]}'),
        ("FLASK_CACHE_ARGS", '["redis://somebody:se-cret@cache.example"]'),
    ],
)
def test_an_error_of_a_cache_that_quotes_a_secret_is_not_repeated(
    make_services: MakeServices, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("FLASK_CACHE_TYPE", f"{__name__}.Talkative")
    monkeypatch.setenv("FLASK_CACHE_KEY_PREFIX", "se-cret")
    monkeypatch.setenv(variable, value)

    with pytest.raises(ConfigError) as error:
        create_app(services=make_services())

    assert str(error.value).endswith("cannot be used: ValueError.")


class Away(BaseCache):
    """A cache that is set up well and is not there, and says so with its password."""

    serializer = JSONSerializer()

    @classmethod
    def factory(cls, *_: object) -> Self:
        return cls()

    def get(self, key: str) -> NoReturn:
        raise ConnectionError(f"redis://:se-cret@cache.example has no {key}")

    def set(self, key: str, *_: object, **__: object) -> NoReturn:
        raise ConnectionError(f"redis://:se-cret@cache.example takes no {key}")


def test_a_cache_that_is_down_costs_no_page_and_one_line_in_the_log(
    make_services: MakeServices, token: Token, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("FLASK_CACHE_TYPE", f"{__name__}.Away")
    monkeypatch.setattr(page_cache, "warning_limit", RateLimit(600))
    client = create_app(services=make_services(IGFEED_CHECK_TTL="0")).test_client()

    assert [client.get("/embed").status_code for _ in range(5)] == [200] * 5

    assert caplog.text.count("FLASK_CACHE_TYPE") == 1
    assert "ConnectionError" in caplog.text
    assert "se-cret" not in caplog.text


def test_spaces_around_a_value_are_removed(make_services: MakeServices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_CACHE_TYPE", " NullCache\r\n")

    assert create_app(services=make_services()).config["CACHE_TYPE"] == "NullCache"


def test_a_text_of_digits_stays_a_text(make_services: MakeServices, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flask reads variables as JSON."""
    monkeypatch.setenv("FLASK_CACHE_REDIS_PASSWORD", "123456")
    monkeypatch.setenv("FLASK_CACHE_KEY_PREFIX", "7")

    config = create_app(services=make_services()).config

    assert (config["CACHE_REDIS_PASSWORD"], config["CACHE_KEY_PREFIX"]) == ("123456", "7")
