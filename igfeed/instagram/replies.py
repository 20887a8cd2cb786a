"""What a reply means: the error class for an error code, and the pause that the headers ask for.

Only codes, subcodes and ``is_transient`` decide, not texts, because Instagram translates them. A wrong app secret is
the one exception. The owner sees the text, without the secrets that some texts quote. The codes come from Meta's error
reference and from recorded replies.
"""

import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from igfeed.errors import (
    InstagramError,
    InstagramUnreachable,
    PermissionRefused,
    RateLimited,
    TokenRejected,
    TooMuchAsked,
    UnexpectedAnswer,
    WrongAppSecret,
)
from igfeed.http.reply import Reply
from igfeed.instagram import error_message

DEAD_TOKEN_CODES = frozenset({102, 190, 452})
LOG_IN_HINT = (
    "Log in to the account at instagram.com or in its app and confirm what Instagram asks; "
    "the token stays and works again after that."
)
HINTS_BY_SUBCODE = {459: LOG_IN_HINT, 464: LOG_IN_HINT}
"""Hints by subcode of code 190. With these two the token is not dead: the account's owner has to confirm something."""

NO_PERMISSION_CODES = frozenset({10, 25, *range(200, 300)})
RATE_LIMIT_CODES = frozenset({4, 17, 32, 341, 613, 80002})
TEMPORARY_CODE = 2
UNKNOWN_CODE = 1
"""Temporary too. Also the code of "Please reduce the amount of data you're asking for" (recorded replies)."""

WRONG_SECRET = re.compile(r"\bclient secret\b", re.IGNORECASE)
"""In the text of an error with code 1: "Error validating client secret." Its code is that of a temporary fault."""

NEARLY_SPENT_PERCENT = 90
"""Percent of a rate limit's budget. If more is spent, we pause."""

MAX_NUMBER = 1_000_000_000
"""A larger number in a reply is cut to this."""

MAX_COOLDOWN = timedelta(days=1)
"""Longer pauses are cut to this, because a garbled header must not stop the feed forever."""

HOURLY_BUDGET = timedelta(hours=1)
"""A budget in percent covers the last hour (Meta's documentation of rate limits), so a pause of one hour is enough."""


@dataclass(frozen=True)
class ApiData:
    """A good reply: its JSON object, and how long no further call should be made."""

    data: dict[str, Any]
    cooldown: timedelta


def read(reply: Reply, secrets: Collection[str] = ()) -> ApiData:
    """The data in a good reply. For any other reply, raises the InstagramError that fits it.

    ``secrets`` are those that the request was sent with. No error's text contains them.
    """
    data = _parse(reply.body)
    error = data.get("error") if data is not None else None
    if isinstance(error, dict):
        raise _error_of_code(error, reply, error_message.sentence(error, secrets))
    if data is None or reply.status >= HTTPStatus.MULTIPLE_CHOICES:
        raise _error_of_status(reply)
    return ApiData(data, _cooldown(reply.headers))


def _cooldown(headers: Mapping[str, str]) -> timedelta:
    regain = max((int(_number(usage.get("estimated_time_to_regain_access"))) for usage in _usages(headers)), default=0)
    if regain:
        return min(timedelta(minutes=regain), MAX_COOLDOWN)
    percents = ("call_count", "total_cputime", "total_time")
    spent = max((_number(usage.get(name)) for usage in _usages(headers) for name in percents), default=0)
    return HOURLY_BUDGET if spent > NEARLY_SPENT_PERCENT else timedelta()


def sent_at(headers: Mapping[str, str]) -> datetime | None:
    """When the reply was sent, by the server's clock. None if unknown, as for a reply from a cache."""
    # A cache repeats the Date of the stored reply, which is in the past.
    if "Age" in headers:
        return None
    try:
        return parsedate_to_datetime(headers.get("Date", "")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _parse(body: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _error_of_code(error: dict[str, Any], reply: Reply, sentence: str | None) -> InstagramError:
    code, subcode = (int(_number(error.get(name))) for name in ("code", "error_subcode"))
    details = f"(code {code}, subcode {subcode}, HTTP {reply.status})."
    details += f" It says: “{sentence}”" if sentence else ""
    if code in DEAD_TOKEN_CODES:
        return TokenRejected(f"Instagram rejected the access token {details}", HINTS_BY_SUBCODE.get(subcode), code)
    if code in NO_PERMISSION_CODES:
        return PermissionRefused(f"Instagram refused permission {details}", code=code)
    if code in RATE_LIMIT_CODES or reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited(f"Instagram's limit is reached {details}", code, _retry_after(reply.headers))
    if code == UNKNOWN_CODE:
        return _error_of_unknown_code(str(error.get("message")), details)
    if code == TEMPORARY_CODE or error.get("is_transient") is True or reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return InstagramUnreachable(f"Instagram has a temporary fault {details}", code=code)
    return UnexpectedAnswer(f"Instagram refused the request {details}", code=code)


def _error_of_unknown_code(message: str, details: str) -> InstagramError:
    if WRONG_SECRET.search(message):
        return WrongAppSecret(f"The app's secret does not belong to its id {details}", code=UNKNOWN_CODE)
    return TooMuchAsked(f"Instagram has a temporary fault {details}", code=UNKNOWN_CODE)


def _error_of_status(reply: Reply) -> InstagramError:
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        message = f"Instagram's limit is reached (HTTP {reply.status})."
        return RateLimited(message, retry_after=_retry_after(reply.headers))
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return InstagramUnreachable(f"Instagram has a temporary fault (HTTP {reply.status}).")
    return UnexpectedAnswer(f"Instagram answered something that is not understood (HTTP {reply.status}).")


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    seconds = headers.get("Retry-After", "")
    asked = timedelta(seconds=int(seconds)) if re.fullmatch(r"\d{1,5}", seconds, re.ASCII) else timedelta()
    return max(asked, _cooldown(headers)) or None


def _usages(headers: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The usage figures in both headers. Either header may be missing or garbled."""
    if app := _parse(headers.get("X-App-Usage", "").encode()):
        yield app
    business = _parse(headers.get("X-Business-Use-Case-Usage", "").encode()) or {}
    # The keys are the ids of accounts. All of them count.
    for usages in business.values():
        if isinstance(usages, list):
            yield from (usage for usage in usages if isinstance(usage, dict))


def _number(value: Any) -> float:
    """The number, 0 for anything else. Cut to ±MAX_NUMBER, because a ``timedelta`` of more would overflow."""
    finite = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return float(max(-MAX_NUMBER, min(value, MAX_NUMBER))) if finite else 0.0
