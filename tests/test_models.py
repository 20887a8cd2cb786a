"""The models: their JSON, a token's age and expiry, and which of two tokens wins."""

import json
import re
from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igfeed.history import Event
from igfeed.models import AlbumPicture, Failure, FeedSnapshot, Measures, Picture, Post, Profile, Renewal, Token
from igfeed.models.lineage import replacing_rejected, successor
from igfeed.models.record import (
    ADDRESS,
    COLOUR,
    MAX_COUNTED,
    MAX_PIXELS,
    MEDIA_ID,
    PERMALINK,
    UNREADABLE,
    Record,
    fingerprint,
)
from igfeed.models.token import RENEWAL_MIN_AGE
from igfeed.models.token_choice import wins_over
from igfeed.owner.alerts.episode import Unsent
from igfeed.owner.hooks.deliveries import Delivery
from igfeed.texts.cleaning import clean
from tests.harness.odd import KIND_OF, ODD_TEXTS, changed, leaves, odd_values

NOW = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)

texts = st.text(st.characters(codec="utf-8"))
maybe_texts = st.none() | texts
written = st.text().map(clean)
"""What people wrote, cleaned as it is when it is read."""
names = st.text(st.characters(codec="utf-8"), min_size=1)
counts = st.none() | st.integers(0, MAX_COUNTED)
ids = st.from_regex(MEDIA_ID)
addresses = st.none() | st.from_regex(ADDRESS).filter(lambda text: text.isprintable())
permalinks = st.none() | st.from_regex(PERMALINK).filter(lambda text: text.isprintable())
zones = st.builds(lambda minutes: timezone(timedelta(minutes=minutes)), st.integers(-1439, 1439))
moments = st.datetimes(datetime(1901, 1, 1), datetime(2199, 1, 1), timezones=zones)  # noqa: DTZ001

picture_fields = {
    "id": ids,
    "url": addresses,
    "video_url": addresses,
    "colour": st.none() | st.from_regex(COLOUR),
    "size": st.none() | st.tuples(st.integers(1, MAX_PIXELS), st.integers(1, MAX_PIXELS)),
}
pictures, album_pictures = (st.builds(kind, **picture_fields) for kind in (Picture, AlbumPicture))
posts = st.builds(
    Post,
    picture=pictures,
    media_type=texts,
    permalink=permalinks,
    timestamp=st.none() | moments,
    caption=written,
    alt_text=written,
    product_type=maybe_texts,
    like_count=counts,
    comments_count=counts,
    children=st.lists(album_pictures, max_size=3).map(tuple),
)
profiles = st.builds(
    Profile,
    username=written.filter(bool),
    name=written,
    biography=written,
    website=written,
    picture_url=addresses,
    media_count=counts,
    followers_count=counts,
    follows_count=counts,
)
snapshots = st.builds(
    FeedSnapshot,
    profile=profiles,
    posts=st.lists(posts, max_size=3).map(tuple),
    fetched_at=moments,
    cooldown_until=st.none() | moments,
    removed_picture_ids=st.lists(ids, max_size=3).map(tuple),
)
lone_tokens = st.builds(
    Token,
    value=names,
    issued_at=st.none() | moments,
    expires_at=st.none() | moments,
    predecessor=st.none(),
    origin=maybe_texts,
    from_environment=st.booleans(),
    refused=st.frozensets(texts, max_size=3),
    revision=st.integers(0, 9),
)
tokens = st.builds(replace, lone_tokens, predecessor=st.none() | lone_tokens)
failures = st.builds(
    Failure,
    kind=texts,
    message=texts,
    hint=texts,
    at=moments,
    until=moments,
    token=texts,
    failures=st.integers(0, 1000),
)
renewals = st.builds(Renewal, attempt=st.integers(0, 10**9), at=moments, token=texts, failure=st.none() | failures)

TOKEN = Token("IGAAtoken", NOW - timedelta(days=30), NOW + timedelta(days=30), Token("IGAAold", NOW, NOW), "origin")
FAILURE = Failure("RateLimited", "Too many.", "Wait.", NOW, NOW + timedelta(hours=1), "token", 3)
RENEWAL = Renewal(4, NOW, "token", FAILURE)
SNAPSHOT = FeedSnapshot(
    profile=Profile("studio.nord", media_count=2),
    posts=(
        Post(Picture("1", "https://a/1.jpg"), "IMAGE", timestamp=NOW, caption="Grüße 🪑"),
        Post(
            Picture("2"),
            "CAROUSEL_ALBUM",
            children=(AlbumPicture("3", "https://a/3.jpg"), AlbumPicture("4", None, "https://a/4.mp4")),
        ),
    ),
    fetched_at=NOW,
    cooldown_until=NOW + timedelta(hours=1),
    removed_picture_ids=("9",),
)


