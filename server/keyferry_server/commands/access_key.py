"""`keyferry-server access-key`: create, list, enable, disable, delete."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from keyferry_server.administration.root_key_check import check_root_key, seal_as_everybody
from keyferry_server.app import StartError, opened
from keyferry_server.authn.caller import Principal
from keyferry_server.commands.process import (
    MISUSED,
    DatabaseUrl,
    DataDir,
    RootKeyFile,
    fail,
    read_settings,
    run,
)
from keyferry_server.crypto.root_key.ring import RootKeyRing
from keyferry_server.crypto.sealing import Sealer
from keyferry_server.domain.clock import SystemClock
from keyferry_server.logs import configure_logs
from keyferry_server.operations.access_key_ring import AccessKeyRing
from keyferry_server.settings import Settings
from keyferry_server.storage.access_key_store import AccessKeyStore

_PRINCIPAL = re.compile(r"root|(?:user|role)(?:/[\w+=,.@-]{1,128}){1,4}", re.ASCII)
_ACCOUNT = re.compile(r"[0-9]{12}")

app = typer.Typer(help="Access keys, which AWS's tools sign their requests with.", no_args_is_help=True)

AccessKeyId = Annotated[str, typer.Argument(metavar="ACCESS_KEY_ID")]
Work = Callable[[AccessKeyRing], Awaitable[None]]


@app.command()
def create(
    principal: Annotated[
        str, typer.Option(help="Who signs with it: root, user/NAME or role/NAME of the account.")
    ] = "root",
    account: Annotated[str | None, typer.Option(help="12 digits. Default: the default account.")] = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
) -> None:
    """Make an access key and show it, in the form of AWS's credentials file. Its secret is never shown again."""
    settings = read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file)
    owner = account or settings.default_account
    if not _PRINCIPAL.fullmatch(principal) or not _ACCOUNT.fullmatch(owner):
        fail("a principal is root, user/NAME or role/NAME, and an account has 12 digits", MISUSED)

    async def work(keys: AccessKeyRing) -> None:
        key = await keys.create(Principal(owner, f"arn:{settings.partition}:iam::{owner}:{principal}"))
        typer.echo(f"aws_access_key_id = {key.access_key_id}")
        typer.echo(f"aws_secret_access_key = {key.secret.reveal().decode()}")

    _run(settings, work)


@app.command("list")
def show_all(
    database_url: DatabaseUrl = None, data_dir: DataDir = None, root_key_file: RootKeyFile = None
) -> None:
    """Show all access keys without their secrets: ID, enabled or disabled, when it was made, whose it is."""

    async def work(keys: AccessKeyRing) -> None:
        for key in await keys.list():
            state = "enabled" if key.enabled else "disabled"
            created = f"{key.created_at:%Y-%m-%dT%H:%M:%SZ}"
            typer.echo(f"{key.access_key_id}  {state:8}  {created}  {key.principal.arn}")

    _run(read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file), work)


@app.command()
def enable(
    access_key_id: AccessKeyId,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
) -> None:
    """Switch an access key on."""

    async def work(keys: AccessKeyRing) -> None:
        _check_known(is_known=await keys.switch(access_key_id, enabled=True))

    _run(read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file), work)


@app.command()
def disable(
    access_key_id: AccessKeyId,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
) -> None:
    """Switch an access key off. Running servers forget it within 5 seconds."""

    async def work(keys: AccessKeyRing) -> None:
        _check_known(is_known=await keys.switch(access_key_id, enabled=False))

    _run(read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file), work)


@app.command()
def delete(
    access_key_id: AccessKeyId,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
) -> None:
    """Delete an access key for good. Running servers forget it within 5 seconds."""

    async def work(keys: AccessKeyRing) -> None:
        _check_known(is_known=await keys.delete(access_key_id))

    _run(read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file), work)


def _run(settings: Settings, work: Work) -> None:
    configure_logs("warning", settings.log_format)

    async def with_keys() -> None:
        async with opened(settings) as (provider, database):
            ring = RootKeyRing(provider.load)
            await check_root_key(database, ring)
            if await seal_as_everybody(database, ring) is None:
                raise StartError("no server has used this database yet: start one first")
            await work(AccessKeyRing(AccessKeyStore(database), Sealer(ring), SystemClock()))

    run(with_keys())


def _check_known(*, is_known: bool) -> None:
    if not is_known:
        raise StartError("there is no such access key: `keyferry-server access-key list` shows all")
