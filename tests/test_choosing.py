"""The owner chooses posts: what visitors see at once, what a fetch makes of it, and that two changes lose nothing."""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from igfeed.errors import ChoiceRefused, StoreError
from igfeed.feed.fetch_failures import FAILURE_KEY
from igfeed.feed.local_copy import FEED_KEY, Freshness, LocalCopy
from igfeed.feed.rules.owners_choices import CHOICES_KEY, OwnersChoices
from igfeed.feed.service import FeedService
from igfeed.instagram.reading import MAX_PASSED_OVER
from igfeed.models import Choices, FeedSnapshot, PostRules, Profile, Token
from igfeed.owner import choosing
from igfeed.services import Services
from igfeed.stores.memory import MemoryStore
from igfeed.stores.upstash import UpstashStore
from tests.conftest import MakeServices
from tests.harness.clock import MovingClock
from tests.harness.site import Site
from tests.harness.stores import FrailStore
from tests.harness.visitor import POST_IDS
from tests.servers.instagram import APP_LIMIT, TEMPORARY, FakeInstagram, image, reel, shortcode
from tests.servers.upstash import FakeUpstash

BREAD_ONLY = PostRules(with_hashtags=("bread",))


@pytest.fixture
def fetched(services: Services, token: Token) -> Services:
    """An account whose 24 newest of 30 posts have been fetched."""
    services.feed.fetch()
    return services


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


@pytest.fixture
def store(memory_store: MemoryStore, site: Site) -> MemoryStore:
    """A store with a token that is good for long."""
    site.stored(memory_store)
    return memory_store


def ids(instagram: FakeInstagram) -> list[str]:
    return [post["id"] for post in instagram.posts]


def shown(feed: FeedService) -> list[str]:
    snapshot = feed.current().snapshot
    assert snapshot is not None
    return [post.id for post in snapshot.posts]


def posts_on_embed(client: FlaskClient) -> list[str]:
    return POST_IDS.findall(client.get("/embed").text)


def hiding(*names: str) -> Callable[[Choices, FeedSnapshot | None], Choices]:
    return lambda choices, _: choices.hide(names)


def reasons(services: Services) -> dict[str, str]:
    """By id, of the posts that visitors do not see."""
    return {each.post.id: str(each.reason) for each in choosing.listed(services) if each.reason}


# What visitors see


def test_hidden_posts_leave_every_page_at_once_and_pinned_ones_come_first(
    fetched: Services, client: FlaskClient, instagram: FakeInstagram
) -> None:
    first, second, third, *_, last = ids(instagram)[:24]
    assert posts_on_embed(client)[:3] == [first, second, third]

    choosing.hide(fetched, [first])
    choosing.pin(fetched, [last, third])

    assert posts_on_embed(client)[:3] == [last, third, second]
    assert first not in client.get("/embed?limit=24").text


def test_nothing_for_visitors_names_a_hidden_post_or_a_trial_reel(
    fetched: Services, client: FlaskClient, instagram: FakeInstagram
) -> None:
    hidden = ids(instagram)[0]
    trial = instagram.publish(reel(is_shared_to_feed=False, caption="Only a try"))["id"]
    fetched.feed.fetch()
    for picture_id in (hidden, trial):
        assert client.get(f"/media/{picture_id}-320.webp").status_code == 200  # The owner's page shows them small.

    choosing.hide(fetched, [hidden])

    page = client.get("/?limit=24").text
    gallery = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert gallery is not None
    assert len(json.loads(gallery[1])["image"]) == 23
    oembed = client.get("/oembed?url=http://localhost/embed&format=json").get_data(as_text=True)
    for unseen in (hidden, trial):
        assert unseen not in page
        assert unseen not in oembed
        assert client.get(f"/go/{unseen}").status_code == 404
    assert reasons(fetched) == {hidden: "hidden by you", trial: "trial reel"}


def test_a_choice_can_be_taken_back(fetched: Services, client: FlaskClient, instagram: FakeInstagram) -> None:
    before = posts_on_embed(client)
    choosing.hide(fetched, before[:2])
    choosing.pin(fetched, [before[5]])

    choosing.show(fetched, before[:2])
    choosing.unpin(fetched, [before[5]])

    assert posts_on_embed(client) == before


