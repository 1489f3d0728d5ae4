"""What callers write, as their type checkers see it. Never run: `test_types.py` has it checked.

A line that is marked as an error must be one: both checkers complain about a needless mark.
"""

import asyncio
from datetime import UTC, datetime
from typing import assert_type

from keyferry.v1 import (
    AlgorithmSpec,
    DescribeKeyRequest,
    EncryptRequest,
    EncryptResponse,
    GetParametersForImportResponse,
    ImportKeyMaterialRequest,
    ImportKeyMaterialResponse,
)
from keyferry_client import (
    AsyncResult,
    BlockingKeyManagementServiceClient,
    CancellationToken,
    CancellationTokenSource,
    KeyManagementServiceClient,
    Task,
    TaskStatus,
)

request = ImportKeyMaterialRequest()
client = KeyManagementServiceClient("127.0.0.1:8700", timeout=3.0)
blocking = BlockingKeyManagementServiceClient("127.0.0.1:8700", timeout=3.0)
source = CancellationTokenSource()


async def awaited() -> None:
    task = client.import_key_material_async(request, source.token, timeout=1.5)
    assert_type(task, Task[ImportKeyMaterialResponse])
    assert_type(await task, ImportKeyMaterialResponse)
    assert_type(task.result(), ImportKeyMaterialResponse)
    assert_type(task.status, TaskStatus)
    _: asyncio.Task[ImportKeyMaterialResponse] = task

    first, second = await asyncio.gather(client.encrypt_async(EncryptRequest()), task)
    assert_type(first, EncryptResponse)
    assert_type(second, ImportKeyMaterialResponse)
    async with asyncio.TaskGroup() as group:
        assert_type(group.create_task(task.join()), asyncio.Task[ImportKeyMaterialResponse])

    assert_type(task.continue_with(lambda done: done.result().key_id), Task[str])

    async def then(done: Task[ImportKeyMaterialResponse]) -> bytes:
        return done.result().key_id.encode()

    assert_type(task.continue_with(then, CancellationToken.none), Task[bytes])


async def by_name() -> None:
    client.get_parameters_for_import_async(wrapping_algorithm=AlgorithmSpec.ALGORITHM_SPEC_RSAES_OAEP_SHA_256)
    parameters = await client.get_parameters_for_import_async(
        key_id="k", wrapping_algorithm="RSAES_OAEP_SHA_256", wrapping_key_spec="WRAPPING_KEY_SPEC_RSA_3072"
    )
    assert_type(parameters, GetParametersForImportResponse)
    client.import_key_material_async(
        key_id="k", valid_to=datetime.now(UTC), expiration_model="KEY_MATERIAL_EXPIRES"
    )
    client.encrypt_async(cancellation_token=source.token, encryption_context={"tenant": "7"})


async def wrong() -> None:
    client.import_key_material_async(EncryptRequest())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.import_key_material_async(request, source)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.import_key_material_async(request, timeout="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.create_key_async(origin="EXTERN")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.create_key_async(orgin="EXTERNAL")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.encrypt_async(plaintext="text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.import_key_material_async(valid_to=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    (await client.encrypt_async()).plaintext  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # noqa: B018
    KeyManagementServiceClient("x", timeout="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    BlockingKeyManagementServiceClient("x", timeout="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def waited_for() -> None:
    assert_type(blocking.import_key_material(request, source.token, timeout=1), ImportKeyMaterialResponse)
    assert_type(blocking.encrypt(key_id="k", plaintext=b"p"), EncryptResponse)
    blocking.encrypt(DescribeKeyRequest())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    blocking.create_key(origin="EXTERN")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with BlockingKeyManagementServiceClient.sharing(client) as shared:
        assert_type(shared, BlockingKeyManagementServiceClient)


def begun_and_ended() -> None:
    def callback(result: AsyncResult[ImportKeyMaterialResponse]) -> None:
        assert_type(blocking.end_import_key_material(result), ImportKeyMaterialResponse)

    result = blocking.begin_import_key_material(request, callback, "state")
    assert_type(result, AsyncResult[ImportKeyMaterialResponse])
    blocking.end_encrypt(result)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
