"""Pictures are never fetched from the network that we run in, unless the owner names the place."""

from urllib.parse import urlsplit

import pytest

from igfeed.errors import PictureUnavailable
from igfeed.instagram.client import InstagramClient
from igfeed.instagram.public import is_public
from igfeed.instagram.transport import Transport, TransportError
from igfeed.origins import Origins
from tests.conftest import MovingClock
from tests.servers.instagram import FakeInstagram, PictureReply

LIMITS = {"seconds": 10.0, "most_bytes": 1_000_000}


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:10.0.0.1",
    ],
)
def test_what_only_we_can_reach_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["157.240.1.63", "2a03:2880:f10c:83:face:b00c:0:25de", "::ffff:157.240.1.63"])
def test_what_anybody_can_reach_is_public(address: str) -> None:
    assert is_public(address)


def client(instagram: FakeInstagram, clock: MovingClock, origins: str) -> InstagramClient:
    return InstagramClient(
        url=instagram.url,
        version="v25.0",
        media_origins=Origins(origins),
        transport=Transport("igfeed/test"),
        clock=clock,
    )


def test_an_allowed_name_that_leads_home_is_refused(instagram: FakeInstagram, clock: MovingClock) -> None:
    """The list says "any host", which must not mean this one."""
    port = urlsplit(instagram.url).port
    address = instagram.sign(f"/pictures/{instagram.posts[0]['id']}.jpg")

    with pytest.raises(PictureUnavailable):
        client(instagram, clock, f"http://*:{port}").picture(address)

    assert instagram.count("picture") == 0


def test_an_origin_that_the_owner_names_is_asked(instagram: FakeInstagram, clock: MovingClock) -> None:
    address = instagram.sign(f"/pictures/{instagram.posts[0]['id']}.jpg")

    assert client(instagram, clock, instagram.url).picture(address).startswith(b"\xff\xd8")


def test_a_redirect_home_is_refused_too(instagram: FakeInstagram, clock: MovingClock) -> None:
    home = instagram.url.replace("127.0.0.1", "localhost")
    first = instagram.posts[0]["id"]
    instagram.pictures[first] = PictureReply(302, location=f"{home}/pictures/other.jpg")
    address = instagram.sign(f"/pictures/{first}.jpg")

    with pytest.raises(PictureUnavailable):
        client(instagram, clock, f"{instagram.url},http://*:{urlsplit(home).port}").picture(address)

    assert instagram.count("picture") == 1


def test_only_what_is_not_trusted_must_be_public(instagram: FakeInstagram) -> None:
    transport = Transport("igfeed/test")

    assert transport.get(f"{instagram.url}/me", trusted=lambda _: True, **LIMITS).status == 400  # type: ignore[arg-type]
    with pytest.raises(TransportError):
        transport.get(f"{instagram.url}/me", trusted=lambda _: False, **LIMITS)  # type: ignore[arg-type]
