"""What a file is, by its first bytes: its name and its Content-Type prove nothing."""

PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")

PICTURE_BRANDS = (b"avif", b"avis", b"mif1", b"msf1", b"heic", b"heix", b"hevc", b"hevx")
"""AVIF and HEIC have the container of an MP4, and differ by the word after ``ftyp``."""

FILM_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")
MATROSKA = b"\x1a\x45\xdf\xa3"


def is_picture(head: bytes) -> bool:
    """Whether a file that begins so may be a picture; the decoder has the last word."""
    if head[4:8] == b"ftyp":
        return head[8:12] in PICTURE_BRANDS
    return head.startswith(PICTURES) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")


def is_film(head: bytes) -> bool:
    return not is_picture(head) and (head[4:8] in FILM_BOXES or head.startswith(MATROSKA))
