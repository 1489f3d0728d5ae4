"""The client of threads without an event loop: it waits, or begins and ends."""

import asyncio
import inspect
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from unit.client.small_service import METHODS, SmallService, answering, refusing
from unit.client.waiting import ANSWER, Waiting

from keyferry.v1 import DescribeKeyRequest, DescribeKeyResponse, EncryptRequest, EncryptResponse
from keyferry_client import (
    AsyncResult,
    BlockingKeyManagementServiceClient,
    CancellationTokenSource,
    ClientClosedError,
    DeadlineExceededError,
    DisabledException,
    KeyManagementServiceClient,
    OperationCanceledError,
    ServiceUnavailableError,
)
from keyferry_client.loop_thread import loop_of_the_process

PATIENCE_SECONDS = 20
DESCRIBE = DescribeKeyRequest(key_id="the key")


@pytest.fixture
async def blocking(service: SmallService) -> AsyncIterator[BlockingKeyManagementServiceClient]:
    """A blocking client; call it in threads, the service is in the test's loop."""
    client = BlockingKeyManagementServiceClient(service.address)
    yield client
    await asyncio.to_thread(client.close)


@pytest.fixture
def waiting(service: SmallService) -> Waiting:
    waiting = Waiting()
    service.serve(DescribeKey=waiting.describe)
    return waiting


@pytest.fixture
def answered(service: SmallService) -> None:
    service.serve(
        DescribeKey=answering(ANSWER), Encrypt=answering(EncryptResponse(ciphertext_blob=b"sealed"))
    )


@pytest.mark.usefixtures("answered")
async def test_it_returns_the_response(blocking: BlockingKeyManagementServiceClient) -> None:
    assert await asyncio.to_thread(blocking.describe_key, DESCRIBE) == ANSWER
    sealed = await asyncio.to_thread(blocking.encrypt, key_id="the key", plaintext=b"x")
    assert sealed.ciphertext_blob == b"sealed"


async def test_it_raises_what_the_operation_raises(
    service: SmallService, blocking: BlockingKeyManagementServiceClient
) -> None:
    service.serve(DescribeKey=refusing("DisabledException", grpc.StatusCode.FAILED_PRECONDITION))
    with pytest.raises(DisabledException):
        await asyncio.to_thread(blocking.describe_key, DESCRIBE)
    with pytest.raises(TypeError, match="not a EncryptRequest"):
        await asyncio.to_thread(blocking.describe_key, EncryptRequest())  # type: ignore[arg-type]


@pytest.mark.usefixtures("waiting")
async def test_its_calls_have_deadlines(blocking: BlockingKeyManagementServiceClient) -> None:
    with pytest.raises(DeadlineExceededError):
        await asyncio.to_thread(blocking.describe_key, DESCRIBE, timeout=0.1)


async def test_a_token_of_another_thread_cancels_it(
    blocking: BlockingKeyManagementServiceClient, waiting: Waiting
) -> None:
    source = CancellationTokenSource()
    call = asyncio.create_task(asyncio.to_thread(blocking.describe_key, DESCRIBE, source.token))
    await waiting.has_begun.wait()
    source.cancel()
    with pytest.raises(OperationCanceledError):
        await call
    await waiting.has_ended.wait()
    assert waiting.was_cancelled


@pytest.mark.usefixtures("answered")
async def test_many_threads_share_one_client(blocking: BlockingKeyManagementServiceClient) -> None:
    calls = (asyncio.to_thread(blocking.describe_key, DESCRIBE) for _ in range(50))
    assert await asyncio.gather(*calls) == [ANSWER] * 50


@pytest.mark.parametrize("taken_by", ["the thread that waits", "another thread"])
async def test_ctrl_c_cancels_the_call(service: SmallService, waiting: Waiting, taken_by: str) -> None:
    program = (
        "import os, signal, sys, threading\n"
        "from keyferry_client import BlockingKeyManagementServiceClient\n"
        "def raise_it_here():\n"
        "    if os.read(0, 1):\n"
        "        signal.raise_signal(signal.SIGINT)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # test workers ignore it
        "threading.Thread(target=raise_it_here, daemon=True).start()\n"
        "with BlockingKeyManagementServiceClient(sys.argv[1]) as client:\n"
        "    client.describe_key(key_id='the key')\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, service.address, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    await waiting.has_begun.wait()
    if taken_by == "another thread":
        assert process.stdin is not None
        process.stdin.write(b"!")
    else:
        process.send_signal(signal.SIGINT)
    _, errors = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert errors.decode().splitlines()[-1] == "KeyboardInterrupt"
    await waiting.has_ended.wait()
    assert waiting.was_cancelled


@pytest.mark.usefixtures("answered")
async def test_a_program_that_forgets_to_close_it_ends(service: SmallService) -> None:
    program = (
        "import sys\n"
        "from keyferry_client import BlockingKeyManagementServiceClient\n"
        "client = BlockingKeyManagementServiceClient(sys.argv[1])\n"
        "print(client.describe_key(key_id='the key').key_metadata.key_id)\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", program, service.address,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"PYTHONASYNCIODEBUG": "1"},
    )  # fmt: skip
    output, errors = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert (process.returncode, output, errors) == (0, b"the key\n", b"")


