"""A document in the store and in this process: which of the two is believed, and that neither raises."""

from datetime import UTC, datetime, timedelta

import pytest

from igfeed.models import Renewal
from igfeed.stores.cached_document import CachedDocument
from igfeed.stores.memory import MemoryStore
from tests.harness.clock import MovingClock
from tests.harness.stores import FrailStore

NOON = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)
KEY = "renewal:v1"


@pytest.fixture
def store(clock: MovingClock) -> FrailStore:
    return FrailStore(clock)


@pytest.fixture
def document(store: FrailStore) -> CachedDocument[Renewal]:
    return CachedDocument(store, KEY, Renewal.from_text)


def renewal(attempt: int = 1, seconds: int = 0) -> Renewal:
    return Renewal(attempt, NOON + timedelta(seconds=seconds), "token")


def write(store: FrailStore, value: Renewal) -> None:
    """As another process does it."""
    MemoryStore.set(store, KEY, value.to_text())


def test_nothing_kept_is_nothing_loaded(document: CachedDocument[Renewal]) -> None:
    assert document.load() is None


def test_what_is_kept_is_loaded_and_lies_in_the_store(document: CachedDocument[Renewal], store: FrailStore) -> None:
    document.save(renewal())
    assert document.load() == renewal()
    assert CachedDocument(store, KEY, Renewal.from_text).load() == renewal()


def test_what_another_process_wrote_is_loaded(document: CachedDocument[Renewal], store: FrailStore) -> None:
    document.save(renewal())
    write(store, renewal(2, 1))
    assert document.load() == renewal(2, 1)


def test_what_another_process_deleted_is_gone(document: CachedDocument[Renewal], store: FrailStore) -> None:
    document.save(renewal())
    store.delete(KEY)
    assert document.load() is None


def test_while_the_store_is_away_the_copy_is_loaded(document: CachedDocument[Renewal], store: FrailStore) -> None:
    document.save(renewal())
    store.away = True
    assert document.load() == renewal()


def test_what_was_only_read_is_a_copy_too(document: CachedDocument[Renewal], store: FrailStore) -> None:
    write(store, renewal())
    document.load()
    store.away = True
    assert document.load() == renewal()


def test_what_could_not_be_written_is_loaded_when_the_store_is_back(
    document: CachedDocument[Renewal], store: FrailStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.away = True
    document.save(renewal())
    assert KEY in caplog.text
    store.away = False
    assert document.load() == renewal()


@pytest.mark.parametrize(("seconds", "believed"), [(-1, 1), (0, 1), (1, 2)])
def test_of_an_unwritten_document_and_a_stored_one_the_newer_is_believed(
    document: CachedDocument[Renewal], store: FrailStore, seconds: int, believed: int
) -> None:
    store.away = True
    document.save(renewal(1))
    store.away = False
    write(store, renewal(2, seconds))
    loaded = document.load()
    assert loaded
    assert loaded.attempt == believed


def test_a_document_written_after_an_unwritten_one_takes_its_place(
    document: CachedDocument[Renewal], store: FrailStore
) -> None:
    store.away = True
    document.save(renewal(1))
    store.away = False
    document.save(renewal(2))
    store.delete(KEY)
    assert document.load() is None


def test_what_is_forgotten_is_gone_from_store_and_process(document: CachedDocument[Renewal], store: FrailStore) -> None:
    document.save(renewal())
    document.delete()
    assert store.get(KEY) is None
    store.away = True
    assert document.load() is None


def test_forgetting_while_the_store_is_away_raises_nothing(
    document: CachedDocument[Renewal], store: FrailStore
) -> None:
    store.away = True
    document.delete()
    assert document.load() is None


@pytest.mark.parametrize("text", ["", "not json", "null", "[]", "{}", '{"attempt": "x"}', '"text"', "5"])
def test_what_cannot_be_read_counts_as_absent_and_is_said_by_key_alone(
    document: CachedDocument[Renewal], store: FrailStore, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    store.set(KEY, text)
    assert document.load() is None
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert KEY in record.getMessage()
