"""`keyferry keys`: create, list, describe, enable, disable, delete-material, schedule-deletion, cancel-deletion."""

from typing import Annotated, Literal

import typer

from keyferry.v1 import KeyListEntry
from keyferry_client.cli.answers import to_plain
from keyferry_client.cli.creation import create_and_import
from keyferry_client.cli.material import NoExpiry, Spec, ValidTo, parse_expiry, read_material
from keyferry_client.cli.session import session_of
from keyferry_client.client import KeyManagementServiceClient
from keyferry_client.key_material import check_key_material, wipe
from keyferry_client.operations import CREATE_KEY
from keyferry_client.requests import build_request

app = typer.Typer(help="Create keys, show them, switch them on and off, delete them.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(metavar="KEY", help="Key ID or key ARN.")]


Origin = Literal["EXTERNAL", "AWS_KMS"]
KeyUsage = Literal["ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"]


@app.command()
def create(
    context: typer.Context,
    *,
    origin: Annotated[
        Origin | None,
        typer.Option(
            help="EXTERNAL: you import the key material. AWS_KMS: the service makes it. "
            "Default: AWS_KMS, with --material-file EXTERNAL."
        ),
    ] = None,
    description: Annotated[str, typer.Option(help="What the key is for. Not secret.")] = "",
    key_spec: Spec = "SYMMETRIC_DEFAULT",
    key_usage: Annotated[
        KeyUsage | None, typer.Option(help="What the key is for; needed unless it is symmetric.")
    ] = None,
    material_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Import this key material at once (- for standard input). If that fails, "
            "the new key is scheduled for deletion.",
        ),
    ] = None,
    valid_to: ValidTo = None,
    no_expiry: NoExpiry = False,
) -> None:
    """Create a key, and with --material-file import its material in the same step."""
    session = session_of(context)
    if material_file is None and (valid_to is not None or no_expiry):
        raise typer.BadParameter("--valid-to and --no-expiry are about the material of --material-file")
    if material_file is not None and origin == "AWS_KMS":
        raise typer.BadParameter(
            "key material is imported into keys of the origin EXTERNAL", param_hint="--origin"
        )
    chosen = origin or ("AWS_KMS" if material_file is None else "EXTERNAL")
    request = build_request(
        CREATE_KEY.request_type,
        {
            "origin": chosen,
            "description": description,
            "key_spec": None if key_spec == "SYMMETRIC_DEFAULT" else key_spec,
            "key_usage": key_usage,
        },
    )
    if material_file is None:
        session.show_metadata(to_plain(session.call(lambda client: client.create_key_async(request))))
        return
    expires = parse_expiry(valid_to, no_expiry=no_expiry)
    material = read_material(material_file)
    try:
        check_key_material(material, key_spec)
        key = session.call(
            lambda client: create_and_import(
                client, request, material=material, key_spec=key_spec, valid_to=expires
            )
        )
    finally:
        wipe(material)
    session.show_metadata({"KeyMetadata": to_plain(key)})


@app.command("list")
def list_keys(context: typer.Context) -> None:
    """List all keys: key ID and key ARN."""
    session = session_of(context)
    keys = session.call(_all_keys)
    session.show_list("Keys", ("KeyId", "KeyArn"), [to_plain(key) for key in keys])


@app.command()
def describe(context: typer.Context, key: Key) -> None:
    """Show a key and its state."""
    session = session_of(context)
    session.show_metadata(to_plain(session.call(lambda client: client.describe_key_async(key_id=key))))


@app.command()
def enable(context: typer.Context, key: Key) -> None:
    """Switch a disabled key on."""
    session = session_of(context)
    answer = session.call(lambda client: client.enable_key_async(key_id=key))
    session.show(to_plain(answer), f"{key} is enabled.")


@app.command()
def disable(context: typer.Context, key: Key) -> None:
    """Switch a key off.

    It refuses to encrypt and decrypt until it is enabled.
    """
    session = session_of(context)
    answer = session.call(lambda client: client.disable_key_async(key_id=key))
    session.show(to_plain(answer), f"{key} is disabled.")


@app.command()
def delete_material(context: typer.Context, key: Key) -> None:
    """Delete imported key material at once.

    Only a new import of the same material makes the key usable again.
    """
    session = session_of(context)
    answer = session.call(lambda client: client.delete_imported_key_material_async(key_id=key))
    session.show(to_plain(answer), f"{answer.key_id} has no key material; import the same again to use it.")


@app.command()
def schedule_deletion(
    context: typer.Context,
    key: Key,
    days: Annotated[
        int, typer.Option(metavar="N", min=7, max=30, help="Waiting period in days, 7 to 30.")
    ] = 30,
) -> None:
    """Delete a key for good after a waiting period.

    Until then it cannot be used, and cancel-deletion takes it back.
    """
    session = session_of(context)
    answer = to_plain(
        session.call(
            lambda client: client.schedule_key_deletion_async(key_id=key, pending_window_in_days=days)
        )
    )
    session.show(answer, f"{answer['KeyId']} will be deleted on {answer['DeletionDate']}, for good.")


@app.command()
def cancel_deletion(context: typer.Context, key: Key) -> None:
    """Take a scheduled deletion back.

    The key is disabled then; enable switches it on.
    """
    session = session_of(context)
    answer = session.call(lambda client: client.cancel_key_deletion_async(key_id=key))
    session.show(to_plain(answer), f"{answer.key_id} will not be deleted; it is disabled.")


async def _all_keys(client: KeyManagementServiceClient) -> list[KeyListEntry]:
    keys: list[KeyListEntry] = []
    marker: str | None = None
    while True:
        page = await client.list_keys_async(marker=marker)
        keys.extend(page.keys)
        if not page.truncated:
            return keys
        marker = page.next_marker
