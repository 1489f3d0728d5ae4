"""VerifyMac: verifies the HMAC of a message under an HMAC key. One that is not right is an exception."""

from dataclasses import dataclass

from keyferry.v1 import VerifyMacRequest, VerifyMacResponse
from keyferry_server.call import Call
from keyferry_server.crypto.mac import is_mac
from keyferry_server.domain.dry_run import stop_if_dry_run
from keyferry_server.domain.errors import KMSInvalidMacException
from keyferry_server.domain.key import KeyUsage
from keyferry_server.domain.key_specs import MacAlgorithm, check_use
from keyferry_server.operations.key_use import KeyUse
from keyferry_server.wire.enums import parse_required_enum


@dataclass(frozen=True, slots=True)
class VerifyMac:
    """Verifies with keys of the usage GENERATE_VERIFY_MAC."""

    key_use: KeyUse

    async def __call__(self, request: VerifyMacRequest, call: Call) -> VerifyMacResponse:
        """Verify; KMSInvalidMacException, without a message, if the MAC is anything but right."""
        algorithm = parse_required_enum(request.mac_algorithm, MacAlgorithm)

        key = await self.key_use.open(request.key_id, call)

        check_use(key, call.route.name, KeyUsage.GENERATE_VERIFY_MAC, algorithm)
        if not is_mac(algorithm, self.key_use.unseal_current(key), request.message, request.mac):
            raise KMSInvalidMacException
        stop_if_dry_run(request.dry_run)

        return VerifyMacResponse(key_id=key.arn, mac_valid=True, mac_algorithm=request.mac_algorithm)
