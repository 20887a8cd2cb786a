"""The store of a deployment that has none: it refuses everything and says how to get one."""

from typing import NoReturn

from igfeed.errors import StoreError
from igfeed.stores import Kind


class MissingStore:
    """Vercel's disk is thrown away with each instance, so nothing is kept there rather than lost there."""

    kind: Kind = "memory"

    def _refuse(self, *_: object) -> NoReturn:
        raise no_store()

    get = reread = get_all = set = swap = delete = claim = prove = _refuse


def no_store() -> StoreError:
    return StoreError(
        "No store is set up.",
        "Add the Upstash integration to this Vercel project (it sets KV_REST_API_URL and KV_REST_API_TOKEN), "
        "or set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN, then deploy again.",
    )
