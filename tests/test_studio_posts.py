"""The studio's tiles: hide, pin, approve and link posts, and the rules."""

import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from igfeed.models import Token
from tests.harness.owner import OWNER
from tests.harness.visitor import posts_on
from tests.servers.instagram import FakeInstagram, image, reel


@pytest.fixture(autouse=True)
def ids(instagram: FakeInstagram, client: FlaskClient, token: Token) -> list[str]:
    """Of the posts, newest first. They are fetched."""
    instagram.picture_size = (48, 60)
    instagram.posts[:] = [image(caption="Fresh #bread"), reel(caption="On the road"), *(image() for _ in range(3))]
    client.get("/")
    return [post["id"] for post in instagram.posts]


def studio(client: FlaskClient) -> str:
    return unescape(client.get("/studio", headers=OWNER).text)


def send(client: FlaskClient, form: str, **data: str | list[str]) -> TestResponse:
    """The form, sent from the page as it is now."""
    form_token = re.findall(r'name="form_token" value="([^"]+)"', studio(client))[0]
    return client.post(f"/studio/posts/{form}", data={"form_token": form_token, **data}, headers=OWNER)


def said(client: FlaskClient, response: TestResponse) -> str:
    """What the page says after the form."""
    assert response.status_code == 303
    page = client.get(response.headers["Location"], headers=OWNER).text
    (words,) = re.findall(r'role="status">(.*)</p>', page)
    return unescape(words)


def tile(page: str, post_id: str) -> str:
    (found,) = re.findall(rf'<li id="post-{post_id}".*?</li>', page, re.DOTALL)
    return str(found)


def shown(client: FlaskClient) -> list[str]:
    return posts_on(client.get("/"))


def test_a_hidden_post_is_gone_for_visitors_and_its_tile_says_why_and_shows_it_again(
    client: FlaskClient, ids: list[str]
) -> None:
    response = send(client, "choose", hide=ids[1])

    assert response.headers["Location"].endswith(f"#post-{ids[1]}")
    assert said(client, response) == "The post is hidden."
    assert shown(client) == [ids[0], *ids[2:]]
    assert "Hidden by you" in tile(studio(client), ids[1])
    assert said(client, send(client, "choose", show=ids[1])) == "The post is shown again."
    assert shown(client) == ids


def test_pinned_posts_come_first_and_a_fourth_one_is_refused(client: FlaskClient, ids: list[str]) -> None:
    for place in (4, 2, 3):
        assert said(client, send(client, "choose", pin=ids[place])) == "The post is pinned."

    assert "Three posts are pinned" in said(client, send(client, "choose", pin=ids[0]))
    assert shown(client) == [ids[4], ids[2], ids[3], ids[0], ids[1]]
    assert '<span class="pin"><span class="unseen">Pinned </span>2</span>' in tile(studio(client), ids[2])
    assert said(client, send(client, "choose", unpin=ids[4])) == "The post is not pinned any more."
    assert shown(client)[:2] == [ids[2], ids[3]]


def test_the_rules_are_saved_and_shown_and_a_tile_says_which_one_keeps_it_out(
    client: FlaskClient, ids: list[str]
) -> None:
    assert said(client, send(client, "rules", type="photo", without="#road, bread")) == "The rules are saved."

    page = studio(client)
    assert shown(client) == ids[2:]
    assert "Has #bread" in tile(page, ids[0])
    assert "Left out: Videos" in tile(page, ids[1])
    assert 'name="without" value="#road #bread ' in page
    assert re.findall(r'name="type" value="(\w+)" checked><span>', page) == ["photo"]


def test_with_all_types_chosen_no_type_is_left_out(client: FlaskClient, ids: list[str]) -> None:
    send(client, "rules", type=["photo", "video", "album"])

    assert shown(client) == ids


def test_new_posts_wait_for_approval_if_the_owner_wants_that(
    client: FlaskClient, instagram: FakeInstagram, ids: list[str]
) -> None:
    send(client, "rules", approve_new="1")
    new = instagram.publish(image())["id"]
    form_token = re.findall(r'name="form_token" value="([^"]+)"', studio(client))[0]
    client.post("/studio/fetch", data={"form_token": form_token}, headers=OWNER)

    assert shown(client) == ids
    assert "Not approved yet" in tile(studio(client), new)
    assert said(client, send(client, "choose", approve=new)) == "The post is approved."
    assert shown(client) == [new, *ids]


def test_a_post_gets_a_link_and_loses_it(client: FlaskClient, ids: list[str]) -> None:
    response = send(client, "link", post=ids[0], url="https://shop.example/bread", label="Buy it")

    assert said(client, response) == "The opened post now has your link."
    assert 'value="https://shop.example/bread"' in tile(studio(client), ids[0])
    assert 'value="Buy it"' in tile(studio(client), ids[0])
    assert "no link of yours" in said(client, send(client, "link", post=ids[0], url=""))
    assert "shop.example" not in studio(client)


@pytest.mark.parametrize(
    ("form", "data", "words"),
    [
        ("choose", {"hide": "1"}, "no such post"),
        ("choose", {"hide": "../evil"}, "no such post"),
        ("choose", {}, "No button was pressed"),
        ("choose", {"pin": "1"}, "no such post"),
        ("link", {"url": "https://shop.example"}, "no such post"),
        ("link", {"post": "FIRST", "url": "javascript:alert(1)"}, "no address"),
        ("rules", {"with": "#not-one"}, "no hashtag"),
    ],
)
def test_an_impossible_choice_is_explained_and_changes_nothing(
    client: FlaskClient, ids: list[str], form: str, data: dict[str, str], words: str
) -> None:
    data = {name: ids[0] if value == "FIRST" else value for name, value in data.items()}

    assert words in said(client, send(client, form, **data))
    assert shown(client) == ids


@pytest.mark.parametrize(
    "text", ['"><script>alert(1)</script>', "'><img src=x onerror=alert(1)>", "{{ 7 * 7 }}</style>"]
)
def test_what_people_write_stays_text(client: FlaskClient, instagram: FakeInstagram, ids: list[str], text: str) -> None:
    instagram.posts[0]["caption"] = text
    instagram.posts[1]["alt_text"] = text
    instagram.profile["name"] = text
    client.get("/api/cron/refresh-instagram-token", headers=OWNER)
    page = client.get("/studio", headers=OWNER).text

    assert page.count("<script") == page.count("</style>") == 1
    assert len(re.findall("<img ", page)) == 1 + len(ids)
    assert "onerror=alert(1)>" not in page


@pytest.mark.parametrize("form", ["choose", "link", "rules"])
def test_no_form_is_taken_without_its_token(client: FlaskClient, ids: list[str], form: str) -> None:
    response = client.post(f"/studio/posts/{form}", data={"hide": ids[0], "without": "bread"}, headers=OWNER)

    assert response.status_code == 403
    assert shown(client) == ids
