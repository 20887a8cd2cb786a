"""The oEmbed document of a page, for CMSs (https://oembed.com, version 1.0)."""

from html import escape
from typing import Any
from urllib.parse import urlsplit

from flask import url_for
from markupsafe import Markup

from igfeed.models import FeedSnapshot
from igfeed.widget.oembed.frame_size import Frame
from igfeed.widget.options import default_options
from igfeed.widget.views import View

CACHE_AGE = 24 * 3600
"""Seconds that a CMS may keep the document. The frame shows new posts all the same."""

# One line, because WordPress would make paragraphs of several. It removes all attributes that it does not know.
HTML = Markup(
    '<blockquote><a href="{page}">{title}</a></blockquote>'
    '<iframe src="{source}" width="{frame.width}" height="{frame.height}" title="{title}" frameborder="0" '
    'loading="lazy" allow="fullscreen; picture-in-picture; autoplay" style="max-width:100%"></iframe>'
)

Document = dict[str, Any]
"""The values are texts and whole numbers."""


def document(frame: Frame, snapshot: FeedSnapshot, origin: str, title: str) -> Document:
    """The document without a thumbnail. ``title`` is also that of the page."""
    profile = snapshot.profile
    page = f"{origin}{url_for('widget.index')}"
    query = frame.options.query(default_options(View.EMBED, snapshot.choices.look), frame.options.page)
    source = f"{origin}{url_for('widget.embed')}{f'?{query}' if query else ''}"
    return {
        "type": "rich",
        "version": "1.0",  # A text: some consumers compare it with "1.0".
        "title": title,
        "author_name": profile.name or f"@{profile.username}",
        "author_url": profile.address,
        "provider_name": urlsplit(origin).hostname,
        "provider_url": page,
        "cache_age": CACHE_AGE,
        "html": str(HTML.format(page=page, title=title, source=source, frame=frame)),
        "width": frame.width,
        "height": frame.height,
    }


def to_xml(document: Document) -> str:
    # No text of the feed has a character that XML forbids: they were removed when it was read.
    elements = "".join(f"<{name}>{escape(str(value), quote=False)}</{name}>" for name, value in document.items())
    return f'<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<oembed>{elements}</oembed>\n'
