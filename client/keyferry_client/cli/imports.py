"""`keyferry import`: bring key material, in one go or with the wrapping on another machine.

1. `params` fetches a wrapping public key and an import token into a folder.
2. `wrap` wraps the key material in that folder. It calls nobody: carry the folder
   to the machine that has the key material, and back.
3. `submit` imports what was wrapped.

`run` does the three at once, without a folder.
"""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from keyferry.v1 import (
    GetParametersForImportRequest,
    ImportKeyMaterialRequest,
    ImportKeyMaterialResponse,
)
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
from keyferry_client.cli.session import Session, session_of
from keyferry_client.client import KeyManagementServiceClient
from keyferry_client.errors import KeyMaterialError
from keyferry_client.key_material import SYMMETRIC_KEY_BYTES, check_key_material
from keyferry_client.wrapping import WrappingAlgorithm, wrap_key_material

app = typer.Typer(help="Import key material: `run` in one go, or params, wrap, submit.", no_args_is_help=True)

_STANDARD_INPUT = "-"
_MOST_MATERIAL_BYTES = 4096


class WrappingKeySpec(StrEnum):
    """The kinds of wrapping key."""

    RSA_2048 = "RSA_2048"
    RSA_3072 = "RSA_3072"
    RSA_4096 = "RSA_4096"


Algorithm = Annotated[
    WrappingAlgorithm, typer.Option("--wrapping-algorithm", help="How the material is wrapped.")
]
Spec = Annotated[WrappingKeySpec, typer.Option("--wrapping-key-spec", help="Kind of wrapping key.")]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of `keyferry import params`.")]
MaterialFile = Annotated[
    str, typer.Option(metavar="FILE", help="File with the 32 raw bytes of the key, or - for standard input.")
]
ValidTo = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="When the material expires, ISO 8601 with time zone: 2030-01-31T12:00:00Z."
    ),
]
NoExpiry = Annotated[bool, typer.Option("--no-expiry", help="The material never expires.")]


@app.command()
def params(
    context: typer.Context,
    key: Key,
    out: Annotated[Path, typer.Option(metavar="DIR", help="New or empty folder to write.")],
    algorithm: Algorithm = WrappingAlgorithm.RSAES_OAEP_SHA_256,
    spec: Spec = WrappingKeySpec.RSA_3072,
) -> None:
    """Fetch wrapping public key and import token.

    They are good for one import within 24 hours.
    """
    session = session_of(context)
    check_writable(out)
    parameters = session.call(lambda client: _fetch(client, key, algorithm, spec))
    write_parameters(out, parameters)
    session.show(
        {
            "KeyId": parameters.key_id,
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
    encrypted = wrap_key_material(
        parameters.public_key, _read_material(material_file), parameters.wrapping_algorithm
    )
    write_encrypted_key_material(folder, encrypted)
    session.show(
        {"KeyId": parameters.key_id, "Dir": str(folder)},
        f"{folder} has the wrapped key material for {parameters.key_id}.\n"
        f"Next, where the service is reached: keyferry import submit {folder} --valid-to TIME (or --no-expiry)",
    )


@app.command()
def submit(
    context: typer.Context, folder: Folder, *, valid_to: ValidTo = None, no_expiry: NoExpiry = False
) -> None:
    """Import what was wrapped in a folder."""
    session = session_of(context)
    expires = _expiry(valid_to, no_expiry=no_expiry)
    parameters = read_parameters(folder)
    encrypted = read_encrypted_key_material(folder)
    _show_import(session, session.call(lambda client: _import(client, parameters, encrypted, expires)))


@app.command()
def run(
    context: typer.Context,
    key: Key,
    material_file: MaterialFile,
    *,
    valid_to: ValidTo = None,
    no_expiry: NoExpiry = False,
    algorithm: Algorithm = WrappingAlgorithm.RSAES_OAEP_SHA_256,
    spec: Spec = WrappingKeySpec.RSA_3072,
) -> None:
    """Fetch parameters, wrap, import, in one go.

    The key material is wrapped here: it never leaves this machine in the clear.
    """
    session = session_of(context)
    expires = _expiry(valid_to, no_expiry=no_expiry)
    material = _read_material(material_file)
    check_key_material(material)

    async def fetch_wrap_import(client: KeyManagementServiceClient) -> ImportKeyMaterialResponse:
        parameters = await _fetch(client, key, algorithm, spec)
        encrypted = wrap_key_material(parameters.public_key, material, algorithm)
        return await _import(client, parameters, encrypted, expires)

    _show_import(session, session.call(fetch_wrap_import))


async def _fetch(
    client: KeyManagementServiceClient, key: str, algorithm: WrappingAlgorithm, spec: WrappingKeySpec
) -> ImportParameters:
    response = await client.get_parameters_for_import_async(
        GetParametersForImportRequest(
            key_id=key, wrapping_algorithm=algorithm.spec_name, wrapping_key_spec=f"WRAPPING_KEY_SPEC_{spec}"
        )
    )
    return ImportParameters(
        key_id=response.key_id,
        wrapping_algorithm=algorithm,
        wrapping_key_spec=spec,
        valid_to=response.parameters_valid_to.ToDatetime(UTC).isoformat(),
        public_key=response.public_key,
        import_token=response.import_token,
    )


async def _import(
    client: KeyManagementServiceClient,
    parameters: ImportParameters,
    encrypted: bytes,
    expires: datetime | None,
) -> ImportKeyMaterialResponse:
    model = "DOES_NOT_EXPIRE" if expires is None else "EXPIRES"
    return await client.import_key_material_async(
        ImportKeyMaterialRequest(
            key_id=parameters.key_id,
            import_token=parameters.import_token,
            encrypted_key_material=encrypted,
            valid_to=expires,
            expiration_model=f"EXPIRATION_MODEL_TYPE_KEY_MATERIAL_{model}",
        )
    )


def _show_import(session: Session, response: ImportKeyMaterialResponse) -> None:
    session.show(
        to_plain(response), f"{response.key_id} has its key material, with the ID {response.key_material_id}."
    )


def _read_material(source: str) -> bytes:
    if source == _STANDARD_INPUT:
        material = sys.stdin.buffer.read(_MOST_MATERIAL_BYTES + 1)
    else:
        with Path(source).open("rb") as file:
            material = file.read(_MOST_MATERIAL_BYTES + 1)
    if len(material) > _MOST_MATERIAL_BYTES:
        raise KeyMaterialError(
            f"The key material has more than {_MOST_MATERIAL_BYTES} bytes; that of a symmetric key is exactly "
            f"{SYMMETRIC_KEY_BYTES} raw bytes."
        )
    return material


def _expiry(valid_to: str | None, *, no_expiry: bool) -> datetime | None:
    """Return when the material expires, None for never: the caller has to say one of the two."""
    if (valid_to is None) is not no_expiry:
        raise typer.BadParameter(
            "say when the material expires with --valid-to, or give --no-expiry; one of the two"
        )
    if valid_to is None:
        return None
    try:
        expires = datetime.fromisoformat(valid_to)
    except ValueError:
        expires = None
    if expires is None or expires.tzinfo is None:
        raise typer.BadParameter(
            f"{valid_to!r} is not a time with its time zone, for example 2030-01-31T12:00:00Z",
            param_hint="--valid-to",
        )
    return expires
