"""How a condition compares a value of the request with what the policy says, by operator.

A negated operator is the opposite of its positive one, also for a condition key
that the request does not have: nothing is equal to what is not there.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from keyferry_server.authz.policy.patterns import Context, Pattern, parse_pattern

_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:[0-9]{2}))?"
)
_ARN_PARTS = 6

Prepare = Callable[[str, bool], Any]
Matches = Callable[[Any, str, Context], bool]


@dataclass(frozen=True, slots=True)
class Operator:
    """One kind of comparison.

    `prepare` reads a value of the policy, which may have variables or not, once;
    ValueError says what is wrong with it. `matches` compares what it made with one
    value of the request.
    """

    name: str
    prepare: Prepare
    matches: Matches
    is_negated: bool = False


def parse_number(text: str) -> Decimal:
    """Return a number; ValueError if it is none."""
    if _NUMBER.fullmatch(text) is None:
        raise ValueError("is not a number")
    return Decimal(text)


def parse_moment(text: str) -> datetime:
    """Return a moment, from ISO 8601 or from seconds since 1970; ValueError if it is neither."""
    try:
        if _DATE.fullmatch(text):
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        if _NUMBER.fullmatch(text):
            return datetime.fromtimestamp(float(text), UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise ValueError("is not a date: expected ISO 8601, as in 2030-01-31T12:00:00Z, or seconds since 1970")


def _text(text: str, variables: bool) -> Pattern:  # noqa: FBT001 -- the type of Prepare
    return parse_pattern(text, wildcards=False, variables=variables)


def _text_in_any_case(text: str, variables: bool) -> Pattern:  # noqa: FBT001 -- as above
    return parse_pattern(text, wildcards=False, variables=variables, ignores_case=True)


def _text_with_wildcards(text: str, variables: bool) -> Pattern:  # noqa: FBT001 -- as above
    return parse_pattern(text, wildcards=True, variables=variables)


def _matches_text(operand: Pattern, value: str, context: Context) -> bool:
    return operand.matches(value, context)


def _arn(text: str, variables: bool) -> tuple[Pattern, ...]:  # noqa: FBT001 -- as above
    """Split an ARN before its variables are filled in: a value with colons stays in its part."""
    whole = parse_pattern(text, wildcards=True, variables=variables)
    parts: list[list[Any]] = [[]]
    for token in whole.tokens:
        if not isinstance(token, str):
            parts[-1].append(token)
            continue
        first, *others = token.split(":", _ARN_PARTS - len(parts))
        parts[-1].append(first)
        parts.extend([other] for other in others)
    if len(parts) != _ARN_PARTS:
        raise ValueError("is not an ARN, which has six parts with colons between them")
    return tuple(Pattern(tuple(token for token in part if token != "")) for part in parts)


def _matches_arn(operand: tuple[Pattern, ...], value: str, context: Context) -> bool:
    parts = value.split(":", _ARN_PARTS - 1)
    return len(parts) == _ARN_PARTS and all(
        pattern.matches(part, context) for pattern, part in zip(operand, parts, strict=True)
    )


def _number(text: str, _: bool) -> Decimal:  # noqa: FBT001 -- as above
    return parse_number(text)


def _moment(text: str, _: bool) -> datetime:  # noqa: FBT001 -- as above
    return parse_moment(text)


def _compared(parse: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> Matches:
    def matches(operand: Any, value: str, _: Context) -> bool:
        try:
            return compare(parse(value), operand)
        except ValueError:
            return False  # what cannot be read equals nothing, is less than nothing and greater than nothing

    return matches


def _truth(text: str, _: bool) -> bool:  # noqa: FBT001 -- as above
    if text.lower() not in {"true", "false"}:
        raise ValueError("is neither true nor false")
    return text.lower() == "true"


def _matches_truth(operand: bool, value: str, _: Context) -> bool:  # noqa: FBT001 -- the value compared
    return value.lower() == ("true" if operand else "false")


def _bytes(text: str, _: bool) -> bytes:  # noqa: FBT001 -- as above
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64") from None


def _matches_bytes(operand: bytes, value: str, _: Context) -> bool:
    try:
        return base64.b64decode(value, validate=True) == operand
    except (binascii.Error, ValueError):
        return False


_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _network(text: str, _: bool) -> _Network:  # noqa: FBT001 -- as above
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError("is neither an IP address nor a range of them, as in 203.0.113.0/24") from None


def _matches_network(operand: _Network, value: str, _: Context) -> bool:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    return address.version == operand.version and address in operand


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": lambda value, operand: value == operand,
    "LessThan": lambda value, operand: value < operand,
    "LessThanEquals": lambda value, operand: value <= operand,
    "GreaterThan": lambda value, operand: value > operand,
    "GreaterThanEquals": lambda value, operand: value >= operand,
}
_POSITIVE: dict[str, tuple[Prepare, Matches]] = {
    "StringEquals": (_text, _matches_text),
    "StringEqualsIgnoreCase": (_text_in_any_case, _matches_text),
    "StringLike": (_text_with_wildcards, _matches_text),
    **{f"Numeric{name}": (_number, _compared(parse_number, one)) for name, one in _COMPARISONS.items()},
    **{f"Date{name}": (_moment, _compared(parse_moment, one)) for name, one in _COMPARISONS.items()},
    "Bool": (_truth, _matches_truth),
    "BinaryEquals": (_bytes, _matches_bytes),
    "IpAddress": (_network, _matches_network),
    "ArnEquals": (_arn, _matches_arn),
    "ArnLike": (_arn, _matches_arn),
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}

NULL = Operator("Null", _truth, _matches_truth)
OPERATORS = {
    operator.name: operator
    for operator in (
        NULL,
        *(Operator(name, prepare, matches) for name, (prepare, matches) in _POSITIVE.items()),
        *(Operator(name, *_POSITIVE[positive], is_negated=True) for name, positive in _NEGATED.items()),
    )
}
