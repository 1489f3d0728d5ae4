"""The options and files of key material, which every command that imports has."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer

from keyferry_client.errors import KeyMaterialError
from keyferry_client.key_material import MOST_MATERIAL_BYTES

STANDARD_INPUT = "-"
# One that the service takes, whenever this is read.
_EXAMPLE = f"{datetime.now(UTC) + timedelta(days=90):%Y-%m-%dT12:00:00Z}"

KeySpec = Literal[
    "SYMMETRIC_DEFAULT",
    "HMAC_224",
    "HMAC_256",
    "HMAC_384",
    "HMAC_512",
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
]
WrappingAlgorithm = Literal[
    "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"
]
WrappingKeySpec = Literal["RSA_2048", "RSA_3072", "RSA_4096"]

MaterialFile = Annotated[
    str,
    typer.Option(
        metavar="FILE",
        help="File with the key material, or - for standard input: 32 raw bytes for a symmetric key.",
    ),
]
Spec = Annotated[KeySpec, typer.Option("--key-spec", help="Key spec of the key.")]
Algorithm = Annotated[
    WrappingAlgorithm | None,
    typer.Option(
        "--wrapping-algorithm",
        help="How the material is wrapped. Default: RSAES_OAEP_SHA_256, for private keys RSA_AES_KEY_WRAP_SHA_256.",
    ),
]
WrappingSpec = Annotated[WrappingKeySpec, typer.Option("--wrapping-key-spec", help="Kind of wrapping key.")]
ValidTo = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help=f"When the material expires, at most 365 days from now, ISO 8601 with time zone: {_EXAMPLE}.",
    ),
]
NoExpiry = Annotated[bool, typer.Option("--no-expiry", help="The material never expires.")]
NewMaterial = Annotated[
    bool,
    typer.Option("--new-material", help="Add the material to a symmetric key that has or had some already."),
]


def read_material(source: str) -> bytearray:
    """Read the file, or standard input; KeyMaterialError if it is longer than any key material, or there is no input."""
    material = bytearray()
    if source == STANDARD_INPUT:
        if sys.stdin is None:  # so Python tells that it was closed
            raise KeyMaterialError(
                "Standard input is closed; give it the key material, or name a file instead of -."
            )
        material += sys.stdin.buffer.read(MOST_MATERIAL_BYTES + 1)
    else:
        with Path(source).open("rb") as file:
            material += file.read(MOST_MATERIAL_BYTES + 1)
    if len(material) > MOST_MATERIAL_BYTES:
        raise KeyMaterialError(
            f"The key material has more than {MOST_MATERIAL_BYTES} bytes; that of a symmetric key is exactly "
            "32 raw bytes."
        )
    return material


def parse_expiry(valid_to: str | None, *, no_expiry: bool) -> datetime | None:
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
            f"{valid_to!r} is not a time with its time zone, for example {_EXAMPLE}",
            param_hint="--valid-to",
        )
    try:
        return expires.astimezone(UTC)
    except OverflowError:
        raise typer.BadParameter(
            f"{valid_to!r} is not in the years 1 to 9999 of UTC; give for example {_EXAMPLE}",
            param_hint="--valid-to",
        ) from None


def import_type(*, new_material: bool) -> Literal["NEW_KEY_MATERIAL"] | None:
    """Return the import type that an option stands for, None for the service's default."""
    return "NEW_KEY_MATERIAL" if new_material else None
