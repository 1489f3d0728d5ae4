"""RevokeImportToken: withdraws an import token and destroys its wrapping private key. AWS has no such operation."""

from dataclasses import dataclass
from datetime import datetime

from keyferry.v1 import RevokeImportTokenRequest, RevokeImportTokenResponse
from keyferry_server.call import Call
from keyferry_server.domain.errors import NotFoundException
from keyferry_server.domain.key import Key
from keyferry_server.operations.key_change import KeyChange
from keyferry_server.storage.database import Transaction
from keyferry_server.storage.import_token_store import ImportTokenStore


@dataclass(frozen=True, slots=True)
class RevokeImportToken:
    """Withdraws an import token."""

    change: KeyChange
    tokens: ImportTokenStore

    async def __call__(self, request: RevokeImportTokenRequest, call: Call) -> RevokeImportTokenResponse:
        """Delete the token; under the key's lock, so that an import is either before it or refused."""

        async def write(transaction: Transaction, key: Key, now: datetime) -> None:
            if not await self.tokens.revoke(transaction, key, request.import_token_id, now):
                raise NotFoundException(
                    f"{key.arn} has no outstanding import token {request.import_token_id}. "
                    "It may be spent, expired or revoked already; ListImportTokens shows those that can be used."
                )

        key = await self.change.run(request.key_id, call, write, Key.check_importable)

        return RevokeImportTokenResponse(key_id=key.arn)
