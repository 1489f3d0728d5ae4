"""What AWS has not: outstanding import tokens are seen and withdrawn, shorter-lived ones made, imports leave receipts."""

import uuid
from datetime import timedelta

from contract.conftest import Refused
from fixtures.server import TestServer
from steps import (
    create_external_key,
    delete_material,
    describe,
    get_parameters,
    import_material,
    import_request,
    schedule_deletion,
    state_of,
)

from keyferry.v1 import (
    AlgorithmSpec,
    GetParametersForImportRequest,
    ImportReceipt,
    ImportTokenListEntry,
    ListImportReceiptsRequest,
    ListImportTokensRequest,
    RevokeImportTokenRequest,
    WrappingKeySpec,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    ExpiredImportTokenException,
    InvalidImportTokenException,
    InvalidMarkerException,
    NotFoundException,
    ServiceError,
    ValidationException,
)

HOUR = timedelta(hours=1)


async def tokens(client: KeyManagementServiceClient, key_id: str) -> list[ImportTokenListEntry]:
    return list((await client.list_import_tokens_async(ListImportTokensRequest(key_id=key_id))).import_tokens)


async def receipts(client: KeyManagementServiceClient, key_id: str) -> list[ImportReceipt]:
    return list(
        (await client.list_import_receipts_async(ListImportReceiptsRequest(key_id=key_id))).import_receipts
    )


def parameters_request(key_id: str, seconds: int) -> GetParametersForImportRequest:
    return GetParametersForImportRequest(
        key_id=key_id,
        wrapping_algorithm="ALGORITHM_SPEC_RSAES_OAEP_SHA_256",
        wrapping_key_spec="WRAPPING_KEY_SPEC_RSA_2048",
        lifetime_seconds=seconds,
    )


