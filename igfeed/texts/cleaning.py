"""What people wrote, made fit for a page before it gets anywhere else.

The page shows all of it but what no page may hold, what would move the words around it, and what nobody can see.
"""

import re
from collections.abc import Sequence
from unicodedata import category

ODD = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U0001fffe-\U0010ffff]"
)
"""What needs a closer look. Most texts have none of it, and a closer look takes forty times as long."""

UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters but tab and the ends of lines
    "\ud800-\udfff"  # halves of a surrogate pair, which UTF-8 cannot say
    "\ufdd0-\ufdef" + "".join(chr(plane << 16 | end) for plane in range(17) for end in (0xFFFE, 0xFFFF)) + "]"
)
"""What HTML forbids: control characters, surrogates, noncharacters."""

ENDS_OF_LINES = re.compile("\r\n?|[\u2028\u2029]")

OVERRIDES = re.compile("[\u202d\u202e]")
"""They show letters in another order than they are read in, which no language needs."""

END_OF_EMBEDDING, END_OF_ISOLATE = ENDS = ("\u202c", "\u2069")
DIRECTIONS = {
    **dict.fromkeys("\u202a\u202b", END_OF_EMBEDDING),
    **dict.fromkeys("\u2066\u2067\u2068", END_OF_ISOLATE),
}
"""Characters that begin another direction, each with what ends it. Captions in Arabic and Hebrew need them."""

BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u2065\u2800\u3164\uffa0\ufff0-\ufffc\U00016fe4\U0001d159\U000e0000-\U000e0fff]"
)
"""Letters and signs without ink: fillers, the empty braille pattern, tags (Unicode, Default_Ignorable_Code_Point)."""

UNSEEN = ("Z", "Cc", "Cf", "Mn", "Me")
"""Categories of characters that show nothing by themselves. Unassigned ones may be the emoji of next year."""


def clean(text: str) -> str | None:
    """The text without what does not belong on a page; None if nothing of it can be seen."""
    if ODD.search(text):
        text = ENDS_OF_LINES.sub("\n", UNFIT.sub("", OVERRIDES.sub("", text)))
        text = "\n".join(map(_closed, text.split("\n")))
    return text if any(map(_is_seen, text)) else None


def _is_seen(character: str) -> bool:
    return not category(character).startswith(UNSEEN) and not BLANK.match(character)


def _closed(line: str) -> str:
    """With an end for each change of direction that it begins: it would go on behind the text. Stray ends go."""
    kept: list[str] = []
    open_ends: list[str] = []
    for character in line:
        if character in ENDS:
            if not _closes(character, open_ends):
                continue
            while open_ends.pop() != character:
                pass  # The end of an isolate ends the embeddings in it.
        elif character in DIRECTIONS:
            open_ends.append(DIRECTIONS[character])
        kept.append(character)
    return "".join([*kept, *reversed(open_ends)])


def _closes(end: str, open_ends: Sequence[str]) -> bool:
    """An embedding ends only where it is the innermost (Unicode Bidirectional Algorithm, X7)."""
    return end in open_ends if end == END_OF_ISOLATE else open_ends[-1:] == [end]
