"""`keyferry import KEY`: bring key material in one step, or with the wrapping on another machine.

1. `params` fetches a wrapping public key and an import token into a folder.
2. `wrap` wraps the key material in that folder. It calls nobody: carry the folder
   to the machine that has the key material, and back.
3. `submit` imports what was wrapped.

Without the name of a step, `keyferry import KEY` does the three at once, without a folder.
"""

from datetime import UTC
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from keyferry.v1 import ImportKeyMaterialResponse
from keyferry_client.cli.answers import to_plain
from keyferry_client.cli.import_folder import (
    ImportParameters,
    check_writable,
    read_encrypted_key_material,
    read_parameters,
    write_encrypted_key_material,
    write_parameters,
)
from keyferry_client.cli.keys import Key
from keyferry_client.cli.material import (
    Algorithm,
    KeySpec,
    MaterialFile,
    NewMaterial,
    NoExpiry,
    Spec,
    ValidTo,
    WrappingAlgorithm,
    WrappingKeySpec,
    WrappingSpec,
    import_type,
    parse_expiry,
    read_material,
)
from keyferry_client.cli.session import Session, session_of
from keyferry_client.client import KeyManagementServiceClient
from keyferry_client.importing import default_wrapping_algorithm
from keyferry_client.key_material import check_key_material, wipe
from keyferry_client.wrapping import parse_wrapping_algorithm, wrap_key_material

_AT_ONCE = "KEY"

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of `keyferry import params`.")]


class ImportGroup(TyperGroup):
    """Takes what is not the name of a step for the key of an import in one step."""

    default_command = _AT_ONCE

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command's name before its arguments where the user left it away."""
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = [self.default_command, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=ImportGroup,
    help="Import key material: in one step (`keyferry import KEY --help`), or params, wrap, submit.",
    no_args_is_help=True,
)


@app.command()
def params(
    context: typer.Context,
    key: Key,
    out: Annotated[Path, typer.Option(metavar="DIR", help="New or empty folder to write.")],
    *,
    key_spec: Spec = "SYMMETRIC_DEFAULT",
    algorithm: Algorithm = None,
    wrapping_spec: WrappingSpec = "RSA_3072",
) -> None:
    """Fetch wrapping public key and import token.

    They are good for one import within 24 hours.
    """
    session = session_of(context)
    check_writable(out)
    chosen = algorithm or default_wrapping_algorithm(key_spec)
    parameters = session.call(lambda client: _fetch(client, key, key_spec, chosen, wrapping_spec))
    write_parameters(out, parameters)
    session.show(
        {
            "KeyId": parameters.key_id,
            "KeySpec": parameters.key_spec,
            "WrappingAlgorithm": parameters.wrapping_algorithm,
            "WrappingKeySpec": parameters.wrapping_key_spec,
            "ParametersValidTo": parameters.valid_to,
            "Out": str(out),
        },
        f"{out} has the parameters for {parameters.key_id}, valid to {parameters.valid_to}.\n"
        f"Next, where the key material is: keyferry import wrap {out} --material-file FILE",
    )


@app.command()
def wrap(context: typer.Context, folder: Folder, material_file: MaterialFile) -> None:
    """Wrap key material for the parameters in a folder. Works without a network."""
    session = session_of(context)
    parameters = read_parameters(folder)
    material = read_material(material_file)
    try:
        encrypted = wrap_key_material(
            parameters.public_key, material, parameters.wrapping_algorithm, key_spec=parameters.key_spec
        )
    finally:
        wipe(material)
    write_encrypted_key_material(folder, encrypted)
    session.show(
        {"KeyId": parameters.key_id, "Dir": str(folder)},
        f"{folder} has the wrapped key material for {parameters.key_id}.\n"
        f"Next, where the service is reached: keyferry import submit {folder} --valid-to TIME (or --no-expiry)",
    )


@app.command()
def submit(
    context: typer.Context,
    folder: Folder,
    *,
    valid_to: ValidTo = None,
    no_expiry: NoExpiry = False,
    new_material: NewMaterial = False,
) -> None:
    """Import what was wrapped in a folder."""
    session = session_of(context)
    expires = parse_expiry(valid_to, no_expiry=no_expiry)
    parameters = read_parameters(folder)
    encrypted = read_encrypted_key_material(folder)
    response = session.call(
        lambda client: client.import_key_material_async(
            key_id=parameters.key_id,
            import_token=parameters.import_token,
            encrypted_key_material=encrypted,
            valid_to=expires,
            expiration_model="KEY_MATERIAL_DOES_NOT_EXPIRE" if expires is None else "KEY_MATERIAL_EXPIRES",
            import_type=import_type(new_material=new_material),
        )
    )
    _show_import(session, response)


@app.command(_AT_ONCE)
def at_once(
    context: typer.Context,
    key: Key,
    material_file: MaterialFile,
    *,
    valid_to: ValidTo = None,
    no_expiry: NoExpiry = False,
    new_material: NewMaterial = False,
    key_spec: Spec = "SYMMETRIC_DEFAULT",
    algorithm: Algorithm = None,
    wrapping_spec: WrappingSpec = "RSA_3072",
) -> None:
    """Fetch parameters, wrap and import, in one step.

    The key material is wrapped here: it never leaves this machine in the clear.
    """
    session = session_of(context)
    expires = parse_expiry(valid_to, no_expiry=no_expiry)
    material = read_material(material_file)
    try:
        check_key_material(material, key_spec)
        response = session.call(
            lambda client: client.import_key_async(
                key_id=key,
                material=material,
                valid_to=expires,
                key_spec=key_spec,
                wrapping_algorithm=algorithm,
                wrapping_key_spec=wrapping_spec,
                import_type=import_type(new_material=new_material),
            )
        )
    finally:
        wipe(material)
    _show_import(session, response)


async def _fetch(
    client: KeyManagementServiceClient,
    key: str,
    key_spec: KeySpec,
    algorithm: WrappingAlgorithm,
    wrapping_spec: WrappingKeySpec,
) -> ImportParameters:
    response = await client.get_parameters_for_import_async(
        key_id=key, wrapping_algorithm=algorithm, wrapping_key_spec=wrapping_spec
    )
    return ImportParameters(
        key_id=response.key_id,
        key_spec=key_spec,
        wrapping_algorithm=parse_wrapping_algorithm(algorithm),
        wrapping_key_spec=wrapping_spec,
        valid_to=response.parameters_valid_to.ToDatetime(UTC).isoformat(),
        public_key=response.public_key,
        import_token=response.import_token,
    )


def _show_import(session: Session, response: ImportKeyMaterialResponse) -> None:
    named = f", with the ID {response.key_material_id}" if response.key_material_id else ""
    session.show(to_plain(response), f"{response.key_id} has its key material{named}.")
