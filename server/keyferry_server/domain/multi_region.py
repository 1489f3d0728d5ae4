"""What the keys of one multi-Region key know of each other. The rules are those of ``multi_region_rules``."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from keyferry_server.domain.errors import ValidationException, shown


class ServedRegions(Protocol):
    """The Regions that there are: the operator's to say."""

    def allows(self, region: str) -> bool:
        """Tell whether there is a Region of that name."""
        ...


def no_such_region(region: str) -> ValidationException:
    """Return the refusal of a Region that there is not."""
    return ValidationException(
        f"There is no Region {shown(region)} here. Which there are is the operator's to say (KEYFERRY_ALLOWED_REGIONS)."
    )


class MultiRegionKeyType(StrEnum):
    """Which part a key plays among those of its key ID."""

    PRIMARY = "PRIMARY"
    REPLICA = "REPLICA"


@dataclass(frozen=True, slots=True)
class PendingCopy:
    """New key material that was imported in a Region and waits there for a rotation."""

    region: str
    key_material_id: str
    valid_to: datetime | None

    def is_present(self, now: datetime) -> bool:
        """Tell whether it has not expired at `now`."""
        return self.valid_to is None or now < self.valid_to


@dataclass(frozen=True, slots=True)
class MultiRegion:
    """Where the keys of a multi-Region key are, the primary key among them, and what waits in which of them."""

    primary_region: str
    regions: tuple[str, ...]
    pending: tuple[PendingCopy, ...] = ()

    @property
    def replica_regions(self) -> tuple[str, ...]:
        """Where the replica keys are."""
        return tuple(region for region in self.regions if region != self.primary_region)

    def type_in(self, region: str) -> MultiRegionKeyType:
        """Return which part the key in a Region plays."""
        return MultiRegionKeyType.PRIMARY if region == self.primary_region else MultiRegionKeyType.REPLICA

    def has_pending(self, region: str, key_material_id: str, now: datetime) -> bool:
        """Tell whether the key in a Region has that material, for a rotation to come."""
        return any(
            one.region == region and one.key_material_id == key_material_id and one.is_present(now)
            for one in self.pending
        )
