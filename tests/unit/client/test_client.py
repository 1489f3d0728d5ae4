import asyncio
import re
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from unit.client.small_service import METHODS, SmallService, answering
from unit.client.waiting import ANSWER, Waiting

from keyferry.v1 import (
    CreateKeyRequest,
    DescribeKeyRequest,
    DescribeKeyResponse,
    EncryptRequest,
    GenerateRandomRequest,
    GenerateRandomResponse,
    ListKeysRequest,
)
from keyferry_client import (
    ClientClosedError,
    DeadlineExceededError,
    KeyManagementServiceClient,
    OperationNotServedError,
    ResourceExhaustedError,
    ServiceUnavailableError,
)

DESCRIBE = DescribeKeyRequest(key_id="the key")


async def test_a_request_reaches_its_operation_and_the_answer_comes_back(
    service: SmallService, client: KeyManagementServiceClient
) -> None:
    seen: list[DescribeKeyRequest] = []

    async def describe(request: DescribeKeyRequest, _: Any) -> DescribeKeyResponse:
        seen.append(request)
        return ANSWER

    service.serve(DescribeKey=describe)
    assert await client.describe_key_async(DESCRIBE) == ANSWER
    assert seen == [DESCRIBE]


async def test_every_method_calls_the_operation_of_its_name(
    service: SmallService, client: KeyManagementServiceClient
) -> None:
    responses = {name: method.output_type._concrete_class for name, method in METHODS.items()}
    service.serve(**{name: answering(response()) for name, response in responses.items()})
    for name, method in METHODS.items():
        snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
        response = await getattr(client, f"{snake}_async")(method.input_type._concrete_class())
        assert type(response) is responses[name]


async def test_a_call_has_a_deadline_of_30_seconds_that_the_service_knows(
    service: SmallService, client: KeyManagementServiceClient
) -> None:
    remaining: list[float] = []

    async def describe(_: Any, context: Any) -> DescribeKeyResponse:
        remaining.append(context.time_remaining())
        return ANSWER

    service.serve(DescribeKey=describe)
    await client.describe_key_async(DESCRIBE)
    await client.describe_key_async(DESCRIBE, timeout=7)
    async with KeyManagementServiceClient(service.address, timeout=90) as patient:
        await patient.describe_key_async(DESCRIBE)
    assert [round(seconds, -1) if seconds > 10 else round(seconds) for seconds in remaining] == [30, 7, 90]


async def test_a_passed_deadline_is_a_typed_error_and_ends_the_call_in_the_service(
    service: SmallService, client: KeyManagementServiceClient
) -> None:
    waiting = Waiting()
    service.serve(DescribeKey=waiting.describe)
    with pytest.raises(DeadlineExceededError, match=service.address) as caught:
        await client.describe_key_async(DESCRIBE, timeout=0.2)
    assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    await waiting.has_ended.wait()
    assert waiting.was_cancelled


async def test_cancelling_the_task_cancels_the_call_in_the_service_and_stays_a_cancellation(
    service: SmallService, client: KeyManagementServiceClient
) -> None:
    waiting = Waiting()
    service.serve(DescribeKey=waiting.describe)
    task = client.describe_key_async(DESCRIBE)
    await waiting.has_begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
    await waiting.has_ended.wait()
    assert waiting.was_cancelled


async def test_a_timeout_of_asyncio_cancels_the_call_in_the_service(
    service: SmallService, client: KeyManagementServiceClient
) -> None:
    waiting = Waiting()
    service.serve(DescribeKey=waiting.describe)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await client.describe_key_async(DESCRIBE)
    await waiting.has_ended.wait()
    assert waiting.was_cancelled


async def test_an_unreachable_service_is_named_by_its_address(free_port: Callable[[], int]) -> None:
    address = f"127.0.0.1:{free_port()}"
    async with KeyManagementServiceClient(address) as client:
        with pytest.raises(ServiceUnavailableError, match=address) as caught:
            await client.describe_key_async(DESCRIBE)
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE
    assert caught.value.retryable
    assert caught.value.request_id == ""


