"""Leads a database to the newest revision, one transaction a migration.

1. Refuse a database whose revision this release does not know.
2. If it is at the head, there is nothing to do and no lock to wait for.
3. Take the migrators' advisory lock: whoever starts at the same time queues.
4. Limit how long a migration may wait for a lock, and a statement may run.
5. Run what is missing. Each migration commits together with its revision, so
   that a failed or killed run leaves a database at some revision, never between two.
6. Give back the limits and the lock.

Call it with a synchronous connection that has no transaction; asynchronous
callers write ``await connection.run_sync(upgrade)``. The connection must reach
Postgres itself: a pooler that hands each transaction to another session breaks 3.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from keyferry_migrations.revisions import SchemaError, current_revision, head_revision

# A running server is never made to wait longer behind a migration that itself waits for a lock.
LOCK_TIMEOUT_SECONDS = 5
STATEMENT_TIMEOUT_SECONDS = 300

_FOLDER = Path(__file__).parent
_ADVISORY_LOCK = int.from_bytes(b"keyferry")
_LOCK_NOT_AVAILABLE = "55P03"
_QUERY_CANCELED = "57014"


def upgrade(connection: Connection, lock_wait_seconds: float = 60) -> Sequence[str]:
    """Run the migrations that the database has not seen; return their revisions, oldest first.

    `lock_wait_seconds` is how long to queue behind another migrator. SchemaError if
    the database is newer than this release, or something holds a lock or runs for too
    long; what was committed before stays, and the next run goes on from there.
    ValueError if the connection is in a transaction.
    """
    if connection.in_transaction():
        raise ValueError("each migration is a transaction of its own: the connection must not be in one")
    if _is_at_head(connection):
        return []
    with _only_migrator(connection, lock_wait_seconds), _limits(connection), _readable_errors():
        # Another migrator may have been here while this one queued.
        return [] if _is_at_head(connection) else _run(connection)


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory(_FOLDER)


def _is_at_head(connection: Connection) -> bool:
    revision = current_revision(connection)
    known = {script.revision for script in _scripts().walk_revisions()}
    if revision is not None and revision not in known:
        raise SchemaError(
            f"the database's schema is at revision {revision}, which this release does not know: "
            f"its newest is {head_revision()}. A newer release migrated the database; run that one"
        )
    return revision == head_revision()


def _run(connection: Connection) -> list[str]:
    applied: list[str] = []

    def note(*, step: Any, **_: Any) -> None:
        applied.append(step.up_revision_id)

    config = Config(attributes={"connection": connection, "on_version_apply": note})
    # Alembic reads options as ConfigParser does, where % has a meaning.
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    command.upgrade(config, "head")
    return applied


@contextmanager
def _only_migrator(connection: Connection, lock_wait_seconds: float) -> Iterator[None]:
    milliseconds = max(1, round(lock_wait_seconds * 1000))
    try:
        # The lock belongs to the session: it outlives this transaction and those of the migrations.
        with connection.begin():
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text(f"SET LOCAL lock_timeout = {milliseconds}"))
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
    except DBAPIError as error:
        if _sqlstate(error) != _LOCK_NOT_AVAILABLE:
            raise
        raise SchemaError(
            f"another migration of this database has been running for {lock_wait_seconds:g} seconds: "
            "wait until it has ended, then try again"
        ) from error
    try:
        yield
    finally:
        _run_afterwards(connection, f"SELECT pg_advisory_unlock({_ADVISORY_LOCK})")


@contextmanager
def _limits(connection: Connection) -> Iterator[None]:
    with connection.begin():
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'"))
        connection.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT_SECONDS}s'"))
    try:
        yield
    finally:
        _run_afterwards(connection, "RESET lock_timeout", "RESET statement_timeout")


@contextmanager
def _readable_errors() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        reason = {
            _LOCK_NOT_AVAILABLE: f"waited {LOCK_TIMEOUT_SECONDS} seconds for a lock that something else holds",
            _QUERY_CANCELED: f"ran into its statement_timeout of {STATEMENT_TIMEOUT_SECONDS} seconds",
        }.get(_sqlstate(error) or "")
        if reason is None:
            raise
        raise SchemaError(
            f"a migration {reason}. It was rolled back and nothing is lost: try again when the database is quieter"
        ) from error


def _run_afterwards(connection: Connection, *statements: str) -> None:
    # A connection that broke has lost its session, and with it the lock and the limits.
    if connection.invalidated:
        return
    connection.rollback()
    with connection.begin():
        for statement in statements:
            connection.execute(text(statement))


def _transaction(connection: Connection) -> AbstractContextManager[Any]:
    return nullcontext() if connection.in_transaction() else connection.begin()


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)
