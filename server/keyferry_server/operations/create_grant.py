"""CreateGrant: gives a principal permissions for a key.

With a name it can be repeated: the same name with the same terms for the same
principals is the grant that is there already. Each answer has a grant token of its
own. Who may create grants by a grant alone can give no more than that grant.
"""

import secrets
from dataclasses import dataclass, replace

from keyferry.v1 import CreateGrantRequest, CreateGrantResponse
from keyferry_server.authz.admission import known_caller
from keyferry_server.call import Call
from keyferry_server.crypto.grant_token import GrantTokenCodec
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.dry_run import stop_if_dry_run
from keyferry_server.domain.errors import LimitExceededException
from keyferry_server.domain.grant import (
    GRANT_ID_BYTES,
    MOST_GRANTS_OF_GRANTEE,
    MOST_GRANTS_OF_KEY,
    Grant,
    check_terms,
)
from keyferry_server.domain.principal import check_principal_arn
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.grant_store import GrantStore
from keyferry_server.wire.grants import parse_grant_terms


@dataclass(frozen=True, slots=True)
class CreateGrant:
    """Makes grants."""

    database: Database
    door: KeyDoor
    grants: GrantStore
    grant_tokens: GrantTokenCodec
    clock: Clock

    async def __call__(self, request: CreateGrantRequest, call: Call) -> CreateGrantResponse:
        """Make the grant, or find the one that is there."""
        grantee = check_principal_arn(request.grantee_principal)
        retiring = check_principal_arn(request.retiring_principal) if request.retiring_principal else None
        terms = parse_grant_terms(request)

        key = await self.door.open(request.key_id, call)

        key.check_state(call.route.key_states, self.clock.now())
        check_terms(terms, key)
        grant = Grant(
            grant_id=secrets.token_hex(GRANT_ID_BYTES),
            key=key.identifier,
            name=request.name or None,
            grantee=grantee,
            retiring=retiring,
            issuing_account=known_caller(call.caller, call.route.permission, key.arn).root_arn,
            terms=terms,
            created_at=self.clock.now(),
        )
        stop_if_dry_run(request.dry_run)

        async def write(transaction: Transaction) -> str:
            locked = await self.door.lock(transaction, key, call)
            locked.check_state(call.route.key_states, self.clock.now())
            same = await self._same(transaction, grant)
            if same is not None:
                return same.grant_id
            await self._check_limits(transaction, grant)
            await self.grants.add(transaction, grant)
            return grant.grant_id

        grant_id = await self.database.transact(write)

        return CreateGrantResponse(grant_token=self.grant_tokens.issue(grant_id), grant_id=grant_id)

    async def _same(self, transaction: Transaction, grant: Grant) -> Grant | None:
        if grant.name is None:
            return None
        for one in await self.grants.named(transaction, grant.key, grant.name):
            if replace(one, grant_id=grant.grant_id, created_at=grant.created_at) == grant:
                return one
        return None

    async def _check_limits(self, transaction: Transaction, grant: Grant) -> None:
        of_key, of_grantee = await self.grants.count(transaction, grant.key, grant.grantee)
        if of_key >= MOST_GRANTS_OF_KEY:
            raise LimitExceededException(f"{grant.key.arn} has {of_key} grants, which is the most.")
        if of_grantee >= MOST_GRANTS_OF_GRANTEE:
            raise LimitExceededException(
                f"{grant.grantee} has {of_grantee} grants on {grant.key.arn}, which is the most."
            )
