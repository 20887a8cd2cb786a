"""Calls the notifier after each failed renewal or fetch, and after the next one that succeeds.

The cron calls the notifier by itself at its end. A view of a healthy feed never leads here.
"""

from functools import partial

from flask import Flask, Response, after_this_request, has_request_context

from igfeed.accounts.directory import accounts_of
from igfeed.history import Event
from igfeed.services import Services


def init_app(app: Flask) -> None:
    accounts_of(app).for_each_built(_listen)


def _listen(services: Services) -> None:
    services.history.on_failure_or_recovery(partial(_after_event, services))


def _after_event(services: Services, event: Event) -> None:
    """Notify after the answer, so that no visitor waits. Without a request, notify now."""
    if event.by == "cron":
        return
    if not has_request_context():
        _notify_in_background(services)
        return

    @after_this_request
    def add_to(response: Response) -> Response:
        response.call_on_close(partial(_notify_in_background, services))
        return response


def _notify_in_background(services: Services) -> None:
    from igfeed.owner.alerts.notifier import notify  # noqa: PLC0415  no view of a healthy feed needs it

    services.background(partial(notify, services))
