"""Sends a message to each address, by Apprise, within a time limit. An address never reaches a log or an error.

Apprise is imported by the first message: that takes longer than the rest of a cold start, and most processes send none.
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
"""Seconds for one message to all addresses, which get it at the same time."""

THREAD_NAME = "igfeed-alert"

TALKATIVE_LIBRARIES = ("apprise", "oauthlib", "requests_oauthlib")
"""Loggers that may log an address, or a part of it. Nothing else in igfeed uses them."""
URLLIB3_MODULES = ("connection", "connectionpool", "poolmanager", "response", "util.retry")

ERROR_STATUS = re.compile(r"\berror=(\d{3})\b")
"""How Apprise's plugins log the HTTP status of a refusal (2.3.0)."""


@dataclass(frozen=True)
class Delivery:
    """What became of a message at one address: ``number`` is its place in IGFEED_ALERTS, counted from 1.

    ``kind`` is a word such as ``mailto``. ``error`` is None if the address took the message, else a sentence without
    secrets.
    """

    number: int
    kind: str
    error: str | None

    def __str__(self) -> str:
        return f"Address {self.number} ({self.kind}): {self.error or 'It took the message.'}"


def send(message: Message, addresses: Mapping[int, str]) -> list[Delivery]:
    """Send the message to the addresses, given by their numbers. Raises nothing: errors are in the result.

    A server that has not answered within SENDING_TIME_LIMIT may still deliver the message afterwards.
    """
    if not addresses:
        return []
    _import_apprise()  # Before the time begins, and once instead of in each thread.
    trials = [_Trial(number, address, message) for number, address in addresses.items()]
    deadline = Deadline(SENDING_TIME_LIMIT)
    for trial in trials:
        trial.start()
    return [trial.delivery(deadline) for trial in trials]


@dataclass
class _Trial:
    """One address's try, in a thread of its own: some of Apprise's plugins have no time limit that always holds."""

    number: int
    address: str = field(repr=False)
    message: Message
    outcome: list[str | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        # A daemon, so that a server that never answers does not keep the process from ending.
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
    """Send the message now. None if the address took it, else why not."""
    apprise = _import_apprise()
    # In this thread, without Apprise's own ones: those cannot start while the process is ending, and the process would
    # wait for them. The messages show no picture from elsewhere.
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
    """What went wrong, from Apprise's log lines. They are not repeated, as they may quote the address or the server."""
    text = " ".join(lines)
    if status := ERROR_STATUS.search(text):
        return f"It answered with HTTP status {status[1]}."
    return "It could not be reached." if "onnection error" in text else "It did not take the message."


def _import_apprise() -> Any:
    for name in TALKATIVE_LIBRARIES:
        logger = logging.getLogger(name)
        logger.propagate = False
        if not logger.handlers:  # Without any handler, Python prints warnings to standard error.
            logger.addHandler(logging.NullHandler())
    for name in URLLIB3_MODULES:
        logging.getLogger(f"urllib3.{name}").addFilter(_is_no_senders_line)
    import apprise  # noqa: PLC0415  see above

    return apprise


def _is_no_senders_line(record: logging.LogRecord) -> bool:
    """A filter for loggers that are also used by requests to Instagram."""
    return record.threadName != THREAD_NAME
