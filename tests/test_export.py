"""The feed as files: what is in them, what a failure leaves, and whose files are touched."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import feedparser
import feedparser_rs
import pytest
import yaml
from flask import Flask
from flask.testing import FlaskCliRunner

from igfeed import create_app
from igfeed.accounts.directory import accounts_of
from igfeed.config import Settings
from igfeed.config.unknown_variables import KNOWN
from igfeed.errors import IgfeedError
from igfeed.models import Token
from igfeed.owner.export.folder import LIST_NAME, UNFINISHED_NAME, NewExport, new_export
from igfeed.owner.upkeep import set_up
from igfeed.services import Services
from tests.conftest import MakeServices
from tests.harness.clock import MovingClock
from tests.harness.disks import fill, small_disk
from tests.harness.visitor import POST_IDS
from tests.servers.instagram import TEMPORARY, FakeInstagram, PictureReply, album, child_image, image, video

BASE = "https://me.github.io/feed"
ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
ADDRESSES = {"src", "srcset", "href", "data-video"}

Contents = dict[str, bytes]


class Addresses(HTMLParser):
    """All addresses in a page, those of opened posts too."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ADDRESSES and value:
                parts = value.split(", ") if name == "srcset" else [value]
                self.found += [part.split()[0] for part in parts]


@pytest.fixture(autouse=True)
def three_posts(instagram: FakeInstagram) -> None:
    instagram.picture_size = (96, 120)
    instagram.posts = [image(caption='"Oak" & <b>'), album([child_image(), child_image()]), video()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "public" / "feed"


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    return app.test_cli_runner()


def export(runner: FlaskCliRunner, folder: Path, *more: str) -> Any:
    return runner.invoke(args=["igfeed", "export", str(folder), *more])


def contents(folder: Path) -> Contents:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def pages(files: Contents) -> dict[str, Addresses]:
    return {name: Addresses(content) for name, content in files.items() if name.endswith(".html")}


def test_each_page_names_its_files_relative_to_itself_and_they_are_all_there_whatever_the_address(
    runner: FlaskCliRunner, token: Token, folder: Path
) -> None:
    done = export(runner, folder, "--options", "limit=1&captions=1")
    files = contents(folder)

    assert done.exit_code == 0, done.output
    assert {"index.html", "page-2.html", "page-3.html", "embed.html", "embed-2.html", "embed.js"} <= set(files)
    for name, page in pages(files).items():
        ours = {each for each in page.found if not each.startswith("https://www.instagram.com/")}
        videos = {each for each in ours if "/videos/" in each}
        assert all(each.startswith("./") for each in ours - videos), name
        assert {each.removeprefix("./") for each in ours - videos} <= set(files), name
        [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="(.+?)"', files[name].decode())
        assert policy.startswith("default-src 'none'; img-src 'self'; style-src 'sha256-"), name
        assert "frame-ancestors" not in policy, name
    shown = [POST_IDS.findall(files[f"{stem}.html"].decode()) for stem in ("index", "page-2", "page-3")]
    assert [len(each) for each in shown] == [1, 1, 1]
    assert b"<figcaption" in files["index.html"]
    assert b"<figcaption" in files["embed.html"]
    assert "Without --base-url or BASE_URL" in done.stdout
    assert not {"feed.json", "feed.xml", "behold.json", "fragment.html"} & set(files)
    assert b"canonical" not in files["index.html"]
    assert b"localhost" not in b"".join(files.values())
    assert token.value.encode() not in b"".join(files.values())
    assert ".nojekyll" in files


def test_with_a_base_url_there_are_the_documents_for_programs_and_search_engines(
    make_services: MakeServices, token: Token, folder: Path, tmp_path: Path
) -> None:
    runner = create_app(services=make_services(BASE_URL="https://feed.example")).test_cli_runner()
    export(runner, tmp_path / "usual")
    done = export(runner, folder, "--base-url", f"{BASE}/", "--options", "limit=2")
    files = contents(folder)

    assert done.exit_code == 0, done.output
    ours = feedparser_rs.parse(files["feed.json"])
    atom = feedparser.parse(files["feed.xml"])
    assert (len(ours.entries), len(atom.entries)) == (3, 3)
    assert not atom.bozo
    document = json.loads(files["feed.json"])
    assert (document["home_page_url"], document["feed_url"]) == (f"{BASE}/", f"{BASE}/feed.json")
    assert document["items"][0]["content_text"] == '"Oak" & <b>'
    pictures = [size["url"] for item in document["items"] for size in item["_igfeed"]["sizes"]]
    enclosures = [link.href for entry in atom.entries for link in entry.links if link.rel == "enclosure"]
    for address in (*pictures, *enclosures):
        assert address.removeprefix(f"{BASE}/") in files
    page = files["index.html"].decode()
    assert f'<link rel="canonical" href="{BASE}/">' in page
    assert f'<meta property="og:image" content="{BASE}/media/' in page
    assert 'type="application/feed+json"' in page
    assert "oembed" not in page
    assert f"{BASE}/widget.js".encode() in files["fragment.html"]
    assert b"feed.example" not in b"".join(files.values())
    assert json.loads((tmp_path / "usual" / "feed.json").read_text())["home_page_url"] == "https://feed.example/"


def test_an_account_has_an_export_of_its_own_without_its_name_in_it(
    app: Flask, runner: FlaskCliRunner, token: Token, folder: Path, instagram: FakeInstagram
) -> None:
    account = instagram.add_account("nord.prints", [image(caption="A print. #Größe"), image(), image()])
    with accounts_of(app).setting_up("prints") as services:
        set_up(services, instagram.issue(account=account))

    done = export(runner, folder, "--base-url", BASE, "--account", "prints", "--options", "tag=Größe")

    written = contents(folder)
    assert done.exit_code == 0, done.output
    assert "static/icon.svg" in written
    assert json.loads(written["feed.json"])["home_page_url"] == f"{BASE}/"
    assert all(b"/prints" not in content for content in written.values())
    assert POST_IDS.findall(written["index.html"].decode()) == [account.posts[0]["id"]]
    assert [item["id"] for item in json.loads(written["feed.json"])["items"]] == [account.posts[0]["id"]]


def test_a_second_export_of_the_same_posts_touches_no_file(
    runner: FlaskCliRunner, token: Token, folder: Path, clock: MovingClock, instagram: FakeInstagram
) -> None:
    instagram.posts = [each for each in instagram.posts if each["media_type"] == "IMAGE"]  # Addresses of films change.
    export(runner, folder, "--base-url", BASE)
    before = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
    clock.forward(hours=20)

    export(runner, folder, "--base-url", BASE)

    after = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
    assert {path: each.st_mtime_ns for path, each in after.items()} == {
        path: each.st_mtime_ns for path, each in before.items()
    }
    assert {each.st_ino for each in after.values()} == {each.st_ino for each in before.values()}


def test_what_left_the_feed_leaves_the_folder_and_other_peoples_files_stay(
    runner: FlaskCliRunner, token: Token, folder: Path, instagram: FakeInstagram, clock: MovingClock
) -> None:
    folder.mkdir(parents=True)
    (folder / "CNAME").write_text("feed.example")
    export(runner, folder, "--options", "limit=2")
    before = contents(folder)
    (folder / "media" / "mine.webp").write_text("mine")
    instagram.posts = instagram.posts[:2]

    clock.forward(hours=1)
    export(runner, folder, "--options", "limit=2")
    export(runner, folder, "--options", "limit=2")

    after = contents(folder)
    gone = set(before) - set(after)
    assert {"page-2.html", "embed-2.html"} < gone
    assert any(name.startswith("media/") for name in gone)
    assert (after["CNAME"], after["media/mine.webp"]) == (b"feed.example", b"mine")
    assert set(after[LIST_NAME].decode().splitlines()[1:]) == set(after) - {"CNAME", "media/mine.webp", LIST_NAME}


def test_somebody_elses_page_is_not_replaced_and_nobody_is_asked(
    runner: FlaskCliRunner, token: Token, folder: Path, instagram: FakeInstagram
) -> None:
    folder.mkdir(parents=True)
    (folder / "index.html").write_text("mine")

    done = export(runner, folder)

    assert done.exit_code == 1
    assert "index.html is not a file of an export" in one_line(done)
    assert contents(folder) == {"index.html": b"mine"}
    assert instagram.calls == []


@pytest.mark.parametrize("name", ["media", "static", "index.html", UNFINISHED_NAME])
@pytest.mark.parametrize("kind", ["file", "link", "link to nothing"])
def test_what_is_in_the_way_of_a_folder_or_page_is_found_before_anything_changes(
    runner: FlaskCliRunner, folder: Path, name: str, kind: str
) -> None:
    folder.mkdir(parents=True)
    elsewhere = folder.parent / "elsewhere"
    if kind == "link":
        elsewhere.mkdir()
    (folder / name).write_text("mine") if kind == "file" else (folder / name).symlink_to(elsewhere)

    done = export(runner, folder)

    assert done.exit_code == 1
    assert f"{folder / name} is " in one_line(done)
    assert [each.name for each in folder.iterdir()] == [name]
    assert not elsewhere.exists() or not list(elsewhere.iterdir())


def test_if_a_fetch_fails_the_posts_before_are_written_and_the_command_fails(
    runner: FlaskCliRunner, token: Token, folder: Path, instagram: FakeInstagram, tmp_path: Path
) -> None:
    export(runner, folder)
    instagram.fail("media", TEMPORARY)

    again = export(runner, folder)
    elsewhere = export(runner, tmp_path / "new")

    for done in (again, elsewhere):
        assert done.exit_code == 1
        assert "3 posts" in done.stdout
        assert "Instagram" in one_line(done)
        assert "Run it again later." in one_line(done), "nothing else exports"
    assert contents(tmp_path / "new") == contents(folder)


def test_without_any_feed_nothing_is_touched(runner: FlaskCliRunner, folder: Path, tmp_path: Path) -> None:
    done = export(runner, folder)

    assert done.exit_code == 1
    assert "No access token is set up" in one_line(done)
    assert not (tmp_path / "public").exists()


def test_posts_that_were_removed_on_request_are_not_exported_and_the_command_says_where_they_may_still_be(
    runner: FlaskCliRunner, token: Token, folder: Path, services: Services
) -> None:
    export(runner, folder)
    services.tokens.forget()
    services.feed.remove()

    done = export(runner, folder)

    assert done.exit_code == 1
    assert one_line(done) == f"Error: The posts were removed on request. If {folder} still has them, remove it."


def test_a_picture_that_cannot_be_had_is_that_of_the_export_before_or_a_drawing(
    runner: FlaskCliRunner, token: Token, folder: Path, instagram: FakeInstagram, make_services: MakeServices
) -> None:
    export(runner, folder)
    before, old, new = contents(folder), instagram.posts[0]["id"], instagram.publish(image())["id"]
    instagram.pictures |= {each: PictureReply(404, "text/plain", b"") for each in (old, new)}
    empty = make_services(IGFEED_STORE_PATH=str(folder.parent / "empty.sqlite3"))
    empty.tokens.adopt(token, is_verified=True)

    done = export(create_app(services=empty).test_cli_runner(), folder)

    after = contents(folder)
    assert done.exit_code == 1
    assert "6 picture files" in one_line(done)
    assert after[f"media/{old}-640.webp"] == before[f"media/{old}-640.webp"]
    assert after[f"media/{new}-640.svg"].startswith(b"<svg")
    assert f"./media/{new}-640.svg 640w" in after["index.html"].decode()
    assert f"media/{new}-640.webp" not in after


@pytest.mark.parametrize(
    "more",
    [
        *(["--base-url", each] for each in ("me.github.io", "ftp://me.github.io", f"{BASE}?a=1", "https://a b/", "")),
        *(["--base-url", each] for each in ("https://[::1/", "http://[", "https://[x]/")),
        *(["--options", each] for each in ("colums=4", "columns=many", "page=2", "columns")),
    ],
    ids=lambda more: more[1],
)
def test_a_bad_address_or_option_is_wrong_usage(
    runner: FlaskCliRunner, folder: Path, more: list[str], instagram: FakeInstagram
) -> None:
    done = export(runner, folder, *more)

    assert done.exit_code == 2
    assert not folder.exists()
    assert instagram.calls == []


def test_an_empty_name_does_not_stand_for_the_current_folder(
    runner: FlaskCliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = list(tmp_path.iterdir())

    done = runner.invoke(args=["igfeed", "export", ""])

    assert done.exit_code == 2
    assert "It takes one FOLDER. See --help." in done.stderr
    assert list(tmp_path.iterdir()) == before


def test_the_workflow_keeps_the_renewed_token_and_the_page_whatever_fails() -> None:
    workflow = yaml.safe_load((DOCS / "github-pages.yml").read_text())
    job = workflow["jobs"]["feed"]
    steps = {step.get("id") or step.get("uses", "").partition("@")[0]: step for step in job["steps"]}

    assert workflow[True]["schedule"]  # YAML takes the key `on` for a truth.
    assert set(job["env"]) <= KNOWN
    assert {name for name, value in job["env"].items() if "secrets." not in value} == {"IGFEED_RENEW_WITHIN_DAYS"}
    mighty = steps.pop("write_back")["env"]
    assert mighty == {"GH_TOKEN": "${{ secrets.SECRETS_TOKEN }}"}, "no other step gets what may change every secret"
    assert "secrets." not in json.dumps(list(steps.values()))
    unset = {name: re.sub(r"\$\{\{.+?\}\}", "", value) for name, value in job["env"].items()}
    assert Settings.from_env(unset).redis is None  # A secret that is not set is an empty variable.
    assert steps["export"]["run"].startswith("flask igfeed export site --base-url")
    assert "always()" in steps["actions/cache/save"]["if"]
    for step in ("actions/upload-pages-artifact", "deploy"):
        assert steps[step]["if"] == "${{ !cancelled() && hashFiles('site/index.html') != '' }}"
    assert steps["actions/cache/save"]["with"]["path"] == steps["actions/cache/restore"]["with"]["path"] == "instance"


@pytest.mark.parametrize(("may_write", "variable"), [(True, "old"), (False, "old"), (True, "the same")])
def test_the_workflow_writes_a_renewed_token_back_into_its_secret_if_it_may(
    environ: dict[str, str], services: Services, tmp_path: Path, *, may_write: bool, variable: str
) -> None:
    token = Token("IGAArenewed")
    services.tokens.adopt(token, is_verified=True)
    steps = yaml.safe_load((DOCS / "github-pages.yml").read_text())["jobs"]["feed"]["steps"]
    [script] = [step["run"] for step in steps if step.get("id") == "write_back"]
    gh = tmp_path / "bin" / "gh"
    gh.parent.mkdir()
    gh.write_text('#!/bin/sh\n{ echo "$@"; cat; } > "$GH_HEARD"\n')
    gh.chmod(0o755)
    variables = {
        "INSTAGRAM_ACCESS_TOKEN": token.value if variable == "the same" else "IGAAold",
        "GH_TOKEN": "github_pat" if may_write else "",
        "GH_HEARD": str(tmp_path / "heard"),
        "GITHUB_REPOSITORY": "me/feed",
        "PATH": f"{gh.parent}:{Path(sys.executable).parent}:/usr/bin:/bin",
    }
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=ROOT, env={**environ, **variables}, capture_output=True, text=True, check=True
    )

    heard = tmp_path / "heard"
    told = f"secret set INSTAGRAM_ACCESS_TOKEN --repo me/feed\n{token.value}" if may_write else None
    assert (heard.read_text() if heard.exists() else None) == (None if variable == "the same" else told)
    assert token.value not in done.stdout + done.stderr


def one_line(done: Any) -> str:
    """What a failed command says on standard error."""
    [line] = done.stderr.splitlines()
    return str(line)


# The folder


PAGE = b"<img src=./media/%d.webp>"


def write(export: NewExport, number: int) -> None:
    """An export whose pages name one picture, another one for each number."""
    for name in ("index.html", "page-2.html"):
        export.write(name, PAGE % number)
    export.write(f"media/{number}.webp", b"picture %d" % number)
    export.write("same.js", b"same")


@pytest.fixture
def old(folder: Path) -> Contents:
    """What the folder has: an export, and a file of somebody else."""
    with new_export(folder) as export:
        write(export, 1)
    (folder / "README.md").write_text("mine")
    return contents(folder)


class Interrupted(BaseException):
    pass


@pytest.fixture(params=[OSError(28, "No space left on device"), Interrupted(), KeyboardInterrupt()], ids=repr)
def failure(request: pytest.FixtureRequest) -> BaseException:
    error: BaseException = request.param
    return error


def test_whatever_step_fails_the_folder_is_as_it_was(
    folder: Path, old: Contents, failure: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0
    for number in range(100):
        countdown = Countdown(number)
        with monkeypatch.context() as patched:
            for name in ("replace", "unlink", "mkdir", "write_bytes"):
                break_at(patched, name, countdown, failure)
            try:
                with new_export(folder) as export:
                    write(export, 2)
                break
            except (IgfeedError, Interrupted, KeyboardInterrupt):
                steps += 1
        assert contents(folder) == old
        assert not (folder / UNFINISHED_NAME).exists()
    assert steps > 10
    assert (folder / "media" / "2.webp").exists()
    assert not (folder / "media" / "1.webp").exists()


class Countdown:
    """Says when its step has come."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def ends(self) -> bool:
        """Whether this is the step. True once."""
        self._left -= 1
        return self._left == -1

    def is_over(self) -> bool:
        """Whether this is the step or one after it."""
        return self.ends() or self._left < 0


def break_at(patched: pytest.MonkeyPatch, name: str, countdown: Countdown, failure: BaseException) -> None:
    real = getattr(Path, name)

    def broken(self: Path, *arguments: Any, **more: Any) -> Any:
        if countdown.ends():
            raise failure
        return real(self, *arguments, **more)

    patched.setattr(Path, name, broken)


def test_after_a_kill_at_whatever_step_the_next_export_leaves_nothing_behind(
    folder: Path, old: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_export(folder) as export:
        write(export, 3)
    clean = contents(folder)
    for number in range(100):
        shutil.rmtree(folder)
        restore(folder, old)
        countdown = Countdown(number)
        with monkeypatch.context() as patched:
            for name in ("replace", "unlink"):
                break_at(patched, name, countdown, Interrupted())
            patched.setattr(NewExport, "_put_back", lambda *_: None)  # A killed process does no more.
            try:
                with new_export(folder) as export:
                    write(export, 2)
                break
            except Interrupted:
                pass

        with new_export(folder) as export:
            write(export, 3)

        assert contents(folder) == clean
    assert number >= 5


def restore(folder: Path, files: Contents) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C arrives, also if the tests were started by a shell that lets its background jobs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_undoes_the_export_or_comes_too_late_and_leaves_no_litter(
    folder: Path, old: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    undone = 0
    for number in range(100):
        countdown = Countdown(number)
        with monkeypatch.context() as patched:
            for name in ("replace", "unlink", "mkdir", "rmdir"):
                press_ctrl_c_from(patched, name, countdown)
            try:
                with new_export(folder) as export:
                    write(export, 2)
                break
            except KeyboardInterrupt:
                undone += 1
        assert contents(folder) == old
        assert not (folder / UNFINISHED_NAME).exists()
    assert undone > 8
    assert not (folder / UNFINISHED_NAME).exists()
    assert (folder / "media" / "2.webp").exists()
    assert not (folder / "media" / "1.webp").exists()


def press_ctrl_c_from(patched: pytest.MonkeyPatch, name: str, countdown: Countdown) -> None:
    """From a step on, Ctrl-C is pressed after each step, also after those that undo or tidy up."""
    real = getattr(os, name)

    def pressed(*arguments: Any, **more: Any) -> Any:
        result = real(*arguments, **more)
        if countdown.is_over():
            signal.raise_signal(signal.SIGINT)
        return result

    patched.setattr(os, name, pressed)


def test_two_exports_at_once_do_not_mix(folder: Path, old: Contents) -> None:
    with new_export(folder) as export:
        write(export, 2)
        with pytest.raises(IgfeedError, match="Another export into"), new_export(folder):
            pass

    assert (folder / "media" / "2.webp").exists()


def test_at_no_moment_a_page_lacks_what_it_names(folder: Path, old: Contents, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Contents] = []
    for name in ("replace", "unlink"):
        watch(monkeypatch, name, lambda: seen.append(contents(folder)))

    with new_export(folder) as export:
        write(export, 2)

    assert len(seen) >= 5
    for files in seen:
        for page in ("index.html", "page-2.html"):
            named = files[page].decode().partition("./")[2].rstrip(">")
            assert named in files


def watch(monkeypatch: pytest.MonkeyPatch, name: str, look: Any) -> None:
    real = getattr(Path, name)

    def watched(self: Path, *arguments: Any, **more: Any) -> Any:
        look()
        return real(self, *arguments, **more)

    monkeypatch.setattr(Path, name, watched)


def test_a_full_disk_leaves_the_export_before(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk):
        with new_export(disk) as export:
            write(export, 1)
        fill(disk)
        before = contents(disk)

        with pytest.raises(IgfeedError, match="No space left on device"), new_export(disk) as export:
            write(export, 2)

        assert contents(disk) == before


def test_a_file_in_place_of_the_folder_is_one_clear_line(runner: FlaskCliRunner, token: Token, tmp_path: Path) -> None:
    (tmp_path / "site").write_text("mine")

    done = export(runner, tmp_path / "site")

    assert done.exit_code == 1
    assert f"{tmp_path / 'site'} is a file" in one_line(done)
    assert (tmp_path / "site").read_text() == "mine"


def test_a_link_to_nothing_in_place_of_the_folder_or_above_it_is_named(tmp_path: Path) -> None:
    link = tmp_path / "site"
    link.symlink_to(tmp_path / "gone")

    for place in (link, link / "feed"):
        with pytest.raises(IgfeedError, match="site is a link that leads to no folder"), new_export(place):
            pass
    assert link.is_symlink()


def test_the_remains_of_a_killed_export_have_no_effect(
    folder: Path, old: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("new/half.html", "old/media/2.webp"):
        remains = folder / UNFINISHED_NAME / name
        remains.parent.mkdir(parents=True)
        remains.write_text("half")

    # The last step but two: a page could not take its place, and the picture before it is taken back.
    break_at(monkeypatch, "replace", Countdown(2), OSError(5, "Input/output error"))
    with pytest.raises(IgfeedError), new_export(folder) as export:
        write(export, 2)

    assert contents(folder) == old


def test_no_file_of_somebody_else_is_replaced(folder: Path, old: Contents) -> None:
    mine = folder / "media" / "2.webp"
    mine.write_text("mine")

    with pytest.raises(IgfeedError, match=r"2\.webp is not a file of an export"), new_export(folder) as export:
        write(export, 2)

    assert contents(folder) == {**old, "media/2.webp": b"mine"}


def test_what_gets_in_the_way_during_the_export_leaves_the_folder_as_it_was(folder: Path) -> None:
    export = new_export(folder)
    write(export.__enter__(), 1)
    (folder / "media").write_text("mine")

    with pytest.raises(IgfeedError, match="could not be written"):
        export.__exit__(None, None, None)

    assert contents(folder) == {"media": b"mine"}


def test_one_file_that_cannot_be_put_back_is_named_and_all_others_are_put_back(
    folder: Path, old: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "media" / "1.webp").unlink()
    export = new_export(folder)
    write(export.__enter__(), 1)
    real = NewExport._put_back

    def broken(self: NewExport, name: str) -> None:
        real(self, name)
        if name == "media/1.webp":
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(NewExport, "_put_back", broken)
    break_at(monkeypatch, "replace", Countdown(2), OSError(5, "Input/output error"))
    with pytest.raises(IgfeedError, match=r"could not be put back: 1, such as media/1\.webp"):
        export.__exit__(None, None, None)

    assert contents(folder) == {name: each for name, each in old.items() if name != "media/1.webp"}


def test_a_listed_file_behind_a_link_is_not_removed(folder: Path, old: Contents) -> None:
    elsewhere = folder.parent / "elsewhere"
    (folder / "media").rename(elsewhere)
    (folder / "other").symlink_to(elsewhere)
    (folder / LIST_NAME).write_text("index.html\npage-2.html\nsame.js\nother/1.webp\n")

    with new_export(folder) as export:
        write(export, 2)

    assert (elsewhere / "1.webp").exists()


def test_a_list_cannot_have_files_outside_of_the_folder_removed(folder: Path, old: Contents) -> None:
    outside = folder.parent / "outside.txt"
    outside.write_text("mine")
    listed = (folder / LIST_NAME).read_text()
    (folder / LIST_NAME).write_text(f"{listed}../outside.txt\n{outside}\n")

    with new_export(folder) as export:
        write(export, 1)

    assert outside.read_text() == "mine"
