"""JSON to messages: decoders made once from the descriptors of the contract.

1. A member that is null, or that the contract does not know, is absent; but a
   member of AWS's that must not be ignored is an UnsupportedOperationException.
2. A value of another JSON type than its member's, a blob that is not base64 and
   a number that its member cannot hold are a SerializationException.
3. A text that is no value of its enumeration is a violation of the contract
   like any other: it is reported together with all others.

No message shows a value: what is wrong may be a secret.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NoReturn

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

from keyferry_server.domain.errors import (
    FieldViolation,
    SerializationException,
    UnsupportedOperationException,
)
from keyferry_server.transport.aws_json.names import UNSUPPORTED_MEMBERS, members
from keyferry_server.wire.constraints import enum_values, unknown_value, violation_error, violations

# Reads one JSON value of the member that is named second; what is third collects violations of rule 3.
_Read = Callable[[Any, str, list[FieldViolation]], Any]

_INTEGERS = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
}
_LARGEST_SECONDS = 2**62
_MICROSECONDS = 1_000_000


def decode(body: bytes, descriptor: Descriptor) -> Message:
    """Return the message that `body` holds; SerializationException, or ValidationException by rule 3."""
    unknown: list[FieldViolation] = []
    message = _decoder(descriptor)(_parse(body), "", unknown)
    if unknown:
        members = {one.field for one in unknown}
        # An enumeration member that could not be read is not missing.
        others = [one for one in violations(message) if one.field not in members]
        raise violation_error((*others, *unknown))
    decoded: Message = message
    return decoded


def _parse(body: bytes) -> Any:
    if not body:
        return {}
    try:
        return _JSON.decode(body.decode())
    except (ValueError, RecursionError):
        raise SerializationException("The body is not a JSON object in UTF-8.") from None


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)


@cache
def _decoder(descriptor: Descriptor) -> _Read:
    """Return what reads a JSON object into a message of that type."""
    make = GetMessageClass(descriptor)
    readers: dict[str, tuple[str, str, _Read]] = {}

    def read(value: Any, path: str, unknown: list[FieldViolation]) -> Message:
        if not isinstance(value, dict):
            raise _wrong(path, "an object")
        fields = {}
        for name, content in value.items():
            if content is None:
                continue
            reader = readers.get(name)
            if reader is not None:
                field, member, read_member = reader
                fields[field] = read_member(content, path + member, unknown)
            elif content and name in UNSUPPORTED_MEMBERS:
                raise UnsupportedOperationException(f"The member '{path}{name}' is not supported.")
        return make(**fields)

    for name, field in members(descriptor):
        readers[name] = (field.name, field.camelcase_name, _reader(field))
    return read


def _reader(field: FieldDescriptor) -> _Read:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return _map_reader(field.message_type)
    if not field.is_repeated:
        return _value_reader(field)
    if field.enum_type is not None:
        return _enum_list_reader(field.enum_type)
    return _list_reader(_value_reader(field), is_structures=field.message_type is not None)


def _value_reader(field: FieldDescriptor) -> _Read:
    if field.message_type is not None:
        if field.message_type.full_name == Timestamp.DESCRIPTOR.full_name:
            return _read_timestamp
        return _object_reader(field.message_type)
    if field.enum_type is not None:
        return _enum_reader(field.enum_type)
    if field.type in _INTEGERS:
        return _integer_reader(*_INTEGERS[field.type])
    return {
        FieldDescriptor.TYPE_STRING: _read_string,
        FieldDescriptor.TYPE_BYTES: _read_blob,
        FieldDescriptor.TYPE_BOOL: _read_boolean,
    }[field.type]


def _object_reader(descriptor: Descriptor) -> _Read:
    def read(value: Any, path: str, unknown: list[FieldViolation]) -> Any:
        # Not before: a message may hold messages of its own type.
        return _decoder(descriptor)(value, f"{path}.", unknown)

    return read


def _list_reader(read_one: _Read, *, is_structures: bool) -> _Read:
    def read(value: Any, path: str, unknown: list[FieldViolation]) -> Any:
        if not isinstance(value, list):
            raise _wrong(path, "a list")
        if not is_structures:
            return [read_one(one, path, unknown) for one in value]
        return [
            read_one(one, f"{path}.{number}.member", unknown) for number, one in enumerate(value, start=1)
        ]

    return read


def _enum_list_reader(enum: EnumDescriptor) -> _Read:
    known: Mapping[str, int] = enum_values(enum)

    def read(value: Any, path: str, unknown: list[FieldViolation]) -> Any:
        if not isinstance(value, list):
            raise _wrong(path, "a list")
        names = [_read_string(one, path, unknown) for one in value]
        if not known.keys() >= set(names):
            unknown.append(unknown_value(path, names, enum))
        return [known[name] for name in names if name in known]

    return read


def _map_reader(entry: Descriptor) -> _Read:
    read_key, read_value = (_value_reader(entry.fields_by_name[name]) for name in ("key", "value"))

    def read(value: Any, path: str, unknown: list[FieldViolation]) -> Any:
        if not isinstance(value, dict):
            raise _wrong(path, "an object")
        return {
            read_key(key, path, unknown): read_value(content, path, unknown) for key, content in value.items()
        }

    return read


def _enum_reader(enum: EnumDescriptor) -> _Read:
    known: Mapping[str, int] = enum_values(enum)

    def read(value: Any, path: str, unknown: list[FieldViolation]) -> int:
        number = known.get(_read_string(value, path, unknown))
        if number is None:
            unknown.append(unknown_value(path, value, enum))
            return 0
        return number

    return read


def _integer_reader(smallest: int, largest: int) -> _Read:
    def read(value: Any, path: str, _: list[FieldViolation]) -> int:
        if type(value) is not int or not smallest <= value <= largest:
            raise _wrong(path, f"an integer between {smallest} and {largest}")
        return value

    return read


def _read_string(value: Any, path: str, _: list[FieldViolation]) -> str:
    # JSON can escape one half of a surrogate pair, which is no text.
    if not isinstance(value, str) or not (value.isascii() or _is_text(value)):
        raise _wrong(path, "a string")
    return value


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_blob(value: Any, path: str, _: list[FieldViolation]) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise _wrong(path, "a string in base64 with padding") from None


def _read_boolean(value: Any, path: str, _: list[FieldViolation]) -> bool:
    if not isinstance(value, bool):
        raise _wrong(path, "true or false")
    return value


def _read_timestamp(value: Any, path: str, _: list[FieldViolation]) -> Timestamp:
    # NaN is not between any two numbers.
    if type(value) not in {int, float} or not -_LARGEST_SECONDS <= value <= _LARGEST_SECONDS:
        raise _wrong(path, "a timestamp: a number of seconds since 1970")
    whole, rest = divmod(value, 1)
    seconds, microseconds = divmod(round(rest * _MICROSECONDS), _MICROSECONDS)
    return Timestamp(seconds=int(whole) + seconds, nanos=microseconds * 1000)


def _wrong(path: str, right: str) -> SerializationException:
    subject = f"The value at '{path}'" if path else "The body"
    return SerializationException(f"{subject} must be {right}.")
