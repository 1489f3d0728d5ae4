"""What an import token stands for: a wrapping key pair, until one import spends it or it is revoked."""

from dataclasses import dataclass
from datetime import datetime

from keyferry_server.domain.errors import InvalidImportTokenException
from keyferry_server.domain.key import Key
from keyferry_server.domain.key_material import WrappingAlgorithm, WrappingKeySpec


@dataclass(frozen=True, slots=True)
class ImportParameters:
    """How key material that comes with the token was wrapped, and what unwraps it."""

    wrapping_algorithm: WrappingAlgorithm
    wrapping_key_spec: WrappingKeySpec
    sealed_private_key: bytes


@dataclass(frozen=True, slots=True)
class SpentParameters:
    """What stays of the parameters after an import: enough to answer the identical request again."""

    spent_at: datetime
    request_digest: bytes
    key_material_id: str

    def check_repetition(self, request_digest: bytes, key: Key, now: datetime) -> None:
        """Admit the identical request, while its material is still there.

        Any other use of a spent token is an InvalidImportTokenException.
        """
        material = key.known_material(self.key_material_id, now)
        # The digest covers what the caller sent, nothing secret: plain comparison leaks nothing.
        if request_digest == self.request_digest and material is not None and material.is_present(now):
            return
        raise InvalidImportTokenException(
            "The import token was used by an earlier import. Call GetParametersForImport and wrap the key material again."
        )


@dataclass(frozen=True, slots=True)
class OutstandingToken:
    """An import token that can still be used, as an administrator sees it: never the token itself."""

    token_name: str
    wrapping_algorithm: WrappingAlgorithm
    wrapping_key_spec: WrappingKeySpec
    created_at: datetime
    valid_to: datetime
