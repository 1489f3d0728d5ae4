"""`keyferry-server principal`: create, list, delete, policies, attach-policy, detach-policy."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from keyferry_server.administration.principals import Principals
from keyferry_server.commands.installation import opened_installation
from keyferry_server.commands.process import DatabaseUrl, DataDir, RootKeyFile, fail, read_settings, run
from keyferry_server.logs import configure_logs
from keyferry_server.settings import Settings
from keyferry_server.storage.principal_store import PrincipalStore

app = typer.Typer(
    help="Principals: the users and roles that policies name, and what each may do.", no_args_is_help=True
)

Arn = Annotated[str, typer.Argument(help="arn:aws:iam::ACCOUNT:user/NAME or arn:aws:iam::ACCOUNT:role/NAME")]
PolicyName = Annotated[str, typer.Option("--name", help="Name of the policy, among the principal's own.")]


@app.command()
def create(
    arn: Arn,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
) -> None:
    """Make a user or a role. It may do nothing until a key policy, an attached policy or a grant allows it."""

    async def work(principals: Principals) -> None:
        name = await principals.create(arn)
        typer.echo(f"The {name.kind} {name.arn} is made.")

    _run(read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file), work)


@app.command("list")
def list_command(
    account: Annotated[str | None, typer.Option(help="Only those of this account, 12 digits.")] = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
) -> None:
    """List principals, one a line: when it was made, and its ARN."""

    async def work(principals: Principals) -> None:
        for one in await principals.list(account):
            typer.echo(f"{one.created_at:%Y-%m-%dT%H:%M:%SZ}  {one.arn}")

    _run(read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file), work)


@app.command()
def delete(
    arn: Arn,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
) -> None:
    """Delete a principal with its policies: from then on it may do nothing, whatever names it."""

    async def work(principals: Principals) -> None:
        await principals.delete(arn)
        typer.echo(f"{arn} is deleted. Key policies and grants that name it are as they were.")

    _run(read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file), work)


@app.command()
def policies(
    arn: Arn,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
) -> None:
    """Show the policies of a principal."""

    async def work(principals: Principals) -> None:
        for policy in await principals.policies(arn):
            typer.echo(f"# {policy.name}, attached {policy.attached_at:%Y-%m-%dT%H:%M:%SZ}")
            typer.echo(policy.document)

    _run(read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file), work)


@app.command("attach-policy")
def attach_policy(
    arn: Arn,
    name: PolicyName,
    file: Annotated[Path, typer.Option(help="File with the policy document, or - for standard input.")],
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
) -> None:
    """Attach a policy to a principal, in the place of the one of that name."""
    document = read_document(file)

    async def work(principals: Principals) -> None:
        await principals.attach(arn, name, document)
        typer.echo(f"The policy {name} is attached to {arn}.")

    _run(read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file), work)


@app.command("detach-policy")
def detach_policy(
    arn: Arn,
    name: PolicyName,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
) -> None:
    """Detach a policy from a principal."""

    async def work(principals: Principals) -> None:
        await principals.detach(arn, name)
        typer.echo(f"The policy {name} is detached from {arn}.")

    _run(read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file), work)


def read_document(file: Path) -> str:
    """Return the text of a file, or of standard input; exit if it cannot be read."""
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {error}")


def _run(settings: Settings, work: Callable[[Principals], Awaitable[None]]) -> None:
    configure_logs("warning", settings.log_format)

    async def with_principals() -> None:
        async with opened_installation(settings) as installation:
            store = PrincipalStore(installation.database)
            await work(Principals(store, installation.clock, settings.partition))

    run(with_principals())
