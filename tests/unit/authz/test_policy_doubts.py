"""What is valid in a policy and can decide about nothing is found, and nothing else is."""

import pytest
from unit.authz.questions import parsed, statement

from keyferry_server.administration.policy_doubts import doubts
from keyferry_server.authz.permission import Permission
from keyferry_server.wire.condition_keys import condition_keys


@pytest.mark.parametrize(
    "action", ["kms:Encrpt", "kms:Decrypt*Key", "kms:ConnectCustomKeyStore", "s3:GetObject"]
)
def test_an_action_that_no_operation_needs_is_found(action: str) -> None:
    document = parsed(statement(Action=["kms:Encrypt", action]))
    assert list(doubts(document)) == [f"Statement[0]: there is no action {action.lower()}"]


def test_a_condition_key_of_ours_that_no_request_has_is_found() -> None:
    condition = {
        "StringEquals": {"kms:EncryptionContxt:tenant": "payroll", "kms:encryptioncontext:Tenant": "payroll"},
        "StringLike": {"aws:username": "${kms:KeySpek}"},
    }
    assert list(doubts(parsed(statement(Condition=condition)))) == [
        "Statement[0]: there is no condition key kms:encryptioncontxt:tenant",
        "Statement[0]: there is no condition key kms:keyspek",
    ]


def test_nothing_that_there_is_is_doubted() -> None:
    keys = {key for one in Permission for key in condition_keys(one)} | {"kms:CallerAccount", "kms:KeySpec"}
    document = parsed(
        statement(
            Action=[*Permission, "kms:Generate*", "KMS:DECRYPT", "*", "kms:?ncrypt"],
            Condition={"Null": {**dict.fromkeys(keys, "false"), "aws:SourceVpc": "true"}},
        )
    )
    assert list(doubts(document)) == []
