"""THE TABLE of condition keys: what policies can ask of a request, by permission, and where in the request it stands.

What they can ask of every call is in ``authz.conditions``; docs/policies.md lists both.
A key that is not here, or whose member is absent, is not in the request.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.protobuf.message import Message

from keyferry_server.domain.errors import AccessDeniedException, shown
from keyferry_server.domain.grant import GrantTerms
from keyferry_server.domain.identifiers import ALIAS_PREFIX
from keyferry_server.domain.letter_case import fold, values_of
from keyferry_server.wire.constraints import enum_prefix
from keyferry_server.wire.grants import parse_grant_terms

_ENCRYPTION_CONTEXT = "kms:encryptioncontext:"

Read = Callable[[Any], Sequence[str]]
Pairs = Callable[[Any], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class ConditionKey:
    """One key, as it is documented, and how its values are read from a request."""

    name: str
    read: Read


@dataclass(frozen=True, slots=True)
class ConditionKeys:
    """A key for each pair of a map: the name ends where the pair's own key begins."""

    name: str
    stands_for: str
    pairs: Pairs


@dataclass(frozen=True, slots=True)
class FoundOut:
    """One key whose values are not in the request: the operation finds them out (``Call.facts``)."""

    name: str


@dataclass(frozen=True, slots=True)
class FoundOutKeys:
    """Like FoundOut, a key for each pair of a map: each fact's name has the pair's own key at its end."""

    name: str
    stands_for: str


Row = ConditionKey | ConditionKeys | FoundOut | FoundOutKeys
MULTI_REGION_KEY_TYPE = "kms:MultiRegionKeyType"
RE_ENCRYPT_ON_SAME_KEY = "kms:ReEncryptOnSameKey"
ENCRYPTION_CONTEXT = "kms:EncryptionContext:"
ENCRYPTION_CONTEXT_KEYS = "kms:EncryptionContextKeys"
GRANT_CONSTRAINT_TYPE = "kms:GrantConstraintType"


def _member(name: str, member: str, default: str | None = None) -> ConditionKey:
    """A text, a number or a truth value of the request."""

    def read(request: Message) -> Sequence[str]:
        if not request.HasField(member):
            return () if default is None else (default,)
        value = getattr(request, member)
        return (str(value).lower() if isinstance(value, bool) else str(value),)

    return ConditionKey(name, read)


def _enum(name: str, member: str, default: str | None = None) -> ConditionKey:
    """An enumeration of the request, by AWS's name of its value."""

    def read(request: Message) -> Sequence[str]:
        number: int = getattr(request, member)
        if number == 0:
            return () if default is None else (default,)
        return (_enum_name(request, member, number),)

    return ConditionKey(name, read)


def _key_spec(name: str) -> ConditionKey:
    """The key spec that CreateKey is asked for, by its new name or by its old one."""

    def read(request: Any) -> Sequence[str]:
        for member in ("key_spec", "customer_master_key_spec"):
            if getattr(request, member) != 0:
                return (_enum_name(request, member, getattr(request, member)),)
        return ("SYMMETRIC_DEFAULT",)

    return ConditionKey(name, read)


def _enums(name: str, member: str) -> ConditionKey:
    """A list of an enumeration."""

    def read(request: Message) -> Sequence[str]:
        return tuple(_enum_name(request, member, number) for number in getattr(request, member))

    return ConditionKey(name, read)


def _enum_name(request: Message, member: str, number: int) -> str:
    enum: Any = request.DESCRIPTOR.fields_by_name[member].enum_type
    name: str = enum.values_by_number[number].name
    return name.removeprefix(enum_prefix(enum.name))


def _seconds(name: str, member: str) -> ConditionKey:
    """A moment, in seconds since 1970."""

    def read(request: Message) -> Sequence[str]:
        return (str(getattr(request, member).seconds),) if request.HasField(member) else ()

    return ConditionKey(name, read)


def _alias(member: str) -> ConditionKey:
    """The alias that the key is named by, if it is named by one."""

    def read(request: Message) -> Sequence[str]:
        text: str = getattr(request, member)
        resource = text.split(":", 5)[-1] if text.startswith("arn:") else text
        return (resource,) if resource.startswith(ALIAS_PREFIX) else ()

    return ConditionKey("kms:RequestAlias", read)


def _context(pairs: Pairs) -> tuple[ConditionKeys, ConditionKey]:
    return (
        ConditionKeys(ENCRYPTION_CONTEXT, "KEY", pairs),
        ConditionKey(ENCRYPTION_CONTEXT_KEYS, lambda request: tuple(pairs(request))),
    )


def _encrypting(context: str = "encryption_context", algorithm: str = "encryption_algorithm", key: str = "key_id") -> tuple[Row, ...]:  # fmt: skip
    return (
        _enum("kms:EncryptionAlgorithm", algorithm, default="SYMMETRIC_DEFAULT"),
        *_context(lambda request: getattr(request, context)),
        _alias(key),
    )


