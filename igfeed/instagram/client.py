"""Instagram over HTTP: "Instagram API with Instagram Login", as documented by Meta and as it really answers."""

import logging
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus

from igfeed.clock import Clock, Deadline, Sleep, sleep
from igfeed.errors import InstagramUnreachable, PicturesUnreachable, PictureUnavailable, UnexpectedAnswer
from igfeed.instagram import answers, parsing
from igfeed.instagram.answers import Answer
from igfeed.instagram.transport import TooSlowError, Transport, TransportError
from igfeed.models import Media, Post, Profile, Token
from igfeed.origins import Origins

log = logging.getLogger(__name__)

CALL_LIMIT = 20.0
"""Seconds for one call with all its tries; a renewal is one call, and its claim outlives it."""

RETRY_PAUSES = (0.4, 1.2)
"""Seconds before the second and the third try, each times a random 0.5 to 1.5."""

MOST_JSON = 4 * 1024 * 1024
"""Bytes of one reply: a hundred posts with albums of ten are about 600 KB."""

MOST_PICTURE = 16 * 1024 * 1024
PICTURE_LIMIT = 6.0

LARGEST_PAGE = 100
MOST_PAGES = 10

LONGEST_LIFE = 10 * 365 * 24 * 3600
"""Seconds: far beyond Instagram's sixty days, and near enough for a date to be reckoned."""

FIELDS_REFUSED = 100
WITHOUT_OPTIONAL_FIELDS = timedelta(days=1)
"""How long we go without the optional fields after a request succeeded only without them."""

PROFILE = ("username", "name", "profile_picture_url", "followers_count", "follows_count", "media_count")
PROFILE_OPTIONAL = ("biography", "website")
MEDIA = (
    "id,caption,media_type,media_url,thumbnail_url,permalink,timestamp",
    "children{id,media_type,media_url,thumbnail_url}",
)
MEDIA_OPTIONAL = ("media_product_type", "alt_text", "like_count", "comments_count")

PICTURE_TYPES = ("image/jpeg", "image/png", "image/webp")


class InstagramClient:
    """Stateless but for one thing: which optional fields the API did not know lately."""

    def __init__(
        self,
        *,
        url: str,
        version: str,
        media_origins: Origins,
        transport: Transport,
        clock: Clock,
        sleep: Sleep = sleep,
    ) -> None:
        self._url = url
        self._version = version
        self._media_origins = media_origins
        self._transport = transport
        self._clock = clock
        self._sleep = sleep
        self._plain_until: dict[str, datetime] = {}

    def profile(self, token: str) -> Profile:
        return parsing.profile(self._ask_fields("me", token, PROFILE, PROFILE_OPTIONAL, {}).data)

    def media(self, token: str, limit: int) -> Media:
        posts: dict[str, Post] = {}
        rest = timedelta()
        for page in self._pages(token, min(limit, LARGEST_PAGE)):
            rest = max(rest, page.rest)
            posts |= {post.id: post for post in parsing.posts(page.data) if post.id not in posts}
            if len(posts) >= limit:
                break
        return Media(tuple(posts.values())[:limit], rest)

    def renew(self, token: str) -> Token:
        return self._token("refresh_access_token", {"grant_type": "ig_refresh_token", "access_token": token})

    def exchange(self, token: str, app_secret: str) -> Token:
        params = {"grant_type": "ig_exchange_token", "client_secret": app_secret, "access_token": token}
        return self._token("access_token", params)

    def picture(self, url: str) -> bytes:
        """The bytes of a picture from an allowed origin, redirects included; the file's name proves nothing."""
        origins = self._media_origins
        if not origins.allow(url):
            raise PictureUnavailable("A picture's address is on no allowed origin.", "See INSTAGRAM_MEDIA_ORIGINS.")
        try:
            reply = self._transport.get(
                url, seconds=PICTURE_LIMIT, most_bytes=MOST_PICTURE, allowed=origins.allow, trusted=origins.name
            )
        except TooSlowError as error:
            raise PicturesUnreachable(f"A picture could not be fetched: {error}.") from None
        except TransportError as error:
            raise PictureUnavailable(f"A picture could not be fetched: {error}.") from None
        kind = reply.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if reply.status != HTTPStatus.OK or kind not in PICTURE_TYPES:
            raise PictureUnavailable(f"A picture's address did not give a picture (HTTP {reply.status}).")
        return reply.body

    def _pages(self, token: str, size: int) -> Iterator[Answer]:
        cursor: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            params = {"limit": str(size), **cursor}
            page = self._ask_fields("me/media", token, MEDIA, MEDIA_OPTIONAL, params)
            yield page
            after = parsing.next_cursor(page.data)
            if after is None or after == cursor.get("after"):
                return
            cursor = {"after": after}

    def _ask_fields(
        self, path: str, token: str, core: Sequence[str], optional: Sequence[str], params: dict[str, str]
    ) -> Answer:
        """Ask with the optional fields, and once without them where that is refused.

        One unknown field fails the whole request, and its code says no more than that something was refused.
        """
        address = f"{self._version}/{path}"
        plain = {**params, "fields": ",".join(core), "access_token": token}
        if self._clock() < self._plain_until.get(path, self._clock()):
            return self._get(address, plain)
        try:
            return self._get(address, {**plain, "fields": ",".join([*core, *optional])})
        except UnexpectedAnswer as error:
            if error.code != FIELDS_REFUSED:
                raise
        answer = self._get(address, plain)
        self._plain_until[path] = self._clock() + WITHOUT_OPTIONAL_FIELDS
        log.warning("Instagram does not know one of the optional fields of /%s, going on without them", path)
        return answer

    def _token(self, path: str, params: dict[str, str]) -> Token:
        """Token calls carry no version."""
        asked_at = self._clock()  # Before the call: the lifetime we are told started no earlier.
        data = self._get(path, params).data
        value, seconds = data.get("access_token"), data.get("expires_in")
        if not isinstance(value, str) or not value or not isinstance(seconds, int) or not 0 < seconds <= LONGEST_LIFE:
            raise UnexpectedAnswer("Instagram sent a token without a value or a lifetime.")
        return Token(value, issued_at=asked_at, expires_at=asked_at + timedelta(seconds=seconds))

    def _get(self, path: str, params: dict[str, str]) -> Answer:
        """The first good reply of up to three tries; only temporary trouble is tried again."""
        deadline = Deadline(CALL_LIMIT)
        for pause in RETRY_PAUSES:
            try:
                return self._get_once(path, params, deadline)
            except InstagramUnreachable:
                wait = pause * random.uniform(0.5, 1.5)  # noqa: S311  spreads retries, guards nothing
                if wait >= deadline.left():
                    raise
                self._sleep(wait)
        return self._get_once(path, params, deadline)

    def _get_once(self, path: str, params: dict[str, str], deadline: Deadline) -> Answer:
        try:
            reply = self._transport.get(f"{self._url}/{path}", params, seconds=deadline.left(), most_bytes=MOST_JSON)
        except TransportError as error:
            raise InstagramUnreachable(f"Instagram is out of reach: {error}.") from None
        return answers.read(reply)
