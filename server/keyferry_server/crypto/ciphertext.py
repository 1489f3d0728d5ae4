"""Ciphertext blobs: what Encrypt returns and Decrypt takes.

::

     0        1         2         18              50        82            n-16     n
     ├────────┼─────────┼─────────┼───────────────┼─────────┼──────────────┼────────┤
     │ 0x01   │ key id  │ key id  │ key material  │ salt    │ ciphertext   │ tag    │
     │ format │ form    │ 16      │ id 32         │ 32      │ as plaintext │ 16     │
     └────────┴─────────┴─────────┴───────────────┴─────────┴──────────────┴────────┘

The key id is as in ``key_id``; the key material id is raw. 98 bytes are added.

1. Draw a salt.
2. HKDF-SHA-256(material, salt, "keyferry ciphertext v1") gives 44 bytes: an
   AES-256 key (32) and a nonce (12) for this message alone. So the limit on random
   nonces under one key (2^32 messages) is out of reach: 2^32 messages under one key
   material share a salt with a probability of 2^-193.
3. AES-256-GCM. Associated data: the 82 bytes before the ciphertext, then the
   canonical encryption context (``domain.encryption_context``).

Whatever is wrong with a blob, its context or the material, the refusal is the
same InvalidCiphertextException without a message.
"""

import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keyferry_server.crypto.key_id import decode_key_id, encode_key_id
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.encryption_context import encode_encryption_context
from keyferry_server.domain.errors import InvalidCiphertextException

_FORMAT = 1
_LABEL = b"keyferry ciphertext v1"
_HEADER = struct.Struct(">B17s32s32s")
_KEY_MATERIAL_ID_BYTES = 32
_SALT_BYTES = 32
_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_SHA256 = SHA256()


@dataclass(frozen=True, slots=True)
class CiphertextHeader:
    """What a ciphertext blob says of itself. Nothing of it is proven before `decrypt` succeeds."""

    key_id: str
    key_material_id: str
    salt: bytes = field(repr=False)
    blob: bytes = field(repr=False)


def encrypt(
    material: Secret, key_id: str, key_material_id: str, plaintext: bytes, context: Mapping[str, str]
) -> bytes:
    """Return the ciphertext blob of `plaintext` under the material of that name in that key."""
    salt = secrets.token_bytes(_SALT_BYTES)
    header = _HEADER.pack(_FORMAT, encode_key_id(key_id), _encode_key_material_id(key_material_id), salt)
    cipher, nonce = _message_cipher(material, salt)
    return header + cipher.encrypt(nonce, plaintext, header + encode_encryption_context(context))


def parse_ciphertext(blob: bytes) -> CiphertextHeader:
    """Read which key and key material a blob names; InvalidCiphertextException if it is not a blob."""
    if len(blob) < _HEADER.size + _TAG_BYTES:
        raise InvalidCiphertextException
    format_version, encoded_key_id, key_material_id, salt = _HEADER.unpack_from(blob)
    key_id = decode_key_id(encoded_key_id)
    if format_version != _FORMAT or key_id is None:
        raise InvalidCiphertextException
    return CiphertextHeader(key_id, key_material_id.hex(), salt, blob)


def decrypt(material: Secret, ciphertext: CiphertextHeader, context: Mapping[str, str]) -> Secret:
    """Return the plaintext of a parsed blob, only if blob, context and material all belong together.

    InvalidCiphertextException otherwise. That `material` is the one that the blob
    names, of the key that the blob names, is for the caller to see to.
    """
    blob = ciphertext.blob
    plaintext = _open(
        material,
        ciphertext.salt,
        blob[_HEADER.size :],
        blob[: _HEADER.size] + encode_encryption_context(context),
    )
    if plaintext is None:
        raise InvalidCiphertextException
    return plaintext


def _open(material: Secret, salt: bytes, ciphertext: bytes, associated_data: bytes) -> Secret | None:
    # None rather than the second exception: that would carry the first as its context.
    cipher, nonce = _message_cipher(material, salt)
    try:
        return Secret(cipher.decrypt(nonce, ciphertext, associated_data))
    except InvalidTag:
        return None


def _message_cipher(material: Secret, salt: bytes) -> tuple[AESGCM, bytes]:
    derived = HKDF(_SHA256, _KEY_BYTES + _NONCE_BYTES, salt, _LABEL).derive(material.reveal())
    return AESGCM(derived[:_KEY_BYTES]), derived[_KEY_BYTES:]


def _encode_key_material_id(key_material_id: str) -> bytes:
    encoded = bytes.fromhex(key_material_id)
    if len(encoded) != _KEY_MATERIAL_ID_BYTES:
        raise ValueError("This is not a key material id.")
    return encoded
