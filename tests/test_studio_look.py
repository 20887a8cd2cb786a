"""The builder of the studio: a control for each option, the preview, and the snippets to copy."""

import re
import tomllib
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from igfeed import create_app
from igfeed.models import Token
from igfeed.owner.pages.words import FOLDER
from igfeed.texts.hashtags import MAX_HASHTAG_LENGTH
from igfeed.widget.options import Options, default_options
from igfeed.widget.views import View
from tests.conftest import MakeServices
from tests.harness.owner import OWNER
from tests.harness.visitor import Visitor, posts_on
from tests.servers.instagram import FakeInstagram, image
from tests.servers.upstash import FakeUpstash

ENGLISH = tomllib.loads((FOLDER / "en.toml").read_text("utf-8"))


@pytest.fixture(autouse=True)
def feed(instagram: FakeInstagram, client: FlaskClient, token: Token) -> None:
    """A feed of three posts: without one there is nothing to make one's own."""
    instagram.picture_size = (48, 60)
    instagram.posts[:] = [image(), image(), image()]
    client.get("/")


def get(client: FlaskClient, path: str) -> str:
    response = client.get(path, headers=OWNER)
    assert response.status_code == 200
    return response.text


def snippet(page: str, name: str) -> str:
    (found,) = re.findall(rf'class="snippet {name}">.*?<code>([^<]*)</code></pre>', page, re.DOTALL)
    return unescape(found)


def preview_query(page: str) -> dict[str, list[str]]:
    (source,) = re.findall(r'<iframe class="preview"[^>]* src="([^"]+)"', page)
    assert urlsplit(source).path == "/studio/preview"
    return parse_qs(unescape(urlsplit(source).query))


def test_every_option_has_a_control_with_the_words_of_the_documentation(client: FlaskClient, token: Token) -> None:
    page = get(client, "/studio")

    assert set(re.findall(r'name="(\w+)"', page)) >= set(Options.table())
    helps = {name: words["help"] for name, words in ENGLISH["options"].items()}
    assert helps == {name: row.help for name, row in Options.table().items()}


@pytest.mark.parametrize("name", ["layout", "ratio", "theme", "open", "font", "type"])
def test_every_choice_of_an_option_has_a_control(client: FlaskClient, token: Token, name: str) -> None:
    values = re.findall(rf'type="radio" name="{name}" value="(\w*)"', get(client, "/studio"))

    assert [value for value in values if value] == re.findall(r"`(\w+)`", Options.table()[name].values)


def test_without_script_the_form_shows_the_options_in_preview_controls_and_snippets(
    client: FlaskClient, token: Token
) -> None:
    page = get(client, "/studio?layout=carousel&gap=12&captions=1&background=%23F5EAD7&limit=12&columns=")

    asked = {"layout": "carousel", "gap": "12", "captions": "1", "background": "f5ead7"}
    assert preview_query(page) == {name: [value] for name, value in asked.items()}
    assert re.search(r'value="carousel" checked', page)
    assert re.search(r'name="gap"[^>]* value="12"', page)
    assert re.search(r'name="captions" value="1" checked', page)
    data = dict(re.findall(r'data-(\w+)="([^"]+)"', snippet(page, "script")))
    assert data == asked


def test_the_snippets_name_the_feed_with_the_options(make_services: MakeServices, token: Token) -> None:
    client = Visitor(create_app(services=make_services(BASE_URL="https://feed.example")))
    client.get("/")
    page = get(client, "/studio?columns=3&gap=0")

    query = "columns=3&gap=0"
    assert '<script async src="https://feed.example/embed.js" ' in snippet(page, "script")
    assert "@studio.nord</a>" in snippet(page, "script")
    assert f'<iframe src="https://feed.example/embed?{query.replace("&", "&amp;")}"' in snippet(page, "frame")
    assert snippet(page, "wordpress") == f"https://feed.example/?{query}"
    assert snippet(page, "fragment") == f"https://feed.example/fragment?{query}"


