"""The audit log in Postgres: records are only ever added, chains know their ends, heads anchor them."""

import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Row, bindparam, func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql

from keyferry_server.domain.audit import ZERO_HASH, AuditRecord, ChainEnd, Head, end_of
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.tables import audit_chains, audit_heads, audit_records

READ_BATCH = 1000

# Both at once, however many records: every call is one, and a statement costs more than a row.
_chain = postgresql.insert(audit_chains).values(
    chain_id=bindparam("chain"),
    sequence=bindparam("end_sequence"),
    hash=bindparam("end_hash"),
    anchored_sequence=0,
)
_extended = _chain.on_conflict_do_update(
    index_elements=[audit_chains.c.chain_id],
    set_={"sequence": _chain.excluded.sequence, "hash": _chain.excluded.hash},
).cte("extended")
_COLUMNS = ("sequence", "happened_at", "event", "hash")
_listed = (
    func.unnest(*(bindparam(name, type_=ARRAY(audit_records.c[name].type)) for name in _COLUMNS))
    .table_valued(*_COLUMNS)
    .render_derived()
)
_ADD = (
    insert(audit_records)
    .from_select(
        ["chain_id", *_COLUMNS],
        select(bindparam("chain", type_=audit_records.c.chain_id.type), *_listed.c),
    )
    .add_cte(_extended)
)

# Heads of all servers follow each other: one at a time signs.
_HEADS_LOCK = int.from_bytes(b"kf-heads")


@dataclass(frozen=True, slots=True)
class AuditStore:
    """Adds to the audit log and reads it."""

    database: Database

    async def add(self, transaction: Transaction, records: Sequence[AuditRecord]) -> None:
        """Write records that follow each other in one chain, within a transaction that may write other things."""
        end = end_of(records)
        parameters: dict[str, Any] = {
            name: [getattr(record, name) for record in records] for name in _COLUMNS
        }
        parameters |= {"chain": end.chain_id, "end_sequence": end.sequence, "end_hash": end.hash}
        await transaction.connection.execute(_ADD, parameters)

    async def add_head(self, sign: Callable[[int, bytes, Sequence[ChainEnd]], Head]) -> Head | None:
        """Let `sign` make the head that follows the last one; None if no chain grew since that."""

        async def write(transaction: Transaction) -> Head | None:
            connection = transaction.connection
            await connection.execute(select(func.pg_advisory_xact_lock(_HEADS_LOCK)))
            grown = audit_chains.c.sequence > audit_chains.c.anchored_sequence
            chains = (await connection.execute(select(audit_chains).where(grown))).all()
            if not chains:
                return None
            last = (
                await connection.execute(select(audit_heads).order_by(audit_heads.c.number.desc()).limit(1))
            ).first()
            number, previous = (1, ZERO_HASH) if last is None else (last.number + 1, _head(last).hash)
            ends = [ChainEnd(one.chain_id, one.sequence, one.hash) for one in chains]
            head = sign(number, previous, ends)
            await connection.execute(
                insert(audit_heads).values(number=head.number, content=head.content, signature=head.signature)
            )
            for end in ends:
                await connection.execute(
                    update(audit_chains)
                    .where(audit_chains.c.chain_id == end.chain_id)
                    .values(anchored_sequence=end.sequence)
                )
            return head

        return await self.database.transact(write)

    async def heads(self) -> AsyncIterator[Head]:
        """Read all heads in the order of their numbers."""
        number = 0
        while True:
            page = select(audit_heads).where(audit_heads.c.number > number).order_by(audit_heads.c.number)
            rows = await self._read(page.limit(READ_BATCH))
            for row in rows:
                yield _head(row)
                number = row.number
            if len(rows) < READ_BATCH:
                return

    async def records(self) -> AsyncIterator[AuditRecord]:
        """Read all records in the order of chain and sequence."""
        place = tuple_(audit_records.c.chain_id, audit_records.c.sequence)
        after = (uuid.UUID(int=0), 0)
        while True:
            page = select(audit_records).where(place > after).order_by(*place)
            rows = await self._read(page.limit(READ_BATCH))
            for row in rows:
                yield _record(row)
                after = (row.chain_id, row.sequence)
            if len(rows) < READ_BATCH:
                return

    async def records_between(self, since: datetime, until: datetime) -> AsyncIterator[AuditRecord]:
        """Read the records from `since` to before `until` in the order of their times."""
        place = tuple_(audit_records.c.happened_at, audit_records.c.chain_id, audit_records.c.sequence)
        after = (since, uuid.UUID(int=0), 0)
        while True:
            page = (
                select(audit_records)
                .where(place > after, audit_records.c.happened_at < until)
                .order_by(*place)
            )
            rows = await self._read(page.limit(READ_BATCH))
            for row in rows:
                yield _record(row)
                after = (row.happened_at, row.chain_id, row.sequence)
            if len(rows) < READ_BATCH:
                return

    async def _read(self, query: Any) -> Sequence[Row[Any]]:
        async def read(transaction: Transaction) -> Sequence[Row[Any]]:
            return (await transaction.connection.execute(query)).all()

        return await self.database.run(read)


def _head(row: Row[Any]) -> Head:
    return Head(row.number, row.content, row.signature)


def _record(row: Row[Any]) -> AuditRecord:
    return AuditRecord(row.chain_id, row.sequence, row.happened_at, row.event, row.hash)
