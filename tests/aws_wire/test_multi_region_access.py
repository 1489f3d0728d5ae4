"""Who may replicate a multi-Region key and move its primary key: a signed user with identity policies, through boto3."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aws_wire.conftest import EAST, SOUTH, WEST, Kms, ask
from aws_wire.several_regions import arn, create, described
from aws_wire.test_signatures import administrator_of, pair
from botocore.exceptions import ClientError
from fixtures.aws import Boto3Client
from fixtures.server import ServerFactory
from policies import ROOT, allow, forbid, permit, policy, user

from keyferry_server.administration.principals import Principals
from keyferry_server.storage.principal_store import PrincipalStore

ALICE = user("alice")
TAGS = {"Tags": [{"TagKey": "a", "TagValue": "b"}]}
NOT_BYPASSED = {"Null": {"kms:BypassPolicyLockoutSafetyCheck": "true"}}

REPLICATE, MOVE = permit("kms:ReplicateKey"), permit("kms:UpdatePrimaryRegion")


def equals(name: str, value: str) -> dict[str, Any]:
    return {"Condition": {"StringEquals": {name: value}}}


CREATE_IN_WEST = permit("kms:CreateKey", **equals("aws:RequestedRegion", WEST))
BOTH = (REPLICATE, CREATE_IN_WEST)
OF_ITS_TYPE = (
    permit("kms:ReplicateKey", **equals("kms:MultiRegionKeyType", "PRIMARY")),
    permit("kms:CreateKey", **equals("kms:MultiRegionKeyType", "REPLICA")),
)


@dataclass(frozen=True)
class Case:
    """What a user has, what it asks for besides the key, and which permission it lacks, for the key in which Region."""

    statements: tuple[dict[str, Any], ...]
    members: dict[str, Any] = field(default_factory=dict)
    lacking: str | None = None
    region: str | None = None


REPLICATIONS = {
    "only kms:ReplicateKey": Case((REPLICATE,), lacking="kms:CreateKey"),
    "only kms:CreateKey": Case((CREATE_IN_WEST,), lacking="kms:ReplicateKey", region=EAST),
    "both": Case(BOTH),
    "kms:CreateKey in another Region": Case(BOTH, {"ReplicaRegion": SOUTH}, "kms:CreateKey"),
    "kms:CreateKey in the primary key's Region": Case(
        (REPLICATE, permit("kms:CreateKey", **equals("aws:RequestedRegion", EAST))), lacking="kms:CreateKey"
    ),
    "tags without kms:TagResource": Case(BOTH, TAGS, "kms:TagResource"),
    "tags with kms:TagResource": Case((*BOTH, permit("kms:TagResource")), TAGS),
    "the Region as a condition": Case(
        (permit("kms:ReplicateKey", **equals("kms:ReplicaRegion", WEST)), CREATE_IN_WEST)
    ),
    "another Region as a condition": Case(
        (permit("kms:ReplicateKey", **equals("kms:ReplicaRegion", SOUTH)), CREATE_IN_WEST),
        lacking="kms:ReplicateKey",
        region=EAST,
    ),
    "the types of the keys as conditions": Case(OF_ITS_TYPE),
    "a key policy that locks the user out": Case(
        BOTH, {"Policy": policy(allow(user("bob")))}, "MalformedPolicyDocumentException"
    ),
    "a key policy that locks the user out, as it wants": Case(
        BOTH, {"Policy": policy(allow(user("bob"))), "BypassPolicyLockoutSafetyCheck": True}
    ),
    "kms:CreateKey with the safety check": Case((REPLICATE, permit("kms:CreateKey", Condition=NOT_BYPASSED))),
    "kms:CreateKey with the safety check, bypassed": Case(
        (REPLICATE, permit("kms:CreateKey", Condition=NOT_BYPASSED)),
        {"BypassPolicyLockoutSafetyCheck": True},
        "kms:CreateKey",
    ),
    "an explicit denial": Case((*BOTH, forbid("kms:CreateKey")), lacking="kms:CreateKey"),
}
MOVES = {
    "both keys": Case((MOVE,)),
    "only the primary key": Case(
        (permit("kms:UpdatePrimaryRegion", arn(EAST, "*")),), lacking="kms:UpdatePrimaryRegion", region=WEST
    ),
    "only the replica key": Case(
        (permit("kms:UpdatePrimaryRegion", arn(WEST, "*")),), lacking="kms:UpdatePrimaryRegion", region=EAST
    ),
    "the Region as a condition": Case(
        (permit("kms:UpdatePrimaryRegion", **equals("kms:PrimaryRegion", WEST)),)
    ),
    "another Region as a condition": Case(
        (permit("kms:UpdatePrimaryRegion", **equals("kms:PrimaryRegion", EAST)),),
        lacking="kms:UpdatePrimaryRegion",
        region=EAST,
    ),
}


@dataclass(frozen=True)
class Users:
    """The root of the account and a user of it."""

    root: Kms
    alice: Kms
    principals: Principals

    async def check(self, case: Case, call: Callable[..., Any], key_id: str, **members: Any) -> Any:
        """Make a call with the policy of a case and check what is refused; return what the keys know of each other."""
        await self.principals.attach(ALICE, "policy", policy(*case.statements))
        asked = {"KeyId": key_id} | members | case.members
        if case.lacking is None:
            await ask(call, **asked)
        else:
            with pytest.raises(ClientError) as refused:
                await ask(call, **asked)
            assert case.lacking in str(refused.value)
            assert case.region is None or arn(case.region, key_id) in str(refused.value)
        return (await described(self.root, key_id))["MultiRegionConfiguration"]


@pytest.fixture
async def users(
    start_server: ServerFactory, free_port: Callable[[], int], boto3_client: Boto3Client
) -> Users:
    server = await start_server(
        aws_listen=f"127.0.0.1:{free_port()}", aws_auth="sigv4", allowed_regions=f"{EAST},{WEST},{SOUTH}"
    )
    principals = Principals(PrincipalStore(server.running.database), server.clock, "aws")
    await principals.create(ALICE)
    ring = administrator_of(server)
    root, alice = [boto3_client(server, access_key=pair(await ring.create(one))) for one in (ROOT, ALICE)]
    return Users(root, alice, principals)


async def test_a_replication_takes_what_the_key_and_a_new_key_in_the_other_region_take(
    users: Users, subtests: pytest.Subtests
) -> None:
    for what, case in REPLICATIONS.items():
        with subtests.test(what):
            key_id = await create(users.root)
            found = await users.check(case, users.alice.replicate_key, key_id, ReplicaRegion=WEST)
            assert len(found["ReplicaKeys"]) == (case.lacking is None)


async def test_a_move_of_the_primary_key_takes_the_permission_for_both_keys(
    users: Users, subtests: pytest.Subtests
) -> None:
    for what, case in MOVES.items():
        with subtests.test(what):
            key_id = await create(users.root)
            await ask(users.root.replicate_key, KeyId=key_id, ReplicaRegion=WEST)
            found = await users.check(case, users.alice.update_primary_region, key_id, PrimaryRegion=WEST)
            assert found["PrimaryKey"]["Region"] == (WEST if case.lacking is None else EAST)
