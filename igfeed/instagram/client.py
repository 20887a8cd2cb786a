"""Meta's "Instagram API with Instagram Login" over HTTP, as it is documented and as it really answers."""

import logging
import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from http import HTTPStatus

from igfeed.clock import Beginning, CheckedClock, Deadline, Pause, Sleep
from igfeed.errors import (
    InstagramError,
    InstagramUnreachable,
    NoPicture,
    PictureRefused,
    PicturesUnreachable,
    PictureUnavailable,
    TooMuchAsked,
    UnexpectedAnswer,
)
from igfeed.http.reply import HEAD_BYTES, RefusedError, Reply, TooLargeError, TooSlowError, TransportError
from igfeed.http.transport import Transport
from igfeed.instagram import RENEWAL_TIME_LIMIT, parsing, replies
from igfeed.instagram.file_types import is_film, is_picture
from igfeed.instagram.page_size import PageSize, smaller
from igfeed.instagram.reading import IsShown, Reading, every_post
from igfeed.instagram.replies import ApiData
from igfeed.models import Media, Profile, Token
from igfeed.origins import Origins

log = logging.getLogger(__name__)

CALL_TIME_LIMIT = 20.0
"""Seconds for one call with all its retries. A renewal has more."""

SECRET_PARAMS = ("access_token", "client_secret")

RETRY_PAUSES = (0.4, 1.2)
"""Seconds before the second and the third try, each times a random 0.5 to 1.5."""

MAX_JSON_BYTES = 4 * 1024 * 1024
"""Of one reply. A hundred posts with albums of ten are about 600 KB."""

MAX_PICTURE_BYTES = 16 * 1024 * 1024
PICTURE_TIME_LIMIT = 6.0
"""Seconds for one picture file with all its redirects."""

MAX_MEDIA_PAGES = 40
"""Enough for a hundred posts in pages of the smallest size, even if some pages are empty or hold trial reels."""

MEDIA_PAGE_TIME_LIMIT = 6.0
"""Seconds for one page, after which a smaller page is asked for. The smallest page gets all the time that is left."""

MEDIA_TIME_LIMIT = 20.0
"""Seconds for all pages of one list with all retries. Not more, because a first visitor waits for it."""

FIELDS_REFUSED_CODE = 100
WITHOUT_OPTIONAL_FIELDS_FOR = timedelta(days=1)
"""How long optional fields are not asked for after a request succeeded only without them."""

_PROFILE = "id,username,name,profile_picture_url,followers_count,follows_count,media_count"
_MEDIA = (
    "id,caption,media_type,media_url,thumbnail_url,permalink,timestamp,children{id,media_type,media_url,thumbnail_url}"
)

PROFILE_FIELDS = (
    f"{_PROFILE},biography,website,user_id,account_type",
    f"{_PROFILE},biography,website",
    _PROFILE,
)
MEDIA_FIELDS = (
    f"{_MEDIA},is_shared_to_feed,media_product_type,alt_text,like_count,comments_count",
    f"{_MEDIA},is_shared_to_feed",
    _MEDIA,
)
"""The lists of fields to ask for. If Instagram refuses a list, the next one is tried. ``user_id`` is left out first,
because it is refused for some accounts. ``is_shared_to_feed`` is left out last, because without it trial reels would be
shown to everybody."""

TEMPORARY_STATUSES = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
"""Statuses below 500 after which the same URL may give a picture a little later."""


