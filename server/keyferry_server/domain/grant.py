"""Grants: permissions for one key, given to one principal, that its policy need not name.

The rules:

1. A grant allows its operations to its grantee, within its constraints; it never
   denies. What a policy denies, it does not allow.
2. A grant to the root of an account is one to the account: its other principals
   need an identity policy besides, as with a key policy.
3. Constraints count where a request has an encryption context. DescribeKey and
   RetireGrant have none, and are allowed regardless. Grants on keys that take no
   encryption context have no constraints. In the keys of pairs case does not count.
4. Whoever may create grants by a grant alone can give no more than that grant: the
   same operations or fewer, under constraints that are the same or stricter.
5. A grant is retired by its retiring principal, by its grantee if RetireGrant is
   among its operations, and by the account that owns the key; each of the two accounts
   may leave that to others by their identity policies. It is revoked by whom the
   key policy allows it.
6. The same name with the same terms again is the same grant.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keyferry_server.domain.errors import InvalidGrantIdException, ValidationException, shown
from keyferry_server.domain.identifiers import KeyIdentifier
from keyferry_server.domain.key import Key, KeyUsage
from keyferry_server.domain.key_specs import ASYMMETRIC
from keyferry_server.domain.letter_case import fold

MOST_GRANTS_OF_KEY = 50_000
MOST_GRANTS_OF_GRANTEE = 500
MOST_PAIRS = 8
LONGEST_CONSTRAINT = 384
GRANT_ID_BYTES = 32
GRANT_ID = f"[0-9a-f]{{{2 * GRANT_ID_BYTES}}}"


class GrantOperation(StrEnum):
    """What a grant can allow: the name of a permission, without its service."""

    DECRYPT = "Decrypt"
    ENCRYPT = "Encrypt"
    GENERATE_DATA_KEY = "GenerateDataKey"
    GENERATE_DATA_KEY_WITHOUT_PLAINTEXT = "GenerateDataKeyWithoutPlaintext"
    RE_ENCRYPT_FROM = "ReEncryptFrom"
    RE_ENCRYPT_TO = "ReEncryptTo"
    SIGN = "Sign"
    VERIFY = "Verify"
    GET_PUBLIC_KEY = "GetPublicKey"
    CREATE_GRANT = "CreateGrant"
    RETIRE_GRANT = "RetireGrant"
    DESCRIBE_KEY = "DescribeKey"
    GENERATE_DATA_KEY_PAIR = "GenerateDataKeyPair"
    GENERATE_DATA_KEY_PAIR_WITHOUT_PLAINTEXT = "GenerateDataKeyPairWithoutPlaintext"
    GENERATE_MAC = "GenerateMac"
    VERIFY_MAC = "VerifyMac"
    DERIVE_SHARED_SECRET = "DeriveSharedSecret"  # noqa: S105 -- a name, no secret


# What a grant on a key can allow: by the key's usage, by its kind, and what goes with every key.
_EVERY_KEY = frozenset(
    {GrantOperation.CREATE_GRANT, GrantOperation.RETIRE_GRANT, GrantOperation.DESCRIBE_KEY}
)
_OF_USAGE = {
    KeyUsage.ENCRYPT_DECRYPT: frozenset(
        {
            GrantOperation.DECRYPT,
            GrantOperation.ENCRYPT,
            GrantOperation.RE_ENCRYPT_FROM,
            GrantOperation.RE_ENCRYPT_TO,
        }
    ),
    KeyUsage.SIGN_VERIFY: frozenset({GrantOperation.SIGN, GrantOperation.VERIFY}),
    KeyUsage.GENERATE_VERIFY_MAC: frozenset({GrantOperation.GENERATE_MAC, GrantOperation.VERIFY_MAC}),
    KeyUsage.KEY_AGREEMENT: frozenset({GrantOperation.DERIVE_SHARED_SECRET}),
}
_OF_SYMMETRIC = frozenset(
    {
        GrantOperation.GENERATE_DATA_KEY,
        GrantOperation.GENERATE_DATA_KEY_WITHOUT_PLAINTEXT,
        GrantOperation.GENERATE_DATA_KEY_PAIR,
        GrantOperation.GENERATE_DATA_KEY_PAIR_WITHOUT_PLAINTEXT,
    }
)
_OF_ASYMMETRIC = frozenset({GrantOperation.GET_PUBLIC_KEY})
_WITHOUT_CONTEXT = frozenset({GrantOperation.DESCRIBE_KEY, GrantOperation.RETIRE_GRANT})


@dataclass(frozen=True, slots=True)
class GrantConstraints:
    """What the encryption context of a request must be, or must contain."""

    equals: Mapping[str, str] | None = None
    subset: Mapping[str, str] | None = None

    def admit(self, context: Mapping[str, str]) -> bool:
        """Tell whether a request with that encryption context is within the constraints."""
        if self.equals is None and self.subset is None:
            return True
        folded = _folded(context)
        # Pairs that differ in nothing but case are not for a constraint to tell apart.
        if len(folded) < len(context):
            return False
        return (self.equals is None or folded == _folded(self.equals)) and (
            self.subset is None or _contains(folded, self.subset)
        )

    def is_within(self, other: "GrantConstraints") -> bool:
        """Tell whether everything that these admit is admitted by the other, too."""
        if other.equals is not None and (
            self.equals is None or _folded(self.equals) != _folded(other.equals)
        ):
            return False
        return other.subset is None or any(
            pairs is not None and _contains(_folded(pairs), other.subset)
            for pairs in (self.equals, self.subset)
        )


@dataclass(frozen=True, slots=True)
class GrantTerms:
    """What a grant allows, and within which constraints."""

    operations: frozenset[GrantOperation]
    constraints: GrantConstraints

    def is_within(self, other: "GrantTerms") -> bool:
        """Tell whether these terms give no more than the other (rule 4)."""
        return self.operations <= other.operations and self.constraints.is_within(other.constraints)


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant. Its principals are ARNs; the issuing account is the root of the account that made it."""

    grant_id: str
    key: KeyIdentifier
    name: str | None
    grantee: str
    retiring: str | None
    issuing_account: str
    terms: GrantTerms
    created_at: datetime

    def permits(
        self, operation: str, context: Mapping[str, str] | None, new_terms: GrantTerms | None
    ) -> bool:
        """Tell whether it allows an operation to its grantee (rules 1, 3 and 4).

        `context` is the encryption context of the request, None if it can have none;
        `new_terms` are those of the grant that CreateGrant is asked for.
        """
        if operation not in self.terms.operations:
            return False
        if operation == GrantOperation.CREATE_GRANT:
            return new_terms is not None and new_terms.is_within(self.terms)
        return operation in _WITHOUT_CONTEXT or self.terms.constraints.admit(context or {})


