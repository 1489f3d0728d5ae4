"""Which rows are a key's own: a key is named by its key ID and its Region everywhere in the database."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_

from keyferry_server.domain.identifiers import KeyIdentifier


def is_of(table: FromClause, key: KeyIdentifier) -> ColumnElement[bool]:
    """Select the rows of `table` that belong to one key."""
    return and_(table.c.key_id == key.key_id, table.c.region == key.scope.region)


def is_of_same_key(table: FromClause, other: FromClause) -> ColumnElement[bool]:
    """Join the rows of two tables that belong to the same key."""
    return and_(table.c.key_id == other.c.key_id, table.c.region == other.c.region)


def named(key: KeyIdentifier) -> dict[str, Any]:
    """Return the values that make a new row one of a key."""
    return {"key_id": key.key_id, "region": key.scope.region}
