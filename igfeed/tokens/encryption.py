"""How the token is written in the store: as plain text, or encrypted with the owner's keys."""

from collections.abc import Sequence
from typing import Protocol

from igfeed.errors import StoreError

ENCRYPTED_PREFIX = "fernet:"
"""The beginning of every encrypted text. A plain text is JSON, so it never begins like this."""
ENCRYPTION_KEY_HINT = "Set IGFEED_ENCRYPTION_KEY to the key it was written with; the stored value is kept as it is."


class Cipher(Protocol):
    def encrypt(self, text: str) -> str: ...

    def decrypt(self, text: str) -> str:
        """Raises StoreError if none of the keys decrypts the text."""

    def is_current(self, text: str) -> bool:
        """Whether ``encrypt`` would write the text in this way now. If not, it should be written again."""


class NoCipher:
    """For an owner who has set no key: texts stay as they are."""

    def encrypt(self, text: str) -> str:
        return text

    def decrypt(self, text: str) -> str:
        if text.startswith(ENCRYPTED_PREFIX):
            raise StoreError("The stored token is encrypted and no key is set.", ENCRYPTION_KEY_HINT)
        return text

    def is_current(self, text: str) -> bool:  # noqa: ARG002  there is one way only
        return True


class FernetCipher:
    """Encrypts with the first key and decrypts with any of them. A text that is not encrypted is read as it is.

    So an owner can add a key later, and can replace a key by putting the new one in front of the old one.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        # It takes half as long to import as Flask itself, so only an owner who has set a key pays for it.
        from cryptography.fernet import Fernet, InvalidToken, MultiFernet  # noqa: PLC0415

        self._newest = Fernet(keys[0])
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._invalid = InvalidToken

    def encrypt(self, text: str) -> str:
        return ENCRYPTED_PREFIX + self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, text: str) -> str:
        if not text.startswith(ENCRYPTED_PREFIX):
            return text
        try:
            return self._fernet.decrypt(text.removeprefix(ENCRYPTED_PREFIX)).decode()
        except (self._invalid, ValueError):  # ValueError: the text is not even ASCII.
            raise StoreError("No key that is set opens the stored token.", ENCRYPTION_KEY_HINT) from None

    def is_current(self, text: str) -> bool:
        # MultiFernet does not tell which key has decrypted a text, so the newest one is tried alone.
        try:
            self._newest.decrypt(text.removeprefix(ENCRYPTED_PREFIX))
        except (self._invalid, ValueError):
            return False
        return text.startswith(ENCRYPTED_PREFIX)


def new_key() -> str:
    """A new random key for IGFEED_ENCRYPTION_KEY."""
    from cryptography.fernet import Fernet  # noqa: PLC0415  as above

    return Fernet.generate_key().decode()
