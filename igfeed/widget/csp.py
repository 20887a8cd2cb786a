"""What a page may load, and who may embed it: the Content-Security-Policy and the size of frames."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Collection

PLAIN_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d+)?", re.ASCII | re.IGNORECASE)


def policy(style: str, scripts: Collection[str], videos: Collection[str], frame_ancestors: str) -> str:
    """The ``Content-Security-Policy``: our own pictures, this style, these scripts, and videos from these origins."""
    # Hashes, not nonces: a nonce differs in each response, and a finished page is the same bytes for everybody.
    script_rules = f"script-src {' '.join(map(_hash, scripts))}; connect-src 'self'; " if scripts else ""
    video_rules = f"media-src {' '.join(sorted(videos))}; " if videos else ""
    return (
        f"default-src 'none'; img-src 'self'; style-src {_hash(style)}; {script_rules}{video_rules}"
        f"base-uri 'none'; form-action 'none'; frame-ancestors {frame_ancestors}"
    )


def embedded_sizing(frame_ancestors: str, own_origin: str | None) -> str | None:
    """The content of the meta element ``responsive-embedded-sizing``: who may size the frame to its content.

    These are the pages that may embed us. The element takes only origins and ``*``. A setting with more than that
    (``https://*.shop.example``) becomes ``*``, which is safe because ``frame-ancestors`` keeps all others out. None if
    no page may embed us.
    """
    entries = frame_ancestors.split()
    if entries == ["'none'"]:
        return None
    # The element knows no 'self'. In the policy it means our own origin.
    origins = [own_origin if entry == "'self'" and own_origin else entry for entry in entries]
    known = all(PLAIN_ORIGIN.fullmatch(origin) for origin in origins)
    return f"allow-origins={' '.join(origins) if known else '*'}"


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
