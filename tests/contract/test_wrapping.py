"""Key material wrapped as other people wrap it: by all algorithms, under all keys, by the openssl command line."""

import secrets
import subprocess
from pathlib import Path

import pytest
from contract.conftest import Refused
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from steps import (
    create_external_key,
    create_imported_key,
    decrypt,
    delete_material,
    encrypt,
    get_parameters,
    import_request,
    state_of,
    wrap,
)

from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import ServiceError, ValidationException

ALGORITHMS = [
    "RSAES_OAEP_SHA_1",
    "RSAES_OAEP_SHA_256",
    "RSA_AES_KEY_WRAP_SHA_1",
    "RSA_AES_KEY_WRAP_SHA_256",
]
OAEP_ALGORITHMS = ALGORITHMS[:2]
SPKI_BYTES = {"RSA_2048": 294, "RSA_3072": 422, "RSA_4096": 550}


def openssl(*arguments: str | Path) -> bytes:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60).stdout


def wrap_with_openssl(public_key: bytes, material: bytes, algorithm: str, folder: Path) -> bytes:
    """Wrap as AWS's guide tells: pkeyutl with the hash in both places, and AES-KWP by enc."""
    digest = "sha1" if algorithm.endswith("SHA_1") else "sha256"
    (folder / "public-key.der").write_bytes(public_key)
    (folder / "material").write_bytes(material)
    aes_key = secrets.token_bytes(32)
    (folder / "aes-key").write_bytes(aes_key)
    is_oaep = algorithm in OAEP_ALGORITHMS
    # fmt: off
    under_rsa = openssl(
        "pkeyutl", "-encrypt", "-in", folder / ("material" if is_oaep else "aes-key"),
        "-inkey", folder / "public-key.der", "-keyform", "DER", "-pubin",
        "-pkeyopt", "rsa_padding_mode:oaep",
        "-pkeyopt", f"rsa_oaep_md:{digest}", "-pkeyopt", f"rsa_mgf1_md:{digest}",
    )
    if is_oaep:
        return under_rsa
    return under_rsa + openssl(
        "enc", "-id-aes256-wrap-pad", "-iv", "A65959A6", "-K", aes_key.hex(), "-in", folder / "material"
    )
    # fmt: on


@pytest.mark.parametrize("spec", SPKI_BYTES)
async def test_material_wrapped_by_every_algorithm_under_every_spec_is_the_same_material(
    client: KeyManagementServiceClient, tmp_path: Path, spec: str
) -> None:
    material = secrets.token_bytes(32)
    key_id = await create_imported_key(client, material)
    blob = await encrypt(client, key_id)
    for algorithm in ALGORITHMS:
        await delete_material(client, key_id)
        parameters = await get_parameters(client, key_id, algorithm, spec)
        check_public_key(parameters.public_key, spec, tmp_path / "public-key.der")

        await client.import_key_material_async(
            import_request(key_id, parameters, material, algorithm=algorithm)
        )

        assert await decrypt(client, blob) == b"plaintext"


def check_public_key(public_key: bytes, spec: str, path: Path) -> None:
    """Check that it is the SubjectPublicKeyInfo of a key of `spec`, for openssl too."""
    path.write_bytes(public_key)
    shown = openssl("pkey", "-pubin", "-inform", "DER", "-in", path, "-noout", "-text")
    bits = int(spec.removeprefix("RSA_"))
    assert f"({bits} bit)" in shown.decode()
    assert len(public_key) == SPKI_BYTES[spec]
    loaded = load_der_public_key(public_key)
    assert isinstance(loaded, rsa.RSAPublicKey)
    assert (loaded.key_size, loaded.public_numbers().e) == (bits, 65537)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_material_wrapped_by_the_openssl_command_line_imports(
    client: KeyManagementServiceClient, tmp_path: Path, algorithm: str
) -> None:
    material = secrets.token_bytes(32)
    key_id = await create_external_key(client)
    parameters = await get_parameters(client, key_id, algorithm)
    request = import_request(key_id, parameters, algorithm=algorithm)
    request.encrypted_key_material = wrap_with_openssl(parameters.public_key, material, algorithm, tmp_path)

    await client.import_key_material_async(request)

    # It is the material that was wrapped: the same bytes, wrapped by ourselves, are accepted as the same.
    assert await state_of(client, key_id) == "ENABLED"
    await client.import_key_material_async(
        import_request(key_id, await get_parameters(client, key_id), material)
    )


async def test_oaep_wrapped_material_has_the_length_of_the_modulus(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    algorithm = "RSAES_OAEP_SHA_1"
    key_id = await create_external_key(client)
    parameters = await get_parameters(client, key_id, algorithm)
    larger = await get_parameters(client, key_id, algorithm, "RSA_3072")
    request = import_request(key_id, parameters, algorithm=algorithm)
    right = request.encrypted_key_material
    for wrong in (
        b"x",
        right[:-1],
        right + b"\0",
        b"\0" + right,
        wrap(larger.public_key, bytes(32), algorithm),
    ):
        request.encrypted_key_material = wrong
        error = await refused(ValidationException, client.import_key_material_async(request))
        assert error.message == "Invalid encrypted key size."

    request.encrypted_key_material = right
    await client.import_key_material_async(request)
