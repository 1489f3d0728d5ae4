"""Several imported materials in one symmetric key: ImportType, KeyMaterialId, rotation on demand."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from contract.conftest import Refused
from fixtures.server import TestServer
from steps import (
    MATERIAL,
    create_external_key,
    create_imported_key,
    decrypt,
    delete_material,
    describe,
    disable,
    encrypt,
    get_parameters,
    import_request,
    state_of,
)

from keyferry.v1 import (
    CreateKeyRequest,
    DecryptRequest,
    DeleteImportedKeyMaterialRequest,
    DisableKeyRequest,
    EnableKeyRequest,
    ExpirationModelType,
    ImportKeyMaterialRequest,
    ImportKeyMaterialResponse,
    ImportState,
    KeyMaterialState,
    ListKeyRotationsRequest,
    RotateKeyOnDemandRequest,
    RotationsListEntry,
    RotationType,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    IncorrectKeyMaterialException,
    KMSInvalidStateException,
    NotFoundException,
    ServiceError,
    ValidationException,
)

SECOND, THIRD = bytes(range(32, 64)), bytes(range(64, 96))
NEW, EXISTING = "IMPORT_TYPE_NEW_KEY_MATERIAL", "IMPORT_TYPE_EXISTING_KEY_MATERIAL"
HOUR = timedelta(hours=1)


async def prepare(
    client: KeyManagementServiceClient,
    key_id: str,
    material: bytes,
    import_type: str | None = None,
    *,
    valid_to: datetime | None = None,
    **members: Any,
) -> ImportKeyMaterialRequest:
    """Return an import with the members that AWS added in 2025."""
    request = import_request(key_id, await get_parameters(client, key_id), material, valid_to=valid_to)
    if import_type is not None:
        request.import_type = import_type
    for name, value in members.items():
        setattr(request, name, value)
    return request


async def bring(
    client: KeyManagementServiceClient, *arguments: Any, **members: Any
) -> ImportKeyMaterialResponse:
    """Do such an import."""
    return await client.import_key_material_async(await prepare(client, *arguments, **members))


async def rotate(client: KeyManagementServiceClient, key_id: str) -> None:
    await client.rotate_key_on_demand_async(RotateKeyOnDemandRequest(key_id=key_id))


async def rotated_key(client: KeyManagementServiceClient) -> tuple[str, str, str]:
    """Return a key that was rotated from MATERIAL to SECOND, and the ids of both."""
    key_id = await create_external_key(client)
    first = (await bring(client, key_id, MATERIAL)).key_material_id
    second = (await bring(client, key_id, SECOND, NEW)).key_material_id
    await rotate(client, key_id)
    return key_id, first, second


async def materials(client: KeyManagementServiceClient, key_id: str) -> list[RotationsListEntry]:
    request = ListKeyRotationsRequest(
        key_id=key_id, include_key_material="INCLUDE_KEY_MATERIAL_ALL_KEY_MATERIAL"
    )
    return list((await client.list_key_rotations_async(request)).rotations)


async def parts(client: KeyManagementServiceClient, key_id: str) -> list[tuple[str, str]]:
    """Return every material's id and the part it plays."""
    return [
        (
            one.key_material_id,
            KeyMaterialState.Name(one.key_material_state).removeprefix("KEY_MATERIAL_STATE_"),
        )
        for one in await materials(client, key_id)
    ]


async def used_material(client: KeyManagementServiceClient, ciphertext: bytes) -> str:
    return (await client.decrypt_async(DecryptRequest(ciphertext_blob=ciphertext))).key_material_id


async def test_the_first_material_is_current_whether_it_is_called_new_or_nothing(
    client: KeyManagementServiceClient,
) -> None:
    for import_type in (None, NEW):
        key_id = await create_external_key(client)
        imported = await bring(client, key_id, MATERIAL, import_type)
        assert await state_of(client, key_id) == "ENABLED"
        assert await parts(client, key_id) == [(imported.key_material_id, "CURRENT")]


async def test_new_material_waits_for_its_rotation_and_changes_nothing_that_describe_key_shows(
    client: KeyManagementServiceClient,
) -> None:
    key_id = await create_imported_key(client)
    before = await describe(client, key_id)
    pending = (await bring(client, key_id, SECOND, NEW)).key_material_id

    assert await describe(client, key_id) == before
    assert await parts(client, key_id) == [
        (before.current_key_material_id, "CURRENT"),
        (pending, "PENDING_ROTATION"),
    ]
    assert await used_material(client, await encrypt(client, key_id)) == before.current_key_material_id


