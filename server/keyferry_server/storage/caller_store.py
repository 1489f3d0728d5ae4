"""What decides about callers, in Postgres: whether they are known, and their identity policies."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.tables import identity_policies, principals

_POLICIES = (
    select(identity_policies.c.name, identity_policies.c.document)
    .select_from(
        principals.outerjoin(identity_policies, identity_policies.c.principal_arn == principals.c.arn)
    )
    .where(principals.c.arn == bindparam("arn"))
    .order_by(identity_policies.c.name)
)


@dataclass(frozen=True, slots=True)
class CallerStore:
    """Reads about callers; one statement, within a transaction or by itself."""

    database: Database

    async def policies(self, arn: str, transaction: Transaction | None = None) -> Mapping[str, str] | None:
        """Return the identity policies of a principal by their names; None if there is no such principal."""

        async def read(transaction: Transaction) -> Mapping[str, str] | None:
            rows = (await transaction.connection.execute(_POLICIES, {"arn": arn})).all()
            return {row.name: row.document for row in rows if row.name is not None} if rows else None

        return await (self.database.run(read) if transaction is None else read(transaction))
