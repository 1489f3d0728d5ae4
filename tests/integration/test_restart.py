"""A restart of the server, in order or not, loses nothing that it had answered."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures.processes import ServerProcess, StartProcess
from steps import (
    MATERIAL,
    create_external_key,
    create_imported_key,
    get_parameters,
    import_request,
    state_of,
)

from keyferry.v1 import DecryptRequest, EncryptRequest
from keyferry_client import KeyManagementServiceClient

SIGTERM, SIGKILL = "SIGTERM", "kill -9"
PLAINTEXT = b"as it was"


async def stop(server: ServerProcess, way: str) -> None:
    if way == SIGTERM:
        assert await server.terminate() == 0
    else:
        await server.kill()


async def encrypt(client: KeyManagementServiceClient, key_id: str) -> bytes:
    response = await client.encrypt_async(EncryptRequest(key_id=key_id, plaintext=PLAINTEXT))
    return response.ciphertext_blob


async def decrypt(client: KeyManagementServiceClient, blob: bytes) -> bytes:
    return (await client.decrypt_async(DecryptRequest(ciphertext_blob=blob))).plaintext


@pytest.mark.parametrize("way", [SIGTERM, SIGKILL])
async def test_parameters_from_before_a_restart_import_after_it(
    server_process: ServerProcess, way: str
) -> None:
    async with server_process.client() as client:
        key_id = await create_external_key(client)
        parameters = [await get_parameters(client, key_id, spec=spec) for spec in ("RSA_2048", "RSA_4096")]
        unfinished = import_request(key_id, parameters[0])

    await stop(server_process, way)
    await server_process.start()

    async with server_process.client() as client:
        assert await state_of(client, key_id) == "PENDING_IMPORT"
        first = await client.import_key_material_async(unfinished)
        # Wrapped only now, under a public key from before the restart.
        again = await client.import_key_material_async(import_request(key_id, parameters[1]))
        assert again.key_material_id == first.key_material_id
        assert await decrypt(client, await encrypt(client, key_id)) == PLAINTEXT


@pytest.mark.parametrize("way", [SIGTERM, SIGKILL])
async def test_an_import_from_before_a_restart_is_repeated_and_used_after_it(
    server_process: ServerProcess, free_port: Callable[[], int], way: str
) -> None:
    async with server_process.client() as client:
        key_id = await create_external_key(client)
        request = import_request(key_id, await get_parameters(client, key_id))
        answer = await client.import_key_material_async(request)
        blob = await encrypt(client, key_id)

    await stop(server_process, way)
    await server_process.start(grpc_listen=f"127.0.0.1:{free_port()}")

    async with server_process.client() as client:
        assert await state_of(client, key_id) == "ENABLED"
        assert await client.import_key_material_async(request) == answer
        assert await decrypt(client, blob) == PLAINTEXT


@pytest.mark.parametrize("way", [SIGTERM, SIGKILL])
async def test_the_embedded_database_outlives_a_restart(
    start_process: StartProcess, data_folder: Path, way: str
) -> None:
    server = await start_process(database_url=None, root_key_file=None, data_dir=str(data_folder))
    async with server.client() as client:
        key_id = await create_external_key(client)
        request = import_request(key_id, await get_parameters(client, key_id), MATERIAL)
        used = await create_imported_key(client)
        blob = await encrypt(client, used)

    await stop(server, way)
    await server.start()

    async with server.client() as client:
        assert await decrypt(client, blob) == PLAINTEXT
        await client.import_key_material_async(request)
        assert await state_of(client, key_id) == "ENABLED"
