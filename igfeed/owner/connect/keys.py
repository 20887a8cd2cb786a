"""Keys that are derived from the owner's secret, so that the owner sets one variable only."""

import base64
import hashlib
from functools import lru_cache

from igfeed.config import Settings
from igfeed.tokens.encryption import Cipher, FernetCipher, NoCipher

KEY_BYTES = 32
"""The length of a Fernet key."""

SCRYPT_COST, SCRYPT_BLOCK = 2**14, 8
"""Parameters of scrypt (RFC 7914). A guess takes 50 ms, because an owner may have chosen a weak secret."""


def derived_keys(settings: Settings, purpose: str) -> list[bytes]:
    """A key for each of the owner's secrets. Sign with the first one. Empty if no secret is set.

    Each purpose has its own keys, so a signature for one purpose is not valid for another.
    """
    return [_derived(secret, purpose) for secret in settings.secrets]


def cipher(settings: Settings, purpose: str) -> Cipher:
    """A cipher that encrypts with IGFEED_ENCRYPTION_KEY if it is set, else with a key derived from CRON_SECRET.

    It decrypts what was encrypted with either of them.
    """
    derived = [base64.urlsafe_b64encode(key).decode() for key in derived_keys(settings, purpose)]
    keys = [*settings.encryption_keys, *derived]
    return FernetCipher(keys) if keys else NoCipher()


@lru_cache(maxsize=8)  # A page needs the same key several times.
def _derived(secret: str, purpose: str) -> bytes:
    salt = f"igfeed {purpose}".encode()
    return hashlib.scrypt(secret.encode(), salt=salt, n=SCRYPT_COST, r=SCRYPT_BLOCK, p=1, dklen=KEY_BYTES)
