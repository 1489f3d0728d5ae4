"""The table of condition keys is right: every row is read from the request that its operation has, as AWS documents it."""

import re
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message_factory import GetMessageClass

from keyferry_server.authz.permission import ACROSS_ACCOUNTS, WITHOUT_KEY, Permission
from keyferry_server.call import Route
from keyferry_server.domain.grant import GrantOperation
from keyferry_server.routes import ROUTES
from keyferry_server.transport.grpc import SERVICES
from keyferry_server.wire.condition_keys import (
    TABLE,
    ConditionKeys,
    FoundOut,
    FoundOutKeys,
    RequestFacts,
    condition_keys,
)

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "permissions.md"
REQUESTS = {
    method.name: GetMessageClass(method.input_type) for service in SERVICES for method in service.methods
}
BY_PERMISSION = {permission: route for route in ROUTES for permission in route.permissions}

_CONTEXT = {"kms:EncryptionContext:KEY", "kms:EncryptionContextKeys"}
_CRYPTOGRAPHIC = {*_CONTEXT, "kms:EncryptionAlgorithm", "kms:RequestAlias"}
_KIND = {"kms:KeyOrigin", "kms:KeySpec", "kms:KeyUsage", "kms:CustomerMasterKeySpec", "kms:CustomerMasterKeyUsage", "kms:MultiRegion"}  # fmt: skip
_TAGS = {"aws:RequestTag/TAG-KEY", "aws:TagKeys"}

# What AWS's documentation of each condition key says about the operations that it is of, transcribed.
AWS: dict[str, set[str]] = {
    "kms:CreateGrant": {*_CONTEXT, "kms:GrantConstraintType", "kms:GrantIsForAWSResource", "kms:GrantOperations", "kms:GranteePrincipal", "kms:RetiringPrincipal"},
    "kms:CreateKey": {*_KIND, *_TAGS, "kms:BypassPolicyLockoutSafetyCheck", "kms:MultiRegionKeyType"},
    "kms:Decrypt": _CRYPTOGRAPHIC,
    "kms:DeriveSharedSecret": {"kms:KeyAgreementAlgorithm", "kms:RequestAlias"},
    "kms:DescribeKey": {"kms:RequestAlias"},
    "kms:EnableKeyRotation": {"kms:RotationPeriodInDays"},
    "kms:Encrypt": _CRYPTOGRAPHIC,
    "kms:GenerateDataKey": _CRYPTOGRAPHIC,
    "kms:GenerateDataKeyPair": {*_CRYPTOGRAPHIC, "kms:DataKeyPairSpec"},
    "kms:GenerateDataKeyPairWithoutPlaintext": {*_CRYPTOGRAPHIC, "kms:DataKeyPairSpec"},
    "kms:GenerateDataKeyWithoutPlaintext": _CRYPTOGRAPHIC,
    "kms:GenerateMac": {"kms:MacAlgorithm", "kms:RequestAlias"},
    "kms:GetKeyPolicy": {"kms:PolicyName"},
    "kms:GetParametersForImport": {"kms:WrappingAlgorithm", "kms:WrappingKeySpec"},
    "kms:GetPublicKey": {"kms:RequestAlias"},
    "kms:ImportKeyMaterial": {"kms:ExpirationModel", "kms:ValidTo"},
    "kms:ListGrants": {"kms:GrantIsForAWSResource"},
    "kms:PutKeyPolicy": {"kms:BypassPolicyLockoutSafetyCheck", "kms:PolicyName"},
    "kms:ReEncryptFrom": {*_CRYPTOGRAPHIC, "kms:ReEncryptOnSameKey"},
    "kms:ReEncryptTo": {*_CRYPTOGRAPHIC, "kms:ReEncryptOnSameKey"},
    "kms:ReplicateKey": {*_TAGS, "kms:BypassPolicyLockoutSafetyCheck", "kms:ReplicaRegion"},
    "kms:RetireGrant": {*_CONTEXT, "kms:GrantConstraintType"},
    "kms:RevokeGrant": {"kms:GrantIsForAWSResource"},
    "kms:ScheduleKeyDeletion": {"kms:ScheduleKeyDeletionPendingWindowInDays"},
    "kms:Sign": {"kms:MessageType", "kms:RequestAlias", "kms:SigningAlgorithm"},
    "kms:TagResource": _TAGS,
    "kms:UntagResource": {"aws:TagKeys"},
    "kms:UpdatePrimaryRegion": {"kms:PrimaryRegion"},
    "kms:Verify": {"kms:MessageType", "kms:RequestAlias", "kms:SigningAlgorithm"},
    "kms:VerifyMac": {"kms:MacAlgorithm", "kms:RequestAlias"},
}  # fmt: skip


