"""The `keyferry-server` command: serve, migrate, check-config, root-key, access-key, principal, policy, audit.

Exit codes: 0 done, 1 it cannot be done (the reason is on standard error), 2 wrong usage or settings.
"""

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated

import structlog
import typer

from keyferry_server.administration.root_key_check import check_root_key
from keyferry_server.commands import access_key, audit, policy, principal, root_key
from keyferry_server.commands.certificates import certificates
from keyferry_server.commands.process import DatabaseUrl, DataDir, RootKeyFile, read_settings, run
from keyferry_server.crypto.root_key.ring import RootKeyRing
from keyferry_server.domain.clock import SystemClock
from keyferry_server.logs import configure_logs
from keyferry_server.opening import (
    StartError,
    database_url,
    naming_database,
    open_database,
    root_key_provider,
)
from keyferry_server.own_process import own_figures
from keyferry_server.settings import Settings, unknown_variables
from keyferry_server.storage.schema import check_schema, migrate
from keyferry_server.workers import (
    READY,
    decode_settings,
    stop_on_signals,
    supervise,
    until_supervisor_ends,
)

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

app = typer.Typer(
    name="keyferry-server",
    help="Keyferry: key management for bring-your-own-key. Every option is also a KEYFERRY_... variable.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(root_key.app, name="root-key")
app.add_typer(access_key.app, name="access-key")
app.add_typer(principal.app, name="principal")
app.add_typer(policy.app, name="policy")
app.add_typer(audit.app, name="audit")
app.command()(certificates)

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
    workers: Annotated[int | None, typer.Option(help="Worker processes on this machine.")] = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; prints one line when ready."""
    settings = read_settings(
        database_url=database_url,
        data_dir=data_dir,
        root_key_file=root_key_file,
        grpc_listen=grpc_listen,
        aws_listen=aws_listen,
        metrics_listen=metrics_listen,
        workers=workers,
    )
    configure_logs(settings.log_level, settings.log_format)
    run(_serve(settings) if settings.workers == 1 else _supervise(settings))


@app.command(hidden=True)
def worker(number: int) -> None:
    """Serve as one of several workers: what a supervisor starts, with the settings on standard input."""
    settings = decode_settings(sys.stdin.buffer.readline())
    configure_logs(settings.log_level, settings.log_format, number)
    run(_serve(settings, until_supervisor_ends))


@app.command("migrate")
def migrate_command(database_url: DatabaseUrl = None) -> None:
    """Bring the schema of the database up to date. Safe to repeat and to run twice at once."""
    settings = read_settings(database_url=database_url)
    configure_logs(settings.log_level, settings.log_format)
    run(_migrate(settings))
    typer.echo("The database is up to date.")


@app.command()
def check_config(
    database_url: DatabaseUrl = None, data_dir: DataDir = None, root_key_file: RootKeyFile = None
) -> None:
    """Check the settings, the root key and the database without serving."""
    settings = read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file)
    configure_logs(settings.log_level, settings.log_format)
    run(_check(settings))
    typer.echo("The configuration is good.")


def main() -> None:
    """Run the command line."""
    app()


async def _serve(settings: Settings, until: Callable[[], Awaitable[None]] | None = None) -> None:
    from keyferry_server.app import running  # noqa: PLC0415 -- no other command waits for what serves

    stop = asyncio.Event()
    stop_on_signals(stop)
    if until is None:
        _warn(settings)
    # Also while it starts: nobody else would end it then.
    watching = asyncio.create_task(_stop_after(until, stop)) if until is not None else None
    async with running(settings) as server:
        _log.info("ready", **own_figures())
        sys.stdout.write(
            f"{READY}grpc={server.grpc_address} aws={server.aws_address} metrics={server.metrics_address}\n"
        )
        sys.stdout.flush()
        # What is here now stays to the end. Looked through with the rest, it held up all calls for 50 ms every few seconds.
        gc.collect()
        gc.freeze()
        ends = [asyncio.ensure_future(one) for one in (stop.wait(), server.background.crashed())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        has_crashed = ends[1].done()
        for waiting in ends:
            waiting.cancel()
        _log.info("draining", seconds=settings.drain_seconds)
    if watching is not None:
        watching.cancel()
    if has_crashed:
        raise StartError("the server stopped because a background task failed; the log says why")


async def _stop_after(until: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    await until()
    stop.set()


async def _supervise(settings: Settings) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    _warn(settings)
    _check_limits(settings)
    await supervise(settings, stop)


def _warn(settings: Settings) -> None:
    for variable in unknown_variables():
        _log.warning("a variable of the environment is no setting of the server", variable=variable)
    if settings.auth == "none":
        _log.warning("NO AUTHENTICATION: everyone who can reach this server can use every key in it")
    if settings.aws_listen != "off" and not settings.checks_signatures:
        _log.warning(
            "NO AUTHENTICATION on AWS's wire: any credentials are those of the account's root",
            listen=settings.aws_listen,
            account=settings.default_account,
        )


async def _migrate(settings: Settings) -> None:
    with naming_database(settings):
        await migrate(database_url(settings), settings.database_connect_timeout_seconds)


async def _check(settings: Settings) -> None:
    from keyferry_server.authentication import build_authentication  # noqa: PLC0415 -- as above

    await build_authentication(settings, SystemClock())
    _check_limits(settings)
    if settings.database_url is None:
        return
    ring = RootKeyRing(root_key_provider(settings).load)
    database = open_database(settings)
    try:
        with naming_database(settings):
            await check_schema(database)
        await check_root_key(database, ring)
    finally:
        await database.close()


def _check_limits(settings: Settings) -> None:
    if settings.rate_limits is not None:
        from keyferry_server.app import check_rate_limits  # noqa: PLC0415 -- as above

        check_rate_limits(settings)