def test_other_processes_show_it_after_the_check_ttl(
    fetched: Services, make_services: MakeServices, clock: MovingClock
) -> None:
    other = make_services().feed
    first, second, *_ = shown(other)

    choosing.hide(fetched, [first])

    clock.now += timedelta(seconds=31)
    assert shown(other)[0] == second


def test_a_view_asks_the_store_no_more_often_because_of_choices(
    site: Site, upstash: FakeUpstash, upstash_store: UpstashStore
) -> None:
    site.stored(upstash_store)
    feed = site.start(upstash_store).feed
    feed.fetch()
    feed.choose(hiding(shown(feed)[0]))
    other = site.start(upstash_store).feed
    upstash.forget()

    assert len(shown(other)) == 11
    site.clock.forward(minutes=1)
    assert len(shown(other)) == 11

    assert [(command[0], command[3]) for command in upstash.commands()] == [("EVAL_RO", FEED_KEY)] * 2


def test_pages_are_as_before_while_the_choices_cannot_be_read(
    site: Site, store: MemoryStore, instagram: FakeInstagram
) -> None:
    feed = site.start(store).feed
    feed.fetch()
    hidden = shown(feed)[0]
    feed.choose(hiding(hidden))

    for text in ("", "[]", '{"pinned":7}'):
        store.set(CHOICES_KEY, text)
        feed.fetch()
        assert hidden not in shown(feed)
    again = feed.choose(hiding(ids(instagram)[1]))

    assert again.hidden == (hidden, ids(instagram)[1])
    assert Choices.from_text(store.get(CHOICES_KEY) or "") == again


def test_the_opened_post_has_the_owners_link_before_the_one_to_instagram(
    fetched: Services, client: FlaskClient, instagram: FakeInstagram
) -> None:
    first, second, *_ = ids(instagram)
    assert ".own+.go" not in client.get("/embed").text
    choosing.set_link(fetched, first, "https://shop.example/?a=1&b=2", 'Buy <it> "now"')
    choosing.set_link(fetched, second, "https://shop.example/book")

    page = client.get("/embed").text

    links = re.findall(r'<a class="go(?: own)?" href="([^"]*)"[^>]*>([^<]*)</a>', page)
    assert [unescape(text) for text in links[0]] == ["https://shop.example/?a=1&b=2", 'Buy <it> "now"']
    assert links[1][1] == "View on Instagram"
    assert links[2] == ("https://shop.example/book", "Learn more")
    assert len(links) == 12 + 2
    assert ".own+.go" in page
    assert "shop.example" not in client.get("/embed?open=instagram").text
    assert client.get(f"/go/{second}-link").headers["Location"] == "https://shop.example/book"
    choosing.hide(fetched, [second])
    assert client.get(f"/go/{second}-link").status_code == 404


# What a fetch makes of it


def test_the_row_stays_as_long_as_it_was_while_instagram_has_more(site: Site, store: MemoryStore) -> None:
    feed = site.start(store).feed
    feed.fetch()
    first, second, *others = shown(feed)

    feed.choose(hiding(first, second))
    assert shown(feed) == others
    feed.fill()

    assert shown(feed) == ids(site.instagram)[2:14]


def test_the_history_says_that_the_owner_asked_for_the_fetch_that_fills_up(fetched: Services) -> None:
    choosing.hide(fetched, [fetched.feed.listed()[0].post.id])
    choosing.fill(fetched)

    assert fetched.history.events()[0].by == "owner"


def test_filling_up_asks_nobody_while_the_row_is_full_or_the_list_is_at_its_end(site: Site, store: MemoryStore) -> None:
    site.instagram.posts = site.instagram.posts[:12]
    full, short = site.start(store, posts=10).feed, site.start(store, posts=20).feed
    short.fetch()
    short.choose(hiding(shown(short)[0]))
    full.current()
    site.instagram.forget_calls()
    site.clock.forward(minutes=2)

    for feed in (full, short):
        feed.fill()

    assert site.instagram.count("*") == 0


