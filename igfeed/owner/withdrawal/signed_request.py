"""Reads the signed text that Meta's callbacks send. Only somebody who knows the app's secret can sign it.

It is ``base64url(signature).base64url(json)`` without padding. The signature is HMAC-SHA256 of the *encoded* JSON
(Meta's documentation of the data deletion callback).
"""

import base64
import hmac
import json
from typing import Any

ALGORITHM = "hmac-sha256"

UNKNOWN_USER_ID = "0"
"""The id in recorded requests that do not say which account they are about."""


class BadSignature(Exception):
    """The text is not signed with the app's secret, or cannot be read."""


def user_id(signed: str, app_secret: str) -> str:
    """The id of the account that the request is about, or UNKNOWN_USER_ID. Raises BadSignature."""
    signature, _, payload = signed.partition(".")
    expected = hmac.digest(app_secret.encode(), payload.encode(), "sha256")
    # The signature is that of the encoded text: another encoding of the same JSON has another signature.
    if not hmac.compare_digest(_decoded(signature), expected):
        raise BadSignature
    told = _parsed(payload)
    if str(told.get("algorithm")).casefold() != ALGORITHM:
        raise BadSignature
    return str(told.get("user_id") or UNKNOWN_USER_ID)


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
