"""The model of rotation, on a period and on demand."""

from datetime import timedelta

from model.key import Key, Material, Members, expiration, refuse_if
from model.lifecycle import Lifecycle

MOST_ON_DEMAND = 25
NOT_SO_SHORTLY_BEFORE = timedelta(minutes=20)


class Rotations(Lifecycle):
    """Keys of the origin AWS_KMS get fresh material; those with imported material what waits for it."""

    def enable_key_rotation(self, asked: Members, told: Members) -> Members:
        key = self.admitted("EnableKeyRotation", asked["key_id"])
        days = asked.get("rotation_period_in_days", 365)
        if key.rotation_period != days:
            key.rotation_period, key.next_rotation = days, self.clock.now() + timedelta(days=days)
        return {}

    def disable_key_rotation(self, asked: Members, told: Members) -> Members:
        key = self.admitted("DisableKeyRotation", asked["key_id"])
        key.rotation_period = key.next_rotation = None
        return {}

    def get_key_rotation_status(self, asked: Members, told: Members) -> Members:
        key = self.admitted("GetKeyRotationStatus", asked["key_id"])
        status: Members = {"key_id": key.arn, "key_rotation_enabled": False}
        if key.rotation_period is not None and key.deletion is None:
            status["key_rotation_enabled"] = True
            status["rotation_period_in_days"] = key.rotation_period
            status["next_rotation_date"] = key.next_rotation
        return status

    def rotate_key_on_demand(self, asked: Members, told: Members) -> Members:
        key, now = self.admitted("RotateKeyOnDemand", asked["key_id"]), self.clock.now()
        is_due = key.next_rotation is not None and key.next_rotation - now <= NOT_SO_SHORTLY_BEFORE
        faults = {
            "KMSInvalidStateException": key.origin == "EXTERNAL" and key.pending(now) is None,
            "LimitExceededException": key.rotations_on_demand == MOST_ON_DEMAND,
            "ConflictException": is_due,
        }
        refuse_if(any(faults.values()), *(name for name, holds in faults.items() if holds))
        key.rotations_on_demand += 1
        self._rotate(key, key.waiting or Material(), "ON_DEMAND")
        key.waiting = None
        return {"key_id": key.arn}

    def rotate_due(self) -> None:
        """Rotate what is due; a key that is off or pending deletion waits until it is back."""
        now = self.clock.now()
        for key in self.keys.values():
            if key.next_rotation is not None and key.next_rotation <= now and key.state(now) == "ENABLED":
                self._rotate(key, Material(), "AUTOMATIC")
                key.next_rotation = now + timedelta(days=key.rotation_period)

    def list_key_rotations(self, asked: Members, told: Members) -> Members:
        key, now = self.admitted("ListKeyRotations", asked["key_id"]), self.clock.now()
        entries = [
            self._entry(key, one)
            for one in key.associated(now)
            if one.rotation or asked.get("include_key_material") == "ALL_KEY_MATERIAL"
        ]
        return {"truncated": False} | ({"rotations": entries} if entries else {})

    def _rotate(self, key: Key, fresh: Material, cause: str) -> None:
        fresh.rotation = {"rotation_date": self.clock.now(), "rotation_type": cause}
        key.materials.append(fresh)

    def _entry(self, key: Key, material: Material) -> Members:
        state = "CURRENT" if material is key.materials[-1] else "NON_CURRENT"
        if material is key.waiting:
            state = "PENDING_ROTATION"
        entry = {
            "key_id": key.arn,
            "key_material_id": material.id,
            "key_material_state": state,
        } | material.rotation
        if key.origin == "EXTERNAL":
            is_there = material.is_there(self.clock.now())
            entry["import_state"] = "IMPORTED" if is_there else "PENDING_IMPORT"
            entry |= expiration(material.valid_to) if is_there else {}
            entry |= (
                {} if material.description is None else {"key_material_description": material.description}
            )
        return entry
