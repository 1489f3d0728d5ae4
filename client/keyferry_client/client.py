"""The client: every operation of the contract over one connection.

The methods are in `operations`, generated from the contract; here is what they do:
take the request as it is at this moment, and start the call as a Task.
"""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import grpc
from google.protobuf.message import DecodeError

from keyferry_client.cancellation import CancellationToken
from keyferry_client.cancellation_scope import CancellationScope
from keyferry_client.errors import ClientClosedError
from keyferry_client.operations import Operations
from keyferry_client.requests import build_request
from keyferry_client.rpc import Request, Response, Rpc
from keyferry_client.status_details import error_of_call, unreadable_answer
from keyferry_client.task import Task

DEFAULT_TIMEOUT_SECONDS = 30.0

_CHANNEL_OPTIONS = (
    # Environment variables for the web's proxies would send even loopback calls there.
    ("grpc.enable_http_proxy", 0),
    # A restarted service is found again within seconds; the default waits up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 5_000),
)


class KeyManagementServiceClient(Operations):
    """Calls the key management service at `address`, HOST:PORT.

    ::

        async with KeyManagementServiceClient("127.0.0.1:8700") as client:
            response = await client.describe_key_async(key_id=key_id)

    Without `credentials` the connection is neither encrypted nor authenticated.
    `timeout` is the deadline of a call in seconds; each method takes another one
    for its call. Every method raises the errors of `keyferry_client.errors`.
    A call is cancelled, also in the service, through its cancellation token or by
    cancelling its task. A client belongs to the event loop of its first call.
    """

    def __init__(
        self,
        address: str,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> None:
        self.address = address
        self._credentials = credentials
        self._timeout = timeout
        self._channel: grpc.aio.Channel | None = None
        self._is_closed = False
        # asyncio itself forgets a task that nobody holds, in the middle of its work.
        self._running: set[Task[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection. Calls that still run end with ClientClosedError."""
        self._is_closed = True
        if self._channel is not None:
            await self._channel.close()

    def _start(
        self,
        rpc: Rpc[Request, Response],
        request: Request | None,
        members: Mapping[str, Any],
        cancellation_token: CancellationToken,
        timeout: float | None,
    ) -> Task[Response]:
        loop = _running_loop(rpc)
        # What the caller changes in the request from here on is not sent.
        encoded = _take_request(rpc, request, members).SerializeToString()
        seconds = self._timeout if timeout is None else timeout
        task = Task(self._call(rpc, encoded, cancellation_token, seconds), loop=loop, name=rpc.name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _call(
        self,
        rpc: Rpc[Any, Response],
        encoded: bytes,
        cancellation_token: CancellationToken,
        seconds: float,
    ) -> Response:
        async with CancellationScope(cancellation_token):
            operation: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._open_channel().unary_unary(
                rpc.path
            )
            try:
                answer = await operation(encoded, timeout=seconds)
                # Not gRPC's deserializer: what it cannot read it answers with None.
                return rpc.response_type.FromString(answer)
            except DecodeError:
                raise unreadable_answer(self.address) from None
            except grpc.aio.AioRpcError as failure:
                raise error_of_call(failure, self.address) from failure
            except asyncio.CancelledError:
                if self._is_closed and not _is_being_cancelled():
                    raise ClientClosedError(f"The client was closed during {rpc.name}.") from None
                raise

    def _open_channel(self) -> grpc.aio.Channel:
        if self._is_closed:
            raise ClientClosedError("The client is closed.")
        if self._channel is None:
            self._channel = (
                grpc.aio.insecure_channel(self.address, _CHANNEL_OPTIONS)
                if self._credentials is None
                else grpc.aio.secure_channel(self.address, self._credentials, _CHANNEL_OPTIONS)
            )
        return self._channel


def _running_loop(rpc: Rpc[Any, Any]) -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            f"{rpc.name} is called from an event loop, for example inside of asyncio.run"
        ) from None


def _take_request(rpc: Rpc[Request, Any], request: Request | None, members: Mapping[str, Any]) -> Request:
    if request is None:
        return build_request(rpc.request_type, members)
    if any(value is not None for value in members.values()):
        raise TypeError(f"{rpc.name} takes a {rpc.request_type.__name__} or its members by name, not both")
    if not isinstance(request, rpc.request_type):
        raise TypeError(f"{rpc.name} takes a {rpc.request_type.__name__}, not a {type(request).__name__}")
    return request


def _is_being_cancelled() -> bool:
    """Tell whether somebody cancelled the current task: gRPC ends calls of a closed channel as if so."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
