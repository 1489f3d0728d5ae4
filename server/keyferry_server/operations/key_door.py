"""How every operation comes to the key that its caller named: parse, load, admit."""

from dataclasses import dataclass

from keyferry_server.authz.admission import admit, denied
from keyferry_server.call import Call
from keyferry_server.domain.audit_trail import note_key
from keyferry_server.domain.errors import NotFoundException
from keyferry_server.domain.identifiers import KeyIdentifier, parse_key_identifier
from keyferry_server.domain.key import Key
from keyferry_server.storage.database import Transaction
from keyferry_server.storage.key_store import KeyStore


@dataclass(frozen=True, slots=True)
class KeyDoor:
    """Opens keys for callers, and for nobody else.

    NotFoundException and InvalidArnException as the identifier deserves;
    AccessDeniedException for a key of another account, whether or not it exists.
    """

    keys: KeyStore

    async def open(self, text: str, call: Call, permission: str | None = None) -> Key:
        """Return the key that a caller named, for the route's first permission if no other is given."""
        return await self.open_identified(
            parse_key_identifier(text, call.scope, call.route.accepts), call, permission
        )

    async def open_identified(
        self, identifier: KeyIdentifier, call: Call, permission: str | None = None
    ) -> Key:
        """Return the key behind a parsed identifier."""
        permission = permission or call.route.permission
        note_key(identifier.arn)
        try:
            guarded = await self.keys.load(identifier)
        except NotFoundException:
            if identifier.scope.account_id == call.scope.account_id:
                raise
            raise denied(call.caller, permission, identifier.arn) from None
        return admit(call.caller, permission, guarded)

    async def lock(self, transaction: Transaction, key: Key, call: Call) -> Key:
        """Return an opened key as it is now, locked until the transaction ends."""
        return admit(call.caller, call.route.permission, await self.keys.lock(transaction, key.identifier))