class InstagramClient:
    """Implements ``Instagram``. Remembers which fields were refused and which page size was too large."""

    def __init__(
        self,
        *,
        url: str,
        version: str,
        media_origins: Origins,
        transport: Transport,
        clock: CheckedClock,
        sleep: Sleep,
    ) -> None:
        self._url = url
        self._version = version
        self._media_origins = media_origins
        self._transport = transport
        self._clock = clock
        self._sleep = sleep
        self._reduced_fields: dict[str, tuple[int, Pause]] = {}
        self._page_size = PageSize(clock)

    def profile(self, token: str) -> Profile:
        return parsing.profile(self._ask_fields("me", PROFILE_FIELDS, {"access_token": token}).data)

    def media(self, token: str, limit: int, is_shown: IsShown = every_post) -> Media:
        reading, is_complete = Reading(limit, is_shown), True
        try:
            for page in self._pages(token, reading):
                reading.add(parsing.posts(page.data), page.cooldown)
        except InstagramUnreachable as error:
            # Some posts are better than none.
            if not reading.posts:
                raise
            is_complete = False
            log.warning("Instagram sent %s posts, but not those after them: %s", reading.posts, error)
        is_at_end = is_complete and not reading.has_enough
        return reading.media(is_complete=is_complete, is_at_end=is_at_end, clock_ahead=self._clock.ahead)

    def renew(self, token: str, seconds: float = RENEWAL_TIME_LIMIT) -> Token:
        asked = Beginning(self._clock)  # Before the call, because the token's lifetime cannot have begun earlier.
        params = {"grant_type": "ig_refresh_token", "access_token": token}
        answer = self._get("refresh_access_token", params, Deadline(seconds), only_once=True)
        return parsing.token(answer.data, asked.moment)

    def exchange(self, token: str, app_secret: str) -> Token:
        asked = Beginning(self._clock)
        params = {"grant_type": "ig_exchange_token", "client_secret": app_secret, "access_token": token}
        return parsing.token(self._get("access_token", params).data, asked.moment)

    def picture(self, url: str) -> bytes:
        """The bytes of a picture from an allowed origin. Redirects must stay on allowed origins too.

        The file type is read from the first bytes, because a Content-Type may be wrong. Raises PictureUnavailable.
        """
        origins = self._media_origins
        if not origins.allow(url):
            raise PictureRefused("A picture's address is on no allowed origin.", "See INSTAGRAM_MEDIA_ORIGINS.")
        try:
            reply = self._transport.get(
                url,
                seconds=PICTURE_TIME_LIMIT,
                most_bytes=MAX_PICTURE_BYTES,
                allowed=origins.allow,
                trusted=origins.name,
                wanted=is_picture,
            )
        except TransportError as error:
            failure = _picture_failure(error)
        else:
            return _picture(reply)
        # Outside of the except block, so that the original exception, which may contain the URL, is not its context.
        raise failure

    def _pages(self, token: str, reading: Reading) -> Iterator[ApiData]:
        """Yields one page after the other, until the caller's reading has enough or the list ends.

        Raises InstagramUnreachable if the time or MAX_MEDIA_PAGES is used up before the list ends.
        """
        deadline = Deadline(MEDIA_TIME_LIMIT)
        cursor: dict[str, str] = {}
        for _ in range(MAX_MEDIA_PAGES):
            page = self._page(token, reading.next_size, cursor, deadline)
            yield page
            if reading.has_enough:
                return
            after = parsing.next_cursor(page.data)
            # The same cursor again would give the same page for ever.
            if after is None or after == cursor.get("after"):
                return
            cursor = {"after": after}
        raise InstagramUnreachable(f"Instagram's list does not end after {MAX_MEDIA_PAGES} pages.")

    def _page(self, token: str, limit: int, cursor: dict[str, str], deadline: Deadline) -> ApiData:
        """One page. If Instagram cannot send that many posts at once, smaller pages are tried."""
        is_second_try = False
        while True:
            size = self._page_size.of(limit)
            is_smallest = smaller(size) is None
            page_deadline = deadline if is_smallest else Deadline(min(deadline.left(), MEDIA_PAGE_TIME_LIMIT))
            params = {"limit": str(size), **cursor, "access_token": token}
            try:
                may_retry = is_smallest and not is_second_try
                return self._ask_fields("me/media", MEDIA_FIELDS, params, page_deadline, retry_same_size=may_retry)
            except TooMuchAsked as error:
                self._page_size.failed(size)
                if is_smallest or not deadline.left():
                    raise
                log.info("Instagram does not send %s posts at once, asking for fewer: %s", size, error)
            is_second_try = True
            self._sleep(_with_jitter(RETRY_PAUSES[0]))

    def _ask_fields(
        self,
        path: str,
        choices: Sequence[str],
        params: dict[str, str],
        deadline: Deadline | None = None,
        *,
        retry_same_size: bool = True,
    ) -> ApiData:
        """The reply with the first of these lists of fields that Instagram accepts.

        One unknown field makes the whole request fail, and the error's code does not say which field is unknown.
        """
        index = first = self._field_list_index(path)
        while True:
            fields = {**params, "fields": choices[index]}
            try:
                answer = self._get(f"{self._version}/{path}", fields, deadline, retry_same_size=retry_same_size)
                break
            except UnexpectedAnswer as error:
                if error.code != FIELDS_REFUSED_CODE or index + 1 == len(choices):
                    raise
            index += 1
        if index > first:
            self._reduced_fields[path] = index, Pause(self._clock, WITHOUT_OPTIONAL_FIELDS_FOR)
            log.warning("Instagram does not know one of the optional fields of /%s, going on without them", path)
        return answer

    def _field_list_index(self, path: str) -> int:
        """The index of the list of fields that was accepted last, 0 once that is too long ago."""
        index, pause = self._reduced_fields.get(path, (0, None))
        return 0 if pause is None or pause.is_over else index

    def _get(
        self,
        path: str,
        params: dict[str, str],
        deadline: Deadline | None = None,
        *,
        retry_same_size: bool = True,
        only_once: bool = False,
    ) -> ApiData:
        """The first good reply of up to three tries. Only temporary errors are retried.

        ``retry_same_size`` is False if the caller asks for less after a TooMuchAsked, which is then not retried here.
        With ``only_once`` there is a retry only if the request was never sent.
        """
        deadline = deadline or Deadline(CALL_TIME_LIMIT)
        for pause in RETRY_PAUSES:
            try:
                return self._get_once(path, params, deadline, is_patient=only_once)
            except InstagramUnreachable as error:
                wait = _with_jitter(pause)
                is_too_much = isinstance(error, TooMuchAsked) and not retry_same_size
                if wait >= deadline.left() or is_too_much or (only_once and error.may_have_taken_effect):
                    raise
                self._sleep(wait)
        return self._get_once(path, params, deadline, is_patient=only_once)

    def _get_once(self, path: str, params: dict[str, str], deadline: Deadline, *, is_patient: bool) -> ApiData:
        try:
            reply = self._transport.get(
                f"{self._url}/{path}",
                params,
                seconds=deadline.left(),
                most_bytes=MAX_JSON_BYTES,
                is_patient=is_patient,
            )
        except (TooSlowError, TooLargeError) as error:
            raise TooMuchAsked(f"Instagram is out of reach: {error}.", may_have_taken_effect=error.is_sent) from None
        except TransportError as error:
            raise InstagramUnreachable(
                f"Instagram is out of reach: {error}.", may_have_taken_effect=error.is_sent
            ) from None
        try:
            answer = replies.read(reply, [params[name] for name in SECRET_PARAMS if name in params])
        except InstagramError as error:
            # Only Instagram itself puts a code into an error; an error page of a gateway has none.
            if error.code is not None:
                self._check_clock(reply)
            raise
        self._check_clock(reply)
        return answer

    def _check_clock(self, reply: Reply) -> None:
        """Compare our clock with the reply's Date. Not used for a gateway's replies, because its clock may be wrong."""
        if sent_at := replies.sent_at(reply.headers):
            self._clock.check(sent_at)


