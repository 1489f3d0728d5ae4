"""Where a database is, as errors say it: enough to find a mistake, and nothing of the password."""

import pytest

from keyferry_server.storage.url import DatabaseUrlError, parse_database_url, where_database_is

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("dsn", "where"),
    [
        (f"postgresql://keyferry:{SECRET}@db.internal/keyferry", "db.internal:5432"),
        (f"postgresql://keyferry:{SECRET}@db.internal:6432/keyferry?sslmode=require", "db.internal:6432"),
        (f"postgresql://keyferry:{SECRET}@[::1]:6432/keyferry", "[::1]:6432"),
        (f"postgresql://keyferry:{SECRET}@/keyferry?host=/run/postgresql", "host /run/postgresql"),
    ],
)
def test_host_and_port_are_named(dsn: str, where: str) -> None:
    assert where_database_is(dsn) == where


@pytest.mark.parametrize(
    "dsn",
    [f"postgresql://keyferry:a@{SECRET}@db/keyferry", f"postgresql://keyferry:a@{SECRET}/b@db/keyferry"],
)
def test_a_password_with_an_at_sign_is_not_taken_for_a_host(dsn: str) -> None:
    where = where_database_is(dsn)
    assert SECRET not in where
    assert "%40" in where


@pytest.mark.parametrize(
    ("dsn", "complaint"),
    [
        ("postgresql:///keyferry?host=/tmp&port=abc", "port"),
        (f"postgresql://user@{'a' * 64}.example/keyferry", "63 characters"),
    ],
)
def test_a_url_that_the_driver_cannot_read_is_refused(dsn: str, complaint: str) -> None:
    with pytest.raises(DatabaseUrlError, match=complaint):
        parse_database_url(dsn)


def test_several_hosts_may_be_named_together() -> None:
    hosts = ",".join(f"database-{number}.internal:5432" for number in range(9))
    assert parse_database_url(f"postgresql://user@/keyferry?host={hosts}&port=5432,5433")
