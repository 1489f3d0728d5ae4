"""The Task of every operation: asyncio's own, with a status, continuations and a cancellation token."""

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from unit.client.small_service import SmallService, answering, refusing
from unit.client.waiting import ANSWER, Waiting

from keyferry.v1 import DescribeKeyRequest, DescribeKeyResponse, EncryptResponse, GenerateRandomResponse
from keyferry_client import (
    CancellationToken,
    CancellationTokenSource,
    DeadlineExceededError,
    DisabledException,
    KeyferryError,
    KeyManagementServiceClient,
    OperationCanceledError,
    Task,
    TaskStatus,
)
from keyferry_client.cancellation_scope import CancellationScope


@pytest.fixture
def waiting(service: SmallService) -> Waiting:
    """DescribeKey, which answers when it is released."""
    waiting = Waiting()
    service.serve(DescribeKey=waiting.describe)
    return waiting


@pytest.fixture
async def source() -> AsyncIterator[CancellationTokenSource]:
    with CancellationTokenSource() as source:
        yield source


async def test_a_task_runs_without_being_awaited(
    client: KeyManagementServiceClient, waiting: Waiting
) -> None:
    task = client.describe_key_async(key_id="the key")
    assert isinstance(task, asyncio.Task)
    assert (task.status, task.is_completed, task.get_name()) == (TaskStatus.RUNNING, False, "DescribeKey")
    waiting.release.set()
    await waiting.has_ended.wait()
    await asyncio.wait({task})
    assert (task.status, task.is_completed, task.is_completed_successfully) == (
        TaskStatus.RAN_TO_COMPLETION,
        True,
        True,
    )
    assert task.result() == ANSWER
    assert not task.is_canceled
    assert not task.is_faulted


async def test_a_task_that_nobody_holds_is_not_forgotten(
    client: KeyManagementServiceClient, waiting: Waiting
) -> None:
    client.describe_key_async(key_id="the key")
    await waiting.has_begun.wait()
    gc.collect()
    waiting.release.set()
    await waiting.has_ended.wait()
    assert not waiting.was_cancelled


async def test_a_request_is_sent_as_it_was_when_the_call_began(
    service: SmallService, client: KeyManagementServiceClient
) -> None:
    seen: list[str] = []

    async def describe(request: DescribeKeyRequest, _: Any) -> DescribeKeyResponse:
        seen.append(request.key_id)
        return ANSWER

    service.serve(DescribeKey=describe)
    request = DescribeKeyRequest()
    tasks = []
    for key_id in "abc":
        request.key_id = key_id
        tasks.append(client.describe_key_async(request))
    await asyncio.gather(*tasks)
    assert sorted(seen) == ["a", "b", "c"]


async def test_the_repr_of_a_task_shows_its_name_and_state_and_never_its_result(
    client: KeyManagementServiceClient, waiting: Waiting
) -> None:
    task, cancelled = client.describe_key_async(key_id="the key"), client.describe_key_async(key_id="the key")
    assert repr(task) == "<Task DescribeKey pending>"
    cancelled.cancel()
    waiting.release.set()
    await asyncio.wait({task, cancelled})
    assert repr(task) == f"{task}" == "<Task DescribeKey finished>"
    assert repr(cancelled) == "<Task DescribeKey cancelled>"


async def test_the_repr_of_a_task_does_not_count_as_having_seen_its_exception(
    service: SmallService, client: KeyManagementServiceClient
) -> None:
    service.serve(DescribeKey=refusing("DisabledException", grpc.StatusCode.FAILED_PRECONDITION))
    unseen: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: unseen.append(context["message"]))
    task = client.describe_key_async(key_id="the key")
    await asyncio.wait({task})
    assert repr(task) == "<Task DescribeKey finished>"
    del task
    gc.collect()
    assert unseen == ["Task exception was never retrieved"]


async def test_neither_request_nor_answer_is_in_the_debug_log_of_asyncio(
    service: SmallService, client: KeyManagementServiceClient, caplog: pytest.LogCaptureFixture
) -> None:
    service.serve(
        GenerateRandom=answering(GenerateRandomResponse(plaintext=b"S" * 1024)),
        Encrypt=answering(EncryptResponse()),
    )
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    # Every step counts as slow, and is logged with what it belongs to.
    loop.slow_callback_duration = 0
    caplog.set_level(logging.DEBUG, "asyncio")
    task = client.generate_random_async(number_of_bytes=1024)
    await asyncio.wait({task, client.encrypt_async(key_id="the key", plaintext=b"P" * 1024)})
    assert "Executing <Task GenerateRandom finished> took" in caplog.text
    assert "UnaryUnaryCall._invoke" in caplog.text
    assert "SSS" not in caplog.text
    assert "PPP" not in caplog.text