def check_grant_id(grant_id: str) -> str:
    """Return what can be the id of a grant; InvalidGrantIdException for everything else."""
    if re.fullmatch(GRANT_ID, grant_id) is None:
        raise InvalidGrantIdException(
            f"Invalid grant id '{shown(grant_id)}'. It has {2 * GRANT_ID_BYTES} hexadecimal digits in lower case."
        )
    return grant_id


def no_such_grant(grant_id: str, key_arn: str) -> InvalidGrantIdException:
    """Refuse because the key has no grant of that id."""
    return InvalidGrantIdException(f"There is no grant {grant_id} on {key_arn}.")


def check_terms(terms: GrantTerms, key: Key) -> None:
    """Raise ValidationException for terms that no grant on a key of that kind can have."""
    possible = _possible(key)
    impossible = sorted(terms.operations - possible)
    if impossible:
        raise ValidationException(
            f"A grant on a key with the usage {key.key_usage} and the key spec {key.key_spec} cannot allow "
            f"{', '.join(impossible)}. It can allow {', '.join(sorted(possible))}."
        )
    constraints = {"EncryptionContextEquals": terms.constraints.equals, "EncryptionContextSubset": terms.constraints.subset}  # fmt: skip
    for name, pairs in constraints.items():
        if pairs is not None:
            if not key.is_symmetric:
                raise ValidationException(
                    f"{name} can be used with symmetric encryption keys only: others take no encryption context."
                )
            _check_pairs(name, pairs)


def _possible(key: Key) -> frozenset[GrantOperation]:
    possible = _EVERY_KEY | _OF_USAGE[key.key_usage]
    if key.is_symmetric:
        possible |= _OF_SYMMETRIC
    if key.key_spec in ASYMMETRIC:
        possible |= _OF_ASYMMETRIC
    return possible


def _check_pairs(name: str, pairs: Mapping[str, str]) -> None:
    if len(pairs) > MOST_PAIRS:
        raise ValidationException(f"{name} can have at most {MOST_PAIRS} pairs; it has {len(pairs)}.")
    length = sum(len(key) + len(value) for key, value in pairs.items())
    if length > LONGEST_CONSTRAINT:
        raise ValidationException(
            f"{name} can have at most {LONGEST_CONSTRAINT} characters in all; it has {length}."
        )
    if len(_folded(pairs)) < len(pairs):
        raise ValidationException(f"{name} must not have keys that differ in nothing but case.")
    if any("\0" in text for pair in pairs.items() for text in pair):
        raise ValidationException(f"{name} must not contain the character U+0000.")


def _folded(pairs: Mapping[str, str]) -> dict[str, str]:
    return {fold(key): value for key, value in pairs.items()}


def _contains(folded: Mapping[str, str], pairs: Mapping[str, str]) -> bool:
    return all(folded.get(fold(key)) == value for key, value in pairs.items())
