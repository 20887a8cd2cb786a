"""All accounts as the studio lists them: who they are, where they are, and whether they are well."""

import logging
from dataclasses import dataclass

from igfeed.accounts.directory import current_accounts
from igfeed.errors import StoreError
from igfeed.feed.picture_files import WIDTHS
from igfeed.owner.findings import SEVERITY, Verdict
from igfeed.owner.pages.account_addresses import address_of, feed_path, shown_origin
from igfeed.owner.status import Examination, examine
from igfeed.owner.studio.cards import LEVELS, Level
from igfeed.services import Services

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AccountRow:
    """``name`` is None for the default account. ``address`` is its part of the address, such as ``/prints/``.

    ``title`` is its name at Instagram, or its address as long as nothing was fetched. ``picture`` and ``studio`` are
    paths, ``picture`` None if there is none.
    """

    name: str | None
    title: str
    address: str
    status: Verdict
    studio: str
    picture: str | None
    is_current: bool

    @property
    def level(self) -> Level:
        return LEVELS[self.status]


@dataclass(frozen=True)
class Overview:
    """``rows`` are all accounts, the default one first. ``start`` is what all addresses of accounts begin with.

    ``is_known`` is False if the store does not tell which accounts there are.
    """

    rows: tuple[AccountRow, ...]
    start: str
    is_known: bool = True

    @property
    def current(self) -> AccountRow:
        return next(row for row in self.rows if row.is_current)

    @property
    def are_several(self) -> bool:
        return len(self.rows) > 1

    @property
    def worst_other(self) -> AccountRow | None:
        """The other account that is worst, None if all others are well."""
        troubled = [row for row in self.rows if not row.is_current and row.status != "ok"]
        return max(troubled, key=lambda row: SEVERITY[row.status], default=None)


def overview(services: Services, found: Examination) -> Overview:
    """All accounts. ``found`` is the examination of ``services``. The others are examined here."""
    accounts = current_accounts()
    try:
        others, is_known = accounts.others(), True
    except StoreError:
        others, is_known = [], False
    listed = {each.account: each for each in (accounts.default, *others, services)}
    rows = (_row(each, found if each.account == services.account else None) for each in listed.values())
    return Overview(tuple(rows), f"{shown_origin(services)}{address_of(None, 'widget.index')}", is_known)


def _row(services: Services, current: Examination | None) -> AccountRow:
    """``current`` is what was found out about the account that the owner looks at, None for another one."""
    found, name = current or _examined(services), services.account
    snapshot = found.seen.snapshot if found else None
    picture = snapshot.profile.picture if snapshot else None
    return AccountRow(
        name,
        f"@{snapshot.profile.username}" if snapshot else feed_path(name),
        feed_path(name),
        found.status.status if found else "degraded",
        address_of(name, "studio.page"),
        address_of(name, "widget.media", name=f"{picture.id}-{WIDTHS[0]}", format_="webp") if picture else None,
        current is not None,
    )


def _examined(services: Services) -> Examination | None:
    """None after an unexpected error: one account must not break the studio of another."""
    try:
        return examine(services)
    except Exception:
        log.exception("The state of the account %s could not be found out", services.account or "without a name")
        return None
