"""The encryption of the stored token: which keys decrypt it, and what is an error."""

import pytest
from cryptography.fernet import Fernet

from igfeed.errors import StoreError
from igfeed.tokens.encryption import ENCRYPTED_PREFIX, FernetCipher, NoCipher
from tests.harness.leaks import told_by

TEXT = '{"value": "IGAAtoken", "name": "Grüße 🪑"}'


def new_key() -> str:
    return Fernet.generate_key().decode()


def test_without_a_key_a_text_stays_plain() -> None:
    assert NoCipher().encrypt(TEXT) == TEXT
    assert NoCipher().decrypt(TEXT) == TEXT


def test_with_a_key_a_text_is_encrypted_and_can_be_decrypted() -> None:
    cipher = FernetCipher([new_key()])
    written = cipher.encrypt(TEXT)
    assert written.startswith(ENCRYPTED_PREFIX)
    assert "IGAA" not in written
    assert cipher.decrypt(written) == TEXT


def test_encrypting_the_same_text_twice_gives_two_results() -> None:
    cipher = FernetCipher([new_key()])
    assert cipher.encrypt(TEXT) != cipher.encrypt(TEXT)


def test_a_plain_text_from_before_there_was_a_key_is_read_as_it_is() -> None:
    assert FernetCipher([new_key()]).decrypt(TEXT) == TEXT


def test_with_a_new_key_in_front_the_old_one_still_decrypts_and_the_new_one_encrypts() -> None:
    old, new = new_key(), new_key()
    cipher = FernetCipher([new, old])
    assert cipher.decrypt(FernetCipher([old]).encrypt(TEXT)) == TEXT
    assert FernetCipher([new]).decrypt(cipher.encrypt(TEXT)) == TEXT


def test_without_its_key_a_text_is_a_store_error_whose_hint_names_the_variable() -> None:
    written = FernetCipher([new_key()]).encrypt(TEXT)
    for cipher in (NoCipher(), FernetCipher([new_key()])):
        with pytest.raises(StoreError) as caught:
            cipher.decrypt(written)
        assert "IGFEED_ENCRYPTION_KEY" in caught.value.hint
        assert written.removeprefix(ENCRYPTED_PREFIX) not in told_by(caught.value)


@pytest.mark.parametrize("rest", ["", "abc", "ü", "\ud800", "gAAAAA==", "\0"])
def test_a_damaged_text_is_a_store_error(rest: str) -> None:
    with pytest.raises(StoreError):
        FernetCipher([new_key()]).decrypt(ENCRYPTED_PREFIX + rest)


def test_a_text_changed_by_one_letter_is_a_store_error() -> None:
    cipher = FernetCipher([new_key()])
    written = cipher.encrypt(TEXT)
    changed = written[:-5] + ("A" if written[-5] != "A" else "B") + written[-4:]
    with pytest.raises(StoreError):
        cipher.decrypt(changed)
