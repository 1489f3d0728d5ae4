"""Messages to JSON: encoders made once from the descriptors of the contract.

A member that the message does not have is left out, and so is what AWS does not have. The exceptions are the list of a
page and those that AWS is seen to send when they are empty: they are always there, because callers iterate over them.
"""

import base64
import json
from collections.abc import Callable
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from keyferry_server.transport.aws_json.names import members
from keyferry_server.wire.constraints import enum_values

_Write = Callable[[Any], Any]

_SENT_WHEN_EMPTY = frozenset(
    {"keyferry.v1.MultiRegionConfiguration.replica_keys", "keyferry.v1.ReplicateKeyResponse.replica_tags"}
)
_NANOSECONDS = 1_000_000_000
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def encode(message: Message) -> bytes:
    """Return a message as JSON; of a message that never has members, nothing."""
    if not message.DESCRIPTOR.fields:
        return b""
    return _JSON.encode(_encoder(message.DESCRIPTOR)(message)).encode()


@cache
def _encoder(descriptor: Descriptor) -> _Write:
    """Return what writes a message of that type as a JSON object."""
    writers: dict[int, tuple[str, _Write]] = {}
    of_page = "truncated" in descriptor.fields_by_name
    lists = [
        name
        for name, field in members(descriptor)
        if (of_page and field.is_repeated) or field.full_name in _SENT_WHEN_EMPTY
    ]

    def write(message: Message) -> dict[str, Any]:
        written: dict[str, Any] = {name: [] for name in lists}
        for field, value in message.ListFields():
            writer = writers.get(field.number)
            if writer is not None:
                name, write_member = writer
                written[name] = write_member(value)
        return written

    for name, field in members(descriptor):
        writers[field.number] = (name, _writer(field))
    return write


def _writer(field: FieldDescriptor) -> _Write:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return _map_writer(_value_writer(field.message_type.fields_by_name["value"]))
    write = _value_writer(field)
    return _list_writer(write) if field.is_repeated else write


def _value_writer(field: FieldDescriptor) -> _Write:
    if field.message_type is not None:
        if field.message_type.full_name == Timestamp.DESCRIPTOR.full_name:
            return _write_timestamp
        return _object_writer(field.message_type)
    if field.enum_type is not None:
        return {number: name for name, number in enum_values(field.enum_type).items()}.__getitem__
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _write_blob
    return _as_it_is


def _object_writer(descriptor: Descriptor) -> _Write:
    def write(value: Message) -> dict[str, Any]:
        # Not before: a message may hold messages of its own type.
        written: dict[str, Any] = _encoder(descriptor)(value)
        return written

    return write


def _list_writer(write_one: _Write) -> _Write:
    return lambda values: [write_one(value) for value in values]


def _map_writer(write_one: _Write) -> _Write:
    return lambda values: {key: write_one(value) for key, value in values.items()}


def _write_blob(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _write_timestamp(value: Timestamp) -> float:
    return value.seconds + value.nanos / _NANOSECONDS


def _as_it_is(value: Any) -> Any:
    return value
