"""The variables, each with what it takes, what it is without, and what it says to a value that it does not take."""

import os
import subprocess
import sys
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from igfeed.config import Redis, Settings, environment
from igfeed.errors import ConfigError
from igfeed.models.app_credentials import AppCredentials
from igfeed.origins import Origins

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
OTHER_KEY = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXowMTIzNDU="
HIDDEN = "hunter2-hunter2"


def read(**env: str) -> Settings:
    return Settings.from_env(env)


DEFAULTS = {
    "redis": None,
    "redis_elsewhere": (),
    "store_path": Path("instance/igfeed.sqlite3"),
    "secrets": (),
    "base_url": None,
    "trusted_proxies": (ip_network("127.0.0.1"), ip_network("::1")),
    "access_token": None,
    "app": None,
    "oauth_url": "https://api.instagram.com",
    "login_url": "https://www.instagram.com",
    "api_url": "https://graph.instagram.com",
    "api_version": "v25.0",
    "media_origins": Origins("https://*.cdninstagram.com,https://*.fbcdn.net"),
    "demo": False,
    "posts": 24,
    "feed_ttl": timedelta(minutes=15),
    "check_ttl": timedelta(seconds=30),
    "renew_within": timedelta(days=7),
    "frame_ancestors": "*",
    "encryption_keys": (),
    "alerts": (),
    "hooks": (),
    "hook_secret": None,
    "language": "en",
    "log_level": "INFO",
    "port": 8000,
    "on_vercel": False,
}

HOOKS_ON_THIS_MACHINE = ["http://localhost:8000/x", "http://site.localhost/x", "http://127.0.0.2/x", "http://[::1]:1/x"]

GOOD = [
    ("IGFEED_STORE_PATH", "/srv/feed.db", "store_path", Path("/srv/feed.db")),
    ("CRON_SECRET", "s3cret", "secrets", ("s3cret",)),
    ("VERCEL_CRON_SECRET", "s3cret", "secrets", ("s3cret",)),
    ("BASE_URL", "https://feed.example.com", "base_url", "https://feed.example.com"),
    ("BASE_URL", "http://localhost:8000/", "base_url", "http://localhost:8000"),
    ("INSTAGRAM_ACCESS_TOKEN", "IGAAabc_-.~", "access_token", "IGAAabc_-.~"),
    ("INSTAGRAM_API_URL", "http://127.0.0.1:9000/", "api_url", "http://127.0.0.1:9000"),
    ("INSTAGRAM_API_VERSION", "v26.0", "api_version", "v26.0"),
    ("INSTAGRAM_MEDIA_ORIGINS", "http://127.0.0.1:9000", "media_origins", Origins("http://127.0.0.1:9000")),
    ("IGFEED_DEMO", "1", "demo", True),
    ("IGFEED_DEMO", "True", "demo", True),
    ("IGFEED_DEMO", "0", "demo", False),
    ("IGFEED_DEMO", "off", "demo", False),
    ("IGFEED_POSTS", "1", "posts", 1),
    ("IGFEED_POSTS", "100", "posts", 100),
    ("IGFEED_POSTS", " 30 ", "posts", 30),
    ("IGFEED_FEED_TTL", "0", "feed_ttl", timedelta()),
    ("IGFEED_FEED_TTL", "3600", "feed_ttl", timedelta(hours=1)),
    ("IGFEED_CHECK_TTL", "0", "check_ttl", timedelta()),
    ("IGFEED_RENEW_WITHIN_DAYS", "1", "renew_within", timedelta(days=1)),
    ("IGFEED_RENEW_WITHIN_DAYS", "59", "renew_within", timedelta(days=59)),
    ("IGFEED_FRAME_ANCESTORS", "'none'", "frame_ancestors", "'none'"),
    ("IGFEED_FRAME_ANCESTORS", "'self' https://*.a.com:8443", "frame_ancestors", "'self' https://*.a.com:8443"),
    ("IGFEED_ENCRYPTION_KEY", KEY, "encryption_keys", (KEY,)),
    ("IGFEED_ENCRYPTION_KEY", f"{KEY}, {OTHER_KEY},", "encryption_keys", (KEY, OTHER_KEY)),
    ("IGFEED_ALERTS", "json://one  json://two", "alerts", ("json://one", "json://two")),
    ("IGFEED_ON_NEW_POST", "https://a.com/x https://b.com", "hooks", ("https://a.com/x", "https://b.com")),
    ("IGFEED_ON_NEW_POST", "https://me:pw@a.com:8443/x?y=1", "hooks", ("https://me:pw@a.com:8443/x?y=1",)),
    *(("IGFEED_ON_NEW_POST", address, "hooks", (address,)) for address in HOOKS_ON_THIS_MACHINE),
    ("IGFEED_HOOK_SECRET", "Grüße & Küsse", "hook_secret", "Grüße & Küsse"),
    ("IGFEED_LANGUAGE", "DE", "language", "de"),
    ("IGFEED_LANGUAGE", "de-AT", "language", "de"),
    ("IGFEED_LANGUAGE", " pt_BR.UTF-8 ", "language", "pt"),
    ("IGFEED_LANGUAGE", "fr@euro", "language", "fr"),
    ("IGFEED_LOG_LEVEL", "debug", "log_level", "DEBUG"),
    ("PORT", "1", "port", 1),
    ("PORT", "65535", "port", 65535),
    ("VERCEL", "1", "on_vercel", True),
    ("VERCEL", "0", "on_vercel", False),
]

