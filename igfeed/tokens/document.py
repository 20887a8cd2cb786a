"""The token's document in the store, encrypted if the owner has set a key."""

from igfeed.errors import StoreError
from igfeed.models import Token
from igfeed.models.record import UNREADABLE
from igfeed.stores import Store
from igfeed.tokens.encryption import Cipher

TOKEN_KEY = "token:v1"  # noqa: S105  the key of the document, no secret


class TokenDocument:
    """Reads and writes it. Every method that uses the store raises StoreError.

    ``last_read`` is the token that the store is known to have, None if it has none or nobody has looked yet.
    """

    last_read: Token | None = None

    def __init__(self, store: Store, cipher: Cipher) -> None:
        self._store = store
        self._cipher = cipher

    def read(self) -> tuple[str | None, Token | None]:
        """The text as it is stored, for ``swap``, and the token in it; None and None if the key does not exist.

        Raises StoreError, also if the text cannot be decrypted or is not a token: it is never overwritten then.
        """
        text = self._store.get(TOKEN_KEY)
        self.last_read = None if text is None else self._parse(text)
        return text, self.last_read

    def swap(self, text: str | None, token: Token) -> bool:
        """Store the token if the stored text is still ``text``. False if another process has changed it."""
        return self._store.swap(TOKEN_KEY, text, self._to_text(token))

    def replace(self, token: Token) -> None:
        """Store the token, whatever was there."""
        self._store.set(TOKEN_KEY, self._to_text(token))
        self.last_read = token

    def is_encryption_current(self, text: str) -> bool:
        """Whether the text is encrypted with the newest key, or is plain and no key is set."""
        return self._cipher.is_current(text)

    def _parse(self, text: str) -> Token:
        try:
            return Token.from_text(self._cipher.decrypt(text))
        except UNREADABLE:
            hint = f"Set the token up again with `flask igfeed setup-token`; that replaces {TOKEN_KEY!r}."
            raise StoreError(f"What the store has under {TOKEN_KEY!r} is no token.", hint) from None

    def _to_text(self, token: Token) -> str:
        return self._cipher.encrypt(token.to_text())
