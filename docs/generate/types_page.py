"""The page of the types that members have: structures and enumerations."""

from collections.abc import Iterator

from contract import Contract
from google.protobuf.descriptor import Descriptor, EnumDescriptor
from members import escaped, request_table, response_table

from keyferry_server.wire.constraints import enum_values


def types_page(contract: Contract) -> str:
    """Return the page."""
    lines = ["# Types", "", "What members of requests and responses are, besides plain values.", ""]
    lines += ["## Structures", ""]
    for structure in contract.structures():
        lines += _structure(structure, contract)
    lines += ["## Enumerations", ""]
    lines += [
        "In the contract each value carries the name of its enumeration as prefix; in messages and on AWS's",
        "wire it is the bare value.",
        "",
    ]
    for enum in contract.enums():
        lines += _enum(enum, contract)
    return "\n".join(lines)


def _structure(message: Descriptor, contract: Contract) -> Iterator[str]:
    yield f"### {message.name}"
    yield ""
    yield escaped(contract.comment(message.full_name))
    yield ""
    yield from (request_table if contract.is_sent(message) else response_table)(message, contract)
    yield ""


def _enum(enum: EnumDescriptor, contract: Contract) -> Iterator[str]:
    yield f"### {enum.name}"
    yield ""
    yield escaped(contract.comment(enum.full_name))
    yield ""
    yield "| value | in the contract | |"
    yield "|---|---|---|"
    for name, number in enum_values(enum).items():
        value = enum.values_by_number[number].name
        yield f"| `{name}` | `{value}` | {escaped(contract.comment(f'{enum.full_name}.{value}'))} |"
    yield ""