def test_filling_up_keeps_to_the_pause_after_a_failure(site: Site, store: MemoryStore) -> None:
    feed = site.start(store).feed
    feed.fetch()
    feed.choose(hiding(shown(feed)[0]))
    site.instagram.fail("media", APP_LIMIT, times=1)
    for _ in range(3):
        feed.fill()
        site.clock.forward(minutes=2)

    assert site.instagram.count("media") == 2, "one before the choice, and the one that was refused"
    assert len(shown(feed)) == 11
    site.clock.forward(minutes=30)
    feed.fill()

    assert len(shown(feed)) == 12


def test_a_fetch_goes_on_past_posts_that_are_not_shown(site: Site, store: MemoryStore) -> None:
    site.instagram.posts = [image(caption="#bread" if number % 5 == 0 else "#cake") for number in range(80)]
    feed = site.start(store).feed
    feed.choose(lambda choices, _: replace(choices, rules=BREAD_ONLY))

    feed.fetch()

    assert shown(feed) == ids(site.instagram)[:60:5]
    assert site.instagram.count("media") == 2


def test_a_fetch_ends_after_a_bounded_number_of_posts_that_are_not_shown(site: Site, store: MemoryStore) -> None:
    site.instagram.posts = [image(caption="#cake") for _ in range(400)]
    bread = site.instagram.publish(image(caption="#bread"))["id"]
    feed = site.start(store).feed
    feed.choose(lambda choices, _: replace(choices, rules=BREAD_ONLY))

    feed.fetch()

    assert shown(feed) == [bread]
    assert site.instagram.count("media") == 3
    assert len(feed.listed()) == MAX_PASSED_OVER + 1


def test_a_pinned_post_stays_when_newer_ones_come(site: Site, store: MemoryStore) -> None:
    feed = site.start(store, posts=3).feed
    feed.fetch()
    pinned = shown(feed)[2]
    feed.choose(lambda choices, _: choices.pin([pinned]))

    for _ in range(5):
        site.instagram.publish(image())
        feed.fetch()

    assert shown(feed) == [pinned, *ids(site.instagram)[:2]]


def test_a_pinned_post_that_was_deleted_goes_and_frees_its_place(
    fetched: Services, instagram: FakeInstagram, clock: MovingClock
) -> None:
    instagram.posts = instagram.posts[:6]
    fetched.feed.fetch()
    first, second, third, fourth, *_ = ids(instagram)
    choosing.pin(fetched, [first, second, third])
    instagram.posts = instagram.posts[1:]

    for _ in range(2):
        clock.forward(minutes=2)
        fetched.feed.fetch()

    assert shown(fetched.feed)[0] == second
    assert choosing.pin(fetched, [fourth]).pinned == (second, third, fourth)


def test_new_posts_wait_for_approval(fetched: Services, instagram: FakeInstagram, clock: MovingClock) -> None:
    before = shown(fetched.feed)
    clock.forward(minutes=5)
    choosing.set_rules(fetched, approve_new=True)
    assert shown(fetched.feed) == before
    clock.forward(minutes=5)
    stamp = f"{clock.now:%Y-%m-%dT%H:%M:%S+0000}"
    new, other = (instagram.publish(image(timestamp=stamp))["id"] for _ in range(2))

    fetched.feed.fetch()
    assert shown(fetched.feed) == before
    assert reasons(fetched) == {new: "not approved yet", other: "not approved yet"}
    choosing.set_rules(fetched, approve_new=True, without_hashtags=["#ad"])
    choosing.approve(fetched, [new])

    assert shown(fetched.feed) == [new, *before][:24]
    choosing.set_rules(fetched)
    assert shown(fetched.feed)[:2] == [other, new]


# Two changes at once


