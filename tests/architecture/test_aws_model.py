"""The contract agrees with AWS's own model of the service, wherever both have a member.

The model is botocore's, which AWS generates its SDKs from. What AWS's wire makes of the
contract must be found in it too, and what is missing from the contract is told.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from keyferry.v1 import constraints_pb2, extensions_pb2
from keyferry_server.domain import errors
from keyferry_server.transport.aws_json.answers import format_refusal
from keyferry_server.transport.aws_json.names import UNSUPPORTED_MEMBERS, members
from keyferry_server.transport.calls import AWS_SERVICE
from keyferry_server.wire.constraints import enum_values

MODEL: dict[str, Any] = Loader().load_service_model("kms", "service-2")
SHAPES: dict[str, Any] = MODEL["shapes"]
METHODS = list(AWS_SERVICE.methods)
REFERENCE = Path(__file__).parents[2] / "docs" / "reference"

# Ours is what the documentation of the member says, where AWS's model says more or less than that.
DELIBERATE = {
    # The pattern forbids the empty text that the shortest length allows.
    ("ImportKeyMaterial", "KeyMaterialDescription", "pattern"): r"^[a-zA-Z0-9:/_\s.-]*$",
    # "it must be between 1 and 100", "between 1 and 50".
    ("ListAliases", "Limit", "max_value"): 100,
    ("ListGrants", "Limit", "max_value"): 100,
    ("ListResourceTags", "Limit", "max_value"): 50,
    ("ListRetirableGrants", "Limit", "max_value"): 100,
    # Regions are called what the operator calls them; which there are is checked.
    ("ReplicateKey", "ReplicaRegion", "pattern"): None,
    ("UpdatePrimaryRegion", "PrimaryRegion", "pattern"): None,
    # AWS has a service's principal as the other choice, which there is none of here.
    ("CreateGrant", "GranteePrincipal", "required"): True,
    ("ListRetirableGrants", "RetiringPrincipal", "required"): True,
}

# Exceptions that AWS's model has for an operation, and that Keyferry never answers it with.
NEVER = {
    "CreateKey": {"InvalidArnException", "UnsupportedOperationException"},
    "DeleteAlias": {"KMSInvalidStateException"},
    "DeleteImportedKeyMaterial": {"KMSInvalidStateException"},
    "EnableKey": {"LimitExceededException"},
    "GenerateDataKeyPair": {"UnsupportedOperationException"},
    "GenerateDataKeyPairWithoutPlaintext": {"UnsupportedOperationException"},
    "GenerateRandom": {"UnsupportedOperationException"},
    # In every state but PendingDeletion, for every key pair.
    "GetPublicKey": {"DisabledException", "InvalidKeyUsageException"},
    "GetKeyPolicy": {"KMSInvalidStateException"},
    "GetKeyRotationStatus": {"KMSInvalidStateException"},
    "ListGrants": {"KMSInvalidStateException"},
    "ListKeyPolicies": {"KMSInvalidStateException"},
    "ListKeyRotations": {"KMSInvalidStateException"},
    "ListRetirableGrants": {"InvalidArnException", "NotFoundException"},
    "PutKeyPolicy": {"KMSInvalidStateException", "UnsupportedOperationException"},
    "RetireGrant": {"KMSInvalidStateException"},
    "RevokeGrant": {"KMSInvalidStateException"},
    "TagResource": {"LimitExceededException"},
}

# AWS's framework sends these for any of its services; the model of one service does not name them.
COMMON_EXCEPTIONS = {
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "NotAuthorizedException",
    "RequestEntityTooLargeException",
    "SerializationException",
    "ThrottlingException",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "ValidationException",
}

TYPES = {
    FieldDescriptor.TYPE_STRING: {"string"},
    FieldDescriptor.TYPE_BYTES: {"blob"},
    FieldDescriptor.TYPE_BOOL: {"boolean"},
    FieldDescriptor.TYPE_INT32: {"integer"},
    FieldDescriptor.TYPE_INT64: {"long"},
    FieldDescriptor.TYPE_ENUM: {"string"},
}


@dataclass(frozen=True)
class Pair:
    """A member that both have: where it is, our field, AWS's shape, whether AWS requires it."""

    operation: str
    path: str
    field: FieldDescriptor
    shape: dict[str, Any]
    is_required: bool

    @property
    def rule(self) -> Any:
        rule = self.field.GetOptions().Extensions[constraints_pb2.constraint]
        return rule.item if self.is_entry else rule

    @property
    def is_entry(self) -> bool:
        return self.path.endswith("[]")


