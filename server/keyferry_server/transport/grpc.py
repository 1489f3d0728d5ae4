"""The gRPC wire: a table of functions made from the routes, with health and reflection beside it."""

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from keyferry.v1 import key_management_service_pb2, keyferry_service_pb2
from keyferry_server.authn.caller import Anonymous
from keyferry_server.authn.evidence import Evidence
from keyferry_server.call import Call, Handler, Middleware, Route
from keyferry_server.domain.errors import KmsError
from keyferry_server.domain.identifiers import Scope
from keyferry_server.middleware import compose
from keyferry_server.transport.errors import REQUEST_ID_TRAILER, format_error
from keyferry_server.transport.grpc_tls import LONGEST_CONNECTION_SECONDS, GrpcTls

SERVICES = (
    key_management_service_pb2.DESCRIPTOR.services_by_name["KeyManagementService"],
    keyferry_service_pb2.DESCRIPTOR.services_by_name["KeyferryService"],
)

_SERVICE_NAMES = tuple(service.full_name for service in SERVICES)

# A call ends this much before its caller gives up, so that the caller learns why.
_MARGIN_SHARE = 0.1
_LONGEST_MARGIN_SECONDS = 0.5

# How long streams (health is watched through one) may take to get their last message in a drain.
_FAREWELL_SECONDS = 1.0

# An authority that is not trusted any more is noticed at the next handshake.
_HANDSHAKE_ANEW = (
    ("grpc.max_connection_age_ms", LONGEST_CONNECTION_SECONDS * 1000),
    ("grpc.max_connection_age_grace_ms", 60_000),
)
# How gRPC says that nobody between can read or change what is sent.
_PRIVATE = b"TSI_PRIVACY_AND_INTEGRITY"

_Behavior = Callable[[Message, "grpc.aio.ServicerContext[Message, Message]"], Any]


class GrpcServer:
    """Serves the routes on one address. `start` it, `stop` it once."""

    def __init__(
        self,
        routes: Sequence[Route],
        operations: Mapping[type[Any], Handler],
        middleware: Sequence[Middleware],
        scope: Scope,
        max_message_bytes: int,
        tls: GrpcTls | None = None,
    ) -> None:
        self._tls = tls
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", max_message_bytes),
                ("grpc.max_send_message_length", max_message_bytes),
                ("grpc.so_reuseport", 0),  # a taken port is an error, not a shared one
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
                ("grpc.keepalive_permit_without_calls", 1),
                *(_HANDSHAKE_ANEW if tls is not None and tls.asks_for_certificates else ()),
            ]
        )
        self._running = _RunningCalls()
        by_name = {route.name: route for route in routes}
        for service in SERVICES:
            handlers = {}
            for method in service.methods:
                route = by_name[method.name]
                handler = _counted(compose(middleware, operations[route.operation]), self._running)
                handlers[method.name] = _method_handler(method, route, handler, scope)
            self._server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(service.full_name, handlers),)
            )
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (*_SERVICE_NAMES, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)

    async def start(self, address: str) -> int:
        """Listen on HOST:PORT and return the port; OSError if the address cannot be had."""
        await self.set_serving(False)
        try:
            port = (
                self._server.add_insecure_port(address)
                if self._tls is None
                else self._server.add_secure_port(address, self._tls.credentials())
            )
        except RuntimeError as error:
            raise OSError(
                f"cannot listen on {address}: the address is in use or is not this machine's"
            ) from error
        await self._server.start()
        return port

    async def set_serving(self, is_serving: bool) -> None:  # noqa: FBT001 -- it is the one fact reported
        """Report the health of the service and of the whole server."""
        status = health_pb2.HealthCheckResponse
        for service in ("", *_SERVICE_NAMES):
            await self._health.set(service, status.SERVING if is_serving else status.NOT_SERVING)

    async def stop(self, grace_seconds: float) -> None:
        """Turn new calls away, give running ones `grace_seconds` to end, then cancel them.

        Streams, which never end by themselves, are not waited for.
        """
        await self._health.enter_graceful_shutdown()
        stopping = asyncio.create_task(self._server.stop(grace_seconds))
        while not stopping.done():
            idle = asyncio.create_task(self._running.none_left())
            await asyncio.wait({stopping, idle}, return_when=asyncio.FIRST_COMPLETED)
            idle.cancel()
            await asyncio.wait({stopping}, timeout=_FAREWELL_SECONDS)
            if self._running.count == 0:
                await self._server.stop(None)
        await stopping


class _RunningCalls:
    """How many operations are at work; streams do not count."""

    def __init__(self) -> None:
        self.count = 0
        self._none = asyncio.Event()
        self._none.set()

    def __enter__(self) -> None:
        self.count += 1
        self._none.clear()

    def __exit__(self, *_: object) -> None:
        self.count -= 1
        if self.count == 0:
            self._none.set()

    async def none_left(self) -> None:
        """Wait until none is at work."""
        await self._none.wait()


def _counted(handler: Handler, running: _RunningCalls) -> Handler:
    async def counted(request: Any, call: Call) -> Message:
        with running:
            return await handler(request, call)

    return counted


def _method_handler(
    method: MethodDescriptor, route: Route, handler: Handler, scope: Scope
) -> "grpc.RpcMethodHandler[Message, Message]":
    request_type = GetMessageClass(method.input_type)
    return grpc.unary_unary_rpc_method_handler(
        _behavior(route, handler, scope),
        request_deserializer=request_type.FromString,
        response_serializer=lambda response: response.SerializeToString(),
    )


def _behavior(route: Route, handler: Handler, scope: Scope) -> _Behavior:
    async def serve(request: Message, context: "grpc.aio.ServicerContext[Message, Message]") -> Message:
        call = Call(
            request_id=str(uuid.uuid4()),
            route=route,
            peer=context.peer(),
            deadline=asyncio.get_running_loop().time() + _seconds_left(context.time_remaining(), route),
            caller=Anonymous(),
            scope=scope,
            evidence=_evidence(context),
            is_encrypted=_PRIVATE in context.auth_context().get("security_level", ()),
        )
        try:
            response = await handler(request, call)
        except KmsError as error:
            await context.abort(*format_error(error, call.request_id))
        context.set_trailing_metadata(((REQUEST_ID_TRAILER, call.request_id),))
        return response

    return serve


def _evidence(context: "grpc.aio.ServicerContext[Message, Message]") -> Evidence:
    certificates = context.auth_context().get("x509_pem_cert", ())
    authorization = [value for key, value in context.invocation_metadata() or () if key == "authorization"]
    return Evidence(
        certificate=next(iter(certificates), None),
        authorization=tuple(value if isinstance(value, str) else "" for value in authorization),
    )


def _seconds_left(remaining: float | None, route: Route) -> float:
    if remaining is None:
        return route.deadline_seconds
    margin = min(remaining * _MARGIN_SHARE, _LONGEST_MARGIN_SECONDS)
    return min(remaining - margin, route.deadline_seconds)
