"""`keyferry-server certificates`: an authority of one's own, for a first mTLS set-up."""

import re
from pathlib import Path
from typing import Annotated

import typer

from keyferry_server.commands.process import fail
from keyferry_server.crypto.certificate_authority import CertificateAuthority, CertificateError
from keyferry_server.domain.clock import SystemClock

_CLIENT = re.compile(r"root|(?:role|user)/[A-Za-z0-9._-]*[A-Za-z0-9_-]")


def certificates(
    folder: Annotated[Path, typer.Option(help="Folder of the authority; it is made if it is not there.")],
    server_name: Annotated[
        list[str], typer.Option(help="Name or address that clients reach the server by. Give it for each.")
    ] = ["localhost", "127.0.0.1"],  # noqa: B006 -- typer's way to say so; nobody changes it
    client: Annotated[
        list[str], typer.Option(help="Client to make a certificate for: root, role/NAME or user/NAME.")
    ] = [],  # noqa: B006 -- as above
    account: Annotated[str, typer.Option(help="Account of the clients, 12 digits.")] = "000000000000",
    trust_domain: Annotated[
        str, typer.Option(help="As in KEYFERRY_SPIFFE_TRUST_DOMAIN.")
    ] = "keyferry.internal",
) -> None:
    """Make an authority, the server's certificate and those of clients. What is there and good is left alone.

    For a first set-up, and where there is no authority that could do it. Say it again to renew what is about to
    expire; a running server takes a new certificate over by itself.
    """
    try:
        now = SystemClock().now()
        authority = CertificateAuthority.load_or_make(folder, now)
        _tell("server", authority.issue_server(server_name, now))
        for one in client:
            if _CLIENT.fullmatch(one) is None:
                fail(f"{one!r} is not root, role/NAME or user/NAME")
            spiffe_id = f"spiffe://{trust_domain}/account/{account}/{one}"
            _tell(f"clients/{one}", authority.issue_client(one, spiffe_id, now))
    except CertificateError as error:
        fail(str(error))


def _tell(place: str, is_made: bool) -> None:  # noqa: FBT001 -- it is the one fact told
    typer.echo(f"{place}: {'made' if is_made else 'there already, and good for a month'}")
