"""What Vercel, gunicorn and a fresh clone rely on, and what the papers promise."""

import ast
import json
import os
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from igfeed.models import Token
from igfeed.owner.all_accounts.cron import RUN_TIME_LIMIT

ROOT = Path(__file__).parent.parent
LONGEST_ON_EVERY_PLAN = 300
"""Seconds that a function may take on Vercel's Hobby and Pro alike."""
VARIABLE = re.compile(r'"((?:IGFEED|INSTAGRAM|UPSTASH|KV|NEXT|VERCEL|CRON|BASE|FORWARDED)_[A-Z_]+|PORT|VERCEL)"')


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_vercel_finds_the_app_without_running_anything() -> None:
    """It looks for an assignment at the top level of wsgi.py, and finds none inside a try block."""
    assigned = [
        target.id
        for statement in ast.parse(read("wsgi.py")).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    ]

    assert "app" in assigned


def test_vercel_gets_its_dependencies_from_a_flat_list() -> None:
    assert not (ROOT / "pyproject.toml").exists()
    assert not re.search(r"^-r", read("requirements.txt"), re.MULTILINE)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_is_pinned_with_hashes(name: str) -> None:
    text = re.sub(r"^\s*#.*$", "", read(name), flags=re.MULTILINE)
    packages = [entry for entry in text.replace("\\\n", " ").splitlines() if entry.strip()]

    assert len(packages) > 20
    unpinned = [entry for entry in packages if not re.match(r"[a-z0-9-]+==[\w.]+( ; [^-]+)?\s+--hash=sha256:", entry)]
    assert unpinned == []


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_what_we_ask_for_is_what_is_pinned(name: str) -> None:
    asked = re.findall(r"^[\w-]+==[\w.]+", read(f"{name}.in"), re.MULTILINE)

    assert asked
    assert [entry for entry in asked if f"{entry.lower()} " not in read(f"{name}.txt")] == []


def test_vercel_json_keeps_to_vercels_limits() -> None:
    config = json.loads(read("vercel.json"))

    function = config["functions"]["wsgi.py"]
    assert config["framework"] == "flask"
    assert len(function["excludeFiles"]) <= 256
    assert ".env*" in function["excludeFiles"]
    assert function["maxDuration"] <= LONGEST_ON_EVERY_PLAN


def test_the_cron_runs_once_a_day_which_is_the_most_on_hobby() -> None:
    assert re.fullmatch(r"\d+ \d+ \* \* \*", json.loads(read("vercel.json"))["crons"][0]["schedule"])


def test_the_cron_ends_its_pictures_a_minute_before_vercel_ends_the_run() -> None:
    longest = json.loads(read("vercel.json"))["functions"]["wsgi.py"]["maxDuration"]

    assert longest - RUN_TIME_LIMIT >= 60


@pytest.mark.parametrize("folder", ["igfeed", "templates", "static"])
def test_vercels_bundle_has_every_file_that_the_app_reads(folder: str) -> None:
    excluded = json.loads(read("vercel.json"))["functions"]["wsgi.py"]["excludeFiles"].strip("{}").split(",")
    files = [str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*") if path.is_file()]

    assert "igfeed/widget/translations/en.toml" in files or folder != "igfeed"
    assert [file for file in files if any(fnmatch(file, pattern) for pattern in excluded)] == []


def test_the_cron_path_exists(app: Flask) -> None:
    path = json.loads(read("vercel.json"))["crons"][0]["path"]

    assert path in {rule.rule for rule in app.url_map.iter_rules()}


def test_static_files_are_where_vercels_cdn_looks() -> None:
    assert (ROOT / "public/static").readlink() == Path("../static")


def test_every_variable_is_in_the_example_and_in_the_readme() -> None:
    known = set(VARIABLE.findall(read("igfeed/config/settings.py"))) - {"VERCEL"}
    example = set(re.findall(r"^([A-Z_]+)=", read(".env.example"), re.MULTILINE))

    assert len(known) > 15
    in_pairs = {"KV_REST_API_URL", "KV_REST_API_TOKEN", "NEXT_PUBLIC_BASE_URL", "VERCEL_PROJECT_PRODUCTION_URL"}
    assert example == known - in_pairs
    assert {name for name in known if name not in read("README.md")} == set()


def test_the_readme_shows_only_files_that_exist() -> None:
    targets = re.findall(r"\]\(((?!https?:|#)[^)]+)\)", read("README.md"))

    assert targets
    assert [target for target in targets if not (ROOT / target.split("#")[0]).exists()] == []


def test_static_files_are_kept_for_good_under_a_name_that_changes(client: FlaskClient, token: Token) -> None:
    address = re.search(r'href="(/static/icon\.svg\?v=[0-9a-f]{8})"', client.get("/").text)
    assert address

    response = client.get(address[1])

    assert response.status_code == 200
    assert "immutable" in response.headers["Cache-Control"]
    assert "max-age=31536000" in response.headers["Cache-Control"]


def test_every_answer_says_how_it_may_be_used(client: FlaskClient, token: Token) -> None:
    for path in ("/", "/embed", "/healthz", "/api/instagram/refresh-token", "/nothing", "/static/icon.svg"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"


def test_scripts_that_people_run_are_executable() -> None:
    assert os.access(ROOT / ".ci/run", os.X_OK)
