"""HMAC and asymmetric keys: their operations in every key state, by every identifier, tried only, and tampered with."""

from collections.abc import Callable

import pytest
from contract.beneath import change, foreign_arn, give_away, schedule_deletion
from contract.conftest import Refused
from contract.operations import send
from fixtures.server import ServerFactory, TestServer
from google.protobuf.message import Message
from other_keys import bring, create_key, public_key_of, sign, sign_request, verify_request
from private_keys import generate, pkcs8, spki
from steps import delete_material, disable, state_of

from keyferry.v1 import (
    DeriveSharedSecretRequest,
    EnableKeyRequest,
    EncryptRequest,
    GenerateDataKeyPairRequest,
    GenerateMacRequest,
    GetKeyLastUsageRequest,
    GetPublicKeyRequest,
    KeyLastUsageTrackingOperation,
    KeyMetadata,
    VerifyMacRequest,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    AccessDeniedException,
    DisabledException,
    DryRunOperationException,
    KMSInternalException,
    KMSInvalidMacException,
    KMSInvalidSignatureException,
    KMSInvalidStateException,
    NotFoundException,
    ServiceError,
    ValidationException,
)

UNKNOWN = "12345678-1234-1234-1234-123456789abc"
ECDSA = "ECDSA_SHA_256"
HMAC = "MAC_ALGORITHM_SPEC_HMAC_SHA_256"
ECDH = "KEY_AGREEMENT_ALGORITHM_SPEC_ECDH"
MATERIAL = {
    "SIGN_VERIFY": pkcs8(generate("ECC_NIST_P256")),
    "KEY_AGREEMENT": pkcs8(generate("ECC_NIST_P256")),
    "GENERATE_VERIFY_MAC": bytes(range(32)),
}
SPECS = {usage: "HMAC_256" if "MAC" in usage else "ECC_NIST_P256" for usage in MATERIAL}
PEER = spki(generate("ECC_NIST_P256"))

Requests = dict[str, tuple[str, Callable[[str], Message]]]


@pytest.fixture
async def server(start_server: ServerFactory) -> TestServer:
    return await start_server(importable_keys="all")


async def keys_and_requests(client: KeyManagementServiceClient) -> tuple[dict[str, KeyMetadata], Requests]:
    """Create a key with imported material for each usage; return them and a right request of each operation."""
    keys = {usage: await create_key(client, SPECS[usage], usage, "EXTERNAL") for usage in MATERIAL}
    for usage, key in keys.items():
        await bring(client, key.key_id, MATERIAL[usage])
    signature = await sign(client, keys["SIGN_VERIFY"].key_id, ECDSA)
    mac_request = GenerateMacRequest(
        key_id=keys["GENERATE_VERIFY_MAC"].key_id, message=b"m", mac_algorithm=HMAC
    )
    mac = (await client.generate_mac_async(mac_request)).mac
    return keys, {
        "Sign": ("SIGN_VERIFY", lambda key_id: sign_request(key_id, ECDSA)),
        "Verify": ("SIGN_VERIFY", lambda key_id: verify_request(key_id, ECDSA, signature)),
        "GenerateMac": (
            "GENERATE_VERIFY_MAC",
            lambda key_id: GenerateMacRequest(key_id=key_id, message=b"m", mac_algorithm=HMAC),
        ),
        "VerifyMac": (
            "GENERATE_VERIFY_MAC",
            lambda key_id: VerifyMacRequest(key_id=key_id, message=b"m", mac=mac, mac_algorithm=HMAC),
        ),
        "DeriveSharedSecret": (
            "KEY_AGREEMENT",
            lambda key_id: DeriveSharedSecretRequest(
                key_id=key_id, key_agreement_algorithm=ECDH, public_key=PEER
            ),
        ),
        "GetPublicKey": ("SIGN_VERIFY", lambda key_id: GetPublicKeyRequest(key_id=key_id)),
    }


