"""The store of a Vercel project without a database: every command fails with a hint on how to add one."""

from collections.abc import Sequence
from typing import Any

from igfeed.errors import StoreError
from igfeed.stores import Kind, Store

REST_IN_NAME = "_REST_"
"""Part of the names of variables that hold a database's REST address, which igfeed needs."""


class MissingStore(Store):
    """Vercel throws an instance's disk away with the instance, so a SQLite file there would lose the token.

    ``seen`` are names of variables that look like a database's URL but cannot be used. They are only used in the hint.
    """

    kind: Kind = "memory"

    def __init__(self, seen: Sequence[str] = ()) -> None:
        self._seen = seen

    @property
    def error(self) -> StoreError:
        return StoreError("No store is set up.", _hint(self._seen))

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise self.error

    get = get_if_changed = get_all = set = swap = delete = delete_prefix = claim = check_writable = _refuse


def _hint(seen: Sequence[str]) -> str:
    """How to add a database. It names variables but never shows their values."""
    for name in seen:
        if REST_IN_NAME in name:
            token = f"{name.removesuffix('_URL')}_TOKEN"
            return (
                f"A database seems to be connected under a prefix: set KV_REST_API_URL to what {name} holds and "
                f"KV_REST_API_TOKEN to what {token} holds, or connect it again without a prefix; then deploy again."
            )
    hint = (
        "Add the Upstash integration to this Vercel project (it sets KV_REST_API_URL and KV_REST_API_TOKEN), "
        "or set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN, then deploy again."
    )
    return f"{hint} {seen[0]} is of a database without a REST address, which is not enough." if seen else hint
