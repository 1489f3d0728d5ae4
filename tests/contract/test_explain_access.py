"""ExplainAccess: it says what would be decided, and which statement or grant decides it."""

from typing import Any

import pytest
from contract.beneath import OTHER_ACCOUNT
from contract.conftest import Refused
from direct_calls import Somebody, somebody
from fixtures.server import TestServer
from policies import OWNER, ROOT, allow, deny, permit, policy, user

from keyferry.v1 import (
    AccessDeciderKind,
    CreateGrantRequest,
    CreateKeyRequest,
    ExplainAccessRequest,
    ExplainAccessResponse,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import InvalidArnException, ServiceError, ValidationException
from keyferry_server.domain.errors import AccessDeniedException

ALICE, BOB = user("alice"), user("bob")


async def key_with(client: KeyManagementServiceClient, *statements: dict[str, Any]) -> str:
    created = await client.create_key_async(CreateKeyRequest(policy=policy(OWNER, *statements)))
    return created.key_metadata.arn


def deciders(answer: ExplainAccessResponse) -> list[tuple[str, ...]]:
    return [
        tuple(
            filter(
                None,
                (
                    AccessDeciderKind.Name(one.kind).removeprefix("ACCESS_DECIDER_KIND_"),
                    one.name,
                    one.statement,
                    one.sid,
                ),
            )
        )
        for one in answer.decided_by
    ]


async def explain(
    client: KeyManagementServiceClient, key_id: str, principal: str, action: str, **more: Any
) -> tuple[bool, str, list[tuple[str, ...]]]:
    request = ExplainAccessRequest(key_id=key_id, principal=principal, action=action, **more)
    answer = await client.explain_access_async(request)
    return answer.allowed, answer.reason, deciders(answer)


async def test_it_names_the_statements_and_the_grant_that_decide(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await key_with(
        client,
        allow(ALICE, "kms:Encrypt", Sid="alice encrypts"),
        deny("*", "kms:DeleteImportedKeyMaterial", Sid="never"),
    )
    await somebody(server, ALICE)
    await somebody(server, BOB, policy(permit("kms:Decrypt")))
    grant = await client.create_grant_async(
        CreateGrantRequest(key_id=key_id, grantee_principal=BOB, operations=["GRANT_OPERATION_ENCRYPT"])
    )

    assert await explain(client, key_id, ALICE, "kms:Encrypt") == (
        True,
        "the key policy allows it",
        [("KEY_POLICY", "Statement[1]", "alice encrypts")],
    )
    assert await explain(client, key_id, ALICE, "kms:DeleteImportedKeyMaterial") == (
        False,
        "a key policy denies it",
        [("KEY_POLICY", "Statement[2]", "never")],
    )
    assert await explain(client, key_id, ALICE, "kms:Decrypt") == (
        False,
        "no identity policy allows it",
        [("KEY_POLICY", "Statement[0]")],
    )
    assert await explain(client, key_id, BOB, "kms:Decrypt") == (
        True,
        "the key policy leaves it to the account, whose identity policy allows it",
        [("KEY_POLICY", "Statement[0]"), ("IDENTITY_POLICY", "policy-0", "Statement[0]")],
    )
    assert await explain(client, key_id, BOB, "kms:Encrypt") == (
        True,
        "a grant allows it",
        [("GRANT", grant.grant_id)],
    )
    assert await explain(client, key_id, user("ghost"), "kms:Encrypt") == (
        False,
        "the caller is no principal that is known here",
        [],
    )
    assert (await explain(client, key_id, ROOT, "kms:Encrypt"))[0]
    assert (await explain(client, key_id, ROOT, "kms:CreateKey"))[
        1
    ] == "the caller is the root of its account"
    assert not (await explain(client, key_id, BOB, "kms:CreateKey"))[0]


async def test_what_the_request_would_say_is_supposed(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    condition = {
        "StringEquals": {"kms:EncryptionContext:tenant": "7"},
        "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["tenant"]},
        "IpAddress": {"aws:SourceIp": "10.0.0.0/8"},
    }
    key_id = await key_with(client, allow(ALICE, "kms:Encrypt", Condition=condition))
    await somebody(server, ALICE)
    from_inside = {"conditions": [{"key": "aws:sourceip", "values": ["10.1.1.1"]}]}

    async def allowed(**more: Any) -> bool:
        return (await explain(client, key_id, ALICE, "kms:Encrypt", **more))[0]

    assert await allowed(encryption_context={"tenant": "7"}, **from_inside)
    assert not await allowed(encryption_context={"tenant": "7"})
    assert not await allowed(encryption_context={"tenant": "7", "more": "x"}, **from_inside)
    assert not await allowed(**from_inside)
    nowhere = {"conditions": [{"key": "aws:SourceIp", "values": []}]}
    assert not await allowed(encryption_context={"tenant": "7"}, **nowhere)


async def test_it_decides_as_the_call_itself_is_decided(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await key_with(client, allow(ALICE, ["kms:ExplainAccess", "kms:DescribeKey"]))
    alice = await somebody(server, ALICE)
    own = await alice.send(ExplainAccessRequest(key_id=key_id, action="kms:DescribeKey"))
    assert own.allowed
    assert not (await alice.send(ExplainAccessRequest(key_id=key_id, action="kms:Encrypt"))).allowed


async def test_it_needs_a_permission_of_its_own_and_does_not_look_into_other_accounts(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await key_with(client, allow("*", "kms:*"))
    bob = await somebody(server, BOB, policy({**permit("kms:ExplainAccess"), "Effect": "Deny"}))
    eve = await somebody(server, user("eve", OTHER_ACCOUNT), policy(permit("*")))
    root = Somebody(server, ROOT)
    for caller, request in (
        (bob, ExplainAccessRequest(key_id=key_id, action="kms:Encrypt")),
        (eve, ExplainAccessRequest(key_id=key_id, action="kms:Encrypt")),
        (root, ExplainAccessRequest(key_id=key_id, action="kms:Encrypt", principal=eve.arn)),
    ):
        with pytest.raises(AccessDeniedException):
            await caller.send(request)


async def test_it_takes_permissions_and_principals_that_there_are(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await key_with(client)
    for action in ("kms:Encrpyt", "kms:encrypt", "s3:GetObject", "kms:*", "", "kms:RetireGrant"):
        await refused(ValidationException, explain(client, key_id, ROOT, action))
    for principal in ("alice", f"arn:aws:sts::{ROOT[13:25]}:assumed-role/a/b"):
        await refused(InvalidArnException, explain(client, key_id, principal, "kms:Encrypt"))


async def test_a_statement_whose_name_no_answer_can_hold_is_named_all_the_same(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await key_with(client, allow(ALICE, "kms:Encrypt", Sid="\ud800"))
    await somebody(server, ALICE)
    _, _, decided_by = await explain(client, key_id, ALICE, "kms:Encrypt")
    assert any("\\ud800" in decider for decider in decided_by)
