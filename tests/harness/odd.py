"""What may stand in a leaf of a stored document though nothing of ours could have written it."""

import json
from collections.abc import Iterator
from typing import Any

ODD: list[Any] = [
    *(None, True, False, -1, 0.5, 10**30, float("nan"), float("inf")),
    *("", "\ud800", "\0", "x" * 5, [], [None], {}, {"a": [1]}, [[["deep"]]]),
]
ODD_TEXTS: dict[str, list[str]] = {
    "id": ["x", "1\n", "-1", "../1", "9" * 33, "٣", "1_", ""],
    "url": ["javascript:alert(1)", "data:text/html,x", "//a/1.jpg", "https:///x", "https://a/ b", "file:///etc/passwd"],
    "permalink": [
        "http://www.instagram.com/p/1/",
        "https://evil.example/",
        "https://evil.example\\.instagram.com/",
        "x",
    ],
    "colour": ["red", "#FFFFFF", "#ffffff\n", "red;}*{color:red"],
    "at": ["yesterday", "2026-05-03", "2026-05-03T12:00:00", "1899-12-31T00:00:00Z", "9999-12-31T23:59:59Z", "5"],
}
KIND_OF = {
    **dict.fromkeys(("url", "video_url", "picture_url"), "url"),
    **dict.fromkeys(("at", "until", "fetched_at", "cooldown_until", "issued_at", "expires_at", "timestamp"), "at"),
}


def odd_values(path: tuple[Any, ...]) -> list[Any]:
    """For the leaf there."""
    return [*ODD, *ODD_TEXTS.get(KIND_OF.get(path[-1], path[-1]), ())]


def leaves(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of everything in a document, the branches included."""
    if path:
        yield path
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document if isinstance(document, list) else ())
    )
    for name, part in inner:
        yield from leaves(part, (*path, name))


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy with that in one place."""
    copy = json.loads(json.dumps(document))
    place = copy
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return copy
