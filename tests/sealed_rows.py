"""Every sealed value of a database, read beside the server along the list of sealed places."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rows import connected

from keyferry_server.crypto.root_key.file import load_root_key_file
from keyferry_server.crypto.sealing import Sealer
from keyferry_server.domain.sealed_places import SEALED_COLUMNS, Place


@dataclass(frozen=True)
class Sealed:
    """One sealed value; `update` is the statement that replaces it: the value first, then its row."""

    table: str
    place: Place
    identity: tuple[Any, ...]
    sealed: bytes
    update: str

    @property
    def version(self) -> int:
        return int.from_bytes(self.sealed[1:5])


async def sealed_rows(database_url: str) -> list[Sealed]:
    found = []
    async with connected(database_url) as database:
        for one in SEALED_COLUMNS:
            names = ", ".join(one.identity)
            condition = " AND ".join(f"{name} = ${number}" for number, name in enumerate(one.identity, 2))
            update = f"UPDATE {one.table} SET {one.column} = $1 WHERE {condition}"  # noqa: S608 -- our own list
            query = f"SELECT {names}, {one.column} FROM {one.table} WHERE {one.column} IS NOT NULL ORDER BY {names}"  # noqa: S608 -- as above
            for *identity, sealed in await database.fetch(query):
                found.append(Sealed(one.table, one.place_of_row(*identity), tuple(identity), sealed, update))
    return found


def opened_rows(rows: list[Sealed], root_key_file: Path) -> dict[Place, bytes]:
    """Open all of them with the root key in a file; it fails if one does not open."""
    sealer = Sealer(load_root_key_file(root_key_file))
    return {row.place: sealer.unseal_at_start(row.sealed, row.place).reveal() for row in rows}
