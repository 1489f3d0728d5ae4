"""Keys: what is known of each, how they are listed, how they are switched."""

import asyncio
import itertools
import re
from datetime import UTC, timedelta

import pytest
from contract.beneath import give_away, schedule_deletion
from contract.conftest import Refused
from contract.operations import send
from fixtures.server import ServerFactory, TestServer
from steps import (
    create_external_key,
    create_imported_key,
    delete_material,
    describe,
    disable,
    encrypt,
    import_material,
    state_of,
)

from keyferry.v1 import (
    CreateKeyRequest,
    DeleteImportedKeyMaterialRequest,
    DescribeKeyRequest,
    DisableKeyRequest,
    EnableKeyRequest,
    EncryptionAlgorithmSpec,
    KeyMetadata,
    ListKeysRequest,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    DisabledException,
    KMSInvalidStateException,
    ServiceError,
)

KEY_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
MATERIAL_ID = re.compile(r"[0-9a-f]{64}")
ABSENT_BEFORE_IMPORT = {
    "current_key_material_id",
    "deletion_date",
    "expiration_model",
    "key_agreement_algorithms",
    "mac_algorithms",
    "multi_region_configuration",
    "pending_deletion_window_in_days",
    "signing_algorithms",
    "valid_to",
}
ALL_MEMBERS = {field.name for field in KeyMetadata.DESCRIPTOR.fields}


def members_of(key: KeyMetadata) -> set[str]:
    return {field.name for field, _ in key.ListFields()}


def of_new_external_key(key: KeyMetadata, **different: object) -> KeyMetadata:
    """Return the metadata that a key of origin EXTERNAL must have, by the names that the service chose."""
    values: dict[str, object] = {
        "aws_account_id": "000000000000",
        "key_id": key.key_id,
        "arn": f"arn:aws:kms:us-east-1:000000000000:key/{key.key_id}",
        "creation_date": key.creation_date,
        "enabled": False,
        "description": "",
        "key_usage": "KEY_USAGE_TYPE_ENCRYPT_DECRYPT",
        "key_state": "KEY_STATE_PENDING_IMPORT",
        "origin": "ORIGIN_TYPE_EXTERNAL",
        "key_manager": "KEY_MANAGER_TYPE_CUSTOMER",
        "customer_master_key_spec": "KEY_SPEC_SYMMETRIC_DEFAULT",
        "key_spec": "KEY_SPEC_SYMMETRIC_DEFAULT",
        "encryption_algorithms": [EncryptionAlgorithmSpec.ENCRYPTION_ALGORITHM_SPEC_SYMMETRIC_DEFAULT],
        "multi_region": False,
    }
    return KeyMetadata(**(values | different))


