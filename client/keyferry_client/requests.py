"""Requests from keyword arguments: members by their names in the contract, None for those that are absent."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from keyferry_client.errors import InputError

Request = TypeVar("Request", bound=Message)


def build_request(request_type: type[Request], members: Mapping[str, Any]) -> Request:
    """Return the request with those members that are not None.

    An enum value may be its number or its name, as AWS writes it or with the prefix that
    the contract puts before it. A time must know its time zone. InputError for an unknown
    name, a time without zone and one that UTC does not have, TypeError for a value of the
    wrong type.
    """
    fields: Mapping[str, FieldDescriptor] = request_type.DESCRIPTOR.fields_by_name  # type: ignore[assignment]
    return request_type(
        **{name: _value(fields[name], value) for name, value in members.items() if value is not None}
    )


def enum_prefix(enum: EnumDescriptor) -> str:
    """Return what stands before AWS's name in each value of `enum`, for example ORIGIN_TYPE_."""
    return str(enum.values_by_number[0].name).removesuffix("UNSPECIFIED")


def _value(field: FieldDescriptor, value: Any) -> Any:
    if field.enum_type is not None:
        if field.is_repeated and isinstance(value, Iterable) and not isinstance(value, str):
            return [_enum_number(field.name, field.enum_type, one) for one in value]
        return _enum_number(field.name, field.enum_type, value)
    return _moment(field.name, value) if isinstance(value, datetime) else value


def _moment(name: str, value: datetime) -> datetime:
    if value.tzinfo is None:
        raise InputError(f"{name} has no time zone; give for example datetime.now(UTC) + timedelta(days=90).")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise InputError(
            f"{name} is not in the years 1 to 9999 of UTC; give for example datetime.now(UTC) + timedelta(days=90)."
        ) from None


def _enum_number(name: str, enum: EnumDescriptor, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    prefix = enum_prefix(enum)
    known = enum.values_by_name.get(value) or enum.values_by_name.get(f"{prefix}{value}")
    if known is None:
        names = ", ".join(
            one.removeprefix(prefix) for one in enum.values_by_name if not one.endswith("_UNSPECIFIED")
        )
        raise InputError(f"{name} has no value {value!r}; it is one of {names}.")
    return known.number