async def test_a_refused_call_is_faulted(service: SmallService, client: KeyManagementServiceClient) -> None:
    service.serve(DescribeKey=refusing("DisabledException", grpc.StatusCode.FAILED_PRECONDITION))
    task = client.describe_key_async(key_id="the key")
    await asyncio.wait({task})
    assert (task.status, task.is_faulted, task.is_canceled) == (TaskStatus.FAULTED, True, False)
    assert isinstance(task.exception(), DisabledException)


async def test_a_passed_deadline_is_faulted_and_no_cancellation(
    client: KeyManagementServiceClient, waiting: Waiting, source: CancellationTokenSource
) -> None:
    task = client.describe_key_async(None, source.token, timeout=0.1, key_id="the key")
    with pytest.raises(DeadlineExceededError):
        await task
    assert (task.status, task.is_canceled, task.cancelled()) == (TaskStatus.FAULTED, False, False)
    assert not source.is_cancellation_requested
    await waiting.has_ended.wait()


async def test_tasks_go_through_everything_of_asyncio_that_takes_tasks(
    service: SmallService, client: KeyManagementServiceClient
) -> None:
    service.serve(DescribeKey=answering(ANSWER))

    def call() -> Task[DescribeKeyResponse]:
        return client.describe_key_async(key_id="the key")

    assert await call() == ANSWER
    assert await asyncio.gather(call(), call()) == [ANSWER, ANSWER]
    assert await asyncio.wait_for(call(), 20) == ANSWER
    assert await asyncio.shield(call()) == ANSWER
    assert [await done for done in asyncio.as_completed([call(), call()])] == [ANSWER, ANSWER]
    done, pending = await asyncio.wait({call(), call()})
    assert ([task.result() for task in done], pending) == ([ANSWER, ANSWER], set())
    async with asyncio.timeout(20):
        assert await call() == ANSWER
    async with asyncio.TaskGroup() as group:
        member = group.create_task(call().join())
    assert member.result() == ANSWER
    told = asyncio.Event()
    task = call()
    task.add_done_callback(lambda _: told.set())
    await told.wait()
    assert task.result() == ANSWER


async def fail_after(event: asyncio.Event) -> None:
    await event.wait()
    raise ZeroDivisionError


async def test_a_task_group_cancels_the_calls_of_its_members(
    client: KeyManagementServiceClient, waiting: Waiting
) -> None:
    task = client.describe_key_async(key_id="the key")

    async def group() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(task.join())
            group.create_task(fail_after(waiting.has_begun))

    with pytest.raises(ExceptionGroup) as caught:
        await group()
    assert [type(error) for error in caught.value.exceptions] == [ZeroDivisionError]
    await waiting.has_ended.wait()
    assert waiting.was_cancelled
    assert task.cancelled()


async def test_a_task_group_that_fails_at_once_leaves_no_call_behind(
    client: KeyManagementServiceClient, waiting: Waiting
) -> None:
    task = client.describe_key_async(key_id="the key")

    async def group() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(task.join())
            raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        await group()
    await asyncio.wait({task})
    assert task.cancelled()
    assert waiting.calls == 0


async def test_an_awaited_call_in_a_task_group_is_cancelled_with_it(
    client: KeyManagementServiceClient, waiting: Waiting
) -> None:
    async def group() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail_after(waiting.has_begun))
            await client.describe_key_async(key_id="the key")

    with pytest.raises(ExceptionGroup):
        await group()
    await waiting.has_ended.wait()
    assert waiting.was_cancelled


async def test_a_shielded_call_goes_on_when_its_waiter_is_cancelled(
    client: KeyManagementServiceClient, waiting: Waiting
) -> None:
    task = client.describe_key_async(key_id="the key")

    async def wait() -> None:
        await asyncio.shield(task)

    waiter = asyncio.create_task(wait())
    await waiting.has_begun.wait()
    waiter.cancel()
    await asyncio.wait({waiter})
    waiting.release.set()
    assert await task == ANSWER


async def test_a_cancelled_task_is_canceled_and_stays_an_asyncio_cancellation(
    client: KeyManagementServiceClient, waiting: Waiting
) -> None:
    task = client.describe_key_async(key_id="the key")
    await waiting.has_begun.wait()
    assert task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (task.status, task.is_canceled, task.cancelled()) == (TaskStatus.CANCELED, True, True)
    await waiting.has_ended.wait()
    assert waiting.was_cancelled


