"""What of a request stands in the audit log: CloudTrail's request parameters, never a blob or a sensitive member."""

from collections.abc import Callable
from datetime import UTC
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from keyferry.v1 import constraints_pb2
from keyferry_server.domain.audit import format_time
from keyferry_server.wire.constraints import enum_prefix

LONGEST_TEXT = 4096

# The generated stub types the extension as a plain descriptor; mypy wants the field's own kind.
_CONSTRAINT: Any = constraints_pb2.constraint
_Format = Callable[[Any], Any]


def format_request_parameters(request: Message) -> dict[str, Any]:
    """Return the members of a request that may be shown, by AWS's names."""
    return {
        member: show(getattr(request, name))
        for name, member, is_present, show in _members(request.DESCRIPTOR)
        if is_present(request)
    }


@cache
def _members(descriptor: Descriptor) -> tuple[tuple[str, str, Callable[[Message], bool], _Format], ...]:
    return tuple(
        (field.name, field.camelcase_name, _presence(field), _format(field))
        for field in descriptor.fields
        if field.type != FieldDescriptor.TYPE_BYTES
        and not field.GetOptions().Extensions[_CONSTRAINT].sensitive
    )


def _presence(field: FieldDescriptor) -> Callable[[Message], bool]:
    name = field.name
    if field.has_presence:
        return lambda message: message.HasField(name)
    return lambda message: bool(getattr(message, name))


def _format(field: FieldDescriptor) -> _Format:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return lambda pairs: {_text(key): _text(value) for key, value in pairs.items()}
    one = _format_one(field)
    if field.is_repeated:
        return lambda values: [one(value) for value in values]
    return one


def _format_one(field: FieldDescriptor) -> _Format:
    if field.enum_type is not None:
        names = {value.number: value.name for value in field.enum_type.values}
        prefix = enum_prefix(field.enum_type.name)
        return lambda number: names.get(number, str(number)).removeprefix(prefix)
    if field.message_type is None:
        return _text if field.type == FieldDescriptor.TYPE_STRING else lambda value: value
    if field.message_type.full_name == "google.protobuf.Timestamp":
        return _time
    return format_request_parameters


def _text(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}..."


def _time(timestamp: Any) -> str:
    try:
        return format_time(timestamp.ToDatetime(tzinfo=UTC))
    except (ValueError, OverflowError):
        return f"{timestamp.seconds} s"
