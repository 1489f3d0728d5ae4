"""The client: every operation of the contract, as a Task.

The methods are in `operations`, generated from the contract; here is what they do:

1. Take the request as it is at this moment, and start a Task.
2. Send it over the line whose turn it is, with what is left of the call's deadline.
3. If that fails, and both the operation and the error allow it, wait and send it again.

A cancellation, through the token or as a task, ends whichever of these it finds.
"""

import asyncio
import contextlib
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, cast

import grpc
from google.protobuf.message import DecodeError

from keyferry_client.cancellation import CancellationToken
from keyferry_client.cancellation_scope import CancellationScope
from keyferry_client.channels import Channels, Line, keepalive_options
from keyferry_client.credentials import BearerToken, Tls, authorization, check_way_of_token
from keyferry_client.errors import ClientClosedError, DeadlineExceededError, InputError, KeyferryError
from keyferry_client.importing import ImportingOperations
from keyferry_client.requests import build_request
from keyferry_client.retries import RetryPolicy
from keyferry_client.rpc import Request, Response, Rpc
from keyferry_client.status_details import error_of_call, unreadable_answer
from keyferry_client.task import Task

DEFAULT_TIMEOUT_SECONDS = 30.0
DEFAULT_KEEPALIVE_SECONDS = 30.0
REGION_METADATA = "keyferry-region"
_REGION = re.compile(r"[a-z0-9-]{1,64}")