def filled(request_type: Any) -> Any:
    """Return a request with something in every member."""
    request = request_type()
    for field in request_type.DESCRIPTOR.fields:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            getattr(request, field.name)["a"] = "1"
        elif field.message_type is not None:
            inner = filled(GetMessageClass(field.message_type))
            member = getattr(request, field.name)
            member.append(inner) if field.is_repeated else member.CopyFrom(inner)
        elif field.is_repeated:
            getattr(request, field.name).append(1 if field.enum_type is not None else "x")
        elif field.enum_type is not None or field.cpp_type in {field.CPPTYPE_INT32, field.CPPTYPE_INT64}:
            setattr(request, field.name, 1)
        elif field.cpp_type == field.CPPTYPE_BOOL:
            setattr(request, field.name, True)
        elif field.cpp_type == field.CPPTYPE_STRING:
            setattr(request, field.name, b"x" if field.type == field.TYPE_BYTES else "alias/x")
    return request


def test_the_condition_keys_of_each_permission_are_those_of_aws() -> None:
    ours = {permission: set(condition_keys(permission)) for permission in TABLE}
    assert ours == AWS


def test_every_permission_of_the_table_is_asked_for_by_an_operation() -> None:
    assert set(TABLE) <= set(Permission)


@pytest.mark.parametrize("permission", sorted(TABLE))
def test_every_condition_key_is_read_from_the_request_of_its_operation(permission: str) -> None:
    routes: list[Route] = [BY_PERMISSION[Permission(permission)]]
    if permission == Permission.TAG_RESOURCE:
        routes += [route for route in ROUTES if route.name == "CreateKey"]
    for route in routes:
        facts = RequestFacts(permission, filled(REQUESTS[route.name]), {})
        empty = RequestFacts(permission, REQUESTS[route.name](), {})
        for row in TABLE[permission]:
            name = f"{row.name}a" if row.name.startswith("kms:EncryptionContext:") else row.name
            name = f"{row.name}alias/x" if row.name == "aws:RequestTag/" else name
            values = facts.values(name.lower())
            assert bool(values) is not isinstance(row, FoundOut | FoundOutKeys), row.name
            if isinstance(row, ConditionKeys):
                assert list(empty.values(name.lower())) == []


def test_the_page_of_permissions_says_for_each_operation_what_is_enforced() -> None:
    rows = {
        (operation, permission): (across == "yes", by_grant == "yes", set(re.findall(r"`([^`]+)`", keys)))
        for operation, permission, across, by_grant, keys in re.findall(
            r"^\| \[(\w+)\]\(\w+\.md\) \| `([\w:]+)` \| [^|]+ \| (yes|no) \| (yes|no) \| (.*) \|$",
            PAGE.read_text(),
            re.MULTILINE,
        )
    }
    grantable = {f"kms:{operation}" for operation in GrantOperation}
    assert rows == {
        (route.name, permission): (
            permission in ACROSS_ACCOUNTS,
            permission in grantable,
            AWS.get(permission, set()),
        )
        for route in ROUTES
        for permission in route.permissions
    }


def test_what_concerns_no_key_is_what_names_none() -> None:
    assert {BY_PERMISSION[permission].name for permission in WITHOUT_KEY} == {
        "CreateKey",
        "GenerateRandom",
        "ListAliases",
        "ListKeys",
        "ListRetirableGrants",
    }
