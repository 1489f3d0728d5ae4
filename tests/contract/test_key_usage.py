"""GetKeyLastUsage: the last successful use, at once where it happened, after a moment everywhere, for ever."""

from datetime import timedelta

from contract.conftest import Refused
from contract.operations import request_on, send
from fixtures.server import ServerFactory, TestServer
from steps import create_external_key, create_imported_key, describe, disable, encrypt

from keyferry.v1 import EncryptRequest, GetKeyLastUsageRequest, GetKeyLastUsageResponse, KeyLastUsageData
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import DisabledException, DryRunOperationException, ServiceError


async def last_usage(client: KeyManagementServiceClient, key_id: str) -> GetKeyLastUsageResponse:
    return await client.get_key_last_usage_async(GetKeyLastUsageRequest(key_id=key_id))


async def test_a_key_that_was_never_used_says_since_when(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_external_key(client)
    metadata, usage = await describe(client, key_id), await last_usage(client, key_id)
    assert usage.key_id == metadata.arn
    assert usage.HasField("key_last_usage")
    assert usage.key_last_usage == KeyLastUsageData()
    assert usage.key_creation_date == usage.tracking_start_date == metadata.creation_date


async def test_every_cryptographic_operation_counts_as_a_use_of_its_keys(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id, other = await create_imported_key(client), await create_imported_key(client)
    ciphertext = await encrypt(client, key_id)
    for operation, key_ids in {
        "Encrypt": [key_id],
        "Decrypt": [key_id],
        "ReEncrypt from": [key_id, other],
        "GenerateDataKey": [key_id],
        "GenerateDataKeyWithoutPlaintext": [key_id],
    }.items():
        await send(client, request_on(operation, key_id, ciphertext=ciphertext, destination=other))
        for used in key_ids:
            usage = (await last_usage(client, used)).key_last_usage
            name = (
                usage.DESCRIPTOR.fields_by_name["operation"].enum_type.values_by_number[usage.operation].name
            )
            spelled = name.removeprefix("KEY_LAST_USAGE_TRACKING_OPERATION_").replace("_", "").lower()
            assert spelled == operation.split()[0].lower()
            now = server.clock.now()
            assert usage.timestamp.ToDatetime(tzinfo=now.tzinfo) == now
            assert usage.kms_request_id


async def test_what_is_refused_or_only_tried_or_only_looked_at_is_no_use(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_imported_key(client)
    await describe(client, key_id)
    tried = EncryptRequest(key_id=key_id, plaintext=b"x", dry_run=True)
    await refused(DryRunOperationException, client.encrypt_async(tried))
    await disable(client, key_id)
    await refused(DisabledException, encrypt(client, key_id))
    assert (await last_usage(client, key_id)).key_last_usage == KeyLastUsageData()


async def test_another_server_knows_it_once_it_is_written_and_the_later_use_wins(
    start_server: ServerFactory,
) -> None:
    one = await start_server(usage_interval_seconds=3600)
    other = await start_server(clock=one.clock, usage_interval_seconds=3600)
    async with one.client() as at_one, other.client() as at_other:
        key_id = await create_imported_key(at_one)
        await encrypt(at_one, key_id)
        earlier = await last_usage(at_one, key_id)
        assert (await last_usage(at_other, key_id)).key_last_usage == KeyLastUsageData()

        one.clock.advance(timedelta(seconds=1))
        await encrypt(at_other, key_id)
        later = await last_usage(at_other, key_id)
        assert later != earlier
        await other.stop()
        assert await last_usage(at_one, key_id) == later
    await one.stop()
    third = await start_server(clock=one.clock)
    async with third.client() as client:
        # The first server wrote its own, earlier, use last.
        assert await last_usage(client, key_id) == later