def as_json(document: Record) -> Any:
    return json.loads(document.to_text())


POST = as_json(SNAPSHOT.posts[0])


# There and back


@given(snapshots)
def test_a_snapshot_survives_json(snapshot: FeedSnapshot) -> None:
    assert FeedSnapshot.from_text(snapshot.to_text()) == snapshot


@given(tokens)
def test_a_token_survives_json(token: Token) -> None:
    assert Token.from_text(token.to_text()) == token


@given(failures)
def test_a_failure_survives_json(failure: Failure) -> None:
    assert Failure.from_text(failure.to_text()) == failure


@given(renewals)
def test_a_renewal_survives_json(renewal: Renewal) -> None:
    assert Renewal.from_text(renewal.to_text()) == renewal


def test_a_snapshot_whose_pictures_were_looked_up_still_survives_json() -> None:
    snapshot = replace(SNAPSHOT)
    assert snapshot.picture("3")
    assert snapshot.version
    assert FeedSnapshot.from_text(snapshot.to_text()) == SNAPSHOT


DOCUMENTS: list[tuple[Any, Any]] = [
    (FeedSnapshot, SNAPSHOT),
    (Token, TOKEN),
    (Failure, FAILURE),
    (Renewal, RENEWAL),
    (Post, SNAPSHOT.posts[1]),
    (Event, Event(NOW, None, "fetch", "visitor", "failed", 412, "Instagram did not answer.")),
    (Unsent, Unsent("action-required:1a2b", 2, NOW, (1, 3))),
    (Delivery, Delivery(("18000000000000101",), ("1a2b",), 1, NOW)),
]


@pytest.mark.parametrize("noun", [noun for noun, _ in DOCUMENTS])
@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{}", '"text"', "5", "true", "[[]]", '{"value":null}', '{"posts":1}']
)
def test_a_text_that_is_not_a_document_is_unreadable(noun: Any, text: str) -> None:
    with pytest.raises(UNREADABLE):
        noun.from_text(text)


@pytest.mark.parametrize("noun", [noun for noun, _ in DOCUMENTS])
@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "\ud800", '{"value": NaN}'])
def test_a_text_that_is_not_json_is_unreadable(noun: Any, text: str) -> None:
    with pytest.raises(UNREADABLE):
        noun.from_text(text)


@pytest.mark.parametrize(("noun", "value"), DOCUMENTS)
def test_a_document_with_a_field_missing_has_its_default_or_is_unreadable(noun: Any, value: Any) -> None:
    whole = as_json(value)
    defaults = {each.name: each.default for each in fields(noun)}
    for name in whole:
        text = json.dumps({key: part for key, part in whole.items() if key != name})
        if defaults[name] is MISSING:
            with pytest.raises(UNREADABLE):
                noun.from_text(text)
        else:
            assert noun.from_text(text) == replace(value, **{name: defaults[name]})


@pytest.mark.parametrize(("noun", "value"), DOCUMENTS)
def test_a_field_that_only_a_later_version_knows_is_ignored(noun: Any, value: Any) -> None:
    assert noun.from_text(json.dumps({**as_json(value), "more": [{"a": 1}]})) == value


@pytest.mark.parametrize(("noun", "value"), DOCUMENTS)
def test_a_document_with_any_odd_value_is_valid_or_unreadable(noun: Any, value: Any) -> None:
    whole = as_json(value)
    for path in leaves(whole):
        for odd in odd_values(path):
            text = json.dumps(changed(whole, path, odd))
            try:
                read = noun.from_text(text)
            except UNREADABLE:
                continue
            assert noun.from_text(read.to_text()) == read, (path, odd)


@pytest.mark.parametrize(("name", "odd"), [(name, odd) for name, texts in ODD_TEXTS.items() for odd in texts])
def test_a_text_of_the_wrong_form_is_unreadable(name: str, odd: str) -> None:
    places = [("picture", "id"), ("children", 0, "colour"), ("permalink",), ("timestamp",), ("picture", "video_url")]
    (path,) = (path for path in places if KIND_OF.get(str(path[-1]), path[-1]) == name)
    with pytest.raises(UNREADABLE):
        Post.from_text(json.dumps(changed(as_json(SNAPSHOT.posts[1]), path, odd)))


@pytest.mark.parametrize("name", ["like_count", "comments_count"])
@pytest.mark.parametrize("odd", [-1, 10**13, 0.5, True, "5", [], 1e400])
def test_a_count_that_is_not_a_count_is_unreadable(name: str, odd: Any) -> None:
    with pytest.raises(UNREADABLE):
        Post.from_text(json.dumps({**POST, name: odd}))


