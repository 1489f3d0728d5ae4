"""Checks a request against the constraints that stand at its fields in the contract.

All violations of a request are collected into one ValidationException, worded
as AWS words them. Blobs and sensitive members are named without their value.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from keyferry.v1 import Constraint, constraints_pb2
from keyferry_server.domain.errors import FieldViolation, ValidationException, shown

# The generated stub types the extension as a plain descriptor; mypy wants the field's own kind.
_CONSTRAINT: Any = constraints_pb2.constraint
_UPPER_CAMEL_CASE: Any = constraints_pb2.upper_camel_case
_FieldCheck = Callable[[Message], Iterator[FieldViolation]]


def validate(request: Message) -> None:
    """Raise one ValidationException that names every violation of `request`, if there is any."""
    found = violations(request)
    if found:
        raise violation_error(found)


def violations(request: Message) -> tuple[FieldViolation, ...]:
    """Return every violation of `request`."""
    return tuple(violation for check in _checks(request.DESCRIPTOR) for violation in check(request))


def violation_error(found: tuple[FieldViolation, ...]) -> ValidationException:
    """Return the ValidationException for violations found."""
    count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: "
    return ValidationException(count + "; ".join(one.description for one in found), found)


def unknown_value(member: str, value: str, enum: EnumDescriptor) -> FieldViolation:
    """Return the violation of a member that holds no value of its enumeration."""
    return _violation(f"Value '{shown(value)}'", member, _enum_demand(enum))


@cache
def _checks(descriptor: Descriptor) -> tuple[_FieldCheck, ...]:
    checks = [
        _field_check(field)
        for field in descriptor.fields
        if field.enum_type is not None or field.GetOptions().HasExtension(_CONSTRAINT)
    ]
    texts = [
        field
        for field in descriptor.fields
        if field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated
    ]
    return (*checks, *map(_text_check, texts))


def _text_check(field: FieldDescriptor) -> _FieldCheck:
    """No text holds the character that Postgres cannot store."""

    def check(request: Message) -> Iterator[FieldViolation]:
        if "\0" in getattr(request, field.name):
            yield _violation("Value", field.camelcase_name, "Member must not contain the character U+0000")

    return check


def _field_check(field: FieldDescriptor) -> _FieldCheck:
    rule: Constraint = field.GetOptions().Extensions[_CONSTRAINT]
    name, member = field.name, field.camelcase_name
    hidden = rule.sensitive or field.type == FieldDescriptor.TYPE_BYTES
    checks = list(_value_checks(field, rule))
    unless = _sibling(field, rule.required_unless) if rule.required_unless else None

    def check(request: Message) -> Iterator[FieldViolation]:
        if not _is_present(request, field):
            if rule.required or (unless is not None and not _is_present(request, unless)):
                yield _violation("Value null", member, "Member must not be null")
            return
        value = getattr(request, name)
        for is_satisfied, demand in checks:
            if not is_satisfied(value):
                subject = "Value" if hidden else f"Value '{shown(value)}'"
                yield _violation(subject, member, demand)

    return check


def _sibling(field: FieldDescriptor, name: str) -> FieldDescriptor:
    message: Any = field.containing_type
    sibling: FieldDescriptor = message.fields_by_name[name]
    return sibling


def _value_checks(field: FieldDescriptor, rule: Constraint) -> Iterator[tuple[Callable[[Any], bool], str]]:
    if field.enum_type is not None:
        is_known = {value.number for value in field.enum_type.values if value.number != 0}.__contains__
        demand = _enum_demand(field.enum_type)
        yield (lambda values: all(map(is_known, values))) if field.is_repeated else is_known, demand
    if rule.HasField("min_length"):
        yield (
            (lambda value: len(value) >= rule.min_length),
            (f"Member must have length greater than or equal to {rule.min_length}"),
        )
    if rule.HasField("max_length"):
        yield (
            (lambda value: len(value) <= rule.max_length),
            (f"Member must have length less than or equal to {rule.max_length}"),
        )
    if rule.HasField("min_value"):
        yield (
            (lambda value: value >= rule.min_value),
            (f"Member must have value greater than or equal to {rule.min_value}"),
        )
    if rule.HasField("max_value"):
        yield (
            (lambda value: value <= rule.max_value),
            (f"Member must have value less than or equal to {rule.max_value}"),
        )
    if rule.HasField("pattern"):
        pattern = re.compile(rule.pattern)
        yield (
            (lambda value: pattern.fullmatch(value) is not None),
            (f"Member must satisfy regular expression pattern: {rule.pattern}"),
        )


def _is_present(request: Message, field: FieldDescriptor) -> bool:
    if not field.has_presence:
        return bool(getattr(request, field.name))
    if not request.HasField(field.name):
        return False
    return field.enum_type is None or getattr(request, field.name) != 0


def _enum_demand(enum: EnumDescriptor) -> str:
    return f"Member must satisfy enum value set: [{', '.join(enum_values(enum))}]"


def _violation(subject: str, member: str, demand: str) -> FieldViolation:
    return FieldViolation(member, f"{subject} at '{member}' failed to satisfy constraint: {demand}")


@cache
def enum_prefix(enum_name: str) -> str:
    """Return the prefix that the protobuf values of an enum carry: KeyState -> KEY_STATE_."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", enum_name).upper() + "_"


@cache
def enum_values(enum: EnumDescriptor) -> dict[str, int]:
    """Return the values of an enumeration by AWS's names: ORIGIN_TYPE_EXTERNAL is EXTERNAL."""
    prefix = enum_prefix(enum.name)
    named = {value.name.removeprefix(prefix): value.number for value in enum.values if value.number != 0}
    if enum.GetOptions().Extensions[_UPPER_CAMEL_CASE]:
        return {name.title().replace("_", ""): number for name, number in named.items()}
    return named
