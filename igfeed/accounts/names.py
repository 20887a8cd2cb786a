"""Which names an account may have: it is the first part of the account's addresses."""

import re
from collections.abc import Collection

from flask import Flask

from igfeed.errors import AccountNameRefused

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,29}", re.ASCII)


def checked_name(name: str, own_parts: Collection[str]) -> str:
    """The name. Raises AccountNameRefused, which does not repeat the name: it may be a token in the wrong place."""
    if not NAME.fullmatch(name):
        raise AccountNameRefused("This is no name for an account.")
    if name in own_parts:
        raise AccountNameRefused(f"No account can be called {name!r}: igfeed has an address of its own there.")
    return name


def own_first_parts(app: Flask) -> frozenset[str]:
    """The first parts of the app's own paths, such as ``studio``."""
    return frozenset(rule.rule.split("/")[1] for rule in app.url_map.iter_rules())
