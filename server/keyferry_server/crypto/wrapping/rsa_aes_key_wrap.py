"""RSA_AES_KEY_WRAP_SHA_1 and RSA_AES_KEY_WRAP_SHA_256: RSA-OAEP over an AES key over the key material.

::

     0                          modulus bytes                       n
     ├──────────────────────────┼───────────────────────────────────┤
     │ RSA-OAEP(AES-256 key)    │ AES-KWP(AES-256 key, material)    │
     └──────────────────────────┴───────────────────────────────────┘

OAEP is as in ``oaep``; AES-KWP is RFC 5649. It is PKCS#11's CKM_RSA_AES_KEY_WRAP
with an AES key of 256 bits.

How it is unwrapped, so that nobody learns at which step it failed:

1. Draw a random AES key.
2. Decrypt the first part. If that fails, or the result is not 32 bytes long, go on
   with the random key.
3. Unwrap the second part under the key. Only here can anything be refused.
"""

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding

from keyferry_server.crypto.secret import Secret
from keyferry_server.crypto.wrapping.wrapping_key import WrappingPrivateKey
from keyferry_server.domain.errors import InvalidCiphertextException

_AES_KEY_BYTES = 32


def unwrap(oaep_padding: padding.OAEP, wrapping_key: WrappingPrivateKey, encrypted: bytes) -> Secret:
    """Unwrap key material; one InvalidCiphertextException for whatever is wrong."""
    substitute = Secret.generate(_AES_KEY_BYTES)
    aes_key = wrapping_key.decrypt(encrypted[: wrapping_key.modulus_bytes], oaep_padding)
    if aes_key is None or len(aes_key) != _AES_KEY_BYTES:
        aes_key = substitute
    material = unwrap_kwp(aes_key, encrypted[wrapping_key.modulus_bytes :])
    if material is None:
        raise InvalidCiphertextException
    return material


def unwrap_kwp(aes_key: Secret, wrapped: bytes) -> Secret | None:
    """Unwrap AES-KWP, or return None, without a word on the reason, if it does not unwrap."""
    try:
        return Secret(aes_key_unwrap_with_padding(aes_key.reveal(), wrapped))
    except InvalidUnwrap:
        return None
