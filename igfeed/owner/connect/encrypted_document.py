"""A document that is encrypted in the store, because it holds a secret of Connect."""

from typing import Generic, Protocol, Self, TypeVar

from igfeed.errors import StoreError
from igfeed.models.record import UNREADABLE
from igfeed.owner.connect.keys import cipher
from igfeed.services import Services


class Storable(Protocol):
    def to_text(self) -> str: ...

    @classmethod
    def from_text(cls, text: str) -> Self: ...


T = TypeVar("T", bound=Storable)

NO_KEY_MESSAGE = "igfeed cannot encrypt what it should store, because no secret is set."


class EncryptedDocument(Generic[T]):
    """One document under ``key``. Every method raises StoreError if the store fails."""

    def __init__(self, key: str, kind: type[T]) -> None:
        self.key = key
        self._kind = kind

    def read(self, services: Services) -> T | None:
        """The stored value, None if there is none. Raises StoreError too if the owner's secret has changed."""
        text = services.store.get(self.key)
        if text is None:
            return None
        try:
            return self._kind.from_text(cipher(services.settings, self.key).decrypt(text))
        except (StoreError, *UNREADABLE):
            hint = "Enter it again in the studio. It can be read only with the secret that it was stored with."
            raise StoreError(f"What the store has under {self.key!r} cannot be read.", hint) from None

    def write(self, services: Services, value: T) -> None:
        if not services.settings.secrets and not services.settings.encryption_keys:
            raise StoreError(NO_KEY_MESSAGE, "Set CRON_SECRET to a long random text and deploy again.")
        services.store.set(self.key, cipher(services.settings, self.key).encrypt(value.to_text()))

    def delete(self, services: Services) -> None:
        services.store.delete(self.key)
