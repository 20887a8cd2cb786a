"""What every stored noun shares: it is frozen, and it is written as one JSON text.

What is read is checked leaf by leaf, by ``msgspec`` and from the fields' own types: ``from_text`` raises one of
``UNREADABLE`` on anything that ``to_text`` could not have written. A missing field has its default, and an unknown one
is passed over, so that two versions of igfeed can share a store.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self

import msgspec
from msgspec import Meta

from igfeed.clock import CLOCKS_DIFFER
from igfeed.texts.cleaning import clean

UNREADABLE = (ValueError, OverflowError, RecursionError)
"""``msgspec``'s errors are ValueErrors."""

LONG_AGO = datetime.fromtimestamp(0, UTC)


def fingerprint(secret: str) -> str:
    """A name for a secret that can be written down and compared, and that leads nowhere back."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


MEDIA_ID = r"^[0-9]{1,32}(_[0-9]{1,32})?\Z"
ADDRESS = r"^((?ai:https?)://[^\s/]|sketch:)\S*\Z"
"""Of a file on the web, or of a drawing of the sample account."""
PERMALINK = r"^(?ai:https://([a-z0-9-]+\.)*instagram\.com)([/?#]\S*)?\Z"
"""It goes onto the page. Browsers take a backslash for the end of the host, so a host has whole names only."""
COLOUR = r"^#[0-9a-f]{6}\Z"
"""It goes onto the page as it is."""
MOST_COUNTED = 10**12

Moment = Annotated[datetime, Meta(tz=True)]
Count = Annotated[int, Meta(ge=0, le=MOST_COUNTED)]
Name = Annotated[str, Meta(min_length=1)]
MediaId = Annotated[str, Meta(pattern=MEDIA_ID)]
Address = Annotated[str, Meta(pattern=ADDRESS)]
Permalink = Annotated[str, Meta(pattern=PERMALINK)]
Colour = Annotated[str, Meta(pattern=COLOUR)]

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Times beyond are mistakes, and near the ends of the calendar to add an hour is an error."""


def is_from_future(moment: datetime | None, now: datetime) -> bool:
    """Whether a clock that was wrong has told this moment: then it counts as unknown."""
    return moment is not None and moment > now + CLOCKS_DIFFER


class Record:
    """What is kept in the store as one JSON text."""

    RENAMED: ClassVar[Mapping[str, str]] = {}
    """Names of fields as earlier versions of igfeed wrote them, with the names of today."""

    def __post_init__(self) -> None:
        times = (value for value in vars(self).values() if isinstance(value, datetime))
        if not all(EARLIEST <= time <= LATEST for time in times):
            raise ValueError("a time that no clock shows")

    def to_text(self) -> str:
        return msgspec.json.encode(self, order="deterministic").decode()

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Raises one of UNREADABLE."""
        if not any(f'"{old}":' in text for old in cls.RENAMED):
            return msgspec.json.decode(text, type=cls)
        fields = msgspec.json.decode(text, type=dict[str, Any])
        for old, new in cls.RENAMED.items():
            if old in fields:
                fields.setdefault(new, fields[old])
        return msgspec.convert(fields, cls)


def clean_texts(noun: object, *names: str) -> None:
    """Here and not only where Instagram is read: an earlier version, which was less strict, may have stored them."""
    for name in names:
        text = getattr(noun, name)
        object.__setattr__(noun, name, None if text is None else clean(text))
