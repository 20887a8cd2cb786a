"""The base of every model that is stored: its JSON text, and the types of its fields.

``msgspec`` checks each value against the type of its field: ``from_text`` raises one of ``UNREADABLE`` on anything that
``to_text`` could not have written. A missing field gets its default and an unknown field is ignored, so two versions of
igfeed can share a store.
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
"""The errors that ``from_text`` may raise. The errors of ``msgspec`` are ValueErrors."""

LONG_AGO = datetime.fromtimestamp(0, UTC)


def fingerprint(secret: str) -> str:
    """16 hex digits that identify a secret and do not reveal it, so they may be stored and logged."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


# \Z and not $, because $ also matches before a final newline.
MEDIA_ID = r"^[0-9]{1,32}(_[0-9]{1,32})?\Z"
ADDRESS = r"^((?ai:https?)://[^\s/]|sketch:)\S*\Z"
"""The address of a file on the web, or of a drawing of the sample account."""
PERMALINK = r"^(?ai:https://([a-z0-9-]+\.)*instagram\.com)([/?#]\S*)?\Z"
"""A link on the page. Only whole host names are allowed, because browsers take a backslash for the host's end."""
COLOUR = r"^#[0-9a-f]{6}\Z"
"""Strict, because it is written onto the page as it is."""
MAX_PIXELS = 65_535
"""The longest side that a JPEG can have."""
MAX_COUNTED = 10**12
"""A larger count is a mistake."""

Moment = Annotated[datetime, Meta(tz=True)]
Count = Annotated[int, Meta(ge=0, le=MAX_COUNTED)]
Name = Annotated[str, Meta(min_length=1)]
MediaId = Annotated[str, Meta(pattern=MEDIA_ID)]
Address = Annotated[str, Meta(pattern=ADDRESS)]
Permalink = Annotated[str, Meta(pattern=PERMALINK)]
Pixels = Annotated[int, Meta(ge=1, le=MAX_PIXELS)]
Colour = Annotated[str, Meta(pattern=COLOUR)]

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Times outside are mistakes. Near the ends of Python's calendar, adding an hour would raise an OverflowError."""


def is_from_future(moment: datetime | None, now: datetime) -> bool:
    """Whether a wrong clock must have written this time. It then counts as unknown. False for None."""
    return moment is not None and moment > now + CLOCKS_DIFFER


class Record:
    """A model that is stored as one JSON text. Raises ValueError if one of its times is out of range."""

    RENAMED: ClassVar[Mapping[str, str]] = {}
    """Field names that earlier versions of igfeed wrote, each with its present name."""

    DISPENSABLE: ClassVar[tuple[str, ...]] = ()
    """Fields that get their default if they cannot be read: the rest is worth more."""

    def __post_init__(self) -> None:
        times = (value for value in vars(self).values() if isinstance(value, datetime))
        if not all(EARLIEST <= time <= LATEST for time in times):
            raise ValueError("a time that no clock shows")

    def to_text(self) -> str:
        # Deterministic, because a swap compares texts, and the version of a feed is a hash of one.
        return msgspec.json.encode(self, order="deterministic").decode()

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Raises one of UNREADABLE."""
        try:
            # Most documents have no old names, so they are decoded without a dict in between.
            if not any(f'"{old}":' in text for old in cls.RENAMED):
                return msgspec.json.decode(text, type=cls)
            return msgspec.convert(cls._fields(text), cls)
        except UNREADABLE:
            if not any(f'"{name}":' in text for name in cls.DISPENSABLE):
                raise
            fields = cls._fields(text)
            return msgspec.convert({name: fields[name] for name in fields if name not in cls.DISPENSABLE}, cls)

    @classmethod
    def _fields(cls, text: str) -> dict[str, Any]:
        """The document's fields by their present names."""
        fields = msgspec.json.decode(text, type=dict[str, Any])
        for old, new in cls.RENAMED.items():
            if old in fields:
                fields.setdefault(new, fields[old])
        return fields


def clean_texts(noun: object, *names: str) -> None:
    """Clean these fields of a model. For ``__post_init__``.

    Replies of Instagram are cleaned when they are read; this is for texts that an earlier, less strict version stored.
    """
    for name in names:
        text = getattr(noun, name)
        # The dataclass is frozen, so a plain assignment would raise.
        object.__setattr__(noun, name, None if text is None else clean(text))
