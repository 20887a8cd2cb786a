"""Calls the notifier after each failed renewal or fetch, and after the next one that succeeds.

The cron calls the notifier by itself at its end. A view of a healthy feed never leads here.
"""

from dataclasses import dataclass
from functools import partial

from flask import Flask, Response, after_this_request, has_request_context

from igfeed.accounts.directory import accounts_of
from igfeed.history import Event
from igfeed.owner.pages.account_addresses import mount_prefix
from igfeed.services import Services


@dataclass
class Mount:
    """The prefix under which a proxy mounts the app, as the last request had it. No work after an answer knows it."""

    prefix: str = ""

    def note(self) -> None:
        self.prefix = mount_prefix()


def init_app(app: Flask) -> None:
    mount = Mount()
    app.before_request(mount.note)
    accounts_of(app).for_each_built(partial(_listen, mount))


def _listen(mount: Mount, services: Services) -> None:
    services.history.on_failure_or_recovery(partial(_after_event, services, mount))


def _after_event(services: Services, mount: Mount, event: Event) -> None:
    """Notify after the answer, so that no visitor waits. Without a request, notify now."""
    if event.by == "cron":
        return
    if not has_request_context():
        _notify_in_background(services, mount)
        return

    @after_this_request
    def add_to(response: Response) -> Response:
        response.call_on_close(partial(_notify_in_background, services, mount))
        return response


def _notify_in_background(services: Services, mount: Mount) -> None:
    from igfeed.owner.alerts.notifier import notify  # noqa: PLC0415  no view of a healthy feed needs it

    services.background(partial(notify, services, mount.prefix))
