"""Key policies: shown, replaced, listed, given at creation; which documents are refused, and how."""

import json

import pytest
from contract.beneath import schedule_deletion, select
from contract.conftest import Refused
from fixtures.server import TestServer
from policies import OWNER, ROOT, allow, deny, policy, user
from steps import create_external_key, describe, disable, encrypt

from keyferry.v1 import (
    CreateKeyRequest,
    GetKeyPolicyRequest,
    ListKeyPoliciesRequest,
    PutKeyPolicyRequest,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    AccessDeniedException,
    InvalidMarkerException,
    LimitExceededException,
    MalformedPolicyDocumentException,
    NotFoundException,
    ServiceError,
    ValidationException,
)

# As AWS was recorded to answer for a key that was created without a policy.
DEFAULT = f"""{{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {{
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "{ROOT}"
    }},
    "Action" : "kms:*",
    "Resource" : "*"
  }} ]
}}"""
LOCKING_OUT = policy(allow(user("alice")))


async def get(client: KeyManagementServiceClient, key_id: str) -> str:
    response = await client.get_key_policy_async(GetKeyPolicyRequest(key_id=key_id))
    assert response.policy_name == "default"
    return response.policy


async def put(
    client: KeyManagementServiceClient, key_id: str, text: str, *, bypass: bool | None = None
) -> None:
    await client.put_key_policy_async(
        PutKeyPolicyRequest(key_id=key_id, policy=text, bypass_policy_lockout_safety_check=bypass)
    )


async def test_a_key_without_a_policy_of_its_own_has_the_default_one_of_aws(
    client: KeyManagementServiceClient,
) -> None:
    assert await get(client, await create_external_key(client)) == DEFAULT


async def test_a_policy_is_shown_as_it_was_put(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_external_key(client)
    for text in (
        policy(OWNER),
        json.dumps(json.loads(policy(OWNER)), indent=3),
        policy(OWNER, deny("*", "kms:Sign")),
        DEFAULT,
    ):
        await put(client, key_id, text)
        assert await get(client, key_id) == text
        arn = (await describe(client, key_id)).arn
        assert await get(client, arn) == text
    assert await select(server, "SELECT policy FROM keys") == [(None,)]


async def test_a_key_is_created_with_its_policy(client: KeyManagementServiceClient) -> None:
    for text in (policy(OWNER), DEFAULT):
        key = (await client.create_key_async(CreateKeyRequest(policy=text))).key_metadata
        assert await get(client, key.key_id) == text


async def test_policies_are_shown_put_and_listed_in_every_key_state(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    enabled = (await client.create_key_async(CreateKeyRequest())).key_metadata.key_id
    disabled = (await client.create_key_async(CreateKeyRequest())).key_metadata.key_id
    await disable(client, disabled)
    leaving, pending = await create_external_key(client), await create_external_key(client)
    await schedule_deletion(server, leaving)
    for key_id in (enabled, disabled, leaving, pending):
        await put(client, key_id, policy(OWNER))
        assert await get(client, key_id) == policy(OWNER)
        listed = await client.list_key_policies_async(ListKeyPoliciesRequest(key_id=key_id))
        assert (list(listed.policy_names), listed.truncated, listed.next_marker) == (["default"], False, "")


async def test_the_only_policy_is_the_default_one(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    shown = await client.get_key_policy_async(GetKeyPolicyRequest(key_id=key_id, policy_name="default"))
    await client.put_key_policy_async(
        PutKeyPolicyRequest(key_id=key_id, policy_name="default", policy=shown.policy)
    )
    await refused(
        NotFoundException,
        client.get_key_policy_async(GetKeyPolicyRequest(key_id=key_id, policy_name="other")),
    )
    other = PutKeyPolicyRequest(key_id=key_id, policy_name="other", policy=policy(OWNER))
    await refused(ValidationException, client.put_key_policy_async(other))
    await refused(
        InvalidMarkerException,
        client.list_key_policies_async(ListKeyPoliciesRequest(key_id=key_id, marker="x")),
    )


async def test_a_malformed_policy_is_refused_with_the_place(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    broken = policy(OWNER, {"Effect": "Deny", "Principal": "*", "Action": "kms", "Resource": "*"})
    for call in (
        put(client, key_id, broken),
        put(client, key_id, broken, bypass=True),
        client.create_key_async(CreateKeyRequest(policy=broken)),
    ):
        error = await refused(MalformedPolicyDocumentException, call)
        assert error.message.startswith("Statement[1].Action must be an action")


async def test_a_policy_has_at_most_32_kilobytes(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    text = policy(OWNER)
    await put(client, key_id, text + " " * (32_768 - len(text)))
    await refused(LimitExceededException, put(client, key_id, text + " " * (32_769 - len(text))))
    await refused(LimitExceededException, put(client, key_id, text + "\xa0" * (32_767 - len(text))))
    long = CreateKeyRequest(policy=text + " " * 32_768)
    await refused(LimitExceededException, client.create_key_async(long))
    await refused(ValidationException, put(client, key_id, text + " " * 131_072))


@pytest.mark.parametrize("text", ["", "{\0}", "\u0100", "{}\x1f"])
async def test_a_policy_has_only_characters_of_latin_1(
    client: KeyManagementServiceClient, refused: Refused[ServiceError], text: str
) -> None:
    key_id = await create_external_key(client)
    await refused(ValidationException, put(client, key_id, text))
    await refused(ValidationException, client.create_key_async(CreateKeyRequest(policy=text)))


async def test_a_policy_that_would_lock_its_author_out_is_refused_unless_the_author_insists(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = (await client.create_key_async(CreateKeyRequest())).key_metadata.key_id
    for text in (
        LOCKING_OUT,
        policy(allow(ROOT, "kms:Encrypt")),
        policy(OWNER, deny("*", "kms:PutKeyPolicy")),
        policy(allow(ROOT, Condition={"Bool": {"kms:BypassPolicyLockoutSafetyCheck": True}})),
    ):
        for call in (
            put(client, key_id, text),
            put(client, key_id, text, bypass=False),
            client.create_key_async(CreateKeyRequest(policy=text)),
        ):
            error = await refused(MalformedPolicyDocumentException, call)
            assert error.message == (
                "The new key policy will not allow you to update the key policy in the future."
            )

    await put(client, key_id, LOCKING_OUT, bypass=True)
    for call in (encrypt(client, key_id), get(client, key_id), put(client, key_id, DEFAULT, bypass=True)):
        error = await refused(AccessDeniedException, call)
        assert "because no resource-based policy allows the kms:" in error.message
    created = await client.create_key_async(
        CreateKeyRequest(policy=LOCKING_OUT, bypass_policy_lockout_safety_check=True)
    )
    await refused(AccessDeniedException, describe(client, created.key_metadata.key_id))


async def test_a_policy_counts_from_the_next_call_on(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = (await client.create_key_async(CreateKeyRequest())).key_metadata.key_id
    assert await encrypt(client, key_id)
    await put(client, key_id, policy(OWNER, deny("*", "kms:Encrypt")))
    error = await refused(AccessDeniedException, encrypt(client, key_id))
    assert error.message.endswith(
        f"kms:Encrypt on resource: {(await describe(client, key_id)).arn} with an explicit deny in a resource-based policy"
    )
    await put(client, key_id, DEFAULT)
    assert await encrypt(client, key_id)
