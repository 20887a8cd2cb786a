"""What Meta's callbacks bring: a text that only somebody who knows the app's secret can have signed.

It is ``base64url(signature).base64url(json)`` without padding. The signature is HMAC-SHA256 of the *encoded* JSON
(Meta's documentation of the data deletion callback).
"""

import base64
import hmac
import json
from typing import Any

ALGORITHM = "hmac-sha256"


class BadSignature(Exception):
    """Nothing may be done for this request."""


def user_id(signed: str, app_secret: str) -> str:
    """The id of the account that it is about, "0" if Meta does not say (recorded). Raises BadSignature."""
    signature, _, payload = signed.partition(".")
    expected = hmac.digest(app_secret.encode(), payload.encode(), "sha256")
    # Over the payload as it came: another encoding of the same JSON has another signature.
    if not hmac.compare_digest(_decoded(signature), expected):
        raise BadSignature
    told = _parsed(payload)
    if str(told.get("algorithm")).casefold() != ALGORITHM:
        raise BadSignature
    return str(told.get("user_id") or "0")


def _parsed(payload: str) -> dict[str, Any]:
    try:
        told = json.loads(_decoded(payload))
    except (ValueError, RecursionError):
        raise BadSignature from None
    if not isinstance(told, dict):
        raise BadSignature
    return told


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise BadSignature from None
