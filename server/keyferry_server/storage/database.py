"""The one door to Postgres: reads, short transactions, and how they end when the caller is gone.

1. Every unit of work runs in a task of its own, so that a caller's cancellation
   or deadline never waits for a database that does not answer.
2. Cancelled before its commit, a unit is rolled back: nothing has changed.
3. Cancelled from its commit on, the commit is carried through.
4. What is still ending is awaited by `settle`, and by `close`.
5. Whoever has asked to be there when a transaction commits (`commit_with`) adds to it
   before, and if that fails nothing is committed.

A database that cannot be reached, does not answer in time or cannot do it at the moment is
a DependencyTimeoutException; it may be retried.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import asyncpg
import structlog
from sqlalchemy import DateTime, NullPool, event, exc, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from keyferry_server.domain.errors import DependencyTimeoutException

T = TypeVar("T")

# What another try, or an operator, can mend without a change of the program.
_UNREACHABLE = (
    asyncpg.AdminShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.CrashShutdownError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InsufficientResourcesError,  # a full disk, no memory, too many connections
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # of a query that was sent while Postgres said farewell
    asyncpg.InvalidAuthorizationSpecificationError,  # a password that was just changed
    asyncpg.LockNotAvailableError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # sealed under a version of the root key that was removed meanwhile
    asyncpg.PostgresConnectionError,
    asyncpg.PostgresSystemError,  # an error of its disk
    asyncpg.QueryCanceledError,
    asyncpg.ReadOnlySQLTransactionError,  # in a failover: connected to one that is not the first yet
    asyncpg.SerializationError,
    exc.InterfaceError,
    exc.TimeoutError,
    OSError,  # TimeoutError is one
)

_LONGEST_CLOSE_SECONDS = 5.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class DatabaseUnusableError(Exception):
    """The database cannot be used at the start; the text says why, for the operator."""


class StatementFailedError(Exception):
    """A statement failed as nobody expected. The text is for the log: it holds no value of a row or a parameter."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One unit of work; the stores read and write through its connection.

    In `changed` the stores note the names of what it may change: key IDs, principals' ARNs.
    """

    connection: AsyncConnection
    changed: set[str] = field(default_factory=set)


Work = Callable[[Transaction], Awaitable[T]]
Committing = Callable[[Transaction], AbstractAsyncContextManager[None]]


@dataclass(slots=True)
class _Progress:
    is_committing: bool = False


class Database:
    """A pool of connections to one Postgres. Close it when done."""

    def __init__(self, url: str, *, pool_size: int, connect_timeout: float, statement_timeout: float) -> None:
        """Make the pool; nothing is connected yet. Timeouts are in seconds."""
        milliseconds = str(int(statement_timeout * 1000))
        connect_args = {
            "timeout": connect_timeout,
            "command_timeout": statement_timeout,
            "server_settings": {
                "application_name": "keyferry-server",
                "statement_timeout": milliseconds,
                "idle_in_transaction_session_timeout": milliseconds,
                "timezone": "UTC",
            },
        }
        make_engine = partial(create_async_engine, url, hide_parameters=True, connect_args=connect_args)
        make_pool = partial(make_engine, max_overflow=0, pool_timeout=statement_timeout)
        self._engine = make_pool(pool_size=pool_size)
        self._outside_the_pool = make_engine(poolclass=NullPool)
        # Its own: it does not wait for calls that hold all the others.
        self._asked_for_its_time = make_pool(pool_size=1, isolation_level="AUTOCOMMIT")
        self._on_change: Callable[[str], None] = _ignore
        self._single_statements = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._ending: set[asyncio.Task[object]] = set()
        self._open: set[Any] = set()
        for engine in (self._engine, self._asked_for_its_time):
            event.listen(engine.sync_engine, "connect", lambda opened, _: self._open.add(opened))
            event.listen(engine.sync_engine, "close", lambda closed, _: self._open.discard(closed))
        self._committing: Committing = lambda _: nullcontext()

    def commit_with(self, committing: Committing) -> None:
        """Enter `committing` before each transaction's commit and leave it after."""
        self._committing = committing

    async def run(self, work: Work[T]) -> T:
        """Run `work` on a connection that commits each statement by itself."""
        return await self._detached(self._single_statements, work, commit=False)

    async def transact(self, work: Work[T]) -> T:
        """Run `work` in one transaction and commit it; keep it short."""
        return await self._detached(self._engine, work, commit=True)

    async def now(self) -> datetime:
        """Return the database's clock; the cheapest proof that it answers, however busy the pool is."""

        async def ask(transaction: Transaction) -> datetime:
            query = select(func.clock_timestamp(type_=DateTime(timezone=True)))
            return (await transaction.connection.execute(query)).scalar_one()

        return await self._detached(self._asked_for_its_time, ask, commit=False)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection for what happens at the start; DatabaseUnusableError if there is none to be had."""
        with explained():
            async with self._engine.connect() as connection:
                yield connection

    async def own_connection(self) -> AsyncConnection:
        """Open a connection outside of the pool; whoever asks for it closes it."""
        return await self._outside_the_pool.connect()

    def on_change(self, tell: Callable[[str], None]) -> None:
        """Have `tell` called with the name of whatever is changed here, before the change is answered."""
        self._on_change = tell

    async def settle(self) -> None:
        """Wait until every unit of work whose caller is gone has ended."""
        while self._ending:
            await asyncio.wait(set(self._ending))

    async def close(self) -> None:
        """Settle, then close all connections; what takes longer than a few seconds is cut off."""
        try:
            async with asyncio.timeout(_LONGEST_CLOSE_SECONDS):
                await self.settle()
                await self._engine.dispose()
                await self._asked_for_its_time.dispose()
        except TimeoutError:
            _log.warning("connections to the database are cut off: it does not answer")
            for connection in list(self._open):
                connection.terminate()

    async def _detached(self, engine: AsyncEngine, work: Work[T], *, commit: bool) -> T:
        progress = _Progress()
        committing = self._committing if commit else None
        task = asyncio.create_task(self._unit(engine, work, progress, committing))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not progress.is_committing:
                task.cancel()
            self._ending.add(task)
            task.add_done_callback(self._ended)
            raise

    async def _unit(
        self, engine: AsyncEngine, work: Work[T], progress: _Progress, committing: Committing | None
    ) -> T:
        with translated():
            async with engine.connect() as connection:
                transaction = Transaction(connection)
                result = await work(transaction)
                if committing is not None:
                    async with committing(transaction):
                        progress.is_committing = True
                        try:
                            await connection.commit()
                        finally:
                            # Also of a commit that was not answered: it may have been done.
                            for name in transaction.changed:
                                self._on_change(name)
                return result

    def _ended(self, task: asyncio.Task[T]) -> None:
        self._ending.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("a unit of work failed after its caller was gone", error=type(error).__name__)


@contextmanager
def translated() -> Iterator[None]:
    """Turn what a database that does not answer raises into a DependencyTimeoutException."""
    try:
        yield
    except _UNREACHABLE as error:
        raise _timeout(error) from error
    except exc.DBAPIError as error:
        if error.connection_invalidated or isinstance(error.driver_exception, _UNREACHABLE):
            raise _timeout(error) from error
        failure = _without_values(error.driver_exception, error.statement)
        raise failure.with_traceback(error.__traceback__) from None
    except asyncpg.PostgresError as error:
        # Of a statement that was given to the driver itself.
        raise _without_values(error, getattr(error, "query", None)).with_traceback(
            error.__traceback__
        ) from None


@contextmanager
def explained() -> Iterator[None]:
    """Turn what goes wrong with a first connection into a DatabaseUnusableError."""
    try:
        yield
    except TimeoutError as error:
        raise DatabaseUnusableError("the database does not answer: is its address right?") from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseUnusableError(f"the database cannot be used: {error}") from error
    except exc.DBAPIError as error:
        raise DatabaseUnusableError(f"the database cannot be used: {error.orig}") from error


def _ignore(_: str) -> None:
    """Nobody wants to know."""


def _without_values(cause: object, statement: str | None) -> StatementFailedError:
    # Postgres quotes whole rows in the details of its errors, and the driver quotes parameters.
    names = ("sqlstate", "table_name", "column_name", "constraint_name")
    facts = [f"{name} {value}" for name in names if (value := getattr(cause, name, None))]
    if isinstance(cause, asyncpg.InsufficientPrivilegeError):
        # Its text names the table, and no value.
        facts.append(str(cause))
    return StatementFailedError(f"{type(cause).__name__} ({', '.join(facts)}) in: {statement}")


def _timeout(error: BaseException) -> DependencyTimeoutException:
    _log.warning("the database did not answer", error=type(error).__name__)
    return DependencyTimeoutException(
        "The system timed out while trying to fulfill the request. The request may be retried."
    )
