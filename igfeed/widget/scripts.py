"""The scripts that browsers run: those of our own pages, and the one that host pages load."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, quote

from flask import current_app, render_template, request
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from igfeed.models import FeedSnapshot
from igfeed.models.record import fingerprint
from igfeed.services import current
from igfeed.web.addresses import FOR_FILES, own_origin
from igfeed.widget.csp import embedder_patterns
from igfeed.widget.layouts.shapes import average_width
from igfeed.widget.options import ORIGINAL, RATIOS, Options, default_options
from igfeed.widget.translations import language_of
from igfeed.widget.views import View

JS_TEXT = re.compile(r"""('[^'\n]*'|"(?:[^"\\\n]|\\.)*"|`[^`]*`)""")
"""A text in a script, which stays as it is."""

# A space between two of + and - stays, as `a + +b` is another thing than `a++b`. A line break counts as the end of a
# statement unless the sign before it shows that the statement goes on.
NEEDLESS_SPACE = re.compile(
    r" (?=[=<>{}()\[\],;:?&|!*/])|(?<=[=<>{(\[,;:?&|*])\s|(?<=[)}\]!/]) |\n(?=[})\]])"
    r"|(?<![+-]) (?=[+-])|(?<=[+-]) (?![+-])"
)


def page_scripts(view: View, options: Options) -> list[Markup]:
    """The scripts of a page with these options. The page works without them too."""
    # WordPress makes frames of what people paste, and expects messages of its own kind from them.
    names = [*script_names(options), *(["wordpress.js"] if view is View.EMBED else [])]
    bodies = [grid_body() if (name, options.layout) == ("grid.js", "carousel") else script_body(name) for name in names]
    return [Markup(f"((root,load)=>{{\n{body}\n}})(document)") for body in bodies]  # noqa: S704  our own


def notice_scripts(view: View) -> list[Markup]:
    """The script of the page that says that there are no posts yet. In a frame it sends ``embed.js`` the words."""
    words = language_of(current().settings.language).words
    said = htmlsafe_json_dumps(f"{words.feed_not_ready}. {words.come_back_later}")
    return [Markup(f"parent.postMessage({{igfeed:{said}}},'*')")] if view is View.EMBED else []  # noqa: S704  our own


def script_names(options: Options) -> tuple[str, ...]:
    return ("grid.js", "lightbox.js") if options.open == "lightbox" else ("grid.js",)


def embed_script(snapshot: FeedSnapshot | None) -> str:
    """The script for host pages. Without a snapshot it does not know the account's name and number of posts."""
    words, profile = language_of(current().settings.language).words, snapshot.profile if snapshot else None
    name = profile.name or f"@{profile.username}" if profile else "igfeed"
    path = f"{quote(profile.username, safe='')}/" if profile else ""
    script = render_template(
        "widget/embed.js",
        place=_own_address(),
        page="embed.html" if FOR_FILES in request.environ else "embed",  # Not every static host finds it as `embed`.
        names=list(Options.table()),
        defaults=default_options(View.EMBED),
        look=dict(parse_qsl(snapshot.choices.look)) if snapshot else {},
        ratios=_heights_of_tiles(snapshot),
        version=module_version(),
        posts=len(snapshot.posts) if snapshot else current().settings.posts,
        title=words.page_title.format(name=name),
        is_empty=snapshot is None,
        home=f"https://www.instagram.com/{path}",
    )
    return _minified(script)


def inline_module() -> str:
    """The module that shows the feed inside a page of another site."""
    module = render_template(
        "widget/inline.js",
        grid=grid_body(),
        lightbox=script_body("lightbox.js"),
        embedders=embedder_patterns(current().settings.frame_ancestors),
    )
    return _minified(module)


def module_version() -> str:
    """For the module's address: browsers may keep what they have of it for good."""
    return fingerprint(inline_module())[:8]


def _heights_of_tiles(snapshot: FeedSnapshot | None) -> dict[str, float]:
    """The height of a tile for a width of 1, by the value of ``layout`` or ``ratio`` that decides it. An average."""
    pictures = [post.picture for post in snapshot.posts] if snapshot else []
    heights = {name: round(height / width, 3) for name, (width, height) in RATIOS.items() if height != width}
    as_they_are = round(1 / average_width(pictures), 3)
    return heights | {"masonry": as_they_are, ORIGINAL: as_they_are}


def _own_address() -> str:
    """Our address without its scheme, as the host page's scheme is used.

    If neither BASE_URL nor the request gives it, this is a host that never exists: the script then shows its link.
    """
    origin = own_origin(current().settings, request.environ) or "https://unknown.invalid"
    return f"{origin}{request.root_path}/".partition(":")[2]


def grid_body() -> str:
    """The script of the grid, and what a carousel needs on top of it."""
    return f"{script_body('grid.js')}\n{script_body('carousel.js')}"


@cache
def script_body(name: str) -> str:
    """A script as the body of a function of ``root``: of our own document, or of a shadow root in a host page."""
    return _minified((Path(current_app.root_path) / "templates/widget" / name).read_text("utf-8"))


def _minified(script: str) -> str:
    """The script without comment lines, indentation and most spaces. Regular expressions in it have no spaces."""
    lines = (line.strip() for line in script.splitlines())
    code = "\n".join(line for line in lines if line and not line.startswith("//"))
    parts = JS_TEXT.split(code)  # Code and texts in turn.
    parts[::2] = [NEEDLESS_SPACE.sub("", part) for part in parts[::2]]
    return "".join(parts)
