"""How every operation comes to the key that its caller named: parse, load, admit."""

from dataclasses import dataclass

from keyferry_server.authz.admission import denied_across_accounts
from keyferry_server.authz.permission import ACROSS_ACCOUNTS
from keyferry_server.call import Call
from keyferry_server.domain.audit_trail import note_key
from keyferry_server.domain.errors import NotFoundException
from keyferry_server.domain.identifiers import KeyIdentifier, parse_key_identifier
from keyferry_server.domain.key import Key
from keyferry_server.operations.gate import Gate
from keyferry_server.storage.database import Transaction
from keyferry_server.storage.key_store import KeyStore


@dataclass(frozen=True, slots=True)
class KeyDoor:
    """Opens keys for callers, and for nobody else.

    NotFoundException and InvalidArnException as the identifier deserves;
    AccessDeniedException for a key of another account that is not open to the
    caller, whether or not it exists.
    """

    keys: KeyStore
    gate: Gate

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
        is_foreign = identifier.scope.account_id != call.scope.account_id
        if is_foreign and permission not in ACROSS_ACCOUNTS:
            raise denied_across_accounts(call.caller, permission, identifier.arn)
        try:
            guarded = await self.keys.load(identifier)
        except NotFoundException:
            if not is_foreign:
                raise
            raise await self.gate.refusal_of_unknown(identifier, call, permission) from None
        return await self.gate.admit(guarded, call, permission)

    async def open_named_by_ciphertext(self, key_id: str, call: Call, permission: str | None = None) -> Key:
        """Return the key that a ciphertext names: one of the caller's account, or of another one."""
        identifier = KeyIdentifier(call.scope, key_id)
        try:
            guarded = await self.keys.load(identifier)
        except NotFoundException:
            scope = await self.keys.scope_of(key_id, call.scope)
            return await self.open_identified(KeyIdentifier(scope, key_id), call, permission)
        note_key(identifier.arn)
        return await self.gate.admit(guarded, call, permission or call.route.permission)

    async def lock(self, transaction: Transaction, key: Key, call: Call) -> Key:
        """Return an opened key as it is now, locked until the transaction ends."""
        guarded = await self.keys.lock(transaction, key.identifier)
        return await self.gate.admit(guarded, call, call.route.permission, transaction)
