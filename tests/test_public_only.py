"""Pictures are never fetched from the network that we run in, unless the owner names the place."""

from urllib.parse import urlsplit

import pytest

from igfeed.clock import CheckedClock
from igfeed.errors import PictureUnavailable
from igfeed.http.public_only import is_public
from igfeed.http.reply import TransportError
from igfeed.http.transport import Transport
from igfeed.instagram.client import InstagramClient
from igfeed.origins import Origins
from tests.harness.clock import MovingClock
from tests.harness.site import no_sleep
from tests.servers.instagram import FakeInstagram, PictureReply

LIMITS = {"seconds": 10.0, "most_bytes": 1_000_000}


PRIVATE = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.1", "192.0.0.192", "192.0.2.1", "198.51.100.1"),
    *("203.0.113.1", "198.18.0.1", "198.19.255.255", "192.88.99.1", "168.63.129.16", "224.0.0.1", "239.1.2.3"),
    *("240.0.0.1", "255.255.255.255"),
    # IPv6's own
    *("::", "::1", "fe80::1%eth0", "febf::1", "fec0::1", "feff::1", "fc00::1", "fd00:ec2::254", "ff02::1", "ff0e::1"),
    *("100::1", "100:0:0:1::1", "2001:db8::1", "3fff::1", "3ffe::1", "5f00::1", "4000::1", "8000::1", "2001:2::1"),
    *("2001:10::1", "2001:20::1", "2001:1ff::1"),
    # IPv4 inside IPv6: mapped, compatible, translated, NAT64, local NAT64, 6to4, Teredo, ISATAP
    *("::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:168.63.129.16", "::127.0.0.1", "::10.0.0.1", "::157.240.1.63"),
    *("::ffff:0:127.0.0.1", "::ffff:0:157.240.1.63"),
    *("64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b::169.254.169.254", "64:ff9b:0:1::157.240.1.63"),
    *("64:ff9b:1::127.0.0.1", "64:ff9b:1::157.240.1.63", "64:ff9b:1:a00:0:100::"),
    *("2002:7f00:1::1", "2002:a00:1::1", "2002:9df0:13f::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001::1"),
    *("2a03:2880::5efe:10.0.0.1", "2a03:2880::200:5efe:127.0.0.1", "fe80::5efe:157.240.1.63"),
]
PUBLIC = [
    *("157.240.1.63", "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "192.0.1.1"),
    *("198.17.255.255", "198.20.0.1", "223.255.255.255", "168.63.129.17", "192.88.98.1"),
    *("2a03:2880:f10c:83:face:b00c:0:25de", "2001:200::1", "2001:4860:4860::8888", "2620:fe::fe", "2606:4700::1111"),
    *("::ffff:157.240.1.63", "64:ff9b::157.240.1.63", "2a03:2880::5efe:157.240.1.63", "2a03:2880::5efd:10.0.0.1"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_only_we_can_reach_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_anybody_can_reach_is_public(address: str) -> None:
    assert is_public(address)


def client(instagram: FakeInstagram, clock: MovingClock, origins: str) -> InstagramClient:
    return InstagramClient(
        url=instagram.url,
        version="v25.0",
        media_origins=Origins(origins),
        transport=Transport("igfeed/test"),
        clock=CheckedClock(clock),
        sleep=no_sleep,
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
