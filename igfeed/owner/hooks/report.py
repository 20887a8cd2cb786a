"""Whether the site was told of the last new posts, for the status and the studio."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from igfeed.errors import StoreError
from igfeed.owner.hooks.addresses import hook_addresses
from igfeed.owner.hooks.deliveries import HOOKS_KEY, hooks_document
from igfeed.services import Services


@dataclass(frozen=True)
class FailedAddress:
    """``is_tried_again`` says whether the next cron tries it again. If not, it was tried three times."""

    number: int
    error: str
    is_tried_again: bool


@dataclass(frozen=True)
class HookReport:
    """``addresses`` is their number. ``told_at`` is the last time that one of them accepted new posts."""

    addresses: int = 0
    told_at: datetime | None = None
    failed: tuple[FailedAddress, ...] = ()


def hook_keys(services: Services) -> Sequence[str]:
    """The store's keys that ``hook_report`` reads."""
    return [HOOKS_KEY] if hook_addresses(services.settings) else []


def hook_report(services: Services) -> HookReport:
    """Reads the store, unless there are no addresses. While the store is away, no failure is known."""
    addresses = hook_addresses(services.settings)
    if not addresses:
        return HookReport()
    try:
        hooks = hooks_document(services.store).read().value
    except StoreError:
        hooks = None
    if hooks is None:
        return HookReport(len(addresses))
    errors = {each.address: each.error for each in hooks.failures}
    tried_again = {address for each in hooks.deliveries for address in each.addresses}
    failed = (
        FailedAddress(each.number, errors[each.fingerprint], each.fingerprint in tried_again)
        for each in addresses
        if each.fingerprint in errors
    )
    return HookReport(len(addresses), hooks.told_at, tuple(failed))
