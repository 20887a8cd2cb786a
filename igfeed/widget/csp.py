"""What a page may load, and who may embed it: the Content-Security-Policy and the size of frames."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Collection

PLAIN_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d+)?", re.ASCII | re.IGNORECASE)


def policy(
    style: str, scripts: Collection[str], videos: Collection[str], frame_ancestors: str, *, has_module: bool = False
) -> str:
    """The ``Content-Security-Policy``: our own pictures, this style, these scripts, and videos from these origins.

    ``has_module``: whether it may also load a script of our own.
    """
    # Hashes, not nonces: a nonce differs in each response, and a finished page is the same bytes for everybody.
    sources = [*map(_hash, scripts), *(["'self'"] if has_module else [])]
    script_rules = f"script-src {' '.join(sources)}; connect-src 'self'; " if sources else ""
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


def embedder_patterns(frame_ancestors: str) -> list[str]:
    """JavaScript's regular expressions for the origins of pages that may embed us. "" stands for our own origin.

    A frame is refused by the browser itself. A script that puts the feed into its page has to ask.
    """
    entries = frame_ancestors.split()
    return [_pattern(entry) for entry in entries if entry != "'none'"]


def _pattern(source: str) -> str:
    """For a source as ``frame-ancestors`` takes it. A source for http allows https too, and paths do not count."""
    if source in ("*", "'self'"):
        return {"*": ".", "'self'": ""}[source]
    scheme, has_host, host = source.rpartition("//")
    if not has_host and source.endswith(":"):
        scheme, host = source, "*"
    name, _, port = host.partition("/")[0].partition(":")
    schemes = {"": "https?:", "http:": "https?:"}.get(scheme.lower(), re.escape(scheme.lower()))
    names = re.escape(name.lower()).replace(r"\*", ".+")
    ports = {"": "", "*": r"(:\d+)?"}.get(port, f":{port}")
    return f"^{schemes}//{names}{ports}$"


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
