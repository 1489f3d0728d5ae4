"""The command line put together: its options, its commands, and where failures end."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from keyferry_client.cli import files, imports, keys
from keyferry_client.cli.failures import report, report_file, report_interruption
from keyferry_client.cli.session import Output, Session
from keyferry_client.errors import KeyferryError

DEFAULT_ENDPOINT = "127.0.0.1:8700"

_HELP = """Keyferry: bring a key, import it, use it.

Key material and tokens come from files or standard input, never from the command line.
"""
_EXIT_CODES = (
    "Exit codes: 0 done; 1 refused, by the service or here; 2 wrong usage; "
    "3 no answer of the service; 130 interrupted; 143 and 129 ended by SIGTERM and SIGHUP."
)
_ENDPOINT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^\s:/]+):(?P<port>\d{1,5})")
_HIGHEST_PORT = 65535


class _ReportingGroup(TyperGroup):
    """The one place where a failure of any command becomes a message and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyferryError as error:
            raise typer.Exit(report(error)) from None
        except BrokenPipeError:
            raise
        except OSError as error:
            raise typer.Exit(report_file(error)) from None
        except KeyboardInterrupt:
            raise typer.Exit(report_interruption()) from None


app = typer.Typer(
    cls=_ReportingGroup,
    help=_HELP,
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(keys.app, name="keys")
app.add_typer(imports.app, name="import")
app.command("encrypt")(files.encrypt)
app.command("decrypt")(files.decrypt)
app.command("random")(files.random)


def _endpoints(value: str) -> str:
    for one in value.split(","):
        endpoint = _ENDPOINT.fullmatch(one)
        if endpoint is None or not 1 <= int(endpoint["port"]) <= _HIGHEST_PORT:
            raise typer.BadParameter(f"{one!r} is not HOST:PORT, for example {DEFAULT_ENDPOINT}")
    return value


@app.callback()
def options(
    context: typer.Context,
    *,
    endpoint: Annotated[
        str,
        typer.Option(
            envvar="KEYFERRY_ENDPOINT",
            metavar="HOST:PORT",
            help="Where the service is; several, separated by commas, take turns.",
            callback=_endpoints,
        ),
    ] = DEFAULT_ENDPOINT,
    identity: Annotated[
        Path | None,
        typer.Option(
            envvar="KEYFERRY_IDENTITY",
            metavar="DIR",
            help="Folder with authorities.pem, certificate.pem and key.pem: mutual TLS.",
        ),
    ] = None,
    authorities: Annotated[
        Path | None,
        typer.Option(
            envvar="KEYFERRY_AUTHORITIES",
            metavar="FILE",
            help="PEM of the authorities that sign the service's certificate: TLS.",
        ),
    ] = None,
    server_name: Annotated[
        str | None,
        typer.Option(
            envvar="KEYFERRY_SERVER_NAME",
            metavar="NAME",
            help="Name in the service's certificate, if it is not the host of the endpoint.",
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(envvar="KEYFERRY_TOKEN_FILE", metavar="FILE", help="File with a bearer token (JWT)."),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            envvar="KEYFERRY_REGION",
            metavar="REGION",
            help="Where the keys are. Default: the service's default Region.",
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.001, help="Deadline of each call.")
    ] = 30.0,
    output: Annotated[
        Output, typer.Option(envvar="KEYFERRY_OUTPUT", help="Form of the answers.")
    ] = Output.TABLE,
) -> None:
    """Take the options that stand before the command."""
    context.obj = Session(
        tuple(endpoint.split(",")), output, identity, authorities, server_name, token_file, timeout, region
    )
