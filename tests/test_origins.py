"""The list of origins: what is on it, what only looks so, and what is no list."""

import pytest

from igfeed.origins import Origins

META = Origins("https://*.cdninstagram.com,https://*.fbcdn.net")


@pytest.mark.parametrize(
    "url",
    [
        "https://scontent.cdninstagram.com/v/t51/1.jpg?oe=6A",
        "https://scontent-arn2-1.cdninstagram.com/1.jpg",
        "https://instagram.fhel3-1.fna.fbcdn.net/1.jpg",
        "HTTPS://Scontent.CDNinstagram.com/1.jpg",
        "https://a.fbcdn.net",
        "https://a.fbcdn.net?x=https://evil.example",
    ],
)
def test_hosts_of_any_depth_under_a_star_are_allowed(url: str) -> None:
    assert META.allow(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://scontent.cdninstagram.com/1.jpg",
        "ftp://scontent.cdninstagram.com/1.jpg",
        "file:///etc/passwd",
        "https://cdninstagram.com/1.jpg",
        "https://.cdninstagram.com/1.jpg",
        "https://evilcdninstagram.com/1.jpg",
        "https://a.cdninstagram.com.evil.example/1.jpg",
        "https://evil.example/a.cdninstagram.com",
        "https://evil.example#.cdninstagram.com",
        "https://evil.example\\.cdninstagram.com/",
        "https://evil.example?.cdninstagram.com/",
        "https://a.cdninstagram.com@evil.example/",
        "https://me@a.cdninstagram.com/1.jpg",
        "https://me:secret@a.cdninstagram.com/1.jpg",
        "https://a.cdninstagram.com:8443/1.jpg",
        "https://a.cdninstagram.com:99999/1.jpg",
        "https://a.cdninstagram.com:port/1.jpg",
        "https://[::1/1.jpg",
        "https:///1.jpg",
        "//a.cdninstagram.com/1.jpg",
        "a.cdninstagram.com/1.jpg",
        "",
    ],
)
def test_what_is_not_on_the_list_is_not_allowed(url: str) -> None:
    assert not META.allow(url)


def test_an_entry_without_a_star_allows_just_that_origin() -> None:
    origins = Origins("http://127.0.0.1:9000")
    assert origins.allow("http://127.0.0.1:9000/x.jpg")
    assert not origins.allow("http://127.0.0.1:9001/x.jpg")
    assert not origins.allow("http://127.0.0.1/x.jpg")
    assert not origins.allow("http://127a0b0c1:9000/x.jpg")


@pytest.mark.parametrize("entry", ["https://a.example:443", "http://b.example:80", "https://*.c.example:443"])
def test_the_usual_port_may_be_said_or_left_out(entry: str) -> None:
    url = entry.replace("*", "x")
    origins = Origins(entry)

    assert origins.allow(f"{url}/1.jpg")
    assert origins.allow(f"{url.rpartition(':')[0]}/1.jpg")
    assert not origins.allow(f"{url.rpartition(':')[0]}:8443/1.jpg")
    assert origins.name(f"{url}/1.jpg") == ("*" not in entry)


def test_spaces_final_slashes_and_empty_entries_do_not_matter() -> None:
    origins = Origins(" https://A.example/ ,, https://b.example ")
    assert origins.allow("https://a.example/x")
    assert origins.allow("https://b.example/x")


@pytest.mark.parametrize("text", ["", ",", " , "])
def test_an_empty_list_is_a_mistake(text: str) -> None:
    with pytest.raises(ValueError, match="no origin"):
        Origins(text)


@pytest.mark.parametrize(
    "entry",
    [
        "a.example",
        "ftp://a.example",
        "https://a.example/x",
        "https://me@a.example",
        "https://a b",
        "*",
        "https://a.example:65536",
    ],
)
def test_what_is_no_origin_is_refused_by_name(entry: str) -> None:
    with pytest.raises(ValueError, match="is not an origin") as caught:
        Origins(f"https://ok.example,{entry}")
    assert entry in str(caught.value)


def test_lists_are_equal_by_their_text_and_show_it() -> None:
    origins = Origins("https://a.example")
    assert origins == Origins("https://a.example")
    assert hash(origins) == hash(Origins("https://a.example"))
    assert origins != Origins("https://b.example")
    assert origins != "https://a.example"
    assert repr(origins) == "Origins('https://a.example')"
