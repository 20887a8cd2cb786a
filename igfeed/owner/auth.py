"""Lets the owner in, and nobody else: whoever sends one of the configured secrets."""

import base64
import hmac
from enum import Enum, auto

from flask import request

from igfeed.services import current

CHALLENGE = {"WWW-Authenticate": 'Basic realm="igfeed"'}
"""The header of a 401 that makes a browser ask for the secret."""

SET_A_SECRET = "Set CRON_SECRET to a long random text and deploy again."  # noqa: S105  advice, no secret
SEND_THE_SECRET = "Send it as `Authorization: Bearer …`, or as the password that the browser asks for."  # noqa: S105


class Access(Enum):
    """What a request gets: the answer, 401, or 503 because the owner has not set a secret yet."""

    ALLOWED = auto()
    WRONG_SECRET = auto()
    NO_SECRET_SET = auto()


def access() -> Access:
    """Whether the current request comes from the owner. A missing secret counts as a wrong one."""
    secrets = current().settings.secrets
    if not secrets:
        return Access.NO_SECRET_SET
    return Access.ALLOWED if _is_one_of(secrets) else Access.WRONG_SECRET


def _is_one_of(secrets: tuple[str, ...]) -> bool:
    """Takes the same time whether and where they differ, so that an attacker learns nothing from it."""
    given = _given_secret()
    # Not any(): it would stop at the first secret that fits, and the time would tell which one.
    return sum(hmac.compare_digest(given, secret.encode()) for secret in secrets) > 0


def _given_secret() -> bytes:
    """The Bearer token or the Basic password of the request; empty if it has neither."""
    # Not `request.authorization`: Werkzeug parses a Bearer token with a "=" in it as parameters, and fails on text that
    # is not ASCII.
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    given = credentials.strip().encode("latin-1", "replace")  # WSGI decodes headers as Latin-1.
    if scheme.lower() == "bearer":
        return given
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(given).partition(b":")[2]
    except ValueError:
        return b""
