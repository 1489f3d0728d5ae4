"""Principals as operators make them: what can be made, what can be attached, and the record of each change."""

import json
from collections.abc import Awaitable

import pytest
from contract.beneath import select
from fixtures.server import TestServer
from policies import ACCOUNT, OWNER, ROOT, permit, policy, user

from keyferry_server.administration.principals import Principals
from keyferry_server.domain.errors import (
    InvalidArnException,
    KmsError,
    LimitExceededException,
    MalformedPolicyDocumentException,
    NotFoundException,
    ValidationException,
)
from keyferry_server.domain.principal import LONGEST_POLICY_BYTES, MOST_POLICIES
from keyferry_server.storage.principal_store import PrincipalStore

ALICE, BOB = user("alice"), user("team/bob")
ROLE_ELSEWHERE = "arn:aws:iam::111111111111:role/backup"
POLICY = policy(permit("kms:Encrypt"))


@pytest.fixture
def principals(server: TestServer) -> Principals:
    return Principals(PrincipalStore(server.running.database), server.clock, "aws")


async def refusal(kind: type[KmsError], change: Awaitable[object]) -> str:
    with pytest.raises(KmsError) as refused:
        await change
    assert type(refused.value) is kind
    return refused.value.message


async def changes(server: TestServer) -> list[tuple[str, str]]:
    """Return what the audit log says of changes to principals."""
    events = [
        json.loads(row.event)
        for row in await select(
            server, "SELECT event FROM audit_records ORDER BY happened_at, chain_id, sequence"
        )
    ]
    return [
        (event["eventName"], event["serviceEventDetails"]["principal"])
        for event in events
        if "invokedBy" in event["userIdentity"]
    ]


async def test_users_and_roles_are_made_listed_and_deleted(
    server: TestServer, principals: Principals
) -> None:
    for arn in (BOB, ROLE_ELSEWHERE, ALICE):
        await principals.create(arn)
    listed = [(one.account_id, one.kind.value, one.arn) for one in await principals.list(None)]
    assert listed == [
        (ACCOUNT, "user", ALICE),
        (ACCOUNT, "user", BOB),
        ("111111111111", "role", ROLE_ELSEWHERE),
    ]
    assert [one.arn for one in await principals.list(ACCOUNT)] == [ALICE, BOB]
    assert await principals.list("999999999999") == []

    assert (
        await refusal(ValidationException, principals.create(ALICE))
        == f"The principal {ALICE} already exists."
    )
    await principals.delete(ALICE)
    assert await refusal(NotFoundException, principals.delete(ALICE)) == f"There is no principal {ALICE}."
    assert await changes(server) == [
        ("CreatePrincipal", BOB),
        ("CreatePrincipal", ROLE_ELSEWHERE),
        ("CreatePrincipal", ALICE),
        ("DeletePrincipal", ALICE),
    ]


async def test_nothing_else_is_made(principals: Principals) -> None:
    for arn, kind in {
        ROOT: ValidationException,
        f"arn:aws-cn:iam::{ACCOUNT}:user/alice": ValidationException,
        "alice": InvalidArnException,
        f"arn:aws:iam::{ACCOUNT}:group/all": InvalidArnException,
        f"arn:aws:iam::{ACCOUNT}:user/*": InvalidArnException,
        "arn:aws:iam::1234:user/alice": InvalidArnException,
        f"arn:aws:iam::{ACCOUNT}:user/{'a' * 65}": InvalidArnException,
        f"arn:aws:sts::{ACCOUNT}:assumed-role/backup/nightly": InvalidArnException,
    }.items():
        await refusal(kind, principals.create(arn))
        await refusal(kind, principals.attach(arn, "use", POLICY))
    assert await principals.list(None) == []


async def test_policies_are_attached_by_name_replaced_and_detached(
    server: TestServer, principals: Principals
) -> None:
    await principals.create(ALICE)
    await principals.attach(ALICE, "use", policy(permit("kms:Decrypt")))
    await principals.attach(ALICE, "use", POLICY)
    await principals.attach(ALICE, "more", POLICY)
    assert [(one.name, one.document) for one in await principals.policies(ALICE)] == [
        ("more", POLICY),
        ("use", POLICY),
    ]
    await principals.detach(ALICE, "use")
    assert await refusal(NotFoundException, principals.detach(ALICE, "use")) == f"{ALICE} has no policy use."
    assert [one.name for one in await principals.policies(ALICE)] == ["more"]
    for change in (principals.attach(BOB, "use", POLICY), principals.policies(BOB)):
        assert await refusal(NotFoundException, change) == f"There is no principal {BOB}."

    await principals.delete(ALICE)
    await principals.create(ALICE)
    assert await principals.policies(ALICE) == []
    assert [name for name, _ in await changes(server)] == [
        "CreatePrincipal",
        *["AttachPrincipalPolicy"] * 3,
        "DetachPrincipalPolicy",
        "DeletePrincipal",
        "CreatePrincipal",
    ]


async def test_a_document_that_is_no_identity_policy_is_not_attached(principals: Principals) -> None:
    await principals.create(ALICE)
    for document in ("{", policy(permit("kms:Encrpt ")), policy(OWNER)):
        await refusal(MalformedPolicyDocumentException, principals.attach(ALICE, "use", document))
    for name in ("", "a b", "a" * 129):
        await refusal(ValidationException, principals.attach(ALICE, name, POLICY))
    assert await principals.policies(ALICE) == []


async def test_there_are_only_so_many_policies_and_each_only_so_long(principals: Principals) -> None:
    await principals.create(ALICE)
    longest = POLICY.ljust(LONGEST_POLICY_BYTES)
    await refusal(LimitExceededException, principals.attach(ALICE, "0", longest + " "))
    for number in range(MOST_POLICIES):
        await principals.attach(ALICE, str(number), longest)
    await refusal(LimitExceededException, principals.attach(ALICE, "another", POLICY))
    await principals.attach(ALICE, "0", POLICY)
    assert len(await principals.policies(ALICE)) == MOST_POLICIES
