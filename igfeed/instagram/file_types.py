"""The type of a file by its first bytes, because its name and its Content-Type may be wrong."""

PICTURE_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")

PICTURE_BRANDS = (b"avif", b"avis", b"mif1", b"msf1", b"heic", b"heix", b"hevc", b"hevx")
"""AVIF and HEIC use the container of MP4. They differ in the four letters after ``ftyp``."""

FILM_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")
MATROSKA_SIGNATURE = b"\x1a\x45\xdf\xa3"


def is_picture(head: bytes) -> bool:
    """Whether a file with these first bytes may be a picture. Only the decoder knows for certain."""
    if head[4:8] == b"ftyp":
        return head[8:12] in PICTURE_BRANDS
    return head.startswith(PICTURE_SIGNATURES) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")


def is_film(head: bytes) -> bool:
    """Whether a file with these first bytes is a video: MP4, QuickTime, Matroska or WebM."""
    return not is_picture(head) and (head[4:8] in FILM_BOXES or head.startswith(MATROSKA_SIGNATURE))
