"""GetParametersForImport: a wrapping public key and an import token for one import into one key.

Earlier sets stay valid; every set is good for one successful import within 24 hours,
or less if the caller says so.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from keyferry.v1 import GetParametersForImportRequest, GetParametersForImportResponse
from keyferry_server.call import Call
from keyferry_server.crypto.import_token import ImportTokenCodec
from keyferry_server.crypto.sealing import Sealer
from keyferry_server.crypto.wrapping.wrapping_key import WrappingKeyPair
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.import_parameters import ImportParameters
from keyferry_server.domain.import_token import LIFETIME, ImportToken, generate_import_token
from keyferry_server.domain.importable_keys import ImportableKeys, check_wrapping
from keyferry_server.domain.key_material import WrappingAlgorithm, WrappingKeySpec
from keyferry_server.domain.sealed_places import WRAPPING_PRIVATE_KEY, Place
from keyferry_server.operations.cached_key_door import CachedKeyDoor
from keyferry_server.storage.import_token_store import ImportTokenStore
from keyferry_server.wire.enums import parse_required_enum


def private_key_place(token: ImportToken) -> Place:
    """Return where the wrapping private key of a token is sealed for."""
    return WRAPPING_PRIVATE_KEY.place(uuid.UUID(bytes=token.token_id))


class WrappingKeySource(Protocol):
    """Gives out wrapping key pairs, each to one caller only. It may take the time that making one takes."""

    async def take(self, spec: WrappingKeySpec) -> WrappingKeyPair:
        """Return a pair that nobody else will get."""
        ...


@dataclass(frozen=True, slots=True)
class GetParametersForImport:
    """Hands out wrapping public keys with their import tokens."""

    door: CachedKeyDoor
    tokens: ImportTokenStore
    codec: ImportTokenCodec
    wrapping_keys: WrappingKeySource
    importable_keys: ImportableKeys
    sealer: Sealer
    clock: Clock

    async def __call__(
        self, request: GetParametersForImportRequest, call: Call
    ) -> GetParametersForImportResponse:
        """Take a fresh wrapping key pair, seal its private key with the token's row, answer the public one."""
        algorithm = parse_required_enum(request.wrapping_algorithm, WrappingAlgorithm)
        spec = parse_required_enum(request.wrapping_key_spec, WrappingKeySpec)
        seconds = request.lifetime_seconds
        lifetime = timedelta(seconds=seconds) if request.HasField("lifetime_seconds") else LIFETIME

        key = await self.door.open(request.key_id, call)

        self.importable_keys.check(key)
        key = await self.door.in_state(key, request.key_id, call, self.clock.now())
        check_wrapping(key.key_spec, algorithm, spec)

        pair = await self.wrapping_keys.take(spec)
        now = self.clock.now()
        token = generate_import_token(key.key_id, now, lifetime)
        sealed = self.sealer.seal(pair.private_key, private_key_place(token))
        await self.tokens.add(key, token, ImportParameters(algorithm, spec, sealed), now)

        return GetParametersForImportResponse(
            key_id=key.arn,
            import_token=self.codec.issue(token),
            public_key=pair.public_key,
            parameters_valid_to=token.valid_to,
            import_token_id=token.name,
        )
