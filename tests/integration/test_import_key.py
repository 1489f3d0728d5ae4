"""`import_key` against the real service: every kind of key, and an answer that gets lost."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from fixtures.server import ServerFactory, TestServer
from other_keys import create_key, public_key_of
from private_keys import generate, pkcs8, spki
from steps import MATERIAL, create_external_key, state_of
from unit.client.small_service import SmallService

from keyferry.v1 import (
    DecryptRequest,
    GetParametersForImportRequest,
    GetParametersForImportResponse,
    ImportKeyMaterialRequest,
    ImportKeyMaterialResponse,
)
from keyferry_client import (
    BlockingKeyManagementServiceClient,
    IncorrectKeyMaterialException,
    KeyManagementServiceClient,
)


@pytest.fixture
async def server(start_server: ServerFactory) -> TestServer:
    return await start_server(importable_keys="all")


async def test_a_key_of_each_kind_is_brought_in_one_call(
    client: KeyManagementServiceClient,
) -> None:
    key_id = await create_external_key(client)
    answer = await client.import_key_async(key_id=key_id, material=bytearray(MATERIAL), valid_to=None)
    assert answer.key_id.endswith(key_id)
    assert await state_of(client, key_id) == "ENABLED"

    hmac = await create_key(client, "HMAC_384", "GENERATE_VERIFY_MAC", "EXTERNAL")
    await client.import_key_async(key_id=hmac.arn, material=bytes(48), valid_to=None, key_spec="HMAC_384")
    assert await state_of(client, hmac.key_id) == "ENABLED"

    for spec in ("RSA_2048", "ECC_NIST_P521"):
        key = await create_key(client, spec, "SIGN_VERIFY", "EXTERNAL")
        brought = generate(spec)
        await client.import_key_async(
            key_id=key.arn,
            material=pkcs8(brought),
            valid_to=None,
            key_spec=spec,
            wrapping_key_spec="RSA_2048",
        )
        assert await public_key_of(client, key.key_id) == spki(brought)


async def test_other_material_is_refused_and_the_error_says_what_a_key_takes(
    client: KeyManagementServiceClient,
) -> None:
    key_id = await create_external_key(client)
    await client.import_key_async(key_id=key_id, material=MATERIAL, valid_to=None)
    with pytest.raises(IncorrectKeyMaterialException) as caught:
        await client.import_key_async(key_id=key_id, material=bytes(32), valid_to=None)
    assert caught.value.request_id
    assert "takes back the key material that it had" in caught.value.__notes__[0]
    await client.import_key_async(key_id=key_id, material=MATERIAL, valid_to=None)


class LosingAnswers:
    """Stands before the service and loses the first answer of an import that was carried out."""

    def __init__(self, client: KeyManagementServiceClient) -> None:
        self._client = client
        self.answers: list[ImportKeyMaterialResponse] = []

    async def get_parameters(
        self, request: GetParametersForImportRequest, _: Any
    ) -> GetParametersForImportResponse:
        return await self._client.get_parameters_for_import_async(request)

    async def import_material(
        self, request: ImportKeyMaterialRequest, context: Any
    ) -> ImportKeyMaterialResponse:
        self.answers.append(await self._client.import_key_material_async(request))
        if len(self.answers) == 1:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the connection is gone")
        return self.answers[-1]


@pytest.fixture
async def losing(
    free_port: Any, client: KeyManagementServiceClient
) -> AsyncIterator[tuple[str, LosingAnswers]]:
    losing, service = LosingAnswers(client), SmallService(f"127.0.0.1:{free_port()}")
    service.serve(GetParametersForImport=losing.get_parameters, ImportKeyMaterial=losing.import_material)
    await service.start()
    yield service.address, losing
    await service.stop()


async def test_an_import_whose_answer_was_lost_is_repeated_and_gets_the_same_answer(
    client: KeyManagementServiceClient, losing: tuple[str, LosingAnswers]
) -> None:
    address, front = losing
    key_id = await create_external_key(client)
    async with KeyManagementServiceClient(address) as caller:
        answer = await caller.import_key_async(key_id=key_id, material=MATERIAL, valid_to=None)
    assert front.answers == [answer, answer]
    assert await state_of(client, key_id) == "ENABLED"


async def test_the_blocking_client_and_begin_and_end_work_with_the_real_service(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    def old_caller() -> tuple[bool, bytes]:
        with BlockingKeyManagementServiceClient(server.address) as blocking:
            key_id = blocking.create_key(origin="EXTERNAL").key_metadata.key_id
            blocking.import_key(key_id=key_id, material=MATERIAL, valid_to=None)
            sealed = blocking.encrypt(key_id=key_id, plaintext=b"attack at dawn")
            result = blocking.begin_decrypt(DecryptRequest(ciphertext_blob=sealed.ciphertext_blob))
            return result.async_wait_handle.wait_one(30), blocking.end_decrypt(result).plaintext

    assert await asyncio.to_thread(old_caller) == (True, b"attack at dawn")
