"""Sends a message to all addresses with Apprise, within a time limit. No address reaches a log or an error.

Only the first message imports Apprise. The import takes longer than the rest of a cold start, and most processes send
no message.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from igfeed.clock import Deadline
from igfeed.config.alert_addresses import kind_of
from igfeed.owner.alerts.message import Message

log = logging.getLogger(__name__)

SENDING_TIME_LIMIT = 10.0
"""Seconds for one message to all addresses, which are tried at the same time."""

THREAD_NAME = "igfeed-alert"

LOGGERS_OF_ADDRESSES = ("apprise", "oauthlib", "requests_oauthlib")
"""Loggers that may log an address or a part of it. Nothing else in igfeed uses these libraries."""

URLLIB3_MODULES = ("connection", "connectionpool", "poolmanager", "response", "util.retry")
"""Modules of urllib3 that may do so too. Requests to Instagram use them as well."""

ERROR_STATUS = re.compile(r"\berror=(\d{3})\b")
"""How Apprise's plugins log the HTTP status of a refusal (2.3.0)."""


@dataclass(frozen=True)
class Delivery:
    """The result of sending a message to one address. ``number`` is its place in IGFEED_ALERTS, counted from 1.

    ``kind`` is a word such as ``mailto``. ``error`` is None if the address accepted the message, else a sentence
    without secrets.
    """

    number: int
    kind: str
    error: str | None

    def __str__(self) -> str:
        return f"Address {self.number} ({self.kind}): {self.error or 'It took the message.'}"


def send(message: Message, addresses: Mapping[int, str]) -> list[Delivery]:
    """Send the message. ``addresses`` has each address by its number. Raises nothing: errors are in the result.

    A server that has not answered within SENDING_TIME_LIMIT may still deliver the message afterwards.
    """
    if not addresses:
        return []
    _import_apprise()  # Before the time begins, and once instead of in each thread.
    attempts = [_Attempt(number, address, message) for number, address in addresses.items()]
    deadline = Deadline(SENDING_TIME_LIMIT)
    for attempt in attempts:
        attempt.start()
    return [attempt.delivery(deadline) for attempt in attempts]


@dataclass
class _Attempt:
    """The attempt at one address. It has its own thread, as some plugins of Apprise have no reliable time limit."""

    number: int
    address: str = field(repr=False)
    message: Message
    outcome: list[str | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        # A daemon thread, so that the process can end although a server never answers.
        self._thread = Thread(target=self._run, name=THREAD_NAME, daemon=True)

    def start(self) -> None:
        try:
            self._thread.start()
        except RuntimeError:  # No thread starts while the process is ending; Apprise's own time limits must do.
            self._run()

    def delivery(self, deadline: Deadline) -> Delivery:
        """What became of it by the deadline."""
        if self._thread.ident is not None:
            self._thread.join(deadline.left())
        late = f"It did not answer within {SENDING_TIME_LIMIT:g} seconds."
        found = Delivery(self.number, kind_of(self.address), self.outcome[0] if self.outcome else late)
        log.log(logging.WARNING if found.error else logging.INFO, "An alert was sent. %s", found)
        return found

    def _run(self) -> None:
        try:
            self.outcome.append(_error_of(self.address, self.message))
        except Exception as error:  # noqa: BLE001  150 plugins, and an error's text may quote the address
            self.outcome.append(f"It could not be used ({type(error).__name__}).")


def _error_of(address: str, message: Message) -> str | None:
    """Send the message now. Returns None if the address accepted it, else why not."""
    apprise = _import_apprise()
    # Without Apprise's own threads: they cannot start while the process is ending, and the process would wait for them.
    # Without a mask for pictures, so that the messages load none from elsewhere.
    asset = apprise.AppriseAsset(
        app_id="igfeed", app_desc="igfeed", image_url_mask="", async_mode=False, service_timeout=0
    )
    service = apprise.Apprise.instantiate(address, asset=asset)
    if service is None:
        return "Apprise cannot read it: a part is missing or misspelt."
    sender = apprise.Apprise(asset=asset)
    sender.add(service)
    result = sender.notify(title=message.title, body=message.body, notify_type=message.tone, body_format="text")
    return None if result else _reason(str(entry.message) for entry in result.logs())


def _reason(lines: Iterator[str]) -> str:
    """What went wrong, from Apprise's log lines. It quotes none of them, because they may hold the address."""
    text = " ".join(lines)
    if status := ERROR_STATUS.search(text):
        return f"It answered with HTTP status {status[1]}."
    return "It could not be reached." if "onnection error" in text else "It did not take the message."


def _import_apprise() -> Any:
    for name in LOGGERS_OF_ADDRESSES:
        logger = logging.getLogger(name)
        logger.propagate = False
        if not logger.handlers:  # Without any handler, Python prints warnings to standard error.
            logger.addHandler(logging.NullHandler())
    for name in URLLIB3_MODULES:
        logging.getLogger(f"urllib3.{name}").addFilter(_is_not_of_an_alert)
    import apprise  # noqa: PLC0415  see above

    return apprise


def _is_not_of_an_alert(record: logging.LogRecord) -> bool:
    """A filter for loggers that alerts share with requests to Instagram."""
    return record.threadName != THREAD_NAME
