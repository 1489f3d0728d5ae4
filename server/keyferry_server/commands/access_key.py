"""`keyferry-server access-key`: create, list, enable, disable, delete."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from keyferry_server.administration.access_keys import OperatorAccessKeys
from keyferry_server.commands.installation import opened_installation
from keyferry_server.commands.process import DatabaseUrl, DataDir, RootKeyFile, read_settings, run
from keyferry_server.logs import configure_logs
from keyferry_server.settings import Settings
from keyferry_server.storage.access_key_store import AccessKeyStore
from keyferry_server.storage.principal_store import PrincipalStore

app = typer.Typer(help="Access keys, which AWS's tools sign their requests with.", no_args_is_help=True)

AccessKeyId = Annotated[str, typer.Argument(metavar="ACCESS_KEY_ID")]
Work = Callable[[OperatorAccessKeys], Awaitable[None]]


@app.command()
def create(
    principal: Annotated[
        str | None,
        typer.Option(metavar="ARN", help="Who signs with it. Default: the root of the default account."),
    ] = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
) -> None:
    """Make an access key and show it, in the form of AWS's credentials file. Its secret is never shown again."""
    settings = read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file)
    root = f"arn:{settings.partition}:iam::{settings.default_account}:root"

    async def work(keys: OperatorAccessKeys) -> None:
        key = await keys.create(principal or root)
        typer.echo("[default]")
        typer.echo(f"aws_access_key_id = {key.access_key_id}")
        typer.echo(f"aws_secret_access_key = {key.secret.reveal().decode()}")

    _run(settings, work)


@app.command("list")
def show_all(
    database_url: DatabaseUrl = None, data_dir: DataDir = None, root_key_file: RootKeyFile = None
) -> None:
    """Show all access keys without their secrets: ID, enabled or disabled, when it was made, whose it is."""

    async def work(keys: OperatorAccessKeys) -> None:
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

    async def work(keys: OperatorAccessKeys) -> None:
        await keys.switch(access_key_id, enabled=True)

    _run(read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file), work)


@app.command()
def disable(
    access_key_id: AccessKeyId,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
) -> None:
    """Switch an access key off. Running servers hear of it at once."""

    async def work(keys: OperatorAccessKeys) -> None:
        await keys.switch(access_key_id, enabled=False)

    _run(read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file), work)


@app.command()
def delete(
    access_key_id: AccessKeyId,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
) -> None:
    """Delete an access key for good. Running servers hear of it at once."""

    async def work(keys: OperatorAccessKeys) -> None:
        await keys.delete(access_key_id)

    _run(read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file), work)


def _run(settings: Settings, work: Work) -> None:
    configure_logs("warning", settings.log_format)

    async def with_keys() -> None:
        async with opened_installation(settings) as installation:
            database = installation.database
            await work(
                OperatorAccessKeys(
                    AccessKeyStore(database),
                    PrincipalStore(database),
                    installation.sealer,
                    installation.clock,
                    settings.partition,
                )
            )

    run(with_keys())
