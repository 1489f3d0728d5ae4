"""Import tokens in Postgres: each row holds the sealed wrapping private key that one token stands for."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, delete, insert, select, update

from keyferry_server.domain.errors import InvalidImportTokenException
from keyferry_server.domain.import_parameters import ImportParameters, OutstandingToken, SpentParameters
from keyferry_server.domain.import_token import ImportToken
from keyferry_server.domain.key import Key
from keyferry_server.domain.key_material import WrappingAlgorithm, WrappingKeySpec
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.rows_of_key import given, is_of, is_of_given, named
from keyferry_server.storage.tables import import_tokens

_is_given = import_tokens.c.token_id == bindparam("given_token_id")
_LOAD = select(import_tokens).where(_is_given, is_of_given(import_tokens))
_LOCK = _LOAD.with_for_update()
_ADD = insert(import_tokens)
_SPEND = update(import_tokens).where(_is_given)


@dataclass(frozen=True, slots=True)
class ImportTokenStore:
    """Keeps what issued import tokens stand for until they expire; spent ones without their private key."""

    database: Database

    async def add(
        self, key: Key, token: ImportToken, parameters: ImportParameters, created_at: datetime
    ) -> None:
        """Write what a token that was just issued for a key stands for."""
        row = {
            "token_id": uuid.UUID(bytes=token.token_id),
            **named(key.identifier),
            "wrapping_algorithm": parameters.wrapping_algorithm,
            "wrapping_key_spec": parameters.wrapping_key_spec,
            "sealed_private_key": parameters.sealed_private_key,
            "created_at": created_at,
            "valid_to": token.valid_to,
        }

        async def write(transaction: Transaction) -> None:
            await transaction.connection.execute(_ADD, row)

        await self.database.transact(write)

    async def load(self, key: Key, token: ImportToken) -> ImportParameters | SpentParameters:
        """Read what a token for a key stands for; InvalidImportTokenException if it is not there."""

        async def read(transaction: Transaction) -> ImportParameters | SpentParameters:
            return await self._read(transaction, key, token, for_update=False)

        return await self.database.run(read)

    async def lock(
        self, transaction: Transaction, key: Key, token: ImportToken
    ) -> ImportParameters | SpentParameters:
        """Read as `load` does and keep every other user of the token out until the transaction ends."""
        return await self._read(transaction, key, token, for_update=True)

    async def spend(self, transaction: Transaction, token: ImportToken, spent: SpentParameters) -> None:
        """Mark a locked token as spent; its private key is gone for good."""
        values = {
            "given_token_id": uuid.UUID(bytes=token.token_id),
            "sealed_private_key": None,
            "spent_at": spent.spent_at,
            "request_digest": spent.request_digest,
            "key_material_id": spent.key_material_id,
        }
        await transaction.connection.execute(_SPEND, values)

    async def list_outstanding(
        self, key: Key, after: uuid.UUID, limit: int, now: datetime
    ) -> Sequence[OutstandingToken]:
        """Return up to `limit` tokens of a key that can be used and whose ids follow `after`, in their order."""
        page = (
            select(import_tokens)
            .where(_is_outstanding(key, now), import_tokens.c.token_id > after)
            .order_by(import_tokens.c.token_id)
            .limit(limit)
        )

        async def read(transaction: Transaction) -> Sequence[OutstandingToken]:
            return [
                OutstandingToken(
                    str(row.token_id),
                    WrappingAlgorithm(row.wrapping_algorithm),
                    WrappingKeySpec(row.wrapping_key_spec),
                    row.created_at,
                    row.valid_to,
                )
                for row in (await transaction.connection.execute(page)).all()
            ]

        return await self.database.run(read)

    async def revoke(self, transaction: Transaction, key: Key, token_name: str, now: datetime) -> bool:
        """Delete an outstanding token of a key with its private key; tell whether there was one."""
        result = await transaction.connection.execute(
            delete(import_tokens).where(
                _is_outstanding(key, now), import_tokens.c.token_id == uuid.UUID(token_name)
            )
        )
        return result.rowcount == 1

    async def delete_expired(self, now: datetime, limit: int) -> int:
        """Delete up to `limit` tokens past their ValidTo; return how many were deleted."""
        due = (
            select(import_tokens.c.token_id)
            .where(import_tokens.c.valid_to <= now)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
        )

        async def write(transaction: Transaction) -> int:
            result = await transaction.connection.execute(
                delete(import_tokens).where(import_tokens.c.token_id == due.c.token_id)
            )
            return result.rowcount

        return await self.database.transact(write)

    async def _read(
        self, transaction: Transaction, key: Key, token: ImportToken, *, for_update: bool
    ) -> ImportParameters | SpentParameters:
        parameters = {**given(key.identifier), "given_token_id": uuid.UUID(bytes=token.token_id)}
        row = (await transaction.connection.execute(_LOCK if for_update else _LOAD, parameters)).first()
        if row is None:
            raise InvalidImportTokenException(
                "The import token is not valid. Call GetParametersForImport for this key and wrap the key material again."
            )
        if row.spent_at is not None:
            return SpentParameters(row.spent_at, row.request_digest, row.key_material_id)
        return ImportParameters(
            WrappingAlgorithm(row.wrapping_algorithm),
            WrappingKeySpec(row.wrapping_key_spec),
            row.sealed_private_key,
        )


def _is_outstanding(key: Key, now: datetime) -> ColumnElement[bool]:
    return and_(
        is_of(import_tokens, key.identifier),
        import_tokens.c.spent_at.is_(None),
        import_tokens.c.valid_to > now,
    )
