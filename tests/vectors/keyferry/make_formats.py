"""Makes formats.json: one of each thing that this service writes and must be able to read for ever.

It is written from the layouts in the docstrings, without the code that they
belong to: only HMAC, AES-GCM and the encodings of a key pair are taken as given. Run
it when a format is added. What is there already must not change: it is in people's databases.
"""

import base64
import hmac
import json
import struct
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
KEY_ID_BYTES = b"\x00" + bytes.fromhex(KEY_ID.replace("-", ""))
INSTALLATION_SECRET, MATERIAL, SALT, ROOT_KEY = (bytes(range(start, start + 32)) for start in (0, 32, 64, 96))
GRANT_ID = bytes(range(128, 160))
VALID_TO_MICROSECONDS = 1795609815123457
PLAINTEXT = b"attack at dawn"
KEY_PAIR = ec.derive_private_key(int.from_bytes(MATERIAL, "big"), ec.SECP256R1())
PRIVATE_KEY = KEY_PAIR.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
PUBLIC_KEY = KEY_PAIR.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869."""
    key = hmac.digest(salt or bytes(32), secret, "sha256")
    derived = block = b""
    counter = 1
    while len(derived) < length:
        block = hmac.digest(key, block + info + bytes([counter]), "sha256")
        derived += block
        counter += 1
    return derived[:length]


def with_length(part: bytes) -> bytes:
    return struct.pack(">I", len(part)) + part


def key_material_id(identity: bytes = MATERIAL) -> str:
    key = hkdf(INSTALLATION_SECRET, b"", b"keyferry key material id v1", 32)
    return hmac.digest(key, with_length(KEY_ID.encode()) + with_length(identity), "sha256").hex()


def import_token() -> bytes:
    content = b"\x01" + bytes(range(16)) + KEY_ID_BYTES + struct.pack(">q", VALID_TO_MICROSECONDS)
    key = hkdf(INSTALLATION_SECRET, b"", b"keyferry import token v1", 32)
    return content + hmac.digest(key, content, "sha256")


def grant_token() -> str:
    content = b"\x01" + GRANT_ID + bytes(range(16))
    key = hkdf(INSTALLATION_SECRET, b"", b"keyferry grant token v1", 32)
    return base64.urlsafe_b64encode(content + hmac.digest(key, content, "sha256")).decode()


def ciphertext() -> bytes:
    header = b"\x01" + KEY_ID_BYTES + bytes.fromhex(key_material_id()) + SALT
    context = struct.pack(">I", 1) + with_length(b"tenant") + with_length(b"42")
    derived = hkdf(MATERIAL, SALT, b"keyferry ciphertext v1", 44)
    return header + AESGCM(derived[:32]).encrypt(derived[32:], PLAINTEXT, header + context)


def sealed() -> bytes:
    header = b"\x01" + struct.pack(">I", 3)
    place = with_length(b"key_material") + with_length(KEY_ID.encode()) + with_length(b"key material")
    nonce = bytes(range(12))
    return header + nonce + AESGCM(ROOT_KEY).encrypt(nonce, MATERIAL, header + place)


if __name__ == "__main__":
    formats = {
        "made by": "make_formats.py",
        "expected": "each reads back to these inputs",
        "key id": KEY_ID,
        "installation secret": INSTALLATION_SECRET.hex(),
        "material": MATERIAL.hex(),
        "root key version 3": ROOT_KEY.hex(),
        "key material id": key_material_id(),
        "private key": PRIVATE_KEY.hex(),
        "public key": PUBLIC_KEY.hex(),
        "key material id of the key pair": key_material_id(PUBLIC_KEY),
        "import token id": bytes(range(16)).hex(),
        "import token valid to": "2026-11-25T12:30:15.123457+00:00",
        "import token": import_token().hex(),
        "grant id": GRANT_ID.hex(),
        "grant token": grant_token(),
        "encryption context": {"tenant": "42"},
        "plaintext": PLAINTEXT.hex(),
        "ciphertext": ciphertext().hex(),
        "sealed place": ["key_material", KEY_ID, "key material"],
        "sealed material": sealed().hex(),
    }
    Path(__file__).with_name("formats.json").write_text(json.dumps(formats, indent=2) + "\n")
