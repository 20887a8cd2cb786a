"""A token as a person pastes it, and what kind of token it is."""

OTHER_KINDS = {
    "EAA": "a token of Facebook's login (EAA…)",
    "IGQV": "a token of the Basic Display API (IGQV…), which ended in December 2024",
    "IGQW": "a token of the Basic Display API (IGQW…), which ended in December 2024",
}
"""Tokens that Instagram does not take here, by how they begin (Meta's documentation, recorded tokens)."""


AROUND = " \t\r\n\"'`“”„\ufeff\u200b\u200c\u200d\u2060\xa0,;"
"""What stands around a token where people copy it from: quotes, the end of a line, blanks that nobody sees."""

NAMES_BEFORE = ("Bearer ", "access_token=", "INSTAGRAM_ACCESS_TOKEN=")


def pasted(text: str) -> str:
    """The token in what a person has pasted."""
    text = text.strip(AROUND)
    for name in NAMES_BEFORE:
        text = text.removeprefix(name).strip(AROUND)
    return text


def other_kind(value: str) -> str | None:
    """What the token is if it is for another of Meta's interfaces; it is not worth a call then."""
    return next((kind for start, kind in OTHER_KINDS.items() if value.startswith(start)), None)
