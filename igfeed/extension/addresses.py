"""The feed's addresses for the host: ``url_for("igfeed.page", limit=3)``.

Those of another account have its name in them: ``url_for("igfeed.page", account="prints")``.
"""

from flask import Flask

from igfeed.widget.views import FeedFormat, View

PATHS = {
    "page": View.PAGE.path,
    "embed": View.EMBED.path,
    "script": "/embed.js",
    "fragment": View.FRAGMENT.path,
    "json_feed": FeedFormat.JSON_FEED.value,
    "atom": FeedFormat.ATOM.value,
    "privacy": "/privacy",
    "studio": "/studio",
}
"""The paths below the prefix, by the last part of the endpoint."""


def init_app(host: Flask, prefix: str) -> None:
    for name, path in PATHS.items():
        # The host only builds these addresses. Requests for them never reach its routing.
        for account in ("", "/<account>"):
            host.add_url_rule(f"{prefix}{account}{path}", f"igfeed.{name}", build_only=True)
