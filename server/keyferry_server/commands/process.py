"""How every command begins and ends: settings in, an exit code and one readable reason out."""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, Never

import typer
import uvloop
from pydantic import ValidationError

from keyferry_server.authn.principal_map import PrincipalMapError
from keyferry_server.authn.token_keys import TokenKeysError
from keyferry_server.crypto.root_key import RootKeyError
from keyferry_server.domain.errors import KmsError
from keyferry_server.hardening import harden_process
from keyferry_server.opening import StartError, WrongSettingError
from keyferry_server.settings import Settings, describe_setting_errors
from keyferry_server.storage.database import DatabaseUnusableError, StatementFailedError
from keyferry_server.storage.embedded import EmbeddedPostgresError
from keyferry_server.storage.schema import SchemaError
from keyferry_server.storage.url import DatabaseUrlError

REFUSED = 1
MISUSED = 2

DatabaseUrl = Annotated[
    str | None,
    typer.Option(help="Postgres: postgresql://USER:PASSWORD@HOST:PORT/DATABASE. Default: embedded."),
]
DataDir = Annotated[
    Path | None, typer.Option(help="Folder of the embedded Postgres. Default: your data folder.")
]
RootKeyFile = Annotated[
    Path | None,
    typer.Option(help="File with the root key. With --database-url one is required, from wherever."),
]


def read_settings(**options: object) -> Settings:
    """Return the settings of the environment and the options that were given; exit if one is wrong."""
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # pydantic validates
    except ValidationError as error:
        fail(describe_setting_errors(error.errors()), MISUSED)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a command to its end; exit with the reason if it cannot be done. Most of them open secrets."""
    try:
        harden_process()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work)
    except KeyboardInterrupt:
        sys.exit(130)
    except (
        StartError,
        PrincipalMapError,
        TokenKeysError,
        RootKeyError,
        EmbeddedPostgresError,
        DatabaseUnusableError,
        StatementFailedError,
        SchemaError,
        DatabaseUrlError,
        OSError,
        KmsError,
    ) as error:
        fail(str(error), MISUSED if isinstance(error, WrongSettingError) else REFUSED)


def fail(reason: str, code: int = REFUSED) -> Never:
    """Say why on standard error, and exit."""
    for line in reason.splitlines():
        sys.stderr.write(f"keyferry-server: {line}\n")
    sys.exit(code)
