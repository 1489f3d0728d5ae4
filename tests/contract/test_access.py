"""Who may do what with which key: key policies, identity policies and grants together, on every operation.

The callers here stand beside the wire, because who they are is authentication's matter.
"""

import itertools
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from contract.beneath import OTHER_ACCOUNT, all_rows, all_rows_at_once, change
from contract.operations import ON_A_KEY, request_on
from direct_calls import Somebody, call_of, somebody
from fixtures.server import TestServer
from google.protobuf.message import Message
from policies import ACCOUNT, OWNER, ROOT, allow, deny, forbid, permit, policy, user
from steps import create_external_key, create_imported_key, describe, encrypt, get_parameters, import_request

from keyferry.v1 import (
    CreateAliasRequest,
    CreateKeyRequest,
    DecryptRequest,
    DeleteAliasRequest,
    DescribeKeyRequest,
    EncryptRequest,
    GenerateRandomRequest,
    GetParametersForImportRequest,
    ImportKeyMaterialRequest,
    ListKeysRequest,
    PutKeyPolicyRequest,
    ReEncryptRequest,
    ScheduleKeyDeletionRequest,
    TagResourceRequest,
    UpdateAliasRequest,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_server.authn.caller import Anonymous
from keyferry_server.authz.permission import ACROSS_ACCOUNTS, Permission
from keyferry_server.domain.errors import (
    AccessDeniedException,
    InvalidCiphertextException,
    KmsError,
    KMSInternalException,
    MalformedPolicyDocumentException,
    NotFoundException,
)
from keyferry_server.routes import ROUTES

ALICE, BOB, EVE = user("alice"), user("bob"), user("eve", OTHER_ACCOUNT)
OTHER_ROOT = f"arn:aws:iam::{OTHER_ACCOUNT}:root"
# Who may retire a grant is said by the grant (test_grants).
BY_POLICY = [operation for operation in ON_A_KEY if operation != "RetireGrant"]
# What an operation concerns besides its key.
ALIASES = "arn:aws:kms:us-east-1:000000000000:alias/*"
BESIDES = {"CreateAlias": [ALIASES], "UpdateAlias": [ALIASES], "ListAliases": ["*"]}
UNKNOWN = "12345678-1234-1234-1234-123456789abc"


async def key_with(client: KeyManagementServiceClient, *statements: dict[str, Any]) -> str:
    """Create an enabled key with a policy of OWNER and these statements; return its ARN."""
    key = (await client.create_key_async(CreateKeyRequest(policy=policy(OWNER, *statements)))).key_metadata
    return key.arn


def encryption(key_id: str, **context: str) -> EncryptRequest:
    return EncryptRequest(key_id=key_id, plaintext=b"text", encryption_context=context)


async def refusal(server: TestServer, call: Awaitable[Any]) -> str:
    """Expect an AccessDeniedException that leaves every row as it was; return its message."""
    before = all_rows_at_once(server)
    with pytest.raises(AccessDeniedException) as refused:
        await call
    assert await all_rows(server) == before
    return refused.value.message


async def is_denied(call: Awaitable[Any]) -> bool:
    """Tell whether a call is denied; whatever else becomes of it does not matter."""
    try:
        await call
    except KmsError as error:
        return isinstance(error, AccessDeniedException)
    return False


async def test_the_default_policy_leaves_everything_to_the_account(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = (await client.create_key_async(CreateKeyRequest())).key_metadata.arn
    alice = await somebody(server, ALICE)
    assert (await refusal(server, alice.send(encryption(key_id)))).endswith(
        " because no identity-based policy allows the kms:Encrypt action"
    )

    await alice.attach("use", policy(permit("kms:Encrypt", key_id)))
    assert await alice.send(encryption(key_id))
    await refusal(server, alice.send(DescribeKeyRequest(key_id=key_id)))

    await alice.attach("never", policy(forbid("kms:*")))
    assert (await refusal(server, alice.send(encryption(key_id)))).endswith(
        " with an explicit deny in an identity-based policy"
    )
    await alice.detach("never")
    assert await alice.send(encryption(key_id))
    await alice.detach("use")
    await refusal(server, alice.send(encryption(key_id)))


async def test_a_key_policy_that_names_a_principal_needs_no_identity_policy(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await key_with(client, allow(ALICE, "kms:Encrypt"))
    alice, bob = await somebody(server, ALICE), await somebody(server, BOB)
    assert await alice.send(encryption(key_id))
    await refusal(server, bob.send(encryption(key_id)))
    await alice.attach("never", policy(forbid("kms:Encrypt", key_id)))
    await refusal(server, alice.send(encryption(key_id)))


async def test_identity_policies_are_nothing_to_a_key_that_does_not_leave_it_to_the_account(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    only_alice = PutKeyPolicyRequest(policy=policy(allow(ALICE)), bypass_policy_lockout_safety_check=True)
    key_id = (await client.create_key_async(CreateKeyRequest())).key_metadata.arn
    only_alice.key_id = key_id
    await client.put_key_policy_async(only_alice)
    bob = await somebody(server, BOB, policy(permit()))
    assert (await refusal(server, bob.send(encryption(key_id)))).endswith(
        " because no resource-based policy allows the kms:Encrypt action"
    )
    root = await somebody(server, ROOT)
    await refusal(server, root.send(encryption(key_id)))
    assert await (await somebody(server, ALICE)).send(encryption(key_id))


async def test_nobody_that_was_not_made_or_was_deleted_may_anything(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await key_with(client, allow("*"))
    ghost = Somebody(server, user("ghost"))
    for request in (encryption(key_id), GenerateRandomRequest(number_of_bytes=1), ListKeysRequest()):
        assert (await refusal(server, ghost.send(request))).endswith(" because the principal does not exist")
    assert await (await somebody(server, ghost.arn)).send(encryption(key_id))
    await change(server, "DELETE FROM principals WHERE arn = :arn", arn=ghost.arn)
    await refusal(server, ghost.send(encryption(key_id)))


async def test_a_caller_that_proved_nothing_may_nothing(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await key_with(client, allow("*"))
    for request in (
        encryption(key_id),
        DescribeKeyRequest(key_id=key_id),
        GenerateRandomRequest(number_of_bytes=1),
    ):
        (operation,) = (one.operation for one in ROUTES if one.name == type(request).__name__[:-7])
        call = replace(call_of(operation), caller=Anonymous(), request=request)
        assert "User: anonymous is not" in await refusal(
            server, server.running.operations[operation](request, call)
        )


async def test_what_concerns_no_key_is_for_the_root_and_for_whom_identity_policies_allow_it(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    requests: dict[str, Message] = {
        "kms:CreateKey": CreateKeyRequest(),
        "kms:ListKeys": ListKeysRequest(),
        "kms:GenerateRandom": GenerateRandomRequest(number_of_bytes=8),
    }
    root = await somebody(server, ROOT)
    for permission, request in requests.items():
        assert await root.send(request)
        name = permission.partition(":")[2].lower()
        caller = await somebody(server, user(name), policy(permit(permission)))
        assert await caller.send(request)
        for other in requests.values():
            if other is not request:
                await refusal(server, caller.send(other))


async def test_every_operation_on_a_key_asks_for_its_own_permission(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    """A policy allows everything but one permission: exactly the operations that need it are refused."""
    key_id = await create_imported_key(client)
    arn = (await describe(client, key_id)).arn
    ciphertext = await encrypt(client, key_id)
    alice = await somebody(server, ALICE)
    permissions = {
        operation: route.permissions[0] if operation != "ReEncrypt to" else route.permissions[1]
        for operation in BY_POLICY
        for route in ROUTES
        if route.name == operation.split()[0]
    }
    assert set(permissions) == set(BY_POLICY)
    requests = {
        operation: request_on(operation, arn, ciphertext=ciphertext, destination=arn, token_id=UNKNOWN)
        for operation in BY_POLICY
    }
    for operation, permission in permissions.items():
        await alice.attach("all-but", policy(permit(), forbid(permission)))
        assert f"not authorized to perform: {permission} on" in await refusal(
            server, alice.send(requests[operation])
        )
    # And the same the other way round: with no other permission it is at least not refused for that.
    for operation, permission in permissions.items():
        if operation in {
            "ImportKeyMaterial",
            "ScheduleKeyDeletion",
            "DeleteImportedKeyMaterial",
            "DisableKey",
        }:
            continue  # they would change the key for those that follow
        needed = permission if not operation.startswith("ReEncrypt") else "kms:ReEncrypt*"
        await alice.attach("all-but", policy(permit(needed, [arn, *BESIDES.get(operation, ())])))
        assert not await is_denied(alice.send(requests[operation])), operation


async def test_re_encrypt_needs_a_permission_on_each_of_the_two_keys(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    source = await key_with(client, allow(ALICE, "kms:ReEncryptFrom"))
    destination = await key_with(client, allow(ALICE, "kms:ReEncryptTo"))
    alice = await somebody(server, ALICE)
    blob = await encrypt(client, source)
    assert await alice.send(ReEncryptRequest(ciphertext_blob=blob, destination_key_id=destination))
    await refusal(server, alice.send(ReEncryptRequest(ciphertext_blob=blob, destination_key_id=source)))
    back = await encrypt(client, destination)
    await refusal(server, alice.send(ReEncryptRequest(ciphertext_blob=back, destination_key_id=destination)))


async def test_whether_both_keys_of_a_re_encryption_are_the_same_is_a_condition(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    same = {"Bool": {"kms:ReEncryptOnSameKey": True}}
    one, other = [await key_with(client, allow(ALICE, "kms:ReEncrypt*", Condition=same)) for _ in range(2)]
    for alias, key_id in (("alias/one", one), ("alias/other", other)):
        await client.create_alias_async(CreateAliasRequest(alias_name=alias, target_key_id=key_id))
    alice = await somebody(server, ALICE)
    blob = await encrypt(client, one)
    for source, destination in ((None, one), (one, one), ("alias/one", one), (None, "alias/one")):
        request = ReEncryptRequest(ciphertext_blob=blob, source_key_id=source, destination_key_id=destination)
        assert await alice.send(request)
    for source, destination in (
        (None, other),
        (one, other),
        ("alias/one", "alias/other"),
        (one, "alias/other"),
    ):
        request = ReEncryptRequest(ciphertext_blob=blob, source_key_id=source, destination_key_id=destination)
        await refusal(server, alice.send(request))


async def test_aliases_and_tags_are_conditions(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    by_alias = {"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/payroll*"}}
    by_tag = {"StringEquals": {"aws:ResourceTag/Team": "${aws:username}"}}
    by_request = {"StringEquals": {"kms:RequestAlias": "alias/payroll"}}
    alice = await somebody(server, ALICE, policy(permit("kms:DescribeKey", Condition=by_alias)))
    bob = await somebody(server, BOB, policy(permit("kms:DescribeKey", Condition=by_tag)))
    carol = await somebody(server, user("carol"), policy(permit("kms:DescribeKey", Condition=by_request)))
    key_id = await key_with(client)
    for caller, name in ((alice, key_id), (bob, key_id), (carol, key_id)):
        await refusal(server, caller.send(DescribeKeyRequest(key_id=name)))

    for alias in ("alias/other", "alias/payroll"):
        await client.create_alias_async(CreateAliasRequest(alias_name=alias, target_key_id=key_id))
    await client.tag_resource_async(
        TagResourceRequest(key_id=key_id, tags=[{"tag_key": "team", "tag_value": "bob"}])
    )
    assert await alice.send(DescribeKeyRequest(key_id=key_id))
    assert await bob.send(DescribeKeyRequest(key_id=key_id))
    await refusal(server, carol.send(DescribeKeyRequest(key_id=key_id)))
    await refusal(server, carol.send(DescribeKeyRequest(key_id="alias/other")))
    assert await carol.send(DescribeKeyRequest(key_id="alias/payroll"))
    assert await carol.send(DescribeKeyRequest(key_id=f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/payroll"))

    await client.tag_resource_async(
        TagResourceRequest(key_id=key_id, tags=[{"tag_key": "Team", "tag_value": "x"}])
    )
    assert "more than once" in await refusal(server, bob.send(DescribeKeyRequest(key_id=key_id)))


async def test_tags_that_are_asked_for_are_conditions(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    only_own = {
        "StringEquals": {"aws:RequestTag/team": "red"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["team", "purpose"]},
    }
    key_id = await key_with(client)
    alice = await somebody(
        server, ALICE, policy(permit(["kms:CreateKey", "kms:TagResource"], Condition=only_own))
    )

    def tags(**pairs: str) -> list[dict[str, str]]:
        return [{"tag_key": key, "tag_value": value} for key, value in pairs.items()]

    for pairs in (tags(team="red"), tags(team="red", purpose="x")):
        assert await alice.send(CreateKeyRequest(tags=pairs))
        await alice.send(TagResourceRequest(key_id=key_id, tags=pairs))
    for pairs in (tags(team="blue"), tags(purpose="x"), tags(team="red", other="x")):
        await refusal(server, alice.send(CreateKeyRequest(tags=pairs)))
        await refusal(server, alice.send(TagResourceRequest(key_id=key_id, tags=pairs)))
    await refusal(server, alice.send(CreateKeyRequest()))


async def test_an_alias_is_changed_by_who_may_change_it_and_its_keys(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    one, other = await key_with(client), await key_with(client)
    alias_arn = f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/payroll"
    alice = await somebody(server, ALICE)
    create = CreateAliasRequest(alias_name="alias/payroll", target_key_id=one)
    update = UpdateAliasRequest(alias_name="alias/payroll", target_key_id=other)
    delete = DeleteAliasRequest(alias_name="alias/payroll")
    for resources in ([alias_arn], [one, other]):
        await alice.attach("aliases", policy(permit("kms:*Alias", resources)))
        await refusal(server, alice.send(create))
    await alice.attach("aliases", policy(permit("kms:*Alias", [alias_arn, one])))
    await alice.send(create)
    await refusal(server, alice.send(update))
    await alice.attach("aliases", policy(permit("kms:*Alias", [alias_arn, other])))
    await refusal(server, alice.send(update))
    await refusal(server, alice.send(delete))
    await alice.attach("aliases", policy(permit("kms:*Alias", [alias_arn, one, other])))
    await alice.send(update)
    await alice.send(delete)


@pytest.mark.parametrize("named", [EVE, OTHER_ACCOUNT, OTHER_ROOT, "*"])
async def test_across_accounts_the_key_policy_and_the_callers_account_must_both_allow(
    server: TestServer, client: KeyManagementServiceClient, named: str
) -> None:
    key_id = await key_with(client, allow(named, "kms:Encrypt"))
    eve = await somebody(server, EVE)
    await refusal(server, eve.send(encryption(key_id)))
    await eve.attach("use", policy(permit("kms:*", f"arn:aws:kms:*:{ACCOUNT}:key/*")))
    assert await eve.send(encryption(key_id))
    await refusal(server, eve.send(DescribeKeyRequest(key_id=key_id)))
    other_root = await somebody(server, OTHER_ROOT)
    if named == EVE:
        await refusal(server, other_root.send(encryption(key_id)))
    else:
        assert await other_root.send(encryption(key_id))
    await eve.attach("never", policy(forbid("kms:Encrypt")))
    await refusal(server, eve.send(encryption(key_id)))


async def test_the_key_policy_alone_or_the_identity_policy_alone_opens_nothing_across_accounts(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    open_key, shut_key = await key_with(client, allow("*")), await key_with(client)
    eve = await somebody(server, EVE)
    await refusal(server, eve.send(encryption(open_key)))
    await eve.attach("all", policy(permit("*")))
    assert await eve.send(encryption(open_key))
    await refusal(server, eve.send(encryption(shut_key)))


async def test_most_operations_are_refused_across_accounts_whatever_policies_say(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    """Among them all import operations."""
    key_id = await create_external_key(client)
    arn = (await describe(client, key_id)).arn
    parameters = await get_parameters(client, key_id)
    await client.put_key_policy_async(PutKeyPolicyRequest(key_id=key_id, policy=policy(OWNER, allow("*"))))
    eve = await somebody(server, EVE, policy(permit("*")))
    other_root = await somebody(server, OTHER_ROOT)
    refused = set()
    for caller, operation in itertools.product((eve, other_root), BY_POLICY):
        request = request_on(operation, arn, import_token=parameters.import_token, token_id=UNKNOWN)
        if await is_denied(caller.send(request)):
            refused.add(operation)
    across = {permission.partition(":")[2] for permission in ACROSS_ACCOUNTS} | {"Decrypt", "ReEncrypt"}
    assert {"GetParametersForImport", "ImportKeyMaterial", "DeleteImportedKeyMaterial"} <= refused
    assert {name for name in BY_POLICY if name.split()[0] not in across} == {
        name for name in refused if not name.startswith(("ReEncrypt", "Decrypt"))
    }


async def test_a_key_of_another_account_is_refused_in_the_same_words_whether_or_not_it_exists(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    arn = await key_with(client)
    missing = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{UNKNOWN}"
    allowed = policy(permit("*"))
    for caller in (
        await somebody(server, EVE, allowed),
        await somebody(server, user("mallory", OTHER_ACCOUNT)),
        await somebody(server, OTHER_ROOT),
        Somebody(server, user("ghost", OTHER_ACCOUNT)),
    ):
        for operation in ON_A_KEY:
            if operation in {"Decrypt", "ReEncrypt from"}:
                continue  # the ciphertext comes first
            there = await refusal(server, caller.send(request_on(operation, arn, token_id=UNKNOWN)))
            gone = await refusal(server, caller.send(request_on(operation, missing, token_id=UNKNOWN)))
            assert there.replace(arn, missing) == gone


async def test_a_ciphertext_opens_across_accounts_without_naming_its_key(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    arn = await key_with(client, allow(EVE, "kms:Decrypt"))
    shut = await key_with(client)
    blob, of_shut = await encrypt(client, arn), await encrypt(client, shut)
    eve = await somebody(server, EVE, policy(permit("kms:Decrypt")))
    assert (await eve.send(DecryptRequest(ciphertext_blob=blob))).plaintext == b"plaintext"
    assert (await eve.send(DecryptRequest(ciphertext_blob=blob, key_id=arn))).key_id == arn
    message = await refusal(server, eve.send(DecryptRequest(ciphertext_blob=of_shut)))
    damaged = blob[:1] + bytes(17) + blob[18:]
    assert await refusal(server, eve.send(DecryptRequest(ciphertext_blob=damaged))) == message
    assert message.startswith("The ciphertext refers to a customer master key that does not exist")
    assert shut not in message
    with pytest.raises(InvalidCiphertextException):
        await eve.send(DecryptRequest(ciphertext_blob=blob, encryption_context={"a": "b"}))


async def test_a_bare_key_id_is_looked_up_in_the_callers_own_account(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    arn = await key_with(client, allow("*"))
    eve = await somebody(server, EVE, policy(permit("*")))
    with pytest.raises(NotFoundException):
        await eve.send(encryption(arn.rpartition("/")[2]))
    created = (await eve.send(CreateKeyRequest())).key_metadata
    assert created.aws_account_id == OTHER_ACCOUNT
    assert (await eve.send(ListKeysRequest())).keys[0].key_arn == created.arn
    assert created.arn not in {one.key_arn for one in (await client.list_keys_async(ListKeysRequest())).keys}


async def test_conditions_are_decided_by_what_the_request_says(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    in_tenant = {"StringEquals": {"kms:EncryptionContext:tenant": "${aws:username}"}}
    only = {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["tenant"]}}
    key_id = await key_with(client, allow(ALICE, "kms:Encrypt", Condition={**in_tenant, **only}))
    alice = await somebody(server, ALICE)
    assert await alice.send(encryption(key_id, tenant="alice"))
    for context in ({}, {"tenant": "bob"}, {"tenant": "alice", "more": "x"}):
        await refusal(server, alice.send(encryption(key_id, **context)))
    twice = EncryptRequest(
        key_id=key_id, plaintext=b"x", encryption_context={"tenant": "alice", "Tenant": "bob"}
    )
    assert "more than once" in await refusal(server, alice.send(twice))


async def test_import_can_be_limited_by_its_conditions(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_external_key(client)
    await client.put_key_policy_async(
        PutKeyPolicyRequest(
            key_id=key_id,
            policy=policy(
                OWNER,
                allow(
                    ALICE,
                    "kms:GetParametersForImport",
                    Condition={
                        "StringEquals": {
                            "kms:WrappingAlgorithm": "RSAES_OAEP_SHA_256",
                            "kms:WrappingKeySpec": "RSA_2048",
                        }
                    },
                ),
                allow(
                    ALICE,
                    "kms:ImportKeyMaterial",
                    Condition={
                        "StringEquals": {"kms:ExpirationModel": "KEY_MATERIAL_EXPIRES"},
                        "NumericLessThanEquals": {"kms:ValidTo": int(server.clock.now().timestamp()) + 3600},
                    },
                ),
            ),
        )
    )
    alice = await somebody(server, ALICE)
    wrong = GetParametersForImportRequest(
        key_id=key_id,
        wrapping_algorithm="ALGORITHM_SPEC_RSAES_OAEP_SHA_1",
        wrapping_key_spec="WRAPPING_KEY_SPEC_RSA_2048",
    )
    await refusal(server, alice.send(wrong))
    right = request_on("GetParametersForImport", key_id)
    parameters = await alice.send(right)
    now = server.clock.now()
    for request in (
        import_request(key_id, parameters),
        import_request(key_id, parameters, valid_to=now + timedelta(hours=2)),
        ImportKeyMaterialRequest(key_id=key_id, import_token=b"x", encrypted_key_material=b"x"),
    ):
        await refusal(server, alice.send(request))
    assert await alice.send(import_request(key_id, parameters, valid_to=now + timedelta(hours=1)))


async def test_the_waiting_period_the_moment_and_the_address_are_conditions(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await key_with(
        client,
        allow(
            ALICE,
            "kms:ScheduleKeyDeletion",
            Condition={"NumericGreaterThanEquals": {"kms:ScheduleKeyDeletionPendingWindowInDays": 30}},
        ),
        allow(
            ALICE,
            "kms:DescribeKey",
            Condition={
                "DateLessThan": {"aws:CurrentTime": "2100-01-01T00:00:00Z"},
                "IpAddress": {"aws:SourceIp": "192.0.2.0/24"},
            },
        ),
        deny("*", "kms:Encrypt", Condition={"Bool": {"aws:SecureTransport": False}}),
        allow(ALICE, "kms:Encrypt"),
    )
    alice = await somebody(server, ALICE)
    await refusal(server, alice.send(ScheduleKeyDeletionRequest(key_id=key_id, pending_window_in_days=7)))
    assert await alice.send(DescribeKeyRequest(key_id=key_id))
    for peer in ("ipv4:198.51.100.1:1", "unix:", "ipv6:%5B2001:db8::1%5D:1"):
        await refusal(server, alice.send(DescribeKeyRequest(key_id=key_id), peer=peer))
    assert await alice.send(DescribeKeyRequest(key_id=key_id), peer="ipv6:[::ffff:192.0.2.9]:1")
    await refusal(server, alice.send(encryption(key_id)))
    assert await alice.send(encryption(key_id), is_encrypted=True)
    assert await alice.send(ScheduleKeyDeletionRequest(key_id=key_id))


async def test_the_kind_of_key_is_a_condition_also_before_there_is_one(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    only_external = {"StringEquals": {"kms:KeyOrigin": "EXTERNAL", "kms:KeySpec": "SYMMETRIC_DEFAULT"}}
    alice = await somebody(
        server, ALICE, policy(permit(["kms:CreateKey", "kms:DescribeKey"], Condition=only_external))
    )
    await refusal(server, alice.send(CreateKeyRequest()))
    created = (await alice.send(CreateKeyRequest(origin="ORIGIN_TYPE_EXTERNAL"))).key_metadata
    assert await alice.send(DescribeKeyRequest(key_id=created.arn))
    generated = (await client.create_key_async(CreateKeyRequest())).key_metadata
    await refusal(server, alice.send(DescribeKeyRequest(key_id=generated.arn)))


async def test_a_policy_that_was_changed_beneath_to_what_cannot_be_read_lets_nobody_in(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await key_with(client)
    await change(server, "UPDATE keys SET policy = '{'")
    root = await somebody(server, ROOT)
    with pytest.raises(KMSInternalException):
        await root.send(encryption(key_id))
    other = (await client.create_key_async(CreateKeyRequest())).key_metadata.arn
    alice = await somebody(server, ALICE, policy(permit()))
    assert await alice.send(encryption(other))
    await change(server, "UPDATE identity_policies SET document = '[]'")
    with pytest.raises(KMSInternalException):
        await alice.send(encryption(other))


async def test_the_change_of_a_policy_is_decided_again_when_the_key_is_locked(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    """The author of a policy needs the permission under the old one, and under the new one unless it insists."""
    key_id = await key_with(client, allow(ALICE, "kms:PutKeyPolicy"))
    alice = await somebody(server, ALICE)
    without_alice = PutKeyPolicyRequest(key_id=key_id, policy=policy(OWNER))
    with pytest.raises(MalformedPolicyDocumentException):
        await alice.send(without_alice)
    by_identity = policy(permit("kms:PutKeyPolicy"))
    await alice.attach("put", by_identity)
    await alice.send(without_alice)
    await alice.detach("put")
    await refusal(server, alice.send(without_alice))


def test_the_permissions_that_work_across_accounts_are_those_of_aws() -> None:
    assert {Permission.GET_PARAMETERS_FOR_IMPORT, Permission.IMPORT_KEY_MATERIAL} & ACROSS_ACCOUNTS == set()
    assert {
        f"kms:{name}"
        for name in [
            "CreateGrant",
            "Decrypt",
            "DescribeKey",
            "Encrypt",
            "GenerateDataKey",
            "GenerateDataKeyPair",
            "GenerateDataKeyPairWithoutPlaintext",
            "GenerateDataKeyWithoutPlaintext",
            "GenerateMac",
            "GetKeyRotationStatus",
            "GetPublicKey",
            "ListGrants",
            "ReEncryptFrom",
            "ReEncryptTo",
            "RetireGrant",
            "RevokeGrant",
            "Sign",
            "Verify",
            "VerifyMac",
            "DeriveSharedSecret",
        ]
    } >= ACROSS_ACCOUNTS