async def test_the_operations_of_other_keys_work_in_the_key_states_of_awss_table(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    keys, requests = await keys_and_requests(client)

    async def walk(state: str, exception: type[ServiceError], words: str) -> None:
        for key in keys.values():
            assert await state_of(client, key.key_id) == state
        for operation, (usage, request) in requests.items():
            key = keys[usage]
            if operation == "GetPublicKey" and state != "PENDING_DELETION":
                assert await public_key_of(client, key.arn)
                continue
            error = await refused(exception, send(client, request(key.arn)))
            assert error.message == f"{key.arn} is {words}."

    for usage, request in requests.values():
        await send(client, request(keys[usage].key_id))

    for key in keys.values():
        await disable(client, key.key_id)
    await walk("DISABLED", DisabledException, "disabled")

    for key in keys.values():
        await send(client, EnableKeyRequest(key_id=key.key_id))
        await delete_material(client, key.key_id)
    await walk("PENDING_IMPORT", KMSInvalidStateException, "pending import")

    for usage, key in keys.items():
        await bring(client, key.key_id, MATERIAL[usage])
        await schedule_deletion(server, key.key_id)
    await walk("PENDING_DELETION", KMSInvalidStateException, "pending deletion")


async def test_the_operations_of_other_keys_name_keys_as_the_other_cryptographic_operations_do(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    keys, requests = await keys_and_requests(client)
    for key in keys.values():
        await give_away(server, key.key_id)
    for usage, request in requests.values():
        for name, exception, words in (
            ("alias/payroll", NotFoundException, "alias/payroll is not found."),
            (UNKNOWN, NotFoundException, f"key/{UNKNOWN}' does not exist"),
            ("fake-key-id", NotFoundException, "Invalid keyId 'fake-key-id'"),
            (
                foreign_arn(keys[usage].key_id),
                AccessDeniedException,
                "is not authorized to perform: kms:",
            ),
        ):
            error = await refused(exception, send(client, request(name)))
            assert words in error.message


async def test_a_dry_run_does_every_check_and_nothing_else(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    keys, requests = await keys_and_requests(client)
    wrong: dict[str, tuple[dict[str, object], type[ServiceError]]] = {
        "Sign": ({"message_type": "MESSAGE_TYPE_DIGEST"}, ValidationException),
        "Verify": ({"message": b"massage"}, KMSInvalidSignatureException),
        "VerifyMac": ({"message": b"massage"}, KMSInvalidMacException),
        "DeriveSharedSecret": ({"public_key": b"none"}, ValidationException),
    }
    for operation in requests.keys() - {"GetPublicKey"}:
        usage, make = requests[operation]
        request = make(keys[usage].key_id)
        request.MergeFrom(type(request)(dry_run=True))
        await refused(DryRunOperationException, send(client, request))
        if operation in wrong:
            members, exception = wrong[operation]
            request.MergeFrom(type(request)(**members))
            await refused(exception, send(client, request))


async def test_a_use_of_another_key_is_its_last_use(client: KeyManagementServiceClient) -> None:
    key = await create_key(client, "HMAC_256", "GENERATE_VERIFY_MAC")
    await client.generate_mac_async(GenerateMacRequest(key_id=key.key_id, message=b"m", mac_algorithm=HMAC))

    usage = await client.get_key_last_usage_async(GetKeyLastUsageRequest(key_id=key.key_id))

    assert usage.key_last_usage.operation == (
        KeyLastUsageTrackingOperation.KEY_LAST_USAGE_TRACKING_OPERATION_GENERATE_MAC
    )


async def test_a_public_key_that_was_replaced_in_the_database_is_used_for_nothing(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    signing = await create_key(client, "ECC_NIST_P256", "SIGN_VERIFY")
    agreeing = await create_key(client, "ECC_NIST_P256", "KEY_AGREEMENT")
    rsa_key = await create_key(client, "RSA_2048", "ENCRYPT_DECRYPT")
    signature = await sign(client, signing.key_id, ECDSA)
    requests: list[tuple[KeyMetadata, Message]] = [
        (signing, GetPublicKeyRequest(key_id=signing.key_id)),
        (signing, verify_request(signing.key_id, ECDSA, signature)),
        (
            agreeing,
            DeriveSharedSecretRequest(key_id=agreeing.key_id, key_agreement_algorithm=ECDH, public_key=PEER),
        ),
        (
            rsa_key,
            EncryptRequest(
                key_id=rsa_key.key_id,
                plaintext=b"p",
                encryption_algorithm="ENCRYPTION_ALGORITHM_SPEC_RSAES_OAEP_SHA_1",
            ),
        ),
    ]
    for of_intruder in (spki(generate("ECC_NIST_P256")), spki(generate("RSA_2048")), b"", b"no key", None):
        await change(server, "UPDATE key_materials SET public_key = :key", key=of_intruder)
        for key, request in requests:
            error = await refused(KMSInternalException, send(client, request))
            assert key.key_id not in error.message or of_intruder is None


async def test_a_data_key_pair_under_a_damaged_key_gives_nothing_out(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key = await create_key(client, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    await change(server, "UPDATE key_materials SET sealed = '\\x0102'")
    request = GenerateDataKeyPairRequest(key_id=key.key_id, key_pair_spec="DATA_KEY_PAIR_SPEC_ECC_NIST_P256")

    await refused(KMSInternalException, send(client, request))
