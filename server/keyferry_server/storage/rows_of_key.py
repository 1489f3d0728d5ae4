"""Which rows are a key's own: a key is named by its key ID and its Region everywhere in the database.

A statement costs more to make than to run. Those of the ways that are gone most often
are made once, for whichever key: `is_of_given` with the parameters `given`.
"""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, bindparam

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


# Not names of columns: in an UPDATE those would be what is set.
_GIVEN_KEY_ID, _GIVEN_REGION = "given_key_id", "given_region"


def is_of_given(table: FromClause) -> ColumnElement[bool]:
    """Select the rows of `table` that belong to the key that is given with the parameters."""
    return and_(table.c.key_id == bindparam(_GIVEN_KEY_ID), table.c.region == bindparam(_GIVEN_REGION))


def given(key: KeyIdentifier) -> dict[str, Any]:
    """Return the parameters of a statement with `is_of_given`."""
    return {_GIVEN_KEY_ID: key.key_id, _GIVEN_REGION: key.scope.region}
