"""`keyferry encrypt`, `decrypt` and `random`: files in, files out."""

from pathlib import Path
from typing import Annotated, Any

import typer

from keyferry_client.atomic_file import replaced_file
from keyferry_client.cli.keys import Key
from keyferry_client.cli.progress import progress_of
from keyferry_client.cli.session import session_of
from keyferry_client.envelope import FileProtection, decrypt_file_async, encrypt_file_async

In = Annotated[Path, typer.Option("--in", metavar="FILE", help="File to read.")]
Out = Annotated[
    Path, typer.Option("--out", metavar="FILE", help="File to write; it is replaced if it exists.")
]


def encrypt(
    context: typer.Context,
    key: Key,
    source: In,
    target: Out,
    pairs: Annotated[
        list[str] | None,
        typer.Option(
            "--context", metavar="NAME=VALUE", help="Pair of the encryption context; repeatable. Not secret."
        ),
    ] = None,
) -> None:
    """Encrypt a file of any size under a data key of its own."""
    session = session_of(context)
    encryption_context = _parse_pairs(pairs or [])
    with progress_of(source, "encrypting") as progress:
        protection = session.call(
            lambda client: encrypt_file_async(
                client, key, source, target, encryption_context, progress=progress
            )
        )
    session.show(_plain(protection, target), f"{source} is encrypted in {target} under {protection.key_id}.")


def decrypt(context: typer.Context, source: In, target: Out) -> None:
    """Decrypt a file that `keyferry encrypt` made. The file itself names its key."""
    session = session_of(context)
    with progress_of(source, "decrypting") as progress:
        protection = session.call(
            lambda client: decrypt_file_async(client, source, target, progress=progress)
        )
    session.show(_plain(protection, target), f"{source} is decrypted in {target} by {protection.key_id}.")


def random(
    context: typer.Context,
    number_of_bytes: Annotated[int, typer.Option("--bytes", metavar="N", help="How many bytes, 1 to 1024.")],
    target: Out,
) -> None:
    """Write random bytes of the service to a file.

    Only its owner can read the file.
    """
    session = session_of(context)
    response = session.call(lambda client: client.generate_random_async(number_of_bytes=number_of_bytes))
    with replaced_file(target) as file:
        file.write(response.plaintext)
    session.show({"Out": str(target)}, f"{target} has {len(response.plaintext)} random bytes.")


def _parse_pairs(pairs: list[str]) -> dict[str, str]:
    parsed: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"{pair!r} is not NAME=VALUE", param_hint="--context")
        if name in parsed:
            raise typer.BadParameter(f"{name!r} is given twice", param_hint="--context")
        parsed[name] = value
    return parsed


def _plain(protection: FileProtection, target: Path) -> dict[str, Any]:
    return {
        "KeyId": protection.key_id,
        "EncryptionContext": dict(protection.encryption_context),
        "Out": str(target),
    }
