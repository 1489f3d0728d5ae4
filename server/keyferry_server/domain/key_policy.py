"""Key policies: each key has one, with the name `default`; without one of its own, that of AWS's account."""

from keyferry_server.domain.errors import (
    LimitExceededException,
    NotFoundException,
    ValidationException,
    shown,
)
from keyferry_server.domain.identifiers import Scope

POLICY_NAME = "default"
LONGEST_BYTES = 32_768

# Written as AWS writes it, to the last blank.
_DEFAULT = """{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:%s:iam::%s:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}"""


def default_key_policy(scope: Scope) -> str:
    """Return the policy of a key that was given none: its account's identity policies decide everything."""
    return _DEFAULT % (scope.partition, scope.account_id)


def stored_key_policy(policy: str | None, scope: Scope) -> str | None:
    """Return a policy as a key keeps it: None for the default one, also if it is given in so many words."""
    return None if policy == default_key_policy(scope) else policy


def check_policy_name(name: str) -> None:
    """Raise NotFoundException for the name of a policy that no key has."""
    if name != POLICY_NAME:
        raise NotFoundException(f"There is no policy {shown(name)}: the only key policy is {POLICY_NAME}.")


def check_new_policy_name(name: str) -> None:
    """Raise ValidationException for a name that no policy can have."""
    if name != POLICY_NAME:
        raise ValidationException(f"The only valid policy name is {POLICY_NAME}.")


def check_policy_size(policy: str) -> None:
    """Raise LimitExceededException for a document that is too long."""
    size = len(policy.encode())
    if size > LONGEST_BYTES:
        raise LimitExceededException(
            f"The policy document has {size} bytes, and at most {LONGEST_BYTES} are allowed."
        )
