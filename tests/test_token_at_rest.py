"""The token in the store: plain without a key, encrypted with one, encrypted again when the keys change."""

import json

import pytest
from cryptography.fernet import Fernet

from igfeed import create_app
from igfeed.errors import StoreError
from igfeed.models import Token
from igfeed.stores.memory import MemoryStore
from igfeed.tokens.document import TOKEN_KEY
from igfeed.tokens.encryption import ENCRYPTED_PREFIX, FernetCipher, NoCipher, new_key
from tests.conftest import MakeServices
from tests.harness.site import Site
from tests.servers.instagram import FakeInstagram

OLD, NEW = new_key(), new_key()


@pytest.fixture
def store(memory_store: MemoryStore) -> MemoryStore:
    return memory_store


def with_keys(*keys: str) -> FernetCipher:
    return FernetCipher(keys)


def test_a_plain_token_is_encrypted_with_its_next_use(site: Site, store: MemoryStore) -> None:
    token = site.stored(store)
    tokens = site.start(store, cipher=with_keys(NEW)).tokens

    assert tokens.usable().value == token.value

    text = store.get(TOKEN_KEY) or ""
    assert text.startswith(ENCRYPTED_PREFIX)
    assert token.value not in text
    assert json.loads(Fernet(NEW).decrypt(text.removeprefix(ENCRYPTED_PREFIX)))["value"] == token.value


def test_a_token_encrypted_with_an_old_key_is_encrypted_again_with_the_newest(site: Site, store: MemoryStore) -> None:
    token = site.stored(store)
    site.start(store, cipher=with_keys(OLD)).tokens.usable()

    assert site.start(store, cipher=with_keys(NEW, OLD)).tokens.usable().value == token.value

    assert site.start(store, cipher=with_keys(NEW)).tokens.usable().value == token.value


def test_a_token_encrypted_with_the_newest_key_is_not_written_again(site: Site, store: MemoryStore) -> None:
    site.stored(store)
    tokens = site.start(store, cipher=with_keys(NEW)).tokens
    tokens.usable()
    text = store.get(TOKEN_KEY)

    tokens.usable()

    assert store.get(TOKEN_KEY) == text


@pytest.mark.parametrize("cipher", [NoCipher(), with_keys(OLD)])
def test_without_the_right_key_the_stored_token_is_kept_and_the_error_is_clear(
    site: Site, store: MemoryStore, cipher: NoCipher | FernetCipher
) -> None:
    site.stored(store)
    site.start(store, cipher=with_keys(NEW)).tokens.usable()
    text = store.get(TOKEN_KEY)

    with pytest.raises(StoreError) as caught:
        site.start(store, cipher=cipher).tokens.usable()

    assert "IGFEED_ENCRYPTION_KEY" in caught.value.hint
    assert store.get(TOKEN_KEY) == text


def test_the_status_does_not_encrypt_a_plain_token(site: Site, store: MemoryStore) -> None:
    site.stored(store)
    text = store.get(TOKEN_KEY)

    report = site.start(store, cipher=with_keys(NEW)).tokens.report()

    assert report.is_saved
    assert store.get(TOKEN_KEY) == text


def test_the_whole_app_works_with_a_key(make_services: MakeServices, instagram: FakeInstagram, token: Token) -> None:
    services = make_services(IGFEED_ENCRYPTION_KEY=f"{NEW},{OLD}")

    assert create_app(services=services).test_client().get("/").status_code == 200

    assert (services.store.get(TOKEN_KEY) or "").startswith(ENCRYPTED_PREFIX)


def test_new_key_prints_a_key_that_works(make_services: MakeServices) -> None:
    done = create_app(services=make_services()).test_cli_runner().invoke(args=["igfeed", "new-key"])

    assert done.exit_code == 0
    cipher = with_keys(done.stdout.strip())
    assert cipher.decrypt(cipher.encrypt("text")) == "text"
