"""Making access keys, switching and deleting them, each change with its record in the audit log."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from keyferry_server.authn.access_keys import (
    ACCESS_KEY_ALPHABET,
    ACCESS_KEY_CHARACTERS,
    ACCESS_KEY_PREFIX,
    AccessKey,
    SealedAccessKey,
)
from keyferry_server.authn.caller import Principal
from keyferry_server.crypto.sealing import Sealer
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.audit_trail import recording
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.errors import ValidationException
from keyferry_server.domain.operator_trail import OperatorTrail
from keyferry_server.domain.principal import PrincipalKind, parse_principal_name
from keyferry_server.domain.sealed_places import ACCESS_KEY_SECRET
from keyferry_server.storage.access_key_store import AccessKeyStore
from keyferry_server.storage.principal_store import PrincipalStore

# 240 bits, as 40 characters that no tool has to quote.
_SECRET_BYTES = 30


@dataclass(frozen=True, slots=True)
class OperatorAccessKeys:
    """The access keys of one installation as its operator sees them."""

    store: AccessKeyStore
    principals: PrincipalStore
    sealer: Sealer
    clock: Clock
    partition: str

    async def create(self, arn: str) -> AccessKey:
        """Make an access key for a root, a user or a role; nobody will be told its secret again.

        InvalidArnException or ValidationException for what is no principal's ARN here;
        NotFoundException for a user or a role that was not made.
        """
        name = parse_principal_name(arn)
        if not arn.startswith(f"arn:{self.partition}:"):
            raise ValidationException(f"{arn} is not of the partition {self.partition}.")
        if name.kind is not PrincipalKind.ROOT:
            await self.principals.load(arn)
        characters = (secrets.choice(ACCESS_KEY_ALPHABET) for _ in range(ACCESS_KEY_CHARACTERS))
        access_key_id = ACCESS_KEY_PREFIX + "".join(characters)
        secret = Secret(secrets.token_urlsafe(_SECRET_BYTES).encode())
        sealed = self.sealer.seal(secret, ACCESS_KEY_SECRET.place(access_key_id))
        principal = Principal(name.account_id, arn)
        kept = SealedAccessKey(access_key_id, sealed, principal, enabled=True, created_at=self.clock.now())
        with recording(self._trail("CreateAccessKey", kept)):
            await self.store.add(kept)
        return AccessKey(access_key_id, secret, principal)

    async def list(self) -> Sequence[SealedAccessKey]:
        """Return all access keys, the oldest first, their secrets sealed."""
        return await self.store.list()

    async def switch(self, access_key_id: str, *, enabled: bool) -> None:
        """Switch an access key on or off; NotFoundException if it is not there."""
        kept = await self.store.load(access_key_id)
        with recording(self._trail("EnableAccessKey" if enabled else "DisableAccessKey", kept)):
            await self.store.switch(access_key_id, enabled=enabled)

    async def delete(self, access_key_id: str) -> None:
        """Delete an access key for good; NotFoundException if it is not there."""
        kept = await self.store.load(access_key_id)
        with recording(self._trail("DeleteAccessKey", kept)):
            await self.store.delete(access_key_id)

    def _trail(self, operation: str, key: SealedAccessKey) -> OperatorTrail:
        details = {"accessKeyId": key.access_key_id}
        return OperatorTrail(
            operation, self.clock.now(), key.principal.arn, details, "keyferry-server access-key"
        )
