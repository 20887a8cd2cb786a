"""A visitor's page that many tests use, one after the other: a new one takes Chromium a third of a second."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, ViewportSize

SIZE: ViewportSize = {"width": 390, "height": 844}
PATIENCE = 120_000
"""Milliseconds after which a test gives up."""


@contextmanager
def phone(browser: Browser) -> Iterator[Page]:
    """A page that is patient and wants less motion. Its context ends with the ``with`` block."""
    context = browser.new_context(viewport=SIZE, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def cleared(page: Page) -> Page:
    """The same page, empty and in its first size. What a test adds to each page that it loads would stay."""
    page.unroute_all()
    page.goto("about:blank")
    page.set_viewport_size(SIZE)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    return page
