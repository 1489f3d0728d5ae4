"""Which operations count as a use of a key, and how a use is shown."""

from typing import Any

from keyferry.v1 import KeyLastUsageData, KeyLastUsageTrackingOperation
from keyferry_server.domain.key_usage import KeyUsageRecord
from keyferry_server.wire.constraints import enum_prefix

# Any: the generated stub types an enum as a class, at run time it is a wrapper of its descriptor.
_ENUM: Any = KeyLastUsageTrackingOperation
_PREFIX = enum_prefix(_ENUM.DESCRIPTOR.name)


def _operation(value_name: str) -> str:
    return "".join(part.title() for part in value_name.removeprefix(_PREFIX).split("_"))


TRACKED = {_operation(value.name): value.number for value in _ENUM.DESCRIPTOR.values if value.number != 0}


def format_key_usage(usage: KeyUsageRecord) -> KeyLastUsageData:
    """Return a use as callers see it."""
    return KeyLastUsageData(
        operation=TRACKED[usage.operation], timestamp=usage.used_at, kms_request_id=usage.request_id
    )
