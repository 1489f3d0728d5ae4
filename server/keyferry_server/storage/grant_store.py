"""Grants in Postgres. They are deleted with their key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, func, insert, select

from keyferry_server.domain.grant import Grant, GrantConstraints, GrantOperation, GrantTerms
from keyferry_server.domain.identifiers import KeyIdentifier, Scope
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.rows_of_key import given, is_of, is_of_given, is_of_same_key, named
from keyferry_server.storage.tables import grants, keys


@dataclass(frozen=True, slots=True)
class GrantStore:
    """Keeps grants. Lists are in the order of their ids and begin after the id `after`."""

    database: Database

    async def of_grantees(
        self, key: KeyIdentifier, grantees: Sequence[str], transaction: Transaction | None = None
    ) -> Sequence[Grant]:
        """Read the grants that any of `grantees` has on a key."""
        parameters = {**given(key), "grantees": grantees}
        return await self._read(_OF_GRANTEES, key.scope, transaction, parameters)

    async def of_key(
        self,
        key: KeyIdentifier,
        *,
        grantee: str | None = None,
        grant_id: str | None = None,
        after: str = "",
        limit: int = 1,
    ) -> Sequence[Grant]:
        """Read up to `limit` grants on a key: all, or those of one grantee, or the one of an id."""
        query = _select().where(is_of(grants, key), grants.c.grant_id > after)
        if grantee is not None:
            query = query.where(grants.c.grantee == grantee)
        if grant_id is not None:
            query = query.where(grants.c.grant_id == grant_id)
        return await self._read(query.limit(limit), key.scope)

    async def retirable_by(self, retiring: str, scope: Scope, after: str, limit: int) -> Sequence[Grant]:
        """Read up to `limit` grants that name a retiring principal, on keys of any account in the Region of `scope`."""
        query = _select().where(
            grants.c.retiring == retiring, keys.c.region == scope.region, grants.c.grant_id > after
        )
        return await self._read(query.limit(limit), scope)

    async def find(self, grant_id: str, scope: Scope) -> Grant | None:
        """Read a grant by its id, on a key of any account in the Region of `scope`."""
        query = _select().where(grants.c.grant_id == grant_id, keys.c.region == scope.region)
        found = await self._read(query, scope)
        return found[0] if found else None

    async def named(self, transaction: Transaction, key: KeyIdentifier, name: str) -> Sequence[Grant]:
        """Read the grants on a locked key that have a name."""
        query = _select().where(is_of(grants, key), grants.c.name == name)
        return await self._read(query, key.scope, transaction)

    async def count(self, transaction: Transaction, key: KeyIdentifier, grantee: str) -> tuple[int, int]:
        """Count the grants on a locked key: all, and those of one grantee."""
        query = select(func.count(), func.count().filter(grants.c.grantee == grantee)).where(
            is_of(grants, key)
        )
        row = (await transaction.connection.execute(query)).one()
        return row[0], row[1]

    async def add(self, transaction: Transaction, grant: Grant) -> None:
        """Write a new grant on a locked key."""
        transaction.changed.add(grant.key.key_id)
        await transaction.connection.execute(
            insert(grants).values(
                grant_id=grant.grant_id,
                **named(grant.key),
                name=grant.name,
                grantee=grant.grantee,
                retiring=grant.retiring,
                issuing_account=grant.issuing_account,
                operations=sorted(grant.terms.operations),
                context_equals=grant.terms.constraints.equals,
                context_subset=grant.terms.constraints.subset,
                created_at=grant.created_at,
            )
        )

    async def delete(self, transaction: Transaction, key: KeyIdentifier, grant_id: str) -> bool:
        """Delete a grant on a key; tell whether it was there."""
        transaction.changed.add(key.key_id)
        result = await transaction.connection.execute(
            delete(grants).where(is_of(grants, key), grants.c.grant_id == grant_id)
        )
        return result.rowcount > 0

    async def _read(
        self,
        query: Select[Any],
        scope: Scope,
        transaction: Transaction | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> Sequence[Grant]:
        async def read(transaction: Transaction) -> Sequence[Grant]:
            rows = await transaction.connection.execute(query, parameters)
            return [_grant(row, scope.partition) for row in rows]

        return await (self.database.run(read) if transaction is None else read(transaction))


def _select() -> Select[Any]:
    joined = select(grants, keys.c.account_id, keys.c.region).join(keys, is_of_same_key(keys, grants))
    return joined.order_by(grants.c.grant_id)


_OF_GRANTEES = _select().where(
    is_of_given(grants), grants.c.grantee.in_(bindparam("grantees", expanding=True))
)


def _grant(row: Row[Any], partition: str) -> Grant:
    return Grant(
        grant_id=row.grant_id,
        key=KeyIdentifier(Scope(partition, row.region, row.account_id), row.key_id),
        name=row.name,
        grantee=row.grantee,
        retiring=row.retiring,
        issuing_account=row.issuing_account,
        terms=GrantTerms(
            frozenset(GrantOperation(operation) for operation in row.operations),
            GrantConstraints(row.context_equals, row.context_subset),
        ),
        created_at=row.created_at,
    )
