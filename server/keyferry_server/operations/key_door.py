"""How every operation comes to the key that its caller named: parse, load, admit."""

from dataclasses import dataclass

from keyferry_server.authz.admission import denied_across_accounts
from keyferry_server.authz.permission import ACROSS_ACCOUNTS
from keyferry_server.call import Call
from keyferry_server.domain.audit_trail import note_alias, note_key
from keyferry_server.domain.errors import AccessDeniedException, NotFoundException
from keyferry_server.domain.identifiers import (
    AliasIdentifier,
    KeyIdentifier,
    parse_identifier,
    parse_key_identifier,
)
from keyferry_server.domain.key import GuardedKey, Key
from keyferry_server.operations.gate import Gate
from keyferry_server.storage.database import Transaction
from keyferry_server.storage.key_store import KeyStore


@dataclass(frozen=True, slots=True)
class KeyDoor:
    """Opens keys for callers, and for nobody else.

    NotFoundException and InvalidArnException as the identifier deserves;
    AccessDeniedException for a key or an alias of another account that is not open
    to the caller, whether or not it exists.
    """

    keys: KeyStore
    gate: Gate

    async def open(self, text: str, call: Call, permission: str | None = None) -> Key:
        """Return the key that a caller named, for the route's first permission if no other is given."""
        return await self.open_identified(
            parse_identifier(text, call.scope, call.route.accepts), call, permission
        )

    async def open_identified(
        self, identifier: KeyIdentifier | AliasIdentifier, call: Call, permission: str | None = None
    ) -> Key:
        """Return the key behind a parsed identifier."""
        permission = permission or call.route.permission
        is_alias = isinstance(identifier, AliasIdentifier)
        (note_alias if is_alias else note_key)(identifier.arn)
        is_foreign = identifier.scope.account_id != call.scope.account_id
        if is_foreign and permission not in ACROSS_ACCOUNTS:
            raise denied_across_accounts(call.caller, permission, identifier.arn)
        try:
            guarded = await self.load(identifier)
        except NotFoundException:
            if not is_foreign:
                raise
            raise await self.gate.refusal_of_unknown(identifier, call, permission) from None
        note_key(guarded.arn)
        try:
            return await self.gate.admit(guarded, call, permission)
        except AccessDeniedException:
            if is_foreign and is_alias:
                # Which key an alias of another account names is not told.
                raise denied_across_accounts(call.caller, permission, identifier.arn) from None
            raise

    async def open_named_by_ciphertext(self, key_id: str, call: Call, permission: str | None = None) -> Key:
        """Return the key that a ciphertext names: one of the caller's account, or of another one."""
        identifier = KeyIdentifier(call.scope, key_id)
        try:
            guarded = await self.load(identifier)
        except NotFoundException:
            scope = await self.keys.scope_of(key_id, call.scope)
            if scope == call.scope:
                # There is none. That takes as many look-ups as to refuse one of another account.
                await self.gate.refusal_of_unknown(identifier, call, permission or call.route.permission)
            return await self.open_identified(KeyIdentifier(scope, key_id), call, permission)
        note_key(identifier.arn)
        return await self.gate.admit(guarded, call, permission or call.route.permission)

    async def load(self, identifier: KeyIdentifier | AliasIdentifier) -> GuardedKey:
        """Read a key, or the key that an alias names; NotFoundException if it is not there."""
        return await self.keys.load(identifier)

    async def key_id_of(self, text: str, call: Call) -> str | None:
        """Return the key ID of what a caller named, without opening it; None if an alias names nothing."""
        identifier = parse_identifier(text, call.scope, call.route.accepts)
        if isinstance(identifier, KeyIdentifier):
            return identifier.key_id
        try:
            return (await self.load(identifier)).identifier.key_id
        except NotFoundException:
            return None

    async def find(self, text: str, call: Call) -> KeyIdentifier:
        """Return which key a caller named, one of its own account, without opening it."""
        identifier = parse_key_identifier(text, call.scope)
        note_key(identifier.arn)
        if identifier.scope.account_id != call.scope.account_id:
            raise denied_across_accounts(call.caller, call.route.permission, identifier.arn)
        return (await self.keys.load(identifier)).identifier

    async def read(self, transaction: Transaction, identifier: KeyIdentifier, call: Call) -> Key:
        """Return a key as it is now, within a transaction; others may change it meanwhile."""
        note_key(identifier.arn)
        guarded = await self.keys.read(transaction, identifier)
        return await self.gate.admit(guarded, call, call.route.permission, transaction)

    async def lock(self, transaction: Transaction, key: Key, call: Call) -> Key:
        """Return an opened key as it is now, locked until the transaction ends."""
        guarded = await self.keys.lock(transaction, key.identifier)
        return await self.gate.admit(guarded, call, call.route.permission, transaction)
