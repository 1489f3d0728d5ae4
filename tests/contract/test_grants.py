"""Grants: made, listed, used, retired and revoked, and what each of their terms allows."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest
from contract.beneath import OTHER_ACCOUNT, all_rows, all_rows_at_once, change, select
from contract.conftest import Refused
from direct_calls import Somebody, somebody
from fixtures.server import TestServer
from policies import ACCOUNT, OWNER, ROOT, allow, deny, forbid, permit, policy, user
from steps import create_external_key, describe, disable, encrypt, schedule_deletion

from keyferry.v1 import (
    CreateGrantRequest,
    CreateGrantResponse,
    CreateKeyRequest,
    DecryptRequest,
    DescribeKeyRequest,
    EncryptRequest,
    GenerateDataKeyRequest,
    GrantConstraints,
    GrantListEntry,
    ListGrantsRequest,
    ListRetirableGrantsRequest,
    PutKeyPolicyRequest,
    RetireGrantRequest,
    RevokeGrantRequest,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    DisabledException,
    DryRunOperationException,
    InvalidArnException,
    InvalidGrantIdException,
    InvalidGrantTokenException,
    InvalidMarkerException,
    KMSInvalidStateException,
    LimitExceededException,
    NotFoundException,
    ServiceError,
    ValidationException,
)
from keyferry_server.domain import errors as domain
from keyferry_server.domain.grant import GrantOperation
from keyferry_server.wire.enums import format_enum

ALICE, BOB, CAROL, EVE = user("alice"), user("bob"), user("carol"), user("eve", OTHER_ACCOUNT)
OTHER_ROOT = f"arn:aws:iam::{OTHER_ACCOUNT}:root"


def terms(*operations: str, **more: Any) -> dict[str, Any]:
    """Return members of CreateGrant: operations by AWS's names, and constraints as `equals` and `subset`."""
    found: dict[str, Any] = {"operations": [format_enum(GrantOperation(one)) for one in operations]}
    if "equals" in more or "subset" in more:
        found["constraints"] = GrantConstraints(
            encryption_context_equals=more.pop("equals", None),
            encryption_context_subset=more.pop("subset", None),
        )
    return {**found, **more}


async def new_key(client: KeyManagementServiceClient) -> str:
    return (await client.create_key_async(CreateKeyRequest())).key_metadata.arn


async def give(
    client: KeyManagementServiceClient, key_id: str, grantee: str, *operations: str, **more: Any
) -> CreateGrantResponse:
    request = CreateGrantRequest(key_id=key_id, grantee_principal=grantee, **terms(*operations, **more))
    return await client.create_grant_async(request)


async def listed(client: KeyManagementServiceClient, key_id: str, **more: Any) -> list[GrantListEntry]:
    return list((await client.list_grants_async(ListGrantsRequest(key_id=key_id, **more))).grants)


def encryption(key_id: str, tokens: list[str] | None = None, **context: str) -> EncryptRequest:
    return EncryptRequest(key_id=key_id, plaintext=b"x", encryption_context=context, grant_tokens=tokens)


async def denied(server: TestServer, call: Awaitable[Any]) -> None:
    before = all_rows_at_once(server)
    with pytest.raises(domain.AccessDeniedException):
        await call
    assert await all_rows(server) == before


async def is_let(call: Awaitable[Any]) -> bool:
    """Tell whether a call is let through, and not denied."""
    try:
        await call
    except domain.AccessDeniedException:
        return False
    return True