@pytest.mark.parametrize("is_one_process", [True, False])
def test_a_choice_that_is_made_during_a_fetch_is_in_what_it_stores(
    site: Site, store: MemoryStore, threads: ThreadPoolExecutor, is_one_process: bool
) -> None:
    fetching = site.start(store).feed
    fetching.fetch()
    owners = fetching if is_one_process else site.start(store).feed
    new = site.instagram.publish(image())["id"]
    first, second, *_ = shown(owners)

    with site.instagram.hold("media") as gate:
        fetch = threads.submit(fetching.fetch)
        assert gate.wait()
        owners.choose(hiding(first))
        gate.release()
        assert [post.id for post in fetch.result().posts][:2] == [new, second]

    site.clock.forward(minutes=1)
    assert shown(owners)[:2] == shown(fetching)[:2] == [new, second]


PROCESSES = st.integers(0, 2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), PROCESSES),
        st.tuples(st.just("end"), PROCESSES),
        st.tuples(st.just("view"), PROCESSES),
        st.tuples(st.just("hide"), PROCESSES),
    ),
    max_size=25,
)


@given(steps=STEPS)
def test_whatever_the_order_all_see_every_choice_and_the_latest_reading(steps: list[tuple[str, int]]) -> None:
    clock = MovingClock(timedelta(microseconds=1))
    store = MemoryStore(clock)
    freshness = Freshness(timedelta(minutes=15), 100)
    locals_ = [LocalCopy(store, clock, freshness, timedelta(seconds=30)) for _ in range(3)]
    owners = [OwnersChoices(store, local) for local in locals_]
    begun: dict[int, FeedSnapshot] = {}
    latest, hidden = clock(), 0
    locals_[0].save(FeedSnapshot(Profile("nord"), (), latest, revision=1))

    for step, place in [*steps, *(("end", place) for place in range(3))]:
        local = locals_[place]
        if step == "begin":
            local.sync()
            assert local.snapshot is not None
            revision, choices = local.snapshot.revision + 1, owners[place].load()
            begun[place] = replace(local.snapshot, fetched_at=clock(), revision=revision, choices=choices)
        elif step == "end" and place in begun:
            latest = max(latest, begun[place].fetched_at)
            local.save(begun.pop(place))
        elif step == "view":
            local.sync()
        elif step == "hide":
            hidden += 1
            owners[place].change(hiding(str(hidden)))

    for local in locals_ * 2:
        local.sync()
    for local in locals_:
        assert local.snapshot is not None
        assert local.snapshot.choices.hidden == tuple(str(number + 1) for number in range(hidden))
        assert local.snapshot.fetched_at == latest


def test_a_fetch_that_ends_while_the_owner_chooses_is_not_undone(site: Site, clock: MovingClock) -> None:
    class Interrupted(MemoryStore):
        """Lets another process fetch just before the owner's choice is written into the feed."""

        other: FeedService | None = None

        def swap(self, key: str, old: str | None, new: str) -> bool:
            if key == FEED_KEY and self.other:
                other, self.other = self.other, None
                other.fetch()
            return super().swap(key, old, new)

    store = Interrupted(clock)
    site.stored(store)
    fetching, owners = site.start(store).feed, site.start(store).feed
    fetching.fetch()
    new = site.instagram.publish(image())["id"]
    first, second, *_ = shown(owners)
    store.other = fetching

    owners.choose(hiding(first))

    assert store.other is None
    assert shown(owners)[:2] == [new, second]
    site.clock.forward(minutes=1)
    assert shown(fetching)[:2] == [new, second]


def test_of_two_owners_who_choose_at_once_neither_is_lost(site: Site, store: MemoryStore) -> None:
    one, other = site.start(store).feed, site.start(store).feed
    one.fetch()
    first, second, third, *_ = shown(one)
    has_interrupted = False

    def choose(choices: Choices, _: FeedSnapshot | None) -> Choices:
        nonlocal has_interrupted
        if not has_interrupted:
            has_interrupted = True
            other.choose(hiding(first))
        return choices.hide([second])

    one.choose(choose)

    for feed in (one, other):
        site.clock.forward(minutes=1)
        assert shown(feed)[0] == third


def test_what_a_process_kept_while_the_store_was_away_gets_the_choices_made_meanwhile(
    site: Site, clock: MovingClock
) -> None:
    away, near = FrailStore(clock), MemoryStore(clock)
    away._values = near._values  # Two ways to one database, of which one is interrupted.
    site.stored(near)
    fetching, owners = site.start(away, environment=site.token().value).feed, site.start(near).feed
    fetching.fetch()
    first, second, *_ = shown(owners)
    away.away = True
    fetching.fetch()
    owners.choose(hiding(first))
    away.away = False

    for _ in range(2):
        site.clock.forward(minutes=1)
        fetching.current()
    assert shown(fetching)[0] == second
    assert shown(owners)[0] == second