def test_under_a_prefix_the_snippets_have_it(client: FlaskClient, token: Token) -> None:
    page = client.get("/studio", headers=OWNER, environ_overrides={"SCRIPT_NAME": "/feeds/insta"}).text

    assert snippet(page, "wordpress") == "http://localhost/feeds/insta/"
    assert 'src="/feeds/insta/studio/preview"' in page


def test_a_theme_that_equals_the_frames_default_is_kept_because_the_script_tag_follows_its_page(
    client: FlaskClient, token: Token
) -> None:
    assert 'data-theme="light"' in snippet(get(client, "/studio?theme=light"), "script")


@pytest.mark.parametrize("query", ["?gap=%22%3E%3Cscript%3E", "?tag=%3Cb%3E", "?layout=<i>", "?nonsense=<i>"])
def test_nothing_of_the_query_becomes_html(client: FlaskClient, token: Token, query: str) -> None:
    page = get(client, f"/studio{query}")

    assert re.findall(r"<(?:b|i)>|\"><script", page) == []


def test_the_script_of_the_page_gets_the_snippets_alone(client: FlaskClient, token: Token) -> None:
    part = get(client, "/studio/snippets?columns=3")

    assert "<html" not in part
    assert 'data-columns="3"' in snippet(part, "script")


# Contrast


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("background=f5ead7&color=d9c8a9", ["Texts in this colour have a contrast of 1.3:1"]),
        ("background=f5ead7&accent=d9c8a9", ["Links in this colour have a contrast of 1.3:1"]),
        ("background=ffffff&color=767676", []),
        ("background=ffffff&color=777777", ["Texts in this colour have a contrast of 4.4:1"]),
        ("color=ffffff", []),
        ("background=transparent&color=ffffff", []),
    ],
)
def test_contrast_that_falls_short_is_said(client: FlaskClient, token: Token, query: str, said: list[str]) -> None:
    page = get(client, f"/studio?{query}")

    assert [text.split(" on this")[0] for text in re.findall(r'class="shortfall">([^<]*)<', page)] == said


# The preview


def test_the_preview_is_the_embed_with_the_options_and_only_our_own_page_may_frame_it(
    make_services: MakeServices, token: Token
) -> None:
    client = Visitor(create_app(services=make_services(IGFEED_FRAME_ANCESTORS="https://shop.example")))
    embed = client.get("/embed?limit=2&layout=carousel")
    preview = client.get("/studio/preview?limit=2&layout=carousel", headers=OWNER)

    assert preview.data == embed.data
    assert len(posts_on(preview)) == 2
    policy = embed.headers["Content-Security-Policy"]
    ours = policy.replace("frame-ancestors https://shop.example", "frame-ancestors 'self'")
    assert (preview.headers["Content-Security-Policy"], preview.headers["Cache-Control"]) == (ours, "no-store")


@pytest.mark.parametrize("path", ["/studio/preview", "/studio/snippets"])
def test_the_parts_of_the_page_are_for_the_owner_only(client: FlaskClient, token: Token, path: str) -> None:
    assert client.get(path).status_code == 401


def test_while_there_is_nothing_to_show_the_preview_says_so(make_services: MakeServices, tmp_path: Path) -> None:
    client = Visitor(create_app(services=make_services(IGFEED_STORE_PATH=str(tmp_path / "empty.sqlite3"))))

    assert "The posts are on their way" in get(client, "/studio/preview")


# What every embed shows by itself


def keep(client: FlaskClient, **options: str) -> str:
    """Press the button, with these options in the controls. Gives what the page says."""
    form_token = re.findall(r'name="form_token" value="([^"]+)"', get(client, "/studio"))[0]
    response = client.post("/studio/look", data={"form_token": form_token, **options}, headers=OWNER)
    assert response.status_code == 303
    page = unescape(get(client, response.headers["Location"]))
    return str(re.findall(r'role="status">(.*)</p>', page)[0])


def shown(client: FlaskClient, path: str) -> int:
    return len(posts_on(client.get(path)))