BAD_HOOKS = [
    "example.com/hook",
    "https://",
    "https:///hook",
    "https://[::1",
    "https://example.com:0/hook",
    "https://example.com:99999/hook",
    "https://example.com:port/hook",
    "https://exa$mple.com/hook",
    r"https://example.com\@evil.example/hook",
    "https://example.com/h\u00f6k",
    "https://example.com/\x00hook",
    "ftp://example.com/hook",
    "http://example.com/hook",
    "http://localhost.example.com/hook",
    "http://127.0.0.1.example.com/hook",
    "http://10.0.0.1/hook",
]

BAD = [
    ("INSTAGRAM_API_VERSION", "25"),
    ("INSTAGRAM_API_VERSION", "v25.0/me"),
    ("INSTAGRAM_API_VERSION", "v٢.٣"),
    ("INSTAGRAM_MEDIA_ORIGINS", "https://a.com/path"),
    ("INSTAGRAM_MEDIA_ORIGINS", "ftp://a.com"),
    ("IGFEED_DEMO", "perhaps"),
    ("IGFEED_POSTS", "0"),
    ("IGFEED_POSTS", "101"),
    ("IGFEED_POSTS", "many"),
    ("IGFEED_POSTS", "1.5"),
    ("IGFEED_POSTS", "1_0"),
    ("IGFEED_POSTS", "٢٤"),
    ("IGFEED_POSTS", "9" * 5000),
    ("IGFEED_FEED_TTL", "-1"),
    ("IGFEED_FEED_TTL", "15m"),
    ("IGFEED_CHECK_TTL", "-1"),
    ("IGFEED_RENEW_WITHIN_DAYS", "0"),
    ("IGFEED_RENEW_WITHIN_DAYS", "60"),
    ("IGFEED_LANGUAGE", "sv"),
    ("IGFEED_LANGUAGE", "sv-SE"),
    ("IGFEED_LANGUAGE", "deutsch"),
    ("IGFEED_LANGUAGE", "-de"),
    ("IGFEED_LOG_LEVEL", "LOUD"),
    ("PORT", "0"),
    ("PORT", "65536"),
    ("BASE_URL", "https://example.com/feed"),
    ("NEXT_PUBLIC_BASE_URL", "https://example.com/feed"),
]

BAD_URLS = [
    "example.com",
    "ftp://example.com",
    "https://",
    "https://:80",
    "https://[::1",
    "https://example.com:99999",
    "https://example.com?x=1",
    "https://example.com#top",
    "https://exam ple.com",
    "https://example.com:",
    "https://me@example.com",
    'https://example"><b>.com',
    "https://example.com;x",
    "https://exam\nple.com",
    "https://exam\tple.com",
]

URL_NAMES = ["BASE_URL", "NEXT_PUBLIC_BASE_URL", "INSTAGRAM_API_URL", "INSTAGRAM_OAUTH_URL", "INSTAGRAM_LOGIN_URL"]

