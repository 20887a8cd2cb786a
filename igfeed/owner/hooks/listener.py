"""Looks for new posts after a fetch, and after each choice of the owner.

Without IGFEED_ON_NEW_POST nothing listens. A fetch for a visitor that brings no post costs nothing either, except for
the first one of a process.
"""

import logging
from functools import partial

from flask import Flask

from igfeed.accounts.directory import accounts_of
from igfeed.errors import StoreError
from igfeed.history import Event
from igfeed.owner.hooks.addresses import hook_addresses
from igfeed.owner.pages.account_addresses import mount_of
from igfeed.services import Services
from igfeed.web.after_answer import after_answer

log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    mount_of(app)  # Called now, so that it notes the requests before the first new post.
    accounts_of(app).for_each_built(partial(_listen, app))


def _listen(app: Flask, services: Services) -> None:
    if hook_addresses(services.settings):
        listener = _Listener(app, services)
        services.history.on_event(listener.after_event)
        services.feed.on_choice(listener.after_choice)


class _Listener:
    def __init__(self, app: Flask, services: Services) -> None:
        self._app = app
        self._services = services
        self._looked_at: frozenset[str] | None = None
        """The posts that the feed had when this process last looked. None: it has not looked yet."""

    def after_event(self, event: Event) -> None:
        if event.what == "fetch" and (event.by != "visitor" or self._has_more_posts()):
            self._look_soon(retries=event.by != "visitor")

    def after_choice(self) -> None:
        """A choice may show a post, such as one that waited for approval."""
        self._look_soon(retries=False)

    def _has_more_posts(self) -> bool:
        return self._looked_at is None or not self._posts() <= self._looked_at

    def _posts(self) -> frozenset[str]:
        whole = self._services.feed.whole
        return frozenset(post.id for post in whole.posts) if whole else frozenset()

    def _look_soon(self, *, retries: bool) -> None:
        after_answer(self._services, partial(self._look, retries=retries))

    def _look(self, *, retries: bool) -> None:
        from igfeed.owner.hooks.teller import tell  # noqa: PLC0415  most processes see no new post

        posts = self._posts()
        try:
            tell(self._app, self._services, retries=retries)
        except StoreError as error:
            log.debug("It is not known whether there are new posts to tell: %s", error)
        else:
            self._looked_at = posts
