"""How the token lies in the store: as it is, or encrypted with the owner's keys."""

from collections.abc import Sequence
from typing import Protocol

from igfeed.errors import StoreError

MARK = "fernet:"
KEY_HINT = "Set IGFEED_ENCRYPTION_KEY to the key it was written with; the stored value is kept as it is."


class Cipher(Protocol):
    def encrypt(self, text: str) -> str: ...

    def decrypt(self, text: str) -> str:
        """Raises StoreError when the keys at hand do not open it."""

    def is_current(self, text: str) -> bool:
        """Whether this is how the text would be written now; what is not should be written anew."""


class NoCipher:
    """For an owner without a key."""

    def encrypt(self, text: str) -> str:
        return text

    def decrypt(self, text: str) -> str:
        if text.startswith(MARK):
            raise StoreError("The stored token is encrypted and no key is set.", KEY_HINT)
        return text

    def is_current(self, text: str) -> bool:  # noqa: ARG002  there is one way only
        return True


class FernetCipher:
    """Writes with the first key, reads with each; what was written before there was a key is read as it is."""

    def __init__(self, keys: Sequence[str]) -> None:
        # Half as long to import as Flask itself, so only who has set a key pays for it.
        from cryptography.fernet import Fernet, InvalidToken, MultiFernet  # noqa: PLC0415

        self._newest = Fernet(keys[0])
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._invalid = InvalidToken

    def encrypt(self, text: str) -> str:
        return MARK + self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, text: str) -> str:
        if not text.startswith(MARK):
            return text
        try:
            return self._fernet.decrypt(text.removeprefix(MARK)).decode()
        except (self._invalid, ValueError):  # ValueError: it is not even ASCII.
            raise StoreError("No key that is set opens the stored token.", KEY_HINT) from None

    def is_current(self, text: str) -> bool:
        try:
            self._newest.decrypt(text.removeprefix(MARK))
        except (self._invalid, ValueError):
            return False
        return text.startswith(MARK)


def new_key() -> str:
    """A key for IGFEED_ENCRYPTION_KEY."""
    from cryptography.fernet import Fernet  # noqa: PLC0415  as above

    return Fernet.generate_key().decode()
