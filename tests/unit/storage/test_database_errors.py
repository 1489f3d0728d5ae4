"""What of Postgres's errors may be tried again, and what is a fault of the program."""

import asyncpg
import pytest
from sqlalchemy import exc

from keyferry_server.domain.errors import DependencyTimeoutException
from keyferry_server.storage.database import StatementFailedError, translated

MENDED_BY_ANOTHER_TRY = [
    asyncpg.AdminShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.DeadlockDetectedError,
    asyncpg.DiskFullError,
    asyncpg.InvalidPasswordError,
    asyncpg.PostgresIOError,
    asyncpg.LockNotAvailableError,
    asyncpg.OutOfMemoryError,
    asyncpg.QueryCanceledError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.SerializationError,
    asyncpg.TooManyConnectionsError,
]


@pytest.mark.parametrize("error", MENDED_BY_ANOTHER_TRY)
@pytest.mark.parametrize("is_wrapped", [True, False])
def test_what_another_try_can_mend_may_be_tried_again(
    error: type[asyncpg.PostgresError], *, is_wrapped: bool
) -> None:
    driver = error("it does not work now")
    with pytest.raises(DependencyTimeoutException), translated():
        raise _wrapped(driver) if is_wrapped else driver


@pytest.mark.parametrize("error", [asyncpg.UndefinedTableError, asyncpg.NotNullViolationError])
def test_what_is_wrong_with_a_statement_is_not_tried_again(error: type[asyncpg.PostgresError]) -> None:
    with pytest.raises(StatementFailedError, match=error.__name__), translated():
        raise _wrapped(error("a value of a row"))


def test_a_query_that_met_the_end_of_its_connection_may_be_tried_again() -> None:
    with pytest.raises(DependencyTimeoutException), translated():
        raise asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")


def _wrapped(driver: asyncpg.PostgresError) -> exc.DBAPIError:
    """Return what SQLAlchemy raises for an error of the driver's."""
    return exc.DBAPIError("SELECT 1", {}, exc.EmulatedDBAPIException(str(driver), driver))
