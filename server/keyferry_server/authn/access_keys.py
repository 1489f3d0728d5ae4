"""Access keys: what callers sign their requests with."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from keyferry_server.authn.caller import Principal

ACCESS_KEY_PREFIX = "KFAK"
ACCESS_KEY_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
ACCESS_KEY_CHARACTERS = 16
ACCESS_KEY_ID = re.compile(rf"{ACCESS_KEY_PREFIX}[{ACCESS_KEY_ALPHABET}]{{{ACCESS_KEY_CHARACTERS}}}")


class Revealable(Protocol):
    """A secret that shows itself only to whoever asks for it in so many words."""

    def reveal(self) -> bytes:
        """Return the bytes."""
        ...


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key that may be used, and who signs with it."""

    access_key_id: str
    secret: Revealable
    principal: Principal


@dataclass(frozen=True, slots=True)
class SealedAccessKey:
    """An access key as it is kept: its secret sealed, and whether it is switched on."""

    access_key_id: str
    sealed_secret: bytes
    principal: Principal
    enabled: bool
    created_at: datetime


class AccessKeys(Protocol):
    """Finds access keys."""

    async def find(self, access_key_id: str) -> AccessKey | None:
        """Return the key that may be used now under an id; None if there is none or it is switched off.

        DependencyTimeoutException if that cannot be found out; it may be asked again.
        """
        ...
