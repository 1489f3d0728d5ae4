"""How messages of the contract are shown: member names and enum values as AWS writes them."""

import base64
from collections.abc import MutableSequence
from datetime import UTC
from typing import Any

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from keyferry.v1 import KeyState
from keyferry_client.requests import enum_prefix

_KEY_STATE = KeyState.DESCRIPTOR.full_name


def to_plain(message: Message) -> dict[str, Any]:
    """Return the members of `message` that are set, ready for JSON: blobs as base64, times in ISO 8601 UTC."""
    return {_member(field): _plain(field, value) for field, value in message.ListFields()}


def _member(field: FieldDescriptor) -> str:
    return field.json_name[0].upper() + field.json_name[1:]


def _plain(field: FieldDescriptor, value: Any) -> Any:
    if isinstance(value, MutableSequence):
        return [_plain(field, one) for one in value]
    if isinstance(value, Timestamp):
        return value.ToDatetime(UTC).isoformat()
    if isinstance(value, Message):
        return to_plain(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if field.enum_type is not None:
        return _enum_value(field.enum_type, value)
    return value


def _enum_value(enum: EnumDescriptor, number: int) -> str | int:
    known = enum.values_by_number.get(number)
    if known is None:
        return number
    name = known.name.removeprefix(enum_prefix(enum))
    return "".join(map(str.capitalize, name.split("_"))) if enum.full_name == _KEY_STATE else name
