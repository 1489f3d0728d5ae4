"""The contract explains itself: comments on everything, limits on everything that a caller sends."""

import importlib
import re
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions

import keyferry.v1
from keyferry.v1 import constraints_pb2
from keyferry_server.transport.calls import SERVICES
from keyferry_server.wire.constraints import enum_prefix

FOLDER = Path(keyferry.v1.__file__).parent
FILES = sorted(FOLDER.glob("*.proto"))
DESCRIPTORS = [
    importlib.import_module(f"keyferry.v1.{path.stem}_pb2").DESCRIPTOR
    for path in FILES
    if "service" not in path.stem
]
MESSAGES: list[Descriptor] = [
    message for file in DESCRIPTORS for message in file.message_types_by_name.values()
]
ENUMS: list[EnumDescriptor] = [enum for file in DESCRIPTORS for enum in file.enum_types_by_name.values()]
METHODS = [method for service in SERVICES for method in service.methods]
REQUESTS: list[Descriptor] = [method.input_type for method in METHODS]


def structures_in(message: Descriptor) -> set[Descriptor]:
    """Return the messages of ours that a message holds, at any depth."""
    inner = {
        field.message_type
        for field in message.fields
        if field.message_type is not None
        and field.message_type.file.package == "keyferry.v1"
        and not field.message_type.GetOptions().map_entry
    }
    return inner.union(*map(structures_in, inner))


STRUCTURES = set().union(*map(structures_in, REQUESTS))
SENT: list[Descriptor] = [*REQUESTS, *sorted(STRUCTURES, key=lambda one: one.full_name)]

# What opens a definition or is one, with the name that a reader looks for.
_DEFINITION = re.compile(
    r"(?:message|enum|rpc)\s+(?P<definition>[\w.]+)"
    r"|(?:optional\s+|repeated\s+)?(?:map<[^>]+>|[\w.]+)\s+(?P<field>\w+)\s*=\s*\d+"
    r"|(?P<value>[A-Z][A-Z0-9_]*)\s*=\s*\d+"
)

_SIZED = {
    FieldDescriptor.TYPE_STRING,
    FieldDescriptor.TYPE_BYTES,
    FieldDescriptor.TYPE_INT32,
    FieldDescriptor.TYPE_INT64,
    FieldDescriptor.TYPE_UINT32,
    FieldDescriptor.TYPE_UINT64,
}

# Repeating one of these after its answer was lost would do it twice, or be refused although it was done.
NOT_REPEATABLE = {
    "CancelKeyDeletion",
    "CreateAlias",
    "CreateGrant",
    "CreateKey",
    "DeleteAlias",
    "DeleteImportedKeyMaterial",
    "ReplicateKey",
    "RetireGrant",
    "RevokeGrant",
    "RevokeImportToken",
    "RotateKeyOnDemand",
    "ScheduleKeyDeletion",
    "UpdatePrimaryRegion",
}

# Sent by callers without a limit of their own. An encryption context is limited
# by the message size alone, as AWS limits it by the size of the request.
WITHOUT_LIMITS = {
    "EncryptRequest.encryption_context",
    "DecryptRequest.encryption_context",
    "ReEncryptRequest.source_encryption_context",
    "ReEncryptRequest.destination_encryption_context",
    "GenerateDataKeyRequest.encryption_context",
    "GenerateDataKeyWithoutPlaintextRequest.encryption_context",
    "ExplainAccessRequest.encryption_context",
    "GrantConstraints.encryption_context_equals",
    "GrantConstraints.encryption_context_subset",
    "GenerateDataKeyPairRequest.encryption_context",
    "GenerateDataKeyPairWithoutPlaintextRequest.encryption_context",
}


def definitions(path: Path) -> dict[str, str]:
    """Return every definition of a .proto file, by line, with the comment that stands before it."""
    found: dict[str, str] = {}
    comment: list[str] = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        text = line.strip()
        if text.startswith("//"):
            comment.append(text.removeprefix("//").strip())
            continue
        match = _DEFINITION.match(text)
        if match is not None:
            found[f"{path.name}:{number} {match[match.lastgroup or 0]}"] = " ".join(comment).strip()
        comment = []
    return found


