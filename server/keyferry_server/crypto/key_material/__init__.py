"""Key material by key spec. This file is the index: one row a family of key specs.

=====================  =============  ====================================================
key spec               file           what is imported, and the one form in which it is kept
=====================  =============  ====================================================
SYMMETRIC_DEFAULT      ``raw``        32 bytes, as they are
HMAC_*                 ``raw``        the bytes of the spec up to 128, as they are
RSA_*                  ``rsa_key``    PKCS#8 DER, encoded anew
ECC_*                  ``ec_key``     PKCS#8 DER, encoded anew
=====================  =============  ====================================================

Each file has the same order: generate, check the form of what was imported, bring it
into the one form. What the parts of an imported RSA key are worth is not seen here:
that takes long, and is done in a process of its own (``rsa_key_check``).

A private key is known again by its public key: the same private key in another
encoding is the same material, and no other has that public key.

Generating an RSA key takes 30 to 600 ms and lets go of the GIL: it belongs in a
thread. Everything else takes less than a millisecond.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from keyferry_server.crypto.key_material import ec_key, raw, rsa_key
from keyferry_server.crypto.key_material.material import Material
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.key import KeySpec

__all__ = ["Material", "canonicalise", "check_form", "generate_material"]


@dataclass(frozen=True, slots=True)
class _Family:
    generate: Callable[[], Material]
    check_form: Callable[[Secret], None]
    canonicalise: Callable[[Secret], Material]


def _raw(shortest: int, longest: int) -> _Family:
    return _Family(
        partial(raw.generate, shortest),
        partial(raw.check_form, shortest, longest),
        partial(raw.canonicalise, shortest, longest),
    )


def _rsa(modulus_bits: int) -> _Family:
    return _Family(
        partial(rsa_key.generate, modulus_bits),
        partial(rsa_key.check_form, modulus_bits),
        partial(rsa_key.canonicalise, modulus_bits),
    )


def _ec(curve: ec_key.Curve) -> _Family:
    return _Family(
        partial(ec_key.generate, curve),
        partial(ec_key.check_form, curve),
        partial(ec_key.canonicalise, curve),
    )


_FAMILIES: Mapping[KeySpec, _Family] = {
    KeySpec.SYMMETRIC_DEFAULT: _raw(raw.SYMMETRIC_BYTES, raw.SYMMETRIC_BYTES),
    KeySpec.HMAC_224: _raw(28, raw.LONGEST_HMAC_BYTES),
    KeySpec.HMAC_256: _raw(32, raw.LONGEST_HMAC_BYTES),
    KeySpec.HMAC_384: _raw(48, raw.LONGEST_HMAC_BYTES),
    KeySpec.HMAC_512: _raw(64, raw.LONGEST_HMAC_BYTES),
    KeySpec.RSA_2048: _rsa(2048),
    KeySpec.RSA_3072: _rsa(3072),
    KeySpec.RSA_4096: _rsa(4096),
    KeySpec.ECC_NIST_P256: _ec(ec_key.P256),
    KeySpec.ECC_NIST_P384: _ec(ec_key.P384),
    KeySpec.ECC_NIST_P521: _ec(ec_key.P521),
    KeySpec.ECC_SECG_P256K1: _ec(ec_key.P256K1),
}


def generate_material(key_spec: KeySpec) -> Material:
    """Return fresh key material for a key of `key_spec`."""
    return _FAMILIES[key_spec].generate()


def check_form(key_spec: KeySpec, imported: Secret) -> None:
    """Raise IncorrectKeyMaterialException, saying what would be right, unless it has the form of `key_spec`."""
    _FAMILIES[key_spec].check_form(imported)


def canonicalise(key_spec: KeySpec, imported: Secret) -> Material:
    """Return imported key material, whose form and parts were checked, in the one form in which it is kept."""
    return _FAMILIES[key_spec].canonicalise(imported)
