"""Database URLs: what operators write, as the driver wants it."""

import re

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
_PORT = 5432
_LONGEST_LABEL = 63
_PARAMETERS = {"host", "port", "ssl", "sslmode", "passfile", "target_session_attrs"}


class DatabaseUrlError(Exception):
    """The database URL cannot be used; the text says why without showing it."""


def parse_database_url(dsn: str, password: str | None = None) -> str:
    """Return a DSN for the driver, with `password` put in if it is given.

    libpq's `sslmode` parameter is understood. DatabaseUrlError if it is no
    Postgres URL.
    """
    try:
        url = make_url(dsn)
    except (ArgumentError, ValueError):  # ValueError: of a port that is no number
        raise DatabaseUrlError(
            "the database URL cannot be read: expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        ) from None
    if url.drivername not in _SCHEMES:
        raise DatabaseUrlError("the database must be Postgres: the URL starts with postgresql://")
    _check_parts(url)
    if unknown := sorted(set(url.query) - _PARAMETERS):
        raise DatabaseUrlError(
            f"the database URL has parameters that are not understood: {', '.join(unknown)}. "
            f"Those that are: {', '.join(sorted(_PARAMETERS))}"
        )
    if password is not None:
        url = url.set(password=password)
    if "sslmode" in url.query:
        ssl = url.query["sslmode"]
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": ssl})
    return url.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


def _check_parts(url: URL) -> None:
    hosts, ports = url.query.get("host", ()), url.query.get("port", ())
    for port in ports if isinstance(ports, tuple) else (ports,):
        if not all(one.isdecimal() for one in port.split(",") if one):
            raise DatabaseUrlError("the parameter port of the database URL must be a number")
    for host in (url.host or "", *(hosts if isinstance(hosts, tuple) else (hosts,))):
        if not host.startswith("/") and any(len(label) > _LONGEST_LABEL for label in re.split("[.,]", host)):
            raise DatabaseUrlError(
                f"the database URL names a host that cannot be: a part of its name is longer than {_LONGEST_LABEL} characters"
            )


def where_database_is(dsn: str) -> str:
    """Return what an operator wants to hear of a URL that does not work: HOST:PORT, and never the password.

    `dsn` is one that `parse_database_url` takes.
    """
    if dsn.count("@") > 1:
        # One that ends a password too early makes the rest of it a host.
        return "an @ in a user's name or password is written %40"
    url = make_url(dsn)
    if url.host is None:
        hosts = url.query.get("host", "none named")
        return f"host {hosts if isinstance(hosts, str) else ', '.join(hosts)}"
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{host}:{url.port or _PORT}"