async def test_a_new_external_key_is_pending_import_and_shows_nothing_of_material(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    created = (
        await client.create_key_async(
            CreateKeyRequest(origin="ORIGIN_TYPE_EXTERNAL", description="payroll 漢🔑\n")
        )
    ).key_metadata

    assert created == of_new_external_key(created, description="payroll 漢🔑\n")
    assert members_of(created) == ALL_MEMBERS - ABSENT_BEFORE_IMPORT
    assert KEY_ID.fullmatch(created.key_id)
    assert created.creation_date.ToDatetime(tzinfo=UTC) == server.clock.now()
    assert await describe(client, created.key_id) == created
    assert await describe(client, created.arn) == created


async def test_a_new_key_of_origin_aws_kms_is_enabled_and_names_its_material(
    client: KeyManagementServiceClient,
) -> None:
    for request in (
        CreateKeyRequest(),
        CreateKeyRequest(
            origin="ORIGIN_TYPE_AWS_KMS",
            key_spec="KEY_SPEC_SYMMETRIC_DEFAULT",
            key_usage="KEY_USAGE_TYPE_ENCRYPT_DECRYPT",
            description="",
        ),
    ):
        created = (await client.create_key_async(request)).key_metadata

        assert created == of_new_external_key(
            created,
            enabled=True,
            key_state="KEY_STATE_ENABLED",
            origin="ORIGIN_TYPE_AWS_KMS",
            current_key_material_id=created.current_key_material_id,
        )
        assert MATERIAL_ID.fullmatch(created.current_key_material_id)
        assert await describe(client, created.key_id) == created


async def test_the_metadata_of_an_external_key_in_each_situation(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_external_key(client)
    new = await describe(client, key_id)
    enabled = {"enabled": True, "key_state": "KEY_STATE_ENABLED"}

    material_id = (await import_material(client, key_id)).key_material_id
    assert MATERIAL_ID.fullmatch(material_id)
    never_expires = of_new_external_key(
        new,
        **enabled,
        current_key_material_id=material_id,
        expiration_model="EXPIRATION_MODEL_TYPE_KEY_MATERIAL_DOES_NOT_EXPIRE",
    )
    assert await describe(client, key_id) == never_expires

    valid_to = server.clock.now() + timedelta(days=1)
    await import_material(client, key_id, valid_to=valid_to)
    expires: dict[str, object] = {
        "current_key_material_id": material_id,
        "expiration_model": "EXPIRATION_MODEL_TYPE_KEY_MATERIAL_EXPIRES",
        "valid_to": valid_to,
    }
    assert await describe(client, key_id) == of_new_external_key(new, **enabled, **expires)

    await disable(client, key_id)
    disabled = of_new_external_key(new, key_state="KEY_STATE_DISABLED", **expires)
    assert await describe(client, key_id) == disabled

    deletion_date = server.clock.now() + timedelta(days=7)
    await delete_material(client, key_id)
    assert await describe(client, key_id) == of_new_external_key(new, current_key_material_id=material_id)

    await import_material(client, key_id, valid_to=valid_to)
    await schedule_deletion(server, key_id, deletion_date)
    assert await describe(client, key_id) == of_new_external_key(
        new,
        key_state="KEY_STATE_PENDING_DELETION",
        deletion_date=deletion_date,
        **expires,
    )

    await delete_material(client, key_id)
    assert await describe(client, key_id) == of_new_external_key(
        new,
        key_state="KEY_STATE_PENDING_DELETION",
        deletion_date=deletion_date,
        current_key_material_id=material_id,
    )


async def test_deleting_material_is_idempotent_and_answers_what_is_gone(
    client: KeyManagementServiceClient,
) -> None:
    key_id = await create_external_key(client)
    arn = (await describe(client, key_id)).arn
    nothing = await send(client, DeleteImportedKeyMaterialRequest(key_id=key_id))
    assert nothing.key_id == arn
    assert not nothing.HasField("key_material_id")

    material_id = (await import_material(client, key_id)).key_material_id
    for _ in range(2):
        gone = await send(client, DeleteImportedKeyMaterialRequest(key_id=arn))
        assert (gone.key_id, gone.key_material_id) == (arn, material_id)
        assert await state_of(client, key_id) == "PENDING_IMPORT"


async def pages(client: KeyManagementServiceClient, limit: int | None) -> list[list[str]]:
    """List all keys, page by page."""
    found, marker = [], None
    for _ in range(100):
        response = await client.list_keys_async(ListKeysRequest(limit=limit, marker=marker))
        found.append([entry.key_id for entry in response.keys])
        assert all(
            entry.key_arn == f"arn:aws:kms:us-east-1:000000000000:key/{entry.key_id}"
            for entry in response.keys
        )
        assert response.truncated == response.HasField("next_marker")
        if not response.truncated:
            return found
        marker = response.next_marker
    raise AssertionError("the listing does not end")


async def test_keys_are_listed_once_each_in_pages_of_the_limit(client: KeyManagementServiceClient) -> None:
    assert await pages(client, None) == [[]]
    created = [await create_external_key(client) for _ in range(6)]

    for limit in (None, 1, 2, 4, 6, 7, 1000):
        found = await pages(client, limit)
        assert list(itertools.chain(*found)) == sorted(created)
        size = limit or 100
        assert [len(page) for page in found] == [
            min(size, len(created) - start) for start in range(0, len(created), size)
        ]


async def test_without_a_limit_a_page_has_100_keys(client: KeyManagementServiceClient) -> None:
    await asyncio.gather(*(create_external_key(client) for _ in range(101)))

    assert [len(page) for page in await pages(client, None)] == [100, 1]


async def test_a_listing_holds_every_key_that_was_there_all_along_although_others_come(
    client: KeyManagementServiceClient,
) -> None:
    there_all_along = {await create_external_key(client) for _ in range(6)}
    listed: list[str] = []
    marker = None
    while True:
        response = await client.list_keys_async(ListKeysRequest(limit=2, marker=marker))
        listed += [entry.key_id for entry in response.keys]
        if not response.truncated:
            break
        marker = response.next_marker
        if len(listed) < 20:
            await create_external_key(client)

    assert len(listed) == len(set(listed))
    assert there_all_along <= set(listed)


async def test_a_listing_holds_the_keys_of_the_account_and_region_only(
    server: TestServer, client: KeyManagementServiceClient, start_server: ServerFactory
) -> None:
    own, foreign = await create_external_key(client), await create_external_key(client)
    await give_away(server, foreign)
    elsewhere = await start_server(default_region="eu-central-1")
    async with elsewhere.client() as client_elsewhere:
        await create_external_key(client_elsewhere)

    assert await pages(client, None) == [[own]]


async def test_switching_a_key_on_and_off_is_idempotent(client: KeyManagementServiceClient) -> None:
    key_id = await create_imported_key(client)
    arn = (await describe(client, key_id)).arn
    switches = [(EnableKeyRequest, "ENABLED"), (DisableKeyRequest, "DISABLED")]
    for request_type, state in (*switches, *switches):
        for identifier in (key_id, arn):
            await send(client, request_type(key_id=identifier))
            assert await state_of(client, key_id) == state


async def test_a_disabled_key_refuses_use_until_it_is_enabled(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_imported_key(client)
    arn = (await describe(client, key_id)).arn
    await disable(client, key_id)

    error = await refused(DisabledException, encrypt(client, key_id))
    assert error.message == f"{arn} is disabled."

    await send(client, EnableKeyRequest(key_id=key_id))
    assert await encrypt(client, key_id)


@pytest.mark.parametrize("request_type", [EnableKeyRequest, DisableKeyRequest])
async def test_a_key_without_material_or_about_to_be_deleted_is_not_switched(
    server: TestServer,
    client: KeyManagementServiceClient,
    refused: Refused[ServiceError],
    request_type: type[EnableKeyRequest | DisableKeyRequest],
) -> None:
    key_id = await create_external_key(client)
    arn = (await describe(client, key_id)).arn

    error = await refused(KMSInvalidStateException, send(client, request_type(key_id=key_id)))
    assert error.message == f"{arn} is pending import."

    await import_material(client, key_id)
    await schedule_deletion(server, key_id)
    error = await refused(KMSInvalidStateException, send(client, request_type(key_id=key_id)))
    assert error.message == f"{arn} is pending deletion."


async def test_a_key_is_described_in_every_state(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_external_key(client)
    assert await state_of(client, key_id) == "PENDING_IMPORT"
    await import_material(client, key_id)
    assert await state_of(client, key_id) == "ENABLED"
    await disable(client, key_id)
    assert await state_of(client, key_id) == "DISABLED"
    await schedule_deletion(server, key_id)
    assert await state_of(client, key_id) == "PENDING_DELETION"
    by_arn = f"arn:aws:kms:us-east-1:000000000000:key/{key_id}"
    described = (await client.describe_key_async(DescribeKeyRequest(key_id=by_arn))).key_metadata
    assert described == await describe(client, key_id)
