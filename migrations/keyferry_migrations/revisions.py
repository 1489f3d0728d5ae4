"""Where a database is, and where this release leads it. A server asks at every start, so Alembic is not loaded for it."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, text


class SchemaError(Exception):
    """The database cannot be brought to this release's schema; the text says what to do."""


@cache
def head_revision() -> str:
    """Return the revision that this release needs: the last of the migrations, which are numbered."""
    return max(path.name.partition("_")[0] for path in (Path(__file__).parent / "versions").glob("[0-9]*.py"))


def current_revision(connection: Connection) -> str | None:
    """Return the revision that the database is at, also one that is not known here; None for an empty one."""
    was_in_transaction = connection.in_transaction()
    try:
        if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
            return None
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return revision
    finally:
        if not was_in_transaction:
            connection.rollback()


def upgrade(connection: Connection, lock_wait_seconds: float = 60) -> Sequence[str]:
    """Run the migrations that the database has not seen; see ``runner.upgrade``."""
    from keyferry_migrations import runner  # noqa: PLC0415 -- Alembic, which only migrating needs

    return runner.upgrade(connection, lock_wait_seconds)
