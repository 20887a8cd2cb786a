"""What a post says, for readers: its title, its hashtags and mentions, and its content as HTML."""

from collections.abc import Iterable

from markupsafe import Markup, escape

from igfeed.models import PostLink
from igfeed.texts.caption_links import Part
from igfeed.texts.hashtags import folded
from igfeed.widget.alt_text import first_words
from igfeed.widget.syndication.feed import Feed
from igfeed.widget.syndication.picture_sizes import picture_sizes
from igfeed.widget.tiles import Slide, Tile

# Why no style and no class: readers remove them.
PICTURE = Markup('<img src="{address}"{size} alt="{alt}">')
SIZE = Markup(' width="{width}" height="{height}"')
LINK = Markup('<a href="{address}">{text}</a>')
PARAGRAPH = Markup("<p>{text}</p>")
NEW_LINE = Markup("<br>\n")


def title(tile: Tile) -> str | None:
    """The first sentence of the caption. None if there is no word in it."""
    return first_words(tile.caption) or None


def hashtags(tile: Tile) -> list[str]:
    """Without ``#``, in the order of the caption, each once whatever its case is."""
    return _distinct(tile.caption_parts, "#")


def mentions(tile: Tile) -> list[str]:
    """Without ``@``, in the order of the caption, each once."""
    return _distinct(tile.caption_parts, "@")


def html(feed: Feed, tile: Tile) -> Markup:
    """The pictures, the caption with its links and lines, and the owner's link."""
    paragraphs = [_picture(feed, tile, slide) for slide in tile.slides]
    paragraphs += [_caption(tile.caption_parts) if tile.caption else None, _own_link(feed, tile.own_link)]
    found = Markup("\n").join(PARAGRAPH.format(text=text) for text in paragraphs if text)
    # Some readers, feedparser among them, take a quote that is written as a number for the end of an attribute.
    return found.replace("&#34;", Markup("&quot;"))


def _picture(feed: Feed, tile: Tile, slide: Slide) -> Markup | None:
    """The picture with a link to the post. None if there is no picture."""
    address = feed.picture(slide.picture)
    if address is None:
        return None
    largest = picture_sizes(slide.picture)[-1]
    size = SIZE.format(width=largest.width, height=largest.height) if largest.width else ""
    picture = PICTURE.format(address=address, size=size, alt=slide.alt)
    link = tile.post.permalink
    return LINK.format(address=link, text=picture) if link else picture


def _caption(parts: Iterable[Part]) -> Markup:
    return Markup("").join(_part(part) for part in parts)


def _part(part: Part) -> Markup:
    text = escape(part.text).replace("\n", NEW_LINE)
    return LINK.format(address=part.address, text=text) if part.address else text


def _own_link(feed: Feed, link: PostLink | None) -> Markup | None:
    return LINK.format(address=link.url, text=link.label or feed.language.words.learn_more) if link else None


def _distinct(parts: Iterable[Part], sign: str) -> list[str]:
    found: dict[str, str] = {}
    for part in parts:
        if part.address and part.text.startswith(sign):
            word = part.text.removeprefix(sign)
            found.setdefault(folded(word) or word, word)
    return list(found.values())
