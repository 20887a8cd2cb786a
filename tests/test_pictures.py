"""Pictures of our own: fetched once, small, upright, in every width, and never taken for what they are not."""

import base64
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import ExifTags, Image, ImageCms, features

from igfeed.background import in_place
from igfeed.clock import CheckedClock, Deadline
from igfeed.errors import NoPicture, PicturesUnreachable, PictureUnavailable, StoreError
from igfeed.feed.imaging import MAX_AVIF_PIXELS, MAX_PROFILE_BYTES, MAX_READS, MAX_SCANS, WEBP_MAX_SIDE
from igfeed.feed.mirror import MAX_DOWNLOADS, MISSING_PICTURES_KEY, Mirror, MirrorReport
from igfeed.feed.picture_files import ABSENT_FILE_PAUSE, FORMATS, WIDTHS, Format
from igfeed.feed.pictures import (
    FAILED_ADDRESS_PAUSE,
    MAX_FAILED_ADDRESSES,
    MAX_POSTPONED,
    MAX_WAITING_FOR_PICTURES,
    REFUSED_ADDRESS_PAUSE,
    UNREACHABLE_HOST_PAUSE,
    Pictures,
    can_make_avif,
)
from igfeed.http.transport import Transport
from igfeed.instagram.client import InstagramClient
from igfeed.models import AlbumPicture, Picture
from igfeed.origins import Origins
from igfeed.stores import Store
from igfeed.stores.guarded import GuardedStore
from igfeed.stores.memory import MemoryStore
from igfeed.stores.upstash import UpstashStore
from tests.harness.clock import MovingClock
from tests.harness.site import Site, no_sleep
from tests.servers.faults import Fault, answer, html_error, reset, truncate
from tests.servers.instagram import MP4, PictureReply, album, jpeg, picture_bomb, picture_colour
from tests.servers.upstash import FakeUpstash

SIZE = (320, 400)
"""As wide as the narrowest of our files, so that most tests scale and encode little."""
WIDE = (1200, 1500)
"""Wider than all of our files, as Instagram's pictures are."""
RED, GREEN, BLUE = (220, 30, 30), (30, 200, 30), (30, 30, 220)
LONG = 60.0


@pytest.fixture(autouse=True)
def picture_size(site: Site) -> None:
    site.instagram.picture_size = SIZE


@pytest.fixture
def wide_pictures(picture_size: None, site: Site) -> None:
    site.instagram.picture_size = WIDE


@pytest.fixture
def pictures(site: Site, memory_store: MemoryStore) -> Pictures:
    return site.start(memory_store).pictures


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=8) as pool:
        yield pool


def mirror_of(pictures: Pictures) -> Mirror:
    return Mirror(pictures, pictures.files._store, pictures._clock)


def picture(site: Site, picture_id: str = "17900000000000001") -> Picture:
    return Picture(picture_id, url=site.instagram.sign(f"/pictures/{picture_id}.jpg"))


def answering(
    site: Site, file: bytes, content_type: str = "image/jpeg", picture_id: str = "17900000000000001"
) -> Picture:
    """A picture for which Instagram sends this file."""
    site.instagram.pictures[picture_id] = PictureReply(body=file, content_type=content_type)
    return picture(site, picture_id)


def key(picture_id: str, width: int, format_: Format = "webp") -> str:
    return f"picture:v1:{picture_id}-{width}{'.avif' if format_ == 'avif' else ''}"


def kept(store: Store, picture_id: str, format_: Format = "webp") -> list[int]:
    return [width for width in WIDTHS if store.get(key(picture_id, width, format_)) is not None]


def opened(file: bytes) -> Image.Image:
    image = Image.open(BytesIO(file))
    image.load()
    return image