@pytest.mark.parametrize(
    "change",
    [
        {"value": ""},
        {"value": None},
        {"value": 5},
        {"value": ["IGAA"]},
        {"expires_at": "soon"},
        {"expires_at": 1777809600},
        {"issued_at": "2026-13-01T00:00:00+00:00"},
        {"predecessor": "IGAAold"},
        {"predecessor": {"value": ""}},
        {"refused": None},
        {"refused": [5]},
        {"origin": 5},
        {"from_environment": "yes"},
        {"revision": "2"},
    ],
)
def test_a_token_with_an_odd_field_is_unreadable(change: dict[str, Any]) -> None:
    with pytest.raises(UNREADABLE):
        Token.from_text(json.dumps({**as_json(TOKEN), **change}))


@pytest.mark.parametrize(
    "change",
    [
        {"profile": {}},
        {"profile": None},
        {"profile": {"username": ""}},
        {"profile": {"username": None}},
        {"posts": None},
        {"posts": [None]},
        {"posts": [{"picture": {}}]},
        {"posts": [{**POST, "caption": 5}]},
        {"posts": [{**POST, "caption": "\ud800"}]},
        {"fetched_at": None},
        {"fetched_at": "yesterday"},
        {"removed_picture_ids": None},
        {"removed_picture_ids": ["../x"]},
    ],
)
def test_a_snapshot_with_an_odd_field_is_unreadable(change: dict[str, Any]) -> None:
    with pytest.raises(UNREADABLE):
        FeedSnapshot.from_text(json.dumps({**as_json(SNAPSHOT), **change}))


FIRST_RELEASE = {
    "token": (
        '{"value": "IGAAtoken", "issued_at": "2026-04-03T12:00:00+00:00", "expires_at": "2026-06-02T12:00:00+00:00", '
        '"predecessor": null, "origin": "origin", "from_environment": false, "refused": []}'
    ),
    "snapshot": (
        '{"profile": {"username": "studio.nord", "name": null, "biography": "Gr\\u00fc\\u00dfe\\n\\u0007", '
        '"website": null, "picture_url": "https://a/p.jpg?oe=1", "media_count": 2, '
        '"followers_count": null, "follows_count": null}, "posts": [{"picture": {"id": "1", '
        '"url": "https://a/1.jpg?oe=6A&_nc_ht=x", "video_url": null, '
        '"colour": "#c9b79c"}, "media_type": "IMAGE", "permalink": "https://www.instagram.com/p/C_-a/", '
        '"timestamp": "2026-05-03T12:00:00+00:00", "caption": null, "alt_text": null, "product_type": "FEED", '
        '"like_count": 5, "comments_count": 0, "children": []}], "fetched_at": "2026-05-03T12:00:00.000001+00:00", '
        '"rest_until": null, "departed": ["9", "0_123456789"]}'
    ),
}


def test_documents_of_the_first_release_stay_readable() -> None:
    token = Token.from_text(FIRST_RELEASE["token"])
    snapshot = FeedSnapshot.from_text(FIRST_RELEASE["snapshot"])

    assert (token.value, token.expires_at, token.revision) == ("IGAAtoken", NOW + timedelta(days=30), 0)
    assert (snapshot.posts[0].like_count, snapshot.posts[0].timestamp) == (5, NOW)
    assert snapshot.removed_picture_ids == ("9", "0_123456789")


# Tokens


@pytest.mark.parametrize(("left", "expired"), [(MOMENT, False), (timedelta(), True), (-MOMENT, True)])
def test_a_token_is_expired_from_its_expiry_on(left: timedelta, expired: bool) -> None:
    assert Token("t", expires_at=NOW + left).is_expired(NOW) is expired


@pytest.mark.parametrize(("more", "renewable"), [(-MOMENT, False), (timedelta(), True), (MOMENT, True)])
def test_a_token_is_renewable_from_24_hours_of_age_on(more: timedelta, renewable: bool) -> None:
    token = Token("t", issued_at=NOW - timedelta(hours=24) - more)
    assert token.is_renewable(NOW) is renewable
    assert token.renewable_at == NOW - more


@pytest.mark.parametrize(("more", "less"), [(-MOMENT, True), (timedelta(), False), (MOMENT, False)])
def test_a_token_that_expires_in_exactly_a_week_does_not_expire_within_a_week(more: timedelta, less: bool) -> None:
    week = timedelta(days=7)
    assert Token("t", expires_at=NOW + week + more).may_expire_within(week, NOW) is less


