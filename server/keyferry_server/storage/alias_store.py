"""Aliases in Postgres. A key is loaded by its alias in `key_store`, in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, select, update
from sqlalchemy.dialects import postgresql

from keyferry_server.domain.alias import Alias, already_exists
from keyferry_server.domain.identifiers import AliasIdentifier, KeyIdentifier, Scope
from keyferry_server.domain.key import Key
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.rows_of_key import is_of
from keyferry_server.storage.tables import aliases


@dataclass(frozen=True, slots=True)
class AliasStore:
    """Keeps aliases as long as their keys exist."""

    database: Database

    async def add(self, transaction: Transaction, alias: Alias) -> None:
        """Write a new alias; AlreadyExistsException if its name is taken, also by who commits first."""
        transaction.changed.add(alias.key_id)
        scope = alias.identifier.scope
        row = (
            postgresql.insert(aliases)
            .values(
                account_id=scope.account_id,
                region=scope.region,
                alias_name=alias.identifier.name,
                key_id=alias.key_id,
                created_at=alias.created_at,
                updated_at=alias.updated_at,
            )
            .on_conflict_do_nothing()
        )
        if (await transaction.connection.execute(row)).rowcount == 0:
            raise already_exists(alias.identifier)

    async def lock(self, transaction: Transaction, identifier: AliasIdentifier) -> Alias:
        """Read an alias and keep every other writer of it out until the transaction ends.

        NotFoundException if it is not there.
        """
        query = select(aliases).where(is_alias(identifier)).with_for_update()
        row = (await transaction.connection.execute(query)).first()
        if row is None:
            raise identifier.not_found()
        return _alias(identifier.scope, row)

    async def count(self, transaction: Transaction, key: Key) -> int:
        """Return how many aliases a locked key has."""
        query = select(func.count()).select_from(aliases).where(is_of(aliases, key.identifier))
        count: int = (await transaction.connection.execute(query)).scalar_one()
        return count

    async def point(self, transaction: Transaction, alias: Alias, key: Key, now: datetime) -> None:
        """Point a locked alias at a locked key."""
        transaction.changed.update((alias.key_id, key.key_id))
        await transaction.connection.execute(
            update(aliases).where(is_alias(alias.identifier)).values(key_id=key.key_id, updated_at=now)
        )

    async def delete(self, transaction: Transaction, alias: Alias) -> None:
        """Delete a locked alias."""
        transaction.changed.add(alias.key_id)
        await transaction.connection.execute(delete(aliases).where(is_alias(alias.identifier)))

    async def list(self, scope: Scope, key: KeyIdentifier | None, after: str, limit: int) -> Sequence[Alias]:
        """Return up to `limit` aliases of a scope, of one key if it is given, that follow `after` in their order."""
        page = (
            select(aliases)
            .where(
                aliases.c.account_id == scope.account_id,
                aliases.c.region == scope.region,
                aliases.c.alias_name > after,
            )
            .order_by(aliases.c.alias_name)
            .limit(limit)
        )
        if key is not None:
            page = page.where(is_of(aliases, key))

        async def read(transaction: Transaction) -> Sequence[Alias]:
            return [_alias(scope, row) for row in (await transaction.connection.execute(page)).all()]

        return await self.database.run(read)


def is_alias(identifier: AliasIdentifier) -> ColumnElement[bool]:
    """Select one alias of the table."""
    return and_(
        aliases.c.account_id == identifier.scope.account_id,
        aliases.c.region == identifier.scope.region,
        aliases.c.alias_name == identifier.name,
    )


def _alias(scope: Scope, row: Row[Any]) -> Alias:
    return Alias(AliasIdentifier(scope, row.alias_name), row.key_id, row.created_at, row.updated_at)
