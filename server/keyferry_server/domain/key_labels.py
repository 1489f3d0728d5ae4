"""What people call a key by: its aliases and its tags. Policies can decide by them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class KeyLabels:
    """The alias names of a key, with their prefix, and the values of its tags by their keys."""

    aliases: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


NO_LABELS = KeyLabels()
