"""The form of private keys as key material: PKCS#8 in DER, not encrypted, of the kind that the key spec names.

The service refuses everything else, and so are these here, where nothing has been sent
yet: PEM and base64 (text), PKCS#1 and SEC 1 (other envelopes around the same key),
encrypted PKCS#8, another size or curve, and numbers that do not belong together.
"""

import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

from keyferry_client.errors import KeyMaterialError

# What the library calls a private key of each key spec.
PRIVATE_KEYS = {
    "RSA_2048": "RSA of 2048 bits",
    "RSA_3072": "RSA of 3072 bits",
    "RSA_4096": "RSA of 4096 bits",
    "ECC_NIST_P256": "the curve secp256r1",
    "ECC_NIST_P384": "the curve secp384r1",
    "ECC_NIST_P521": "the curve secp521r1",
    "ECC_SECG_P256K1": "the curve secp256k1",
}

_LEAST_PUBLIC_EXPONENT_BITS, _MOST_PUBLIC_EXPONENT_BITS = 17, 64
_LENGTH = rb"(?:[\x00-\x7f]|\x81.|\x82..)"
# SEQUENCE, version 0 or 1, and the SEQUENCE of the algorithm: PKCS#1 and SEC 1 have something else there.
_PKCS8 = re.compile(rb"\x30" + _LENGTH + rb"\x02\x01[\x00\x01]\x30", re.DOTALL)
_ENCRYPTED_PKCS8 = re.compile(rb"\x30" + _LENGTH + rb"\x30", re.DOTALL)
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]+={0,2}\s*")
_REMEDY = "make it with `openssl pkcs8 -topk8 -nocrypt -outform DER -in KEY -out FILE`."


def check_private_key_material(material: bytes, key_spec: str) -> None:
    """Raise KeyMaterialError unless `material` is a private key of `key_spec` in PKCS#8 DER, unencrypted."""
    slip = _slip(material, PRIVATE_KEYS[key_spec])
    if slip is not None:
        raise KeyMaterialError(
            f"The key material of a key of the key spec {key_spec} is a private key in PKCS#8, DER, not encrypted. {slip}"
        )


def _slip(material: bytes, wanted: str) -> str | None:
    forms = (
        (not material, "This is empty."),
        (material.lstrip().startswith(b"-----BEGIN"), f"This is PEM, a text form: {_REMEDY}"),
        (_BASE64.fullmatch(material), "This is base64, the key written as text: decode it with `base64 -d`."),
        (_ENCRYPTED_PKCS8.match(material), f"This seems to be encrypted by a password: {_REMEDY}"),
    )
    slip = next((slip for is_it, slip in forms if is_it), None)
    return slip or _slip_of_key(material, wanted)


def _slip_of_key(material: bytes, wanted: str) -> str | None:
    try:
        private_key = load_der_private_key(material, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return f"This cannot be read as a private key: {_REMEDY}"
    if not _PKCS8.match(material):
        return f"This is a private key in another form, PKCS#1 or SEC 1: {_REMEDY}"
    if isinstance(private_key, rsa.RSAPrivateKey):
        found = f"RSA of {private_key.key_size} bits"
    elif isinstance(private_key, ec.EllipticCurvePrivateKey):
        found = f"the curve {private_key.curve.name}"
    else:
        found = "another algorithm"
    if found != wanted:
        return f"This is a private key of {found}, not of {wanted}."
    if isinstance(private_key, rsa.RSAPrivateKey):
        exponent_bits = private_key.public_key().public_numbers().e.bit_length()
        if not _LEAST_PUBLIC_EXPONENT_BITS <= exponent_bits <= _MOST_PUBLIC_EXPONENT_BITS:
            return "Its public exponent is not between 65537, which nearly all RSA keys have, and 64 bits."
    return None
