"""AWS's wire as an ASGI application: one POST is one call.

1. Refuse what is not AWS's protocol: another method or path, an operation that
   is not there, a body that is too large, a page in a browser.
2. Read the body, and the message in it.
3. Run the call as every wire does; what could not be read is refused there too,
   so that whoever may not call at all learns only that.
4. Answer. A caller that goes away cancels its call.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from types import TracebackType
from typing import Any, Self

import structlog

from keyferry_server.authn.http_request import HttpRequest
from keyferry_server.call import Call, Route
from keyferry_server.domain.errors import (
    AccessDeniedException,
    DependencyTimeoutException,
    KmsError,
    KMSInternalException,
    RequestEntityTooLargeException,
    UnknownOperationException,
    shown,
)
from keyferry_server.transport.aws_json.answers import Answer, format_refusal
from keyferry_server.transport.aws_json.decoding import decode
from keyferry_server.transport.aws_json.encoding import encode
from keyferry_server.transport.aws_json.names import TARGET_PREFIX
from keyferry_server.transport.calls import AWS_SERVICE, Calls

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# A call that ends sooner is not worth watching its caller for.
_WATCH_AFTER_SECONDS = 0.01
# How many times the largest body is read and thrown away, so that the caller gets to read why.
_PATIENCE = 16

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class _CallerGoneError(Exception):
    """There is nobody left to answer."""


class AwsEndpoint:
    """Answers requests of AWS's JSON 1.1 protocol."""

    def __init__(self, calls: Calls, max_body_bytes: int) -> None:
        self._calls = calls
        self._max_body_bytes = max_body_bytes
        self._routes = {
            f"{TARGET_PREFIX}{route.name}".encode(): route
            for route in calls.routes
            if route.name in AWS_SERVICE.methods_by_name
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request_id = str(uuid.uuid4())
        try:
            answer = await self._answer(scope, receive, request_id)
        except _CallerGoneError:
            return
        except asyncio.CancelledError:
            # The server stops, and this call has had its time. Another server may take it.
            answer = format_refusal(
                DependencyTimeoutException("The server is stopping. The request may be retried.")
            )
        headers = answer.headers(request_id)
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive, request_id: str) -> Answer:
        peer = _peer(scope["client"])
        try:
            route = self._route(scope)
            body = await self._body(scope["headers"], receive)
        except KmsError as error:
            _log.info("refused", request_id=request_id, outcome=error.name, peer=peer)
            return format_refusal(error)
        request = HttpRequest(
            scope["method"], scope["raw_path"], scope["query_string"], scope["headers"], body
        )
        call = self._calls.open(
            route,
            peer=peer,
            request_id=request_id,
            is_encrypted=scope["scheme"] == "https",
            http_request=request,
        )
        try:
            with _WhileCallerWaits(receive):
                return await self._run(call, body)
        except KmsError as error:
            return format_refusal(error)
        except Exception:  # noqa: BLE001 -- the last line of defence, as around every operation
            _log.exception("unexpected exception", request_id=request_id, operation=route.name)
            return format_refusal(
                KMSInternalException(
                    f"An internal error occurred. The server's log has the details under request id {request_id}."
                )
            )

    async def _run(self, call: Call, body: bytes) -> Answer:
        request_type = AWS_SERVICE.methods_by_name[call.route.name].input_type
        return Answer(200, encode(await self._calls.read_and_run(partial(decode, body, request_type), call)))

    def _route(self, scope: Scope) -> Route:
        targets = [value for name, value in scope["headers"] if name == b"x-amz-target"]
        if scope["method"] != "POST" or scope["path"] != "/" or not targets:
            raise UnknownOperationException(
                f"A request is a POST of JSON to / with the header X-Amz-Target: {TARGET_PREFIX}OPERATION."
            )
        if any(name == b"origin" for name, _ in scope["headers"]):
            # A page that a developer looks at must not use the keys of the developer's machine.
            raise AccessDeniedException("Web pages are not served.")
        route = self._routes.get(targets[0]) if len(targets) == 1 else None
        if route is None:
            raise UnknownOperationException(
                f"'{shown(b', '.join(targets).decode('latin-1'))}' is not an operation of this service."
            )
        return route

    async def _body(self, headers: list[tuple[bytes, bytes]], receive: Receive) -> bytes:
        declared = next((int(value) for name, value in headers if name == b"content-length"), 0)
        size, chunks, is_complete = 0, [], False
        while not is_complete:
            if max(size, declared) > self._max_body_bytes * _PATIENCE:
                break
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _CallerGoneError
            size += len(message["body"])
            if size <= self._max_body_bytes:
                chunks.append(message["body"])
            is_complete = not message.get("more_body", False)
        if max(size, declared) > self._max_body_bytes:
            raise RequestEntityTooLargeException(f"A request has at most {self._max_body_bytes} bytes.")
        return b"".join(chunks)


class _WhileCallerWaits:
    """Cancels the task inside when its caller goes away, and then raises _CallerGoneError."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._task = asyncio.current_task()
        self._is_gone = False
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._timer = asyncio.get_running_loop().call_later(_WATCH_AFTER_SECONDS, self._start)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        if self._is_gone:
            raise _CallerGoneError from None

    def _start(self) -> None:
        self._watcher = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._is_gone = True
        if self._task is not None:
            self._task.cancel()


def _peer(client: tuple[str, int] | None) -> str:
    """Write an address as gRPC does."""
    if client is None:
        return "unknown"
    host, port = client
    return f"ipv6:[{host}]:{port}" if ":" in host else f"ipv4:{host}:{port}"
