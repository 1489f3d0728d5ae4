import secrets
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap_with_padding
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from keyferry.v1 import AlgorithmSpec
from keyferry_client import KeyMaterialError, WrappingError, wrap_key_material
from keyferry_client.wrapping import WrappingAlgorithm, wrap_bytes

MATERIAL = bytes(range(32, 64))
BITS = (2048, 3072, 4096)
AWS_CAPACITIES = {
    "RSAES_OAEP_SHA_1": {2048: 214, 3072: 342, 4096: 470},
    "RSAES_OAEP_SHA_256": {2048: 190, 3072: 318, 4096: 446},
}

OpensslUnwrap = Callable[[rsa.RSAPrivateKey, str, bytes], bytes]


def der(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def openssl_unwrap(tmp_path: Path) -> OpensslUnwrap:
    """Unwrap with the openssl command, and with RFC 5649 for what RSA_AES_KEY_WRAP has beside it."""

    def unwrap(private_key: rsa.RSAPrivateKey, algorithm: str, wrapped: bytes) -> bytes:
        key_file = tmp_path / "private.pem"
        key_file.write_bytes(private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        modulus_bytes = private_key.key_size // 8
        digest = "sha1" if algorithm.endswith("SHA_1") else "sha256"
        options = ("rsa_padding_mode:oaep", f"rsa_oaep_md:{digest}", f"rsa_mgf1_md:{digest}")
        command = ["openssl", "pkeyutl", "-decrypt", "-inkey", str(key_file)]
        for option in options:
            command += ["-pkeyopt", option]
        opened = subprocess.run(
            command, input=wrapped[:modulus_bytes], capture_output=True, check=True, timeout=30
        ).stdout
        if algorithm.startswith("RSAES"):
            assert len(wrapped) == modulus_bytes
            return opened
        return aes_key_unwrap_with_padding(opened, wrapped[modulus_bytes:])

    return unwrap


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("algorithm", WrappingAlgorithm)
def test_what_it_wraps_openssl_unwraps(
    algorithm: str, bits: int, private_keys: dict[int, rsa.RSAPrivateKey], openssl_unwrap: OpensslUnwrap
) -> None:
    wrapped = wrap_key_material(der(private_keys[bits].public_key()), MATERIAL, algorithm)
    assert openssl_unwrap(private_keys[bits], algorithm, wrapped) == MATERIAL


@pytest.mark.parametrize(
    ("algorithm", "length"), [("RSAES_OAEP_SHA_256", 384), ("RSA_AES_KEY_WRAP_SHA_256", 384 + 40)]
)
def test_wrapped_key_material_has_the_length_of_the_rule_book(
    algorithm: str, length: int, private_keys: dict[int, rsa.RSAPrivateKey]
) -> None:
    assert len(wrap_key_material(der(private_keys[3072].public_key()), MATERIAL, algorithm)) == length


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("algorithm", AWS_CAPACITIES)
def test_oaep_carries_as_much_as_the_rule_book_says_and_no_byte_more(
    algorithm: str, bits: int, private_keys: dict[int, rsa.RSAPrivateKey], openssl_unwrap: OpensslUnwrap
) -> None:
    public_key = der(private_keys[bits].public_key())
    most = AWS_CAPACITIES[algorithm][bits]
    material = secrets.token_bytes(most + 1)
    wrapped = wrap_bytes(public_key, algorithm, material[:most])
    assert openssl_unwrap(private_keys[bits], algorithm, wrapped) == material[:most]
    with pytest.raises(WrappingError, match=f"at most {most} bytes, not {most + 1}; use RSA_AES_KEY_WRAP"):
        wrap_bytes(public_key, algorithm, material)


@pytest.mark.parametrize("length", [1, 7, 8, 9, 1217, 2374])
def test_rsa_aes_key_wrap_carries_material_of_any_length(
    length: int, private_keys: dict[int, rsa.RSAPrivateKey], openssl_unwrap: OpensslUnwrap
) -> None:
    material = secrets.token_bytes(length)
    algorithm = "RSA_AES_KEY_WRAP_SHA_256"
    wrapped = wrap_bytes(der(private_keys[2048].public_key()), algorithm, material)
    assert openssl_unwrap(private_keys[2048], algorithm, wrapped) == material


@pytest.mark.parametrize("algorithm", WrappingAlgorithm)
def test_wrapping_the_same_twice_gives_different_bytes(
    algorithm: str, private_keys: dict[int, rsa.RSAPrivateKey]
) -> None:
    public_key = der(private_keys[2048].public_key())
    first, second = (wrap_key_material(public_key, MATERIAL, algorithm) for _ in range(2))
    assert first != second
    assert first[256:] != second[256:] or algorithm.startswith("RSAES")


@pytest.mark.parametrize(
    "algorithm",
    [
        AlgorithmSpec.ALGORITHM_SPEC_RSAES_OAEP_SHA_256,
        "ALGORITHM_SPEC_RSAES_OAEP_SHA_256",
        "RSAES_OAEP_SHA_256",
        WrappingAlgorithm.RSAES_OAEP_SHA_256,
    ],
)
def test_the_algorithm_is_a_value_of_the_contract_or_a_name(
    algorithm: AlgorithmSpec | str,
    private_keys: dict[int, rsa.RSAPrivateKey],
    openssl_unwrap: OpensslUnwrap,
) -> None:
    wrapped = wrap_key_material(der(private_keys[2048].public_key()), bytearray(MATERIAL), algorithm)
    assert openssl_unwrap(private_keys[2048], "RSAES_OAEP_SHA_256", wrapped) == MATERIAL


@pytest.mark.parametrize(
    "algorithm",
    [
        AlgorithmSpec.ALGORITHM_SPEC_RSAES_PKCS1_V1_5,
        AlgorithmSpec.ALGORITHM_SPEC_SM2PKE,
        AlgorithmSpec.ALGORITHM_SPEC_UNSPECIFIED,
        "RSAES_PKCS1_V1_5",
        "rsaes_oaep_sha_256",
        "",
        999,
    ],
)
def test_an_unsupported_algorithm_is_refused_with_those_that_are(
    algorithm: AlgorithmSpec | str, private_keys: dict[int, rsa.RSAPrivateKey]
) -> None:
    with pytest.raises(WrappingError, match="not supported; use one of RSAES_OAEP_SHA_1, "):
        wrap_key_material(der(private_keys[2048].public_key()), MATERIAL, algorithm)


def test_a_public_key_that_is_none_is_refused(private_keys: dict[int, rsa.RSAPrivateKey]) -> None:
    good = der(private_keys[2048].public_key())
    pem = private_keys[2048].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for public_key in (b"", b"garbage", good[:-1], pem):
        with pytest.raises(WrappingError, match="cannot be read; give the DER bytes"):
            wrap_key_material(public_key, MATERIAL, "RSAES_OAEP_SHA_256")


def test_a_public_key_of_another_kind_is_refused() -> None:
    public_key = der(ec.generate_private_key(ec.SECP256R1()).public_key())
    with pytest.raises(WrappingError, match="not an RSA key"):
        wrap_key_material(public_key, MATERIAL, "RSAES_OAEP_SHA_256")


def test_key_material_of_the_wrong_form_is_not_wrapped(private_keys: dict[int, rsa.RSAPrivateKey]) -> None:
    with pytest.raises(KeyMaterialError, match="trailing newline"):
        wrap_key_material(der(private_keys[2048].public_key()), MATERIAL + b"\n", "RSAES_OAEP_SHA_256")


def test_a_bytearray_can_be_wiped_by_its_owner_afterwards(private_keys: dict[int, rsa.RSAPrivateKey]) -> None:
    material = bytearray(MATERIAL)
    wrap_key_material(der(private_keys[2048].public_key()), material, "RSA_AES_KEY_WRAP_SHA_256")
    assert material == MATERIAL
    material[:] = bytes(len(material))