async def test_a_token_cancels_the_call_in_flight_up_to_the_service(
    client: KeyManagementServiceClient, waiting: Waiting, source: CancellationTokenSource
) -> None:
    task = client.describe_key_async(DescribeKeyRequest(key_id="the key"), source.token)
    await waiting.has_begun.wait()
    threading.Thread(target=source.cancel).start()
    with pytest.raises(OperationCanceledError) as caught:
        await task
    assert caught.value.cancellation_token is source.token
    assert not isinstance(caught.value, KeyferryError)
    assert (task.status, task.is_canceled, task.is_faulted) == (TaskStatus.CANCELED, True, False)
    assert not task.cancelled()
    assert isinstance(task.exception(), OperationCanceledError)
    await waiting.has_ended.wait()
    assert waiting.was_cancelled


async def test_a_token_that_is_cancelled_already_sends_nothing(
    client: KeyManagementServiceClient, waiting: Waiting, source: CancellationTokenSource
) -> None:
    source.cancel()
    tasks = [client.describe_key_async(None, source.token, key_id="the key") for _ in range(20)]
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {OperationCanceledError}
    # A call that is sent afterwards is the only one to arrive.
    waiting.release.set()
    await client.describe_key_async(key_id="the key")
    assert waiting.calls == 1


async def test_a_token_cancelled_before_the_call_takes_its_first_step_sends_nothing(
    client: KeyManagementServiceClient, waiting: Waiting, source: CancellationTokenSource
) -> None:
    task = client.describe_key_async(None, source.token, key_id="the key")
    source.cancel()
    with pytest.raises(OperationCanceledError):
        await task
    waiting.release.set()
    await client.describe_key_async(key_id="the key")
    assert waiting.calls == 1


