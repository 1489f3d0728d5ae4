"""Over gRPC a caller sees the keys of the default Region, or of the one that it asks for."""

import json
from collections.abc import AsyncIterator, Callable

import pytest
from fixtures.server import ServerFactory, TestServer
from rows import connected
from steps import create_imported_key, describe, encrypt, import_material, state_of

from keyferry.v1 import MultiRegionKeyType
from keyferry_client import InputError, KeyManagementServiceClient, RetryPolicy
from keyferry_client.errors import NotFoundException, ValidationException

EAST, WEST = "us-east-1", "eu-west-1"
InRegion = Callable[[str | None], KeyManagementServiceClient]


@pytest.fixture
async def regional(start_server: ServerFactory) -> TestServer:
    return await start_server(allowed_regions=f"{EAST},{WEST}")


@pytest.fixture
async def in_region(regional: TestServer) -> AsyncIterator[InRegion]:
    made: list[KeyManagementServiceClient] = []

    def client(region: str | None) -> KeyManagementServiceClient:
        made.append(KeyManagementServiceClient(regional.address, region=region, retries=RetryPolicy.once()))
        return made[-1]

    yield client
    for one in made:
        await one.close()


async def test_a_caller_sees_the_keys_of_the_region_that_it_asks_for(in_region: InRegion) -> None:
    default, east, west = in_region(None), in_region(EAST), in_region(WEST)
    key_id = await create_imported_key(west)

    assert (await describe(west, key_id)).arn == f"arn:aws:kms:{WEST}:000000000000:key/{key_id}"
    assert [one.key_id for one in (await west.list_keys_async()).keys] == [key_id]
    for other in (default, east):
        assert not (await other.list_keys_async()).keys
        with pytest.raises(NotFoundException):
            await describe(other, key_id)


async def test_a_region_that_there_is_not_is_refused(in_region: InRegion) -> None:
    with pytest.raises(ValidationException, match="There is no Region mars-north-1 here"):
        await in_region("mars-north-1").list_keys_async()


async def test_what_is_no_region_is_not_sent(in_region: InRegion) -> None:
    with pytest.raises(InputError, match="is not a Region"):
        in_region("eu-west-1\n")


async def test_a_key_is_replicated_and_imported_over_grpc(in_region: InRegion) -> None:
    east, west = in_region(EAST), in_region(WEST)
    created = await east.create_key_async(origin="EXTERNAL", multi_region=True)
    key_id = created.key_metadata.key_id
    await import_material(east, key_id)

    await east.replicate_key_async(key_id=key_id, replica_region=WEST)
    assert await state_of(west, key_id) == "PENDING_IMPORT"
    await import_material(west, key_id)

    blob = await encrypt(east, key_id)
    assert (await west.decrypt_async(ciphertext_blob=blob)).plaintext == b"plaintext"
    await east.update_primary_region_async(key_id=key_id, primary_region=WEST)
    part = (await describe(east, key_id)).multi_region_configuration.multi_region_key_type
    assert part == MultiRegionKeyType.MULTI_REGION_KEY_TYPE_REPLICA


async def test_the_audit_log_names_the_region_that_was_asked_for(
    in_region: InRegion, database_url: str
) -> None:
    await in_region(WEST).create_key_async()
    async with connected(database_url) as database:
        events = [json.loads(row["event"]) for row in await database.fetch("SELECT event FROM audit_records")]
    assert [one["awsRegion"] for one in events if one["eventName"] == "CreateKey"] == [WEST]
