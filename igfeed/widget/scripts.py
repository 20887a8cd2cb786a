"""What runs in browsers: the scripts of our own pages, and the one that host pages load."""

from functools import cache
from pathlib import Path
from urllib.parse import quote

from flask import current_app, render_template, request
from markupsafe import Markup

from igfeed.models import FeedSnapshot
from igfeed.services import current
from igfeed.web.addresses import own_origin
from igfeed.widget.options import RATIOS, Options, default_options
from igfeed.widget.translations import language_of
from igfeed.widget.views import View


def page_scripts(options: Options) -> list[Markup]:
    """Those that a page with these options carries; it works without any."""
    names = ("grid.js", "lightbox.js") if options.open == "lightbox" else ("grid.js",)
    return [page_script(name) for name in names]


def embed_script(snapshot: FeedSnapshot | None) -> str:
    """What host pages load: it knows the account's name and how many posts there are, as far as we do."""
    words, profile = language_of(current().settings.language).words, snapshot.profile if snapshot else None
    name = profile.name or f"@{profile.username}" if profile else "igfeed"
    path = f"{quote(profile.username, safe='')}/" if profile else ""
    script = render_template(
        "widget/embed.js",
        place=_place(),
        names=list(Options.table()),
        defaults=default_options(View.EMBED),
        ratios={name: height / width for name, (width, height) in RATIOS.items()},
        posts=len(snapshot.posts) if snapshot else current().settings.posts,
        title=words.page_title.format(name=name),
        home=f"https://www.instagram.com/{path}",
    )
    return _as_sent(script)


def _place() -> str:
    """Where we are, as far as the owner or this request says: an address without its scheme, which is the page's.

    Where neither says it, a host that there never is: the script then shows its link.
    """
    origin = own_origin(current().settings, request.environ) or "https://unknown.invalid"
    return f"{origin}{request.root_path}/".partition(":")[2]


@cache
def page_script(name: str) -> Markup:
    return Markup(_as_sent((Path(current_app.root_path) / "templates/widget" / name).read_text("utf-8")))  # noqa: S704  our own


def _as_sent(script: str) -> str:
    """Without what only its readers need: indentation, and lines that are comments."""
    lines = (line.strip() for line in script.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
