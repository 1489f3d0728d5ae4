"""What the database holds of a key, read beside the server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

Row = dict[str, Any]


@dataclass(frozen=True)
class KeyRows:
    """All rows of one key, at one moment; tokens in the order in which they were issued."""

    key: Row
    materials: list[Row]
    tokens: list[Row]

    @property
    def is_imported(self) -> bool:
        """Tell whether one import is complete: material sealed, key switched on, exactly that import's token spent."""
        spent = [token for token in self.tokens if token["spent_at"] is not None]
        if len(self.materials) != 1 or len(spent) != 1:
            return False
        (material,), (token,) = self.materials, spent
        return (
            self.key["enabled"]
            and material["sealed"] is not None
            and material["state"] == "CURRENT"
            and token["sealed_private_key"] is None
            and len(token["request_digest"]) == 32
            and token["key_material_id"] == material["key_material_id"]
        )


async def rows_of(connection: asyncpg.Connection, key_id: str) -> KeyRows:
    """Read all rows of a key in one snapshot."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        key = await connection.fetchrow("SELECT * FROM keys WHERE key_id = $1", key_id)
        materials = await connection.fetch(
            "SELECT * FROM key_materials WHERE key_id = $1 ORDER BY key_material_id", key_id
        )
        tokens = await connection.fetch(
            "SELECT * FROM import_tokens WHERE key_id = $1 ORDER BY created_at, token_id", key_id
        )
    assert key is not None
    return KeyRows(dict(key), [dict(row) for row in materials], [dict(row) for row in tokens])


@asynccontextmanager
async def connected(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Lend a connection of the test's own."""
    connection = await asyncpg.connect(database_url)
    try:
        yield connection
    finally:
        await connection.close()
