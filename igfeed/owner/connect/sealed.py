"""Documents of Connect that hold a secret: the store has them encrypted only."""

from typing import Generic, Protocol, Self, TypeVar

from igfeed.errors import StoreError
from igfeed.models.record import UNREADABLE
from igfeed.owner.connect.keys import cipher
from igfeed.services import Services


class Sealable(Protocol):
    def to_text(self) -> str: ...

    @classmethod
    def from_text(cls, text: str) -> Self: ...


T = TypeVar("T", bound=Sealable)

NO_KEY = "Nothing can be kept secret while no secret is set."


class SealedDocument(Generic[T]):
    """One document under ``key``. Every method raises StoreError if the store fails."""

    def __init__(self, key: str, kind: type[T]) -> None:
        self.key = key
        self._kind = kind

    def read(self, services: Services) -> T | None:
        """What the store has. Raises StoreError too if it cannot be decrypted: the owner's secret has changed."""
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
            raise StoreError(NO_KEY, "Set CRON_SECRET to a long random text and deploy again.")
        services.store.set(self.key, cipher(services.settings, self.key).encrypt(value.to_text()))

    def delete(self, services: Services) -> None:
        services.store.delete(self.key)