BAD_SECRETS = [
    ("INSTAGRAM_ACCESS_TOKEN", f"{HIDDEN} {HIDDEN}"),
    ("INSTAGRAM_ACCESS_TOKEN", f"{HIDDEN}\r\nX-Injected: 1"),
    ("INSTAGRAM_ACCESS_TOKEN", f"{HIDDEN}ü"),
    ("IGFEED_ALERTS", HIDDEN),
    ("IGFEED_ALERTS", f"https://example.com/{HIDDEN}"),
    ("IGFEED_ON_NEW_POST", f"https://example.com/{HIDDEN} http://example.com/{HIDDEN}"),
    ("IGFEED_ENCRYPTION_KEY", HIDDEN),
    ("IGFEED_ENCRYPTION_KEY", f"{KEY},{HIDDEN}"),
    ("IGFEED_ENCRYPTION_KEY", f"{HIDDEN}ü"),
    ("INSTAGRAM_API_URL", f"https://me:{HIDDEN}@example.com"),
    ("INSTAGRAM_API_URL", f"https://example.com?key={HIDDEN}"),
    ("BASE_URL", f"https://me:{HIDDEN}@example.com"),
]


@pytest.mark.parametrize(("name", "default"), DEFAULTS.items())
def test_what_is_not_set_has_its_default(name: str, default: Any) -> None:
    assert getattr(read(), name) == default


def test_every_setting_has_a_default_of_its_own_here() -> None:
    assert set(DEFAULTS) == set(vars(read()))


@pytest.mark.parametrize(("variable", "value", "name", "meaning"), GOOD)
def test_a_good_value_is_understood(variable: str, value: str, name: str, meaning: Any) -> None:
    assert getattr(read(**{variable: value}), name) == meaning


@pytest.mark.parametrize("variable", sorted({variable for variable, *_ in GOOD}))
@pytest.mark.parametrize("empty", ["", "   "])
def test_an_empty_variable_counts_as_absent(variable: str, empty: str) -> None:
    assert read(**{variable: empty}) == read()