async def test_one_token_cancels_many_calls(
    client: KeyManagementServiceClient, waiting: Waiting, source: CancellationTokenSource
) -> None:
    cancelled = [client.describe_key_async(None, source.token, key_id="the key") for _ in range(20)]
    kept = client.describe_key_async(key_id="the key")
    await waiting.has_begun.wait()
    await asyncio.gather(*(asyncio.to_thread(source.cancel) for _ in range(10)))
    outcomes = await asyncio.gather(*cancelled, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {OperationCanceledError}
    waiting.release.set()
    assert await kept == ANSWER


async def test_a_cancellation_of_the_surrounding_task_comes_before_that_of_the_token(
    client: KeyManagementServiceClient, waiting: Waiting, source: CancellationTokenSource
) -> None:
    for order in (0, 1):
        task = client.describe_key_async(None, source.token, key_id="the key")
        await waiting.has_begun.wait()
        for cancel in (task.cancel, source.cancel)[:: -1 if order else 1]:
            cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()
        source = CancellationTokenSource()
        waiting.has_begun.clear()


async def test_a_cancellation_by_token_does_not_cancel_who_awaits(
    client: KeyManagementServiceClient, waiting: Waiting, source: CancellationTokenSource
) -> None:
    async def caller() -> str:
        try:
            await client.describe_key_async(None, source.token, key_id="the key")
        except OperationCanceledError:
            await asyncio.sleep(0)
            return "went on"
        return "answered"

    task = asyncio.create_task(caller())
    await waiting.has_begun.wait()
    source.cancel()
    assert await task == "went on"
    assert task.cancelling() == 0


async def test_nothing_is_left_registered_when_a_call_has_ended(
    service: SmallService, client: KeyManagementServiceClient, source: CancellationTokenSource
) -> None:
    service.serve(DescribeKey=answering(ANSWER))
    await asyncio.gather(*(client.describe_key_async(None, source.token, key_id="x") for _ in range(10)))
    assert source._registrations == {}
    source.cancel()
    assert await client.describe_key_async(key_id="x") == ANSWER


@pytest.mark.parametrize("is_cancelled_first", [True, False])
async def test_a_cancellation_at_the_moment_of_completion_is_decided_by_who_was_first(
    source: CancellationTokenSource,
    is_cancelled_first: bool,  # noqa: FBT001 -- pytest's parameter
) -> None:
    answer = asyncio.get_running_loop().create_future()

    async def call() -> str:
        async with CancellationScope(source.token):
            return await answer

    task = Task(call())
    await asyncio.sleep(0)
    # Both before the task takes another step.
    for happen in (source.cancel, lambda: answer.set_result("answer"))[:: 1 if is_cancelled_first else -1]:
        happen()
    await asyncio.wait({task})
    assert task.status is (TaskStatus.CANCELED if is_cancelled_first else TaskStatus.RAN_TO_COMPLETION)
    assert task.cancelling() == 0


async def test_a_cancellation_from_a_thread_at_any_moment_ends_in_an_answer_or_a_cancellation(
    service: SmallService, client: KeyManagementServiceClient
) -> None:
    service.serve(DescribeKey=answering(ANSWER))
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await client.describe_key_async(key_id="x")
    longest = 2 * (loop.time() - begun)
    outcomes: list[object] = []
    for number in range(100):
        with CancellationTokenSource(cancel_after=longest * number / 100) as source:
            try:
                outcomes.append(await client.describe_key_async(None, source.token, key_id="x"))
            except OperationCanceledError as cancelled:
                outcomes.append((type(cancelled), cancelled.cancellation_token is source.token))
            assert source._registrations == {}
    assert {str(outcome) for outcome in outcomes} <= {str(ANSWER), str((OperationCanceledError, True))}
    # Whatever was cancelled and when, the connection is as good as before.
    assert await client.describe_key_async(key_id="x") == ANSWER


async def test_a_hundred_threads_cancel_one_call(
    client: KeyManagementServiceClient, waiting: Waiting, source: CancellationTokenSource
) -> None:
    task = client.describe_key_async(None, source.token, key_id="the key")
    await waiting.has_begun.wait()
    start = threading.Barrier(100)

    def cancel() -> None:
        start.wait()
        source.cancel()

    threads = [threading.Thread(target=cancel) for _ in range(100)]
    for thread in threads:
        thread.start()
    with pytest.raises(OperationCanceledError):
        await task
    for thread in threads:
        await asyncio.to_thread(thread.join)
    await waiting.has_ended.wait()
    assert (waiting.was_cancelled, task.cancelling()) == (True, 0)


def test_a_token_cancelled_after_the_loop_has_ended_disturbs_nobody() -> None:
    source = CancellationTokenSource()

    async def leave_behind() -> None:
        task = asyncio.current_task()
        assert task is not None
        scope = CancellationScope(source.token)
        await scope.__aenter__()

    asyncio.run(leave_behind())
    source.cancel()


async def test_a_continuation_gets_the_task_however_it_ended(
    service: SmallService, client: KeyManagementServiceClient, source: CancellationTokenSource
) -> None:
    service.serve(DescribeKey=answering(ANSWER))
    answered = client.describe_key_async(key_id="x").continue_with(lambda task: (task.status, task.result()))
    assert await answered == (TaskStatus.RAN_TO_COMPLETION, ANSWER)
    faulted = client.list_keys_async().continue_with(lambda task: type(task.exception()).__name__)
    assert await faulted == "OperationNotServedError"
    source.cancel()
    canceled = client.describe_key_async(None, source.token, key_id="x").continue_with(
        lambda task: task.status
    )
    assert await canceled is TaskStatus.CANCELED


async def test_continuations_chain_and_an_async_one_is_awaited(
    service: SmallService, client: KeyManagementServiceClient
) -> None:
    service.serve(DescribeKey=answering(ANSWER))

    async def again(task: Task[DescribeKeyResponse]) -> DescribeKeyResponse:
        return await client.describe_key_async(key_id=task.result().key_metadata.key_id)

    chain = (
        client.describe_key_async(key_id="x").continue_with(again).continue_with(lambda task: task.result())
    )
    assert await chain == ANSWER


async def test_what_a_continuation_raises_is_its_own_fault(
    service: SmallService, client: KeyManagementServiceClient
) -> None:
    service.serve(DescribeKey=answering(ANSWER))
    first = client.describe_key_async(key_id="x")
    second = first.continue_with(lambda _: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        await second
    assert (first.status, second.status) == (TaskStatus.RAN_TO_COMPLETION, TaskStatus.FAULTED)


async def test_cancelling_a_continuation_leaves_the_task_alone(
    client: KeyManagementServiceClient, waiting: Waiting, source: CancellationTokenSource
) -> None:
    task = client.describe_key_async(key_id="the key")
    by_token = task.continue_with(lambda _: pytest.fail("it was cancelled"), source.token)
    as_task = task.continue_with(lambda _: pytest.fail("it was cancelled"))
    await waiting.has_begun.wait()
    source.cancel()
    as_task.cancel()
    await asyncio.wait({by_token, as_task})
    assert (by_token.status, as_task.status) == (TaskStatus.CANCELED, TaskStatus.CANCELED)
    waiting.release.set()
    assert await task == ANSWER


async def test_the_token_none_can_be_given_too(
    service: SmallService, client: KeyManagementServiceClient
) -> None:
    service.serve(DescribeKey=answering(ANSWER))
    assert await client.describe_key_async(DescribeKeyRequest(key_id="x"), CancellationToken.none) == ANSWER


def test_without_an_event_loop_the_error_says_what_is_missing() -> None:
    client = KeyManagementServiceClient("127.0.0.1:9")
    with pytest.raises(RuntimeError, match="event loop"):
        client.describe_key_async(key_id="x")
