"""Principals and the identity policies that are attached to them, in Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql

from keyferry_server.domain.errors import LimitExceededException, NotFoundException, ValidationException
from keyferry_server.domain.principal import (
    MOST_POLICIES,
    IdentityPolicy,
    PrincipalKind,
    PrincipalName,
    PrincipalRecord,
)
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.tables import identity_policies, principals


@dataclass(frozen=True, slots=True)
class PrincipalStore:
    """Keeps principals. NotFoundException for one that is not there."""

    database: Database

    async def add(self, name: PrincipalName, now: datetime) -> None:
        """Write a new principal; ValidationException if it is there."""
        row = (
            postgresql.insert(principals)
            .values(arn=name.arn, account_id=name.account_id, kind=name.kind, created_at=now)
            .on_conflict_do_nothing()
        )

        async def write(transaction: Transaction) -> None:
            transaction.changed.add(name.arn)
            if (await transaction.connection.execute(row)).rowcount == 0:
                raise ValidationException(f"The principal {name.arn} already exists.")

        await self.database.transact(write)

    async def load(self, arn: str) -> PrincipalRecord:
        """Read a principal."""
        query = select(principals).where(principals.c.arn == arn)

        async def read(transaction: Transaction) -> PrincipalRecord:
            row = (await transaction.connection.execute(query)).first()
            if row is None:
                raise _not_found(arn)
            return PrincipalRecord(row.arn, row.account_id, PrincipalKind(row.kind), row.created_at)

        return await self.database.run(read)

    async def list(self, account_id: str | None = None) -> Sequence[PrincipalRecord]:
        """Return all principals, or those of one account, by account and ARN."""
        query = select(principals).order_by(principals.c.account_id, principals.c.arn)
        if account_id is not None:
            query = query.where(principals.c.account_id == account_id)

        async def read(transaction: Transaction) -> Sequence[PrincipalRecord]:
            return [
                PrincipalRecord(row.arn, row.account_id, PrincipalKind(row.kind), row.created_at)
                for row in await transaction.connection.execute(query)
            ]

        return await self.database.run(read)

    async def delete(self, arn: str) -> None:
        """Delete a principal with its policies: from now on it may do nothing."""

        async def write(transaction: Transaction) -> None:
            transaction.changed.add(arn)
            result = await transaction.connection.execute(delete(principals).where(principals.c.arn == arn))
            if result.rowcount == 0:
                raise _not_found(arn)

        await self.database.transact(write)

    async def policies(self, arn: str) -> Sequence[IdentityPolicy]:
        """Read the policies of a principal by their names."""
        await self.load(arn)
        query = (
            select(identity_policies)
            .where(identity_policies.c.principal_arn == arn)
            .order_by(identity_policies.c.name)
        )

        async def read(transaction: Transaction) -> Sequence[IdentityPolicy]:
            rows = await transaction.connection.execute(query)
            return [IdentityPolicy(row.name, row.document, row.attached_at) for row in rows]

        return await self.database.run(read)

    async def attach(self, arn: str, policy: IdentityPolicy) -> None:
        """Attach a policy to a principal, in the place of the one of that name if there is one.

        LimitExceededException if the principal has as many as it can.
        """
        principal = select(principals.c.arn).where(principals.c.arn == arn).with_for_update()
        others = (
            select(func.count())
            .select_from(identity_policies)
            .where(identity_policies.c.principal_arn == arn, identity_policies.c.name != policy.name)
        )
        values = {"document": policy.document, "attached_at": policy.attached_at}
        row = (
            postgresql.insert(identity_policies)
            .values(principal_arn=arn, name=policy.name, **values)
            .on_conflict_do_update(
                index_elements=[identity_policies.c.principal_arn, identity_policies.c.name], set_=values
            )
        )

        async def write(transaction: Transaction) -> None:
            transaction.changed.add(arn)
            if (await transaction.connection.execute(principal)).first() is None:
                raise _not_found(arn)
            if (await transaction.connection.execute(others)).scalar_one() >= MOST_POLICIES:
                raise LimitExceededException(f"{arn} has {MOST_POLICIES} policies, which is the most.")
            await transaction.connection.execute(row)

        await self.database.transact(write)

    async def detach(self, arn: str, name: str) -> None:
        """Detach a policy from a principal; NotFoundException if it has none of that name."""

        async def write(transaction: Transaction) -> None:
            transaction.changed.add(arn)
            result = await transaction.connection.execute(
                delete(identity_policies).where(
                    identity_policies.c.principal_arn == arn, identity_policies.c.name == name
                )
            )
            if result.rowcount == 0:
                raise NotFoundException(f"{arn} has no policy {name}.")

        await self.database.transact(write)


def _not_found(arn: str) -> NotFoundException:
    return NotFoundException(f"There is no principal {arn}.")
