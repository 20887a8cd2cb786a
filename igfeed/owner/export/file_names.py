"""The names of an export's files, by the addresses that they have on the server."""

from urllib.parse import parse_qs

from igfeed.widget.views import View

PAGES = {View.PAGE: "page", View.EMBED: "embed", View.FRAGMENT: "fragment"}

DRAWING = "image/svg+xml"
"""The media type of the drawing that replaces a picture that cannot be fetched."""

ENDINGS = {"image/webp": "webp", "image/avif": "avif", DRAWING: "svg"}
"""By the media type of the answer, which may be WebP where AVIF was asked for."""


def page_name(view: View, query: str) -> str:
    """The name of a page. Those of ``/`` are ``index.html``, ``page-2.html`` and so on."""
    number = int(parse_qs(query).get("page", ["1"])[0])
    if number > 1:
        return f"{PAGES[view]}-{number}.html"
    return "index.html" if view is View.PAGE else f"{PAGES[view]}.html"


def picture_name(path: str, media_type: str) -> str:
    """The name of a picture that is asked for at ``path``. Hosts choose the media type by the ending."""
    return f"{path.rpartition('.')[0]}.{ENDINGS[media_type]}"
