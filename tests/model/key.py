"""A key as AWS's documents describe it: what was told about it, and the state that follows from that.

Nothing is stored that follows from something else, and nothing is ever swept: whether
material has expired is asked of the clock at each read.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Members = dict[str, Any]


class Refused(Exception):
    """The call must be refused by one of these exceptions, with this in its message."""

    def __init__(self, *names: str, says: str = "") -> None:
        super().__init__(*names)
        self.names = set(names)
        self.says = says


def refuse_if(fault: object, *names: str, says: str = "") -> None:
    if fault:
        raise Refused(*names, says=says)


def all_of(*checks: Callable[[], Any]) -> list[Any]:
    """Return what the checks return. Of their faults any one may be reported: nobody promises an order."""
    results: list[Any] = []
    faults: list[Refused] = []
    for check in checks:
        try:
            results.append(check())
        except Refused as fault:
            faults.append(fault)
    if len(faults) > 1:
        raise Refused(*(name for fault in faults for name in fault.names))
    if faults:
        raise faults[0]
    return results


@dataclass(eq=False)
class Material:
    """One key material. `secret` is None if the service generated it, `id` until the service has told it."""

    secret: bytes | None = None
    id: str | None = None
    description: str | None = None
    valid_to: datetime | None = None
    is_deleted: bool = False
    rotation: Members = field(default_factory=dict)

    def is_there(self, now: datetime) -> bool:
        return not self.is_deleted and (self.valid_to is None or now < self.valid_to)


@dataclass(eq=False)
class Key:
    """`materials` belong to the key for ever, in the order in which they became current; `waiting` does not yet."""

    key_id: str
    origin: str
    description: str
    created: datetime
    materials: list[Material] = field(default_factory=list)
    waiting: Material | None = None
    is_on: bool = True
    deletion: tuple[datetime, int] | None = None
    rotation_period: int | None = None
    next_rotation: datetime | None = None
    rotations_on_demand: int = 0
    usage: Members | None = None
    tags: dict[str, str] = field(default_factory=dict)
    ids: dict[bytes, str] = field(default_factory=dict)
    receipts: list[Members] = field(default_factory=list)

    @property
    def arn(self) -> str:
        return f"arn:aws:kms:us-east-1:000000000000:key/{self.key_id}"

    def state(self, now: datetime) -> str:
        if self.deletion is not None:
            return "PENDING_DELETION"
        if not self.has_all_material(now):
            return "PENDING_IMPORT"
        return "ENABLED" if self.is_on else "DISABLED"

    def has_all_material(self, now: datetime) -> bool:
        return bool(self.materials) and all(one.is_there(now) for one in self.materials)

    def pending(self, now: datetime) -> Material | None:
        """Material that waits for its rotation: once deleted or expired, the key has never seen it."""
        return self.waiting if self.waiting is not None and self.waiting.is_there(now) else None

    def associated(self, now: datetime) -> list[Material]:
        pending = self.pending(now)
        return self.materials if pending is None else [*self.materials, pending]

    def metadata(self, now: datetime) -> Members:
        """KeyMetadata, with those members only that are present."""
        state = self.state(now)
        members: Members = {
            "aws_account_id": "000000000000",
            "key_id": self.key_id,
            "arn": self.arn,
            "creation_date": self.created,
            "enabled": state == "ENABLED",
            "description": self.description,
            "key_usage": "ENCRYPT_DECRYPT",
            "key_state": state,
            "origin": self.origin,
            "key_manager": "CUSTOMER",
            "customer_master_key_spec": "SYMMETRIC_DEFAULT",
            "key_spec": "SYMMETRIC_DEFAULT",
            "encryption_algorithms": ["SYMMETRIC_DEFAULT"],
            "multi_region": False,
        }
        if self.materials:
            members["current_key_material_id"] = self.materials[-1].id
        if self.deletion is not None:
            members["deletion_date"], _ = self.deletion
        if self.origin == "EXTERNAL" and self.has_all_material(now):
            members |= expiration(min((one.valid_to for one in self.materials if one.valid_to), default=None))
        return members


def expiration(valid_to: datetime | None) -> Members:
    """How ExpirationModel and ValidTo are shown."""
    if valid_to is None:
        return {"expiration_model": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
    return {"expiration_model": "KEY_MATERIAL_EXPIRES", "valid_to": valid_to}