def pascal(field: FieldDescriptor) -> str:
    return field.json_name[:1].upper() + field.json_name[1:]


def pairs(operation: str, path: str, ours: Descriptor, theirs: dict[str, Any]) -> Iterator[Pair]:
    for field in ours.fields:
        name = pascal(field)
        if name not in theirs["members"]:
            continue
        shape = SHAPES[theirs["members"][name]["shape"]]
        place = f"{path}{name}"
        yield Pair(operation, place, field, shape, name in theirs.get("required", ()))
        is_list = shape["type"] == "list"
        entry = SHAPES[shape["member"]["shape"]] if is_list else shape
        if is_list:
            place += "[]"
            yield Pair(operation, place, field, entry, is_required=False)
        if entry["type"] == "structure":
            yield from pairs(operation, f"{place}.", field.message_type, entry)


def both(which: str) -> list[Pair]:
    return [
        pair
        for method in METHODS
        if which in MODEL["operations"].get(method.name, {})
        for pair in pairs(
            method.name,
            "",
            method.input_type if which == "input" else method.output_type,
            SHAPES[MODEL["operations"][method.name][which]["shape"]],
        )
    ]


def leaves(root: type[errors.KmsError]) -> Iterator[type[errors.KmsError]]:
    for one in root.__subclasses__():
        yield from leaves(one) if one.__subclasses__() else [one]


ERRORS = {error.__name__: error for error in leaves(errors.KmsError)}
SENT, ANSWERED = both("input"), both("output")


def limit(pair: Pair, of: str) -> object:
    return getattr(pair.rule, of) if pair.rule.HasField(of) else None


def as_aws_says(pair: Pair, of: str, theirs: object) -> object:
    return DELIBERATE.get((pair.operation, pair.path, of), theirs)


def test_every_operation_of_the_service_is_awss() -> None:
    assert {method.name for method in METHODS} - set(MODEL["operations"]) == set()


def test_every_member_is_awss_or_says_that_it_is_not() -> None:
    extra = {
        f"{method.name}.{field.name}"
        for method in METHODS
        for which, ours in (("input", method.input_type), ("output", method.output_type))
        for field in ours.fields
        if pascal(field)
        not in SHAPES.get(MODEL["operations"][method.name].get(which, {}).get("shape"), {"members": ()})[
            "members"
        ]
    }
    marked = {
        f"{method.name}.{field.name}"
        for method in METHODS
        for ours in (method.input_type, method.output_type)
        for field in ours.fields
        if field.GetOptions().Extensions[extensions_pb2.keyferry_extension]
    }
    assert extra == marked
    assert marked


def test_required_members_are_those_that_aws_requires() -> None:
    differing = {
        f"{pair.operation}.{pair.path}"
        for pair in SENT
        if not pair.is_entry and bool(pair.rule.required) != as_aws_says(pair, "required", pair.is_required)
    }
    assert differing == set()


@pytest.mark.parametrize(
    ("of", "kinds", "trait"),
    [
        ("min_length", {"string", "blob", "list"}, "min"),
        ("max_length", {"string", "blob", "list"}, "max"),
        ("min_value", {"integer", "long"}, "min"),
        ("max_value", {"integer", "long"}, "max"),
        ("pattern", {"string"}, "pattern"),
    ],
)
def test_limits_are_those_of_aws(of: str, kinds: set[str], trait: str) -> None:
    compared = [
        (
            f"{pair.operation}.{pair.path}",
            limit(pair, of) or None,
            as_aws_says(pair, of, pair.shape.get(trait)) or None,
        )
        for pair in SENT
        if pair.shape["type"] in kinds and "enum" not in pair.shape
    ]
    assert [one for one in compared if one[1] != one[2]] == []
    assert any(ours for _, ours, _ in compared)


