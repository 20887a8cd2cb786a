"""What a reply means: codes decide, texts never, and no header is so garbled that it hurts."""

import json
from datetime import timedelta
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from igfeed.errors import (
    InstagramError,
    InstagramUnreachable,
    PermissionRefused,
    RateLimited,
    TokenRejected,
    TooMuchAsked,
    UnexpectedAnswer,
)
from igfeed.http.reply import Reply
from igfeed.instagram import replies

HOUR = timedelta(hours=1)
HUGE = "9" * 400
"""A number that JSON allows and no float holds."""


def reply(body: Any = None, status: int = 200, /, **headers: str) -> Reply:
    """A reply as the transport gives it; `X_App_Usage="…"` becomes X-App-Usage."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    content = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
    return Reply(status, CaseInsensitiveDict(named), content)


def refused(status: int = 400, /, headers: dict[str, str] | None = None, **error: Any) -> InstagramError:
    """The error that a reply with this error object amounts to."""
    with pytest.raises(InstagramError) as caught:
        replies.read(reply({"error": error}, status, **(headers or {})))
    return caught.value


CLASSES: list[tuple[type[InstagramError], int, dict[str, Any]]] = [
    *((TokenRejected, 400, {"code": 190, "error_subcode": sub}) for sub in (0, 458, 459, 460, 463, 464, 467, 9999)),
    (TokenRejected, 400, {"code": 190}),
    (TokenRejected, 401, {"code": 190, "is_transient": False}),
    (TokenRejected, 500, {"code": 190, "is_transient": True}),
    (TokenRejected, 400, {"code": 102}),
    (TokenRejected, 400, {"code": 452}),
    *((PermissionRefused, 400, {"code": code}) for code in (10, 25, 200, 250, 299)),
    *((RateLimited, 400, {"code": code}) for code in (17, 32, 341, 613, 80002)),
    (RateLimited, 403, {"code": 4}),
    (RateLimited, 403, {"code": 4, "is_transient": True}),
    (RateLimited, 429, {"code": 999}),
    (RateLimited, 429, {}),
    (TooMuchAsked, 500, {"code": 1}),
    (InstagramUnreachable, 400, {"code": 2}),
    (InstagramUnreachable, 503, {"code": 2, "is_transient": True}),
    (InstagramUnreachable, 400, {"code": 100, "is_transient": True}),
    (InstagramUnreachable, 400, {"is_transient": True}),
    (InstagramUnreachable, 503, {"code": 999}),
    (InstagramUnreachable, 500, {}),
    (UnexpectedAnswer, 400, {"code": 100}),
    (UnexpectedAnswer, 400, {"code": 100, "error_subcode": 33, "type": "GraphMethodException"}),
    (UnexpectedAnswer, 400, {"code": 100, "is_transient": "true"}),
    (UnexpectedAnswer, 400, {"code": 199}),
    (UnexpectedAnswer, 400, {"code": 300}),
    (UnexpectedAnswer, 400, {"code": 2500}),
    (UnexpectedAnswer, 400, {"code": None}),
    (UnexpectedAnswer, 400, {"code": [190]}),
    (UnexpectedAnswer, 400, {}),
    (UnexpectedAnswer, 200, {"code": 100}),
]


@pytest.mark.parametrize(("kind", "status", "error"), CLASSES)
def test_code_and_transience_decide_the_class(kind: type[InstagramError], status: int, error: dict[str, Any]) -> None:
    assert type(refused(status, **error)) is kind


@pytest.mark.parametrize(("kind", "status", "error"), CLASSES)
@pytest.mark.parametrize(
    "text",
    [
        "Error validating access token: Session has expired",
        "(#4) Application request limit reached",
        "(#10) Application does not have permission for this action",
        "Ein unerwarteter Fehler ist aufgetreten. Bitte versuche es später erneut.",
        "Tried accessing nonexisting field (alt_text)",
    ],
)
def test_texts_decide_nothing(kind: type[InstagramError], status: int, error: dict[str, Any], text: str) -> None:
    texts = {"message": text, "type": text, "error_user_title": text, "error_user_msg": text}
    failure = refused(status, **{**error, **texts})
    assert type(failure) is kind
    assert str(failure).endswith(f"It says: “{text}”")


def test_an_error_carries_its_code_and_says_it() -> None:
    error = refused(400, code=190, error_subcode=460)
    assert error.code == 190
    assert "code 190, subcode 460, HTTP 400" in str(error)


@pytest.mark.parametrize("odd", ["190", True, HUGE, float("inf"), float("nan"), {}, -1])
def test_an_odd_code_is_no_crash(odd: Any) -> None:
    assert isinstance(refused(400, code=odd, error_subcode=odd), InstagramError)


def test_a_code_too_large_for_a_float_is_no_crash() -> None:
    with pytest.raises(UnexpectedAnswer):
        replies.read(reply(b'{"error": {"code": %s, "error_subcode": -%s}}' % (HUGE.encode(), HUGE.encode()), 400))


# Replies without an error object


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, UnexpectedAnswer),
        (204, UnexpectedAnswer),
        (302, UnexpectedAnswer),
        (400, UnexpectedAnswer),
        (404, UnexpectedAnswer),
        (429, RateLimited),
        (500, InstagramUnreachable),
        (503, InstagramUnreachable),
    ],
)
@pytest.mark.parametrize(
    "body", [b"", b"<html>Sorry</html>", b'{"data": [', b"[]", b"null", b'"text"', b"\xff\xfe", b"[" * 200_000]
)
def test_without_json_the_status_decides(status: int, kind: type[InstagramError], body: bytes) -> None:
    with pytest.raises(InstagramError) as caught:
        replies.read(reply(body, status))
    assert type(caught.value) is kind
    assert caught.value.code is None


@pytest.mark.parametrize(
    ("status", "kind"), [(302, UnexpectedAnswer), (400, UnexpectedAnswer), (500, InstagramUnreachable)]
)
@pytest.mark.parametrize("error", ["text", ["code"], None])
def test_an_error_that_is_no_object_leaves_it_to_the_status(
    status: int, kind: type[InstagramError], error: Any
) -> None:
    with pytest.raises(InstagramError) as caught:
        replies.read(reply({"error": error}, status))
    assert type(caught.value) is kind


def test_a_good_reply_is_its_json_and_no_rest() -> None:
    assert replies.read(reply({"id": "1", "name": "Grüße"})) == replies.ApiData(
        {"id": "1", "name": "Grüße"}, timedelta()
    )


# What the headers ask for


def app(**percents: Any) -> dict[str, str]:
    return {"X_App_Usage": json.dumps(percents)}


def business(*usages: Any) -> dict[str, str]:
    return {"X_Business_Use_Case_Usage": json.dumps({"17841": list(usages)})}


@pytest.mark.parametrize("name", ["call_count", "total_cputime", "total_time"])
@pytest.mark.parametrize(
    ("percent", "cooldown"),
    [(0, timedelta()), (89, timedelta()), (90, timedelta()), (91, HOUR), (90.5, HOUR), (250, HOUR)],
)
@pytest.mark.parametrize("header", [lambda usage: app(**usage), business])
def test_above_90_percent_of_any_budget_we_rest_for_an_hour(
    header: Any, name: str, percent: float, cooldown: timedelta
) -> None:
    usage = {"call_count": 1, "total_cputime": 1, "total_time": 1, name: percent}
    assert replies.read(reply({}, **header(usage))).cooldown == cooldown


def test_the_time_to_regain_access_is_in_minutes() -> None:
    usage = {"type": "instagram", "call_count": 100, "estimated_time_to_regain_access": 7}
    assert replies.read(reply({}, **business(usage))).cooldown == timedelta(minutes=7)


def test_of_several_budgets_the_longest_rest_counts() -> None:
    usages = [{"estimated_time_to_regain_access": minutes} for minutes in (0, 12, 5)]
    assert replies.read(reply({}, **app(call_count=99), **business(*usages))).cooldown == timedelta(minutes=12)


GARBLED = [
    "",
    "not json",
    "[]",
    "null",
    "5",
    '{"call_count": "97"}',
    '{"call_count": null, "total_time": [97]}',
    '{"call_count": NaN}',
    '{"call_count": Infinity}',
    '{"17841": "text"}',
    '{"17841": [null, 5, "text", []]}',
    '{"17841": [{"estimated_time_to_regain_access": "soon"}]}',
    '{"17841": [{"estimated_time_to_regain_access": NaN}]}',
    '{"17841": [{"estimated_time_to_regain_access": -Infinity}]}',
    "\x80\xff",
    "[" * 60_000,
]


@pytest.mark.parametrize("text", GARBLED)
@pytest.mark.parametrize("name", ["X_App_Usage", "X_Business_Use_Case_Usage"])
def test_garbled_headers_ask_for_nothing(name: str, text: str) -> None:
    assert replies.read(reply({}, **{name: text})).cooldown == timedelta()
    assert refused_with(name, text).retry_after is None


def refused_with(name: str, text: str) -> RateLimited:
    error = refused(403, headers={name: text}, code=4)
    assert isinstance(error, RateLimited)
    return error


@pytest.mark.parametrize("number", ["1e300", HUGE])
def test_a_huge_number_in_a_header_is_no_crash(number: str) -> None:
    usage = '{"17841": [{"call_count": %s, "estimated_time_to_regain_access": %s}]}' % (number, number)  # noqa: UP031
    assert replies.read(reply({}, X_Business_Use_Case_Usage=usage)).cooldown == timedelta(days=1)
    assert replies.read(reply({}, X_App_Usage='{"call_count": %s}' % number)).cooldown == HOUR  # noqa: UP031


def test_a_negative_number_in_a_header_asks_for_no_rest() -> None:
    usage = {"call_count": -5, "estimated_time_to_regain_access": -5}
    error = refused(403, headers=business(usage), code=4)
    assert isinstance(error, RateLimited)
    assert error.retry_after is None
    assert replies.read(reply({}, **business(usage))).cooldown <= timedelta()


@pytest.mark.parametrize(
    ("headers", "retry_after"),
    [
        ({}, None),
        ({"Retry_After": "120"}, timedelta(minutes=2)),
        ({"Retry_After": "0"}, None),
        ({"Retry_After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"Retry_After": "-5"}, None),
        ({"Retry_After": "٣"}, None),
        ({"Retry_After": "9" * 30}, None),
        (app(call_count=100), HOUR),
        (app(call_count=90), None),
        (business({"estimated_time_to_regain_access": 7}), timedelta(minutes=7)),
        ({"Retry_After": "60", **business({"estimated_time_to_regain_access": 7})}, timedelta(minutes=7)),
        ({"Retry_After": "600", **business({"estimated_time_to_regain_access": 7})}, timedelta(minutes=10)),
    ],
)
@pytest.mark.parametrize("body", [{"error": {"code": 4}}, b"<html>"])
def test_a_limit_says_how_long_where_the_headers_do(
    headers: dict[str, str], retry_after: timedelta | None, body: Any
) -> None:
    with pytest.raises(RateLimited) as caught:
        replies.read(reply(body, 429, **headers))
    assert caught.value.retry_after == retry_after
