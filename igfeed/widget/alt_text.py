"""What a picture says to somebody who does not see it.

Instagram's own alternative text where the owner wrote one; else the beginning of the caption; else who made it, when.
"""

import re

from igfeed.models import Post
from igfeed.texts.cleaning import clean
from igfeed.texts.sentences import first_sentence, shortened
from igfeed.widget.translations import Language

LONGEST = 125
"""Characters: about what screen readers read in one go."""

SPACES = re.compile(r"\s+")

SAY_NOTHING = (
    "no photo description available",
    "keine fotobeschreibung verfügbar",
    "aucune description de photo disponible",
    "no hay ninguna descripción de la foto disponible",
    "nessuna descrizione della foto disponibile",
    "nenhuma descrição de foto disponível",
    "geen fotobeschrijving beschikbaar",
)
"""Instagram's text for a post without a description. "May be an image of …" is useful, so it is kept."""


def alt_text(post: Post, username: str, language: Language) -> str:
    """Never empty."""
    return _own(post.alt_text or "") or _beginning(post.caption or "") or _who_and_when(post, username, language)


def excerpt(caption: str | None) -> str:
    """The caption on one line."""
    return _line(caption or "")


def _own(text: str) -> str:
    line = _line(text)
    return "" if line.casefold().rstrip(" .").endswith(SAY_NOTHING) else line


def _beginning(caption: str) -> str:
    """The caption's first sentence, unless there is no word in it."""
    sentence = first_sentence(caption)
    return shortened(sentence, LONGEST) if re.search(r"\w", sentence) else ""


def _who_and_when(post: Post, username: str, language: Language) -> str:
    words = language.words
    text = (words.video_by if post.media_type == "VIDEO" else words.photo_by).format(name=username)
    if post.timestamp is None:
        return text
    return f"{text}, {language.date(post.timestamp)}"


def _line(text: str) -> str:
    return SPACES.sub(" ", clean(text) or "").strip()
