"""DeriveSharedSecret: agrees with a peer on a secret, by elliptic curve Diffie-Hellman.

The answer is the raw secret: derive keys from it, do not use it as one.
"""

from dataclasses import dataclass
from functools import partial

from keyferry.v1 import DeriveSharedSecretRequest, DeriveSharedSecretResponse
from keyferry_server.call import Call
from keyferry_server.crypto.key_agreement import derive_shared_secret, read_peer
from keyferry_server.domain.dry_run import stop_if_dry_run
from keyferry_server.domain.key import KeyUsage
from keyferry_server.domain.key_specs import KeyAgreementAlgorithm, check_use
from keyferry_server.operations.key_pair_use import KeyPairUse
from keyferry_server.operations.key_use import KeyUse
from keyferry_server.wire.enums import format_enum, parse_required_enum


@dataclass(frozen=True, slots=True)
class DeriveSharedSecret:
    """Derives with keys of the usage KEY_AGREEMENT."""

    key_use: KeyUse
    key_pairs: KeyPairUse

    async def __call__(self, request: DeriveSharedSecretRequest, call: Call) -> DeriveSharedSecretResponse:
        """Derive; ValidationException for a public key that is not one of the key's own curve."""
        algorithm = parse_required_enum(request.key_agreement_algorithm, KeyAgreementAlgorithm)

        key = await self.key_use.open(request.key_id, call)

        check_use(key, call.route.name, KeyUsage.KEY_AGREEMENT, algorithm)
        peer = read_peer(request.public_key, self.key_pairs.public_key(key))
        stop_if_dry_run(request.dry_run)
        shared = await self.key_pairs.with_private_key(key, partial(derive_shared_secret, peer))

        return DeriveSharedSecretResponse(
            key_id=key.arn,
            shared_secret=shared.reveal(),
            key_agreement_algorithm=request.key_agreement_algorithm,
            key_origin=format_enum(key.origin),
        )
