"""GenerateMac: makes the HMAC of a message under an HMAC key."""

from dataclasses import dataclass

from keyferry.v1 import GenerateMacRequest, GenerateMacResponse
from keyferry_server.call import Call
from keyferry_server.crypto.mac import generate_mac
from keyferry_server.domain.dry_run import stop_if_dry_run
from keyferry_server.domain.key import KeyUsage
from keyferry_server.domain.key_specs import MacAlgorithm, check_use
from keyferry_server.operations.key_use import KeyUse
from keyferry_server.wire.enums import parse_required_enum


@dataclass(frozen=True, slots=True)
class GenerateMac:
    """Authenticates with keys of the usage GENERATE_VERIFY_MAC."""

    key_use: KeyUse

    async def __call__(self, request: GenerateMacRequest, call: Call) -> GenerateMacResponse:
        """Make the MAC; a digest of a message is a message like any other."""
        algorithm = parse_required_enum(request.mac_algorithm, MacAlgorithm)

        key = await self.key_use.open(request.key_id, call)

        check_use(key, call.route.name, KeyUsage.GENERATE_VERIFY_MAC, algorithm)
        stop_if_dry_run(request.dry_run)
        mac = generate_mac(algorithm, self.key_use.unseal_current(key), request.message)

        return GenerateMacResponse(mac=mac, mac_algorithm=request.mac_algorithm, key_id=key.arn)
