"""Import tokens: which key they are for, and for how long.

The rules:

1. GetParametersForImport makes a wrapping key pair and a token; they belong together for good.
2. A token is for one key. In the import of another it is invalid, expired or not.
3. It lives for 24 hours from the request, or for less if the caller asked for that;
   at the end of them it is expired.
4. Newer tokens leave older ones as they are.
5. A successful import spends it; that is remembered with its wrapping key, not in the token.
"""

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from keyferry_server.domain.errors import ExpiredImportTokenException, InvalidImportTokenException

LIFETIME = timedelta(hours=24)
TOKEN_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class ImportToken:
    """What an import token says. `token_id` finds its wrapping key: 16 bytes. `valid_to` is aware, UTC."""

    token_id: bytes
    key_id: str
    valid_to: datetime

    @property
    def name(self) -> str:
        """The token id as people see it: a UUID."""
        return str(uuid.UUID(bytes=self.token_id))

    def __post_init__(self) -> None:
        if len(self.token_id) != TOKEN_ID_BYTES:
            raise ValueError(f"A token id has {TOKEN_ID_BYTES} bytes.")
        if self.valid_to.tzinfo is None:
            raise ValueError("The end of an import token's life needs a time zone.")


def generate_import_token(key_id: str, now: datetime, lifetime: timedelta = LIFETIME) -> ImportToken:
    """Return a token with a fresh id for an import into `key_id` within the lifetime from `now`."""
    return ImportToken(secrets.token_bytes(TOKEN_ID_BYTES), key_id, now + lifetime)


def check(token: ImportToken, key_id: str, now: datetime) -> None:
    """Refuse a token of another key (InvalidImportTokenException), then one that has expired.

    ExpiredImportTokenException from the very moment of its `valid_to`.
    """
    if token.key_id != key_id:
        raise InvalidImportTokenException(
            "The import token was issued for another KMS key. Use the import token and the public key from "
            "one GetParametersForImport response for this key."
        )
    if now >= token.valid_to:
        raise ExpiredImportTokenException(
            "The import token has expired: it is valid for 24 hours at most. Call GetParametersForImport again and "
            "wrap the key material with the public key of the new response."
        )
