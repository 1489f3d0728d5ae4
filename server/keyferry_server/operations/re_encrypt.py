"""ReEncrypt: decrypts and encrypts again under another key or context; the plaintext stays inside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from keyferry.v1 import ReEncryptRequest, ReEncryptResponse
from keyferry_server.call import Call
from keyferry_server.domain.dry_run import stop_if_dry_run
from keyferry_server.domain.errors import DryRunOperationException
from keyferry_server.domain.key_specs import EncryptionAlgorithm
from keyferry_server.operations.cached_key_door import CachedKeyDoor
from keyferry_server.operations.decryption import ignores_ciphertext
from keyferry_server.operations.encryption import Encryption
from keyferry_server.operations.key_use import key_id_in
from keyferry_server.wire.condition_keys import RE_ENCRYPT_ON_SAME_KEY
from keyferry_server.wire.enums import format_enum, parse_enum

_DEFAULT = EncryptionAlgorithm.SYMMETRIC_DEFAULT


@dataclass(frozen=True, slots=True)
class ReEncrypt:
    """Moves a ciphertext from one key and context to another."""

    encryption: Encryption
    door: CachedKeyDoor

    async def __call__(self, request: ReEncryptRequest, call: Call) -> ReEncryptResponse:
        """Decrypt with the source, encrypt with the destination; each needs its own permission."""
        source_text = request.source_key_id if request.HasField("source_key_id") else None
        source_algorithm = parse_enum(request.source_encryption_algorithm, EncryptionAlgorithm) or _DEFAULT
        algorithm = parse_enum(request.destination_encryption_algorithm, EncryptionAlgorithm) or _DEFAULT
        context = request.destination_encryption_context
        re_encrypt_from, re_encrypt_to = call.route.permissions

        is_without_ciphertext = ignores_ciphertext(request, source_text)
        call = replace(call, facts=await self._facts(request, source_text, call))

        destination = await self.encryption.open(request.destination_key_id, algorithm, call, re_encrypt_to)
        if is_without_ciphertext:
            await self.encryption.open(request.source_key_id, source_algorithm, call, re_encrypt_from)
            raise DryRunOperationException
        decrypted = await self.encryption.decrypt(
            request.ciphertext_blob,
            source_algorithm,
            request.source_encryption_context,
            source_text,
            call,
            re_encrypt_from,
        )

        self.encryption.check(destination, algorithm, decrypted.plaintext.reveal(), context)
        stop_if_dry_run(request.dry_run)
        encrypted = self.encryption.encrypt(destination, algorithm, decrypted.plaintext.reveal(), context)

        return ReEncryptResponse(
            ciphertext_blob=encrypted.ciphertext_blob,
            source_key_id=decrypted.key.arn,
            key_id=destination.arn,
            source_encryption_algorithm=format_enum(source_algorithm),
            destination_encryption_algorithm=format_enum(algorithm),
            source_key_material_id=decrypted.key_material_id,
            destination_key_material_id=encrypted.key_material_id,
        )

    async def _facts(
        self, request: ReEncryptRequest, source_text: str | None, call: Call
    ) -> Mapping[str, Sequence[str]]:
        """Find out whether source and destination are the same key; nothing, if one of them is not known."""
        destination = await self.door.key_id_of(request.destination_key_id, call)
        if source_text is None:
            source = key_id_in(request.ciphertext_blob)
        else:
            source = await self.door.key_id_of(source_text, call)
        if source is None or destination is None:
            return {}
        return {RE_ENCRYPT_ON_SAME_KEY: ("true" if source == destination else "false",)}