def saved(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def is_like(pixel: object, colour: tuple[int, int, int], tolerance: int = 24) -> bool:
    assert isinstance(pixel, tuple)
    return len(pixel) == 3 and all(abs(have - want) <= tolerance for have, want in zip(pixel, colour, strict=True))


# From the store, else from Instagram


@pytest.mark.usefixtures("wide_pictures")
def test_a_picture_is_fetched_once_and_kept_in_every_width(
    site: Site, pictures: Pictures, memory_store: MemoryStore
) -> None:
    wanted = picture(site)

    files = [pictures.get(wanted, width) for width in WIDTHS for _ in range(2)]

    assert site.instagram.count("picture") == 1
    assert kept(memory_store, wanted.id) == list(WIDTHS)
    assert len(set(files)) == len(WIDTHS)


def test_another_process_gets_it_from_the_store(site: Site, pictures: Pictures, memory_store: MemoryStore) -> None:
    wanted = picture(site)
    file = pictures.get(wanted, 640)

    again = site.start(memory_store).pictures.get(Picture(wanted.id), 640)

    assert again == file
    assert site.instagram.count("picture") == 1


def test_a_picture_in_memory_does_not_ask_the_store_again(
    site: Site, upstash: FakeUpstash, upstash_store: UpstashStore
) -> None:
    wanted = picture(site)
    made_it, found_it = site.start(upstash_store).pictures, site.start(upstash_store).pictures
    file = made_it.get(wanted, 320)
    found_it.get(wanted, 320)
    upstash.forget()

    assert made_it.get(wanted, 320) == found_it.get(wanted, 320) == file

    assert upstash.commands() == []


def test_every_child_of_an_album_has_a_picture_of_its_own(site: Site, memory_store: MemoryStore) -> None:
    site.stored(memory_store)
    site.instagram.posts.insert(0, album())
    process = site.start(memory_store)
    post = process.feed.first().posts[0]

    shown = [opened(process.pictures.get(child, 320)).getpixel((2, 2)) for child in post.children]

    assert len(post.children) == 3
    for pixel, child in zip(shown, post.children, strict=True):
        assert is_like(pixel, picture_colour(child.id), tolerance=8)


class Crowd(MemoryStore):
    """Lets nobody go on before so many have found nothing here."""

    def __init__(self, clock: MovingClock, size: int) -> None:
        super().__init__(clock)
        self._left = size
        self._counting = threading.Lock()
        self._everybody = threading.Barrier(size, timeout=10)

    def get(self, key: str) -> str | None:
        value = super().get(key)
        with self._counting:
            self._left -= 1
            is_of_the_crowd = self._left >= 0
        if is_of_the_crowd:
            self._everybody.wait()
        return value


def test_many_who_ask_for_one_picture_cause_one_download(site: Site, threads: ThreadPoolExecutor) -> None:
    pictures = site.start(Crowd(site.clock, size=MAX_WAITING_FOR_PICTURES)).pictures
    wanted = picture(site)

    files = list(threads.map(lambda _: pictures.get(wanted, 320), range(MAX_WAITING_FOR_PICTURES)))

    assert len(set(files)) == 1
    assert site.instagram.count("picture") == 1


def test_a_slow_picture_does_not_hold_up_one_that_is_kept(
    site: Site, pictures: Pictures, threads: ThreadPoolExecutor
) -> None:
    ready = picture(site, "17900000000000002")
    pictures.get(ready, 320)

    with site.instagram.hold("picture") as gate:
        slow = threads.submit(pictures.get, picture(site), 320)
        assert gate.wait()
        assert opened(pictures.get(ready, 320)).width == 320
    assert slow.result()


# What it looks like


@pytest.mark.usefixtures("wide_pictures")
def test_the_picture_is_webp_in_the_width_asked_for_and_in_its_own_proportions(site: Site, pictures: Pictures) -> None:
    images = [opened(pictures.get(picture(site), width)) for width in WIDTHS]

    assert [image.format for image in images] == ["WEBP"] * 3
    assert [image.size for image in images] == [(320, 400), (640, 800), (1080, 1350)]


@pytest.mark.parametrize(
    ("size", "widths"),
    [((500, 400), [320, 500, 500]), ((320, 320), [320, 320, 320]), ((1, 1), [1, 1, 1]), ((2000, 1), [320, 640, 1080])],
)
def test_no_picture_is_enlarged(size: tuple[int, int], widths: list[int], site: Site, pictures: Pictures) -> None:
    wanted = answering(site, saved(Image.new("RGB", size, RED)))

    images = [opened(pictures.get(wanted, width)) for width in WIDTHS]

    assert [image.width for image in images] == widths
    assert all(image.height >= 1 for image in images)


def corners(turn: Image.Transpose | None) -> Image.Image:
    """Red top left, green top right, blue below, then turned."""
    image = Image.new("RGB", (80, 120), BLUE)
    image.paste(RED, (0, 0, 40, 60))
    image.paste(GREEN, (40, 0, 80, 60))
    return image if turn is None else image.transpose(turn)


CAMERA: dict[int, Image.Transpose | None] = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
    9: None,
}
"""How a camera lays the picture down when it writes this orientation (EXIF 2.32, tag 274); 9 does not exist."""


