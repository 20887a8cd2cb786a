"""The addresses that get alerts."""

from igfeed.config import Settings


def alert_addresses(settings: Settings) -> dict[int, str]:
    """Those of IGFEED_ALERTS by their places, counted from 1. The sample account has none, so that it sends nothing."""
    return {} if settings.demo else dict(enumerate(settings.alerts, start=1))
