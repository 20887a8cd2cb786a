"""The page's own words, numbers and dates: one file for each language."""

from igfeed.widget.translations.language import Language, language_of

__all__ = ["Language", "language_of"]
