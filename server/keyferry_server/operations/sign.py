"""Sign: signs a message or its digest with the private key of an asymmetric key."""

from dataclasses import dataclass
from functools import partial

from keyferry.v1 import SignRequest, SignResponse
from keyferry_server.call import Call
from keyferry_server.crypto.signing import sign, to_digest
from keyferry_server.domain.dry_run import stop_if_dry_run
from keyferry_server.domain.key import KeyUsage
from keyferry_server.domain.key_specs import MessageType, SigningAlgorithm, check_use
from keyferry_server.operations.key_pair_use import KeyPairUse
from keyferry_server.operations.key_use import KeyUse
from keyferry_server.wire.enums import parse_enum, parse_required_enum


@dataclass(frozen=True, slots=True)
class Sign:
    """Signs with keys of the usage SIGN_VERIFY."""

    key_use: KeyUse
    key_pairs: KeyPairUse

    async def __call__(self, request: SignRequest, call: Call) -> SignResponse:
        """Sign; a DIGEST must be as long as the algorithm's."""
        algorithm = parse_required_enum(request.signing_algorithm, SigningAlgorithm)
        message_type = parse_enum(request.message_type, MessageType) or MessageType.RAW

        key = await self.key_use.open(request.key_id, call)

        check_use(key, call.route.name, KeyUsage.SIGN_VERIFY, algorithm)
        digest = to_digest(algorithm, request.message, message_type)
        stop_if_dry_run(request.dry_run)
        signature = await self.key_pairs.with_private_key(key, partial(sign, algorithm, digest))

        return SignResponse(key_id=key.arn, signature=signature, signing_algorithm=request.signing_algorithm)