def test_a_token_of_unknown_times_is_old_and_due_but_not_expired() -> None:
    token = Token("t")
    assert token.is_renewable(NOW)
    assert token.may_expire_within(timedelta(), NOW)
    assert not token.is_expired(NOW)
    assert token.renewable_at is None


def test_the_minimum_age_for_a_renewal_is_a_day() -> None:
    assert timedelta(hours=24) == RENEWAL_MIN_AGE


def test_the_value_of_a_token_is_never_printed() -> None:
    assert "IGAA" not in f"{TOKEN!r} {TOKEN} {[TOKEN]}"


def test_a_successor_remembers_its_predecessor_and_no_earlier_one() -> None:
    renewed = successor(TOKEN, Token("IGAAnew", NOW, NOW + timedelta(days=60)))
    assert renewed == Token(
        "IGAAnew", NOW, NOW + timedelta(days=60), replace(TOKEN, predecessor=None), origin="origin", revision=1
    )


def test_a_successor_with_the_same_value_has_no_predecessor() -> None:
    assert successor(TOKEN, Token("IGAAtoken", NOW)).predecessor is None


def test_a_successor_keeps_the_lineage_and_the_refused_tokens() -> None:
    given = Token("IGAAgiven", from_environment=True, refused=frozenset({fingerprint("IGAAdead")}))

    renewed_twice = successor(successor(given, Token("IGAAnew")), Token("IGAAnewest"))

    assert (given.lineage, renewed_twice.lineage) == (given.fingerprint, given.fingerprint)
    assert renewed_twice.from_environment
    assert renewed_twice.refused == given.refused


def test_a_refused_value_that_a_renewal_returns_is_no_longer_refused() -> None:
    rejected = Token("IGAAsame")

    assert successor(replacing_rejected(TOKEN, rejected), rejected).refused == frozenset()


def test_a_token_that_replaces_rejected_ones_remembers_all_of_them() -> None:
    first, second = Token("IGAAone"), Token("IGAAtwo")

    stays = replacing_rejected(TOKEN, replacing_rejected(second, first))

    assert stays.value == TOKEN.value
    assert stays.predecessor is None
    assert stays.refused == {first.fingerprint, second.fingerprint}


def lasting(days: float, value: str = "IGAAtoken", **known: Any) -> Token:
    """A token of one lineage that expires in so many days."""
    return Token(value, NOW, NOW + timedelta(days=days), **{"origin": "lineage", **known})


REFUSED = lasting(9, "IGAArefused")
PRECEDENCE = {
    "an unexpired one over an expired one": (lasting(1, origin="other"), lasting(0)),
    "one that works over one that was refused": (replacing_rejected(lasting(1), REFUSED), REFUSED),
    "of one lineage the one that expires later": (lasting(2), lasting(1)),
    "a known expiry over an unknown one": (lasting(1), Token("IGAAtoken", origin="lineage")),
    "of one expiry the one that has worked": (lasting(1), lasting(1, predecessor=Token("IGAAold"))),
    "of one expiry the one that knows more refused tokens": (replacing_rejected(lasting(1), REFUSED), lasting(1)),
}


@pytest.mark.parametrize(("one", "other"), PRECEDENCE.values(), ids=PRECEDENCE)
def test_the_better_one_of_two_tokens_wins(one: Token, other: Token) -> None:
    assert wins_over(one, other, NOW)
    assert not wins_over(other, one, NOW)


def test_of_two_lineages_neither_wins() -> None:
    one, other = lasting(1), lasting(2, origin="other")

    assert not wins_over(one, other, NOW)
    assert not wins_over(other, one, NOW)


@given(tokens, tokens, moments)
def test_two_tokens_never_win_over_each_other(one: Token, other: Token, now: datetime) -> None:
    assert not (wins_over(one, other, now) and wins_over(other, one, now))


def test_a_fingerprint_tells_secrets_apart_and_holds_nothing_of_them() -> None:
    assert fingerprint("IGAAtoken") == Token("IGAAtoken").fingerprint
    assert fingerprint("IGAAtoken") != fingerprint("IGAAtokem")
    assert len(fingerprint("IGAAtoken" * 100)) == 16
    assert "IGAA" not in fingerprint("IGAAtoken")


# Failures


@pytest.mark.parametrize(("more", "pauses"), [(-MOMENT, True), (timedelta(), False), (MOMENT, False)])
def test_a_failure_is_backing_off_until_its_end(more: timedelta, pauses: bool) -> None:
    assert FAILURE.is_backing_off("token", FAILURE.until + more) is pauses