class KeyManagementServiceClient(ImportingOperations):
    """Calls the key management service at `address`: HOST:PORT, or several that take turns.

    ::

        async with KeyManagementServiceClient("127.0.0.1:8700") as client:
            response = await client.describe_key_async(key_id=key_id)

    `tls` encrypts the connection and, with a certificate of the client, says who calls;
    `bearer_token` says so too, by a JWT. Whoever needs more of gRPC gives `credentials`
    instead of both. `region` is where the keys are, if not in the Region that the
    service serves by default. `timeout` is the deadline of a call in seconds, retries included; each
    method takes another one for its call. While a call waits, a connection that shows no
    sign of life for `keepalive_seconds` is probed, and given up if that is not answered.

    Every method raises the errors of `keyferry_client.errors`. A call is cancelled, also
    in the service, through its cancellation token or by cancelling its task. A client
    belongs to the event loop of its first call.
    """

    def __init__(
        self,
        address: str | Sequence[str],
        *,
        tls: Tls | None = None,
        bearer_token: BearerToken | None = None,
        region: str | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        retries: RetryPolicy = RetryPolicy(),  # noqa: B008 -- it cannot change
        keepalive_seconds: float | None = DEFAULT_KEEPALIVE_SECONDS,
    ) -> None:
        self.addresses = (address,) if isinstance(address, str) else tuple(address)
        if not self.addresses:
            raise InputError("The client needs an address, HOST:PORT.")
        if tls is not None and credentials is not None:
            raise InputError("Give tls or credentials, not both.")
        if region is not None and not _REGION.fullmatch(region):
            raise InputError(f"{region!r} is not a Region, as us-east-1 is one.")
        self._options = keepalive_options(keepalive_seconds)
        if tls is not None:
            credentials = tls.channel_credentials
            self._options += tls.options
        if bearer_token is not None and credentials is None:
            for one in self.addresses:
                check_way_of_token(one)
        self._credentials = credentials
        self._bearer_token = bearer_token
        self._region = () if region is None else ((REGION_METADATA, region),)
        self._timeout = timeout
        self._retries = retries
        self._channels: Channels | None = None
        self._is_closed = False
        # asyncio itself forgets a task that nobody holds, in the middle of its work.
        self._running: set[Task[Any]] = set()
        self._at_work: set[asyncio.Task[Any]] = set()

    @property
    def timeout(self) -> float:
        """The deadline of a call in seconds, unless the call says otherwise."""
        return self._timeout

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
        """Close the connections. Calls that still run end with ClientClosedError, and have ended when this returns."""
        self._is_closed = True
        while self._at_work:
            self._at_work.pop().cancel()
        if self._running:
            await asyncio.wait(self._running)
        if self._channels is not None:
            await self._channels.close()

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
        deadline = loop.time() + (self._timeout if timeout is None else timeout)
        task = Task(self._call(rpc, encoded, cancellation_token, deadline), loop=loop, name=rpc.name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _call(
        self,
        rpc: Rpc[Any, Response],
        encoded: bytes,
        cancellation_token: CancellationToken,
        deadline: float,
    ) -> Response:
        now = asyncio.get_running_loop().time
        async with CancellationScope(cancellation_token):
            with self._working(rpc):
                for attempt in itertools.count(1):
                    try:
                        return await self._attempt(rpc, encoded, deadline)
                    except KeyferryError as error:
                        wait = self._retries.wait_seconds(attempt, error) if rpc.is_repeatable else None
                        if wait is None or now() + wait >= deadline:
                            raise
                    await asyncio.sleep(wait)
        raise AssertionError  # the loop has no end of its own

    async def _attempt(self, rpc: Rpc[Any, Response], encoded: bytes, deadline: float) -> Response:
        line = self._next_line()
        # Not deserialized by gRPC: what it cannot read it answers with None.
        operation: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = line.channel.unary_unary(
            rpc.path, response_deserializer=_Answer
        )
        metadata = await self._metadata(rpc, deadline)
        seconds_left = deadline - asyncio.get_running_loop().time()
        try:
            answer = await operation(encoded, timeout=seconds_left, metadata=metadata)
            return rpc.response_type.FromString(answer)
        except DecodeError:
            raise unreadable_answer(line.address) from None
        except grpc.aio.AioRpcError as failure:
            raise error_of_call(failure, line.address) from failure

    async def _metadata(self, rpc: Rpc[Any, Any], deadline: float) -> grpc.aio.Metadata | None:
        if self._bearer_token is None:
            return grpc.aio.Metadata(*self._region) if self._region else None
        try:
            async with asyncio.timeout_at(deadline):
                return grpc.aio.Metadata(await authorization(self._bearer_token), *self._region)
        except TimeoutError:
            raise DeadlineExceededError(
                f"There was no bearer token before the deadline of {rpc.name}; nothing was sent."
            ) from None

    def _next_line(self) -> Line:
        if self._channels is None:
            self._channels = Channels(self.addresses, self._credentials, self._options)
        return self._channels.next_line()

    @contextlib.contextmanager
    def _working(self, rpc: Rpc[Any, Any]) -> Iterator[None]:
        """Let `close` end the current task, so that it is told apart from a cancellation."""
        if self._is_closed:
            raise ClientClosedError("The client is closed.")
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._at_work.add(task)
        try:
            yield
        except asyncio.CancelledError:
            if task not in self._at_work and task.uncancel() == 0:
                raise ClientClosedError(f"The client was closed during {rpc.name}.") from None
            raise
        finally:
            self._at_work.discard(task)


class _Answer(bytes):
    """An answer as it came; gRPC has a task with it, and the log of asyncio in debug mode shows tasks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


def _running_loop(rpc: Rpc[Any, Any]) -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            f"{rpc.name} needs a running event loop; without one call it on a BlockingKeyManagementServiceClient"
        ) from None


def _take_request(rpc: Rpc[Request, Any], request: Request | None, members: Mapping[str, Any]) -> Request:
    if request is None:
        return build_request(rpc.request_type, members)
    if any(value is not None for value in members.values()):
        raise TypeError(f"{rpc.name} takes a {rpc.request_type.__name__} or its members by name, not both")
    if not isinstance(request, rpc.request_type):
        raise TypeError(f"{rpc.name} takes a {rpc.request_type.__name__}, not a {type(request).__name__}")
    return request
