"""Aliases: names of keys.

The rules:

1. An alias belongs to an account and a Region, where its name is unique. It names one
   key there, and can be pointed at another.
2. A name is "alias/" and at least one letter, digit, / _ or -. Names that begin with
   "alias/aws/" are reserved.
3. A key has up to 50 aliases.
4. The other key must be of the same type (symmetric, asymmetric, HMAC) and have the same
   usage, so that who uses the alias need not know that it was pointed elsewhere.
5. An alias ends with its key.
"""

from dataclasses import dataclass
from datetime import datetime

from keyferry_server.domain.errors import (
    AlreadyExistsException,
    InvalidAliasNameException,
    LimitExceededException,
    NotAuthorizedException,
    ValidationException,
)
from keyferry_server.domain.identifiers import ALIAS_PREFIX, AliasIdentifier, Scope
from keyferry_server.domain.key import Key, KeySpec

ALIASES_PER_KEY = 50
_RESERVED = ALIAS_PREFIX + "aws/"


@dataclass(frozen=True, slots=True)
class Alias:
    """One alias, the key that it names, and since when."""

    identifier: AliasIdentifier
    key_id: str
    created_at: datetime
    updated_at: datetime


def parse_alias_name(text: str, scope: Scope) -> AliasIdentifier:
    """Return the alias of that name in `scope` (rule 2).

    `text` keeps to the pattern of the contract. ValidationException, NotAuthorizedException
    and InvalidAliasNameException as AWS has them.
    """
    if not text.startswith(ALIAS_PREFIX):
        raise ValidationException(
            'Alias must start with the prefix "alias/". Please see '
            "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
        )
    if text.startswith(_RESERVED):
        raise NotAuthorizedException(f'Alias names that begin with "{_RESERVED}" are reserved.')
    if text == ALIAS_PREFIX:
        raise InvalidAliasNameException('An alias name has at least one character after the prefix "alias/".')
    if ":" in text:
        raise ValidationException(f"{text} contains invalid characters for an alias")
    return AliasIdentifier(scope, text)


def already_exists(identifier: AliasIdentifier) -> AlreadyExistsException:
    """Return the refusal of a name that is taken (rule 1)."""
    return AlreadyExistsException(f"An alias with the name {identifier.arn} already exists")


def check_quota(key: Key, count: int) -> None:
    """Raise LimitExceededException if a key that has `count` aliases can have no more (rule 3)."""
    if count >= ALIASES_PER_KEY:
        raise LimitExceededException(
            f"{key.arn} has {count} aliases, and a key can have at most {ALIASES_PER_KEY}. "
            "Delete one, or name another key."
        )


def check_same_kind(identifier: AliasIdentifier, current: Key, new: Key) -> None:
    """Raise ValidationException unless an alias may be pointed from one key at another (rule 4)."""
    if current.key_usage != new.key_usage:
        raise ValidationException(
            f"Alias {identifier.name} cannot be changed from a CMK with key usage {current.key_usage} to a CMK with "
            f"key usage {new.key_usage}. The key usage of the current CMK and the new CMK must be the same."
        )
    if _type(current.key_spec) != _type(new.key_spec):
        raise ValidationException(
            f"Alias {identifier.name} cannot be changed from a CMK with key spec {current.key_spec} to a CMK with "
            f"key spec {new.key_spec}. The current CMK and the new CMK must be both symmetric, both asymmetric or "
            "both HMAC."
        )


def _type(spec: KeySpec) -> str:
    family = spec.partition("_")[0]
    return family if family in {"SYMMETRIC", "HMAC"} else "ASYMMETRIC"
