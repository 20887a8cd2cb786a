"""Removes from a text what a page must not contain, as soon as the text is read.

Removed are the characters that HTML forbids and those that would reorder the words around the text. A text that shows
nothing becomes None. Everything else stays as people wrote it.
"""

import re
from collections.abc import Sequence
from unicodedata import category

ODD = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U0001fffe-\U0010ffff]"
)
"""Only a text with one of these is processed. Most texts have none, and processing takes forty times as long as this
search."""

UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters except tab and line ends
    "\ud800-\udfff"  # halves of a surrogate pair, which UTF-8 cannot encode
    "\ufdd0-\ufdef" + "".join(chr(plane << 16 | end) for plane in range(17) for end in (0xFFFE, 0xFFFF)) + "]"
)
"""What HTML forbids: control characters, surrogates, noncharacters."""

ENDS_OF_LINES = re.compile("\r\n?|[\u2028\u2029]")

OVERRIDES = re.compile("[\u202d\u202e]")
"""Bidirectional overrides show letters in another order than they are read in. No language needs them."""

END_OF_EMBEDDING, END_OF_ISOLATE = ENDS = ("\u202c", "\u2069")
DIRECTIONS = {
    **dict.fromkeys("\u202a\u202b", END_OF_EMBEDDING),
    **dict.fromkeys("\u2066\u2067\u2068", END_OF_ISOLATE),
}
"""Characters that begin another writing direction, each with the one that ends it. Arabic and Hebrew need them."""

BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u2065\u2800\u3164\uffa0\ufff0-\ufffc\U00016fe4\U0001d159\U000e0000-\U000e0fff]"
)
"""Letters and signs that show nothing: fillers, the empty braille pattern, tags (Default_Ignorable_Code_Point)."""

UNSEEN = ("Z", "Cc", "Cf", "Mn", "Me")
"""Unicode categories that show nothing by themselves. Unassigned ones are not here: they may be next year's emoji."""


def clean(text: str) -> str | None:
    """The cleaned text, None if nothing of it is visible."""
    if ODD.search(text):
        text = ENDS_OF_LINES.sub("\n", UNFIT.sub("", OVERRIDES.sub("", text)))
        # Line by line, because a change of direction ends with its line anyway.
        text = "\n".join(map(_closed, text.split("\n")))
    return text if any(map(_is_seen, text)) else None


def _is_seen(character: str) -> bool:
    return not category(character).startswith(UNSEEN) and not BLANK.match(character)


def _closed(line: str) -> str:
    """The line with every change of direction ended, so that it cannot affect the text after the line.

    Stray ends are removed.
    """
    kept: list[str] = []
    open_ends: list[str] = []
    for character in line:
        if character in ENDS:
            if not _closes(character, open_ends):
                continue
            while open_ends.pop() != character:
                pass  # The end of an isolate also ends the embeddings inside it.
        elif character in DIRECTIONS:
            open_ends.append(DIRECTIONS[character])
        kept.append(character)
    return "".join([*kept, *reversed(open_ends)])


def _closes(end: str, open_ends: Sequence[str]) -> bool:
    """Whether this end closes an open change of direction. An embedding must be the innermost one (UAX #9, X7)."""
    return end in open_ends if end == END_OF_ISOLATE else open_ends[-1:] == [end]
