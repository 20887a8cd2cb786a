"""What tests do with the store behind the ones that `igfeed.services` puts around it."""

from igfeed.stores import Store
from igfeed.stores.guarded import GuardedStore
from igfeed.stores.read_ahead import ReadAhead
from igfeed.stores.upstash import UpstashStore


def innermost(store: Store) -> Store:
    """The store that keeps things, without those that `igfeed.services` puts around it."""
    while isinstance(store, ReadAhead | GuardedStore):
        store = store._store
    return store


def close(store: Store) -> None:
    """Close its connections. The app never does, as its process ends; in the tests they would be a leak."""
    store = innermost(store)
    if isinstance(store, UpstashStore):
        store._run(lambda redis: redis.close())
