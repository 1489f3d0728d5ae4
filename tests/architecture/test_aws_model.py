"""AWS's own model of the service is the judge of our contract: what we claim is there, with the same name and type.

The model is botocore's, which AWS generates. Where the contract differs on purpose, the difference stands here.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.loaders
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from keyferry.v1 import constraints_pb2
from keyferry_server.domain.errors import Category, KmsError
from keyferry_server.transport.aws_json.names import UNSUPPORTED_MEMBERS, members
from keyferry_server.transport.calls import AWS_SERVICE
from keyferry_server.wire.constraints import enum_values

MODEL: dict[str, Any] = botocore.loaders.Loader().load_service_model("kms", "service-2")
SHAPES: dict[str, Any] = MODEL["shapes"]
OPERATIONS: dict[str, Any] = MODEL["operations"]
METHODS: list[MethodDescriptor] = list(AWS_SERVICE.methods)
DIFFERENCES = (Path(__file__).parents[2] / "docs" / "differences-from-aws.md").read_text()

TYPES = {
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BYTES: "blob",
    FieldDescriptor.TYPE_BOOL: "boolean",
    FieldDescriptor.TYPE_INT32: "integer",
    FieldDescriptor.TYPE_INT64: "long",
    FieldDescriptor.TYPE_ENUM: "string",
}

# AWS's framework sends these for any of its services; the model of one service does not name them.
COMMON_ERRORS = {
    "AccessDeniedException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "RequestEntityTooLargeException",
    "SerializationException",
    "ThrottlingException",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "ValidationException",
}

# A marker that is not ours is an InvalidMarkerException, whatever is in it. An empty description is taken.
OWN_PATTERNS = {"Marker": None, "KeyMaterialDescription": r"[a-zA-Z0-9:/_\s.-]*"}


def shape_of(method: MethodDescriptor, side: str) -> dict[str, Any]:
    """Return the shape of an operation's input or output; without one, it has no members."""
    operation = OPERATIONS[method.name]
    shape: dict[str, Any] = SHAPES[operation[side]["shape"]] if side in operation else {"members": {}}
    return shape


def differences(descriptor: Descriptor, shape: dict[str, Any], path: str, *, is_input: bool) -> Iterator[str]:
    """Give every way in which a message is not the shape that AWS has for it."""
    for name, field in members(descriptor):
        here = f"{path}.{name}"
        if name not in shape["members"]:
            yield f"{here}: AWS has no such member"
            continue
        member = SHAPES[shape["members"][name]["shape"]]
        if is_input:
            yield from limit_differences(
                name, field, member, here, is_required=name in shape.get("required", ())
            )
        yield from type_differences(field, member, here, is_input=is_input)


def type_differences(
    field: FieldDescriptor, shape: dict[str, Any], path: str, *, is_input: bool
) -> Iterator[str]:
    kinds = kinds_of(field)
    for kind in kinds:
        if kind != shape["type"]:
            yield f"{path}: AWS has a {shape['type']}, we have a {kind}"
            return
        shape = SHAPES[shape["member"]["shape"]] if kind == "list" else shape
    if kinds[-1] == "structure":
        yield from differences(field.message_type, shape, path, is_input=is_input)
    elif (field.enum_type is not None) != ("enum" in shape):
        yield f"{path}: only one of the two is an enumeration"
    elif field.enum_type is not None:
        for value in set(enum_values(field.enum_type)) - set(shape["enum"]):
            yield f"{path}: AWS has no value {value}"


def kinds_of(field: FieldDescriptor) -> list[str]:
    """Return the model's names for the type of a field, that of a list before that of its entries."""
    if field.message_type is None:
        kind = TYPES[field.type]
    elif field.message_type.GetOptions().map_entry:
        return ["map"]
    else:
        is_timestamp = field.message_type.full_name == "google.protobuf.Timestamp"
        kind = "timestamp" if is_timestamp else "structure"
    return ["list", kind] if field.is_repeated else [kind]


def limit_differences(
    name: str, field: FieldDescriptor, shape: dict[str, Any], path: str, *, is_required: bool
) -> Iterator[str]:
    rule = field.GetOptions().Extensions[constraints_pb2.constraint]
    if rule.required is not is_required:
        yield f"{path}: required is {is_required} in AWS"
    if field.enum_type is not None and not field.is_repeated:
        return
    kind = "value" if shape["type"] in {"integer", "long"} else "length"
    for limit in ("min", "max"):
        ours = getattr(rule, f"{limit}_{kind}")
        if ours != shape.get(limit, 0):
            yield f"{path}: the {limit} {kind} is {shape.get(limit)} in AWS, and {ours} here"
    pattern = (
        OWN_PATTERNS.get(name, shape["pattern"].removeprefix("^").removesuffix("$"))
        if "pattern" in shape
        else None
    )
    if (rule.pattern or None) != pattern:
        yield f"{path}: the pattern is {shape.get('pattern')} in AWS, and {rule.pattern} here"


def leaves(root: type[KmsError]) -> Iterator[type[KmsError]]:
    for one in root.__subclasses__():
        yield from leaves(one) if one.__subclasses__() else [one]


ERRORS = {error.__name__: error for error in leaves(KmsError)}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_an_operation_is_awss_with_members_types_values_and_limits(method: MethodDescriptor) -> None:
    assert method.name in OPERATIONS
    found = [
        *differences(method.input_type, shape_of(method, "input"), "request", is_input=True),
        *differences(method.output_type, shape_of(method, "output"), "response", is_input=False),
    ]
    assert found == []


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_no_member_of_awss_requests_is_ignored_in_silence(method: MethodDescriptor) -> None:
    ours = {name for name, _ in members(method.input_type)}
    assert set(shape_of(method, "input")["members"]) - ours - UNSUPPORTED_MEMBERS == set()


def test_every_error_of_ours_is_awss() -> None:
    modelled = {name for name, shape in SHAPES.items() if shape.get("exception")}
    assert set(ERRORS) - modelled - COMMON_ERRORS == set()


def test_what_aws_calls_a_fault_of_the_service_is_one_here() -> None:
    faults = {name for name, shape in SHAPES.items() if shape.get("fault") and name in ERRORS}
    ours = {
        name for name, error in ERRORS.items() if error.category in {Category.UNAVAILABLE, Category.INTERNAL}
    }
    assert ours == faults


def test_operations_that_aws_has_and_we_have_not_are_listed(record_property: Any) -> None:
    missing = set(OPERATIONS) - {method.name for method in METHODS}
    record_property("not implemented", sorted(missing))
    section = re.split(r"^## ", DIFFERENCES.split("\n## Not there yet\n")[1], flags=re.MULTILINE)[0]
    assert {name for name in missing if not re.search(rf"\b{name}\b", section)} == set()
