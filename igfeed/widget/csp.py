"""What a page of ours may do, and who may have it in a frame: both come from here and from one setting."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Collection

PLAIN_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d+)?", re.ASCII | re.IGNORECASE)


def policy(style: str, scripts: Collection[str], videos: Collection[str], frame_ancestors: str) -> str:
    """The ``Content-Security-Policy``: our own pictures, exactly this style, these scripts and these hosts' videos."""
    running = f"script-src {' '.join(map(_hash, scripts))}; connect-src 'self'; " if scripts else ""
    playing = f"media-src {' '.join(sorted(videos))}; " if videos else ""
    return (
        f"default-src 'none'; img-src 'self'; style-src {_hash(style)}; {running}{playing}"
        f"base-uri 'none'; form-action 'none'; frame-ancestors {frame_ancestors}"
    )


def who_may_size(frame_ancestors: str, own_origin: str | None) -> str | None:
    """The content of ``responsive-embedded-sizing``: whoever may frame us may make the frame as high as we are.

    It knows origins and ``*`` only. Where the setting has more than that (``https://*.shop.example``) this says ``*``:
    ``frame-ancestors`` has then already kept everybody else out. None when nobody may.
    """
    entries = frame_ancestors.split()
    if entries == ["'none'"]:
        return None
    origins = [own_origin if entry == "'self'" and own_origin else entry for entry in entries]
    known = all(PLAIN_ORIGIN.fullmatch(origin) for origin in origins)
    return f"allow-origins={' '.join(origins) if known else '*'}"


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
