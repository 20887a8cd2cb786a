"""Resizes a picture's file and finds its average colour, with Pillow."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from PIL import ExifTags, Image

from igfeed.errors import PictureRefused

WEBP_METHOD = 2
"""WebP's effort: the knee of the curve, a third of the time of the default 4 for 4 % more bytes (docs/pictures.md)."""

MOST_PIXELS = 12_000_000
"""Four times as many as Instagram's largest pictures have. The costliest kind, WebP with alpha, takes 24 bytes each."""

MOST_SIDE = 65_535
"""JPEG's own limit. Pillow resizes with a table that has 50 bytes for each pixel of a side."""

MOST_SCANS = 100
"""A progressive JPEG has about 10. Each may be 80 bytes of file and cost as much time as all the pixels."""

MOST_READS = 20_000
"""Pillow reads the parts of a file one by one, in Python. A real picture has a thousand, 16 MB may be millions."""

MOST_PROFILE = 64 * 1024
"""Bytes of a colour profile that goes along into every file; the usual ones have 500 to 4,000."""

TALLEST = 16_383
"""Pixels: WebP's own limit."""

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF")

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The operation that turns a picture upright, by the orientation in its EXIF data."""

UNDECODABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning)
"""The errors that Pillow raises for bytes that are no picture, or for a picture that is too large."""


@dataclass(frozen=True)
class Rendered:
    """The files by width, and the picture's average colour as in a style sheet: ``#c9b79c``."""

    files: dict[int, bytes]
    colour: str


class _Readings(BytesIO):
    """A file that can be read from MOST_READS times: then it raises OSError, which ends the decoding."""

    _left = MOST_READS

    def read(self, size: int | None = -1) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise OSError("too many parts")
        return super().read(size)


def render(file: bytes, qualities: Mapping[int, int]) -> Rendered:
    """The picture upright, as WebP in every width of ``qualities``, never enlarged.

    An RGB picture keeps its colour profile. Raises PictureRefused if it is no picture, or too large.
    """
    with _decoding():
        image = _opened(file)
        profile, colour, files = _profile(image), _average(image), {}
        for width in sorted(qualities, reverse=True):
            image = _narrowed(image, width)  # Each from the one before: twice as fast, and nobody sees the difference.
            files[width] = _webp(image, qualities[width], profile)
        return Rendered(files, colour)


def colour(file: bytes) -> str:
    """The average colour. Raises PictureRefused if the file is no picture."""
    with _decoding():
        return _average(Image.open(BytesIO(file), formats=FORMATS))


@contextmanager
def _decoding() -> Iterator[None]:
    try:
        yield
    except UNDECODABLE as error:
        failure = type(error).__name__
    else:
        return
    raise PictureRefused(f"A picture could not be read ({failure}).")


def _opened(file: bytes) -> Image.Image:
    # Inside a scan this pair of bytes cannot stand; elsewhere it is so rare that the bound has room for it.
    if file.startswith(b"\xff\xd8") and file.count(b"\xff\xda") > MOST_SCANS:
        raise PictureRefused("A JPEG has too many scans.")
    image: Image.Image = Image.open(_Readings(file), formats=FORMATS)
    if image.width * image.height > MOST_PIXELS or max(image.size) > MOST_SIDE:
        raise PictureRefused("A picture has too many pixels.")
    upright = _turned(image)
    return upright if upright.mode == "RGB" else _plain(upright)


def _plain(image: Image.Image) -> Image.Image:
    """In RGB, on white where it is transparent."""
    if image.mode.startswith("I"):
        image = _in_eight_bits(image)
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    image.info.pop("icc_profile", None)  # It describes the colours before they become RGB.
    return image.convert("RGB")


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """16 bits of grey: Pillow's own conversion makes white of every grey that does not fit into eight."""
    transparent = image.info.pop("transparency", None)
    grey = image.point(lambda value: value * (1 / 256) + 0).convert("L")
    if isinstance(transparent, int):
        grey.info["transparency"] = transparent >> 8
    return grey


def _turned(image: Image.Image) -> Image.Image:
    """Upright, by ourselves: Pillow's ``exif_transpose`` writes the other EXIF data anew and fails on odd ones."""
    turn = TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return image if turn is None else image.transpose(turn)


def _profile(image: Image.Image) -> bytes | None:
    profile = image.info.get("icc_profile")
    return profile if profile and len(profile) <= MOST_PROFILE else None


def _average(image: Image.Image) -> str:
    pixel = image.convert("RGB").resize((1, 1), Image.Resampling.BOX)
    return f"#{pixel.tobytes().hex()}"


def _narrowed(image: Image.Image, width: int) -> Image.Image:
    """At most ``width`` pixels wide, and no higher than WebP allows."""
    scale = min(1, width / image.width, TALLEST / image.height)
    if scale == 1:
        return image
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS)


def _webp(image: Image.Image, quality: int, profile: bytes | None) -> bytes:
    file = BytesIO()
    image.save(file, "WEBP", quality=quality, method=WEBP_METHOD, icc_profile=profile)
    return file.getvalue()
