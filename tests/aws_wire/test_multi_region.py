"""Multi-Region keys between the Regions of one deployment, through boto3: replicated, imported, rotated, promoted, deleted."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from aws_wire.conftest import EAST, SOUTH, WEST, World, ask, refusal
from aws_wire.several_regions import (
    EXISTING,
    MATERIAL,
    NEVER,
    NEW,
    NEW_MATERIAL,
    arn,
    bring,
    create,
    described,
    imported_in_two_regions,
    materials,
    opened,
    refused_bring,
    seal,
    state,
)
from fixtures.aws import Boto3Client
from fixtures.server import ServerFactory
from rows import connected
from steps import wrap


async def test_a_primary_key_shows_where_its_replica_keys_are_and_they_where_it_is(world: World) -> None:
    key_id = await create(world.east, Description="in the east")
    assert key_id.startswith("mrk-")
    alone = await described(world.east, key_id)

    answer = await ask(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)
    await ask(world.east.replicate_key, KeyId=key_id, ReplicaRegion=SOUTH, Description="in the south")

    assert (alone["MultiRegion"], alone["MultiRegionConfiguration"]) == (
        True,
        {
            "MultiRegionKeyType": "PRIMARY",
            "PrimaryKey": {"Arn": arn(EAST, key_id), "Region": EAST},
            "ReplicaKeys": [],
        },
    )
    assert answer["ReplicaTags"] == []
    replica = answer["ReplicaKeyMetadata"]
    assert (replica["Arn"], replica["KeyState"], replica["Description"]) == (arn(WEST, key_id), "Enabled", "")
    related = {
        "PrimaryKey": {"Arn": arn(EAST, key_id), "Region": EAST},
        "ReplicaKeys": [{"Arn": arn(region, key_id), "Region": region} for region in (SOUTH, WEST)],
    }
    for kms, part in ((world.east, "PRIMARY"), (world.west, "REPLICA"), (world.south, "REPLICA")):
        found = (await described(kms, key_id))["MultiRegionConfiguration"]
        assert found == {"MultiRegionKeyType": part, **related}


async def test_a_single_region_key_shows_none_of_it(world: World) -> None:
    metadata = (await ask(world.east.create_key))["KeyMetadata"]
    assert metadata["MultiRegion"] is False
    assert "MultiRegionConfiguration" not in metadata


async def test_what_one_of_the_keys_encrypted_the_others_decrypt(world: World) -> None:
    key_id = await create(world.east)
    await ask(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)

    assert await opened(world.west, await seal(world.east, key_id)) == b"attack"
    assert await opened(world.east, await seal(world.west, key_id)) == b"attack"
    assert (await refusal(world.south.decrypt, CiphertextBlob=await seal(world.east, key_id)))[0] == (
        "AccessDeniedException"
    )


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "HMAC_256"])
async def test_other_kinds_of_keys_are_replicated_with_their_material(world: World, spec: str) -> None:
    usage = "GENERATE_VERIFY_MAC" if spec == "HMAC_256" else "SIGN_VERIFY"
    key_id = await create(world.east, KeySpec=spec, KeyUsage=usage)
    await ask(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)

    if spec == "HMAC_256":
        asked = {"KeyId": key_id, "Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}
        mac = (await ask(world.east.generate_mac, **asked))["Mac"]
        assert (await ask(world.west.verify_mac, Mac=mac, **asked))["MacValid"]
    else:
        asked = {"KeyId": key_id, "Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
        signature = (await ask(world.west.sign, **asked))["Signature"]
        assert (await ask(world.east.verify, Signature=signature, **asked))["SignatureValid"]


async def test_policy_tags_aliases_description_and_state_are_each_keys_own(world: World) -> None:
    key_id = await create(world.east, Tags=[{"TagKey": "a", "TagValue": "east"}], Description="east")
    await ask(world.east.create_alias, AliasName="alias/one", TargetKeyId=key_id)
    policy = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
        }
    )

    answer = await ask(
        world.east.replicate_key,
        KeyId=arn(EAST, key_id),
        ReplicaRegion=WEST,
        Policy=policy,
        Tags=[{"TagKey": "a", "TagValue": "west"}],
    )
    await ask(world.west.disable_key, KeyId=key_id)

    assert (answer["ReplicaPolicy"], answer["ReplicaTags"]) == (policy, [{"TagKey": "a", "TagValue": "west"}])
    assert (await state(world.east, key_id), await state(world.west, key_id)) == ("Enabled", "Disabled")
    assert (await ask(world.east.list_resource_tags, KeyId=key_id))["Tags"][0]["TagValue"] == "east"
    assert (await ask(world.west.list_aliases, KeyId=key_id))["Aliases"] == []
    assert (await refusal(world.west.describe_key, KeyId="alias/one"))[0] == "NotFoundException"
    assert (await ask(world.east.get_key_policy, KeyId=key_id))["Policy"] != policy


async def test_a_grant_on_one_of_the_keys_is_none_on_the_others(world: World) -> None:
    key_id = await create(world.east)
    await ask(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)
    await ask(
        world.east.create_grant,
        KeyId=key_id,
        GranteePrincipal="arn:aws:iam::000000000000:role/reader",
        Operations=["Decrypt"],
        Name="reader",
    )
    assert len((await ask(world.east.list_grants, KeyId=key_id))["Grants"]) == 1
    assert (await ask(world.west.list_grants, KeyId=key_id))["Grants"] == []


async def test_a_use_of_one_of_the_keys_is_none_of_the_others(world: World) -> None:
    key_id = await create(world.east)
    await ask(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)
    await seal(world.west, key_id)
    assert "KeyLastUsage" in await ask(world.west.get_key_last_usage, KeyId=key_id)
    assert not (await ask(world.east.get_key_last_usage, KeyId=key_id)).get("KeyLastUsage")


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"ReplicaRegion": WEST}, "AlreadyExistsException"),
        ({"ReplicaRegion": EAST}, "AlreadyExistsException"),
        ({"ReplicaRegion": "mars-north-1"}, "ValidationException"),
        ({"ReplicaRegion": "no region"}, "ValidationException"),
        ({"ReplicaRegion": SOUTH, "Policy": "{"}, "MalformedPolicyDocumentException"),
        (
            {"ReplicaRegion": SOUTH, "Tags": [{"TagKey": "aws:x", "TagValue": ""}]},
            "TagException",
        ),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_a_refused_replication_leaves_nothing(world: World, members: dict[str, Any], code: str) -> None:
    key_id = await create(world.east)
    await ask(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)

    assert (await refusal(world.east.replicate_key, KeyId=key_id, **members))[0] == code

    assert await rows_of(world, key_id) == [EAST, WEST]


async def rows_of(world: World, key_id: str) -> list[str]:
    async with connected(world.database_url) as database:
        rows = await database.fetch("SELECT region FROM keys WHERE key_id = $1 ORDER BY region", key_id)
    return sorted((row["region"] for row in rows), key=(EAST, WEST, SOUTH).index)


@pytest.mark.parametrize("operation", ["replicate_key", "update_primary_region"])
async def test_replica_keys_and_single_region_keys_are_not_replicated_or_moved(
    world: World, operation: str
) -> None:
    key_id = await create(world.east)
    await ask(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)
    single = (await ask(world.east.create_key))["KeyMetadata"]["KeyId"]
    region = "ReplicaRegion" if operation == "replicate_key" else "PrimaryRegion"

    for kms, asked in ((world.west, key_id), (world.east, single)):
        code, _ = await refusal(getattr(kms, operation), KeyId=asked, **{region: SOUTH})
        assert code == "UnsupportedOperationException"


@pytest.mark.parametrize("operation", ["replicate_key", "update_primary_region"])
@pytest.mark.parametrize(
    ("leave", "code", "words"),
    [
        ("disable_key", "DisabledException", "is disabled."),
        ("delete_imported_key_material", "KMSInvalidStateException", "is pending import."),
        ("schedule_key_deletion", "KMSInvalidStateException", "is pending replica deletion."),
    ],
)
async def test_only_an_enabled_primary_key_is_replicated_or_moved(
    world: World, operation: str, leave: str, code: str, words: str
) -> None:
    key_id, _ = await imported_in_two_regions(world)
    region = {"ReplicaRegion": SOUTH} if operation == "replicate_key" else {"PrimaryRegion": WEST}
    await ask(getattr(world.east, leave), KeyId=key_id)

    refused = await refusal(getattr(world.east, operation), KeyId=key_id, **region)

    assert refused == (code, f"{arn(EAST, key_id)} {words}")


async def test_an_imported_key_is_replicated_without_its_bytes_and_takes_the_same_and_no_other(
    world: World,
) -> None:
    key_id = await create(world.east, Origin="EXTERNAL")
    material_id = await bring(world.east, key_id)

    replica = (await ask(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST))["ReplicaKeyMetadata"]
    other = await refused_bring(world.west, key_id, NEW_MATERIAL)
    as_new = await refused_bring(world.west, key_id, NEW_MATERIAL, ImportType=NEW)

    assert replica["KeyState"] == "PendingImport"
    assert (other[0], as_new[0]) == ("IncorrectKeyMaterialException", "UnsupportedOperationException")
    assert await state(world.west, key_id) == "PendingImport"
    assert await bring(world.west, key_id) == material_id
    assert await opened(world.west, await seal(world.east, key_id)) == b"attack"


async def test_material_is_deleted_and_expires_in_each_region_by_itself(world: World) -> None:
    key_id, _ = await imported_in_two_regions(world)
    await bring(
        world.west,
        key_id,
        ExpirationModel="KEY_MATERIAL_EXPIRES",
        ValidTo=world.server.clock.now() + timedelta(hours=1),
    )

    await ask(world.east.delete_imported_key_material, KeyId=key_id)
    assert (await state(world.east, key_id), await state(world.west, key_id)) == ("PendingImport", "Enabled")

    world.server.clock.advance(timedelta(hours=2))
    await world.server.running.sweeper.sweep()
    assert (await state(world.east, key_id), await state(world.west, key_id)) == (
        "PendingImport",
        "PendingImport",
    )
    await bring(world.east, key_id)
    assert (await state(world.east, key_id), await state(world.west, key_id)) == ("Enabled", "PendingImport")


async def test_an_import_token_is_good_in_its_own_region_only(world: World) -> None:
    key_id, _ = await imported_in_two_regions(world)
    parameters = await ask(
        world.east.get_parameters_for_import,
        KeyId=key_id,
        WrappingAlgorithm="RSAES_OAEP_SHA_256",
        WrappingKeySpec="RSA_2048",
    )
    request = {
        "KeyId": key_id,
        "ImportToken": parameters["ImportToken"],
        "EncryptedKeyMaterial": wrap(parameters["PublicKey"], MATERIAL),
        **NEVER,
    }

    code, _ = await refusal(world.west.import_key_material, **request)

    assert code == "InvalidImportTokenException"
    await ask(world.east.import_key_material, **request)


async def test_new_material_waits_for_every_replica_key_and_then_all_of_them_are_rotated(
    world: World,
) -> None:
    key_id, old_id = await imported_in_two_regions(world)
    sealed = await seal(world.east, key_id)
    new_id = await bring(world.east, key_id, NEW_MATERIAL, ImportType=NEW)

    waiting = await materials(world.east, key_id)
    too_early = await refusal(world.east.rotate_key_on_demand, KeyId=key_id)
    assert await bring(world.west, key_id, NEW_MATERIAL, ImportType=EXISTING) == new_id
    ready = await materials(world.east, key_id)
    from_the_replica = await refusal(world.west.rotate_key_on_demand, KeyId=key_id)
    await ask(world.east.rotate_key_on_demand, KeyId=key_id)

    assert waiting == {old_id: "CURRENT", new_id: "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"}
    assert too_early[0] == "KMSInvalidStateException"
    assert too_early[1].endswith(f"is pending import into the replica keys in {WEST}.")
    assert ready == {old_id: "CURRENT", new_id: "PENDING_ROTATION"}
    assert from_the_replica[0] == "UnsupportedOperationException"
    for kms in (world.east, world.west):
        assert await materials(kms, key_id) == {old_id: "NON_CURRENT", new_id: "CURRENT"}
        assert await opened(kms, sealed) == b"attack"
    assert await opened(world.west, await seal(world.east, key_id)) == b"attack"


async def test_new_material_comes_to_the_primary_key_first(world: World) -> None:
    key_id, _ = await imported_in_two_regions(world)

    code, _ = await refused_bring(world.west, key_id, NEW_MATERIAL, ImportType=EXISTING)

    assert code == "IncorrectKeyMaterialException"


async def test_new_material_that_is_deleted_from_the_primary_key_is_gone_everywhere(world: World) -> None:
    key_id, old_id = await imported_in_two_regions(world)
    new_id = await bring(world.east, key_id, NEW_MATERIAL, ImportType=NEW)
    await bring(world.west, key_id, NEW_MATERIAL, ImportType=EXISTING)

    await ask(world.east.delete_imported_key_material, KeyId=key_id, KeyMaterialId=new_id)

    assert await materials(world.east, key_id) == await materials(world.west, key_id) == {old_id: "CURRENT"}
    code, _ = await refused_bring(world.west, key_id, NEW_MATERIAL, ImportType=EXISTING)
    assert code == "IncorrectKeyMaterialException"


async def test_new_material_that_is_deleted_from_a_replica_key_is_awaited_there_again(world: World) -> None:
    key_id, _ = await imported_in_two_regions(world)
    new_id = await bring(world.east, key_id, NEW_MATERIAL, ImportType=NEW)
    await bring(world.west, key_id, NEW_MATERIAL, ImportType=EXISTING)

    await ask(world.west.delete_imported_key_material, KeyId=key_id, KeyMaterialId=new_id)

    found = await materials(world.east, key_id)
    assert found[new_id] == "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
    await bring(world.west, key_id, NEW_MATERIAL, ImportType=EXISTING)
    assert (await materials(world.east, key_id))[new_id] == "PENDING_ROTATION"


async def test_other_new_material_takes_the_place_of_what_expired_in_the_primary_key(world: World) -> None:
    key_id, old_id = await imported_in_two_regions(world)
    await bring(
        world.east,
        key_id,
        NEW_MATERIAL,
        ImportType=NEW,
        ExpirationModel="KEY_MATERIAL_EXPIRES",
        ValidTo=world.server.clock.now() + timedelta(hours=1),
    )
    await bring(world.west, key_id, NEW_MATERIAL, ImportType=EXISTING)
    world.server.clock.advance(timedelta(hours=2))

    newer = os.urandom(32)
    newer_id = await bring(world.east, key_id, newer, ImportType=NEW)

    assert await materials(world.west, key_id) == {old_id: "CURRENT"}
    await bring(world.west, key_id, newer, ImportType=EXISTING)
    await ask(world.east.rotate_key_on_demand, KeyId=key_id)
    assert (await materials(world.west, key_id))[newer_id] == "CURRENT"


async def test_generated_material_is_rotated_in_all_regions_at_once(world: World) -> None:
    key_id = await create(world.east)
    sealed = await seal(world.east, key_id)
    await ask(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)

    await ask(world.east.rotate_key_on_demand, KeyId=key_id)

    current = {(await described(kms, key_id))["CurrentKeyMaterialId"] for kms in (world.east, world.west)}
    assert len(current) == 1
    assert await opened(world.west, sealed) == b"attack"
    assert await opened(world.west, await seal(world.east, key_id)) == b"attack"


async def test_automatic_rotation_is_that_of_the_primary_key(world: World) -> None:
    key_id = await create(world.east)
    await ask(world.east.enable_key_rotation, KeyId=key_id, RotationPeriodInDays=90)
    await ask(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)
    before = (await described(world.west, key_id))["CurrentKeyMaterialId"]

    assert (await ask(world.west.get_key_rotation_status, KeyId=key_id))["RotationPeriodInDays"] == 90
    for operation in (world.west.disable_key_rotation, world.west.enable_key_rotation):
        assert (await refusal(operation, KeyId=key_id))[0] == "UnsupportedOperationException"

    world.server.clock.advance(timedelta(days=91))
    assert await world.server.running.rotator.rotate_due() == 1

    after = {(await described(kms, key_id))["CurrentKeyMaterialId"] for kms in (world.east, world.west)}
    assert len(after) == 1
    assert before not in after
    dates = [
        (await ask(kms.get_key_rotation_status, KeyId=key_id))["NextRotationDate"]
        for kms in (world.east, world.west)
    ]
    assert dates[0] == dates[1]


async def test_a_replica_key_becomes_the_primary_key_and_the_primary_key_a_replica_key(world: World) -> None:
    key_id = await create(world.east)
    await ask(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)

    await ask(world.east.update_primary_region, KeyId=key_id, PrimaryRegion=WEST)

    for kms, part in ((world.east, "REPLICA"), (world.west, "PRIMARY")):
        found = (await described(kms, key_id))["MultiRegionConfiguration"]
        assert found["MultiRegionKeyType"] == part
        assert found["PrimaryKey"]["Region"] == WEST
    await ask(world.west.replicate_key, KeyId=key_id, ReplicaRegion=SOUTH)
    await ask(world.west.rotate_key_on_demand, KeyId=key_id)
    assert await opened(world.south, await seal(world.east, key_id)) == b"attack"


async def test_the_primary_key_moves_to_no_region_without_a_replica_key(world: World) -> None:
    key_id = await create(world.east)
    await ask(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)

    nowhere = await refusal(world.east.update_primary_region, KeyId=key_id, PrimaryRegion=SOUTH)
    itself = await refusal(world.east.update_primary_region, KeyId=key_id, PrimaryRegion=EAST)
    await ask(world.west.schedule_key_deletion, KeyId=key_id)
    leaving = await refusal(world.east.update_primary_region, KeyId=key_id, PrimaryRegion=WEST)

    assert nowhere == ("NotFoundException", f"Key '{arn(SOUTH, key_id)}' does not exist")
    assert itself[0] == "UnsupportedOperationException"
    assert leaving == ("KMSInvalidStateException", f"{arn(WEST, key_id)} is pending deletion.")


@pytest.mark.parametrize(
    ("leave", "code", "words"),
    [
        ("disable_key", "DisabledException", "is disabled."),
        ("delete_imported_key_material", "KMSInvalidStateException", "is pending import."),
    ],
)
async def test_only_an_enabled_replica_key_becomes_the_primary_key(
    world: World, leave: str, code: str, words: str
) -> None:
    key_id, _ = await imported_in_two_regions(world)
    await ask(getattr(world.west, leave), KeyId=key_id)

    refused = await refusal(world.east.update_primary_region, KeyId=key_id, PrimaryRegion=WEST)

    assert refused == (code, f"{arn(WEST, key_id)} {words}")
    assert (await described(world.east, key_id))["MultiRegionConfiguration"]["PrimaryKey"]["Region"] == EAST


async def test_regions_are_called_what_the_operator_calls_them(
    start_server: ServerFactory, free_port: Callable[[], int], boto3_client: Boto3Client
) -> None:
    server = await start_server(
        aws_listen=f"127.0.0.1:{free_port()}", default_region="berlin", allowed_regions="berlin,dc-2-east"
    )
    berlin, other = (boto3_client(server, region=region) for region in ("berlin", "dc-2-east"))
    key_id = await create(berlin)

    await ask(berlin.replicate_key, KeyId=key_id, ReplicaRegion="dc-2-east")
    await ask(berlin.update_primary_region, KeyId=key_id, PrimaryRegion="dc-2-east")
    await ask(other.update_primary_region, KeyId=key_id, PrimaryRegion="berlin")

    found = (await described(other, key_id))["MultiRegionConfiguration"]
    assert found["PrimaryKey"] == {"Arn": arn("berlin", key_id), "Region": "berlin"}


async def test_the_primary_key_moves_to_no_region_that_is_not_served_any_more(
    start_server: ServerFactory, free_port: Callable[[], int], boto3_client: Boto3Client
) -> None:
    wide = await start_server(aws_listen=f"127.0.0.1:{free_port()}", allowed_regions=f"{EAST},{WEST}")
    east = boto3_client(wide)
    key_id = await create(east)
    await ask(east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)
    await wide.stop()
    narrow = await start_server(aws_listen=f"127.0.0.1:{free_port()}", allowed_regions=EAST)
    east = boto3_client(narrow)

    code, words = await refusal(east.update_primary_region, KeyId=key_id, PrimaryRegion=WEST)

    assert code == "ValidationException"
    assert WEST in words
    await ask(east.rotate_key_on_demand, KeyId=key_id)


async def test_the_primary_key_does_not_leave_new_material_behind(world: World) -> None:
    key_id, _ = await imported_in_two_regions(world)
    new_id = await bring(world.east, key_id, NEW_MATERIAL, ImportType=NEW)

    code, words = await refusal(world.east.update_primary_region, KeyId=key_id, PrimaryRegion=WEST)
    await bring(world.west, key_id, NEW_MATERIAL, ImportType=EXISTING)
    await ask(world.east.update_primary_region, KeyId=key_id, PrimaryRegion=WEST)
    await ask(world.west.rotate_key_on_demand, KeyId=key_id)

    assert code == "KMSInvalidStateException"
    assert new_id in words
    assert (await materials(world.east, key_id))[new_id] == "CURRENT"


async def test_a_primary_key_waits_for_the_deletion_of_its_replica_keys(world: World) -> None:
    key_id = await create(world.east)
    await ask(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)

    scheduled = await ask(world.east.schedule_key_deletion, KeyId=key_id, PendingWindowInDays=7)
    waiting = await described(world.east, key_id)
    world.server.clock.advance(timedelta(days=60))
    await world.server.running.reaper.reap()
    assert await state(world.east, key_id) == "PendingReplicaDeletion"
    assert await state(world.west, key_id) == "Enabled"

    await ask(world.west.schedule_key_deletion, KeyId=key_id, PendingWindowInDays=8)
    world.server.clock.advance(timedelta(days=8))
    await world.server.running.reaper.reap()
    left = await described(world.east, key_id)

    assert scheduled["KeyState"] == "PendingReplicaDeletion"
    assert "DeletionDate" not in scheduled
    assert waiting["PendingDeletionWindowInDays"] == 7
    assert "DeletionDate" not in waiting
    assert left["KeyState"] == "PendingDeletion"
    assert "PendingDeletionWindowInDays" not in left
    assert left["DeletionDate"] - world.server.clock.now() == pytest.approx(
        timedelta(days=7), abs=timedelta(seconds=60)
    )
    world.server.clock.advance(timedelta(days=8))
    await world.server.running.reaper.reap()
    assert await rows_of(world, key_id) == []


async def test_the_deletion_of_a_waiting_primary_key_can_be_taken_back(world: World) -> None:
    key_id = await create(world.east)
    await ask(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)
    await ask(world.east.schedule_key_deletion, KeyId=key_id)
    again = await refusal(world.east.schedule_key_deletion, KeyId=key_id)
    used = await refusal(world.east.encrypt, KeyId=key_id, Plaintext=b"x")

    await ask(world.east.cancel_key_deletion, KeyId=key_id)

    words = f"{arn(EAST, key_id)} is pending replica deletion."
    assert again == used == ("KMSInvalidStateException", words)
    assert await state(world.east, key_id) == "Disabled"


async def test_a_replica_key_is_deleted_by_itself_and_can_be_made_again(world: World) -> None:
    key_id = await create(world.east)
    await ask(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)
    sealed = await seal(world.west, key_id)
    await ask(world.west.schedule_key_deletion, KeyId=key_id, PendingWindowInDays=7)
    still_there = await refusal(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)
    world.server.clock.advance(timedelta(days=8))
    await world.server.running.reaper.reap()

    assert still_there[0] == "AlreadyExistsException"
    assert await opened(world.east, sealed) == b"attack"
    assert (await described(world.east, key_id))["MultiRegionConfiguration"]["ReplicaKeys"] == []
    await ask(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)
    assert await opened(world.west, sealed) == b"attack"


async def test_of_many_replications_at_once_into_one_region_one_succeeds(world: World) -> None:
    key_id = await create(world.east)

    async def replicate() -> str:
        try:
            await ask(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)
        except world.east.exceptions.AlreadyExistsException:
            return "AlreadyExists"
        return "ok"

    outcomes: list[Awaitable[str]] = [replicate() for _ in range(6)]
    assert sorted(await asyncio.gather(*outcomes)) == ["AlreadyExists"] * 5 + ["ok"]


async def test_both_operations_are_in_the_audit_log_with_both_keys(world: World) -> None:
    key_id = await create(world.east)
    await ask(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)
    async with connected(world.database_url) as database:
        events = [json.loads(row["event"]) for row in await database.fetch("SELECT event FROM audit_records")]
    (found,) = (event for event in events if event["eventName"] == "ReplicateKey")
    assert {one["ARN"] for one in found["resources"]} == {arn(EAST, key_id), arn(WEST, key_id)}
    assert found["readOnly"] is False
