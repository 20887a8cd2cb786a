"""The history: what the last renewals and fetches came to, newest first, as one document in the store.

Recording an event raises nothing, so that it cannot make a renewal or a fetch fail. Only ``events`` raises.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any, Literal

from igfeed.clock import MILLISECOND, Beginning, Clock, iso
from igfeed.errors import IgfeedError, StoreError, TooYoung
from igfeed.models.record import Count, Moment, Record
from igfeed.stores import Store
from igfeed.stores.document import Document

log = logging.getLogger(__name__)

HISTORY_KEY = "history:v1"

MAX_EVENTS = 50
MAX_ROUTINE_EVENTS = MAX_EVENTS // 2
"""How many routine events stay if other events need their places. A view fetches every quarter of an hour, so routine
events alone would push out the renewals within half a day."""

MAX_ERROR_LENGTH = 300
"""Characters of an error's message, so that the document stays small: each fetch reads and writes it."""

MAX_SWAP_ATTEMPTS = 3
"""How often an event is offered to the store if other processes write first. Then it waits for the next event."""

What = Literal["renewal", "fetch"]
By = Literal["cron", "visitor", "owner"]
"""Who asked for it."""


@dataclass(frozen=True)
class Event(Record):
    """A finished renewal or fetch. ``at`` is when it ended, ``ms`` how many milliseconds it took.

    ``account`` is None for the default account. ``error`` is the error's message without secrets, None if it succeeded.
    """

    at: Moment
    account: str | None
    what: What
    by: By
    outcome: str
    ms: Count
    error: str | None = None

    @property
    def is_routine(self) -> bool:
        """Whether it is a successful fetch that a view has caused."""
        return (self.what, self.by, self.error) == ("fetch", "visitor", None)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"at": iso(self.at)}


Listener = Callable[[Event], None]


@dataclass(frozen=True)
class Events(Record):
    """The document: at most MAX_EVENTS events, newest first."""

    events: tuple[Event, ...] = ()


_asked_by: ContextVar[By] = ContextVar("asked_by", default="visitor")


@contextmanager
def asked_by(by: By) -> Iterator[None]:
    """Events that this thread records inside the block say that ``by`` asked for them.

    It is no argument, because it would pass through six methods that do not use it.
    """
    before = _asked_by.set(by)
    try:
        yield
    finally:
        _asked_by.reset(before)


class History:
    """The events of one account. Threads may share it.

    Two processes may add events at the same time, so each event is added by compare-and-swap. Events that the store
    has not accepted are kept here, and offered again with the next one.
    """

    keys = (HISTORY_KEY,)
    """The store's keys that adding an event reads, for a caller that reads several keys in one command."""

    def __init__(self, store: Store, clock: Clock, account: str | None = None) -> None:
        """``account`` is the account's name in its events, None for the default account."""
        self._account = account
        self._document = Document(store, HISTORY_KEY, Events.from_text)
        self._clock = clock
        self._known: tuple[Event, ...] = ()
        self._unsaved: tuple[Event, ...] = ()
        self._saving = Lock()
        self._listeners: list[Listener] = []
        self._listeners_to_all: list[Listener] = []

    def events(self) -> tuple[Event, ...]:
        """The last events, newest first. Asks the store.

        If the store is away: those that this process knows. Raises StoreError if it knows none.
        """
        try:
            stored = self._document.read().value
        except StoreError:
            if not self._known and not self._unsaved:
                raise
        else:
            self._known = stored.events if stored else ()
        return bounded((*self._unsaved, *self._known))

    def on_failure_or_recovery(self, listener: Listener) -> None:
        """Call the listener after each failed event, and after each successful one that follows a failed one.

        It is called in the thread of the renewal or fetch, and must not raise.
        """
        self._listeners.append(listener)

    def on_event(self, listener: Listener) -> None:
        """Call the listener after each event, in the same way."""
        self._listeners_to_all.append(listener)

    @contextmanager
    def recording(self, what: What, outcome: str) -> Iterator[None]:
        """Add an event for the work in the block: with this outcome, or a failed one if it raises an IgfeedError.

        The error is raised again. It costs one store command if ``keys`` were read ahead, else two.
        """
        began = Beginning(self._clock)
        try:
            yield
        except TooYoung:  # Nothing went wrong: Instagram does not renew young tokens.
            self._add(what, "too_young", began)
            raise
        except IgfeedError as error:
            self._add(what, "failed", began, str(error)[:MAX_ERROR_LENGTH])
            raise
        self._add(what, outcome, began)

    def _add(self, what: What, outcome: str, began: Beginning, error: str | None = None) -> None:
        event = Event(self._clock(), self._account, what, _asked_by.get(), outcome, began.elapsed // MILLISECOND, error)
        with self._saving:
            self._unsaved = bounded((event, *self._unsaved))
            try:
                self._save()
            except StoreError as failure:
                log.debug("An event of the history waits in this process: %s", failure)
            earlier = (each for each in (*self._unsaved, *self._known) if each.what == what and each != event)
            before = next(earlier, None)
        is_of_note = error or (before and before.error)
        for listener in (*self._listeners_to_all, *(self._listeners if is_of_note else ())):
            listener(event)

    def _save(self) -> None:
        for _ in range(MAX_SWAP_ATTEMPTS):
            text, stored = self._document.read()
            events = Events(bounded((*self._unsaved, *(stored.events if stored else ()))))
            # The stored value is unreadable. It may not even be a text, and a swap can compare only texts.
            if text is not None and stored is None:
                self._document.write(events)
            elif not self._document.swap(text, events):
                continue
            self._known, self._unsaved = events.events, ()
            return


def bounded(events: Sequence[Event]) -> tuple[Event, ...]:
    """The newest events, each once. Routine events are dropped first, down to MAX_ROUTINE_EVENTS."""
    # Each once, because a swap whose reply was lost may have stored events that are then offered again.
    unique = tuple(dict.fromkeys(events))
    routine = [event for event in unique if event.is_routine]
    places = max(MAX_ROUTINE_EVENTS, MAX_EVENTS - (len(unique) - len(routine)))
    leaving = set(routine[places:])
    return tuple(event for event in unique if event not in leaving)[:MAX_EVENTS]
