"""ScheduleKeyDeletion: has a key deleted after a waiting period, with all that is its own.

Until then the key can do nothing, and CancelKeyDeletion takes it back. The waiting period
of a primary key begins when its last replica key is gone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from keyferry.v1 import ScheduleKeyDeletionRequest, ScheduleKeyDeletionResponse
from keyferry_server.call import Call
from keyferry_server.domain.errors import ValidationException
from keyferry_server.domain.key import Deletion, Key, KeyState
from keyferry_server.domain.multi_region_rules import has_replicas
from keyferry_server.operations.key_change import KeyChange
from keyferry_server.storage.database import Transaction
from keyferry_server.storage.key_store import KeyStore
from keyferry_server.wire.enums import format_enum

SHORTEST_DAYS, LONGEST_DAYS = 7, 30


@dataclass(frozen=True, slots=True)
class ScheduleKeyDeletion:
    """Schedules the end of a key."""

    change: KeyChange
    keys: KeyStore

    async def __call__(self, request: ScheduleKeyDeletionRequest, call: Call) -> ScheduleKeyDeletionResponse:
        """Set the deletion date; KMSInvalidStateException if there is one."""
        window = _parse_window(request)
        date: datetime | None = None

        async def write(transaction: Transaction, key: Key, now: datetime) -> None:
            nonlocal date
            date = None if has_replicas(key) else now + window
            await self.keys.schedule_deletion(transaction, key, Deletion(date, window))

        key = await self.change.run(request.key_id, call, write)

        return ScheduleKeyDeletionResponse(
            key_id=key.arn,
            deletion_date=date,
            key_state=format_enum(
                KeyState.PENDING_REPLICA_DELETION if date is None else KeyState.PENDING_DELETION
            ),
            pending_window_in_days=window.days,
        )


def _parse_window(request: ScheduleKeyDeletionRequest) -> timedelta:
    days = request.pending_window_in_days if request.HasField("pending_window_in_days") else LONGEST_DAYS
    if not SHORTEST_DAYS <= days <= LONGEST_DAYS:
        raise ValidationException(
            f"PendingWindowInDays must be between {SHORTEST_DAYS} and {LONGEST_DAYS}, inclusive; it is {days}."
        )
    return timedelta(days=days)