def test_values_of_enumerations_are_among_those_of_aws() -> None:
    enums = [pair for pair in (*SENT, *ANSWERED) if "enum" in pair.shape]
    for pair in enums:
        assert pair.field.enum_type is not None, pair
        assert set(enum_values(pair.field.enum_type)) - set(pair.shape["enum"]) == set(), pair


def test_types_are_those_of_aws() -> None:
    for pair in (*SENT, *ANSWERED):
        kind, message = pair.shape["type"], pair.field.message_type
        assert pair.field.is_repeated == (kind in {"list", "map"} or pair.is_entry), pair
        if message is None:
            assert kind == "list" or kind in TYPES[pair.field.type], pair
        elif kind == "timestamp":
            assert message.full_name == "google.protobuf.Timestamp", pair
        else:
            assert (kind == "map") == bool(message.GetOptions().map_entry), pair


def test_what_aws_hides_is_hidden() -> None:
    shown = {
        f"{pair.operation}.{pair.path}"
        for pair in (*SENT, *ANSWERED)
        if pair.shape.get("sensitive") and not pair.rule.sensitive
    }
    assert shown == {"GetParametersForImport.PublicKey"}


@pytest.mark.parametrize("operation", sorted(method.name for method in METHODS))
def test_the_reference_names_every_exception_that_aws_has_for_an_operation_and_that_can_come(
    operation: str,
) -> None:
    page = (REFERENCE / f"{operation}.md").read_text().split("## Errors")[1]
    named = set(re.findall(r"^\| `(\w+Exception)`", page, re.MULTILINE))
    modelled = {error["shape"] for error in MODEL["operations"][operation].get("errors", ())}
    known = {error.__name__ for error in vars(errors).values() if isinstance(error, type)}
    assert (modelled & known) - named == NEVER.get(operation, set())


def test_every_member_on_awss_wire_is_called_what_aws_calls_it() -> None:
    for pair in (*SENT, *ANSWERED):
        names = {field.full_name: name for name, field in members(pair.field.containing_type)}
        assert names[pair.field.full_name] == pair.path.removesuffix("[]").rpartition(".")[2]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_no_member_of_awss_requests_is_ignored_in_silence(method: MethodDescriptor) -> None:
    assert ignored(MODEL["operations"][method.name]["input"]["shape"], method.input_type) == set()


def ignored(shape: str, ours: Descriptor) -> set[str]:
    """Return the members of a shape, and of those in it, that we neither have nor refuse."""
    fields = dict(members(ours))
    found: set[str] = set()
    for name, member in SHAPES[shape]["members"].items():
        if name not in fields:
            found |= {name} - UNSUPPORTED_MEMBERS
            continue
        inner = SHAPES[member["shape"]]
        inner_shape = inner["member"]["shape"] if inner["type"] == "list" else member["shape"]
        message_type = fields[name].message_type
        if SHAPES[inner_shape]["type"] == "structure" and message_type is not None:
            found |= ignored(inner_shape, message_type)
    return found


def test_every_exception_is_awss() -> None:
    modelled = {name for name, shape in SHAPES.items() if shape.get("exception")}
    assert set(ERRORS) - modelled - COMMON_EXCEPTIONS == set()


def test_what_aws_calls_a_fault_of_the_service_is_one_here() -> None:
    faults = {name for name, shape in SHAPES.items() if shape.get("fault")}
    ours = {name for name, error in ERRORS.items() if format_refusal(error("why")).status == 500}
    assert ours == faults & set(ERRORS)


def test_operations_that_aws_has_and_we_have_not_are_told(record_property: Any) -> None:
    missing = set(MODEL["operations"]) - {method.name for method in METHODS}
    record_property("operations that are not there", ", ".join(sorted(missing)))
    page = (REFERENCE.parent / "differences-from-aws.md").read_text()
    told = re.split(r"^## ", page.split("\n## Not there yet\n")[1], flags=re.MULTILINE)[0]
    assert missing - set(re.findall(r"\w+", told)) == set()


def test_every_deliberate_difference_is_one() -> None:
    members = {(pair.operation, pair.path) for pair in SENT}
    assert {(operation, member) for operation, member, _ in DELIBERATE} - members == set()
