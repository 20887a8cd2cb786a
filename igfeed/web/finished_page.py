"""One finished page in every encoding, and the answers that it gives."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from msgspec import Struct
from werkzeug.wrappers import Response

from igfeed.web.encodings import IDENTITY, best_encoding, encoders

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

BODY_HEADERS = {"Content-Type", "Content-Length", "Content-Encoding"}


class Lifetime(Protocol):
    @property
    def is_over(self) -> bool:
        """Whether the page is too old, or shows something that has been replaced since."""


class EncodedPage(Struct, frozen=True):
    """A page in one encoding. Each encoding has an ETag of its own, because a strong ETag identifies exact bytes."""

    body: bytes
    headers: list[tuple[str, str]]
    headers_without_body: list[tuple[str, str]]


class FinishedAnswer(NamedTuple):
    """A complete answer: what the server sends, and for how long."""

    lifetime: Lifetime
    status: str
    headers: list[tuple[str, str]]
    body: tuple[bytes, ...]

    def send(self, start_response: "StartResponse") -> Iterable[bytes]:
        start_response(self.status, [*self.headers])  # A copy, because a server may change its list (PEP 3333).
        return self.body


class FinishedPage(Struct, frozen=True):
    """A page in all encodings. A request with any of ``etags`` has it already."""

    lifetime: Lifetime
    etags: frozenset[str]
    encoded: dict[str, EncodedPage]

    @classmethod
    def from_response(cls, lifetime: Lifetime, response: Response) -> Self:
        body, (etag, _) = response.get_data(), response.get_etag()
        pages = {IDENTITY: _encoded_page(response, body, f'"{etag}"')}
        for encoding, encode in encoders().items():
            pages[encoding] = _encoded_page(response, encode(body), f'"{etag}-{encoding}"', encoding)
        etags = frozenset({"*", *(dict(each.headers)["ETag"] for each in pages.values())})
        return cls(lifetime, etags, pages)

    @property
    def size(self) -> int:
        """Bytes of all encodings together."""
        return sum(len(each.body) for each in self.encoded.values())

    def answer(self, environ: "WSGIEnvironment") -> FinishedAnswer:
        page = self.encoded[best_encoding(environ.get("HTTP_ACCEPT_ENCODING", ""))]
        known = environ.get("HTTP_IF_NONE_MATCH")
        if known and _matches(known, self.etags):
            return FinishedAnswer(self.lifetime, "304 NOT MODIFIED", page.headers_without_body, ())
        body = () if environ["REQUEST_METHOD"] == "HEAD" else (page.body,)
        return FinishedAnswer(self.lifetime, "200 OK", page.headers, body)


def _encoded_page(response: Response, body: bytes, etag: str, encoding: str | None = None) -> EncodedPage:
    headers = response.headers.copy()
    headers["ETag"] = etag
    headers["Content-Length"] = str(len(body))
    headers["Vary"] = "Accept-Encoding"
    headers.remove("Date")  # The server adds the date of each answer.
    if encoding:
        headers["Content-Encoding"] = encoding
    listed = headers.to_wsgi_list()
    return EncodedPage(body, listed, [each for each in listed if each[0] not in BODY_HEADERS])


def _matches(if_none_match: str, etags: frozenset[str]) -> bool:
    """Whether one of the tags is among ``etags``, by weak comparison (RFC 9110)."""
    return any(tag.strip().removeprefix("W/") in etags for tag in if_none_match.split(","))