async def test_all_clients_share_one_thread() -> None:
    for _ in range(3):
        BlockingKeyManagementServiceClient("127.0.0.1:9")
    assert len([thread for thread in threading.enumerate() if thread.name == "keyferry-loop"]) == 1


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # which is what it is about
async def test_the_child_of_a_fork_has_a_thread_of_its_own() -> None:
    before = loop_of_the_process()
    child = os.fork()
    if child == 0:
        os._exit(
            0 if loop_of_the_process().call(lambda: 7) == 7 and loop_of_the_process() is not before else 1
        )
    _, status = await asyncio.to_thread(os.waitpid, child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert loop_of_the_process() is before


async def test_closing_it_ends_running_calls_and_refuses_others(
    service: SmallService, waiting: Waiting
) -> None:
    client = BlockingKeyManagementServiceClient(service.address)
    call = asyncio.create_task(asyncio.to_thread(client.describe_key, DESCRIBE))
    await waiting.has_begun.wait()
    await asyncio.gather(*(asyncio.to_thread(client.close) for _ in range(3)))
    with pytest.raises(ClientClosedError):
        await call
    with pytest.raises(ClientClosedError):
        client.describe_key(DESCRIBE)
    result = client.begin_describe_key(DESCRIBE)
    with pytest.raises(ClientClosedError):
        client.end_describe_key(result)


@pytest.mark.usefixtures("answered")
async def test_calls_beside_a_closing_client_end_all(service: SmallService) -> None:
    for _ in range(5):
        client = BlockingKeyManagementServiceClient(service.address)
        calls = [asyncio.to_thread(client.describe_key, DESCRIBE) for _ in range(8)]
        *outcomes, _ = await asyncio.wait_for(
            asyncio.gather(*calls, asyncio.to_thread(client.close), return_exceptions=True), PATIENCE_SECONDS
        )
        assert {type(outcome) for outcome in outcomes} <= {DescribeKeyResponse, ClientClosedError}


async def test_threads_can_share_the_client_of_an_event_loop(
    client: KeyManagementServiceClient, waiting: Waiting
) -> None:
    facade = BlockingKeyManagementServiceClient.sharing(client)
    waiting.release.set()
    assert await asyncio.to_thread(facade.describe_key, DESCRIBE) == ANSWER
    with pytest.raises(RuntimeError, match="would block the event loop"):
        facade.describe_key(DESCRIBE)
    facade.close()
    assert await client.describe_key_async(DESCRIBE) == ANSWER


def test_a_shared_client_whose_loop_has_ended_says_so() -> None:
    async def share() -> BlockingKeyManagementServiceClient:
        async with KeyManagementServiceClient("127.0.0.1:9") as client:
            return BlockingKeyManagementServiceClient.sharing(client)

    facade = asyncio.run(share())
    with pytest.raises(ClientClosedError, match="event loop has ended"):
        facade.describe_key(DESCRIBE)


def test_every_operation_waits_begins_and_ends() -> None:
    for name, method in METHODS.items():
        snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
        request, response = method.input_type._concrete_class, method.output_type._concrete_class
        awaited = getattr(KeyManagementServiceClient, f"{snake}_async")
        waits = getattr(BlockingKeyManagementServiceClient, snake)
        assert inspect.signature(waits).parameters == inspect.signature(awaited).parameters
        assert inspect.signature(waits).return_annotation is response
        assert (waits.__name__, inspect.getdoc(waits)) == (snake, inspect.getdoc(awaited))
        begins = inspect.signature(getattr(BlockingKeyManagementServiceClient, f"begin_{snake}"))
        assert begins.parameters["request"].annotation is request
        assert begins.return_annotation == AsyncResult[response]
        ends = inspect.signature(getattr(BlockingKeyManagementServiceClient, f"end_{snake}"))
        assert ends.parameters["async_result"].annotation == begins.return_annotation
        assert ends.return_annotation is response


def test_it_takes_what_the_client_takes() -> None:
    assert (
        inspect.signature(BlockingKeyManagementServiceClient).parameters
        == inspect.signature(KeyManagementServiceClient).parameters
    )


async def test_what_is_begun_runs_until_it_is_ended(
    blocking: BlockingKeyManagementServiceClient, waiting: Waiting
) -> None:
    state = object()
    result = blocking.begin_describe_key(DESCRIBE, state=state)
    await waiting.has_begun.wait()
    assert (result.is_completed, result.completed_synchronously) == (False, False)
    assert result.async_state is state
    assert not result.async_wait_handle.wait_one(0)
    waiting.release.set()
    assert await asyncio.to_thread(result.async_wait_handle.wait_one, PATIENCE_SECONDS)
    assert (result.is_completed, result.completed_synchronously) == (True, False)
    assert blocking.end_describe_key(result) == ANSWER


async def test_end_waits_for_the_end(blocking: BlockingKeyManagementServiceClient, waiting: Waiting) -> None:
    result = blocking.begin_describe_key(DESCRIBE)
    ending = asyncio.create_task(asyncio.to_thread(blocking.end_describe_key, result))
    await waiting.has_begun.wait()
    assert not ending.done()
    waiting.release.set()
    assert await ending == ANSWER


async def test_end_raises_what_the_operation_raised(free_port: Callable[[], int]) -> None:
    with BlockingKeyManagementServiceClient(f"127.0.0.1:{free_port()}") as client:
        result = client.begin_describe_key(DESCRIBE)
        with pytest.raises(ServiceUnavailableError):
            client.end_describe_key(result)
        assert result.is_completed


@pytest.mark.usefixtures("answered")
async def test_the_callback_gets_the_completed_result_and_may_begin_and_block(
    blocking: BlockingKeyManagementServiceClient,
) -> None:
    ended = threading.Event()
    seen: list[object] = []

    def first(result: AsyncResult[DescribeKeyResponse]) -> None:
        seen.extend((result.is_completed, result.async_state, blocking.end_describe_key(result)))
        seen.append(blocking.describe_key(DESCRIBE))
        blocking.begin_encrypt(EncryptRequest(key_id="x", plaintext=b"x"), second)

    def second(result: AsyncResult[EncryptResponse]) -> None:
        seen.append(blocking.end_encrypt(result).ciphertext_blob)
        ended.set()

    blocking.begin_describe_key(DESCRIBE, first, "state")
    assert await asyncio.to_thread(ended.wait, PATIENCE_SECONDS)
    assert seen == [True, "state", ANSWER, ANSWER, b"sealed"]


@pytest.mark.usefixtures("answered")
async def test_a_result_is_ended_once(blocking: BlockingKeyManagementServiceClient) -> None:
    result = blocking.begin_describe_key(DESCRIBE)
    outcomes = await asyncio.gather(
        *(asyncio.to_thread(blocking.end_describe_key, result) for _ in range(10)), return_exceptions=True
    )
    assert outcomes.count(ANSWER) == 1
    assert {type(outcome) for outcome in outcomes if outcome != ANSWER} == {RuntimeError}
    with pytest.raises(RuntimeError, match="end_describe_key was called before with this result"):
        blocking.end_describe_key(result)


@pytest.mark.usefixtures("answered")
async def test_a_result_is_ended_by_its_own_operation_and_client(
    service: SmallService, blocking: BlockingKeyManagementServiceClient
) -> None:
    result = blocking.begin_describe_key(DESCRIBE)
    with pytest.raises(ValueError, match="end it with end_describe_key"):
        blocking.end_encrypt(result)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="takes what begin_describe_key returned"):
        blocking.end_describe_key(ANSWER)  # type: ignore[arg-type]
    other = BlockingKeyManagementServiceClient(service.address)
    with pytest.raises(ValueError, match="another client"):
        other.end_describe_key(result)
    await asyncio.to_thread(other.close)
    assert await asyncio.to_thread(blocking.end_describe_key, result) == ANSWER


async def test_begin_refuses_a_wrong_request_at_once(blocking: BlockingKeyManagementServiceClient) -> None:
    with pytest.raises(TypeError, match="DescribeKey takes a DescribeKeyRequest"):
        blocking.begin_describe_key(EncryptRequest())  # type: ignore[arg-type]


async def test_a_request_changed_after_begin_was_sent_as_it_was(
    service: SmallService, blocking: BlockingKeyManagementServiceClient
) -> None:
    seen: list[str] = []

    async def describe(request: DescribeKeyRequest, _: Any) -> DescribeKeyResponse:
        seen.append(request.key_id)
        return ANSWER

    service.serve(DescribeKey=describe)
    request = DescribeKeyRequest(key_id="before")
    result = blocking.begin_describe_key(request)
    request.key_id = "after"
    await asyncio.to_thread(blocking.end_describe_key, result)
    assert seen == ["before"]
