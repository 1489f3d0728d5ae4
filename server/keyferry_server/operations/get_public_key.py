"""GetPublicKey: shows the public key of an asymmetric key, also while the private key is switched off or gone."""

from dataclasses import dataclass

from keyferry.v1 import GetPublicKeyRequest, GetPublicKeyResponse
from keyferry_server.call import Call
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.key import is_pending_import
from keyferry_server.domain.key_specs import check_has_public_key
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.operations.key_pair_use import KeyPairUse
from keyferry_server.wire.enums import format_enum
from keyferry_server.wire.key_metadata import format_algorithms


@dataclass(frozen=True, slots=True)
class GetPublicKey:
    """Shows public keys, and what they may be used for."""

    door: KeyDoor
    key_pairs: KeyPairUse
    clock: Clock

    async def __call__(self, request: GetPublicKeyRequest, call: Call) -> GetPublicKeyResponse:
        """Show the public key; KMSInvalidStateException before key material was imported for the first time."""
        key = await self.door.open(request.key_id, call)

        check_has_public_key(key)
        key.check_state(call.route.key_states, self.clock.now())
        if key.current_material is None:
            raise is_pending_import(key.arn)

        return GetPublicKeyResponse(
            key_id=key.arn,
            public_key=self.key_pairs.public_key(key),
            customer_master_key_spec=format_enum(key.key_spec),
            key_spec=format_enum(key.key_spec),
            key_usage=format_enum(key.key_usage),
            **format_algorithms(key),
        )
