"""Receipts: what stays of a successful import, for as long as the key exists."""

from dataclasses import dataclass
from datetime import datetime

from keyferry_server.domain.key_material import WrappingAlgorithm, WrappingKeySpec


@dataclass(frozen=True, slots=True)
class ImportReceipt:
    """One successful import. `token_name` is the spent import token's id, so it names the import too."""

    token_name: str
    key_material_id: str
    wrapping_algorithm: WrappingAlgorithm
    wrapping_key_spec: WrappingKeySpec
    imported_at: datetime
    caller: str
    request_id: str