def _with_jitter(pause: float) -> float:
    """The pause times a random factor, so that many processes do not retry at the same moment."""
    return pause * random.uniform(0.5, 1.5)  # noqa: S311  no secret depends on it


def _picture(reply: Reply) -> bytes:
    """The body if it is a picture. Raises PictureUnavailable if not."""
    head = reply.body[:HEAD_BYTES]
    if reply.status != HTTPStatus.OK:
        # Most statuses from 400 to 499 are final for this address. All others may pass.
        is_final = HTTPStatus.BAD_REQUEST <= reply.status < HTTPStatus.INTERNAL_SERVER_ERROR
        kind = PictureRefused if is_final and reply.status not in TEMPORARY_STATUSES else PictureUnavailable
        raise kind(f"A picture's address did not give a picture (HTTP {reply.status}).")
    if is_film(head):
        raise NoPicture("A picture's address gives a film.")
    if not is_picture(head):
        raise PictureRefused("A picture's address did not give a picture.")
    return reply.body


def _picture_failure(error: TransportError) -> PictureUnavailable:
    message = f"A picture could not be fetched: {error}."
    if isinstance(error, TooSlowError):
        return PicturesUnreachable(message)
    return PictureRefused(message) if isinstance(error, RefusedError) else PictureUnavailable(message)
