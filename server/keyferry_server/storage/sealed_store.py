"""Whatever is sealed, wherever it is: which root key versions are in use, and putting one in place of another.

It knows of a sealed value only what is readable without a key: bytes 2 to 5 are the
version of the root key (``crypto/sealing.py``).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, LargeBinary, Table, bindparam, func, literal, select, text, tuple_, update

from keyferry_server.domain.sealed_places import SEALED_COLUMNS, Place, SealedColumn
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.tables import metadata

# Returns None for what cannot be opened.
Reseal = Callable[[bytes, Place], bytes | None]


@dataclass(frozen=True, slots=True)
class Portion:
    """What came of one portion of a column: `last` is where the next one begins, None when there is none.

    `unopened` are rows as an operator finds them: purpose, table, primary key.
    """

    last: tuple[Any, ...] | None
    resealed: int
    unopened: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SealedStore:
    """Counts sealed values by root key version and replaces them, in any table of the list."""

    database: Database

    async def versions_in_use(self) -> frozenset[int]:
        """Return every version that something is sealed under; two look-ups in an index for each, however many rows."""

        async def read(transaction: Transaction) -> frozenset[int]:
            found: set[int] = set()
            for column in SEALED_COLUMNS:
                _, sealed = _columns(column)
                version = _version(sealed)
                query = select(version).where(sealed.is_not(None)).order_by(version).limit(1)
                after: bytes | None = None
                while (
                    encoded := await transaction.connection.scalar(
                        query if after is None else query.where(version > after)
                    )
                ) is not None:
                    found.add(int.from_bytes(encoded))
                    after = encoded
            return frozenset(found)

        return await self.database.run(read)

    async def count(self) -> Mapping[SealedColumn, Mapping[int, int]]:
        """Return how many values each column holds under each version."""

        async def read(transaction: Transaction) -> Mapping[SealedColumn, Mapping[int, int]]:
            counts: dict[SealedColumn, Mapping[int, int]] = {}
            for column in SEALED_COLUMNS:
                _, sealed = _columns(column)
                version = _version(sealed)
                rows = await transaction.connection.execute(
                    select(version, func.count()).where(sealed.is_not(None)).group_by(version)
                )
                counts[column] = {int.from_bytes(encoded): number for encoded, number in rows}
            return counts

        return await self.database.run(read)

    async def wait_for_writers(self) -> None:
        """Wait until whatever is being written to these tables at this moment is there to be seen, or is not to come."""
        for name in sorted({column.table for column in SEALED_COLUMNS}):
            # One at a time: a writer that holds one table and waits for another is not waited for twice.
            async def wait(transaction: Transaction, name: str = name) -> None:
                await transaction.connection.execute(text(f"LOCK TABLE {name} IN SHARE MODE"))

            await self.database.transact(wait)

    async def reseal(
        self, column: SealedColumn, version: int, reseal: Reseal, after: tuple[Any, ...] | None, limit: int
    ) -> Portion:
        """Replace up to `limit` values that are not sealed under `version`, from the row behind `after` on.

        One transaction, which holds the rows that it replaces. Rows that somebody else
        is writing are passed over, not waited for, and never overwritten.
        """
        table, sealed = _columns(column)
        identity = [table.c[name] for name in column.identity]
        portion = (
            select(*identity, sealed)
            .where(sealed.is_not(None), _version(sealed) != version.to_bytes(4))
            .order_by(*identity)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        if after is not None:
            start = [literal(value, part.type) for value, part in zip(after, identity, strict=True)]
            portion = portion.where(tuple_(*identity) > tuple_(*start))
        replace = (
            update(table)
            .where(*(part == bindparam(f"of_{part.name}") for part in identity))
            .values({sealed.name: bindparam("resealed")})
        )

        async def write(transaction: Transaction) -> Portion:
            rows: Sequence[Any] = (await transaction.connection.execute(portion)).all()
            changes: list[dict[str, Any]] = []
            unopened: list[str] = []
            for *row, old in rows:
                place = column.place_of_row(*row)
                new = reseal(old, place)
                if new is None:
                    unopened.append(column.name_of_row(*row))
                    continue
                names = [f"of_{part.name}" for part in identity]
                changes.append(dict(zip(names, row, strict=True)) | {"resealed": new})
            if changes:
                await transaction.connection.execute(replace, changes)
            last = tuple(rows[-1][:-1]) if len(rows) == limit else None
            return Portion(last, len(changes), tuple(unopened))

        return await self.database.transact(write)


def _columns(column: SealedColumn) -> tuple[Table, "Column[Any]"]:
    table = metadata.tables[column.table]
    return table, table.c[column.column]


def _version(sealed: "Column[Any]") -> Any:
    # As in the indexes of tables.py, so that they are used.
    return func.substring(sealed, 2, 4, type_=LargeBinary)