async def test_without_new_key_material_nothing_but_the_same_is_ever_accepted(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_imported_key(client)
    for import_type in (None, EXISTING):
        await refused(
            IncorrectKeyMaterialException,
            client.import_key_material_async(await prepare(client, key_id, SECOND, import_type)),
        )
        await bring(client, key_id, MATERIAL, import_type)
    assert len(await materials(client, key_id)) == 1


async def test_after_a_rotation_the_new_material_encrypts_and_the_old_still_decrypts(
    client: KeyManagementServiceClient,
) -> None:
    key_id = await create_imported_key(client)
    first = (await describe(client, key_id)).current_key_material_id
    old = await encrypt(client, key_id, b"old")
    second = (await bring(client, key_id, SECOND, NEW)).key_material_id
    await rotate(client, key_id)

    assert (await describe(client, key_id)).current_key_material_id == second
    assert await parts(client, key_id) == [(first, "NON_CURRENT"), (second, "CURRENT")]
    new = await encrypt(client, key_id, b"new")
    assert [await used_material(client, one) for one in (old, new)] == [first, second]
    assert [await decrypt(client, one) for one in (old, new)] == [b"old", b"new"]


async def test_only_one_new_material_waits_and_the_refusal_names_both(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_imported_key(client)
    pending = (await bring(client, key_id, SECOND, NEW)).key_material_id
    error = await refused(
        KMSInvalidStateException, client.import_key_material_async(await prepare(client, key_id, THIRD, NEW))
    )

    other = await create_imported_key(client, THIRD)
    third = (await describe(client, other)).current_key_material_id
    arn = (await describe(client, key_id)).arn
    rejected = error.message.split("id: ")[1][:64]
    assert rejected not in {pending, third}
    assert error.message == (
        f"New key material (id: {rejected}) cannot be imported into KMS key {arn}, because another "
        f"key material (id: {pending}) is pending rotation."
    )
    await rotate(client, key_id)
    assert (await bring(client, key_id, THIRD, NEW)).key_material_id == rejected


async def test_new_material_that_the_key_knows_is_not_new(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id, _, _ = await rotated_key(client)
    await bring(client, key_id, THIRD, NEW)
    for known in (MATERIAL, SECOND, THIRD):
        await refused(
            IncorrectKeyMaterialException,
            client.import_key_material_async(await prepare(client, key_id, known, NEW)),
        )
    await client.delete_imported_key_material_async(DeleteImportedKeyMaterialRequest(key_id=key_id))
    await refused(
        IncorrectKeyMaterialException,
        client.import_key_material_async(await prepare(client, key_id, SECOND, NEW)),
    )


async def test_existing_material_must_have_been_imported_before(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    error = await refused(
        IncorrectKeyMaterialException,
        client.import_key_material_async(await prepare(client, key_id, MATERIAL, EXISTING)),
    )
    assert "No key material was imported" in error.message
    assert await state_of(client, key_id) == "PENDING_IMPORT"


async def test_a_key_material_id_is_enforced_and_new_material_has_none(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id, first, second = await rotated_key(client)
    assert (await bring(client, key_id, MATERIAL, EXISTING, key_material_id=first)).key_material_id == first
    assert (await bring(client, key_id, SECOND, key_material_id=second)).key_material_id == second
    for import_type in (None, EXISTING):
        await refused(
            IncorrectKeyMaterialException,
            client.import_key_material_async(
                await prepare(client, key_id, MATERIAL, import_type, key_material_id=second)
            ),
        )
    await refused(
        IncorrectKeyMaterialException,
        client.import_key_material_async(
            await prepare(client, key_id, THIRD, EXISTING, key_material_id=first)
        ),
    )
    await refused(
        ValidationException,
        client.import_key_material_async(await prepare(client, key_id, THIRD, NEW, key_material_id=first)),
    )
    new = await create_external_key(client)
    await refused(
        ValidationException,
        client.import_key_material_async(await prepare(client, new, MATERIAL, key_material_id=first)),
    )


async def test_existing_material_may_be_the_one_that_is_pending_rotation(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_imported_key(client)
    pending = (await bring(client, key_id, SECOND, NEW)).key_material_id
    valid_to = server.clock.now() + HOUR
    await bring(client, key_id, SECOND, EXISTING, key_material_id=pending, valid_to=valid_to)

    entry = (await materials(client, key_id))[-1]
    assert (entry.key_material_id, entry.key_material_state) == (
        pending,
        KeyMaterialState.KEY_MATERIAL_STATE_PENDING_ROTATION,
    )
    assert entry.expiration_model == ExpirationModelType.EXPIRATION_MODEL_TYPE_KEY_MATERIAL_EXPIRES


async def test_pending_material_that_expired_is_forgotten_swept_or_not(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    for swept in (False, True):
        key_id = await create_imported_key(client)
        await bring(client, key_id, SECOND, NEW, valid_to=server.clock.now() + HOUR)
        server.clock.advance(HOUR)
        if swept:
            await server.running.sweeper.sweep()

        assert await state_of(client, key_id) == "ENABLED"
        assert [part for _, part in await parts(client, key_id)] == ["CURRENT"]
        error = await refused(KMSInvalidStateException, rotate(client, key_id))
        assert error.message.startswith("No available key material pending rotation for the key: arn:")
        await refused(
            IncorrectKeyMaterialException,
            client.import_key_material_async(await prepare(client, key_id, SECOND, EXISTING)),
        )
        await bring(client, key_id, SECOND, NEW)
        await rotate(client, key_id)


async def test_all_permanent_material_must_be_there_for_a_key_to_be_used(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id, first, second = await rotated_key(client)
    ciphertext = await encrypt(client, key_id)
    for lost, bytes_of_it in ((first, MATERIAL), (second, SECOND)):
        gone = await client.delete_imported_key_material_async(
            DeleteImportedKeyMaterialRequest(key_id=key_id, key_material_id=lost)
        )
        assert gone.key_material_id == lost
        assert await state_of(client, key_id) == "PENDING_IMPORT"
        await refused(KMSInvalidStateException, decrypt(client, ciphertext))
        states = {one.key_material_id: one.import_state for one in await materials(client, key_id)}
        assert states[lost] == ImportState.IMPORT_STATE_PENDING_IMPORT
        assert list(states.values()).count(ImportState.IMPORT_STATE_IMPORTED) == 1
        await bring(client, key_id, bytes_of_it)
        assert await state_of(client, key_id) == "ENABLED"
        assert await decrypt(client, ciphertext) == b"plaintext"


async def test_an_import_that_leaves_other_material_missing_leaves_the_key_pending_import(
    client: KeyManagementServiceClient,
) -> None:
    key_id, first, second = await rotated_key(client)
    await disable(client, key_id)
    for lost in (first, second):
        await client.delete_imported_key_material_async(
            DeleteImportedKeyMaterialRequest(key_id=key_id, key_material_id=lost)
        )
    await bring(client, key_id, SECOND)
    assert await state_of(client, key_id) == "PENDING_IMPORT"
    await bring(client, key_id, MATERIAL)
    # It left PENDING_IMPORT by an import, so it is switched on although it was disabled before.
    assert await state_of(client, key_id) == "ENABLED"


async def test_the_first_expiry_of_several_is_the_one_of_the_key(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id, first, _ = await rotated_key(client)
    soon, late = server.clock.now() + HOUR, server.clock.now() + 2 * HOUR
    await bring(client, key_id, SECOND, valid_to=late)
    metadata = await describe(client, key_id)
    assert metadata.valid_to.ToDatetime(tzinfo=late.tzinfo) == late
    await bring(client, key_id, MATERIAL, valid_to=soon)
    metadata = await describe(client, key_id)
    assert metadata.valid_to.ToDatetime(tzinfo=soon.tzinfo) == soon
    assert metadata.expiration_model == ExpirationModelType.EXPIRATION_MODEL_TYPE_KEY_MATERIAL_EXPIRES

    server.clock.advance(HOUR)
    metadata = await describe(client, key_id)
    assert await state_of(client, key_id) == "PENDING_IMPORT"
    assert not metadata.HasField("valid_to")
    assert not metadata.HasField("expiration_model")
    states = {one.key_material_id: one.import_state for one in await materials(client, key_id)}
    assert states[first] == ImportState.IMPORT_STATE_PENDING_IMPORT
    await bring(client, key_id, MATERIAL)
    assert await state_of(client, key_id) == "ENABLED"


async def test_deleting_pending_material_leaves_the_key_state_and_the_current_material(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_imported_key(client)
    before = await describe(client, key_id)
    pending = (await bring(client, key_id, SECOND, NEW)).key_material_id
    request = DeleteImportedKeyMaterialRequest(key_id=key_id, key_material_id=pending)
    assert (await client.delete_imported_key_material_async(request)).key_material_id == pending
    assert await describe(client, key_id) == before
    await refused(NotFoundException, client.delete_imported_key_material_async(request))
    await refused(KMSInvalidStateException, rotate(client, key_id))


async def test_deletion_without_an_id_means_the_current_material(client: KeyManagementServiceClient) -> None:
    key_id, first, second = await rotated_key(client)
    await bring(client, key_id, THIRD, NEW)
    gone = await client.delete_imported_key_material_async(DeleteImportedKeyMaterialRequest(key_id=key_id))
    assert gone.key_material_id == second
    states = {one.key_material_id: one.import_state for one in await materials(client, key_id)}
    assert states.pop(second) == ImportState.IMPORT_STATE_PENDING_IMPORT
    assert first in states
    assert set(states.values()) == {ImportState.IMPORT_STATE_IMPORTED}


async def test_a_description_stays_until_another_is_given(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)

    async def description() -> str | None:
        (entry,) = await materials(client, key_id)
        return entry.key_material_description if entry.HasField("key_material_description") else None

    await bring(client, key_id, MATERIAL)
    assert await description() is None
    await bring(client, key_id, MATERIAL, key_material_description="HSM 1: slot/7")
    assert await description() == "HSM 1: slot/7"
    await bring(client, key_id, MATERIAL)
    assert await description() == "HSM 1: slot/7"
    await delete_material(client, key_id)
    await bring(client, key_id, MATERIAL)
    assert await description() == "HSM 1: slot/7"
    await bring(client, key_id, MATERIAL, key_material_description="")
    assert await description() == ""
    for wrong in ("semi;colon", "x" * 257, "ключ"):
        await refused(
            ValidationException,
            client.import_key_material_async(
                await prepare(client, key_id, MATERIAL, key_material_description=wrong)
            ),
        )


async def test_the_rotations_tell_how_each_material_became_current(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id, first, second = await rotated_key(client)
    date = server.clock.now()
    server.clock.advance(HOUR)
    third = (await bring(client, key_id, THIRD, NEW)).key_material_id

    entries = await materials(client, key_id)
    assert [one.key_material_id for one in entries] == [first, second, third]
    assert [one.HasField("rotation_date") for one in entries] == [False, True, False]
    assert entries[1].rotation_date.ToDatetime(tzinfo=date.tzinfo) == date
    assert entries[1].rotation_type == RotationType.ROTATION_TYPE_ON_DEMAND
    assert not any(entries[at].HasField("rotation_type") for at in (0, 2))

    only = await client.list_key_rotations_async(ListKeyRotationsRequest(key_id=key_id))
    assert list(only.rotations) == [entries[1]]
    assert not only.truncated


async def test_materials_are_listed_page_by_page(client: KeyManagementServiceClient) -> None:
    key_id, _, _ = await rotated_key(client)
    await bring(client, key_id, THIRD, NEW)
    all_of_them, marker, found = await materials(client, key_id), None, []
    for _ in range(len(all_of_them)):
        page = await client.list_key_rotations_async(
            ListKeyRotationsRequest(
                key_id=key_id,
                include_key_material="INCLUDE_KEY_MATERIAL_ALL_KEY_MATERIAL",
                limit=1,
                marker=marker,
            )
        )
        found += page.rotations
        marker = page.next_marker or None
    assert found == all_of_them
    assert marker is None


async def test_the_same_new_import_repeated_gets_the_same_answer_and_adds_nothing(
    client: KeyManagementServiceClient,
) -> None:
    key_id = await create_imported_key(client)
    request = import_request(key_id, await get_parameters(client, key_id), SECOND)
    request.import_type = NEW
    first, again = [await client.import_key_material_async(request) for _ in range(2)]
    assert first == again
    assert len(await materials(client, key_id)) == 2


async def test_ciphertexts_of_the_same_bytes_in_two_keys_do_not_open_each_other(
    client: KeyManagementServiceClient,
) -> None:
    one, other = await rotated_key(client), await rotated_key(client)
    assert set(one[1:]).isdisjoint(other[1:])


@pytest.mark.parametrize("origin", ["ORIGIN_TYPE_EXTERNAL", "ORIGIN_TYPE_AWS_KMS"])
async def test_a_disabled_key_is_not_rotated(
    client: KeyManagementServiceClient, refused: Refused[ServiceError], origin: str
) -> None:
    if origin == "ORIGIN_TYPE_AWS_KMS":
        key_id = (await client.create_key_async(CreateKeyRequest())).key_metadata.key_id
    else:
        key_id = await create_imported_key(client)
        await bring(client, key_id, SECOND, NEW)
    await client.disable_key_async(DisableKeyRequest(key_id=key_id))
    with pytest.raises(ServiceError, match="is disabled"):
        await rotate(client, key_id)
    await client.enable_key_async(EnableKeyRequest(key_id=key_id))
    await rotate(client, key_id)


async def test_of_two_new_materials_at_the_same_time_one_waits_and_the_other_is_refused(
    client: KeyManagementServiceClient,
) -> None:
    for _ in range(5):
        key_id = await create_imported_key(client)
        requests = [await prepare(client, key_id, material, NEW) for material in (SECOND, THIRD)]
        outcomes = await asyncio.gather(
            *(client.import_key_material_async(one) for one in requests), return_exceptions=True
        )
        refusals = [one for one in outcomes if isinstance(one, KMSInvalidStateException)]
        (waiting,) = [one for one in outcomes if isinstance(one, ImportKeyMaterialResponse)]
        assert len(refusals) == 1
        assert (await parts(client, key_id))[1:] == [(waiting.key_material_id, "PENDING_ROTATION")]