def _tagging() -> tuple[Row, ...]:
    return (
        ConditionKeys(
            "aws:RequestTag/", "TAG-KEY", lambda request: {tag.tag_key: tag.tag_value for tag in request.tags}
        ),
        ConditionKey("aws:TagKeys", lambda request: tuple(tag.tag_key for tag in request.tags)),
    )


def _always(name: str, value: str) -> ConditionKey:
    return ConditionKey(name, lambda _: (value,))


def _constrained_context(terms: GrantTerms) -> Mapping[str, str]:
    """The encryption context that a grant is constrained to: all pairs of both constraints."""
    return {**(terms.constraints.subset or {}), **(terms.constraints.equals or {})}


def _constraint_types(terms: GrantTerms) -> Sequence[str]:
    types = {
        "EncryptionContextEquals": terms.constraints.equals,
        "EncryptionContextSubset": terms.constraints.subset,
    }
    return tuple(name for name, pairs in types.items() if pairs)


_DATA_KEY = (
    _always("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT"),
    *_context(lambda request: request.encryption_context),
    _alias("key_id"),
)
_DATA_KEY_PAIR = (_enum("kms:DataKeyPairSpec", "key_pair_spec"), *_DATA_KEY)
_SIGNATURE = (
    _enum("kms:SigningAlgorithm", "signing_algorithm"),
    _enum("kms:MessageType", "message_type", default="RAW"),
    _alias("key_id"),
)
_MAC = (_enum("kms:MacAlgorithm", "mac_algorithm"), _alias("key_id"))

TABLE: Mapping[str, tuple[Row, ...]] = {
    "kms:CreateGrant": (
        *_context(lambda request: _constrained_context(parse_grant_terms(request))),
        ConditionKey(GRANT_CONSTRAINT_TYPE, lambda request: _constraint_types(parse_grant_terms(request))),
        _always("kms:GrantIsForAWSResource", "false"),
        ConditionKey("kms:GrantOperations", lambda request: sorted(parse_grant_terms(request).operations)),
        _member("kms:GranteePrincipal", "grantee_principal"),
        _member("kms:RetiringPrincipal", "retiring_principal"),
    ),
    "kms:CreateKey": (
        _member("kms:BypassPolicyLockoutSafetyCheck", "bypass_policy_lockout_safety_check"),
        _key_spec("kms:CustomerMasterKeySpec"),
        _enum("kms:CustomerMasterKeyUsage", "key_usage", default="ENCRYPT_DECRYPT"),
        _enum("kms:KeyOrigin", "origin", default="AWS_KMS"),
        _key_spec("kms:KeySpec"),
        _enum("kms:KeyUsage", "key_usage", default="ENCRYPT_DECRYPT"),
        _member("kms:MultiRegion", "multi_region", default="false"),
        FoundOut(MULTI_REGION_KEY_TYPE),
        *_tagging(),
    ),
    "kms:Decrypt": _encrypting(),
    "kms:DeriveSharedSecret": (
        _enum("kms:KeyAgreementAlgorithm", "key_agreement_algorithm"),
        _alias("key_id"),
    ),
    "kms:DescribeKey": (_alias("key_id"),),
    "kms:EnableKeyRotation": (_member("kms:RotationPeriodInDays", "rotation_period_in_days", default="365"),),
    "kms:Encrypt": _encrypting(),
    "kms:GenerateDataKey": _DATA_KEY,
    "kms:GenerateDataKeyPair": _DATA_KEY_PAIR,
    "kms:GenerateDataKeyPairWithoutPlaintext": _DATA_KEY_PAIR,
    "kms:GenerateDataKeyWithoutPlaintext": _DATA_KEY,
    "kms:GenerateMac": _MAC,
    "kms:GetKeyPolicy": (_member("kms:PolicyName", "policy_name", default="default"),),
    "kms:GetParametersForImport": (
        _enum("kms:WrappingAlgorithm", "wrapping_algorithm"),
        _enum("kms:WrappingKeySpec", "wrapping_key_spec"),
    ),
    "kms:GetPublicKey": (_alias("key_id"),),
    "kms:ImportKeyMaterial": (
        _enum("kms:ExpirationModel", "expiration_model"),
        _seconds("kms:ValidTo", "valid_to"),
    ),
    "kms:ListGrants": (_always("kms:GrantIsForAWSResource", "false"),),
    "kms:PutKeyPolicy": (
        _member("kms:BypassPolicyLockoutSafetyCheck", "bypass_policy_lockout_safety_check"),
        _member("kms:PolicyName", "policy_name", default="default"),
    ),
    "kms:ReEncryptFrom": (
        *_encrypting("source_encryption_context", "source_encryption_algorithm", "source_key_id"),
        FoundOut(RE_ENCRYPT_ON_SAME_KEY),
    ),
    "kms:ReEncryptTo": (
        *_encrypting(
            "destination_encryption_context", "destination_encryption_algorithm", "destination_key_id"
        ),
        FoundOut(RE_ENCRYPT_ON_SAME_KEY),
    ),
    "kms:ReplicateKey": (
        _member("kms:BypassPolicyLockoutSafetyCheck", "bypass_policy_lockout_safety_check"),
        _member("kms:ReplicaRegion", "replica_region"),
        *_tagging(),
    ),
    "kms:RetireGrant": (
        FoundOutKeys(ENCRYPTION_CONTEXT, "KEY"),
        FoundOut(ENCRYPTION_CONTEXT_KEYS),
        FoundOut(GRANT_CONSTRAINT_TYPE),
    ),
    "kms:RevokeGrant": (_always("kms:GrantIsForAWSResource", "false"),),
    "kms:ScheduleKeyDeletion": (
        _member("kms:ScheduleKeyDeletionPendingWindowInDays", "pending_window_in_days", default="30"),
    ),
    "kms:TagResource": _tagging(),
    "kms:UntagResource": (ConditionKey("aws:TagKeys", lambda request: tuple(request.tag_keys)),),
    "kms:Sign": _SIGNATURE,
    "kms:UpdatePrimaryRegion": (_member("kms:PrimaryRegion", "primary_region"),),
    "kms:Verify": _SIGNATURE,
    "kms:VerifyMac": _MAC,
}