@pytest.mark.parametrize(("variable", "value"), BAD)
def test_a_bad_value_is_an_error_that_names_the_variable_and_what_it_holds(variable: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(**{variable: value})
    assert variable in str(caught.value)
    assert value in str(caught.value)
    assert "it takes" in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("variable", URL_NAMES)
@pytest.mark.parametrize("url", BAD_URLS)
def test_what_is_no_plain_url_is_refused(variable: str, url: str) -> None:
    with pytest.raises(ConfigError, match=variable):
        read(**{variable: url})


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_database_needs_a_plain_url(url: str) -> None:
    with pytest.raises(ConfigError, match="UPSTASH_REDIS_REST_URL"):
        read(UPSTASH_REDIS_REST_URL=url, UPSTASH_REDIS_REST_TOKEN="t")


@pytest.mark.parametrize(("variable", "value"), BAD_SECRETS)
def test_the_error_of_a_bad_secret_does_not_repeat_it(variable: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(**{variable: value})
    assert variable in str(caught.value)
    assert HIDDEN not in f"{caught.value!r} {caught.value.hint}"


@pytest.mark.parametrize("address", BAD_HOOKS)
def test_a_bad_address_to_tell_of_new_posts_stops_the_start_by_its_place_and_is_not_repeated(address: str) -> None:
    with pytest.raises(ConfigError, match="Address 2 of IGFEED_ON_NEW_POST") as caught:
        read(IGFEED_ON_NEW_POST=f"https://example.com/good {address}")
    assert address not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("name", ["UPSTASH_REDIS_REST_TOKEN", "KV_REST_API_TOKEN"])
def test_a_database_token_that_fits_into_no_header_is_refused_without_being_repeated(name: str) -> None:
    url = name.replace("TOKEN", "URL")
    with pytest.raises(ConfigError, match=name) as caught:
        read(**{url: "https://db.example.com", name: f"{HIDDEN}\nX-Injected: 1"})
    assert HIDDEN not in str(caught.value)


def test_no_secret_shows_in_the_settings() -> None:
    settings = read(
        UPSTASH_REDIS_REST_URL="https://db.example.com",
        UPSTASH_REDIS_REST_TOKEN=f"{HIDDEN}-1",
        CRON_SECRET=f"{HIDDEN}-2",
        VERCEL_CRON_SECRET=f"{HIDDEN}-3",
        INSTAGRAM_ACCESS_TOKEN=f"{HIDDEN}-4",
        IGFEED_ENCRYPTION_KEY=KEY,
        IGFEED_ALERTS=f"json://{HIDDEN}-5",
        IGFEED_ON_NEW_POST=f"https://{HIDDEN}-6.example.com/{HIDDEN}-7",
        IGFEED_HOOK_SECRET=f"{HIDDEN}-8",
    )
    assert "db.example.com" in repr(settings)
    assert HIDDEN not in f"{settings!r} {settings} {settings.redis!r}"
    assert KEY not in repr(settings)


def test_settings_do_not_change() -> None:
    with pytest.raises(AttributeError):
        read().posts = 3  # type: ignore[misc]


# The pairs of the database

UPSTASH = {"UPSTASH_REDIS_REST_URL": "https://up.example.com", "UPSTASH_REDIS_REST_TOKEN": "up-token"}
APP = {"INSTAGRAM_APP_ID": "1234567890123456", "INSTAGRAM_APP_SECRET": "app-token"}
KV = {"KV_REST_API_URL": "https://kv.example.com/", "KV_REST_API_TOKEN": "kv-token"}


def test_the_upstash_pair_is_taken() -> None:
    assert read(**UPSTASH).redis == Redis("https://up.example.com", "up-token")


def test_the_pair_of_vercels_integration_is_taken_where_the_first_is_absent() -> None:
    assert read(**KV).redis == Redis("https://kv.example.com", "kv-token")


def test_of_two_pairs_the_first_is_taken_whole() -> None:
    assert read(**KV, **UPSTASH).redis == Redis("https://up.example.com", "up-token")


def test_the_app_at_meta_is_taken() -> None:
    assert read(**APP).app == AppCredentials("1234567890123456", "app-token")


def test_an_app_id_that_is_no_number_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match="INSTAGRAM_APP_ID") as caught:
        read(**{**APP, "INSTAGRAM_APP_ID": HIDDEN})
    assert HIDDEN not in str(caught.value)


@pytest.mark.parametrize("pair", [UPSTASH, KV, APP])
@pytest.mark.parametrize("number", [0, 1])
def test_half_a_pair_is_an_error_that_names_the_missing_half(pair: dict[str, str], number: int) -> None:
    missing = list(pair)[number]
    half = {name: value for name, value in pair.items() if name != missing}
    with pytest.raises(ConfigError, match=f"{missing} is missing") as caught:
        read(**half)
    assert "-token" not in str(caught.value)


@pytest.mark.parametrize("name", list(UPSTASH))
def test_halves_of_two_pairs_are_never_put_together(name: str) -> None:
    with pytest.raises(ConfigError, match="pair"):
        read(**KV, **{name: UPSTASH[name]})


def test_an_empty_half_beside_a_whole_pair_is_absent() -> None:
    assert read(**KV, UPSTASH_REDIS_REST_URL="", UPSTASH_REDIS_REST_TOKEN=" ").redis is not None


# The address of the site


def test_the_base_url_comes_from_the_first_that_is_set() -> None:
    env = {"VERCEL_PROJECT_PRODUCTION_URL": "c.vercel.app"}
    assert read(**env).base_url == "https://c.vercel.app"
    env["NEXT_PUBLIC_BASE_URL"] = "https://b.example.com"
    assert read(**env).base_url == "https://b.example.com"
    env["BASE_URL"] = "https://a.example.com"
    assert read(**env).base_url == "https://a.example.com"


def test_both_secrets_are_kept_in_their_order() -> None:
    assert read(VERCEL_CRON_SECRET="b", CRON_SECRET="a").secrets == ("a", "b")


@pytest.mark.parametrize(
    "value",
    [
        "*; script-src *",
        "https://a.com, https://b.com",
        "*\r\nSet-Cookie: a=b",
        "*\nX: y",
        "https://exämple.com",
        "*\x00",
    ],
)
def test_frame_ancestors_cannot_leave_their_directive(value: str) -> None:
    with pytest.raises(ConfigError, match="IGFEED_FRAME_ANCESTORS") as caught:
        read(IGFEED_FRAME_ANCESTORS=value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        "self",
        "none",
        "'none' https://a.com",
        '"https://a.com"',
        "'unsafe'",
        "https//a.com",
        "intranet",
        "https://",
        "a b",
    ],
)
def test_frame_ancestors_that_would_not_mean_what_the_owner_means_are_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="IGFEED_FRAME_ANCESTORS"):
        read(IGFEED_FRAME_ANCESTORS=value)


@pytest.mark.parametrize(
    "value",
    [
        "*",
        "'none'",
        "https:",
        "a.com *.b.com:8443 localhost:3000",
        "'self' http://intranet https://*",
        "https://a.com/shop/ app.example:* capacitor://localhost",
    ],
)
def test_frame_ancestors_are_sources_as_csp_has_them(value: str) -> None:
    assert read(IGFEED_FRAME_ANCESTORS=value).frame_ancestors == value


