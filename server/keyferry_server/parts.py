"""Puts parts together by their types: what a frozen dataclass asks for in its fields, it is given.

The composition root gives what has to be made by hand; everything else that is a
dataclass is made once, of other parts. Two parts of one type cannot be told
apart: whatever is asked for twice with different meanings has two types.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints


class Parts:
    """One instance of every type."""

    def __init__(self, given: Mapping[Any, object]) -> None:
        self._parts = dict(given)

    def get(self, kind: Any) -> Any:
        """Return the part of a type; LookupError, naming it, if it is not given and cannot be made."""
        if kind not in self._parts:
            if not is_dataclass(kind):
                raise LookupError(f"no part of the type {kind!r} is given")
            make: Any = kind
            hints = get_type_hints(kind)
            self._parts[kind] = make(**{field.name: self.get(hints[field.name]) for field in fields(kind)})
        return self._parts[kind]
