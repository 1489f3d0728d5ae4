"""What an import token stands for: a wrapping key pair, until one import spends it."""

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

    def answer_again(self, request_digest: bytes, key: Key, now: datetime) -> str:
        """Return the key material id for the identical request, while its material is still there.

        Any other use of a spent token is an InvalidImportTokenException.
        """
        material = key.material(self.key_material_id)
        # The digest covers what the caller sent, nothing secret: plain comparison leaks nothing.
        if request_digest == self.request_digest and material is not None and material.is_present(now):
            return self.key_material_id
        raise InvalidImportTokenException(
            "The import token was used by an earlier import. Call GetParametersForImport and wrap the key material again."
        )
