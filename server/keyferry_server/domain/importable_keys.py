"""Into which keys key material is imported, and how it may be wrapped for each.

The operator says whether only symmetric encryption keys take imported key material
(the default) or all keys of the origin EXTERNAL. How it may be wrapped is one table:

1. Everything fits under RSA_AES_KEY_WRAP_*.
2. RSAES_OAEP_* carries what fits into the wrapping key's modulus less the padding: no
   private key of RSA, and none of ECC_NIST_P521 (241 bytes) under RSA_2048 (at most 214).
3. RSAES_PKCS1_V1_5 was withdrawn, SM2PKE is for China Regions: there is no row for them.
"""

from collections.abc import Mapping
from enum import StrEnum

from keyferry_server.domain.errors import UnsupportedOperationException
from keyferry_server.domain.key import Key, KeySpec
from keyferry_server.domain.key_material import WrappingAlgorithm, WrappingKeySpec

_OAEP = (WrappingAlgorithm.RSAES_OAEP_SHA_1, WrappingAlgorithm.RSAES_OAEP_SHA_256)
_KEY_WRAP = (WrappingAlgorithm.RSA_AES_KEY_WRAP_SHA_1, WrappingAlgorithm.RSA_AES_KEY_WRAP_SHA_256)
_ALL_SIZES = (WrappingKeySpec.RSA_2048, WrappingKeySpec.RSA_3072, WrappingKeySpec.RSA_4096)
_LARGE_SIZES = (WrappingKeySpec.RSA_3072, WrappingKeySpec.RSA_4096)

_Wrappings = Mapping[WrappingAlgorithm, tuple[WrappingKeySpec, ...]]
_EITHER_WAY: _Wrappings = dict.fromkeys((*_OAEP, *_KEY_WRAP), _ALL_SIZES)
_KEY_WRAP_ONLY: _Wrappings = dict.fromkeys(_KEY_WRAP, _ALL_SIZES)

WRAPPINGS: Mapping[KeySpec, _Wrappings] = {
    KeySpec.SYMMETRIC_DEFAULT: _EITHER_WAY,
    KeySpec.HMAC_224: _EITHER_WAY,
    KeySpec.HMAC_256: _EITHER_WAY,
    KeySpec.HMAC_384: _EITHER_WAY,
    KeySpec.HMAC_512: _EITHER_WAY,
    KeySpec.ECC_NIST_P256: _EITHER_WAY,
    KeySpec.ECC_NIST_P384: _EITHER_WAY,
    KeySpec.ECC_NIST_P521: {**_KEY_WRAP_ONLY, **dict.fromkeys(_OAEP, _LARGE_SIZES)},
    KeySpec.ECC_SECG_P256K1: _EITHER_WAY,
    KeySpec.RSA_2048: _KEY_WRAP_ONLY,
    KeySpec.RSA_3072: _KEY_WRAP_ONLY,
    KeySpec.RSA_4096: _KEY_WRAP_ONLY,
}


class ImportableKeys(StrEnum):
    """Which keys take imported key material, as the operator decided."""

    SYMMETRIC = "symmetric"
    ALL = "all"

    def check(self, key: Key) -> None:
        """Raise UnsupportedOperationException unless `key` takes imported key material."""
        key.check_importable()
        if self is ImportableKeys.SYMMETRIC and not key.is_symmetric:
            raise UnsupportedOperationException(
                f"{key.arn} key spec is {key.key_spec} which is not valid for this operation: here key material is "
                "imported into symmetric encryption keys only."
            )


def check_wrapping(key_spec: KeySpec, algorithm: WrappingAlgorithm, wrapping_spec: WrappingKeySpec) -> None:
    """Raise UnsupportedOperationException unless key material for a key of `key_spec` can be wrapped so."""
    wrappings = WRAPPINGS[key_spec]
    if wrapping_spec not in wrappings.get(algorithm, ()):
        supported = "; ".join(f"{one} with {', '.join(sizes)}" for one, sizes in wrappings.items())
        raise UnsupportedOperationException(
            f"The wrapping algorithm {algorithm} with the wrapping key spec {wrapping_spec} is not supported for key "
            f"material of the key spec {key_spec}. Use one of: {supported}."
        )
