"""`keyferry keys`: create, list, describe, enable, disable, delete-material."""

from enum import StrEnum
from typing import Annotated

import typer

from keyferry.v1 import (
    CreateKeyRequest,
    DeleteImportedKeyMaterialRequest,
    DescribeKeyRequest,
    DisableKeyRequest,
    EnableKeyRequest,
    KeyListEntry,
    ListKeysRequest,
)
from keyferry_client.cli.answers import to_lines, to_plain
from keyferry_client.cli.session import session_of
from keyferry_client.client import KeyManagementServiceClient

app = typer.Typer(help="Create keys, show them, switch them on and off.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(metavar="KEY", help="Key ID or key ARN.")]


class Origin(StrEnum):
    """Where the key material of a new key comes from."""

    EXTERNAL = "EXTERNAL"
    AWS_KMS = "AWS_KMS"


@app.command()
def create(
    context: typer.Context,
    origin: Annotated[
        Origin, typer.Option(help="EXTERNAL: you import the key material. AWS_KMS: the service makes it.")
    ] = Origin.AWS_KMS,
    description: Annotated[str, typer.Option(help="What the key is for. Not secret.")] = "",
) -> None:
    """Create a key."""
    session = session_of(context)
    request = CreateKeyRequest(origin=f"ORIGIN_TYPE_{origin}", description=description)
    answer = to_plain(session.call(lambda client: client.create_key_async(request)))
    session.show(answer, to_lines(answer["KeyMetadata"]))


@app.command("list")
def list_keys(context: typer.Context) -> None:
    """List all keys: key ID and key ARN."""
    session = session_of(context)
    keys = session.call(_all_keys)
    session.show(
        {"Keys": [to_plain(key) for key in keys]}, "\n".join(f"{key.key_id}  {key.key_arn}" for key in keys)
    )


@app.command()
def describe(context: typer.Context, key: Key) -> None:
    """Show a key and its state."""
    session = session_of(context)
    answer = to_plain(session.call(lambda client: client.describe_key_async(DescribeKeyRequest(key_id=key))))
    session.show(answer, to_lines(answer["KeyMetadata"]))


@app.command()
def enable(context: typer.Context, key: Key) -> None:
    """Switch a disabled key on."""
    session = session_of(context)
    answer = session.call(lambda client: client.enable_key_async(EnableKeyRequest(key_id=key)))
    session.show(to_plain(answer), f"{key} is enabled.")


@app.command()
def disable(context: typer.Context, key: Key) -> None:
    """Switch a key off.

    It refuses to encrypt and decrypt until it is enabled.
    """
    session = session_of(context)
    answer = session.call(lambda client: client.disable_key_async(DisableKeyRequest(key_id=key)))
    session.show(to_plain(answer), f"{key} is disabled.")


@app.command()
def delete_material(context: typer.Context, key: Key) -> None:
    """Delete imported key material at once.

    Only a new import of the same material makes the key usable again.
    """
    session = session_of(context)
    request = DeleteImportedKeyMaterialRequest(key_id=key)
    answer = session.call(lambda client: client.delete_imported_key_material_async(request))
    session.show(to_plain(answer), f"{answer.key_id} has no key material; import the same again to use it.")


async def _all_keys(client: KeyManagementServiceClient) -> list[KeyListEntry]:
    keys: list[KeyListEntry] = []
    request = ListKeysRequest()
    while True:
        page = await client.list_keys_async(request)
        keys.extend(page.keys)
        if not page.truncated:
            return keys
        request = ListKeysRequest(marker=page.next_marker)
