"""Encrypting and decrypting under keys of either kind: what Encrypt, Decrypt and ReEncrypt share.

The ciphertext of a symmetric key names its key; that of an RSA key is what PKCS #1
makes it, so that the key must be named, and no encryption context can be bound.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from keyferry_server.call import Call
from keyferry_server.crypto import rsa_encryption
from keyferry_server.domain.errors import ValidationException
from keyferry_server.domain.key import Key, KeyUsage
from keyferry_server.domain.key_specs import (
    EncryptionAlgorithm,
    check_asymmetric_encryption,
    check_no_context,
    check_use,
)
from keyferry_server.operations.key_pair_use import KeyPairUse
from keyferry_server.operations.key_use import Decrypted, Encrypted, KeyUse

_SYMMETRIC = EncryptionAlgorithm.SYMMETRIC_DEFAULT


@dataclass(frozen=True, slots=True)
class Encryption:
    """Encrypts and decrypts."""

    key_use: KeyUse
    key_pairs: KeyPairUse

    async def open(
        self, text: str, algorithm: EncryptionAlgorithm, call: Call, permission: str | None = None
    ) -> Key:
        """Return a key that may be used now with the algorithm; InvalidKeyUsageException if it has it not."""
        key = await self.key_use.open(text, call, permission)
        check_use(key, call.route.name, KeyUsage.ENCRYPT_DECRYPT, algorithm)
        return key

    def check(
        self, key: Key, algorithm: EncryptionAlgorithm, plaintext: bytes, context: Mapping[str, str]
    ) -> None:
        """Raise ValidationException for what an opened key cannot encrypt."""
        if algorithm is not _SYMMETRIC:
            check_asymmetric_encryption(key, algorithm, context, len(plaintext))

    def encrypt(
        self, key: Key, algorithm: EncryptionAlgorithm, plaintext: bytes, context: Mapping[str, str]
    ) -> Encrypted:
        """Encrypt what was checked under an opened key."""
        if algorithm is _SYMMETRIC:
            return self.key_use.encrypt(key, plaintext, context)
        public_key = self.key_pairs.public_key(key)
        return Encrypted(rsa_encryption.encrypt(algorithm, plaintext, public_key), None)

    async def decrypt(
        self,
        blob: bytes,
        algorithm: EncryptionAlgorithm,
        context: Mapping[str, str],
        key_text: str | None,
        call: Call,
        permission: str | None = None,
    ) -> Decrypted:
        """Decrypt as `KeyUse.decrypt` does; with an algorithm of RSA keys, by the key that `key_text` names."""
        if algorithm is _SYMMETRIC:
            return await self.key_use.decrypt(blob, context, key_text, call, permission)
        if key_text is None:
            raise ValidationException(
                f"The key must be named when the encryption algorithm is {algorithm}: the ciphertext of an asymmetric "
                "key does not name it."
            )
        key = await self.open(key_text, algorithm, call, permission)
        check_no_context(context)
        decrypt = partial(rsa_encryption.decrypt, algorithm, blob)
        return Decrypted(key, None, await self.key_pairs.with_private_key(key, decrypt))
