"""Enumerations: a protobuf enum value is its domain value with the enum's name before it, in upper case."""

import re
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from keyferry import v1
from keyferry_server.domain.grant import GrantOperation
from keyferry_server.domain.key import KeySpec, KeyState, KeyUsage, Origin
from keyferry_server.domain.key_material import (
    ExpirationModel,
    ImportType,
    KeyMaterialState,
    RotationType,
    WrappingAlgorithm,
    WrappingKeySpec,
)
from keyferry_server.domain.key_specs import (
    DataKeyPairSpec,
    EncryptionAlgorithm,
    KeyAgreementAlgorithm,
    MacAlgorithm,
    MessageType,
    SigningAlgorithm,
)
from keyferry_server.domain.multi_region import MultiRegionKeyType
from keyferry_server.wire.constraints import enum_prefix

D = TypeVar("D", bound=StrEnum)

# Any: the generated stubs type an enum as a class, at run time it is a wrapper of its descriptor.
_ON_THE_WIRE: dict[type[StrEnum], Any] = {
    DataKeyPairSpec: v1.DataKeyPairSpec,
    EncryptionAlgorithm: v1.EncryptionAlgorithmSpec,
    ExpirationModel: v1.ExpirationModelType,
    GrantOperation: v1.GrantOperation,
    ImportType: v1.ImportType,
    KeyAgreementAlgorithm: v1.KeyAgreementAlgorithmSpec,
    KeyMaterialState: v1.KeyMaterialState,
    KeySpec: v1.KeySpec,
    KeyState: v1.KeyState,
    KeyUsage: v1.KeyUsageType,
    MacAlgorithm: v1.MacAlgorithmSpec,
    MessageType: v1.MessageType,
    MultiRegionKeyType: v1.MultiRegionKeyType,
    Origin: v1.OriginType,
    RotationType: v1.RotationType,
    SigningAlgorithm: v1.SigningAlgorithmSpec,
    WrappingAlgorithm: v1.AlgorithmSpec,
    WrappingKeySpec: v1.WrappingKeySpec,
}


def parse_enum(number: int, domain: type[D]) -> D | None:
    """Return the domain value of a validated enum field; None if it is absent."""
    return None if number == 0 else parse_required_enum(number, domain)


def parse_required_enum(number: int, domain: type[D]) -> D:
    """Return the domain value of a validated enum field that is required."""
    value: D = _values(domain)[number]
    return value


def format_enum(value: StrEnum) -> Any:
    """Return the protobuf value of a domain value."""
    return _numbers(type(value))[value]


@cache
def _numbers(domain: type[StrEnum]) -> dict[StrEnum, int]:
    enum = _ON_THE_WIRE[domain]
    prefix = enum_prefix(enum.DESCRIPTOR.name)
    return {value: enum.Value(prefix + _in_upper_case(value)) for value in domain}


def _in_upper_case(value: str) -> str:
    """Return the value as protobuf spells it: GenerateDataKey is GENERATE_DATA_KEY."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", value).upper()


@cache
def _values(domain: type[D]) -> dict[int, D]:
    return {_numbers(domain)[value]: value for value in domain}
