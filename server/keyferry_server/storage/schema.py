"""The schema of a database: bring it up to date, or refuse one that is not."""

from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from keyferry_migrations import SchemaError, current_revision, head_revision, upgrade
from keyferry_server.storage.database import Database, explained

__all__ = ["SchemaError", "check_schema", "migrate"]


async def migrate(url: str, connect_timeout: float) -> None:
    """Run the migrations that a database has not seen yet; SchemaError if they cannot be run.

    On a connection of its own: migrations have other time limits than calls.
    """
    engine = create_async_engine(
        url, poolclass=NullPool, hide_parameters=True, connect_args={"timeout": connect_timeout}
    )
    with explained():
        async with engine.connect() as connection:
            await connection.run_sync(upgrade)


async def check_schema(database: Database) -> None:
    """Raise SchemaError if the database is behind this server.

    One that a newer release has migrated is accepted: migrations keep the release
    before them running.
    """
    async with database.connection() as connection:
        revision = await connection.run_sync(current_revision)
    if revision is None or revision < head_revision():
        raise SchemaError(
            f"the database's schema is at revision {revision or 'none'}, this server needs {head_revision()}: "
            "run `keyferry-server migrate` with the same settings first"
        )