async def test_a_web_proxy_in_the_environment_is_not_used(
    service: SmallService, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    service.serve(DescribeKey=answering(ANSWER))
    async with KeyManagementServiceClient(service.address) as client:
        assert await client.describe_key_async(DESCRIBE) == ANSWER


async def test_a_service_that_restarted_is_found_again(service: SmallService) -> None:
    service.serve(DescribeKey=answering(ANSWER))
    async with KeyManagementServiceClient(service.address) as client:
        await client.describe_key_async(DESCRIBE)
        await service.stop()
        for _ in range(3):
            with pytest.raises(ServiceUnavailableError):
                await client.describe_key_async(DESCRIBE)
        successor = SmallService(service.address)
        successor.serve(DescribeKey=answering(ANSWER))
        await successor.start()
        async with asyncio.timeout(5):
            while True:
                try:
                    assert await client.describe_key_async(DESCRIBE) == ANSWER
                    break
                except ServiceUnavailableError:
                    await asyncio.sleep(0.05)  # the channel waits before it connects again
        await successor.stop()


async def test_an_operation_that_the_server_lacks_is_a_typed_error(
    service: SmallService, client: KeyManagementServiceClient
) -> None:
    service.serve(DescribeKey=answering(ANSWER))
    with pytest.raises(OperationNotServedError) as caught:
        await client.list_keys_async(ListKeysRequest())
    assert caught.value.code is grpc.StatusCode.UNIMPLEMENTED


async def test_a_message_that_is_too_large_is_a_typed_error(free_port: Callable[[], int]) -> None:
    service = SmallService(f"127.0.0.1:{free_port()}", (("grpc.max_receive_message_length", 1000),))
    service.serve(Encrypt=answering(DescribeKeyResponse()))
    await service.start()
    async with KeyManagementServiceClient(service.address) as client:
        with pytest.raises(ResourceExhaustedError, match="larger"):
            await client.encrypt_async(EncryptRequest(key_id="the key", plaintext=bytes(5000)))
    await service.stop()


async def test_the_request_of_another_operation_is_a_type_error_before_anything_is_sent(
    client: KeyManagementServiceClient,
) -> None:
    with pytest.raises(TypeError, match="DescribeKey takes a DescribeKeyRequest, not a CreateKeyRequest"):
        await client.describe_key_async(CreateKeyRequest())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not a dict"):
        await client.describe_key_async({})  # type: ignore[arg-type]


async def test_a_closed_client_refuses_calls(service: SmallService) -> None:
    async with KeyManagementServiceClient(service.address) as client:
        pass
    with pytest.raises(ClientClosedError):
        await client.describe_key_async(DESCRIBE)
    await client.close()


async def test_a_call_during_which_the_client_is_closed_is_not_a_cancellation_of_its_task(
    service: SmallService, client: KeyManagementServiceClient
) -> None:
    waiting = Waiting()
    service.serve(DescribeKey=waiting.describe)
    task = client.describe_key_async(DESCRIBE)
    await waiting.has_begun.wait()
    await client.close()
    with pytest.raises(ClientClosedError):
        await task


def test_a_client_made_without_a_loop_serves_the_loop_of_its_first_call(free_port: Callable[[], int]) -> None:
    service_address = f"127.0.0.1:{free_port()}"
    client = KeyManagementServiceClient(service_address)

    async def call() -> None:
        service = SmallService(service_address)
        service.serve(DescribeKey=answering(ANSWER))
        await service.start()
        async with client:
            assert await client.describe_key_async(DESCRIBE) == ANSWER
        await service.stop()

    asyncio.run(call())


async def test_with_channel_credentials_it_does_not_talk_to_a_server_without_tls(
    service: SmallService,
) -> None:
    service.serve(DescribeKey=answering(ANSWER))
    credentials = grpc.ssl_channel_credentials()
    async with KeyManagementServiceClient(service.address, credentials=credentials) as client:
        with pytest.raises(ServiceUnavailableError):
            await client.describe_key_async(DESCRIBE)


async def test_many_calls_at_once_get_their_own_answers(
    service: SmallService, client: KeyManagementServiceClient
) -> None:
    async def random(request: GenerateRandomRequest, _: Any) -> GenerateRandomResponse:
        return GenerateRandomResponse(plaintext=bytes(request.number_of_bytes))

    service.serve(GenerateRandom=random)
    calls = [client.generate_random_async(GenerateRandomRequest(number_of_bytes=size)) for size in range(50)]
    assert [len(response.plaintext) for response in await asyncio.gather(*calls)] == list(range(50))