async def test_outstanding_tokens_are_listed_until_they_are_spent_or_expire(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_external_key(client)
    spent, kept = await get_parameters(client, key_id), await get_parameters(client, key_id)
    entries = {one.import_token_id: one for one in await tokens(client, key_id)}
    assert entries.keys() == {spent.import_token_id, kept.import_token_id}
    entry = entries[kept.import_token_id]
    assert entry.wrapping_algorithm == AlgorithmSpec.ALGORITHM_SPEC_RSAES_OAEP_SHA_256
    assert entry.wrapping_key_spec == WrappingKeySpec.WRAPPING_KEY_SPEC_RSA_2048
    assert entry.valid_to == kept.parameters_valid_to
    assert kept.import_token not in entry.SerializeToString()

    await client.import_key_material_async(import_request(key_id, spent))
    assert [one.import_token_id for one in await tokens(client, key_id)] == [kept.import_token_id]
    server.clock.advance(24 * HOUR)
    assert await tokens(client, key_id) == []


async def test_a_revoked_token_is_invalid_and_its_wrapping_key_is_gone(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    revoked, kept = await get_parameters(client, key_id), await get_parameters(client, key_id)
    revoke = RevokeImportTokenRequest(key_id=key_id, import_token_id=revoked.import_token_id)
    await client.revoke_import_token_async(revoke)

    request = import_request(key_id, revoked)
    await refused(InvalidImportTokenException, client.import_key_material_async(request))
    await refused(NotFoundException, client.revoke_import_token_async(revoke))
    assert [one.import_token_id for one in await tokens(client, key_id)] == [kept.import_token_id]
    await client.import_key_material_async(import_request(key_id, kept))


async def test_only_an_outstanding_token_of_the_named_key_is_revoked(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id, other = await create_external_key(client), await create_external_key(client)
    spent, of_other = await get_parameters(client, key_id), await get_parameters(client, other)
    await client.import_key_material_async(import_request(key_id, spent))
    for token_id in (spent.import_token_id, of_other.import_token_id, str(uuid.uuid4())):
        revoke = RevokeImportTokenRequest(key_id=key_id, import_token_id=token_id)
        await refused(NotFoundException, client.revoke_import_token_async(revoke))
    for token_id in ("", "1", spent.import_token_id.upper()):
        revoke = RevokeImportTokenRequest(key_id=key_id, import_token_id=token_id)
        await refused(ValidationException, client.revoke_import_token_async(revoke))
    server.clock.advance(24 * HOUR)
    expired = RevokeImportTokenRequest(key_id=other, import_token_id=of_other.import_token_id)
    await refused(NotFoundException, client.revoke_import_token_async(expired))


async def test_tokens_of_a_key_that_is_pending_deletion_can_still_be_revoked(
    client: KeyManagementServiceClient,
) -> None:
    key_id = await create_external_key(client)
    parameters = await get_parameters(client, key_id)
    await schedule_deletion(client, key_id)
    await client.revoke_import_token_async(
        RevokeImportTokenRequest(key_id=key_id, import_token_id=parameters.import_token_id)
    )
    assert await tokens(client, key_id) == []


async def test_a_token_lives_as_long_as_its_caller_says_and_24_hours_at_most(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    for seconds in (0, 59, 86_401):
        await refused(
            ValidationException, client.get_parameters_for_import_async(parameters_request(key_id, seconds))
        )
    parameters = await client.get_parameters_for_import_async(parameters_request(key_id, 3600))
    now = server.clock.now()
    assert parameters.parameters_valid_to.ToDatetime(tzinfo=now.tzinfo) == now + HOUR
    request = import_request(key_id, parameters)
    server.clock.advance(HOUR)
    await refused(ExpiredImportTokenException, client.import_key_material_async(request))


async def test_every_import_leaves_a_receipt_that_its_answer_and_the_list_show_alike(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_external_key(client)
    parameters = await get_parameters(client, key_id)
    answer = await client.import_key_material_async(import_request(key_id, parameters))
    receipt, now = answer.receipt, server.clock.now()

    assert receipt.import_token_id == parameters.import_token_id
    assert receipt.key_id == (await describe(client, key_id)).arn
    assert receipt.key_material_id == answer.key_material_id
    assert receipt.wrapping_algorithm == AlgorithmSpec.ALGORITHM_SPEC_RSAES_OAEP_SHA_256
    assert receipt.wrapping_key_spec == WrappingKeySpec.WRAPPING_KEY_SPEC_RSA_2048
    assert receipt.import_date.ToDatetime(tzinfo=now.tzinfo) == now
    assert receipt.caller == "arn:aws:iam::000000000000:root"
    assert uuid.UUID(receipt.request_id)
    assert await receipts(client, key_id) == [receipt]


async def test_the_repeated_request_gets_the_first_receipt_and_leaves_no_other(
    client: KeyManagementServiceClient,
) -> None:
    key_id = await create_external_key(client)
    request = import_request(key_id, await get_parameters(client, key_id))
    first = await client.import_key_material_async(request)
    assert await client.import_key_material_async(request) == first
    assert await receipts(client, key_id) == [first.receipt]


async def test_receipts_outlive_the_material_and_the_token(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_external_key(client)
    first = (await import_material(client, key_id)).receipt
    await delete_material(client, key_id)
    server.clock.advance(25 * HOUR)
    await server.running.sweeper.sweep()
    second = (await import_material(client, key_id)).receipt
    assert await receipts(client, key_id) == [first, second]
    assert await state_of(client, key_id) == "ENABLED"


async def test_tokens_and_receipts_are_listed_page_by_page_each_by_its_own_markers(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    for _ in range(3):
        await import_material(client, key_id)
        await get_parameters(client, key_id)
    found_tokens, found_receipts = [], []
    token_marker = receipt_marker = None
    for _ in range(3):
        page = await client.list_import_tokens_async(
            ListImportTokensRequest(key_id=key_id, limit=1, marker=token_marker)
        )
        found_tokens += page.import_tokens
        token_marker = page.next_marker or token_marker
        receipts_page = await client.list_import_receipts_async(
            ListImportReceiptsRequest(key_id=key_id, limit=1, marker=receipt_marker)
        )
        found_receipts += receipts_page.import_receipts
        receipt_marker = receipts_page.next_marker or receipt_marker
    assert found_tokens == await tokens(client, key_id)
    assert found_receipts == await receipts(client, key_id)
    assert not page.truncated
    assert not receipts_page.truncated
    await refused(
        InvalidMarkerException,
        client.list_import_tokens_async(ListImportTokensRequest(key_id=key_id, marker=receipt_marker)),
    )
    await refused(
        InvalidMarkerException,
        client.list_import_receipts_async(ListImportReceiptsRequest(key_id=key_id, marker=token_marker)),
    )
