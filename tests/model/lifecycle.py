"""The model of creating, showing, switching and deleting keys."""

from datetime import timedelta
from typing import Any

from contract.state_table import NOTES, outcomes
from fakes.moved_clock import MovedClock
from model.key import Key, Material, Members, Refused, all_of, refuse_if

_OUTCOMES = outcomes()

ARN_PREFIX = "arn:aws:kms:us-east-1:000000000000:"
TAKES_ALIASES = {
    "Decrypt",
    "DescribeKey",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncrypt from",
    "ReEncrypt to",
}


class Lifecycle:
    """Keys of one account. `told` is what only the service can know of its answer: ids, tokens, ciphertexts."""

    def __init__(self, clock: MovedClock) -> None:
        self.clock = clock
        self.keys: dict[str, Key] = {}
        self.aliases: dict[str, Any] = {}
        self._material_ids: set[str] = set()

    def named(self, operation: str, name: str) -> Key:
        """Return the key of that ID, ARN, or, where AWS takes them, alias or alias ARN."""
        name = name.removeprefix(ARN_PREFIX)
        if name.startswith("alias/"):
            refuse_if(operation not in TAKES_ALIASES, "InvalidArnException")
            refuse_if(name not in self.aliases, "NotFoundException", says="is not found.")
            return self.aliases[name].key
        key = self.keys.get(name.removeprefix("key/"))
        if key is None:
            raise Refused("NotFoundException", says="does not exist")
        return key

    def admitted(self, operation: str, name: str) -> Key:
        """Return the key if it exists and AWS's table lets it do this in its state."""
        key = self.named(operation, name)
        outcome = _OUTCOMES[operation][key.origin, key.state(self.clock.now())]
        if outcome != "ok":
            kind, says = NOTES[outcome]
            raise Refused(kind.__name__, says=f"{key.arn} {says}")
        return key

    def fresh_id(self, told: str) -> str:
        """Take over an id that the service gave to material that it had never seen in this key."""
        assert told not in self._material_ids, f"two key materials have the id {told}"
        self._material_ids.add(told)
        return told

    def create_key(self, asked: Members, told: Members) -> Members:
        told = told["key_metadata"]
        assert told["key_id"] not in self.keys
        now = self.clock.now()
        key = Key(told["key_id"], asked.get("origin", "AWS_KMS"), asked.get("description", ""), now)
        if key.origin == "AWS_KMS":
            key.materials.append(Material(id=self.fresh_id(told["current_key_material_id"])))
        self.keys[key.key_id] = key
        return {"key_metadata": key.metadata(now)}

    def describe_key(self, asked: Members, told: Members) -> Members:
        key = self.admitted("DescribeKey", asked["key_id"])
        if key.materials and key.materials[-1].id is None:
            key.materials[-1].id = self.fresh_id(told["key_metadata"]["current_key_material_id"])
        return {"key_metadata": key.metadata(self.clock.now())}

    def list_keys(self, asked: Members, told: Members) -> Members:
        keys = [{"key_id": key_id, "key_arn": key.arn} for key_id, key in sorted(self.keys.items())]
        return {"truncated": False} | ({"keys": keys} if keys else {})

    def enable_key(self, asked: Members, told: Members) -> Members:
        self.admitted("EnableKey", asked["key_id"]).is_on = True
        return {}

    def disable_key(self, asked: Members, told: Members) -> Members:
        self.admitted("DisableKey", asked["key_id"]).is_on = False
        return {}

    def schedule_key_deletion(self, asked: Members, told: Members) -> Members:
        days = asked.get("pending_window_in_days", 30)
        key, _ = all_of(
            lambda: self.admitted("ScheduleKeyDeletion", asked["key_id"]),
            lambda: refuse_if(not 7 <= days <= 30, "ValidationException"),
        )
        key.deletion = (self.clock.now() + timedelta(days=days), days)
        return {
            "key_id": key.arn,
            "deletion_date": key.deletion[0],
            "key_state": "PENDING_DELETION",
            "pending_window_in_days": days,
        }

    def cancel_key_deletion(self, asked: Members, told: Members) -> Members:
        key = self.admitted("CancelKeyDeletion", asked["key_id"])
        key.deletion, key.is_on = None, False
        return {"key_id": key.arn}

    def reap(self) -> None:
        """Let the keys go whose deletion date has come."""
        now = self.clock.now()
        self.keys = {
            name: key for name, key in self.keys.items() if not key.deletion or now < key.deletion[0]
        }