def condition_keys(permission: str) -> Sequence[str]:
    """Return the names of the condition keys that requests for a permission have, as they are documented."""
    return tuple(
        f"{key.name}{key.stands_for}" if isinstance(key, ConditionKeys | FoundOutKeys) else key.name
        for key in TABLE.get(permission, ())
    )


class RequestFacts:
    """What one request says of itself to whoever decides on a permission."""

    def __init__(self, permission: str, request: Any, facts: Mapping[str, Sequence[str]]) -> None:
        """Take the request, and what was found out about it, by condition key."""
        self._permission = permission
        self._request = request
        self._facts = facts

    def values(self, key: str) -> Sequence[str]:
        """Return the values of a condition key, which is written in lower case.

        AccessDeniedException if pairs of the request differ in nothing but case: a
        policy that decides by one of them must not be taken in by the other.
        """
        singles, families, found_out, found_out_families = _index(self._permission)
        read = singles.get(key)
        if read is not None:
            return read(self._request)
        if key in found_out:
            return self._facts.get(found_out[key], ())
        if any(key.startswith(prefix) for prefix in found_out_families):
            return [value for name, values in self._facts.items() if fold(name) == key for value in values]
        for prefix, pairs in families.items():
            if key.startswith(prefix):
                return _values_of_pair(prefix, key.removeprefix(prefix), pairs(self._request))
        return ()

    @property
    def grant_terms(self) -> GrantTerms | None:
        """The terms of the grant that the request asks for, if it does."""
        return parse_grant_terms(self._request) if self._permission == "kms:CreateGrant" else None

    @property
    def encryption_context(self) -> Mapping[str, str] | None:
        """The encryption context of the request; None if it can have none."""
        pairs = _index(self._permission)[1].get(_ENCRYPTION_CONTEXT)
        return None if pairs is None else pairs(self._request)


def _values_of_pair(prefix: str, name: str, pairs: Mapping[str, str]) -> Sequence[str]:
    values = values_of(pairs, name)
    if len(values) > 1:
        raise AccessDeniedException(
            f"The request has {prefix}{shown(name)} more than once, in different case. A policy that decides by it "
            "cannot tell them apart."
        )
    return values


def facts_of_grant(terms: GrantTerms) -> Mapping[str, Sequence[str]]:
    """Return what a grant that is to be retired says, as CreateGrant was asked for it."""
    pairs = _constrained_context(terms)
    return {
        **{ENCRYPTION_CONTEXT + key: (value,) for key, value in pairs.items()},
        ENCRYPTION_CONTEXT_KEYS: tuple(pairs),
        GRANT_CONSTRAINT_TYPE: _constraint_types(terms),
    }


@cache
def _index(
    permission: str,
) -> tuple[Mapping[str, Read], Mapping[str, Pairs], Mapping[str, str], Sequence[str]]:
    listed = TABLE.get(permission, ())
    singles = {fold(key.name): key.read for key in listed if isinstance(key, ConditionKey)}
    families = {fold(key.name): key.pairs for key in listed if isinstance(key, ConditionKeys)}
    found_out = {fold(key.name): key.name for key in listed if isinstance(key, FoundOut)}
    found_out_families = tuple(fold(key.name) for key in listed if isinstance(key, FoundOutKeys))
    return singles, families, found_out, found_out_families
