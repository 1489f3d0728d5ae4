"""Wrapping: how key material is encrypted under the public key of GetParametersForImport.

::

    RSAES_OAEP_SHA_1, _SHA_256             RSA_AES_KEY_WRAP_SHA_1, _SHA_256

    0                    modulus bytes     0                    modulus bytes                   n
    ├────────────────────┤                 ├────────────────────┬───────────────────────────────┤
    │ RSA-OAEP(material) │                 │ RSA-OAEP(AES key)  │ AES-KWP(AES key, material)    │
    └────────────────────┘                 └────────────────────┴───────────────────────────────┘

MGF1 uses the same hash as OAEP, and the label is empty. OAEP carries at most
modulus bytes - 2 * hash bytes - 2. The AES key is fresh, 256 bits, and AES-KWP is
RFC 5649: together they are what PKCS#11 calls CKM_RSA_AES_KEY_WRAP.
"""

import secrets
from enum import StrEnum

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

from keyferry.v1 import AlgorithmSpec, GetParametersForImportResponse
from keyferry_client.errors import WrappingError
from keyferry_client.key_material import SYMMETRIC_DEFAULT, Material, check_key_material

_PREFIX = "ALGORITHM_SPEC_"
_AES_KEY_BYTES = 32


class WrappingAlgorithm(StrEnum):
    """The wrapping algorithms that this client has, by AWS's names."""

    RSAES_OAEP_SHA_1 = "RSAES_OAEP_SHA_1"
    RSAES_OAEP_SHA_256 = "RSAES_OAEP_SHA_256"
    RSA_AES_KEY_WRAP_SHA_1 = "RSA_AES_KEY_WRAP_SHA_1"
    RSA_AES_KEY_WRAP_SHA_256 = "RSA_AES_KEY_WRAP_SHA_256"

    @property
    def spec_name(self) -> str:
        """The name of the algorithm in AlgorithmSpec."""
        return f"{_PREFIX}{self}"


def wrap_key_material(
    parameters: GetParametersForImportResponse | bytes,
    material: Material,
    wrapping_algorithm: AlgorithmSpec | str,
    *,
    key_spec: str = SYMMETRIC_DEFAULT,
) -> bytes:
    """Return the encrypted key material for ImportKeyMaterial.

    `parameters` is the answer of GetParametersForImport, or its public key alone, and
    `wrapping_algorithm` the one that was asked for there: a value of AlgorithmSpec, or
    its name with or without prefix. KeyMaterialError if `material` has not the form that
    a key of `key_spec` needs, WrappingError if it cannot be wrapped this way; both are
    ValueErrors. `material` may be a bytearray, for the caller to `wipe` afterwards.
    """
    check_key_material(material, key_spec)
    public_key = parameters if isinstance(parameters, bytes) else parameters.public_key
    return wrap_bytes(public_key, wrapping_algorithm, material)


def wrap_bytes(public_key: bytes, algorithm: AlgorithmSpec | str, material: Material) -> bytes:
    """Wrap bytes whose form the caller has checked; WrappingError if it cannot be done."""
    wrapping_algorithm = parse_wrapping_algorithm(algorithm)
    wrapping_key = _load(public_key)
    material = bytes(material)  # all that the library takes
    match wrapping_algorithm:
        case WrappingAlgorithm.RSAES_OAEP_SHA_1:
            return _encrypt_oaep(wrapping_key, SHA1(), material)  # noqa: S303 -- OAEP needs no collision resistance
        case WrappingAlgorithm.RSAES_OAEP_SHA_256:
            return _encrypt_oaep(wrapping_key, SHA256(), material)
        case WrappingAlgorithm.RSA_AES_KEY_WRAP_SHA_1:
            return _rsa_aes_key_wrap(wrapping_key, SHA1(), material)  # noqa: S303 -- as above
        case WrappingAlgorithm.RSA_AES_KEY_WRAP_SHA_256:
            return _rsa_aes_key_wrap(wrapping_key, SHA256(), material)


def parse_wrapping_algorithm(algorithm: AlgorithmSpec | str) -> WrappingAlgorithm:
    """Return the wrapping algorithm of that value or name; WrappingError if this client has none."""
    name = algorithm if isinstance(algorithm, str) else _name(algorithm)
    try:
        return WrappingAlgorithm(name.removeprefix(_PREFIX))
    except ValueError:
        supported = ", ".join(WrappingAlgorithm)
        raise WrappingError(
            f"The wrapping algorithm {name} is not supported; use one of {supported}."
        ) from None


def _name(algorithm: AlgorithmSpec) -> str:
    try:
        return AlgorithmSpec.Name(algorithm)
    except ValueError:
        return f"number {algorithm}"


def _load(public_key: bytes) -> rsa.RSAPublicKey:
    try:
        key = load_der_public_key(public_key)
    except (ValueError, UnsupportedAlgorithm):
        raise WrappingError(
            "The wrapping public key cannot be read; give the DER bytes that GetParametersForImport returned."
        ) from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise WrappingError("The wrapping public key is not an RSA key.")
    return key


def _encrypt_oaep(wrapping_key: rsa.RSAPublicKey, digest: HashAlgorithm, material: bytes) -> bytes:
    capacity = wrapping_key.key_size // 8 - 2 * digest.digest_size - 2
    if len(material) > capacity:
        raise WrappingError(
            f"RSA-OAEP with {digest.name} under an RSA key of {wrapping_key.key_size} bits carries at most "
            f"{capacity} bytes, not {len(material)}; use RSA_AES_KEY_WRAP_SHA_256."
        )
    return wrapping_key.encrypt(material, padding.OAEP(padding.MGF1(digest), digest, label=None))


def _rsa_aes_key_wrap(wrapping_key: rsa.RSAPublicKey, digest: HashAlgorithm, material: bytes) -> bytes:
    aes_key = secrets.token_bytes(_AES_KEY_BYTES)
    return _encrypt_oaep(wrapping_key, digest, aes_key) + aes_key_wrap_with_padding(aes_key, material)
