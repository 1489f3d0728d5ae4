"""A call is made again only where that does no harm, later each time, and within its deadline."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from unit.client.small_service import METHODS, SmallService, refusal
from unit.client.waiting import ANSWER

from keyferry_client import (
    CancellationTokenSource,
    ClientClosedError,
    DependencyTimeoutException,
    DisabledException,
    KeyferryError,
    KeyManagementServiceClient,
    OperationCanceledError,
    RetryPolicy,
    ServiceUnavailableError,
    operations,
)
from keyferry_client.rpc import Rpc

QUICK = RetryPolicy(attempts=4, first_wait_seconds=0.001, longest_wait_seconds=0.002)
TIMED_OUT = refusal("DependencyTimeoutException", grpc.StatusCode.UNAVAILABLE, retryable=True, retry_delay=0)
DISABLED = refusal("DisabledException", grpc.StatusCode.FAILED_PRECONDITION)


class Failing:
    """Refuses as often as there are refusals, then answers; keeps what it was sent."""

    def __init__(self, answer: Message, *refusals: Any) -> None:
        self._answer = answer
        self._refusals = list(refusals)
        self.requests: list[Message] = []
        self.was_called = asyncio.Event()

    async def handle(self, request: Message, context: Any) -> Message:
        self.requests.append(request)
        self.was_called.set()
        if self._refusals:
            await context.abort(*self._refusals.pop(0))
        return self._answer


def client_of(
    service: SmallService, policy: RetryPolicy = QUICK, **options: Any
) -> KeyManagementServiceClient:
    return KeyManagementServiceClient(service.address, retries=policy, **options)


async def test_exactly_the_operations_that_the_contract_calls_repeatable_are_repeated(
    service: SmallService,
) -> None:
    rpcs = [rpc for rpc in vars(operations).values() if isinstance(rpc, Rpc)]
    failing = {rpc.name: Failing(rpc.response_type(), TIMED_OUT, TIMED_OUT) for rpc in rpcs}
    service.serve(**{name: one.handle for name, one in failing.items()})
    async with client_of(service) as client:
        calls = [getattr(client, f"{rpc.snake_name}_async")(rpc.request_type()) for rpc in rpcs]
        await asyncio.wait(calls)
    is_repeated = {rpc.name for rpc, call in zip(rpcs, calls, strict=True) if call.exception() is None}
    levels = {name: method.GetOptions().idempotency_level for name, method in METHODS.items()}
    assert set(failing) == set(METHODS)
    assert is_repeated == {name for name, level in levels.items() if level}
    assert {name: len(one.requests) for name, one in failing.items()} == {
        name: 3 if level else 1 for name, level in levels.items()
    }


async def test_the_repeated_request_is_the_same(service: SmallService) -> None:
    failing = Failing(operations.IMPORT_KEY_MATERIAL.response_type(), TIMED_OUT, TIMED_OUT)
    service.serve(ImportKeyMaterial=failing.handle)
    async with client_of(service) as client:
        await client.import_key_material_async(key_id="k", import_token=b"t", encrypted_key_material=b"m")
    first, *others = failing.requests
    assert others == [first, first]


async def test_a_deletion_whose_answer_was_lost_is_not_told_as_not_found(service: SmallService) -> None:
    not_found = refusal("NotFoundException", grpc.StatusCode.NOT_FOUND)
    failing = Failing(operations.DELETE_IMPORTED_KEY_MATERIAL.response_type(), TIMED_OUT, not_found)
    service.serve(DeleteImportedKeyMaterial=failing.handle)
    async with client_of(service) as client:
        with pytest.raises(DependencyTimeoutException):
            await client.delete_imported_key_material_async(key_id="k", key_material_id="ab" * 32)
    assert len(failing.requests) == 1


async def test_a_refusal_that_will_not_pass_is_not_repeated(service: SmallService) -> None:
    failing = Failing(ANSWER, DISABLED)
    service.serve(DescribeKey=failing.handle)
    async with client_of(service) as client:
        with pytest.raises(DisabledException):
            await client.describe_key_async(key_id="k")
    assert len(failing.requests) == 1


async def test_after_the_last_attempt_the_last_error_is_the_answer(service: SmallService) -> None:
    failing = Failing(
        ANSWER, *[TIMED_OUT] * 3, refusal("KMSInternalException", grpc.StatusCode.INTERNAL, retryable=True)
    )
    service.serve(DescribeKey=failing.handle)
    async with client_of(service) as client:
        with pytest.raises(KeyferryError) as caught:
            await client.describe_key_async(key_id="k")
    assert (caught.value.name, len(failing.requests)) == ("KMSInternalException", 4)


async def test_a_call_can_be_made_once_only(service: SmallService) -> None:
    failing = Failing(ANSWER, TIMED_OUT)
    service.serve(DescribeKey=failing.handle)
    async with client_of(service, RetryPolicy.once()) as client:
        with pytest.raises(DependencyTimeoutException):
            await client.describe_key_async(key_id="k")
    assert len(failing.requests) == 1


async def test_a_wait_that_would_pass_the_deadline_is_not_begun(service: SmallService) -> None:
    later = refusal(
        "DependencyTimeoutException", grpc.StatusCode.UNAVAILABLE, retryable=True, retry_delay=3600
    )
    failing = Failing(ANSWER, later)
    service.serve(DescribeKey=failing.handle)
    async with client_of(service) as client:
        with pytest.raises(DependencyTimeoutException) as caught:
            await client.describe_key_async(key_id="k", timeout=60)
    assert caught.value.retry_after_seconds == 3600
    assert len(failing.requests) == 1


async def test_every_attempt_knows_what_is_left_of_the_deadline(service: SmallService) -> None:
    left: list[float] = []

    async def describe(_: Any, context: Any) -> Message:
        left.append(context.time_remaining())
        if len(left) == 1:
            await context.abort(
                *refusal("KMSInternalException", grpc.StatusCode.INTERNAL, retryable=True, retry_delay=0.2)
            )
        return ANSWER

    service.serve(DescribeKey=describe)
    async with client_of(service) as client:
        await client.describe_key_async(key_id="k", timeout=2)
    # On the wire a time that is left is rounded.
    assert left[0] - left[1] > 0.19


@pytest.fixture
async def pausing(service: SmallService) -> Failing:
    """An operation after whose refusal the client waits for long."""
    failing = Failing(
        ANSWER, refusal("KMSInternalException", grpc.StatusCode.INTERNAL, retryable=True, retry_delay=20)
    )
    service.serve(DescribeKey=failing.handle)
    return failing


async def test_a_token_ends_the_wait_between_two_attempts(service: SmallService, pausing: Failing) -> None:
    source = CancellationTokenSource()
    async with client_of(service) as client:
        task = client.describe_key_async(None, source.token, key_id="k")
        await pausing.was_called.wait()
        source.cancel()
        with pytest.raises(OperationCanceledError):
            await task
    assert len(pausing.requests) == 1


async def test_cancelling_the_task_ends_the_wait_too(service: SmallService, pausing: Failing) -> None:
    async with client_of(service) as client:
        task = client.describe_key_async(key_id="k")
        await pausing.was_called.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_closing_the_client_ends_the_wait_too(service: SmallService, pausing: Failing) -> None:
    client = client_of(service)
    task = client.describe_key_async(key_id="k")
    await pausing.was_called.wait()
    await client.close()
    with pytest.raises(ClientClosedError):
        await task


async def test_an_unreachable_service_is_tried_until_the_attempts_are_used_up(
    free_port: Callable[[], int],
) -> None:
    async with KeyManagementServiceClient(f"127.0.0.1:{free_port()}", retries=QUICK) as client:
        with pytest.raises(ServiceUnavailableError):
            await client.describe_key_async(key_id="k")


async def test_a_service_that_comes_back_within_the_attempts_answers(free_port: Callable[[], int]) -> None:
    address = f"127.0.0.1:{free_port()}"
    policy = RetryPolicy(attempts=200, first_wait_seconds=0.05, longest_wait_seconds=0.05)
    async with KeyManagementServiceClient(address, retries=policy) as client:
        task = client.describe_key_async(key_id="k")
        with pytest.raises(ServiceUnavailableError):
            await client.create_key_async()
        service = SmallService(address)
        service.serve(DescribeKey=Failing(ANSWER).handle)
        await service.start()
        assert await task == ANSWER
        await service.stop()


def test_waits_grow_up_to_their_bound_and_are_not_all_the_same() -> None:
    policy = RetryPolicy(attempts=10, first_wait_seconds=0.5, longest_wait_seconds=4)
    error = KeyferryError(retryable=True)
    for attempt, bound in enumerate([0.5, 1, 2, 4, 4, 4], start=1):
        waits = [policy.wait_seconds(attempt, error) for _ in range(200)]
        assert all(wait is not None and 0 <= wait <= bound for wait in waits)
        assert max(wait for wait in waits if wait is not None) > bound / 2
        assert len(set(waits)) > 100


def test_the_service_is_given_the_time_that_it_asked_for() -> None:
    assert QUICK.wait_seconds(1, KeyferryError(retryable=True, retry_after_seconds=7)) == 7


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": 0},
        {"first_wait_seconds": 0},
        {"first_wait_seconds": -1},
        {"first_wait_seconds": 2, "longest_wait_seconds": 1},
    ],
    ids=str,
)
def test_a_policy_without_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="at least once"):
        RetryPolicy(**wrong)
