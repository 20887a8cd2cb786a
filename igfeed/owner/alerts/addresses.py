"""The addresses that get alerts."""

from igfeed.config import Settings


def alert_addresses(settings: Settings) -> dict[int, str]:
    """The addresses of IGFEED_ALERTS by their places, counted from 1. Empty for the sample account."""
    return {} if settings.demo else dict(enumerate(settings.alerts, start=1))
