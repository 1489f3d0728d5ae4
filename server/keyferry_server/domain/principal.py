"""Principals: who can be named by policies, by grants, and as the caller of a call.

::

    account root   arn:aws:iam::111122223333:root              stands for the account itself
    user           arn:aws:iam::111122223333:user/team/alice   a path may stand before the name
    role           arn:aws:iam::111122223333:role/backup

AWS's sessions (``arn:aws:sts::111122223333:assumed-role/backup/nightly``) may be
named, too; nobody here is one.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keyferry_server.domain.errors import (
    InvalidArnException,
    LimitExceededException,
    ValidationException,
    shown,
)

LONGEST_ARN = 256
LONGEST_POLICY_BYTES = 32_768
MOST_POLICIES = 10
ACCOUNT_ID = re.compile(r"[0-9]{12}")
_NAME = r"[A-Za-z0-9+=,.@_-]{1,64}"
_POLICY_NAME = re.compile(r"[A-Za-z0-9+=,.@_-]{1,128}")
_PATH = r"(?:[!-.0-~]+/)*"
_ACCOUNT = r"[a-z][a-z-]*:iam::(?P<account_id>[0-9]{12})"
PRINCIPAL_ARN = re.compile(
    rf"arn:{_ACCOUNT}:(?:(?P<root>root)|(?P<kind>user|role)/{_PATH}(?P<name>{_NAME}))"
    rf"|arn:[a-z][a-z-]*:sts::[0-9]{{12}}:(?:assumed-role/{_NAME}/{_NAME}|federated-user/{_NAME})"
)


class PrincipalKind(StrEnum):
    """What a principal is. The root of an account is always there, the others are made."""

    ROOT = "root"
    USER = "user"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class PrincipalName:
    """A principal of this service by its ARN, and what the ARN says of it. Roots have their account's number as name."""

    arn: str
    account_id: str
    kind: PrincipalKind
    name: str


def parse_principal_name(arn: str) -> PrincipalName:
    """Return what the ARN of a root, a user or a role says; InvalidArnException for everything else."""
    found = PRINCIPAL_ARN.fullmatch(arn) if len(arn) <= LONGEST_ARN else None
    if found is None or found["account_id"] is None:
        raise broken_principal_arn(arn)
    kind = PrincipalKind(found["kind"] or found["root"])
    return PrincipalName(arn, found["account_id"], kind, found["name"] or found["account_id"])


def check_principal_arn(arn: str) -> str:
    """Return an ARN that a grant may name; InvalidArnException if it is no principal's."""
    if len(arn) > LONGEST_ARN or PRINCIPAL_ARN.fullmatch(arn) is None:
        raise broken_principal_arn(arn)
    return arn


def account_of(arn: str) -> str:
    """Return the account of a principal whose ARN was checked."""
    return arn.split(":")[4]


def broken_principal_arn(arn: str) -> InvalidArnException:
    """Refuse what is not the ARN of a principal."""
    return InvalidArnException(
        f"Invalid ARN '{shown(arn)}'. The ARN of a principal has the form arn:PARTITION:iam::ACCOUNT:user/NAME, "
        "arn:PARTITION:iam::ACCOUNT:role/NAME or arn:PARTITION:iam::ACCOUNT:root."
    )


@dataclass(frozen=True, slots=True)
class PrincipalRecord:
    """A user or a role that was made."""

    arn: str
    account_id: str
    kind: PrincipalKind
    created_at: datetime


@dataclass(frozen=True, slots=True)
class IdentityPolicy:
    """A policy document that is attached to a principal under a name."""

    name: str
    document: str
    attached_at: datetime


def check_makeable(name: PrincipalName) -> None:
    """Raise ValidationException for a principal that cannot be made: the root is there with its account."""
    if name.kind is PrincipalKind.ROOT:
        raise ValidationException(f"{name.arn} is always there; only users and roles are made and deleted.")


def check_policy_attachment(name: str, document: str) -> None:
    """Raise ValidationException or LimitExceededException for a name or a size that an identity policy cannot have."""
    if _POLICY_NAME.fullmatch(name) is None:
        raise ValidationException(
            "The name of a policy has 1 to 128 characters: letters, digits and any of +=,.@_-"
        )
    size = len(document.encode())
    if size > LONGEST_POLICY_BYTES:
        raise LimitExceededException(
            f"The policy document has {size} bytes, and at most {LONGEST_POLICY_BYTES} are allowed."
        )
