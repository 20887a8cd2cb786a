"""The addresses that are told of new posts."""

from dataclasses import dataclass, field

from igfeed.config import Settings
from igfeed.models.record import fingerprint


@dataclass(frozen=True)
class HookAddress:
    """``number`` is its place in IGFEED_ON_NEW_POST, counted from 1. Everything else is secret, its host too."""

    number: int
    url: str = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Identifies it in the store. Its number does not: the owner may put another address in its place."""
        return fingerprint(self.url)


def hook_addresses(settings: Settings) -> tuple[HookAddress, ...]:
    """Each address once. Empty for the sample account."""
    if settings.demo:
        return ()
    numbers = {url: number for number, url in reversed([*enumerate(settings.hooks, start=1)])}
    return tuple(sorted((HookAddress(number, url) for url, number in numbers.items()), key=lambda each: each.number))
