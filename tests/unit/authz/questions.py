"""Policies and questions as the tests of the policy engine write them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from keyferry_server.authn.caller import Principal
from keyferry_server.authz.policy.document import Document, Question, Verdict
from keyferry_server.authz.policy.parser import Kind, parse_policy
from keyferry_server.authz.policy.patterns import Limited

ACCOUNT, OTHER = "111122223333", "444455556666"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ALICE = Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/alice")
BOB = Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/bob")
ROOT = Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")
EVE = Principal(OTHER, f"arn:aws:iam::{OTHER}:user/eve")


class Values:
    """The context of a request, as a mapping of condition keys in lower case."""

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        self._values = values

    def values(self, key: str) -> Sequence[str]:
        return self._values.get(key, ())


def statement(**elements: Any) -> dict[str, Any]:
    """Return a statement of a key policy that allows everything to alice; None takes an element away."""
    whole = {
        "Effect": "Allow",
        "Principal": {"AWS": ALICE.arn},
        "Action": "kms:*",
        "Resource": "*",
        **elements,
    }
    return {name: value for name, value in whole.items() if value is not None}


def policy(*statements: Any, version: str | None = "2012-10-17") -> str:
    document = {"Statement": list(statements)}
    return json.dumps(document if version is None else {"Version": version, **document})


def parsed(*statements: Any, kind: Kind = Kind.KEY_POLICY, version: str | None = "2012-10-17") -> Document:
    return parse_policy(policy(*statements, version=version), kind)


def question(
    caller: Principal = ALICE, action: str = "kms:Encrypt", resource: str = KEY, **values: Sequence[str]
) -> Question:
    return Question(caller, action, resource, Limited(Values(values)))


def verdict(document: Document, asked: Question) -> str:
    """Return what a document says: denies, allows, delegates or nothing."""
    return said(document.judge(asked))


def said(found: Verdict) -> str:
    if found.denies:
        return "denies"
    if found.allows:
        return "allows"
    return "delegates" if found.delegates else "nothing"
