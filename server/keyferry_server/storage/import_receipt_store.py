"""Receipts of imports in Postgres. They are written with the import and never changed."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, tuple_

from keyferry_server.domain.import_receipt import ImportReceipt
from keyferry_server.domain.import_token import ImportToken
from keyferry_server.domain.key import Key
from keyferry_server.domain.key_material import WrappingAlgorithm, WrappingKeySpec
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.rows_of_key import is_of, named
from keyferry_server.storage.tables import import_receipts

_ADD = insert(import_receipts)


@dataclass(frozen=True, slots=True)
class ImportReceiptStore:
    """Keeps the receipts of a key's imports as long as the key exists."""

    database: Database

    async def add(self, transaction: Transaction, key: Key, receipt: ImportReceipt) -> None:
        """Write the receipt of an import."""
        row = {
            "token_id": uuid.UUID(receipt.token_name),
            **named(key.identifier),
            "key_material_id": receipt.key_material_id,
            "wrapping_algorithm": receipt.wrapping_algorithm,
            "wrapping_key_spec": receipt.wrapping_key_spec,
            "imported_at": receipt.imported_at,
            "caller": receipt.caller,
            "request_id": receipt.request_id,
        }
        await transaction.connection.execute(_ADD, row)

    async def load(self, token: ImportToken) -> ImportReceipt:
        """Read the receipt of the import that spent a token."""

        async def read(transaction: Transaction) -> ImportReceipt:
            return await self.read(transaction, token)

        return await self.database.run(read)

    async def read(self, transaction: Transaction, token: ImportToken) -> ImportReceipt:
        """Read as `load` does, within a transaction."""
        query = select(import_receipts).where(import_receipts.c.token_id == uuid.UUID(bytes=token.token_id))
        return _receipt((await transaction.connection.execute(query)).one())

    async def list(
        self, key: Key, after: tuple[datetime, uuid.UUID] | None, limit: int
    ) -> Sequence[ImportReceipt]:
        """Return up to `limit` receipts of a key that follow `after` (import date, token id), oldest first."""
        place = tuple_(import_receipts.c.imported_at, import_receipts.c.token_id)
        page = (
            select(import_receipts)
            .where(is_of(import_receipts, key.identifier))
            .order_by(import_receipts.c.imported_at, import_receipts.c.token_id)
            .limit(limit)
        )
        if after is not None:
            page = page.where(place > after)

        async def read(transaction: Transaction) -> Sequence[ImportReceipt]:
            return [_receipt(row) for row in (await transaction.connection.execute(page)).all()]

        return await self.database.run(read)


def _receipt(row: Row[Any]) -> ImportReceipt:
    return ImportReceipt(
        token_name=str(row.token_id),
        key_material_id=row.key_material_id,
        wrapping_algorithm=WrappingAlgorithm(row.wrapping_algorithm),
        wrapping_key_spec=WrappingKeySpec(row.wrapping_key_spec),
        imported_at=row.imported_at,
        caller=row.caller,
        request_id=row.request_id,
    )
