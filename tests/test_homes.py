"""The files for the homes of igfeed (image, blueprint, units, web server, deploy button), and the page about them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from igfeed import create_app
from igfeed.config.unknown_variables import KNOWN
from igfeed.owner.all_accounts.cron import RUN_TIME_LIMIT
from tests.conftest import MakeServices
from tests.harness.clock import MovingClock
from tests.harness.owner import CRON, OWNER, Owner
from tests.harness.visitor import Visitor
from tests.servers.instagram import FakeInstagram

ROOT = Path(__file__).parent.parent
SERVED = "--interface wsgi --host 0.0.0.0"
DAY = timedelta(days=1)
HOMES = ("Vercel", "Render", "Docker", "Any Linux")
OF_THE_HOST = {"PYTHONUNBUFFERED", "PORT", "VERCEL_PYTHON_COMPILEALL"}
"""Variables in our files that are not igfeed's own: Python's, and those that hosts know."""


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's lines as name and arguments, with continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", read("Dockerfile"), flags=re.MULTILINE)
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1].strip()) for line in lines]


def arguments(name: str) -> list[str]:
    return [rest for each, rest in instructions() if each == name]


def copied() -> list[str]:
    """What the image takes from the repository."""
    return [source.rstrip("/") for rest in arguments("COPY") for source in rest.split()[:-1]]


def is_sent_to_the_builder(path: str) -> bool:
    """By the rules of .dockerignore: the last pattern that matches decides."""
    sent = True
    for line in read(".dockerignore").splitlines():
        pattern = line.removeprefix("!").removeprefix("**/")
        parts = Path(path).parts if line.startswith("**/") else Path(path).parts[:1]
        if line and not line.startswith("#") and any(fnmatch(part, pattern) for part in parts):
            sent = line.startswith("!")
    return sent


# Docker


def test_the_image_starts_from_a_pinned_version_of_our_python() -> None:
    [base] = arguments("FROM")

    assert re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+", base)
    assert base.startswith(f"python:{read('.python-version').strip()}.")


def test_what_the_image_copies_exists_and_reaches_the_builder() -> None:
    assert copied()
    assert [source for source in copied() if not (ROOT / source).exists() or not is_sent_to_the_builder(source)] == []


@pytest.mark.parametrize("path", [".env", ".env.local", ".git/config", "instance/igfeed.sqlite3", "tests/conftest.py"])
def test_no_secret_and_nothing_superfluous_reaches_the_builder(path: str) -> None:
    assert not is_sent_to_the_builder(path)


def test_the_app_runs_on_what_the_image_copies(tmp_path: Path) -> None:
    for source in copied():
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, tmp_path / source)
    check = "from wsgi import app; print([app.test_client().get(path).status_code for path in ('/embed', '/embed.js')])"

    done = subprocess.run(
        [sys.executable, "-c", check],
        cwd=tmp_path,
        env={"IGFEED_DEMO": "1", "IGFEED_STORE_PATH": str(tmp_path / "store.sqlite3")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.strip() == "[200, 200]", done.stderr


def test_the_container_is_not_root_and_can_write_only_to_its_volume() -> None:
    names = [name for name, _ in instructions()]
    environment = dict(each.split("=", 1) for rest in arguments("ENV") for each in rest.split())
    [user] = arguments("USER")

    assert int(user) >= 1000
    assert f"--uid {user}" in arguments("RUN")[-1]
    assert not {"COPY", "RUN"} & set(names[names.index("USER") :])
    assert Path(environment["IGFEED_STORE_PATH"]).parent == Path(arguments("VOLUME")[0])
    assert set(environment) <= KNOWN | OF_THE_HOST
    assert not any("SECRET" in name or "TOKEN" in name for name in environment)


def test_the_container_tells_by_healthz_whether_it_lives(app: Flask) -> None:
    [check] = arguments("HEALTHCHECK")

    assert "/healthz" in {rule.rule for rule in app.url_map.iter_rules()}
    assert re.search(r"http://127\.0\.0\.1:\{os\.environ\[\\\"PORT\\\"\]\}/healthz'", check)
    compile(json.loads(check.split("CMD ")[1])[2], "the check", "exec")


def test_the_image_installs_what_is_pinned_and_lets_its_server_get_the_signal_to_stop() -> None:
    [command] = arguments("CMD")

    assert "--require-hashes -r requirements.txt -r requirements-granian.txt" in arguments("RUN")[0]
    assert json.loads(command)[2].startswith(f"exec granian {SERVED} --port ${{PORT}}")


def test_composes_cron_asks_our_route_and_is_valid_python() -> None:
    compose = read("compose.yaml")
    script = re.search(r"python -c '\n(.+?)\n +';", compose, re.DOTALL)
    assert script
    code = re.sub("^ {8}", "", script[1], flags=re.MULTILINE)

    compile(code, "the cron", "exec")
    assert f"http://igfeed:8000{CRON}" in code
    assert "127.0.0.1:8000:8000" in compose


# Render


def test_render_makes_the_secret_and_asks_for_the_store() -> None:
    blueprint = read("render.yaml")
    variables = dict(re.findall(r"- key: (\w+)\n +(\w+: .+)", blueprint))

    assert variables["CRON_SECRET"] == "generateValue: true"
    assert {name for name, how in variables.items() if how == "sync: false"} == {
        "UPSTASH_REDIS_REST_URL",
        "UPSTASH_REDIS_REST_TOKEN",
    }
    assert set(variables) <= KNOWN
    assert "healthCheckPath: /healthz" in blueprint
    assert f"startCommand: granian {SERVED} --port $PORT" in blueprint
    assert "--require-hashes -r requirements.txt -r requirements-granian.txt" in blueprint


# Any Linux


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        pytest.skip("there is no systemd-analyze")
    for unit in (ROOT / "deploy").glob("igfeed*"):
        # It looks for the program too, which is not installed there.
        text = unit.read_text("utf-8").replace("/opt/igfeed/.venv/bin/gunicorn", "/bin/true")
        (tmp_path / unit.name).write_text(text, "utf-8")

    done = subprocess.run(
        [analyze, "verify", *sorted(map(str, tmp_path.iterdir()))], capture_output=True, text=True, check=False
    )

    assert (done.returncode, [line for line in done.stderr.splitlines() if "igfeed" in line]) == (0, [])


def test_the_service_is_not_root_and_writes_where_its_store_is() -> None:
    unit = read("deploy/igfeed.service")

    assert "User=igfeed" in unit
    assert "ProtectSystem=strict" in unit
    assert "StateDirectory=igfeed" in unit
    assert "IGFEED_STORE_PATH=/var/lib/igfeed/" in unit


def test_the_timer_runs_the_cron_once_a_day_and_nobody_else_can_read_the_secret() -> None:
    service = read("deploy/igfeed-cron.service")

    assert "OnCalendar=*-*-* 05:17:00" in read("deploy/igfeed-cron.timer")
    assert f"http://127.0.0.1:8000{CRON}" in service
    assert re.search(r"echo \"Authorization: Bearer \$\$CRON_SECRET\" \| curl .*-H @- ", service)


def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if not nginx:
        pytest.skip("there is no nginx")
    site = read("deploy/nginx.conf").replace("listen 80;", "listen 127.0.0.1:18080;").replace("listen [::]:80;", "")
    (tmp_path / "site.conf").write_text(site)
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; include {tmp_path}/site.conf; }}"
    )

    done = subprocess.run(
        [nginx, "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_nginx_waits_for_the_cron_and_asks_where_the_service_listens() -> None:
    nginx = read("deploy/nginx.conf")

    assert int(re.findall(r"proxy_read_timeout (\d+)s", nginx)[0]) >= RUN_TIME_LIMIT + 60
    assert set(re.findall(r"proxy_pass http://([\d.:]+)", nginx)) == {"127.0.0.1:8000"}
    assert "--bind 127.0.0.1:8000" in read("deploy/igfeed.service")
    assert "X-Forwarded-Proto $scheme" in nginx


# Vercel's button


@pytest.mark.parametrize("page", ["README.md", "docs/deploy.md"])
def test_the_deploy_button_asks_for_the_secret_and_adds_the_store(page: str) -> None:
    [address] = re.findall(r"\]\((https://vercel\.com/new/clone\?[^)]+)\)", read(page))
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query, strict_parsing=True).items()}

    assert asked["repository-url"] == "https://github.com/YOU/igfeed"
    assert set(asked["env"].split(",")) == {"CRON_SECRET", *json.loads(asked["envDefaults"])}
    assert set(asked["env"].split(",")) <= KNOWN | OF_THE_HOST
    assert "CRON_SECRET" in asked["envDescription"]
    [store] = json.loads(asked["stores"])
    assert (store["integrationSlug"], store["productSlug"], store["protocol"]) == ("upstash", "upstash-kv", "storage")


# Without Connect and without a terminal


@pytest.mark.parametrize("first_asked", ["/embed", CRON])
def test_a_token_in_the_environment_is_taken_renewed_and_saved_by_the_first_view_or_cron(
    make_services: MakeServices, instagram: FakeInstagram, first_asked: str
) -> None:
    value = instagram.issue(age=2 * DAY, life=60 * DAY)

    first = Visitor(create_app(services=make_services(INSTAGRAM_ACCESS_TOKEN=value)))
    assert first.get(first_asked, headers=OWNER).status_code == 200

    later = Visitor(create_app(services=make_services()))  # The variable is gone.
    status = Owner(later.get).status()
    assert (status["status"], status["token"]["source"], status["token"]["saved"]) == ("ok", "store", True)
    assert status["last_renewal"]["outcome"] == "renewed"
    assert later.get("/embed").status_code == 200


def test_a_token_that_was_made_a_moment_ago_is_used_at_once_and_renewed_and_saved_by_the_next_days_cron(
    make_services: MakeServices, instagram: FakeInstagram, clock: MovingClock
) -> None:
    value = instagram.issue(age=timedelta(minutes=1), life=60 * DAY)
    client = Visitor(create_app(services=make_services(INSTAGRAM_ACCESS_TOKEN=value)))

    assert client.get("/embed").status_code == 200
    clock.forward(days=1, hours=1)

    assert Owner(client.get).cron().json["renewal"] == "renewed"
    assert Owner(client.get).status()["token"]["source"] == "store"


# The page


def chapter(name: str) -> str:
    return re.split(r"^## ", read("docs/deploy.md").split(f"\n## {name}\n")[1], flags=re.MULTILINE)[0]


@pytest.mark.parametrize("home", HOMES)
def test_from_nothing_to_a_feed_takes_at_most_seven_steps_outside_metas_dashboard(home: str) -> None:
    steps = re.findall(r"^(\d)\. (.+)", chapter(home), re.MULTILINE)

    assert [int(number) for number, _ in steps] == list(range(1, len(steps) + 1))
    assert 5 <= len(steps) <= 7
    assert "snippet" in steps[-1][1]


def test_the_page_says_whom_the_free_plan_is_for() -> None:
    assert "non-commercial" in chapter("Vercel")
    assert "non-commercial" in read("README.md")


def test_the_name_that_the_page_suggests_to_meta_has_no_part_that_meta_refuses() -> None:
    text = " ".join(chapter("Meta's dashboard").split())
    suggested = re.search(r"such as \*([^*]+)\*", text)
    refused = re.search(r"contain none of (.+?)\. ", text)
    assert suggested
    assert refused

    parts = re.findall(r"\*(\w+)\*", refused[1])
    assert {"IG", "Insta", "Gram"} <= set(parts)
    assert [part for part in parts if part.lower() in suggested[1].lower()] == []
