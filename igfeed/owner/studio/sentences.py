"""Numbers and times in words, in the page's language."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from igfeed.owner.pages.words import Words
from igfeed.widget.translations import Language

SPANS = (("days", timedelta(days=1)), ("hours", timedelta(hours=1)), ("minutes", timedelta(minutes=1)))


@dataclass(frozen=True)
class Sentences:
    """``now`` is when the page was asked for."""

    words: Words
    language: Language
    now: datetime

    def counted(self, forms: Words, number: int) -> str:
        """The form for this number, with the number in it. ``forms`` has ``one`` and ``other``."""
        form: str = forms.one if number == 1 else forms.other
        return form.format(number=self.language.number(number))

    def ago(self, moment: datetime) -> str:
        """For example "3 hours ago". Less than a minute, or a moment in the future, is "just now"."""
        passed = self.now - moment
        for name, span in SPANS:
            if passed >= span:
                return self.counted(self.words.time[name], passed // span)
        now: str = self.words.time.now
        return now

    def date(self, moment: datetime) -> str:
        return self.language.date(moment)