def test_a_failure_with_another_token_is_not_backing_off() -> None:
    assert not FAILURE.is_backing_off("other", NOW)


# Snapshots


def test_a_snapshots_pictures_are_those_of_posts_and_children() -> None:
    assert [picture.id for picture in SNAPSHOT.pictures()] == ["1", "2", "3", "4"]
    assert SNAPSHOT.picture_ids == {"1", "2", "3", "4"}
    assert SNAPSHOT.picture("3") == AlbumPicture("3", "https://a/3.jpg")
    assert SNAPSHOT.picture("5") is None


def test_the_accounts_own_picture_is_one_of_them_and_called_after_its_path() -> None:
    def portrait(url: str | None) -> Picture | None:
        return Profile("studio.nord", picture_url=url).picture

    first, again, other = (
        portrait(url) for url in ("https://a/v/1_n.jpg?oe=1", "https://b/v/1_n.jpg?oe=2", "https://a/v/2_n.jpg?oe=1")
    )

    assert first
    assert again
    assert other
    assert re.fullmatch(r"0_\d+", first.id)
    assert first.id == again.id != other.id
    assert again.url == "https://b/v/1_n.jpg?oe=2"
    assert [portrait(url) for url in (None, "", "https://[", "https://a")] == [None] * 4
    whole = replace(SNAPSHOT, profile=Profile("studio.nord", picture_url="https://a/v/1_n.jpg"))
    assert next(whole.pictures()).id == first.id
    assert whole.picture(first.id)


def test_a_snapshot_takes_the_measures_that_are_known() -> None:
    coloured = SNAPSHOT.with_measures(
        lambda picture: Measures({"1": "#111111", "3": "#333333"}.get(picture.id), (1080, 1350))
    )

    assert [picture.colour for picture in coloured.pictures()] == ["#111111", None, "#333333", None]
    assert {picture.size for picture in coloured.pictures() if picture != coloured.profile.picture} == {(1080, 1350)}
    assert coloured.with_measures(lambda each: each.measures) == coloured
    assert FeedSnapshot.from_text(coloured.to_text()) == coloured


def test_a_snapshot_from_before_there_were_measures_is_read() -> None:
    document = as_json(SNAPSHOT)
    for post in document["posts"]:
        for picture in (post["picture"], *post["children"]):
            del picture["colour"], picture["size"]

    assert FeedSnapshot.from_text(json.dumps(document)) == SNAPSHOT


def test_a_post_is_called_by_the_id_of_its_picture() -> None:
    assert [post.id for post in SNAPSHOT.posts] == ["1", "2"]


def test_the_version_changes_with_the_content_and_with_nothing_else() -> None:
    assert replace(SNAPSHOT).version == SNAPSHOT.version
    assert replace(SNAPSHOT, fetched_at=NOW + MOMENT).version != SNAPSHOT.version
    assert replace(SNAPSHOT, posts=SNAPSHOT.posts[:1]).version != SNAPSHOT.version


def test_a_document_with_the_field_names_of_an_earlier_version_is_read() -> None:
    failure = {"kind": "RateLimited", "message": "m", "hint": "h", "at": NOW.isoformat(), "until": NOW.isoformat()}
    stored = {"attempt": 3, "at": NOW.isoformat(), "token": "t", "trouble": failure, "may_be_done": True}
    renewal = Renewal.from_text(json.dumps(stored))
    feed = {"profile": {"username": "a"}, "posts": [], "fetched_at": NOW.isoformat()}
    snapshot = FeedSnapshot.from_text(json.dumps({**feed, "rest_until": NOW.isoformat(), "departed": ["1", "2"]}))

    assert renewal.failure is not None
    assert renewal.failure.kind == "RateLimited"
    assert renewal.may_have_taken_effect
    assert (snapshot.cooldown_until, snapshot.removed_picture_ids) == (NOW, ("1", "2"))


@pytest.mark.parametrize(("old", "new"), [*FeedSnapshot.RENAMED.items(), *Renewal.RENAMED.items()])
def test_a_renamed_field_is_a_field_and_its_old_name_is_none(old: str, new: str) -> None:
    names = {field.name for each in (FeedSnapshot, Renewal) for field in fields(each)}

    assert new in names
    assert old not in names


def test_the_present_field_name_wins_if_a_document_has_both() -> None:
    feed = {"profile": {"username": "a"}, "posts": [], "fetched_at": NOW.isoformat()}

    snapshot = FeedSnapshot.from_text(json.dumps({**feed, "departed": ["1"], "removed_picture_ids": ["2"]}))

    assert snapshot.removed_picture_ids == ("2",)
