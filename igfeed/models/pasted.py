"""What people paste as a token: the token in it, or a token of another kind."""

OTHER_KINDS = {
    "EAA": "a token of Facebook's login (EAA…)",
    "IGQV": "a token of the Basic Display API (IGQV…), which ended in December 2024",
    "IGQW": "a token of the Basic Display API (IGQW…), which ended in December 2024",
}
"""Kinds of tokens that this API does not accept, by their first letters (Meta's documentation, recorded tokens)."""

PASTED_AROUND = " \t\r\n\"'`“”„\ufeff\u200b\u200c\u200d\u2060\xa0,;"
"""Characters that get copied together with a token: quotes, line ends, invisible spaces."""

PASTED_BEFORE = ("Bearer ", "access_token=", "INSTAGRAM_ACCESS_TOKEN=")


def pasted(text: str) -> str:
    """The token in a pasted text, without quotes, spaces and names around it."""
    # Stripped again after each name: people copy `INSTAGRAM_ACCESS_TOKEN="…"` from a file.
    text = text.strip(PASTED_AROUND)
    for name in PASTED_BEFORE:
        text = text.removeprefix(name).strip(PASTED_AROUND)
    return text


def other_kind(value: str) -> str | None:
    """What kind of token it is if this API does not accept it, else None. It needs no call to Instagram."""
    return next((kind for start, kind in OTHER_KINDS.items() if value.startswith(start)), None)
