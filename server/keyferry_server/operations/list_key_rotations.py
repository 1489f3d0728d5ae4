"""ListKeyRotations: lists the key materials of a key and how they became current.

The first material and the one that is pending rotation are left out unless all
key material is asked for.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from keyferry.v1 import (
    ImportState,
    IncludeKeyMaterial,
    ListKeyRotationsRequest,
    ListKeyRotationsResponse,
    RotationsListEntry,
)
from keyferry.v1 import KeyMaterialState as ProtoState
from keyferry_server.call import Call
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.key import Key, Origin
from keyferry_server.domain.key_material import KeyMaterial, KeyMaterialState
from keyferry_server.domain.multi_region_rules import regions_that_wait
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.wire.enums import format_enum
from keyferry_server.wire.marker import PagedList

ROTATIONS = PagedList("rotations", "[0-9]{1,6}")
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ListKeyRotations:
    """Lists what a key was rotated to."""

    door: KeyDoor
    clock: Clock

    async def __call__(self, request: ListKeyRotationsRequest, call: Call) -> ListKeyRotationsResponse:
        """Show one page; a key has few materials, so all of them come with the key."""
        page = ROTATIONS.parse(request)
        is_all = request.include_key_material == IncludeKeyMaterial.INCLUDE_KEY_MATERIAL_ALL_KEY_MATERIAL

        key = await self.door.open(request.key_id, call)

        key.check_rotatable()
        now = self.clock.now()
        key.check_state(call.route.key_states, now)

        # Materials are never taken out but from the end, so their number is a place to go on from.
        start = int(page.after or 0)
        shown, truncated = page.cut([one for one in _in_order(key, now) if is_all or one.rotation][start:])

        return ListKeyRotationsResponse(
            rotations=[_format(key, one, now) for one in shown],
            next_marker=ROTATIONS.format_marker(str(start + len(shown))) if truncated else None,
            truncated=truncated,
        )


def _in_order(key: Key, now: datetime) -> list[KeyMaterial]:
    pending = key.pending_material(now)
    permanent = sorted(key.permanent_materials, key=_place)
    return permanent if pending is None else [*permanent, pending]


def _place(material: KeyMaterial) -> tuple[bool, datetime, str]:
    """Order by dates, but for the current material: clocks of several servers differ.

    The id makes the order the same on every page when two dates are.
    """
    is_current = material.state is KeyMaterialState.CURRENT
    return is_current, material.rotation.date if material.rotation else _BEFORE_ALL, material.key_material_id


def _format_state(key: Key, material: KeyMaterial, now: datetime) -> Any:
    if not material.is_permanent and regions_that_wait(key, material.key_material_id, now):
        return ProtoState.KEY_MATERIAL_STATE_PENDING_MULTI_REGION_IMPORT_AND_ROTATION
    return format_enum(material.state)


def _format(key: Key, material: KeyMaterial, now: datetime) -> RotationsListEntry:
    entry = RotationsListEntry(
        key_id=key.arn,
        key_material_id=material.key_material_id,
        key_material_state=_format_state(key, material, now),
    )
    if material.rotation is not None:
        entry.rotation_date.FromDatetime(material.rotation.date)
        entry.rotation_type = format_enum(material.rotation.type)
    if key.origin is Origin.EXTERNAL:
        is_present = material.is_present(now)
        entry.import_state = (
            ImportState.IMPORT_STATE_IMPORTED if is_present else ImportState.IMPORT_STATE_PENDING_IMPORT
        )
        if material.description is not None:
            entry.key_material_description = material.description
        if is_present:
            entry.expiration_model = format_enum(material.expiration_model)
            if material.valid_to is not None:
                entry.valid_to.FromDatetime(material.valid_to)
    return entry