@pytest.mark.parametrize(("orientation", "turn"), CAMERA.items())
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_is_shown_upright_however_the_camera_lay(
    kind: str, orientation: int, turn: Image.Transpose | None, site: Site, pictures: Pictures
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    wanted = answering(site, saved(corners(turn), kind, exif=exif, quality=95), f"image/{kind.lower()}")

    image = opened(pictures.get(wanted, 320))

    assert image.size == (80, 120)
    assert is_like(image.getpixel((20, 30)), RED)
    assert is_like(image.getpixel((60, 30)), GREEN)
    assert is_like(image.getpixel((40, 90)), BLUE)
    assert image.getexif().get(ExifTags.Base.Orientation, 1) == 1


ODD_EXIF = (
    b"Exif\0\0MM\0*\0\0\0\x08\0\x02"
    b"\x01\x0e\0\x05\0\0\0\x01\0\0\0\x00"  # ImageDescription as a fraction
    b"\x01\x12\0\x03\0\0\0\x01\0\x03\0\0"  # Orientation: upside down
    b"\0\0\0\0"
)


def test_odd_exif_data_do_not_cost_the_picture(site: Site, pictures: Pictures) -> None:
    wanted = answering(site, saved(corners(Image.Transpose.ROTATE_180), exif=ODD_EXIF, quality=95))

    image = opened(pictures.get(wanted, 320))

    assert is_like(image.getpixel((20, 30)), RED)


def test_what_the_camera_knew_of_the_place_is_left_out(site: Site, pictures: Pictures) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Astrid Nord"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    wanted = answering(site, saved(corners(None), exif=exif))

    file = pictures.get(wanted, 320)

    assert dict(opened(file).getexif()) == {}
    assert b"Astrid" not in file


def test_the_colour_profile_goes_along(site: Site, pictures: Pictures) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    wanted = answering(site, saved(Image.new("RGB", (700, 700), RED), icc_profile=profile))

    profiles = [opened(pictures.get(wanted, width)).info.get("icc_profile") for width in WIDTHS]

    assert profiles == [profile] * 3


@pytest.mark.parametrize(
    ("mode", "kind", "colour"),
    [
        ("RGB", "PNG", RED),
        ("RGBA", "PNG", RED),
        ("P", "PNG", RED),
        ("CMYK", "JPEG", RED),
        ("L", "JPEG", (87, 87, 87)),
        ("L", "PNG", (87, 87, 87)),
        ("LA", "PNG", (87, 87, 87)),
    ],
)
def test_pictures_of_every_kind_become_plain_colours_without_a_foreign_profile(
    mode: str, kind: str, colour: tuple[int, int, int], site: Site, pictures: Pictures
) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.new("RGB", (400, 300), RED).convert(mode)
    wanted = answering(site, saved(image, kind, icc_profile=profile), f"image/{kind.lower()}")

    shown = opened(pictures.get(wanted, 320))

    assert (shown.format, shown.mode, shown.size) == ("WEBP", "RGB", (320, 240))
    assert is_like(shown.getpixel((160, 120)), colour)
    assert ("icc_profile" in shown.info) is (mode == "RGB")


# As AVIF


@pytest.fixture
def no_avif(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let Pillow have no module for AVIF, as in a build without its library, until the test ends or undoes it."""
    monkeypatch.setattr("igfeed.feed.pictures.PathFinder", SimpleNamespace(find_spec=lambda *_: None))
    can_make_avif.cache_clear()
    yield
    monkeypatch.undo()
    can_make_avif.cache_clear()


def allow_avif(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    can_make_avif.cache_clear()


def formats(pictures: Pictures, wanted: Picture) -> list[str | None]:
    """What an address of each format and width answers."""
    return [opened(pictures.get(wanted, width, each)).format for each in FORMATS for width in WIDTHS]


def test_whether_avif_can_be_made_is_known_without_loading_pillow() -> None:
    assert can_make_avif() is features.check("avif") is True


@pytest.mark.usefixtures("wide_pictures")
def test_the_same_download_gives_webp_and_avif_in_every_width(
    site: Site, pictures: Pictures, memory_store: MemoryStore
) -> None:
    wanted = picture(site)
    images = [opened(pictures.get(wanted, width, "avif")) for width in WIDTHS]

    assert formats(pictures, wanted) == ["WEBP"] * 3 + ["AVIF"] * 3
    assert [image.size for image in images] == [(320, 400), (640, 800), (1080, 1350)]
    assert is_like(images[0].getpixel((2, 2)), picture_colour(wanted.id), tolerance=8)
    assert [kept(memory_store, wanted.id, each) for each in FORMATS] == [list(WIDTHS)] * 2
    assert site.instagram.count("picture") == 1


def test_avif_has_the_colour_profile_and_nothing_else_that_the_camera_knew(site: Site, pictures: Pictures) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Astrid Nord"
    wanted = answering(site, saved(Image.new("RGB", (700, 700), RED), icc_profile=profile, exif=exif))

    file = pictures.get(wanted, 320, "avif")

    assert (opened(file).info.get("icc_profile"), dict(opened(file).getexif())) == (profile, {})
    assert b"Astrid" not in file


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "AVIF"])
def test_of_a_moving_picture_avif_shows_the_first_frame_and_does_not_move(
    kind: str, site: Site, pictures: Pictures
) -> None:
    first, second = (Image.new("RGB", (90, 120), colour) for colour in (RED, BLUE))
    wanted = answering(site, saved(first, kind, save_all=True, append_images=[second]))

    image = opened(pictures.get(wanted, 320, "avif"))

    assert (image.format, getattr(image, "is_animated", False)) == ("AVIF", False)
    assert is_like(image.getpixel((45, 60)), RED)


def test_the_children_of_albums_are_webp_only(site: Site, pictures: Pictures, memory_store: MemoryStore) -> None:
    child = AlbumPicture("17900000000000001", picture(site).url)

    assert formats(pictures, child) == ["WEBP"] * 6
    assert kept(memory_store, child.id, "avif") == []


def test_a_picture_too_large_for_the_encoder_stays_webp_where_it_is(site: Site, pictures: Pictures) -> None:
    wanted = answering(site, picture_bomb(1080, MAX_AVIF_PIXELS // 1080 + 1), "image/png")

    assert formats(pictures, wanted) == ["WEBP"] * 3 + ["AVIF", "AVIF", "WEBP"]


def test_an_encoder_that_fails_costs_no_picture(
    site: Site, pictures: Pictures, memory_store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("igfeed.feed.pictures.AVIF_QUALITY", dict.fromkeys(WIDTHS, 101))  # Pillow raises ValueError.

    assert formats(pictures, picture(site)) == ["WEBP"] * 6
    assert kept(memory_store, picture(site).id) == list(WIDTHS)


@pytest.mark.usefixtures("no_avif")
def test_without_avif_in_pillow_every_address_answers_webp_and_the_store_is_not_asked_for_more(
    site: Site, upstash: FakeUpstash, upstash_store: UpstashStore
) -> None:
    wanted = mirrored(site, 1)
    pictures = site.start(upstash_store).pictures
    mirror_of(pictures).copy_all(wanted, Deadline(LONG))
    upstash.forget()

    assert mirror_of(site.start(upstash_store).pictures).copy_all(wanted, Deadline(LONG)) == MirrorReport(kept=3)
    assert formats(pictures, wanted[0]) == ["WEBP"] * 6
    assert [command for command in upstash.commands() if "avif" in str(command)] == []


@pytest.mark.usefixtures("no_avif")
def test_the_next_mirroring_adds_avif_to_what_an_earlier_version_has_kept(
    site: Site, memory_store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = mirrored(site, 2)
    earlier = site.start(memory_store).pictures
    mirror_of(earlier).copy_all(wanted, Deadline(LONG))
    allow_avif(monkeypatch)
    pictures = site.start(memory_store).pictures
    before = formats(pictures, wanted[0])

    reports = [mirror_of(site.start(memory_store).pictures).copy_all(wanted, Deadline(LONG)) for _ in range(2)]

    assert before == ["WEBP"] * 6
    assert reports == [MirrorReport(stored=6), MirrorReport(kept=6)]
    assert formats(site.start(memory_store).pictures, wanted[0]) == ["WEBP"] * 3 + ["AVIF"] * 3


@pytest.mark.usefixtures("no_avif")
def test_what_an_earlier_version_has_kept_and_instagram_no_longer_gives_is_kept_as_it_is_and_no_failure(
    site: Site, memory_store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    expired, gone = mirrored(site, 2)
    mirror_of(site.start(memory_store).pictures).copy_all([expired, gone], Deadline(LONG))
    allow_avif(monkeypatch)
    site.instagram.pictures[expired.id] = PictureReply(403, "text/plain", b"URL signature expired")
    pictures = site.start(memory_store).pictures

    report = mirror_of(pictures).copy_all([expired, Picture(gone.id)], Deadline(LONG))

    assert report == MirrorReport(kept=6)
    assert formats(pictures, expired) == formats(pictures, Picture(gone.id)) == ["WEBP"] * 6
    assert memory_store.get(MISSING_PICTURES_KEY) is None


@pytest.mark.parametrize("text", ["", "AAAA", base64.b64encode(b"RIFF....WEBP").decode()])
def test_what_is_no_avif_counts_as_absent(text: str, site: Site, pictures: Pictures, memory_store: MemoryStore) -> None:
    wanted = picture(site)
    memory_store.set(key(wanted.id, 320, "avif"), text)

    assert opened(pictures.get(wanted, 320, "avif")).format == "AVIF"


def test_views_of_a_missing_avif_do_not_ask_the_store_each_time(
    site: Site, upstash: FakeUpstash, upstash_store: UpstashStore
) -> None:
    wanted = picture(site)
    pictures = site.start(upstash_store).pictures
    pictures.get(wanted, 320)
    pictures.files.delete([wanted.id])
    webp = saved(Image.new("RGB", (9, 9)), "WEBP")
    upstash_store.set(key(wanted.id, 320), base64.b64encode(webp).decode())
    site.clock.stand_still()
    upstash.forget()

    assert {pictures.get(Picture(wanted.id), 320, "avif") for _ in range(20)} == {webp}
    assert len(upstash.commands()) == 2


# Its measures


@pytest.mark.parametrize(
    ("size", "measured"), [((1440, 1800), (1080, 1350)), ((900, 471), (900, 471)), ((30, 40), (30, 40))]
)
def test_the_size_is_that_of_the_widest_file(
    site: Site, pictures: Pictures, size: tuple[int, int], measured: tuple[int, int]
) -> None:
    wanted = answering(site, saved(Image.new("RGB", size), quality=95))
    pictures.get(wanted, 320)

    assert pictures.files.measures(wanted).size == measured


def test_a_picture_whose_size_an_earlier_version_did_not_keep_is_measured_without_a_download(
    site: Site, pictures: Pictures, memory_store: MemoryStore
) -> None:
    wanted = mirrored(site, 1)
    mirror_of(pictures).copy_all(wanted, Deadline(LONG))
    site.instagram.forget_calls()
    fresh, old = site.start(memory_store).pictures, Picture(wanted[0].id, wanted[0].url, colour="#123456")
    mirror_of(fresh).copy_all([old], Deadline(LONG))

    assert fresh.files.measures(old) == ("#123456", (200, 250))
    assert site.instagram.calls == []


def test_the_colour_is_known_once_the_picture_is_made(site: Site, pictures: Pictures) -> None:
    image = Image.new("RGB", (800, 1000), (200, 100, 0))
    image.paste((0, 100, 200), (0, 0, 400, 1000))
    wanted = answering(site, saved(image, quality=95))
    before = pictures.files.measures(wanted).colour
    pictures.get(wanted, 320)
    colour = pictures.files.measures(wanted).colour

    assert before is None
    assert colour
    assert is_like(tuple(bytes.fromhex(colour[1:])), (100, 100, 100))


def test_mirroring_learns_the_colours_of_what_another_process_has_kept(
    site: Site, pictures: Pictures, memory_store: MemoryStore
) -> None:
    wanted = mirrored(site, 2)
    mirror_of(pictures).copy_all(wanted, Deadline(LONG))
    fresh = site.start(memory_store).pictures
    mirror_of(fresh).copy_all(wanted, Deadline(LONG))

    assert {fresh.files.measures(each).size for each in wanted} == {(200, 250)}
    colours = [fresh.files.measures(each).colour or "" for each in wanted]
    assert [is_like(tuple(bytes.fromhex(each[1:])), picture_colour(wanted[n].id)) for n, each in enumerate(colours)]
    assert len(set(colours)) == 2
    assert fresh.files.measures(Picture("1", colour="#123456")).colour == "#123456"


# What it is, by its bytes


@pytest.mark.parametrize("content_type", ["image/jpg", "image/heic", "application/octet-stream", "text/html", ""])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "GIF"])
def test_the_bytes_decide_what_is_a_picture(kind: str, content_type: str, site: Site, pictures: Pictures) -> None:
    wanted = answering(site, saved(Image.new("RGB", (90, 120), RED), kind), content_type)

    image = opened(pictures.get(wanted, 320))

    assert image.size == (90, 120)
    assert is_like(image.getpixel((45, 60)), RED)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_of_a_moving_picture_the_first_frame_is_shown(kind: str, site: Site, pictures: Pictures) -> None:
    first, second = (Image.new("RGB", (90, 120), colour) for colour in (RED, BLUE))
    wanted = answering(site, saved(first, kind, save_all=True, append_images=[second]))

    assert is_like(opened(pictures.get(wanted, 320)).getpixel((45, 60)), RED)


def ramp(kind: str) -> Image.Image:
    """From black at the left over the middle grey to white."""
    image = Image.linear_gradient("L").rotate(90)
    return (
        image.convert("I").point(lambda grey: grey * 257).convert("I;16") if kind == "16 bits" else image.convert(kind)
    )


@pytest.mark.parametrize("kind", ["16 bits", "L", "LA", "P", "RGBA"])
def test_greys_stay_greys(kind: str, site: Site, pictures: Pictures) -> None:
    wanted = answering(site, saved(ramp(kind), "PNG"))

    image = opened(pictures.get(wanted, 320))

    greys = [(grey, grey, grey) for grey in (10, 64, 128, 192, 245)]
    assert all(is_like(image.getpixel((grey[0], 128)), grey, tolerance=8) for grey in greys)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16"])
def test_what_is_transparent_is_white(mode: str, site: Site, pictures: Pictures) -> None:
    options = {} if mode in ("RGBA", "LA") else {"transparency": 0}
    wanted = answering(site, saved(Image.new(mode, (60, 60)), "PNG", **options))

    assert is_like(opened(pictures.get(wanted, 320)).getpixel((30, 30)), (255, 255, 255))


@pytest.mark.parametrize(("size", "narrowed"), [((300, 17_000), (289, 16_383)), ((30, 60_000), (8, 16_383))])
def test_what_is_too_high_for_webp_is_narrowed(
    size: tuple[int, int], narrowed: tuple[int, int], site: Site, pictures: Pictures
) -> None:
    wanted = answering(site, saved(Image.new("RGB", size, GREEN)))

    assert {opened(pictures.get(wanted, width)).size for width in WIDTHS} == {narrowed}


def test_a_colour_profile_larger_than_usual_is_left_out(site: Site, pictures: Pictures) -> None:
    wanted = answering(site, with_profile(bytes(MAX_PROFILE_BYTES + 1)))

    assert "icc_profile" not in opened(pictures.get(wanted, 320)).info


# What is no picture


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def with_chunks(count: int) -> bytes:
    """A PNG with so many empty chunks that mean nothing."""
    file = saved(Image.new("RGB", (9, 9), RED), "PNG")
    return file[:33] + png_chunk(b"prVt", b"") * count + file[33:]


def with_profile(profile: bytes) -> bytes:
    file = saved(Image.new("RGB", (9, 9), RED), "PNG")
    return file[:33] + png_chunk(b"iCCP", b"x\0\0" + zlib.compress(profile)) + file[33:]


def many_scans(count: int) -> bytes:
    """A progressive JPEG of 16 by 16 pixels: one scan of its four blocks' brightness, then more that say nothing."""

    def segment(marker: int, data: bytes) -> bytes:
        return bytes([0xFF, marker]) + (len(data) + 2).to_bytes(2, "big") + data

    table = bytes([1, *[0] * 15])
    head = segment(0xDB, bytes([0, *[1] * 64])) + segment(0xC2, bytes([8, 0, 16, 0, 16, 1, 1, 0x11, 0]))
    codes = segment(0xC4, b"\x00" + table + b"\x00") + segment(0xC4, b"\x10" + table + b"\xe0")
    first = segment(0xDA, bytes([1, 1, 0, 0, 0, 0])) + b"\x0f"
    return (
        b"\xff\xd8"
        + head
        + codes
        + first
        + (segment(0xDA, bytes([1, 1, 0, 1, 63, 0])) + b"\x7f\xff\0") * count
        + b"\xff\xd9"
    )


def no_pictures() -> dict[str, PictureReply]:
    good = jpeg("17900000000000001", SIZE)
    return {
        "gone": PictureReply(404, "text/plain"),
        "refused": PictureReply(403, "text/plain", b"URL signature expired"),
        "html": PictureReply(content_type="text/html", body=b"<html>"),
        "html that says it is a picture": PictureReply(body=b"<html><script>alert(1)</script>"),
        "svg": PictureReply(content_type="image/svg+xml", body=b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        "svg that says it is a jpeg": PictureReply(body=b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        "empty": PictureReply(body=b""),
        "cut off on the way": PictureReply(body=good[:5000], length=len(good)),
        "cut off before": PictureReply(body=good[:5000]),
        "only a beginning": PictureReply(body=good[:20]),
        "bomb": PictureReply(content_type="image/png", body=picture_bomb()),
        "smaller bomb": PictureReply(content_type="image/png", body=picture_bomb(11_000, 11_000)),
        "too many pixels": PictureReply(content_type="image/png", body=picture_bomb(4001, 3000)),
        "too wide": PictureReply(content_type="image/png", body=picture_bomb(65_536, 1)),
        "too high": PictureReply(content_type="image/png", body=picture_bomb(1, 65_536)),
        "too many bytes": PictureReply(body=b"\xff\xd8\xff" + bytes(17 * 1024 * 1024)),
        "too many scans": PictureReply(body=many_scans(MAX_SCANS)),
        "too many chunks": PictureReply(content_type="image/png", body=with_chunks(MAX_READS)),
        "too many segments": PictureReply(body=good[:2] + b"\xff\xfe\0\2" * MAX_READS + good[2:]),
        "too long a profile": PictureReply(content_type="image/png", body=with_profile(bytes(2_000_000))),
        "sent elsewhere": PictureReply(302, location="http://localhost:1/private.jpg"),
    }


NO_PICTURES = no_pictures()


@pytest.mark.parametrize("reply", NO_PICTURES.values(), ids=NO_PICTURES)
def test_what_is_no_picture_is_not_kept(
    reply: PictureReply, site: Site, pictures: Pictures, memory_store: MemoryStore
) -> None:
    site.instagram.picture_size = (400, 500)
    wanted = picture(site)
    site.instagram.pictures[wanted.id] = reply

    with pytest.raises(PictureUnavailable):
        pictures.get(wanted, 320)
    kept_then = kept(memory_store, wanted.id)
    site.instagram.pictures.clear()

    assert kept_then == []
    assert opened(pictures.get(picture(site), 320)).width == 320, "by the address that the next fetch brings"


@pytest.mark.parametrize("fault", [reset(), truncate()], ids=["reset", "truncated"])
def test_a_connection_that_breaks_is_no_picture(fault: Fault, site: Site, pictures: Pictures) -> None:
    site.instagram.fail("picture", fault)

    with pytest.raises(PictureUnavailable):
        pictures.get(picture(site), 320)


def test_as_many_pixels_as_allowed_are_read(site: Site, pictures: Pictures) -> None:
    wanted = answering(site, picture_bomb(4000, 3000), "image/png")

    assert opened(pictures.get(wanted, 320)).size == (320, 240)


@pytest.mark.parametrize("size", [(65_535, 1), (1, 65_535)])
def test_a_side_as_long_as_allowed_is_read(size: tuple[int, int], site: Site, pictures: Pictures) -> None:
    wanted = answering(site, picture_bomb(*size), "image/png")

    assert opened(pictures.get(wanted, 320)).size == (min(size[0], 320), min(size[1], WEBP_MAX_SIDE))


def test_a_jpeg_with_as_many_scans_as_allowed_is_read(site: Site, pictures: Pictures) -> None:
    wanted = answering(site, many_scans(MAX_SCANS - 1))

    assert opened(pictures.get(wanted, 320)).size == (16, 16)


def test_an_expired_address_gives_no_picture(site: Site, pictures: Pictures, memory_store: MemoryStore) -> None:
    wanted = picture(site)
    site.clock.forward(days=5)

    with pytest.raises(PictureUnavailable, match="403"):
        pictures.get(wanted, 320)

    assert kept(memory_store, wanted.id) == []


@pytest.mark.usefixtures("wide_pictures")
def test_a_kept_picture_outlives_its_address(site: Site, pictures: Pictures, memory_store: MemoryStore) -> None:
    wanted = picture(site)
    pictures.get(wanted, 320)
    site.clock.forward(days=5)

    assert opened(site.start(memory_store).pictures.get(wanted, 1080)).width == 1080


@pytest.mark.parametrize("url", [None, "https://example.com/a.jpg", "file:///etc/passwd", "http://[", "x"])
def test_nothing_is_fetched_from_a_place_that_is_not_instagrams(
    url: str | None, site: Site, pictures: Pictures
) -> None:
    with pytest.raises(PictureUnavailable):
        pictures.get(Picture("17900000000000001", url=url), 320)

    assert site.instagram.count("*") == 0


# What failed is not asked again at every view


@pytest.fixture
def refused(site: Site) -> Picture:
    """A picture whose address has expired; the pauses that follow are over only when a test says so."""
    site.clock.stand_still()
    wanted = picture(site)
    site.instagram.pictures[wanted.id] = PictureReply(403, "text/plain", b"URL signature expired")
    return wanted


def is_shown(pictures: Pictures, wanted: Picture) -> bool:
    try:
        return opened(pictures.get(wanted, 320)).width == 320
    except PictureUnavailable:
        return False


@pytest.mark.parametrize("reply", NO_PICTURES.values(), ids=NO_PICTURES)
def test_what_is_no_picture_is_asked_for_once_however_many_look(
    reply: PictureReply, site: Site, pictures: Pictures
) -> None:
    wanted = picture(site)
    site.instagram.pictures[wanted.id] = reply
    site.clock.stand_still()

    assert [is_shown(pictures, wanted) for _ in range(20)] == [False] * 20

    assert site.instagram.count("picture") == 1


def test_a_new_address_is_asked_at_once(site: Site, pictures: Pictures, refused: Picture) -> None:
    before = is_shown(pictures, refused)
    site.instagram.pictures.clear()

    assert (before, is_shown(pictures, refused), is_shown(pictures, picture(site))) == (False, False, True)


def test_the_same_address_is_asked_again_after_a_while(site: Site, pictures: Pictures, refused: Picture) -> None:
    is_shown(pictures, refused)
    site.instagram.pictures.clear()
    site.clock.now += REFUSED_ADDRESS_PAUSE

    assert is_shown(pictures, refused)


@pytest.mark.parametrize("fault", [html_error(500), reset(), answer(429)], ids=["500", "reset", "429"])
def test_what_may_pass_is_tried_again_much_sooner(fault: Fault, site: Site, pictures: Pictures) -> None:
    wanted = picture(site)
    site.instagram.fail("picture", fault, times=1)
    site.clock.stand_still()
    before = [is_shown(pictures, wanted) for _ in range(3)]
    calls = site.instagram.count("picture")
    site.clock.now += FAILED_ADDRESS_PAUSE

    assert (before, calls, is_shown(pictures, wanted)) == ([False] * 3, 1, True)


def test_the_cron_asks_all_the_same(site: Site, pictures: Pictures, refused: Picture) -> None:
    is_shown(pictures, refused)
    site.instagram.pictures.clear()

    assert mirror_of(pictures).copy_all([refused], Deadline(LONG)) == MirrorReport(stored=3)
    assert is_shown(pictures, refused)


def test_a_refused_picture_that_another_process_has_made_is_shown(
    site: Site, pictures: Pictures, refused: Picture, memory_store: MemoryStore
) -> None:
    is_shown(pictures, refused)
    site.instagram.pictures.clear()
    site.start(memory_store).pictures.get(refused, 320)
    site.clock.now += ABSENT_FILE_PAUSE

    assert is_shown(pictures, refused)


def test_the_store_is_asked_again_for_a_missing_picture_as_soon_as_the_owner_wants_it(
    site: Site, refused: Picture, memory_store: MemoryStore
) -> None:
    pictures = Pictures(memory_store, site.client, site.clock, absent_pause=timedelta(seconds=2))
    is_shown(pictures, refused)
    site.instagram.pictures.clear()
    site.start(memory_store).pictures.get(refused, 320)

    before = is_shown(pictures, refused)
    site.clock.now += timedelta(seconds=2)

    assert (before, is_shown(pictures, refused)) == (False, True)


def test_views_of_a_refused_picture_do_not_ask_the_store_each_time(
    site: Site, upstash: FakeUpstash, upstash_store: UpstashStore, refused: Picture
) -> None:
    pictures = site.start(upstash_store).pictures
    is_shown(pictures, refused)
    upstash.forget()

    assert [is_shown(pictures, refused) for _ in range(20)] == [False] * 20
    assert upstash.commands() == []


def test_no_more_refusals_are_remembered_than_there_is_room_for(site: Site, pictures: Pictures) -> None:
    site.clock.stand_still()
    for number in range(MAX_FAILED_ADDRESSES + 100):
        is_shown(pictures, Picture(str(number), url=f"https://elsewhere.example/{number}.jpg"))

    assert len(pictures._refusals) == MAX_FAILED_ADDRESSES


# There is no picture at all


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("video/mp4", MP4),
        ("image/jpeg", MP4),
        ("", MP4),
        ("video/webm", b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81"),
    ],
)
def test_a_film_where_a_picture_was_expected_is_no_picture_and_no_failure(
    content_type: str, body: bytes, site: Site, pictures: Pictures
) -> None:
    wanted = answering(site, body, content_type)
    site.clock.stand_still()

    assert mirror_of(pictures).copy_all([wanted, Picture("17900000000000009")], Deadline(LONG)) == MirrorReport()
    for _ in range(3):
        with pytest.raises(NoPicture):
            pictures.get(wanted, 320)
    assert site.instagram.count("picture") == 1


def test_a_film_is_not_loaded_to_its_end(site: Site, pictures: Pictures) -> None:
    wanted = picture(site)
    endless = PictureReply(content_type="video/mp4", body=MP4 + bytes(100_000), length=10**12)
    site.instagram.pictures[wanted.id] = endless

    with pytest.raises(NoPicture):
        pictures.get(wanted, 320)


# No more wait than there are threads for


def test_who_finds_no_place_is_told_at_once_and_served_by_the_next_view(
    site: Site, pictures: Pictures, threads: ThreadPoolExecutor
) -> None:
    wanted = mirrored(site, MAX_WAITING_FOR_PICTURES + 2)

    with site.instagram.hold("picture") as gate:
        waiting = [threads.submit(pictures.get, each, 320) for each in wanted[:MAX_WAITING_FOR_PICTURES]]
        assert gate.wait(MAX_WAITING_FOR_PICTURES)
        turned_away = [is_shown(pictures, each) for each in wanted[MAX_WAITING_FOR_PICTURES:]]
    shown = [opened(each.result()).width for each in waiting]
    mirror_of(pictures).catch_up()

    assert (turned_away, shown) == ([False] * 2, [200] * MAX_WAITING_FOR_PICTURES)
    site.instagram.stop()
    assert [opened(pictures.get(each, 320)).width for each in wanted] == [200] * (MAX_WAITING_FOR_PICTURES + 2)


def test_who_waits_for_another_threads_picture_takes_a_place_too(
    site: Site, pictures: Pictures, threads: ThreadPoolExecutor
) -> None:
    same, other = mirrored(site, 2)

    with site.instagram.hold("picture") as gate:
        waiting = [threads.submit(pictures.get, same, 320) for _ in range(MAX_WAITING_FOR_PICTURES)]
        assert gate.wait()
        patience = Deadline(LONG)
        while pictures._places._value and patience.left():
            pass
        assert not is_shown(pictures, other)
    assert all(each.result() for each in waiting)
    assert site.instagram.count("picture") == 1


def test_a_place_is_free_again_whatever_became_of_the_picture(site: Site, pictures: Pictures, refused: Picture) -> None:
    for number in range(MAX_WAITING_FOR_PICTURES + 1):
        is_shown(pictures, Picture(str(number), url=f"{refused.url}&{number}"))

    assert is_shown(pictures, picture(site, "17900000000000002"))


def test_catching_up_keeps_to_the_pauses(site: Site, pictures: Pictures, refused: Picture) -> None:
    is_shown(pictures, refused)
    pictures._postpone(refused)

    mirror_of(pictures).catch_up()

    assert site.instagram.count("picture") == 1


def test_only_so_many_are_left_for_afterwards(pictures: Pictures) -> None:
    for number in range(MAX_POSTPONED + 10):
        pictures._postpone(Picture(str(number)))

    assert len(pictures._postponed) == MAX_POSTPONED


# When the store fails


@pytest.mark.usefixtures("wide_pictures")
def test_memory_serves_while_the_store_is_away(site: Site, upstash: FakeUpstash, upstash_store: UpstashStore) -> None:
    pictures = site.start(upstash_store).pictures
    upstash.fail("redis_down")
    wanted = picture(site)

    files = [pictures.get(wanted, width) for width in WIDTHS for _ in range(2)]

    assert len(set(files)) == 3
    assert site.instagram.count("picture") == 1


@pytest.mark.parametrize("text", ["", "null", "AAAA", "not base64!", "ümlaut", base64.b64encode(b"<html>").decode()])
def test_garbage_in_the_store_counts_as_absent_and_is_replaced(
    text: str, site: Site, pictures: Pictures, memory_store: MemoryStore
) -> None:
    wanted = picture(site)
    memory_store.set(key(wanted.id, 320), text)

    file = pictures.get(wanted, 320)

    assert opened(file).width == 320
    assert base64.b64decode(memory_store.get(key(wanted.id, 320)) or "") == file


# Mirroring


def mirrored(site: Site, count: int) -> list[Picture]:
    site.instagram.picture_size = (200, 250)
    return [picture(site, str(17_900_000_000_000_000 + number)) for number in range(count)]


def test_mirroring_keeps_every_picture_and_finds_it_kept_the_next_time(
    site: Site, pictures: Pictures, memory_store: MemoryStore
) -> None:
    wanted = mirrored(site, 3)

    first = mirror_of(pictures).copy_all(wanted, Deadline(LONG))
    second = mirror_of(site.start(memory_store).pictures).copy_all(wanted, Deadline(LONG))

    assert first == MirrorReport(stored=9)
    assert second == MirrorReport(kept=9)
    assert [kept(memory_store, each.id) for each in wanted] == [list(WIDTHS)] * 3
    assert site.instagram.count("picture") == 3


def test_mirroring_completes_what_a_failing_store_has_only_in_part(
    site: Site, pictures: Pictures, memory_store: MemoryStore
) -> None:
    wanted = mirrored(site, 1)
    mirror_of(pictures).copy_all(wanted, Deadline(LONG))
    later = [key(wanted[0].id, width) for width in WIDTHS[:2]] + [key(wanted[0].id, width, "avif") for width in WIDTHS]
    memory_store.delete(*later)

    assert mirror_of(site.start(memory_store).pictures).copy_all(wanted, Deadline(LONG)) == MirrorReport(stored=3)
    assert kept(memory_store, wanted[0].id) == list(WIDTHS)


def test_mirroring_passes_over_what_has_no_picture(site: Site, pictures: Pictures) -> None:
    wanted = [Picture("17900000000000009"), *mirrored(site, 1)]

    assert mirror_of(pictures).copy_all(wanted, Deadline(LONG)) == MirrorReport(stored=3)


def test_mirroring_goes_on_after_a_picture_that_failed(site: Site, pictures: Pictures) -> None:
    wanted = mirrored(site, 3)
    site.instagram.pictures[wanted[1].id] = PictureReply(404, "text/plain")

    assert mirror_of(pictures).copy_all(wanted, Deadline(LONG)) == MirrorReport(stored=6, failed=3)
    site.instagram.pictures.clear()
    assert mirror_of(pictures).copy_all(wanted, Deadline(LONG)) == MirrorReport(stored=3, kept=6)


def test_mirroring_stops_when_its_time_is_over(site: Site, pictures: Pictures) -> None:
    assert mirror_of(pictures).copy_all(mirrored(site, 3), Deadline(0)) == MirrorReport()
    assert site.instagram.count("picture") == 0


def test_what_the_store_does_not_take_counts_as_failed_and_is_mirrored_the_next_time(
    site: Site, upstash: FakeUpstash, upstash_store: UpstashStore
) -> None:
    wanted = mirrored(site, 2)
    guarded = GuardedStore(upstash_store, site.clock, in_place)
    pictures = Pictures(guarded, site.client, site.clock)
    upstash.fail("redis_down", match='["SET"')

    first = mirror_of(pictures).copy_all(wanted, Deadline(LONG))
    upstash.heal()
    guarded.recheck()
    second = mirror_of(pictures).copy_all(wanted, Deadline(LONG))

    assert first == MirrorReport(failed=6)
    assert second == MirrorReport(stored=6)
    assert [kept(upstash_store, each.id) for each in wanted] == [list(WIDTHS)] * 2
    assert site.instagram.count("picture") == 2, "what is at hand is not asked for again"


def test_several_pictures_are_downloaded_at_once(site: Site, pictures: Pictures, threads: ThreadPoolExecutor) -> None:
    wanted = mirrored(site, MAX_DOWNLOADS)

    with site.instagram.hold("picture") as gate:
        mirroring = threads.submit(mirror_of(pictures).copy_all, wanted, Deadline(LONG))
        are_under_way = gate.wait(MAX_DOWNLOADS)
        gate.release()

    assert are_under_way
    assert mirroring.result() == MirrorReport(stored=len(WIDTHS) * MAX_DOWNLOADS)


def test_no_more_than_these_are_begun_before_one_is_done(site: Site, pictures: Pictures) -> None:
    begun: list[Picture] = []

    def wanted() -> Iterator[Picture]:
        for picture in mirrored(site, 3 * MAX_DOWNLOADS):
            begun.append(picture)
            yield picture

    with site.instagram.hold("picture") as gate, ThreadPoolExecutor(1) as thread:
        mirroring = thread.submit(mirror_of(pictures).copy_all, wanted(), Deadline(LONG))
        assert gate.wait(MAX_DOWNLOADS)
        ahead = len(begun)
        gate.release()

    assert ahead <= MAX_DOWNLOADS + 1
    assert mirroring.result().stored == len(WIDTHS) * 3 * MAX_DOWNLOADS


# Forgetting


def test_a_forgotten_picture_is_gone_from_memory_and_store_the_others_stay(
    site: Site, pictures: Pictures, memory_store: MemoryStore
) -> None:
    gone, staying = mirrored(site, 2)
    mirror_of(pictures).copy_all([gone, staying], Deadline(LONG))

    pictures.files.delete([gone.id])

    assert [kept(memory_store, gone.id, each) for each in FORMATS] == [[], []]
    assert [kept(memory_store, staying.id, each) for each in FORMATS] == [list(WIDTHS)] * 2
    with pytest.raises(PictureUnavailable):
        pictures.get(Picture(gone.id), 320)
    assert pictures.get(Picture(staying.id), 320)


def test_forgetting_nothing_asks_the_store_nothing(
    site: Site, upstash: FakeUpstash, upstash_store: UpstashStore
) -> None:
    site.start(upstash_store).pictures.files.delete([])

    assert upstash.commands() == []


def test_a_picture_that_could_not_be_deleted_is_an_error(
    site: Site, upstash: FakeUpstash, upstash_store: UpstashStore
) -> None:
    upstash.fail("redis_down")

    with pytest.raises(StoreError):
        site.start(upstash_store).pictures.files.delete(["17900000000000001"])


def test_a_host_that_hangs_is_left_alone_by_views_but_not_by_the_cron(site: Site, memory_store: MemoryStore) -> None:
    class Silent(InstagramClient):
        asked = 0

        def picture(self, url: str) -> bytes:
            Silent.asked += 1
            raise PicturesUnreachable("no answer in time")

    silent = Silent(
        url=site.instagram.url,
        version="v25.0",
        media_origins=Origins(site.instagram.url),
        transport=Transport("igfeed/test"),
        clock=CheckedClock(site.clock),
        sleep=no_sleep,
    )
    pictures = Pictures(memory_store, silent, site.clock)
    wanted = mirrored(site, 3)

    def views() -> int:
        before = Silent.asked
        for each in wanted:
            with pytest.raises(PictureUnavailable):
                pictures.get(each, 320)
        return Silent.asked - before

    first, second = views(), views()
    site.clock.now += UNREACHABLE_HOST_PAUSE
    third = views()
    mirror_of(pictures).copy_all(wanted, Deadline(LONG))

    assert (first, second, third) == (1, 0, 1)
    assert Silent.asked == 2 + len(wanted)