def test_what_an_earlier_version_writes_without_the_choices_gets_them_again(site: Site, store: MemoryStore) -> None:
    feed = site.start(store).feed
    feed.fetch()
    first, second, *_ = shown(feed)
    feed.choose(hiding(first))
    stored = FeedSnapshot.from_text(store.get(FEED_KEY) or "")
    store.set(FEED_KEY, replace(stored, choices=Choices(), revision=stored.revision + 1).to_text())

    site.clock.forward(minutes=1)

    assert shown(feed)[0] == second
    assert FeedSnapshot.from_text(store.get(FEED_KEY) or "").choices == feed.choices


def test_what_was_chosen_is_removed_with_the_posts(site: Site, store: MemoryStore) -> None:
    feed, other = site.start(store).feed, site.start(store).feed
    feed.fetch()
    other.current()
    before = shown(feed)
    feed.choose(hiding(before[0]))

    feed.remove()

    assert store.get(CHOICES_KEY) is None
    site.clock.forward(minutes=1)
    other.current()
    other.fetch()
    assert shown(other) == before


# What is refused


def test_a_post_is_found_by_its_id_its_shortcode_and_its_address(fetched: Services, instagram: FakeInstagram) -> None:
    first, second, third, fourth, *_ = ids(instagram)
    code = shortcode(second)
    addresses = [f"https://instagram.com/studio.nord/p/{shortcode(third)}/?igsh=x", instagram.posts[3]["permalink"]]

    chosen = choosing.hide(fetched, [first, code, f" {addresses[0]} ", addresses[1]])

    assert chosen.hidden == (first, second, third, fourth)


@pytest.mark.parametrize("name", ["", "17", "https://www.instagram.com/p/AAAA/", "https://evil.example/", "p", "*"])
def test_an_unknown_post_is_refused_and_nothing_is_changed(
    fetched: Services, instagram: FakeInstagram, name: str
) -> None:
    with pytest.raises(ChoiceRefused, match="no such post"):
        choosing.hide(fetched, [ids(instagram)[0], name])

    assert fetched.feed.choices == Choices()


def test_what_has_left_the_feed_can_be_shown_again_by_its_id(fetched: Services, instagram: FakeInstagram) -> None:
    hidden = ids(instagram)[0]
    choosing.hide(fetched, [hidden])
    instagram.posts = instagram.posts[1:]
    fetched.feed.fetch()

    assert choosing.show(fetched, [hidden]).hidden == ()


def test_a_link_needs_https_and_an_empty_one_is_removed(fetched: Services, instagram: FakeInstagram) -> None:
    first = ids(instagram)[0]
    choosing.set_link(fetched, first, "https://shop.example/", "Buy it")

    with pytest.raises(ChoiceRefused, match="https://"):
        choosing.set_link(fetched, first, "http://shop.example/")
    assert choosing.listed(fetched)[0].link == fetched.feed.choices.links[0]
    assert choosing.set_link(fetched, first, " ").links == ()


def test_a_choice_that_cannot_be_kept_changes_nothing(site: Site, clock: MovingClock) -> None:
    store = FrailStore(clock)
    site.stored(store)
    feed = site.start(store).feed
    feed.fetch()
    before = shown(feed)
    store.away = True

    with pytest.raises(StoreError):
        feed.choose(hiding(before[0]))

    assert shown(feed) == before


def test_a_failed_fetch_keeps_the_choices(site: Site, store: MemoryStore) -> None:
    feed = site.start(store).feed
    feed.fetch()
    first, second, *_ = shown(feed)
    feed.choose(hiding(first))
    site.instagram.fail("media", TEMPORARY)
    site.clock.forward(minutes=1)

    feed.fill()

    assert store.get(FAILURE_KEY)
    assert shown(feed)[0] == second
