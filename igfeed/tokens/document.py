"""The token's document in the store, encrypted if the owner has set a key."""

from igfeed.errors import StoreError
from igfeed.models import Token
from igfeed.models.record import UNREADABLE
from igfeed.stores import Store
from igfeed.stores.document import Document
from igfeed.tokens.encryption import Cipher

TOKEN_KEY = "token:v1"  # noqa: S105  the key of the document, no secret


class TokenDocument(Document[Token]):
    """Unlike other documents, a text that cannot be decrypted or read raises StoreError.

    Such a text may hold a token that still works, so a fetch or a renewal never overwrites it.
    """

    def __init__(self, store: Store, cipher: Cipher) -> None:
        super().__init__(store, TOKEN_KEY, self._decrypt, self._encrypt)
        self._cipher = cipher

    def is_encryption_current(self, text: str) -> bool:
        """Whether the text is encrypted with the newest key, or is plain and no key is set."""
        return self._cipher.is_current(text)

    def _decrypt(self, text: str) -> Token:
        try:
            return Token.from_text(self._cipher.decrypt(text))
        except UNREADABLE:
            hint = f"Set the token up again with `flask igfeed setup-token`; that replaces {TOKEN_KEY!r}."
            raise StoreError(f"What the store has under {TOKEN_KEY!r} is no token.", hint) from None

    def _encrypt(self, token: Token) -> str:
        return self._cipher.encrypt(token.to_text())
