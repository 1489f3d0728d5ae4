"""The `keyferry-server` command: serve, migrate, check-config, root-key, access-key.

Exit codes: 0 done, 1 it cannot be done (the reason is on standard error), 2 wrong usage or settings.
"""

import asyncio
import re
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Never

import structlog
import typer
from pydantic import ValidationError

from keyferry_server.app import (
    StartError,
    database_url,
    load_root_key,
    open_database,
    opened_access_keys,
    running,
)
from keyferry_server.authn.caller import Principal
from keyferry_server.crypto.root_key import RootKeyError
from keyferry_server.crypto.root_key.file import generate_root_key_file
from keyferry_server.domain.errors import KmsError
from keyferry_server.logs import configure_logs
from keyferry_server.operations.access_key_ring import AccessKeyRing
from keyferry_server.settings import Settings, describe_setting_errors
from keyferry_server.storage.database import DatabaseUnusableError
from keyferry_server.storage.embedded import EmbeddedPostgresError
from keyferry_server.storage.schema import SchemaError, check_schema, migrate
from keyferry_server.storage.url import DatabaseUrlError

REFUSED = 1
MISUSED = 2

_PRINCIPAL = re.compile(r"root|(?:user|role)(?:/[\w+=,.@-]{1,128}){1,4}", re.ASCII)
_ACCOUNT = re.compile(r"[0-9]{12}")

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
access_key_app = typer.Typer(
    help="Access keys, which AWS's tools sign their requests with.", no_args_is_help=True
)
app.add_typer(access_key_app, name="access-key")

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
AccessKeyId = Annotated[str, typer.Argument(metavar="ACCESS_KEY_ID")]
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


@access_key_app.command("create")
def create_access_key(
    principal: Annotated[
        str, typer.Option(help="Who signs with it: root, user/NAME or role/NAME of the account.")
    ] = "root",
    account: Annotated[str | None, typer.Option(help="12 digits. Default: the default account.")] = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
) -> None:
    """Make an access key and show it, in the form of AWS's credentials file. Its secret is never shown again."""
    settings = _settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file)
    owner = account or settings.default_account
    if not _PRINCIPAL.fullmatch(principal) or not _ACCOUNT.fullmatch(owner):
        _fail("a principal is root, user/NAME or role/NAME, and an account has 12 digits", MISUSED)
    configure_logs(settings.log_level, settings.log_format)
    _run(_create_access_key(settings, Principal(owner, f"arn:{settings.partition}:iam::{owner}:{principal}")))


@access_key_app.command("list")
def list_access_keys(
    database_url: DatabaseUrl = None, data_dir: DataDir = None, root_key_file: RootKeyFile = None
) -> None:
    """Show all access keys, without their secrets: ID, enabled or disabled, when it was made, whose it is."""
    settings = _settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file)
    configure_logs(settings.log_level, settings.log_format)
    _run(_list_access_keys(settings))


@access_key_app.command("enable")
def enable_access_key(
    access_key_id: AccessKeyId,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
) -> None:
    """Switch an access key on."""
    _change_access_key(
        _settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file),
        lambda keys: keys.switch(access_key_id, enabled=True),
    )


@access_key_app.command("disable")
def disable_access_key(
    access_key_id: AccessKeyId,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
) -> None:
    """Switch an access key off. Running servers forget it within 5 seconds."""
    _change_access_key(
        _settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file),
        lambda keys: keys.switch(access_key_id, enabled=False),
    )


@access_key_app.command("delete")
def delete_access_key(
    access_key_id: AccessKeyId,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
) -> None:
    """Delete an access key for good. Running servers forget it within 5 seconds."""
    _change_access_key(
        _settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file),
        lambda keys: keys.delete(access_key_id),
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
    elif settings.aws_listen != "off" and settings.aws_auth == "none":
        _log.warning(
            "AWS's wire takes ANY CREDENTIALS: whoever reaches it acts as the root of the account. It is open to this "
            "machine only; KEYFERRY_AWS_AUTH=sigv4 checks signatures",
            listen=settings.aws_listen,
            account=settings.default_account,
        )
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


async def _create_access_key(settings: Settings, principal: Principal) -> None:
    async with opened_access_keys(settings) as keys:
        key = await keys.create(principal)
    typer.echo(f"aws_access_key_id = {key.access_key_id}")
    typer.echo(f"aws_secret_access_key = {key.secret.reveal().decode()}")


async def _list_access_keys(settings: Settings) -> None:
    async with opened_access_keys(settings) as keys:
        found = await keys.list()
    for key in found:
        state = "enabled" if key.enabled else "disabled"
        typer.echo(
            f"{key.access_key_id}  {state:8}  {key.created_at:%Y-%m-%dT%H:%M:%SZ}  {key.principal.arn}"
        )


def _change_access_key(settings: Settings, change: Callable[[AccessKeyRing], Awaitable[bool]]) -> None:
    configure_logs(settings.log_level, settings.log_format)
    _run(_changed_access_key(settings, change))


async def _changed_access_key(settings: Settings, change: Callable[[AccessKeyRing], Awaitable[bool]]) -> None:
    async with opened_access_keys(settings) as keys:
        is_there = await change(keys)
    if not is_there:
        raise StartError("there is no such access key: `keyferry-server access-key list` shows all")


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
