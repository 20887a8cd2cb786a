"""Calls the notifier after each failed renewal or fetch, and after the next one that succeeds.

The cron calls the notifier by itself at its end. A view of a healthy feed never leads here.
"""

from functools import partial

from flask import Flask

from igfeed.accounts.directory import accounts_of
from igfeed.history import Event
from igfeed.owner.pages.account_addresses import Mount, mount_of
from igfeed.services import Services
from igfeed.web.after_answer import after_answer


def init_app(app: Flask) -> None:
    accounts_of(app).for_each_built(partial(_listen, mount_of(app)))


def _listen(mount: Mount, services: Services) -> None:
    services.history.on_failure_or_recovery(partial(_after_event, services, mount))


def _after_event(services: Services, mount: Mount, event: Event) -> None:
    if event.by != "cron":
        after_answer(services, partial(_notify, services, mount))


def _notify(services: Services, mount: Mount) -> None:
    from igfeed.owner.alerts.notifier import notify  # noqa: PLC0415  no view of a healthy feed needs it

    notify(services, mount.prefix)
