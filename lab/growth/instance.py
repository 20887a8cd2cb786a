"""An instance of igfeed: the real parts, for as many accounts as there are."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from igfeed.accounts.account_list import ACCOUNTS_KEY, AccountList, Entry
from igfeed.accounts.directory import Accounts
from igfeed.background import in_place
from igfeed.clock import CheckedClock
from igfeed.config import Settings
from igfeed.feed.picture_files import Files, Format
from igfeed.feed.pictures import Pictures
from igfeed.feed.service import FeedService
from igfeed.history import History
from igfeed.http.transport import Transport
from igfeed.instagram.login import InstagramLogin
from igfeed.models import FeedSnapshot, Measures, Picture, Token
from igfeed.owner.all_accounts import cron
from igfeed.services import Services
from igfeed.stores import Store
from igfeed.stores.guarded import GuardedStore
from igfeed.stores.read_ahead import ReadAhead
from igfeed.stores.scoped import ScopedStore
from igfeed.tokens.document import TOKEN_KEY
from igfeed.tokens.encryption import NoCipher
from igfeed.tokens.manager import TokenManager
from lab.growth.assumptions import ANSWER, CHECK_TTL, FEED_TTL, FILES, START
from lab.growth.outside import Account
from tests.harness.clock import MovingClock

DAY = timedelta(days=1)


class ReadyMade(Pictures):
    """Spares the downloading and the rendering: each new picture has files of the usual size."""

    def make(self, picture: Picture) -> Files:
        self.files.set_measures(picture.id, Measures("#c9b79c", (1080, 1350)))
        return FILES


class PlayedAccounts(Accounts):
    """The real list, and for each account the parts that are played."""

    def __init__(self, store: Store, clock: MovingClock, account: Account, posts: int) -> None:
        self._play = partial(played_services, clock=clock, account=account, posts=posts)
        super().__init__(self._play(None, store), set)

    def _services(self, entry: Entry) -> Services:
        if entry not in self._built:
            self._built[entry] = self._play(entry.name, self._store_of(entry))
        return self._built[entry]

    def _store_of(self, entry: Entry) -> ScopedStore:
        return ScopedStore(self.default.store, entry.prefix, partial(self.check_write, entry))


def set_up(store: Store, clock: MovingClock, accounts: int) -> None:
    """Give each of so many accounts a token. All but the first one have a name."""
    token = Token("IGAA", clock() - 30 * DAY, clock() + 30 * DAY).to_text()
    entries = tuple(Entry(f"account-{number}", number) for number in range(1, accounts))
    store.set(TOKEN_KEY, token)
    for entry in entries:
        store.set(f"{entry.prefix}{TOKEN_KEY}", token)
    if entries:
        store.set(ACCOUNTS_KEY, AccountList(entries, last_number=accounts, revision=1).to_text())


def played_services(name: str | None, store: Store, *, clock: MovingClock, account: Account, posts: int) -> Services:
    pictures, history = ReadyMade(store, account, clock), History(store, clock, name)
    tokens = TokenManager(
        account,
        store,
        clock,
        renew_within=timedelta(days=7),
        cipher=NoCipher(),
        history=history,
        sleep=lambda _: None,
    )
    feed = FeedService(
        account,
        tokens,
        pictures,
        store,
        clock,
        posts=posts,
        ttl=FEED_TTL,
        check_ttl=CHECK_TTL,
        history=history,
        sleep=lambda _: None,
    )
    login = InstagramLogin(login_url="", oauth_url="", transport=Transport("igfeed/growth"))
    settings = Settings.from_env({"IGFEED_CHECK_TTL": f"{CHECK_TTL.total_seconds():.0f}"})
    return Services(
        settings,
        CheckedClock(clock),
        store,
        account,
        tokens,
        pictures,
        feed,
        history,
        in_place,
        login,
        sleep=lambda _: None,
        account=name,
    )


class Instance:
    """An instance of ours, cold when it is made. Accounts are counted from 0, the default one."""

    def __init__(self, store: Store, clock: MovingClock, account: Account, posts: int) -> None:
        self.asked_at = clock()
        self.busy_until = self.asked_at + START
        self._clock = clock
        self.accounts = PlayedAccounts(ReadAhead(GuardedStore(store, clock, in_place)), clock, account, posts)

    def ask(self) -> None:
        """Busy for one more answer, after whatever it is at."""
        self.asked_at = self._clock()
        self.busy_until = max(self.asked_at, self.busy_until) + ANSWER

    def services(self, account: int) -> Services:
        """As `igfeed.web.account_paths` finds them."""
        return self.accounts.get(f"account-{account}" if account else None)

    def answer(self, account: int = 0) -> FeedSnapshot | None:
        """A view, as `igfeed.widget.routes` answers it, with what comes after the answer."""
        feed = self.services(account).feed
        current = feed.current()
        if current.is_due:
            feed.refresh()
        return current.snapshot

    def picture(self, account: int, picture_id: str, width: int, format_: Format) -> bytes:
        """A file, as `igfeed.widget.routes` answers it."""
        services = self.services(account)
        picture = services.feed.picture(picture_id)
        assert picture is not None
        return services.pictures.get(picture, width, format_)

    def run_cron(self) -> None:
        cron.run(self.accounts)