def names_defined(path: Path) -> list[str]:
    return [place.split()[-1] for place in definitions(path)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_everything_in_the_contract_has_a_comment_before_it(path: Path) -> None:
    assert [place for place, comment in definitions(path).items() if not comment] == []


def test_no_definition_of_the_contract_escapes_the_test_of_comments() -> None:
    named = sorted(name for path in FILES for name in names_defined(path))
    expected = [message.name for message in MESSAGES]
    expected += [field.name for message in MESSAGES for field in message.fields]
    expected += [enum.name for enum in ENUMS]
    expected += [value.name for enum in ENUMS for value in enum.values]
    expected += [method.name for method in METHODS]
    expected += ["constraint", "keyferry_extension", "upper_camel_case"]
    assert named == sorted(expected)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_of_the_contract_says_what_it_is_for(path: Path) -> None:
    assert path.read_text().startswith("// ")


def limited_or_listed(field: FieldDescriptor) -> bool:
    rule = field.GetOptions().Extensions[constraints_pb2.constraint]
    if field.is_repeated:
        rule = rule.item
    if field.type in {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES}:
        return rule.HasField("max_length")
    if field.type in _SIZED:
        return rule.HasField("min_value") and rule.HasField("max_value")
    return field.message_type is None or not field.message_type.GetOptions().map_entry


@pytest.mark.parametrize("request_", SENT, ids=lambda request: request.name)
def test_every_value_that_a_caller_sends_has_its_limits(request_: Descriptor) -> None:
    unlimited = {f"{request_.name}.{field.name}" for field in request_.fields if not limited_or_listed(field)}
    assert unlimited == {name for name in WITHOUT_LIMITS if name.startswith(f"{request_.name}.")}


@pytest.mark.parametrize("request_", SENT, ids=lambda request: request.name)
def test_the_limits_of_a_value_stand_in_its_comment_too(request_: Descriptor) -> None:
    comments = {
        place.split()[-1]: comment
        for path in FILES
        for place, comment in definitions_of_message(path, request_.name).items()
    }
    for field in request_.fields:
        rule = field.GetOptions().Extensions[constraints_pb2.constraint]
        for limit in (rule.max_length, rule.max_value, rule.item.max_length):
            assert not limit or str(limit) in comments[field.name], field.name


def definitions_of_message(path: Path, message: str) -> dict[str, str]:
    inside: dict[str, str] = {}
    is_inside = False
    for place, comment in definitions(path).items():
        name = place.split()[-1]
        if name[0].isupper():
            is_inside = name == message
        elif is_inside:
            inside[place] = comment
    return inside


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.name)
def test_every_singular_field_tells_absent_from_empty(message: Descriptor) -> None:
    assert [field.name for field in message.fields if not field.is_repeated and not field.has_presence] == []


def test_every_operation_may_be_repeated_by_clients_unless_it_is_known_that_it_must_not() -> None:
    never_repeated = {
        method.name
        for method in METHODS
        if method.GetOptions().idempotency_level == MethodOptions.IDEMPOTENCY_UNKNOWN
    }
    assert never_repeated == NOT_REPEATABLE


def test_what_only_reads_is_free_of_side_effects_in_the_contract() -> None:
    reading = {
        method.name
        for method in METHODS
        if re.match(r"(List|Describe)\w+|Get(?!ParametersForImport)\w+", method.name)
    }
    assert reading
    assert (
        reading
        - {
            method.name
            for method in METHODS
            if method.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS
        }
        == set()
    )


@pytest.mark.parametrize("enum", ENUMS, ids=lambda enum: enum.name)
def test_enum_values_carry_the_name_of_their_enum_and_zero_is_unspecified(enum: EnumDescriptor) -> None:
    prefix = enum_prefix(enum.name)
    assert [value.name for value in enum.values if not value.name.startswith(prefix)] == []
    assert enum.values_by_number[0].name == f"{prefix}UNSPECIFIED"


def test_members_are_named_as_aws_names_them() -> None:
    odd = {
        field.json_name for message in MESSAGES for field in message.fields if field.json_name[:1].isupper()
    }
    assert odd == {"AWSAccountId"}
