"""Who may name keys and tag them, and what names and tags say to policies."""

from collections.abc import Awaitable
from typing import Any

import pytest
from contract.beneath import OTHER_ACCOUNT, all_rows
from direct_calls import somebody
from fixtures.server import TestServer
from policies import OWNER, allow, permit, policy, user
from steps import encrypt, name

from keyferry.v1 import (
    CreateAliasRequest,
    CreateKeyRequest,
    DeleteAliasRequest,
    DescribeKeyRequest,
    EncryptRequest,
    ListAliasesRequest,
    Tag,
    TagResourceRequest,
    UntagResourceRequest,
    UpdateAliasRequest,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_server.domain.errors import AccessDeniedException, NotFoundException

ALICE, EVE = user("alice"), user("eve", OTHER_ACCOUNT)
ALIAS = "arn:aws:kms:us-east-1:000000000000:alias/payroll"


async def key_with(client: KeyManagementServiceClient, *statements: dict[str, Any]) -> str:
    """Create a key with a policy of OWNER and these statements; return its ARN."""
    key = (await client.create_key_async(CreateKeyRequest(policy=policy(OWNER, *statements)))).key_metadata
    return key.arn


async def refusal(server: TestServer, call: Awaitable[Any]) -> str:
    """Expect an AccessDeniedException that leaves every row as it was; return its message."""
    before = await all_rows(server)
    with pytest.raises(AccessDeniedException) as refused:
        await call
    assert await all_rows(server) == before
    return refused.value.message


async def test_to_name_a_key_takes_the_permission_for_the_alias_and_for_every_key(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    one, other = await key_with(client), await key_with(client)
    alice = await somebody(server, ALICE)
    create = CreateAliasRequest(alias_name="alias/payroll", target_key_id=one)
    update = UpdateAliasRequest(alias_name="alias/payroll", target_key_id=other)
    delete = DeleteAliasRequest(alias_name="alias/payroll")
    for request, resources in (
        (create, [ALIAS, one]),
        (update, [ALIAS, one, other]),
        (delete, [ALIAS, other]),
    ):
        permission = f"kms:{type(request).__name__.removesuffix('Request')}"
        for lacking in resources:
            others = [resource for resource in resources if resource != lacking]
            await alice.attach("some", policy(permit(permission, others)))
            assert f"{permission} on resource: {lacking}" in await refusal(server, alice.send(request))
        await alice.attach("some", policy(permit(permission, resources)))
        await alice.send(request)


async def test_the_aliases_of_a_key_are_listed_by_whom_the_account_lets_list_its_aliases(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    of_nobody = await key_with(client)
    await name(client, "alias/payroll", of_nobody)
    alice = await somebody(server, ALICE, policy(permit("kms:ListAliases", of_nobody)))
    for request in (ListAliasesRequest(), ListAliasesRequest(key_id=of_nobody)):
        await refusal(server, alice.send(request))
    await alice.attach("all", policy(permit("kms:ListAliases")))
    for request in (ListAliasesRequest(), ListAliasesRequest(key_id=of_nobody)):
        assert [alias.alias_name for alias in (await alice.send(request)).aliases] == ["alias/payroll"]

    unknown = "12345678-1234-1234-1234-123456789abc"
    with pytest.raises(NotFoundException):
        await alice.send(ListAliasesRequest(key_id=unknown))
    foreign = ListAliasesRequest(key_id=f"arn:aws:kms:us-east-1:{OTHER_ACCOUNT}:key/{unknown}")
    await refusal(server, alice.send(foreign))


async def test_an_alias_of_another_account_opens_a_key_to_whom_its_policy_lets_in(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    arn = await key_with(client, allow(EVE, ["kms:Encrypt"]))
    await name(client, "alias/payroll", arn)
    eve = await somebody(server, EVE, policy(permit()))

    encrypted = await eve.send(EncryptRequest(key_id=ALIAS, plaintext=b"text"))
    assert encrypted.key_id == arn
    for alias in (ALIAS, f"{ALIAS}-unknown"):
        message = await refusal(server, eve.send(DescribeKeyRequest(key_id=alias)))
        assert f"kms:DescribeKey on resource: {alias} because" in message
        assert arn not in message
    for request in (
        CreateAliasRequest(alias_name="alias/mine", target_key_id=arn),
        TagResourceRequest(key_id=arn, tags=[Tag(tag_key="team", tag_value="eve")]),
    ):
        await refusal(server, eve.send(request))


async def test_a_policy_can_ask_by_which_alias_a_key_is_used(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    by_alias = {"StringEquals": {"kms:RequestAlias": "alias/payroll"}}
    arn = await key_with(client, allow(ALICE, "kms:Encrypt", Condition=by_alias))
    for alias_name in ("alias/payroll", "alias/other"):
        await name(client, alias_name, arn)
    alice = await somebody(server, ALICE)
    for named in ("alias/payroll", ALIAS):
        assert await alice.send(EncryptRequest(key_id=named, plaintext=b"text"))
    for named in ("alias/other", arn):
        await refusal(server, alice.send(EncryptRequest(key_id=named, plaintext=b"text")))
    assert await encrypt(client, arn)


async def test_a_policy_can_ask_which_tags_are_given_and_taken(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    team = {"StringEquals": {"aws:RequestTag/team": "payroll"}}
    only_team = {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}
    arn = await key_with(
        client,
        allow(ALICE, "kms:TagResource", Condition=team),
        allow(ALICE, "kms:UntagResource", Condition=only_team),
    )
    alice = await somebody(server, ALICE)
    right, wrong = Tag(tag_key="team", tag_value="payroll"), Tag(tag_key="team", tag_value="other")
    await alice.send(TagResourceRequest(key_id=arn, tags=[right, Tag(tag_key="stage", tag_value="")]))
    await refusal(server, alice.send(TagResourceRequest(key_id=arn, tags=[wrong])))
    await refusal(
        server, alice.send(TagResourceRequest(key_id=arn, tags=[right, Tag(tag_key="Team", tag_value="")]))
    )
    await refusal(server, alice.send(UntagResourceRequest(key_id=arn, tag_keys=["team", "stage"])))
    await alice.send(UntagResourceRequest(key_id=arn, tag_keys=["team"]))


async def test_to_create_a_key_with_tags_takes_the_permission_to_tag(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    alice = await somebody(server, ALICE, policy(permit("kms:CreateKey")))
    tagged = CreateKeyRequest(tags=[Tag(tag_key="team", tag_value="payroll")])
    await alice.send(CreateKeyRequest())
    assert "kms:TagResource on resource: *" in await refusal(server, alice.send(tagged))

    condition = {"StringEquals": {"aws:RequestTag/team": "payroll"}}
    await alice.attach("tag", policy(permit("kms:TagResource", Condition=condition)))
    assert (await alice.send(tagged)).key_metadata.key_id
    other = CreateKeyRequest(tags=[Tag(tag_key="team", tag_value="other")])
    await refusal(server, alice.send(other))
