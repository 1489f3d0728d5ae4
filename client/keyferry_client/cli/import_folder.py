"""The folder that is carried to the machine with the key material, and back.

::

    DIR/parameters.json               format, key ARN, key spec, wrapping algorithm, expiry; no secrets
    DIR/public_key.der                wrapping public key, DER SubjectPublicKeyInfo
    DIR/import_token.bin              opaque; belongs to the public key
    DIR/encrypted_key_material.bin    added by `keyferry import wrap`

`parameters.json` is written last: a folder without it is not complete.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

from keyferry_client.atomic_file import replaced_file
from keyferry_client.errors import InputError
from keyferry_client.wrapping import WrappingAlgorithm, parse_wrapping_algorithm

FORMAT = 1

_PARAMETERS = "parameters.json"
_PUBLIC_KEY = "public_key.der"
_IMPORT_TOKEN = "import_token.bin"  # noqa: S105 -- the name of a file
_ENCRYPTED_KEY_MATERIAL = "encrypted_key_material.bin"


class ImportFolderError(InputError):
    """The folder is not one that `keyferry import params` wrote, or not yet ready for the step."""


@dataclass(frozen=True, slots=True)
class ImportParameters:
    """What GetParametersForImport answered, with what it was asked. `valid_to` is ISO 8601, UTC."""

    key_id: str
    key_spec: str
    wrapping_algorithm: WrappingAlgorithm
    wrapping_key_spec: str
    valid_to: str
    public_key: bytes = field(repr=False)
    import_token: bytes = field(repr=False)


def check_writable(folder: Path) -> None:
    """Raise ImportFolderError if there is something in `folder`: it may be another ceremony."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ImportFolderError(f"{folder} is not an empty folder; name a new one.")


def write_parameters(folder: Path, parameters: ImportParameters) -> None:
    """Write the folder; OSError if that cannot be done."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(folder / _PUBLIC_KEY, parameters.public_key)
    _write(folder / _IMPORT_TOKEN, parameters.import_token)
    described = {
        "Format": FORMAT,
        "KeyId": parameters.key_id,
        "KeySpec": parameters.key_spec,
        "WrappingAlgorithm": parameters.wrapping_algorithm,
        "WrappingKeySpec": parameters.wrapping_key_spec,
        "ParametersValidTo": parameters.valid_to,
    }
    _write(folder / _PARAMETERS, (json.dumps(described, indent=2) + "\n").encode())


def read_parameters(folder: Path) -> ImportParameters:
    """Read the folder; ImportFolderError if it is not such a folder."""
    described = _parse_json(folder / _PARAMETERS)
    if described.get("Format") != FORMAT:
        raise ImportFolderError(f"{folder / _PARAMETERS} is not of format {FORMAT}.")
    return ImportParameters(
        key_id=_text(folder, described, "KeyId"),
        key_spec=_text(folder, described, "KeySpec"),
        wrapping_algorithm=parse_wrapping_algorithm(_text(folder, described, "WrappingAlgorithm")),
        wrapping_key_spec=_text(folder, described, "WrappingKeySpec"),
        valid_to=_text(folder, described, "ParametersValidTo"),
        public_key=_read(folder / _PUBLIC_KEY, "keyferry import params"),
        import_token=_read(folder / _IMPORT_TOKEN, "keyferry import params"),
    )


def write_encrypted_key_material(folder: Path, encrypted: bytes) -> None:
    """Add the wrapped key material to the folder."""
    _write(folder / _ENCRYPTED_KEY_MATERIAL, encrypted)


def read_encrypted_key_material(folder: Path) -> bytes:
    """Read the wrapped key material; ImportFolderError if nothing was wrapped yet."""
    return _read(folder / _ENCRYPTED_KEY_MATERIAL, "keyferry import wrap")


def _write(path: Path, content: bytes) -> None:
    with replaced_file(path) as file:
        file.write(content)


def _read(path: Path, step: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ImportFolderError(f"{path} is missing: it comes from `{step}`.") from None


def _parse_json(path: Path) -> dict[str, object]:
    content = _read(path, "keyferry import params")
    try:
        parsed = json.loads(content)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise ImportFolderError(f"{path} cannot be read as parameters.")
    return parsed


def _text(folder: Path, described: dict[str, object], name: str) -> str:
    value = described.get(name)
    if not isinstance(value, str):
        raise ImportFolderError(f"{folder / _PARAMETERS} has no {name}.")
    return value
