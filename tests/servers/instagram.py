"""So that tests meet Instagram as it really is, this fake answers like graph.instagram.com down to its oddities.

It plays the "Instagram API with Instagram Login" (profile, media, token calls), the login (api.instagram.com and the
authorize page) and the picture hosts, all on one origin. Shapes and rules come from Meta's documentation and, where
that is silent or wrong, from recorded replies; what is documented nowhere can be set either way.

Try it by hand with `python -m tests.servers.instagram --port 9000`.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import html
import itertools
import json
import random
import re
import secrets
import string
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from io import BytesIO
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode

from PIL import Image, ImageDraw

from .faults import (
    Answer,
    Exchange,
    FakeServer,
    Fault,
    Gate,
    Request,
    Rule,
    answer,
    close_after,
    done_but,
    drip,
    hang,
    html_error,
    reset,
    reset_after,
    run_until_stopped,
    show,
    slow,
    truncate,
)

__all__ = [
    "APP_LIMIT",
    "APP_REMOVED",
    "BUSINESS_LIMIT",
    "CANNOT_PARSE",
    "CHECKPOINT",
    "ERRORS",
    "EXPIRED",
    "EXPIRED_463",
    "NOT_FOUND",
    "PASSWORD_CHANGED",
    "PERMISSION",
    "SESSION_INVALID",
    "TEMPORARY",
    "TOO_MUCH_DATA",
    "UNSUPPORTED_REQUEST",
    "USER_LIMIT",
    "WRONG_SECRET",
    "Answer",
    "Call",
    "Exchange",
    "FakeInstagram",
    "Fault",
    "Gate",
    "PictureReply",
    "album",
    "answer",
    "api_error",
    "beyond",
    "child_image",
    "child_video",
    "close_after",
    "dead_token",
    "done_but",
    "drip",
    "hang",
    "html_error",
    "huge",
    "image",
    "invalid_json",
    "jpeg",
    "login_error",
    "picture_bomb",
    "picture_colour",
    "reel",
    "reply",
    "reset",
    "reset_after",
    "sample_posts",
    "slow",
    "truncate",
    "video",
]

Post: TypeAlias = dict[str, Any]
Fields: TypeAlias = dict[str, "Fields"]

USERNAME = "studio.nord"
DAY = timedelta(days=1)
PICTURE_LIFE = timedelta(days=4.4)
"""How long the address of a picture works; measured on 540 addresses: 4.3 to 4.5 days."""
VIDEO_LIFE = timedelta(days=1.35)
"""The same for mp4; measured: 1.3 to 1.45 days."""

PROFILE_FIELDS = frozenset(
    {
        *("id", "user_id", "username", "name", "account_type", "profile_picture_url"),
        *("followers_count", "follows_count", "media_count", "biography", "website"),
    }
)
MEDIA_FIELDS = frozenset(
    {
        *("id", "caption", "media_type", "media_product_type", "media_url", "thumbnail_url", "permalink"),
        *("shortcode", "timestamp", "username", "alt_text", "like_count", "comments_count", "is_shared_to_feed"),
        "children",
    }
)


# --- What goes over the wire


def wire(payload: Any) -> bytes:
    r"""JSON as Meta writes it: `\/` for a slash, `\u00fc` for an `ü` and so on beyond ASCII (recorded replies)."""
    return json.dumps(payload, separators=(",", ":")).replace("/", "\\/").encode()


def reply(payload: Any, status: int = 200) -> Answer:
    """Any JSON as the reply, e.g. `reply({"data": []})`."""
    return Answer(status, wire(payload), "application/json; charset=UTF-8")


def invalid_json() -> Answer:
    """A 200 whose JSON ends too early."""
    return replace(reply({}), body=b'{"data":[{"id":"1790')


def beyond(limit: int, fault: Fault) -> Fault:
    """The fault for pages of more posts than that, the true reply for others (recorded: TOO_MUCH_DATA)."""

    def play(exchange: Exchange) -> None:
        asked = int(params_of(exchange.request).get("limit", "25"))
        fault(exchange) if asked > limit else exchange.send(exchange.execute())

    return play


def huge(size: int) -> Answer:
    """A 200 with valid JSON of at least `size` bytes."""
    return reply({"data": [{"id": "17900000000000001", "media_type": "IMAGE", "caption": "x" * size}]})


def api_error(
    code: int,
    subcode: int | None = None,
    *,
    http: int = 400,
    is_transient: bool | None = None,
    message: str = "Die Anfrage konnte nicht ausgeführt werden.",
    **more: Any,
) -> Answer:
    """An error in the documented envelope; the message is localized, as in recorded replies.

    `more`: further keys, or others in place of `type` ("OAuthException") and `fbtrace_id`. A None leaves its key out.
    """
    error = {"message": message, "type": "OAuthException", "code": code, "error_subcode": subcode}
    error |= {"is_transient": is_transient, "fbtrace_id": "AkQ3vYt0cVxq8sJ1hWmZ2eP", **more}
    return reply({"error": {name: value for name, value in error.items() if value is not None}}, http)


def dead_token(subcode: int | None = None, message: str = "Error validating access token.") -> Answer:
    """Code 190: nothing but a new login brings this token back. Any subcode, or none (recorded replies)."""
    return api_error(190, subcode, message=message)


def unsupported(method: str) -> Answer:
    """What refuses in general: no proof that the token is dead (recorded replies, Meta's incident reports)."""
    text = f"Unsupported request - method type: {method.lower()}"
    return api_error(100, type="IGApiException", message=text)


def login_error(message: str) -> Answer:
    """Errors of the login are flat, and their code is 400 whatever has happened (Meta's documentation)."""
    return reply({"error_type": "OAuthException", "code": 400, "error_message": message}, 400)


WRONG_SECRET = api_error(1, message="Error validating client secret.")
EXPIRED = dead_token(0, "Error validating access token: Session has expired.")
EXPIRED_463 = dead_token(463, "Error validating access token: Session has expired.")
PASSWORD_CHANGED = dead_token(460, "Error validating access token: The user changed the password.")
APP_REMOVED = dead_token(458, "Error validating access token: The user has not authorized the application.")
CHECKPOINT = dead_token(459, "Error validating access token: The user has to log in at www.instagram.com.")
CANNOT_PARSE = dead_token(None, "Invalid OAuth access token - Cannot parse access token")
SESSION_INVALID = api_error(452, message="Session key invalid. It has an incorrect format or was revoked.")
UNSUPPORTED_REQUEST = unsupported("get")
NOT_FOUND = api_error(100, 33, type="GraphMethodException", message="Unsupported get request. No such object.")
PERMISSION = api_error(10, message="(#10) Application does not have permission for this action")
APP_LIMIT = api_error(4, http=403, message="(#4) Application request limit reached")
USER_LIMIT = api_error(17, message="(#17) User request limit reached")
BUSINESS_LIMIT = api_error(80002, message="(#80002) There have been too many calls to this Instagram account.")
TEMPORARY = api_error(2, http=500, is_transient=True, message="An unexpected error has occurred. Please retry later.")
TOO_MUCH_DATA = api_error(1, http=500, message="Please reduce the amount of data you're asking for, then retry")

ERRORS: dict[str, Answer] = {
    "expired": EXPIRED,
    "expired_463": EXPIRED_463,
    "password_changed": PASSWORD_CHANGED,
    "app_removed": APP_REMOVED,
    "checkpoint": CHECKPOINT,
    "cannot_parse": CANNOT_PARSE,
    "session_invalid": SESSION_INVALID,
    "unsupported_request": UNSUPPORTED_REQUEST,
    "permission": PERMISSION,
    "app_limit": APP_LIMIT,
    "user_limit": USER_LIMIT,
    "business_limit": BUSINESS_LIMIT,
    "temporary": TEMPORARY,
    "too_much_data": TOO_MUCH_DATA,
}
"""One reply of every class of error, by name."""


class RefusedError(Exception):
    """Ends a request with this error."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


# --- Posts


_ids = itertools.count(18_000_000_000_000_001)


def timestamp(moment: datetime) -> str:
    """`2026-06-22T10:45:00+0000`, the format of recorded replies."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def shortcode(media_id: str) -> str:
    """What stands in the permalink: the number in base64, as Instagram does it."""
    return base64.urlsafe_b64encode(int(media_id).to_bytes(8, "big")).decode().rstrip("=")


def _post(defaults: Callable[[str], Post], changes: Mapping[str, Any]) -> Post:
    """The defaults for this id with the changes; what is None is left out, for missing means absent, never null."""
    media_id = str(changes.get("id") or next(_ids))
    code = shortcode(media_id)
    place = "reel" if defaults is _reel else "p"
    common = {
        "id": media_id,
        "caption": f"Post {media_id}",
        "media_product_type": "FEED",
        "permalink": f"https://www.instagram.com/{place}/{code}/",
        "shortcode": code,
        "timestamp": "2026-06-22T10:45:00+0000",
        "username": USERNAME,
        "like_count": int(media_id) % 500,
        "comments_count": int(media_id) % 20,
    }
    post = {**common, **defaults(media_id), **changes}
    return {name: value for name, value in post.items() if value is not None}


def _image(media_id: str) -> Post:
    return {"media_type": "IMAGE", "media_url": f"/pictures/{media_id}.jpg"}


def _video(media_id: str) -> Post:
    urls = {"media_url": f"/videos/{media_id}.mp4", "thumbnail_url": f"/pictures/{media_id}.jpg"}
    return {"media_type": "VIDEO", **urls}


def _reel(media_id: str) -> Post:
    return {**_video(media_id), "media_product_type": "REELS", "is_shared_to_feed": True}


def image(**fields: Any) -> Post:
    """A picture as `/me/media` shows it, with 17 digits for an id. Any field can be given; None leaves it out.

    Addresses that begin with `/pictures/` or `/videos/` are signed anew at each reply; others go out as they are.
    """
    return _post(_image, fields)


def video(**fields: Any) -> Post:
    """A video of the feed with its thumbnail; `fields` as with `image`."""
    return _post(_video, fields)


def reel(**fields: Any) -> Post:
    """A reel: a VIDEO too, known by `/reel/` in its permalink; `fields` as with `image`."""
    return _post(_reel, fields)


def child_image(**fields: Any) -> Post:
    """A picture inside an album: no caption, no permalink; `fields` as with `image`."""
    media_id = str(fields.get("id") or next(_ids))
    post = {"id": media_id, **_image(media_id), **fields}
    return {name: value for name, value in post.items() if value is not None}


def child_video(**fields: Any) -> Post:
    """A video inside an album; `fields` as with `image`."""
    media_id = str(fields.get("id") or next(_ids))
    post = {"id": media_id, **_video(media_id), **fields}
    return {name: value for name, value in post.items() if value is not None}


def album(children: list[Post] | None = None, **fields: Any) -> Post:
    """A CAROUSEL_ALBUM; its own `media_url` is its first child's picture, as in recorded replies."""
    if children is None:
        children = [child_image(), child_video(), child_image()]
    first = children[0] if children else {}
    cover = first.get("thumbnail_url") or first.get("media_url")
    whole = {"media_type": "CAROUSEL_ALBUM", "media_url": cover, "children": {"data": children}}
    return _post(lambda _: whole, fields)


CAPTIONS: tuple[str | None, ...] = (
    "Morning light in the studio ☀️ #nordic #light",
    "Zwei Stühle, ein Tisch, größer wird es nicht.\n\nMehr auf unserer Seite 👇",
    None,
    "<b>Not bold</b> & <script>alert('x')</script> \"quoted\"",
    "مرحبا بكم في الاستوديو 🧡",
    "New in: the oak shelf / ash shelf\\pine shelf",
    "東京の展示会、ありがとうございました 👩‍🎨",
)
"""What people write: emoji, right-to-left text, HTML, line breaks, and nothing at all."""


def sample_posts(count: int, newest: datetime | None = None) -> list[Post]:
    """`count` posts of all kinds, newest first, 26 hours apart, the same ones at every call."""
    newest = newest or datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    return [_sample(number, newest - number * timedelta(hours=26)) for number in range(count)]


def _sample(number: int, moment: datetime) -> Post:
    # A thousand apart, so that the children of an album fit between two posts.
    first = 17_990_000_000_000_000 - number * 1000
    fields: Post = {"id": str(first), "timestamp": timestamp(moment), "caption": CAPTIONS[number % len(CAPTIONS)]}
    kind = (image, reel, album, image, video)[number % 5]
    if kind is album:
        children = [child_image(id=str(first + 1)), child_video(id=str(first + 2)), child_image(id=str(first + 3))]
        return album(children, **fields)
    if kind is image:
        fields["alt_text"] = f"Photo by Studio Nord, number {number}" if number % 2 else None
    return kind(**fields)


# --- Pictures


def picture_colour(media_id: str) -> tuple[int, int, int]:
    """The colour of that picture's corners, so that a test can tell one picture from another (JPEG: give or take 4)."""
    red, green, blue = hashlib.sha256(media_id.encode()).digest()[:3]
    return 40 + red % 176, 40 + green % 176, 40 + blue % 176


@lru_cache(maxsize=256)
def jpeg(media_id: str, size: tuple[int, int] = (1440, 1800)) -> bytes:
    """A JPEG of one colour with the last digits of the id across its middle."""
    picture = Image.new("RGB", size, picture_colour(media_id))
    middle = (size[0] / 2, size[1] / 2)
    ImageDraw.Draw(picture).text(middle, media_id[-6:], "white", anchor="mm", font_size=max(8, size[0] // 6))
    file = BytesIO()
    picture.save(file, "JPEG", quality=80)
    return file.getvalue()


@lru_cache(maxsize=4)
def picture_bomb(width: int = 20_000, height: int = 20_000) -> bytes:
    """A valid PNG of a few kilobytes with that many black pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    bytes_of_a_row = 1 + (width + 7) // 8
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([1, 0, 0, 0, 0])
    pixels = packed_zeros(height * bytes_of_a_row)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def packed_zeros(count: int, block: int = 1024 * 1024) -> bytes:
    """As many zeros as zlib packs them (RFC 1950), without packing each: a block with a full flush can be repeated."""
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    repeated = packer.compress(bytes(block)) + packer.flush(zlib.Z_FULL_FLUSH)
    rest = packer.compress(bytes(count % block)) + packer.flush()
    checksum = count % 65521 << 16 | 1  # Adler-32 of nothing but zeros.
    return b"\x78\xda" + repeated * (count // block) + rest + checksum.to_bytes(4, "big")


@dataclass(frozen=True)
class PictureReply:
    """What a picture answers in place of its JPEG. `body` None: the JPEG after all, or nothing if not a 200.

    `length` overrules Content-Length (more than the body: cut off in the middle), `chunked` hides it.
    """

    status: int = 200
    content_type: str = "image/jpeg"
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    location: str | None = None
    length: int | None = None
    chunked: bool = False


MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"


# --- The server


@dataclass(frozen=True)
class Call:
    """One request in the log. `params` are the query and the form together, header names are in lower case."""

    endpoint: str
    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    at: datetime


@dataclass
class Account:
    """One account besides the fake's own: its profile and its posts, newest first."""

    profile: dict[str, Any]
    posts: list[Post]


@dataclass
class Token:
    """What Instagram knows of a token; `refusal` is what it answers once revoked. No account: the fake's own."""

    issued: datetime
    expires: datetime
    short: bool = False
    refusal: Answer | None = None
    account: Account | None = None


VERSION = r"(?:/v\d+\.\d+)?"
ENDPOINTS: dict[str, re.Pattern[str]] = {
    "renew": re.compile(r"/refresh_access_token"),
    "exchange": re.compile(r"/access_token"),
    "code": re.compile(r"/oauth/access_token"),
    "authorize": re.compile(r"/oauth/authorize"),
    "profile": re.compile(VERSION + r"/(me|\d+)"),
    "media": re.compile(VERSION + r"/(me|\d+)/media"),
    "picture": re.compile(r"/pictures/([\w-]+)\.jpg"),
    "video": re.compile(r"/videos/([\w-]+)\.mp4"),
}
"""The endpoints by the names that `fail`, `hold` and `count` take; every other path is `other`."""
API = frozenset({"renew", "exchange", "profile", "media"})


def endpoint_of(path: str) -> str:
    return next((name for name, pattern in ENDPOINTS.items() if pattern.fullmatch(path)), "other")


def params_of(request: Request) -> dict[str, str]:
    form = "x-www-form-urlencoded" in request.headers.get("content-type", "")
    text = request.body.decode("utf-8", "replace") if form else ""
    return dict(parse_qsl(request.query, keep_blank_values=True) + parse_qsl(text, keep_blank_values=True))


def parse_fields(text: str) -> Fields:
    """`id,children{id,media_type}` as nested dicts; without any, only `id` is answered (Meta's documentation)."""
    stack: list[Fields] = [{}]
    name = "id"
    for word in re.findall(r"[^{},\s]+|[{}]", text or "id"):
        if word == "{" and name in stack[-1]:
            stack.append(stack[-1][name])
        elif word == "}" and len(stack) > 1:
            stack.pop()
        elif word in "{}":
            break
        else:
            name = word
            stack[-1][name] = {}
    else:
        if len(stack) == 1:
            return stack[0]
    raise RefusedError(api_error(2500, message="Syntax error in the field list"))


def new_string(prefix: str) -> str:
    return prefix + "".join(random.choices(string.ascii_letters + string.digits, k=170))


def default_profile() -> dict[str, Any]:
    """The account: `id` is the app's own number for it, `user_id` the professional account (Meta's documentation)."""
    return {
        "id": "24500000000000001",
        "user_id": "17841400000000001",
        "username": USERNAME,
        "name": "Studio Nord",
        "account_type": "BUSINESS",
        "profile_picture_url": "/pictures/profile.jpg",
        "followers_count": 4821,
        "follows_count": 312,
        "biography": "Furniture from Malmö 🪑\nOpen Tue to Sat",
        "website": "https://studio-nord.example/",
    }


def utcnow() -> datetime:
    return datetime.now(UTC)


class FakeInstagram(FakeServer):
    """Instagram with one account; `with FakeInstagram() as instagram:` and point the app at `instagram.url`.

    `add_account` adds more: a token belongs to the one that it was issued for.

    `clock` (aware UTC) decides all ages and expiries and may be exchanged at any time. The other attributes are the
    account and the choices where Instagram's behaviour is undocumented or varies; change them whenever you like.
    """

    def __init__(self, clock: Callable[[], datetime] = utcnow, posts: list[Post] | None = None, port: int = 0) -> None:
        super().__init__(port)
        self.clock = clock
        self.tells_the_date = True
        self.posts = sample_posts(30, clock() - timedelta(hours=2)) if posts is None else posts
        """Newest first, in the wire's shape."""
        self.profile = default_profile()
        """Without `media_count`, which follows the posts unless it is set in here."""
        self.app_id = "1234567890123456"
        self.app_secret = secrets.token_hex(16)
        self._secret = secrets.token_bytes(16)
        self._tokens: dict[str, Token] = {}
        self._codes: dict[str, tuple[str | None, datetime]] = {}
        self._calls: list[Call] = []
        self._set_choices()

    def _set_choices(self) -> None:
        self.lifetime = 5183944
        """Seconds in `expires_in`; seen: 5183944, 5184000, 5143192, 5110824."""
        self.renewal_changes_string = True
        self.old_string_survives = True
        self.young_error = UNSUPPORTED_REQUEST
        """The answer to renewing a token younger than 24 hours; documented nowhere."""
        self.expired_subcode: int | None = 0
        self.unknown_fields: set[str] = set()
        """Fields this Instagram has never heard of; one of them fails the whole request."""
        self.short_pages = False
        """Pages have half of what was asked for and still a next one."""
        self.profile_in_list = False
        """The profile as Meta's documentation prints it, `{"data":[{…}]}`; live it is flat."""
        self.code_reply_flat = False
        """The code exchange as recorded live: flat, with an integer `user_id`."""
        self.logs_in: Account | None = None
        """Who comes to the authorize page. None: the fake's own account."""
        self.user_denies = False
        """The person clicks "Cancel" on the authorize page."""
        self.shows_page = False
        """The authorize page is a page with a button, as people see it. Otherwise the person decides at once."""
        self.login_id: str | int | None = "27100000000000001"
        """The `user_id` of the code exchange, a third id of the account. None: the field is absent."""
        self.permissions: str | list[str] | None = "instagram_business_basic"
        """As text with commas or as a list (both were recorded). None: the field is absent."""
        self.app_usage: dict[str, Any] | None = None
        """X-App-Usage, e.g. `{"call_count": 12, "total_cputime": 0, "total_time": 0}` (percent)."""
        self.business_usage: dict[str, Any] | None = None
        """X-Business-Use-Case-Usage: `{"<id>": [{"type": "instagram", …}]}` (percent, minutes)."""
        self.picture_size = (1440, 1800)
        self.pictures: dict[str, PictureReply] = {}
        """What single pictures answer, by the id of their post or child (`profile`: the account's picture)."""

    # Account

    def add_account(self, username: str, posts: list[Post]) -> Account:
        """One more account; `issue` and `logs_in` take it."""
        number = next(_ids)
        ids = {"id": f"27{number}", "user_id": f"17{number}"}
        return Account({**default_profile(), **ids, "username": username, "name": username.title()}, posts)

    def publish(self, post: Post) -> Post:
        """Put a new post on top and return it."""
        with self._lock:
            self.posts.insert(0, post)
        return post

    def remove(self, media_id: str) -> None:
        """Delete a post."""
        with self._lock:
            self.posts[:] = [post for post in self.posts if post["id"] != media_id]

    # Tokens

    def issue(
        self,
        age: timedelta = 30 * DAY,
        life: timedelta = 60 * DAY,
        prefix: str = "IGAA",
        string: str | None = None,
        account: Account | None = None,
    ) -> str:
        """A long-lived token, issued `age` ago and dead `life` after that.

        With another prefix it is a token of another API: 190 "Cannot parse access token" (recorded replies).
        """
        text = string or new_string(prefix)
        issued = self.clock() - age
        with self._lock:
            self._tokens[text] = Token(issued, issued + life, account=account)
        return text

    def issue_short(self) -> str:
        """A short-lived token for the exchange: one hour."""
        text = new_string("IGAA")
        with self._lock:
            now = self.clock()
            self._tokens[text] = Token(now, now + timedelta(hours=1), short=True, account=self.logs_in)
        return text

    def issue_code(self, redirect_uri: str | None = None) -> str:
        """What the login sends back: good for one hour, once, and for this redirect_uri (None: any)."""
        text = new_string("AQ")
        with self._lock:
            self._codes[text] = (redirect_uri, self.clock() + timedelta(hours=1))
        return text

    def revoke(self, token: str, subcode: int | None = 460) -> None:
        """Kill a token: 460 password changed, 458 app removed, 459/464/467 checkpoint, None without a subcode."""
        with self._lock:
            self._tokens[token].refusal = dead_token(subcode)

    def alive(self, token: str) -> bool:
        """Would a call with this token be answered now?"""
        with self._lock:
            try:
                self._check(token)
            except RefusedError:
                return False
        return True

    def expires_at(self, token: str) -> datetime:
        """When this token dies by itself."""
        return self._tokens[token].expires

    # Faults and log

    def fail(self, endpoint: str, fault: Fault, times: int | None = None, after: int = 0) -> None:
        """From now on let `after` requests pass, then meet `times` (None: all until `heal()`) with the fault.

        `endpoint`: a name of ENDPOINTS, or `*`. The first fault with something left to do wins, so calls add up to a
        sequence.
        """
        self._add_rule(Rule(endpoint, fault, self._matcher(endpoint), times, after))

    def hold(self, endpoint: str) -> Gate:
        """Hold requests to the endpoint (or `*`), logged but not yet answered, until the gate is released."""
        return self._add_gate(endpoint, self._matcher(endpoint))

    def heal(self, endpoint: str | None = None) -> None:
        """End the faults and open the gates set up under this name (None: all), at once for waiting requests."""
        self._heal(endpoint)

    @property
    def calls(self) -> list[Call]:
        """Every request since `forget_calls()`, in order of arrival, the failed ones too."""
        with self._lock:
            return list(self._calls)

    def count(self, endpoint: str) -> int:
        """How many requests this endpoint (or `*`) has had since `forget_calls()`."""
        return sum(endpoint in ("*", call.endpoint) for call in self.calls)

    def forget_calls(self) -> None:
        """Empty the log."""
        with self._lock:
            self._calls.clear()

    # What FakeServer asks for

    def note(self, exchange: Exchange, fault: str | None) -> None:
        request = exchange.request
        endpoint, headers = endpoint_of(request.path), dict(request.headers)
        call = Call(endpoint, request.method, request.path, params_of(request), headers, self.clock())
        self._calls.append(call)

    def dress(self, request: Request, answer: Answer) -> Answer:
        headers = {"Date": format_datetime(self.clock(), usegmt=True)} if self.tells_the_date else {}
        if endpoint_of(request.path) in API and "json" in answer.content_type:
            usage = {"X-App-Usage": self.app_usage, "X-Business-Use-Case-Usage": self.business_usage}
            headers |= {name: json.dumps(value) for name, value in usage.items() if value is not None}
        return replace(answer, headers={**headers, **answer.headers})

    def answer(self, request: Request) -> Answer:
        routes: dict[str, Callable[[Request, dict[str, str]], Answer]] = {
            "renew": self._renew,
            "exchange": self._exchange,
            "code": self._exchange_code,
            "authorize": self._authorize,
            "profile": self._profile,
            "media": self._media,
        }
        endpoint = endpoint_of(request.path)
        if endpoint in ("picture", "video"):
            return self._file(request, params_of(request))
        if endpoint not in routes:
            return NOT_FOUND
        try:
            if request.method != ("POST" if endpoint == "code" else "GET"):
                raise RefusedError(unsupported(request.method))
            with self._lock:
                return routes[endpoint](request, params_of(request))
        except RefusedError as refusal:
            return refusal.answer

    def _matcher(self, endpoint: str) -> Callable[[Request], bool]:
        if endpoint not in {*ENDPOINTS, "other", "*"}:
            raise ValueError(f"no endpoint is called {endpoint!r}")
        return lambda request: endpoint in ("*", endpoint_of(request.path))

    # Token calls

    def _check(self, text: str) -> Token:
        """The token behind that string, or the refusal it meets in every call."""
        if not text:
            raise RefusedError(UNSUPPORTED_REQUEST)
        token = self._tokens.get(text)
        if token is None or not text.startswith("IGAA"):
            raise RefusedError(CANNOT_PARSE)
        if token.refusal:
            raise RefusedError(token.refusal)
        if token.expires <= self.clock():
            when = f"{token.expires:%A, %d-%b-%y %H:%M:%S} UTC"
            raise RefusedError(dead_token(self.expired_subcode, f"Error validating access token: Expired on {when}."))
        return token

    def _renew(self, request: Request, params: dict[str, str]) -> Answer:
        if params.get("grant_type") != "ig_refresh_token":
            raise RefusedError(api_error(100, type="IGApiException", message="Invalid parameter: grant_type"))
        text = params.get("access_token", "")
        token = self._check(text)
        if token.short or self.clock() - token.issued < DAY:
            raise RefusedError(self.young_error)
        if self.renewal_changes_string:
            if not self.old_string_survives:
                token.refusal = dead_token()
            text = new_string("IGAA")
        return self._long_lived(text, token.account)

    def _exchange(self, request: Request, params: dict[str, str]) -> Answer:
        if params.get("grant_type") != "ig_exchange_token":
            raise RefusedError(api_error(100, type="IGApiException", message="Invalid parameter: grant_type"))
        if params.get("client_secret") != self.app_secret:
            raise RefusedError(WRONG_SECRET)
        token = self._check(params.get("access_token", ""))
        if not token.short:
            raise RefusedError(SESSION_INVALID)
        return self._long_lived(new_string("IGAA"), token.account)

    def _long_lived(self, text: str, account: Account | None) -> Answer:
        """Start (or start again) the life of that string and tell it."""
        now = self.clock()
        self._tokens[text] = Token(now, now + timedelta(seconds=self.lifetime), account=account)
        return reply({"access_token": text, "token_type": "bearer", "expires_in": self.lifetime})

    def _exchange_code(self, request: Request, params: dict[str, str]) -> Answer:
        if params.get("client_id") != self.app_id:
            raise RefusedError(login_error("Invalid platform app"))
        if params.get("client_secret") != self.app_secret:
            raise RefusedError(WRONG_SECRET)
        if params.get("grant_type") != "authorization_code":
            raise RefusedError(login_error("Invalid grant_type"))
        redirect_uri, expires = self._codes.pop(params.get("code", ""), (None, self.clock()))
        if expires <= self.clock():
            raise RefusedError(login_error("Matching code was not found or was already used"))
        if redirect_uri not in (None, params.get("redirect_uri")):
            raise RefusedError(login_error("Error validating verification code: redirect_uri is not identical"))
        told = {"access_token": self.issue_short(), "user_id": self.login_id, "permissions": self.permissions}
        told = {name: value for name, value in told.items() if value is not None}
        return reply(told if self.code_reply_flat else {"data": [told]})

    def _authorize(self, request: Request, params: dict[str, str]) -> Answer:
        """The authorize page of a person who decides at once; the real one ends its redirect in `#_` too."""
        redirect_uri = params.get("redirect_uri", "")
        if params.get("client_id") != self.app_id or params.get("response_type") != "code" or not redirect_uri:
            return html_error(400)
        back = {"code": self.issue_code(redirect_uri)}
        if self.user_denies:
            back = {"error": "access_denied", "error_reason": "user_denied"}
            back["error_description"] = "The user denied your request"
        back |= {name: value for name, value in params.items() if name == "state"}
        separator = "&" if "?" in redirect_uri else "?"
        target = f"{redirect_uri}{separator}{urlencode(back)}#_"
        if self.shows_page:
            page = f'<!doctype html><title>Instagram</title><a href="{html.escape(target)}">Allow</a>'
            return Answer(200, page.encode(), "text/html; charset=utf-8")
        return Answer(302, headers={"Location": target})

    def signed_request(self, user_id: str | None = None, **more: Any) -> str:
        """What Meta's callbacks bring in their form: who has removed the app, or asks for the deletion.

        Without `user_id` it is this account's id in the app. `more` are other fields, or others in place of the usual.
        """
        told = {
            "user_id": user_id or self.profile["id"],
            "algorithm": "HMAC-SHA256",
            "issued_at": 1_780_000_000,
            **more,
        }
        payload = base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=")
        signature = hmac.new(self.app_secret.encode(), payload, "sha256").digest()
        return f"{base64.urlsafe_b64encode(signature).decode().rstrip('=')}.{payload.decode()}"

    # Profile and media

    def _profile(self, request: Request, params: dict[str, str]) -> Answer:
        account = self._account(request, params)
        fields = self._known(parse_fields(params.get("fields", "")), PROFILE_FIELDS)
        profile = self._select({"media_count": len(account.posts), **account.profile}, fields)
        return reply({"data": [profile]} if self.profile_in_list else profile)

    def _media(self, request: Request, params: dict[str, str]) -> Answer:
        account = self._account(request, params)
        fields = self._known(parse_fields(params.get("fields", "")), MEDIA_FIELDS)
        posts, limit, start = list(account.posts), self._limit(params), self._start(params, account)
        page = posts[start : start + limit]
        if not page:
            return reply({"data": []})
        end = start + len(page)
        cursors = {"before": cursor(page[0]["id"], start), "after": cursor(page[-1]["id"], end)}
        paging: dict[str, Any] = {"cursors": cursors}
        if end < len(posts):
            query = urlencode({**params, "limit": params.get("limit", "25"), "after": cursors["after"]})
            path = request.path.replace("/me/", f"/{account.profile['user_id']}/")
            paging["next"] = f"{self.url}{path}?{query}"
        return reply({"data": [self._select(post, fields) for post in page], "paging": paging})

    def _account(self, request: Request, params: dict[str, str]) -> Account:
        """The token's account, which the path names too."""
        account = self._check(params.get("access_token", "")).account or Account(self.profile, self.posts)
        match = ENDPOINTS[endpoint_of(request.path)].fullmatch(request.path)
        if match is None or match[1] not in ("me", account.profile["id"], account.profile["user_id"]):
            raise RefusedError(NOT_FOUND)
        return account

    def _limit(self, params: dict[str, str]) -> int:
        """How many posts this page has: 25 unless asked, 100 at most (Meta's documentation)."""
        text = params.get("limit", "25")
        if not text.isdecimal() or int(text) < 1:
            raise RefusedError(api_error(100, message="(#100) Param limit must be a positive integer"))
        limit = min(int(text), 100)
        return (limit + 1) // 2 if self.short_pages else limit

    def _start(self, params: dict[str, str], account: Account) -> int:
        """Where the page begins: behind the post of the cursor, wherever newer posts have moved it."""
        if not params.get("after"):
            return 0
        try:
            media_id, place = base64.urlsafe_b64decode(params["after"]).decode().split(":")
        except ValueError:
            raise RefusedError(api_error(100, message="(#100) Invalid cursor")) from None
        found = (number for number, post in enumerate(account.posts, 1) if post["id"] == media_id)
        return next(found, int(place))

    def _known(self, fields: Fields, known: frozenset[str]) -> Fields:
        """The fields, or the refusal that one unknown field brings upon the whole request (recorded replies)."""
        for name, inner in fields.items():
            if name not in known - self.unknown_fields:
                text = f"Tried accessing nonexisting field ({name})"
                raise RefusedError(api_error(100, type="IGApiException", message=text))
            self._known(inner, known)
        return fields

    def _select(self, record: Mapping[str, Any], fields: Fields) -> dict[str, Any]:
        """What was asked for and is there, with fresh addresses."""
        chosen = {}
        for name in (name for name in fields if name in record):
            value = record[name]
            if name == "children":
                value = {"data": [self._select(child, fields[name] or {"id": {}}) for child in value["data"]]}
            elif isinstance(value, str) and value.startswith(("/pictures/", "/videos/")):
                value = self.sign(value)
            chosen[name] = value
        return chosen

    # Pictures and videos

    def sign(self, path: str) -> str:
        """An address for `/pictures/ID.jpg` or `/videos/ID.mp4` that works as long as Instagram's: see PICTURE_LIFE."""
        life = PICTURE_LIFE if path.startswith("/pictures/") else VIDEO_LIFE
        oe = f"{int((self.clock() + life).timestamp()):X}"
        query = urlencode({"stp": "dst-jpg", "_nc_gid": secrets.token_hex(6), "oe": oe})
        return f"{self.url}{path}?{query}&sig={self._signature(path, oe)}"

    def _signature(self, path: str, oe: str) -> str:
        return hmac.new(self._secret, f"{path} {oe}".encode(), "sha256").hexdigest()[:32]

    def _file(self, request: Request, params: dict[str, str]) -> Answer:
        oe = params.get("oe", "")
        if params.get("sig") != self._signature(request.path, oe):
            return Answer(403, b"URL signature mismatch")
        if int(oe, 16) <= self.clock().timestamp():
            return Answer(403, b"URL signature expired")
        if request.path.startswith("/videos/"):
            return Answer(200, MP4, "video/mp4")
        return self._picture(request.path)

    def _picture(self, path: str) -> Answer:
        name = path.removeprefix("/pictures/").removesuffix(".jpg")
        with self._lock:
            # An album shows its first child's picture, so "the album's picture" means that one.
            names = [name, *(post["id"] for post in self.posts if post.get("media_url") == path)]
            given = next((self.pictures[each] for each in names if each in self.pictures), PictureReply())
        headers = {**given.headers, **({"Location": given.location} if given.location else {})}
        default = jpeg(name, self.picture_size) if given.status == 200 else b""
        body = default if given.body is None else given.body
        return Answer(given.status, body, given.content_type, headers, given.length, given.chunked)


def cursor(media_id: str, place: int) -> str:
    """An opaque place in the list, as `paging.cursors` has them."""
    return base64.urlsafe_b64encode(f"{media_id}:{place}".encode()).decode()


def main() -> None:
    parser = argparse.ArgumentParser(description="An Instagram account for trying igfeed by hand.")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--posts", type=int, default=30)
    options = parser.parse_args()
    with FakeInstagram(posts=sample_posts(options.posts, utcnow()), port=options.port) as instagram:
        show(
            INSTAGRAM_API_URL=instagram.url,
            INSTAGRAM_OAUTH_URL=instagram.url,
            INSTAGRAM_LOGIN_URL=instagram.url,
            INSTAGRAM_MEDIA_ORIGINS=instagram.url,
            INSTAGRAM_APP_ID=instagram.app_id,
            INSTAGRAM_APP_SECRET=instagram.app_secret,
            INSTAGRAM_ACCESS_TOKEN=instagram.issue(),
        )
        run_until_stopped()


if __name__ == "__main__":
    main()
