"""The last use of a key."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class KeyUsageRecord:
    """One successful use: of which operation, when, in which call."""

    operation: str
    used_at: datetime
    request_id: str
