"""Key policies and identity policies as tests write them."""

import json
from typing import Any

ACCOUNT = "000000000000"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"


def user(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:user/{name}"


def allow(principal: Any, action: Any = "kms:*", **elements: Any) -> dict[str, Any]:
    """Return a statement of a key policy; `principal` is an ARN, an account, a list of them, or *."""
    named = principal if principal == "*" else {"AWS": principal}
    return {"Effect": "Allow", "Principal": named, "Action": action, "Resource": "*", **elements}


def deny(principal: Any, action: Any = "kms:*", **elements: Any) -> dict[str, Any]:
    return allow(principal, action, **elements, Effect="Deny")


def permit(action: Any = "kms:*", resource: Any = "*", **elements: Any) -> dict[str, Any]:
    """Return a statement of an identity policy."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **elements}


def forbid(action: Any = "kms:*", resource: Any = "*", **elements: Any) -> dict[str, Any]:
    return permit(action, resource, **elements, Effect="Deny")


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


OWNER = allow(ROOT)
