"""The `keyferry-server` command: serve, migrate, check-config, root-key.

Exit codes: 0 done, 1 it cannot be done (the reason is on standard error), 2 wrong usage or settings.
"""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, Never

import structlog
import typer
from pydantic import ValidationError

from keyferry_server.app import StartError, database_url, load_root_key, open_database, running
from keyferry_server.crypto.root_key import RootKeyError
from keyferry_server.crypto.root_key.file import generate_root_key_file
from keyferry_server.domain.errors import KmsError
from keyferry_server.logs import configure_logs
from keyferry_server.settings import Settings, describe_setting_errors
from keyferry_server.storage.database import DatabaseUnusableError
from keyferry_server.storage.embedded import EmbeddedPostgresError
from keyferry_server.storage.schema import SchemaError, check_schema, migrate
from keyferry_server.storage.url import DatabaseUrlError

REFUSED = 1
MISUSED = 2

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

app = typer.Typer(
    name="keyferry-server",
    help="Keyferry: key management for bring-your-own-key. Every option is also a KEYFERRY_... variable.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
root_key_app = typer.Typer(help="The root key, which seals everything in the database.", no_args_is_help=True)
app.add_typer(root_key_app, name="root-key")

DatabaseUrl = Annotated[
    str | None,
    typer.Option(help="Postgres: postgresql://USER:PASSWORD@HOST:PORT/DATABASE. Default: embedded."),
]
DataDir = Annotated[
    Path | None, typer.Option(help="Folder of the embedded Postgres. Default: your data folder.")
]
RootKeyFile = Annotated[
    Path | None, typer.Option(help="File with the root key. Required with --database-url.")
]
Listen = Annotated[str | None, typer.Option(metavar="HOST:PORT")]
ListenOrOff = Annotated[str | None, typer.Option(metavar="HOST:PORT|off")]


@app.command()
def serve(
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
    grpc_listen: Listen = None,
    aws_listen: ListenOrOff = None,
    metrics_listen: ListenOrOff = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes; this version runs 1.")] = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; prints one line when ready."""
    settings = _settings(
        database_url=database_url,
        data_dir=data_dir,
        root_key_file=root_key_file,
        grpc_listen=grpc_listen,
        aws_listen=aws_listen,
        metrics_listen=metrics_listen,
        workers=workers,
    )
    configure_logs(settings.log_level, settings.log_format)
    _run(_serve(settings))


@app.command("migrate")
def migrate_command(database_url: DatabaseUrl = None) -> None:
    """Bring the schema of the database up to date. Safe to repeat and to run twice at once."""
    settings = _settings(database_url=database_url)
    configure_logs(settings.log_level, settings.log_format)
    _run(_migrate(settings))
    typer.echo("The database is up to date.")


@app.command()
def check_config(
    database_url: DatabaseUrl = None, data_dir: DataDir = None, root_key_file: RootKeyFile = None
) -> None:
    """Check the settings, the root key and the database without serving."""
    settings = _settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file)
    configure_logs(settings.log_level, settings.log_format)
    _run(_check(settings))
    typer.echo("The configuration is good.")


@root_key_app.command()
def generate(out: Annotated[Path, typer.Option(help="File to write; it must not exist.")]) -> None:
    """Make a new root key in a file that only its owner can read."""
    try:
        generate_root_key_file(out)
    except (OSError, RootKeyError) as error:
        _fail(str(error))
    typer.echo(
        f"The root key is in {out}. Keep a copy apart from the database's backups: without it every key is lost."
    )


def main() -> None:
    """Run the command line."""
    app()


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if settings.insecure_no_auth:
        _log.warning("NO AUTHENTICATION: everyone who can reach this server can use every key in it")
    async with running(settings) as server:
        sys.stdout.write(
            f"keyferry-server is ready: grpc={server.grpc_address} aws={server.aws_address} metrics={server.metrics_address}\n"
        )
        sys.stdout.flush()
        stopped = asyncio.create_task(stop.wait())
        crashed = asyncio.create_task(server.background.crashed())
        await asyncio.wait({stopped, crashed}, return_when=asyncio.FIRST_COMPLETED)
        has_crashed = crashed.done()
        for waiting in (stopped, crashed):
            waiting.cancel()
        _log.info("draining", seconds=settings.drain_seconds)
    if has_crashed:
        raise StartError("the server stopped because a background task failed; the log says why")


async def _migrate(settings: Settings) -> None:
    await migrate(database_url(settings), settings.database_connect_timeout_seconds)


async def _check(settings: Settings) -> None:
    if settings.database_url is None:
        return
    load_root_key(settings)
    database = open_database(settings)
    try:
        await check_schema(database)
    finally:
        await database.close()


def _settings(**options: object) -> Settings:
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # pydantic validates
    except ValidationError as error:
        _fail(describe_setting_errors(error.errors()), MISUSED)


def _run(work: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(work)
    except KeyboardInterrupt:
        sys.exit(130)
    except (
        StartError,
        RootKeyError,
        EmbeddedPostgresError,
        DatabaseUnusableError,
        SchemaError,
        DatabaseUrlError,
        OSError,
        KmsError,
    ) as error:
        _fail(str(error))


def _fail(reason: str, code: int = REFUSED) -> Never:
    for line in reason.splitlines():
        sys.stderr.write(f"keyferry-server: {line}\n")
    sys.exit(code)
