"""Checks a request against the constraints that stand at its fields in the contract.

All violations of a request are collected into one ValidationException, worded as AWS
words them, and naming members as AWS does:

::

    keyId                     a member of the request
    tags.1.member.tagKey      a member of the first entry of a list of structures
    tagKeys                   a list of values: for all its entries at once, with all that is asked of one

Blobs and sensitive members are named without their value.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from keyferry.v1 import Constraint, constraints_pb2
from keyferry_server.domain.errors import FieldViolation, ValidationException, shown

# The generated stub types the extension as a plain descriptor; mypy wants the field's own kind.
_CONSTRAINT: Any = constraints_pb2.constraint
_UPPER_CAMEL_CASE: Any = constraints_pb2.upper_camel_case
_PACKAGE = constraints_pb2.DESCRIPTOR.package
_NULL = "Member must not be null"

# Checks one field of a message, whose own place in the request is the text before its members' names.
_FieldCheck = Callable[[Message, str], Iterator[FieldViolation]]


class _Demand(NamedTuple):
    """What one value must satisfy, and how AWS says so."""

    is_satisfied: Callable[[Any], bool]
    words: str


def validate(request: Message) -> None:
    """Raise one ValidationException that names every violation of `request`, if there is any."""
    found = violations(request)
    if found:
        raise violation_error(found)


def violations(request: Message) -> tuple[FieldViolation, ...]:
    """Return every violation of `request`."""
    return tuple(_violations_of(request, ""))


def violation_error(found: tuple[FieldViolation, ...]) -> ValidationException:
    """Return the ValidationException for violations found."""
    count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: "
    return ValidationException(count + "; ".join(one.description for one in found), found)


def unknown_value(member: str, value: object, enum: EnumDescriptor) -> FieldViolation:
    """Return the violation of a member that holds no value of its enumeration; of a list, the whole list is shown."""
    if not isinstance(value, list):
        return _violation(f"Value '{shown(value)}'", member, _enum_words(enum))
    entries = f"[{', '.join(map(str, value))}]"
    words = f"Member must satisfy constraint: [{_enum_words(enum)}]"
    return _violation(f"Value '{shown(entries)}'", member, words)


def _violations_of(message: Message, path: str) -> Iterator[FieldViolation]:
    for check in _checks(message.DESCRIPTOR):
        yield from check(message, path)


@cache
def _checks(descriptor: Descriptor) -> tuple[_FieldCheck, ...]:
    return tuple(check for field in descriptor.fields for check in _field_checks(field))


def _field_checks(field: FieldDescriptor) -> Iterator[_FieldCheck]:
    rule: Constraint = field.GetOptions().Extensions[_CONSTRAINT]
    if rule.required or rule.required_unless:
        yield _presence_check(field, rule)
    demands = list(_demands(field, rule))
    if demands:
        yield _value_check(field, rule, demands)
    if field.message_type is not None and field.message_type.file.package == _PACKAGE:
        if not field.is_repeated:
            yield _structure_check(field)
        elif not field.message_type.GetOptions().map_entry:
            yield _structures_check(field)


def _presence_check(field: FieldDescriptor, rule: Constraint) -> _FieldCheck:
    unless = _sibling(field, rule.required_unless) if rule.required_unless else None

    def check(message: Message, path: str) -> Iterator[FieldViolation]:
        if not _is_present(message, field) and (unless is None or not _is_present(message, unless)):
            yield _violation("Value null", path + field.camelcase_name, _NULL)

    return check


def _value_check(field: FieldDescriptor, rule: Constraint, demands: list[_Demand]) -> _FieldCheck:
    name = field.name
    is_hidden = rule.sensitive or field.type == FieldDescriptor.TYPE_BYTES

    def check(message: Message, path: str) -> Iterator[FieldViolation]:
        if not _is_present(message, field):
            return
        value = getattr(message, name)
        for demand in demands:
            if not demand.is_satisfied(value):
                subject = "Value" if is_hidden else f"Value '{shown(_shown_as(value, field))}'"
                yield _violation(subject, path + field.camelcase_name, demand.words)

    return check


def _structure_check(field: FieldDescriptor) -> _FieldCheck:
    def check(message: Message, path: str) -> Iterator[FieldViolation]:
        if message.HasField(field.name):
            yield from _violations_of(getattr(message, field.name), f"{path}{field.camelcase_name}.")

    return check


def _structures_check(field: FieldDescriptor) -> _FieldCheck:
    def check(message: Message, path: str) -> Iterator[FieldViolation]:
        for number, entry in enumerate(getattr(message, field.name), start=1):
            yield from _violations_of(entry, f"{path}{field.camelcase_name}.{number}.member.")

    return check


def _demands(field: FieldDescriptor, rule: Constraint) -> Iterator[_Demand]:
    if not field.is_repeated:
        yield from _demands_on_one(field, rule)
    else:
        yield from _demands_on_length(rule)
        if field.message_type is None:
            yield from _demand_on_entries(list(_demands_on_one(field, rule.item)))
    if field.type == FieldDescriptor.TYPE_STRING and not (rule.pattern or rule.item.pattern):
        yield _Demand(
            _no_entry_has_nul if field.is_repeated else _has_no_nul,
            "Member must not contain the character U+0000",
        )


def _demand_on_entries(demands: list[_Demand]) -> Iterator[_Demand]:
    if demands:
        yield _Demand(
            lambda values: all(one.is_satisfied(value) for one in demands for value in values),
            f"Member must satisfy constraint: [{', '.join(one.words for one in demands)}]",
        )


def _has_no_nul(value: str) -> bool:
    """Postgres cannot store it."""
    return "\0" not in value


def _no_entry_has_nul(values: Iterable[str]) -> bool:
    return all(map(_has_no_nul, values))


def _demands_on_one(field: FieldDescriptor, rule: Constraint) -> Iterator[_Demand]:
    if field.enum_type is not None:
        known = {value.number for value in field.enum_type.values if value.number != 0}
        yield _Demand(known.__contains__, _enum_words(field.enum_type))
    yield from _demands_on_length(rule)
    if rule.HasField("max_value"):
        yield _Demand(
            lambda value: value <= rule.max_value,
            f"Member must have value less than or equal to {rule.max_value}",
        )
    if rule.HasField("min_value"):
        yield _Demand(
            lambda value: value >= rule.min_value,
            f"Member must have value greater than or equal to {rule.min_value}",
        )
    if rule.HasField("pattern"):
        pattern = re.compile(rule.pattern, re.ASCII)
        yield _Demand(
            lambda value: pattern.fullmatch(value) is not None,
            f"Member must satisfy regular expression pattern: {rule.pattern}",
        )


def _demands_on_length(rule: Constraint) -> Iterator[_Demand]:
    if rule.HasField("max_length"):
        yield _Demand(
            lambda value: len(value) <= rule.max_length,
            f"Member must have length less than or equal to {rule.max_length}",
        )
    if rule.HasField("min_length"):
        yield _Demand(
            lambda value: len(value) >= rule.min_length,
            f"Member must have length greater than or equal to {rule.min_length}",
        )


def _sibling(field: FieldDescriptor, name: str) -> FieldDescriptor:
    message: Any = field.containing_type
    sibling: FieldDescriptor = message.fields_by_name[name]
    return sibling


def _is_present(message: Message, field: FieldDescriptor) -> bool:
    if not field.has_presence:
        return bool(getattr(message, field.name))
    if not message.HasField(field.name):
        return False
    return field.enum_type is None or getattr(message, field.name) != 0


def _shown_as(value: Any, field: FieldDescriptor) -> object:
    """Return a value as AWS shows it: entries in brackets, values of enumerations by name."""
    if not field.is_repeated:
        return value
    if field.enum_type is None:
        return f"[{', '.join(map(str, value))}]"
    names = {number: name for name, number in enum_values(field.enum_type).items()}
    return f"[{', '.join(names.get(number, str(number)) for number in value)}]"


def _enum_words(enum: EnumDescriptor) -> str:
    return f"Member must satisfy enum value set: [{', '.join(enum_values(enum))}]"


def _violation(subject: str, member: str, words: str) -> FieldViolation:
    return FieldViolation(member, f"{subject} at '{member}' failed to satisfy constraint: {words}")


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
