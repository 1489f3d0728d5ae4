"""Verify: verifies a signature with the public key of an asymmetric key. One that is not right is an exception."""

from dataclasses import dataclass

from keyferry.v1 import VerifyRequest, VerifyResponse
from keyferry_server.call import Call
from keyferry_server.crypto.signing import is_signed, to_digest
from keyferry_server.domain.dry_run import stop_if_dry_run
from keyferry_server.domain.errors import KMSInvalidSignatureException
from keyferry_server.domain.key import KeyUsage
from keyferry_server.domain.key_specs import MessageType, SigningAlgorithm, check_use
from keyferry_server.operations.key_pair_use import KeyPairUse
from keyferry_server.operations.key_use import KeyUse
from keyferry_server.wire.enums import parse_enum, parse_required_enum


@dataclass(frozen=True, slots=True)
class Verify:
    """Verifies with keys of the usage SIGN_VERIFY."""

    key_use: KeyUse
    key_pairs: KeyPairUse

    async def __call__(self, request: VerifyRequest, call: Call) -> VerifyResponse:
        """Verify; KMSInvalidSignatureException, without a message, if the signature is anything but right."""
        algorithm = parse_required_enum(request.signing_algorithm, SigningAlgorithm)
        message_type = parse_enum(request.message_type, MessageType) or MessageType.RAW

        key = await self.key_use.open(request.key_id, call)

        check_use(key, call.route.name, KeyUsage.SIGN_VERIFY, algorithm)
        digest = to_digest(algorithm, request.message, message_type)
        if not is_signed(algorithm, digest, request.signature, self.key_pairs.public_key(key)):
            raise KMSInvalidSignatureException
        stop_if_dry_run(request.dry_run)

        return VerifyResponse(
            key_id=key.arn, signature_valid=True, signing_algorithm=request.signing_algorithm
        )
