"""Data key pairs: what GenerateDataKeyPair and GenerateDataKeyPairWithoutPlaintext share."""

from dataclasses import dataclass

from keyferry.v1 import GenerateDataKeyPairRequest, GenerateDataKeyPairWithoutPlaintextRequest
from keyferry_server.call import Call
from keyferry_server.crypto.key_material import Material
from keyferry_server.domain.dry_run import stop_if_dry_run
from keyferry_server.domain.key import Key, KeySpec, KeyUsage
from keyferry_server.domain.key_specs import DataKeyPairSpec, EncryptionAlgorithm, check_use
from keyferry_server.operations.fresh_material import generate_off_loop
from keyferry_server.operations.key_use import Encrypted, KeyUse
from keyferry_server.wire.enums import parse_required_enum


@dataclass(frozen=True, slots=True)
class DataKeyPair:
    """A fresh key pair, and the ciphertext of its private key."""

    key: Key
    pair: Material
    encrypted: Encrypted


@dataclass(frozen=True, slots=True)
class DataKeyPairs:
    """Generates data key pairs under symmetric KMS keys."""

    key_use: KeyUse

    async def generate(
        self, request: GenerateDataKeyPairRequest | GenerateDataKeyPairWithoutPlaintextRequest, call: Call
    ) -> DataKeyPair:
        """Generate a key pair and encrypt its private key."""
        spec = parse_required_enum(request.key_pair_spec, DataKeyPairSpec)

        key = await self.key_use.open(request.key_id, call)

        check_use(key, call.route.name, KeyUsage.ENCRYPT_DECRYPT, EncryptionAlgorithm.SYMMETRIC_DEFAULT)
        stop_if_dry_run(request.dry_run)
        pair = await generate_off_loop(KeySpec(spec))
        return DataKeyPair(
            key, pair, self.key_use.encrypt(key, pair.secret.reveal(), request.encryption_context)
        )
