"""HMAC (RFC 2104), compared in constant time."""

import hmac
from collections.abc import Mapping

from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.key_specs import MacAlgorithm

_HASHES: Mapping[MacAlgorithm, str] = {
    MacAlgorithm.HMAC_SHA_224: "sha224",
    MacAlgorithm.HMAC_SHA_256: "sha256",
    MacAlgorithm.HMAC_SHA_384: "sha384",
    MacAlgorithm.HMAC_SHA_512: "sha512",
}


def generate_mac(algorithm: MacAlgorithm, key: Secret, message: bytes) -> bytes:
    """Return the MAC of a message, as long as the hash."""
    return hmac.digest(key.reveal(), message, _HASHES[algorithm])


def is_mac(algorithm: MacAlgorithm, key: Secret, message: bytes, mac: bytes) -> bool:
    """Tell whether `mac` is the whole MAC of a message."""
    return hmac.compare_digest(generate_mac(algorithm, key, message), mac)
