"""The gRPC wire: a table of functions made from the routes, with health and reflection beside it."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from keyferry_server.authn.evidence import Evidence
from keyferry_server.call import Route
from keyferry_server.domain.errors import KmsError
from keyferry_server.settings import ListenAddress
from keyferry_server.transport.calls import SERVICES, Calls
from keyferry_server.transport.errors import REQUEST_ID_TRAILER, format_error
from keyferry_server.transport.grpc_tls import LONGEST_CONNECTION_SECONDS, GrpcTls
from keyferry_server.transport.listening import CannotListenError, what_prevents

_SERVICE_NAMES = tuple(service.full_name for service in SERVICES)

# How long streams (health is watched through one) may take to get their last message in a drain.
_FAREWELL_SECONDS = 1.0

# An authority that is not trusted any more is noticed at the next handshake.
_HANDSHAKE_ANEW = (
    ("grpc.max_connection_age_ms", LONGEST_CONNECTION_SECONDS * 1000),
    ("grpc.max_connection_age_grace_ms", 60_000),
)
# In it a caller asks for another Region than the default one.
REGION_METADATA = "keyferry-region"

# How gRPC says that nobody between can read or change what is sent.
_PRIVATE = b"TSI_PRIVACY_AND_INTEGRITY"

_Behavior = Callable[[Message, "grpc.aio.ServicerContext[Message, Message]"], Any]


class GrpcServer:
    """Serves the routes on one address. `start` it, `stop` it once."""

    def __init__(
        self, calls: Calls, max_message_bytes: int, tls: GrpcTls | None = None, *, shares_port: bool = False
    ) -> None:
        self._calls = calls
        self._tls = tls
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", max_message_bytes),
                ("grpc.max_send_message_length", max_message_bytes),
                # Shared by the workers of one supervisor; else a taken port is an error.
                ("grpc.so_reuseport", int(shares_port)),
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
                ("grpc.keepalive_permit_without_calls", 1),
                *(_HANDSHAKE_ANEW if tls is not None and tls.asks_for_certificates else ()),
            ]
        )
        by_name = {route.name: route for route in calls.routes}
        for service in SERVICES:
            handlers = {
                method.name: _method_handler(
                    method, _behavior(by_name[method.name], calls, has_tls=tls is not None)
                )
                for method in service.methods
            }
            self._server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(service.full_name, handlers),)
            )
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (*_SERVICE_NAMES, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)

    async def start(self, address: ListenAddress) -> int:
        """Listen on HOST:PORT and return the port; OSError if the address cannot be had."""
        await self.set_serving(False)
        try:
            port = (
                self._server.add_insecure_port(address)
                if self._tls is None
                else self._server.add_secure_port(address, self._tls.credentials())
            )
        except RuntimeError as error:
            raise CannotListenError(address, what_prevents(address)) from error
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
            idle = asyncio.create_task(self._calls.none_running())
            await asyncio.wait({stopping, idle}, return_when=asyncio.FIRST_COMPLETED)
            idle.cancel()
            await asyncio.wait({stopping}, timeout=_FAREWELL_SECONDS)
            if self._calls.running == 0:
                await self._server.stop(None)
        await stopping


def _method_handler(
    method: MethodDescriptor, behavior: _Behavior
) -> "grpc.RpcMethodHandler[Message, Message]":
    request_type = GetMessageClass(method.input_type)
    return grpc.unary_unary_rpc_method_handler(
        behavior,
        request_deserializer=request_type.FromString,
        response_serializer=lambda response: response.SerializeToString(),
    )


def _behavior(route: Route, calls: Calls, *, has_tls: bool) -> _Behavior:
    async def serve(request: Message, context: "grpc.aio.ServicerContext[Message, Message]") -> Message:
        # Made anew whenever it is asked for: so once, and not where there is nothing in it.
        security = context.auth_context() if has_tls else {}
        metadata = context.invocation_metadata() or ()
        call = calls.open(
            route,
            peer=context.peer(),
            seconds_left=context.time_remaining(),
            is_encrypted=_PRIVATE in security.get("security_level", ()),
            evidence=Evidence(
                certificate=next(iter(security.get("x509_pem_cert", ())), None),
                authorization=_values(metadata, "authorization"),
            ),
            asked_region=next(iter(_values(metadata, REGION_METADATA)), None),
        )
        try:
            response = await calls.run(request, call)
        except KmsError as error:
            await context.abort(*format_error(error, call.request_id))
        context.set_trailing_metadata(((REQUEST_ID_TRAILER, call.request_id),))
        return response

    return serve


def _values(metadata: Iterable[tuple[str, str | bytes]], name: str) -> tuple[str, ...]:
    return tuple(value if isinstance(value, str) else "" for key, value in metadata if key == name)