async def test_a_grant_is_listed_as_it_was_made(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await new_key(client)
    made = await give(
        client, key_id, ALICE, "Decrypt", "GenerateDataKey", name="nightly", retiring_principal=BOB,
        subset={"tenant": "7"}, equals={"tenant": "7", "ä": "ö"},
    )  # fmt: skip
    (entry,) = await listed(client, key_id)
    assert entry == GrantListEntry(
        key_id=key_id,
        grant_id=made.grant_id,
        name="nightly",
        creation_date=server.clock.now(),
        grantee_principal=ALICE,
        retiring_principal=BOB,
        issuing_account=ROOT,
        operations=["GRANT_OPERATION_DECRYPT", "GRANT_OPERATION_GENERATE_DATA_KEY"],
        constraints=GrantConstraints(
            encryption_context_subset={"tenant": "7"}, encryption_context_equals={"tenant": "7", "ä": "ö"}
        ),
    )
    plain = await give(client, key_id, ROOT, "DescribeKey")
    (entry,) = await listed(client, key_id, grant_id=plain.grant_id)
    assert (entry.name, entry.HasField("constraints"), entry.HasField("retiring_principal")) == (
        "",
        False,
        False,
    )
    assert [one.grant_id for one in await listed(client, key_id, grantee_principal=ALICE)] == [made.grant_id]
    assert await listed(client, key_id, grantee_principal=BOB) == []
    assert await listed(client, key_id, grant_id="0" * 64) == []


async def test_grants_are_listed_once_each_page_by_page(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id, other = await new_key(client), await new_key(client)
    made = sorted(
        [(await give(client, key_id, ALICE, "Decrypt", retiring_principal=BOB)).grant_id for _ in range(5)]
    )
    await give(client, other, ALICE, "Decrypt")
    requests = (
        ("list_grants_async", ListGrantsRequest(key_id=key_id, limit=2)),
        ("list_retirable_grants_async", ListRetirableGrantsRequest(retiring_principal=BOB, limit=2)),
    )
    for method, request in requests:
        found: list[str] = []
        while True:
            page = await getattr(client, method)(request)
            found += [grant.grant_id for grant in page.grants]
            assert page.truncated == page.HasField("next_marker")
            if not page.truncated:
                break
            assert len(page.grants) == 2
            request.marker = page.next_marker
        assert found == made
        request.marker = "x"
        await refused(InvalidMarkerException, getattr(client, method)(request))
        request.limit = 101
        await refused(ValidationException, getattr(client, method)(request))


async def test_the_same_name_with_the_same_terms_is_the_same_grant(
    client: KeyManagementServiceClient,
) -> None:
    key_id, other_key = await new_key(client), await new_key(client)
    first = await give(client, key_id, ALICE, "Decrypt", "Encrypt", name="n", subset={"a": "b"})
    again = await give(client, key_id, ALICE, "Encrypt", "Decrypt", name="n", subset={"a": "b"})
    assert again.grant_id == first.grant_id
    assert again.grant_token != first.grant_token
    different = [
        await give(client, key_id, ALICE, "Decrypt", "Encrypt", subset={"a": "b"}),
        await give(client, key_id, ALICE, "Decrypt", "Encrypt", name="m", subset={"a": "b"}),
        await give(client, key_id, ALICE, "Decrypt", name="n", subset={"a": "b"}),
        await give(client, key_id, ALICE, "Decrypt", "Encrypt", name="n", equals={"a": "b"}),
        await give(client, key_id, BOB, "Decrypt", "Encrypt", name="n", subset={"a": "b"}),
        await give(
            client, key_id, ALICE, "Decrypt", "Encrypt", name="n", subset={"a": "b"}, retiring_principal=BOB
        ),
        await give(client, other_key, ALICE, "Decrypt", "Encrypt", name="n", subset={"a": "b"}),
    ]
    assert len({first.grant_id, *(one.grant_id for one in different)}) == len(different) + 1


async def test_a_grant_allows_its_operations_to_its_grantee_alone(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id, other = await new_key(client), await new_key(client)
    alice, bob = await somebody(server, ALICE), await somebody(server, BOB)
    await denied(server, alice.send(encryption(key_id)))
    made = await give(client, key_id, ALICE, "Encrypt")
    assert await alice.send(encryption(key_id))
    assert await alice.send(encryption(key_id, [made.grant_token]))
    for caller, request in (
        (alice, encryption(other)),
        (alice, DescribeKeyRequest(key_id=key_id)),
        (alice, GenerateDataKeyRequest(key_id=key_id, number_of_bytes=8)),
        (bob, encryption(key_id)),
        (bob, encryption(key_id, [made.grant_token])),
    ):
        await denied(server, caller.send(request))
    await client.revoke_grant_async(RevokeGrantRequest(key_id=key_id, grant_id=made.grant_id))
    await denied(server, alice.send(encryption(key_id, [made.grant_token])))


async def test_a_denial_of_any_policy_outweighs_a_grant(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await new_key(client)
    alice = await somebody(server, ALICE)
    await give(client, key_id, ALICE, "Encrypt")
    await alice.attach("never", policy(forbid("kms:Encrypt")))
    await denied(server, alice.send(encryption(key_id)))
    await alice.detach("never")
    assert await alice.send(encryption(key_id))
    never = policy(OWNER, deny(ALICE, "kms:Encrypt"))
    await client.put_key_policy_async(PutKeyPolicyRequest(key_id=key_id, policy=never))
    await denied(server, alice.send(encryption(key_id)))


async def test_constraints_bind_the_encryption_context_but_not_what_has_none(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    equal, subset = await new_key(client), await new_key(client)
    alice = await somebody(server, ALICE)
    await give(client, equal, ALICE, "Encrypt", "DescribeKey", equals={"a": "1", "b": "2"})
    await give(client, subset, ALICE, "Encrypt", "DescribeKey", subset={"a": "1"})
    contexts = [
        {},
        {"a": "1"},
        {"a": "1", "b": "2"},
        {"a": "1", "b": "2", "c": "3"},
        {"a": "2", "b": "2"},
        # Case counts in values, and not in keys; what differs in nothing else is too ambiguous to fit.
        {"A": "1"},
        {"A": "1", "b": "2"},
        {"a": "1", "A": "1", "b": "2"},
    ]
    equal_fit, subset_fit = contexts[2:3] + contexts[6:7], contexts[1:4] + contexts[5:7]
    for key_id, fits in ((equal, equal_fit), (subset, subset_fit)):
        for context in contexts:
            call = alice.send(encryption(key_id, **context))
            await (call if context in fits else denied(server, call))
        assert await alice.send(DescribeKeyRequest(key_id=key_id))


async def test_a_grant_to_an_account_needs_an_identity_policy_besides(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await new_key(client)
    only_bob = PutKeyPolicyRequest(
        key_id=key_id, policy=policy(allow(BOB)), bypass_policy_lockout_safety_check=True
    )
    await give(client, key_id, ROOT, "Encrypt")
    await give(client, key_id, OTHER_ROOT, "Encrypt")
    await client.put_key_policy_async(only_bob)
    for arn, root_arn in ((ALICE, ROOT), (EVE, OTHER_ROOT)):
        caller = await somebody(server, arn)
        await denied(server, caller.send(encryption(key_id)))
        await caller.attach("use", policy(permit("kms:Encrypt")))
        assert await caller.send(encryption(key_id))
        await denied(server, caller.send(DescribeKeyRequest(key_id=key_id)))
        assert await (await somebody(server, root_arn)).send(encryption(key_id))


async def test_across_accounts_the_callers_account_must_allow_what_a_grant_does(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await new_key(client)
    eve = await somebody(server, EVE)
    await give(client, key_id, EVE, "Decrypt")
    blob = await encrypt(client, key_id)
    await denied(server, eve.send(DecryptRequest(ciphertext_blob=blob)))
    await eve.attach("use", policy(permit("kms:Decrypt", f"arn:aws:kms:*:{ACCOUNT}:key/*")))
    assert await eve.send(DecryptRequest(ciphertext_blob=blob))


async def test_whoever_creates_grants_by_a_grant_gives_no_more_than_that_grant(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await new_key(client)
    alice, bob = await somebody(server, ALICE), await somebody(server, BOB)
    await give(client, key_id, ALICE, "CreateGrant", "Decrypt", "Encrypt", subset={"a": "1"})

    def child(*operations: str, **more: Any) -> CreateGrantRequest:
        return CreateGrantRequest(key_id=key_id, grantee_principal=BOB, **terms(*operations, **more))

    for request in (
        child("Encrypt"),
        child("Encrypt", "GenerateDataKey", subset={"a": "1"}),
        child("Encrypt", subset={"a": "2"}),
        child("Encrypt", subset={"b": "1"}),
        child("Encrypt", equals={"b": "1"}),
        child("DescribeKey", subset={"a": "1"}),
    ):
        await denied(server, alice.send(request))
    for request in (
        child("Encrypt", subset={"a": "1"}),
        child("Encrypt", "Decrypt", "CreateGrant", subset={"a": "1", "b": "2"}),
        child("Decrypt", equals={"a": "1", "b": "2"}),
        child("Decrypt", subset={"c": "3"}, equals={"a": "1"}),
    ):
        assert await alice.send(request)
    assert await bob.send(encryption(key_id, a="1"))
    await denied(server, bob.send(encryption(key_id)))
    (issuing,) = {grant.issuing_account for grant in await listed(client, key_id)}
    assert issuing == ROOT
    await alice.attach("any", policy(permit("kms:CreateGrant")))
    assert await alice.send(child("Encrypt"))


async def test_who_may_retire_a_grant_is_said_by_the_grant(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await new_key(client)
    callers = {arn: await somebody(server, arn) for arn in (ALICE, BOB, CAROL, EVE, ROOT, OTHER_ROOT)}
    allowed = policy(permit("kms:RetireGrant"))
    by_identity = {
        arn: await somebody(server, arn, allowed) for arn in (user("owner-s"), user("other-s", OTHER_ACCOUNT))
    }

    async def may_retire(*also: str, **more: Any) -> set[str]:
        """Return who may retire a grant to alice, by its token and by its id."""
        found = set()
        for arn, caller in (callers | by_identity).items():
            by_token = await give(client, key_id, ALICE, "Decrypt", *also, **more)
            by_id = await give(client, key_id, ALICE, "Decrypt", *also, **more)
            requests = {
                by_token.grant_id: RetireGrantRequest(grant_token=by_token.grant_token),
                by_id.grant_id: RetireGrantRequest(key_id=key_id, grant_id=by_id.grant_id),
            }
            retired = [
                grant_id for grant_id, request in requests.items() if await is_let(caller.send(request))
            ]
            assert retired in ([], list(requests))
            if retired:
                found.add(arn)
            else:
                for grant_id in requests:
                    await client.revoke_grant_async(RevokeGrantRequest(key_id=key_id, grant_id=grant_id))
        return found

    always = {ROOT, user("owner-s")}
    assert await may_retire() == always
    assert await may_retire("RetireGrant") == always | {ALICE}
    assert await may_retire(retiring_principal=BOB) == always | {BOB}
    assert await may_retire(retiring_principal=EVE) == always | {EVE}
    assert await may_retire(retiring_principal=OTHER_ROOT) == always | {OTHER_ROOT, user("other-s", OTHER_ACCOUNT)}  # fmt: skip
    await callers[BOB].attach("never", policy(forbid("kms:RetireGrant")))
    assert await may_retire(retiring_principal=BOB) == always
    # A key policy has no say in it.
    never = policy(OWNER, deny(EVE, "kms:RetireGrant"))
    await client.put_key_policy_async(PutKeyPolicyRequest(key_id=key_id, policy=never))
    assert await may_retire(retiring_principal=EVE) == always | {EVE}
    assert await listed(client, key_id) == []


async def test_an_identity_policy_denies_retirement_by_what_the_grant_is_constrained_to(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await new_key(client)
    bob = await somebody(server, BOB)
    conditions = (
        {"StringEquals": {"kms:EncryptionContext:Tenant": "prod"}},
        {"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "tenant"}},
        {"StringEquals": {"kms:GrantConstraintType": "EncryptionContextSubset"}},
    )
    for condition in conditions:
        await bob.attach("never", policy(forbid("kms:RetireGrant", Condition=condition)))
        for constraints in ({}, {"subset": {"tenant": "prod"}}):
            made = await give(client, key_id, ALICE, "Decrypt", retiring_principal=BOB, **constraints)
            call = bob.send(RetireGrantRequest(key_id=key_id, grant_id=made.grant_id))
            await (denied(server, call) if constraints else call)


async def test_a_grant_is_retired_by_its_token_or_by_its_key_and_id(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await new_key(client)
    one, other = await give(client, key_id, ALICE, "Decrypt"), await give(client, key_id, ALICE, "Decrypt")
    for request in (
        RetireGrantRequest(),
        RetireGrantRequest(key_id=key_id),
        RetireGrantRequest(grant_id=one.grant_id),
        RetireGrantRequest(grant_token=one.grant_token, key_id=key_id),
        RetireGrantRequest(grant_token=one.grant_token, key_id=key_id, grant_id=one.grant_id),
    ):
        await refused(ValidationException, client.retire_grant_async(request))
    by_token = RetireGrantRequest(grant_token=one.grant_token)
    by_id = RetireGrantRequest(key_id=key_id, grant_id=other.grant_id)
    for request in (by_token, by_id):
        dry = type(request)(dry_run=True)
        dry.MergeFrom(request)
        await refused(DryRunOperationException, client.retire_grant_async(dry))
        await client.retire_grant_async(request)
    assert await listed(client, key_id) == []
    await refused(NotFoundException, client.retire_grant_async(by_token))
    await refused(InvalidGrantIdException, client.retire_grant_async(by_id))


async def test_a_grant_is_revoked_by_its_key_and_id(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id, other_key = await new_key(client), await new_key(client)
    made = await give(client, key_id, ALICE, "Decrypt")
    for key, grant_id in (
        (other_key, made.grant_id),
        (key_id, "0" * 64),
        (key_id, "x"),
        (key_id, made.grant_id.upper()),
    ):
        await refused(
            InvalidGrantIdException,
            client.revoke_grant_async(RevokeGrantRequest(key_id=key, grant_id=grant_id)),
        )
    dry = RevokeGrantRequest(key_id=key_id, grant_id=made.grant_id, dry_run=True)
    await refused(DryRunOperationException, client.revoke_grant_async(dry))
    await client.revoke_grant_async(RevokeGrantRequest(key_id=key_id, grant_id=made.grant_id))
    assert await listed(client, key_id) == []


async def test_a_retirable_grant_is_shown_to_the_account_of_its_retiring_principal(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await new_key(client)
    made = await give(client, key_id, ALICE, "Decrypt", retiring_principal=EVE)
    await give(client, key_id, ALICE, "Decrypt", retiring_principal=BOB)
    request = ListRetirableGrantsRequest(retiring_principal=EVE)
    for caller in (
        await somebody(server, OTHER_ROOT),
        await somebody(server, EVE, policy(permit("kms:ListRetirableGrants", EVE))),
    ):
        (entry,) = (await caller.send(request)).grants
        assert (entry.grant_id, entry.key_id) == (made.grant_id, key_id)
    for stranger in (
        await somebody(server, ROOT),
        await somebody(server, user("mallory", OTHER_ACCOUNT)),
        await somebody(
            server, user("trent", OTHER_ACCOUNT), policy(permit("kms:ListRetirableGrants", OTHER_ROOT))
        ),
        Somebody(server, user("ghost", OTHER_ACCOUNT)),
    ):
        await denied(server, stranger.send(request))


async def test_a_damaged_grant_token_is_refused_wherever_one_is_taken(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await new_key(client)
    made = await give(client, key_id, ALICE, "Decrypt")
    token = made.grant_token
    blob = await encrypt(client, key_id)
    for broken in (
        "x",
        token[:-1],
        token + "A",
        ("B" if token[0] == "A" else "A") + token[1:],
        "ä" * len(token),
        " " * len(token),
    ):
        tokens = [token, broken]
        for call in (
            client.encrypt_async(encryption(key_id, tokens)),
            client.decrypt_async(DecryptRequest(ciphertext_blob=blob, grant_tokens=tokens)),
            client.describe_key_async(DescribeKeyRequest(key_id=key_id, grant_tokens=tokens)),
            client.retire_grant_async(RetireGrantRequest(grant_token=broken)),
            give(client, key_id, BOB, "Decrypt", grant_tokens=tokens),
        ):
            error = await refused(InvalidGrantTokenException, call)
            assert token not in error.message
    assert await client.encrypt_async(encryption(key_id, [token] * 10))
    await refused(ValidationException, client.encrypt_async(encryption(key_id, [token] * 11)))


@pytest.mark.parametrize("member", ["grantee_principal", "retiring_principal"])
async def test_principals_of_a_grant_are_arns_of_principals(
    client: KeyManagementServiceClient, refused: Refused[ServiceError], member: str
) -> None:
    key_id = await new_key(client)
    for arn in (
        "alice",
        "*",
        ACCOUNT,
        "arn:aws:iam::000000000000:group/g",
        "arn:aws:iam::0:root",
        "arn:aws:s3:::b",
    ):
        request = CreateGrantRequest(key_id=key_id, grantee_principal=ALICE, **terms("Decrypt"))
        setattr(request, member, arn)
        kind = ValidationException if arn == "*" else InvalidArnException
        await refused(kind, client.create_grant_async(request))


async def test_the_terms_of_a_grant_have_limits(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await new_key(client)
    eight = {str(number): "x" for number in range(8)}
    for constraint in ("equals", "subset"):
        await give(client, key_id, ALICE, "Encrypt", **{constraint: eight})
        await give(client, key_id, ALICE, "Encrypt", **{constraint: {"k": "v" * 383}})
        for pairs in ({**eight, "9": "x"}, {"k": "v" * 384}, {"k": "\0"}):
            await refused(ValidationException, give(client, key_id, ALICE, "Encrypt", **{constraint: pairs}))
    await refused(ValidationException, give(client, key_id, ALICE))
    await refused(ValidationException, give(client, key_id, ALICE, "Decrypt", name="not a name"))
    await refused(DryRunOperationException, give(client, key_id, ALICE, "Decrypt", dry_run=True))


async def test_a_key_has_at_most_50000_grants_and_500_to_one_grantee(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await new_key(client)
    insert = (
        "INSERT INTO grants (grant_id, key_id, region, grantee, issuing_account, operations, created_at) "
        "SELECT encode(sha256(n::text::bytea), 'hex'), :key_id, 'us-east-1', :grantee, :root, ARRAY['Decrypt'], now() "
        "FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n"
    )
    bare = key_id.rpartition("/")[2]
    await change(server, insert, key_id=bare, grantee=ALICE, root=ROOT, first=1, last=499)
    await give(client, key_id, ALICE, "Decrypt")
    await refused(LimitExceededException, give(client, key_id, ALICE, "Decrypt"))
    await change(server, insert, key_id=bare, grantee="x", root=ROOT, first=501, last=49_999)
    made = await give(client, key_id, BOB, "Decrypt", name="n")
    error = await refused_without_rows(server, LimitExceededException, give(client, key_id, BOB, "Decrypt"))
    assert "has 50000 grants" in error.message
    assert (await give(client, key_id, BOB, "Decrypt", name="n")).grant_id == made.grant_id


async def refused_without_rows(
    server: TestServer, kind: type[ServiceError], call: Awaitable[object]
) -> ServiceError:
    """Expect a refusal; comparing fifty thousand rows would take its time."""
    (before,) = await select(server, "SELECT count(*) FROM grants")
    with pytest.raises(kind) as caught:
        await call
    assert await select(server, "SELECT count(*) FROM grants") == [before]
    return caught.value


async def test_the_conditions_of_create_grant_are_decided_by_the_grant_that_is_asked_for(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await new_key(client)
    condition = {
        "ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt", "Decrypt"]},
        "StringEquals": {"kms:GranteePrincipal": BOB, "kms:GrantConstraintType": "EncryptionContextSubset", "kms:EncryptionContext:tenant": "7"},
        "StringEqualsIfExists": {"kms:RetiringPrincipal": ALICE},
        "Bool": {"kms:GrantIsForAWSResource": False},
    }  # fmt: skip
    alice = await somebody(server, ALICE, policy(permit("kms:CreateGrant", Condition=condition)))

    def asked(grantee: str, *operations: str, **more: Any) -> CreateGrantRequest:
        return CreateGrantRequest(key_id=key_id, grantee_principal=grantee, **terms(*operations, **more))

    right = asked(BOB, "Decrypt", "Encrypt", subset={"tenant": "7"}, retiring_principal=ALICE)
    assert await alice.send(right)
    for request in (
        asked(CAROL, "Decrypt", subset={"tenant": "7"}),
        asked(BOB, "Decrypt", "GenerateDataKey", subset={"tenant": "7"}),
        asked(BOB, "Decrypt"),
        asked(BOB, "Decrypt", equals={"tenant": "7"}),
        asked(BOB, "Decrypt", subset={"tenant": "8"}),
        asked(BOB, "Decrypt", subset={"tenant": "7"}, retiring_principal=CAROL),
    ):
        await denied(server, alice.send(request))


async def test_grants_go_with_their_key(server: TestServer, client: KeyManagementServiceClient) -> None:
    key_id = await new_key(client)
    made = await give(client, key_id, ALICE, "Decrypt", retiring_principal=BOB)
    await schedule_deletion(client, key_id)
    assert [one.grant_id for one in await listed(client, key_id)] == [made.grant_id]
    server.clock.advance(timedelta(days=30))
    await server.running.reaper.reap()
    found = await client.list_retirable_grants_async(ListRetirableGrantsRequest(retiring_principal=BOB))
    assert list(found.grants) == []
    with pytest.raises(NotFoundException):
        await client.retire_grant_async(RetireGrantRequest(grant_token=made.grant_token))


async def test_a_grant_on_a_key_that_cannot_be_used_is_made_by_nobody_and_used_by_nobody(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await new_key(client)
    alice = await somebody(server, ALICE)
    await give(client, key_id, ALICE, "Encrypt", "DescribeKey")
    await disable(client, key_id)
    with pytest.raises(domain.DisabledException):
        await alice.send(encryption(key_id))
    assert (await alice.send(DescribeKeyRequest(key_id=key_id))).key_metadata == await describe(
        client, key_id
    )
    await refused(DisabledException, give(client, key_id, BOB, "Decrypt"))
    await refused(KMSInvalidStateException, give(client, await create_external_key(client), BOB, "Decrypt"))


async def test_grants_do_not_wait_for_each_other_and_none_is_lost(
    client: KeyManagementServiceClient,
) -> None:
    key_id = await new_key(client)
    made = await asyncio.gather(*(give(client, key_id, ALICE, "Decrypt", name="n") for _ in range(8)))
    assert len({one.grant_id for one in made}) == 1
    assert len(await listed(client, key_id)) == 1
