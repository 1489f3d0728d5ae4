"""RetireGrant: deletes a grant, for those whom the grant itself lets.

A grant is named by its token, or by its key and its id. A caller that may not retire
the grants of a key of another account does not learn whether the key has such a grant.
"""

from dataclasses import dataclass

from keyferry.v1 import RetireGrantRequest, RetireGrantResponse
from keyferry_server.authz.admission import denied_across_accounts
from keyferry_server.call import Call
from keyferry_server.crypto.grant_token import GrantTokenCodec
from keyferry_server.domain.audit_trail import note_key
from keyferry_server.domain.dry_run import stop_if_dry_run
from keyferry_server.domain.errors import NotFoundException, ValidationException
from keyferry_server.domain.grant import Grant, check_grant_id, no_such_grant
from keyferry_server.domain.identifiers import KeyIdentifier, parse_key_identifier
from keyferry_server.operations.gate import Gate
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.grant_store import GrantStore
from keyferry_server.storage.key_store import KeyStore


@dataclass(frozen=True, slots=True)
class RetireGrant:
    """Gives permissions back."""

    database: Database
    gate: Gate
    keys: KeyStore
    grants: GrantStore
    grant_tokens: GrantTokenCodec

    async def __call__(self, request: RetireGrantRequest, call: Call) -> RetireGrantResponse:
        """Find the grant, let the caller retire it or not, delete it."""
        names_token = request.HasField("grant_token")
        names_grant = request.HasField("key_id") and request.HasField("grant_id")
        if names_token == names_grant or (names_token and (request.key_id or request.grant_id)):
            raise ValidationException("Give either GrantToken, or both KeyId and GrantId.")

        grant = await (self._find_by_token(request, call) if names_token else self._find(request, call))
        note_key(grant.key.arn)
        await self.gate.admit_retirement(grant, await self.keys.load(grant.key), call)

        stop_if_dry_run(request.dry_run)

        async def write(transaction: Transaction) -> None:
            guarded = await self.keys.lock(transaction, grant.key)
            await self.gate.admit_retirement(grant, guarded, call, transaction)
            if not await self.grants.delete(transaction, grant.key, grant.grant_id):
                raise no_such_grant(grant.grant_id, grant.key.arn)

        await self.database.transact(write)

        return RetireGrantResponse()

    async def _find_by_token(self, request: RetireGrantRequest, call: Call) -> Grant:
        grant = await self.grants.find(self.grant_tokens.parse(request.grant_token), call.scope)
        if grant is None:
            raise NotFoundException("The grant of this grant token does not exist any more.")
        return grant

    async def _find(self, request: RetireGrantRequest, call: Call) -> Grant:
        identifier = parse_key_identifier(request.key_id, call.scope)
        grant_id = check_grant_id(request.grant_id)
        found = await self.grants.of_key(identifier, grant_id=grant_id)
        if found:
            return found[0]
        raise await self._refusal(identifier, grant_id, call)

    async def _refusal(self, identifier: KeyIdentifier, grant_id: str, call: Call) -> Exception:
        if identifier.scope.account_id != call.scope.account_id:
            return denied_across_accounts(call.caller, call.route.permission, identifier.arn)
        await self.keys.load(identifier)
        return no_such_grant(grant_id, identifier.arn)