# Files and the environment


def test_the_environment_goes_before_env_local_and_that_before_env(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=shared\nB=shared\nC=shared\n")
    (tmp_path / ".env.local").write_text("A=local\nB=local\n")
    assert environment({"A": "real", "D": "real"}, tmp_path) == {"A": "real", "B": "local", "C": "shared", "D": "real"}


def test_without_files_there_is_the_environment(tmp_path: Path) -> None:
    assert environment({"A": "real"}, tmp_path) == {"A": "real"}


def test_a_name_without_a_value_in_a_file_is_absent(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A\nB=\n")
    assert environment({}, tmp_path) == {"B": ""}


def test_what_the_flask_command_copied_from_env_does_not_hide_env_local(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=shared\nB=shared\nC=shared\n")
    (tmp_path / ".env.local").write_text("A=local\nB=local\n")
    copied = {"FLASK_RUN_FROM_CLI": "true", "A": "shared", "B": "real", "C": "shared"}
    assert environment(copied, tmp_path) == {"FLASK_RUN_FROM_CLI": "true", "A": "local", "B": "real", "C": "shared"}


def test_outside_the_flask_command_a_value_equal_to_env_is_still_the_environments(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=shared\n")
    (tmp_path / ".env.local").write_text("A=local\n")
    assert environment({"A": "shared"}, tmp_path) == {"A": "shared"}


PROBE = """
import os
from pathlib import Path
from flask import Flask
from igfeed.config import environment

app = Flask(__name__)

@app.cli.command("show")
def show():
    found = environment(os.environ, Path.cwd())
    print(found["A"], found["B"], found["C"])
"""


def test_the_real_flask_command_sees_the_same_order(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=shared\nB=shared\nC=shared\n")
    (tmp_path / ".env.local").write_text("A=local\nB=local\n")
    (tmp_path / "probe.py").write_text(PROBE)
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "B": "real"}
    command = [sys.executable, "-m", "flask", "--app", "probe", "show"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["local", "real", "shared"]


@pytest.mark.parametrize("file", [".env", ".env.local"])
def test_a_mark_at_the_beginning_of_a_file_is_no_part_of_a_name(tmp_path: Path, file: str) -> None:
    """Windows writes it."""
    (tmp_path / file).write_bytes("IGFEED_POSTS=5\r\nPORT=80\r\n".encode("utf-8-sig"))

    assert environment({}, tmp_path) == {"IGFEED_POSTS": "5", "PORT": "80"}


@pytest.mark.parametrize("file", [".env", ".env.local"])
def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path, file: str) -> None:
    """Docker makes one where the file that it shall mount is missing."""
    (tmp_path / file).mkdir()

    with pytest.raises(ConfigError, match=rf"\{file} cannot be read: Is a directory"):
        environment({}, tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "IGFEED_POSTS=5".encode("utf-16"),
        "IGFEED_POSTS=5".encode("utf-16-le"),
        "IGFEED_POSTS=5".encode("utf-16-be"),
        "# für uns\nIGFEED_POSTS=5".encode("latin-1"),
    ],
)
def test_a_file_that_is_no_utf_8_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".env.local").write_bytes(content)

    with pytest.raises(ConfigError, match=r"\.env\.local is not UTF-8"):
        environment({}, tmp_path)


@pytest.mark.parametrize("file", [".env", ".env.local"])
@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("IGFEED_FRAME_ANCESTORS='self' https://a.example", "IGFEED_FRAME_ANCESTORS"),
        ("export CRON_SECRET='it's'", "CRON_SECRET"),
        ('A B="x', "Line 3"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_not_repeated(tmp_path: Path, file: str, line: str, named: str) -> None:
    (tmp_path / file).write_text(f"# Ours\nPORT=80\n{line}\nIGFEED_POSTS=5\n")

    with pytest.raises(ConfigError, match=rf"{named} in \{file} cannot be read") as caught:
        environment({}, tmp_path)

    assert "it's" not in str(caught.value)
    assert "double quotes" in caught.value.hint


@pytest.mark.parametrize("name", ["IGFEED_ENCRYPTION_KEY", "INSTAGRAM_MEDIA_ORIGINS"])
def test_a_list_without_anything_in_it_is_a_mistake(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Settings.from_env({name: " , "})
