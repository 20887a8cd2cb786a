"""The alternative text of a post, for visitors who do not see its picture.

It is the text that the owner wrote on Instagram, or else the first sentence of the caption, or else author and date.
Beside its caption a picture has another text, so that nothing is read twice.
"""

import re

from igfeed.models import Post
from igfeed.texts.cleaning import clean
from igfeed.texts.sentences import first_sentence, shortened
from igfeed.widget.translations import Language

MAX_ALT_TEXT_LENGTH = 125
"""Characters, about what screen readers read without a pause."""

SPACES = re.compile(r"\s+")

PLACEHOLDER_TEXTS = (
    "no photo description available",
    "keine fotobeschreibung verfügbar",
    "aucune description de photo disponible",
    "no hay ninguna descripción de la foto disponible",
    "nessuna descrizione della foto disponibile",
    "nenhuma descrição de foto disponível",
    "geen fotobeschrijving beschikbaar",
)
"""What Instagram says of a post without a description. "May be an image of …" is useful and not among them."""


def alt_text(post: Post, username: str, language: Language) -> str:
    """The alternative text in this language. Never empty."""
    return (
        from_instagram(post.alt_text or "")
        or first_words(post.caption or "")
        or _author_and_date(post, username, language)
    )


def alt_text_beside_caption(post: Post, username: str, language: Language) -> str:
    """The same where the whole caption can be read too. It repeats nothing of that."""
    own = from_instagram(post.alt_text or "")
    is_repetition = own.casefold() in _line(post.caption or "").casefold()
    return _author_and_date(post, username, language) if is_repetition else own


def excerpt(caption: str | None) -> str:
    """The caption on one line."""
    return _line(caption or "")


def from_instagram(text: str) -> str:
    """The text of Instagram on one line. Empty if it is a placeholder."""
    line = _line(text)
    # The placeholder may follow "Photo by …", so only the end is compared.
    return "" if line.casefold().rstrip(" .").endswith(PLACEHOLDER_TEXTS) else line


def first_words(caption: str) -> str:
    """The caption's first sentence on one line, shortened. Empty if there is no word in it."""
    sentence = first_sentence(caption)
    return shortened(sentence, MAX_ALT_TEXT_LENGTH) if re.search(r"\w", sentence) else ""


def _author_and_date(post: Post, username: str, language: Language) -> str:
    words = language.words
    text = (words.video_by if post.media_type == "VIDEO" else words.photo_by).format(name=username)
    if post.timestamp is None:
        return text
    return f"{text}, {language.date(post.timestamp)}"


def _line(text: str) -> str:
    return SPACES.sub(" ", clean(text) or "").strip()
