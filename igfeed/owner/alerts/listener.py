"""Calls the lookout after a renewal or a fetch that failed, and after the one that succeeds again.

The cron looks by itself at its end. A healthy view costs nothing: the history knows whether the last one had failed.
"""

from functools import partial

from flask import Flask, Response, after_this_request, has_request_context

from igfeed.history import Event
from igfeed.services import Services, services_of


def init_app(app: Flask) -> None:
    services = services_of(app)
    services.history.on_turn(partial(_after_event, services))


def _after_event(services: Services, event: Event) -> None:
    """Look when the answer is sent: at once if it is, else later."""
    if event.by == "cron":
        return
    if not has_request_context():
        _look_in_background(services)
        return

    @after_this_request
    def add_to(response: Response) -> Response:
        response.call_on_close(partial(_look_in_background, services))
        return response


def _look_in_background(services: Services) -> None:
    from igfeed.owner.alerts.lookout import look  # noqa: PLC0415  no view of a healthy feed needs it

    services.background(partial(look, services))
