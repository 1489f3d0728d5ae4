"""Tables of members: what a message holds, of which type, within which limits."""

import re
from collections.abc import Iterator

from contract import Contract, is_structure
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from keyferry.v1 import Constraint, constraints_pb2, extensions_pb2

_SCALARS = {
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BYTES: "blob",
    FieldDescriptor.TYPE_BOOL: "boolean",
    FieldDescriptor.TYPE_INT32: "integer",
    FieldDescriptor.TYPE_INT64: "long",
}
_WELL_KNOWN = {"google.protobuf.Timestamp": "timestamp"}
_DEFAULT = re.compile(r"\b[Dd]efault ([^.;:]+)")


def request_table(message: Descriptor, contract: Contract) -> Iterator[str]:
    """List what a caller sends."""
    yield "| member | type | required | limits | default | |"
    yield "|---|---|---|---|---|---|"
    for field in message.fields:
        comment = contract.comment(field.full_name)
        yield _row(
            f"`{field.name}`",
            type_of(field),
            _required(field),
            _limits(field),
            _default(comment),
            _described(field, comment),
        )


def response_table(message: Descriptor, contract: Contract) -> Iterator[str]:
    """List what the service answers."""
    yield "| member | type | |"
    yield "|---|---|---|"
    for field in message.fields:
        yield _row(f"`{field.name}`", type_of(field), _described(field, contract.comment(field.full_name)))


def type_of(field: FieldDescriptor) -> str:
    """Return a field's type, with a link to the types that have a section of their own."""
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
        return f"map of {_one_type(key)} to {_one_type(value)}"
    return f"list of {_one_type(field)}" if field.is_repeated else _one_type(field)


def escaped(text: str) -> str:
    """Return a text as it stands in a cell of a table."""
    return text.replace("|", "\\|").replace("*", "\\*")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _one_type(field: FieldDescriptor) -> str:
    if field.enum_type is not None or is_structure(field):
        name = (field.enum_type or field.message_type).name
        return f"[{name}](types.md#{name.lower()})"
    return _WELL_KNOWN[field.message_type.full_name] if field.message_type else _SCALARS[field.type]


def _required(field: FieldDescriptor) -> str:
    rule = _rule(field)
    return f"unless `{rule.required_unless}`" if rule.required_unless else "yes" if rule.required else "no"


def _default(comment: str) -> str:
    """Return what a comment says to be the default: a value, or words about it."""
    default = _DEFAULT.search(comment)
    if default is None:
        return ""
    return f"`{default[1]}`" if re.fullmatch(r"[A-Z0-9_]+", default[1]) else escaped(default[1])


def _limits(field: FieldDescriptor) -> str:
    rule = _rule(field)
    if not field.is_repeated:
        return _limits_of_one(field, rule)
    of_list = _length(rule, "entries")
    of_entry = _limits_of_one(field, rule.item)
    return "; each ".join(filter(None, (of_list, of_entry))) if of_list else of_entry and f"each {of_entry}"


def _limits_of_one(field: FieldDescriptor, rule: Constraint) -> str:
    unit = "bytes" if field.type == FieldDescriptor.TYPE_BYTES else "characters"
    found = [_length(rule, unit)]
    if rule.HasField("min_value") or rule.HasField("max_value"):
        found.append(f"{rule.min_value} to {rule.max_value}")
    if rule.HasField("pattern"):
        found.append(f"pattern `{rule.pattern.replace('|', chr(92) + '|')}`")
    return "; ".join(filter(None, found))


def _length(rule: Constraint, unit: str) -> str:
    if not rule.HasField("max_length"):
        return f"at least {rule.min_length} {unit}" if rule.min_length else ""
    if rule.min_length == rule.max_length:
        return f"{rule.max_length} {unit}"
    return f"{rule.min_length} to {rule.max_length} {unit}"


def _described(field: FieldDescriptor, comment: str) -> str:
    notes = []
    if field.GetOptions().deprecated:
        notes.append("**Deprecated.**")
    if field.GetOptions().Extensions[extensions_pb2.keyferry_extension]:
        notes.append("**Not in AWS KMS.**")
    if _rule(field).sensitive:
        notes.append("**Secret:** in no log and no message.")
    return " ".join((*notes, escaped(comment)))


def _rule(field: FieldDescriptor) -> Constraint:
    rule: Constraint = field.GetOptions().Extensions[constraints_pb2.constraint]
    return rule
