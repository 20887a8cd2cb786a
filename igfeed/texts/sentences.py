"""The first sentence of a caption, as a screen reader should read it.

It is found by rules. If they are not certain, they take more text rather than less: two sentences do no harm, half a
sentence does. Why no library: one that finds sentences is as large as all our requirements together.
"""

import re
from unicodedata import category, combining

SIGNS = r"""\s!"$%&()*+,./:;<=>?\[\\\]^`{|}~…–—‘“”«»‹›„‚、。，！？：；（）「」『』【】।॥؟،؛۔•·#＃@＠"""
"""Characters that end a hashtag. Letters, combining marks, digits and emoji do not."""

TAG = re.compile(
    rf"(?<![\w&/#.@+-])[#＃](?!\d+(?:[{SIGNS}]|$))(?P<hashtag>[^{SIGNS}]+)"
    r"|(?<![\w&/#.@+-])[@＠](?P<mention>\w[\w.]*\w|\w)"
)
"""A number is no hashtag, and a mail address is no mention."""

# One or more tags in a row, with the spaces and signs between them.
RUN = rf"(?:(?:{TAG.pattern.replace('?P<hashtag>', '?:').replace('?P<mention>', '?:')})[\s,|•·/&+-]*)+"
TAGS_ALONE = re.compile(rf"(?m)(?:^|(?<=[.!?…。！？।۔]))\s*{RUN}$")
"""Tags on a line of their own, or after the end of a sentence."""

TAGS_AT_THE_END = re.compile(rf"(?m)(?P<before>\S*)[ \t]+(?P<tags>{RUN})$")

UNSPACED = (
    ("\u0e00", "\u0eff"),  # Thai, Lao
    ("\u1000", "\u109f"),  # Burmese
    ("\u1780", "\u17ff"),  # Khmer
    ("\u3040", "\u30ff"),  # Japanese
    ("\u3400", "\u9fff"),  # Chinese
)
"""First and last letter of scripts in which spaces separate phrases, not words. There a tag between two spaces is no
word of the sentence. Why no regular expression: it would take longer to compile than all the others here."""

JOINING = frozenset(
    "a an and at by for from in of on or the to with & + "
    "am an auf bei das dem den der die ein eine im in mit oder und vom von zu zum zur "
    "à au aux avec chez d' de des du en et la le les ou par pour "
    "al con del e el en los las o para por y a da di dal della il lo una un i "
    "ao com da do das dos na no nas nos pela pelo "
    "bij de een en het met naar of op te van voor".split()
)
"""After one of these words a tag belongs to the sentence. They are of the languages that igfeed's pages have."""

SPACER = re.compile(r"(?m)^[^\w\n]*[.\-–—_•·*~⠀:|][^\w\n]*$")
"""A line of signs only. People put it between a caption and its tags."""

LEADING = re.compile(r"^(?:[!?…,;:•·|*~_)\]}]|[.\-–—](?!\d)|\s)+")
SPACES = re.compile(r"\s+")

END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s|$)|[。！？।॥۔؟]+[」』”）]*")

ABBREVIATIONS = frozenset(
    "approx ca capt co dept dr est etc fig gen gov hon inc jr lt ltd mr mrs ms mt prof rev sen sgt sr st vs "
    "abs bzw dipl evtl exkl fr geb ggf hl hr inkl ing mag max med min mio nr std str tel usw vgl zzgl "
    "av bd mlle mme mm ste env ex apr avda dra núm pág sra srta ud uds arch avv dott geom ing pag sig sigg "
    "bijv dhr drs incl mevr mw ong".split()
)
NUMBERED = frozenset("art bd bl kap n no nos nr nº num núm p pag pág pp s v vol".split())
"""Words that are abbreviations only before a number: "No." alone is an answer."""

VIRAMA = 9
"""The combining class of signs that join two letters of an Indic script into one."""


def first_sentence(caption: str) -> str:
    """The caption up to the end of its first sentence, on one line. It has at least two words if the caption has.

    Tags inside the sentence become words. Tags at its end are left out.
    """
    text = SPACES.sub(" ", LEADING.sub("", _without_signs(caption))).strip()
    for end in END.finditer(text):
        if _is_end(text, end) and len(re.findall(r"\w+", text[: end.start()])) > 1:
            return text[: end.end()]
    return text


def shortened(text: str, longest: int) -> str:
    """The text, cut at the end of a word if it is longer than that, and never inside of one visible character."""
    if len(text) <= longest:
        return text
    cut = longest
    while cut > 1 and _is_inside(text, cut):
        cut -= 1
    return text[:cut].rsplit(" ", 1)[0].rstrip(",;:-–— ") + "…"


def _without_signs(caption: str) -> str:
    caption = TAGS_ALONE.sub("", SPACER.sub("", caption))
    return TAG.sub(_as_word, TAGS_AT_THE_END.sub(_without_tags, caption))


def _as_word(tag: re.Match[str]) -> str:
    word = tag["hashtag"] or tag["mention"]
    is_unspaced = any(first <= letter <= last for letter in word for first, last in UNSPACED)
    return "" if is_unspaced else word


def _without_tags(end: re.Match[str]) -> str:
    """The end of a line without its tags, or with them if they belong to the sentence."""
    before, tags = end["before"], end["tags"]
    is_mention = tags.startswith(("@", "＠"))
    is_word = before[-1:].isalnum() or category(before[-1:] or " ").startswith("M")
    return end.group() if is_word and (is_mention or before.casefold() in JOINING) else before


def _is_end(text: str, end: re.Match[str]) -> bool:
    """Whether the sentence ends here. A full stop may also end an abbreviation or a number, and dots may be a pause."""
    rest = text[end.end() :].lstrip()
    if not end.group().startswith((".", "…")) or not rest:
        return True
    # A lower-case letter begins no sentence, so this one goes on.
    if rest[0].islower():
        return False
    word = re.split(r"[\s(\"'“„«]", text[: end.start()])[-1].casefold()
    if rest[0].isdigit() and word in NUMBERED:
        return False
    is_short = len(word) < 2 or word.isdigit() or "." in word  # noqa: PLR2004  "M.", "3.", "z.B."
    return not is_short and word not in ABBREVIATIONS


def _is_inside(text: str, place: int) -> bool:
    """Whether a cut here would split one visible character: before a mark, a joined emoji or a skin tone."""
    after = text[place]
    before = text[place - 1]
    is_joined = "\u200d" in (before, after) or combining(before) == VIRAMA
    return is_joined or category(after).startswith("M") or "\U0001f3fb" <= after <= "\U0001f3ff"