def test_a_kept_look_is_that_of_every_embed_that_asks_for_nothing_else(client: FlaskClient) -> None:
    plain = client.get("/").data
    assert shown(client, "/embed") == shown(client, "/fragment") == 3

    assert keep(client, limit="1", layout="grid", page="2").startswith("From now on")

    assert [shown(client, path) for path in ("/embed", "/fragment", "/embed?limit=2", "/embed?limit=3")] == [1, 1, 2, 3]
    assert client.get("/").data == plain
    assert '{"limit":"1"}[name]' in client.get("/embed.js").text


def test_the_finished_page_of_before_is_not_sent_again(client: FlaskClient) -> None:
    before = [client.get("/embed").data for _ in range(2)]
    keep(client, radius="9")
    after = [client.get("/embed").data for _ in range(2)]

    assert before[0] == before[1] != after[0] == after[1]
    assert b"--radius:9px" in after[0]


def test_another_process_shows_the_kept_look_for_no_more_store_commands(
    make_services: MakeServices, upstash: FakeUpstash, token: Token
) -> None:
    database = {"UPSTASH_REDIS_REST_URL": upstash.url, "UPSTASH_REDIS_REST_TOKEN": upstash.token}
    owner = Visitor(create_app(services=make_services(**database)))
    create_app(services=make_services(**database)).extensions["igfeed"].tokens.adopt(token, is_verified=True)
    owner.get("/embed")
    keep(owner, limit="1")
    visitor = Visitor(create_app(services=make_services(**database)))
    upstash.forget()

    assert shown(visitor, "/embed") == 1
    assert len(upstash.commands()) == 1


def test_links_to_other_pages_and_oembed_stay_true_with_a_kept_look(client: FlaskClient) -> None:
    keep(client, limit="1", gap="20")

    assert 'href="/embed?page=2"' in client.get("/embed").text
    assert 'href="/embed?page=2&amp;gap=4"' in client.get("/embed?gap=4").text
    frame = client.get("/oembed?url=http://localhost/%3Fgap%3D4").get_json()["html"]
    assert 'src="http://localhost/embed?gap=4"' in frame


def test_the_controls_begin_with_the_kept_look_and_the_snippets_name_what_differs_from_it(client: FlaskClient) -> None:
    keep(client, gap="20", header="1")
    page, other = get(client, "/studio"), get(client, "/studio?gap=4&header=0")

    assert re.search(r'name="gap"[^>]* value="20"', page)
    assert re.search(r'name="header" value="1" checked', page)
    assert "data-" not in snippet(page, "script")
    assert snippet(other, "wordpress").endswith("/?gap=4&header=0")


def test_a_kept_look_is_taken_back(client: FlaskClient) -> None:
    before = client.get("/embed").data
    keep(client, limit="1", theme="light")

    assert "as it did at first" in keep(client, reset="1")
    assert client.get("/embed").data.replace(b" ", b"") == before.replace(b" ", b"")


def test_nothing_that_is_no_option_is_kept(client: FlaskClient) -> None:
    assert "as it did at first" in keep(client, evil="<script>", gap="x", limit="12")


def test_no_other_site_can_change_the_look(client: FlaskClient) -> None:
    assert client.post("/studio/look", data={"limit": "1"}, headers=OWNER).status_code == 403
    assert shown(client, "/embed") == 3


def test_the_longest_look_can_be_kept_and_read_again(client: FlaskClient, make_services: MakeServices) -> None:
    tag = "\N{CJK UNIFIED IDEOGRAPH-20000}" * 100
    longest = {
        "layout": "highlight",
        "theme": "light",
        "open": "instagram",
        "background": "transparent",
        "limit": "100",
    }

    keep(client, tag=tag, type="video", font="rounded", color="f5ead7", accent="f5ead7", ratio="original", **longest)

    assert len(tag) == MAX_HASHTAG_LENGTH
    kept = make_services().feed.choices.look
    assert default_options(View.EMBED, kept).tag == tag
