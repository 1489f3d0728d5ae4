"""Using a key's material: what every cryptographic operation does once its request is parsed."""

from collections.abc import Mapping
from dataclasses import dataclass

from keyferry_server.call import Call
from keyferry_server.crypto.ciphertext import CiphertextHeader, decrypt, encrypt, parse_ciphertext
from keyferry_server.crypto.sealing import Sealer
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.errors import (
    AccessDeniedException,
    IncorrectKeyException,
    InvalidCiphertextException,
    KMSInternalException,
    NotFoundException,
)
from keyferry_server.domain.key import Key
from keyferry_server.domain.key_material import KeyMaterial
from keyferry_server.domain.sealed_places import KEY_MATERIAL, Place
from keyferry_server.operations.cached_key_door import CachedKeyDoor
from keyferry_server.operations.key_door import KeyDoor


def material_place(key_id: str, key_material_id: str) -> Place:
    """Return where a key material is sealed for."""
    return KEY_MATERIAL.place(key_id, key_material_id)


def key_id_in(blob: bytes) -> str | None:
    """Return the key ID that a ciphertext names; None if it names none, as that of an RSA key."""
    try:
        return parse_ciphertext(blob).key_id
    except InvalidCiphertextException:
        return None


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A ciphertext and the key material that made it; None under an asymmetric key, which has only one."""

    ciphertext_blob: bytes
    key_material_id: str | None


@dataclass(frozen=True, slots=True)
class Decrypted:
    """A plaintext, and the key and key material that opened it; None under an asymmetric key."""

    key: Key
    key_material_id: str | None
    plaintext: Secret


@dataclass(frozen=True, slots=True)
class KeyUse:
    """Opens keys for use, encrypts with their current material and decrypts with the material a ciphertext names."""

    door: CachedKeyDoor
    sealer: Sealer
    clock: Clock

    async def open(self, text: str, call: Call, permission: str | None = None) -> Key:
        """Return a key that may be used now; DisabledException or KMSInvalidStateException if it may not."""
        key = await self.door.open(text, call, permission)
        return await self.door.in_state(key, text, call, self.clock.now(), permission)

    def unseal_current(self, key: Key) -> Secret:
        """Return the current material of an opened key."""
        return self._unseal(key, _current(key))

    def encrypt(self, key: Key, plaintext: bytes, context: Mapping[str, str]) -> Encrypted:
        """Encrypt with the current material of an opened symmetric key."""
        material = _current(key)
        blob = encrypt(self._unseal(key, material), key.key_id, material.key_material_id, plaintext, context)
        return Encrypted(blob, material.key_material_id)

    async def decrypt(
        self,
        blob: bytes,
        context: Mapping[str, str],
        key_text: str | None,
        call: Call,
        permission: str | None = None,
    ) -> Decrypted:
        """Decrypt a ciphertext, with the key that `key_text` names if it is given.

        IncorrectKeyException if another key made it; InvalidCiphertextException,
        without a message, for everything that is wrong with the ciphertext.
        """
        header = parse_ciphertext(blob)
        now = self.clock.now()
        key = await self._open(self.door, header, key_text, call, permission)
        if self.door.cache.is_usable and not (
            key.key_id == header.key_id
            and key.is_admitted(call.route.key_states, now)
            and key.material(header.key_material_id)
        ):
            # As at the door: memory may be behind, and only the database refuses.
            key = await self._open(self.door.plain, header, key_text, call, permission)
        if key.key_id != header.key_id:
            raise IncorrectKeyException(
                "The key ID in the request does not identify a CMK that can perform this operation."
            )
        key.check_state(call.route.key_states, now)
        material = key.material(header.key_material_id)
        if material is None:
            raise InvalidCiphertextException
        return Decrypted(key, material.key_material_id, decrypt(self._unseal(key, material), header, context))

    async def _open(
        self,
        door: KeyDoor,
        header: CiphertextHeader,
        key_text: str | None,
        call: Call,
        permission: str | None,
    ) -> Key:
        if key_text is not None:
            return await door.open(key_text, call, permission)
        try:
            return await door.open_named_by_ciphertext(header.key_id, call, permission)
        except (NotFoundException, AccessDeniedException):
            raise AccessDeniedException(
                "The ciphertext refers to a customer master key that does not exist, does not exist in this region, "
                "or you are not allowed to access."
            ) from None

    def _unseal(self, key: Key, material: KeyMaterial) -> Secret:
        """Return key material in the clear; it stays in memory beside its key, and no longer."""
        if material.sealed is None:
            raise KMSInternalException(f"{key.arn} is enabled without the key material it needs")
        place = material_place(key.key_id, material.key_material_id)
        beside = self.door.beside(key)
        # Both: the same bytes in another place must not open.
        name = (place, material.sealed)
        secret: Secret | None = None if beside is None else beside.get(name)
        if secret is None:
            secret = self.sealer.unseal(material.sealed, place)
            if beside is not None:
                beside[name] = secret
        return secret


def _current(key: Key) -> KeyMaterial:
    material = key.current_material
    if material is None:
        raise KMSInternalException(f"{key.arn} is enabled without key material")
    return material
