"""A real gRPC server on the services' paths whose operations a test writes: it tests what the client makes of answers."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2

from keyferry.v1 import key_management_service_pb2, keyferry_service_pb2

METHODS = {
    method.name: method
    for file in (key_management_service_pb2.DESCRIPTOR, keyferry_service_pb2.DESCRIPTOR)
    for service in file.services_by_name.values()
    for method in service.methods
}

Operation = Callable[[Any, Any], Awaitable[Message]]


class SmallService:
    """Serves the operations that a test sets; every other is UNIMPLEMENTED."""

    def __init__(self, address: str, options: tuple[tuple[str, int], ...] = ()) -> None:
        self.address = address
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0), *options])

    def serve(self, **operations: Operation) -> None:
        """Serve operations by the names of their RPCs."""
        for name, operation in operations.items():
            service = METHODS[name].containing_service.full_name
            handler = grpc.method_handlers_generic_handler(service, {name: self._handler(name, operation)})
            self._server.add_generic_rpc_handlers((handler,))

    async def start(self, credentials: grpc.ServerCredentials | None = None) -> None:
        """Listen, with TLS if there are credentials."""
        if credentials is None:
            assert self._server.add_insecure_port(self.address)
        else:
            assert self._server.add_secure_port(self.address, credentials)
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop(0)

    @staticmethod
    def _handler(name: str, operation: Operation) -> "grpc.RpcMethodHandler[Any, Any]":
        method = METHODS[name]
        return grpc.unary_unary_rpc_method_handler(
            operation,
            request_deserializer=GetMessageClass(method.input_type).FromString,
            response_serializer=lambda response: response.SerializeToString(),
        )


def refusal(
    reason: str,
    code: grpc.StatusCode,
    message: str = "",
    *,
    request_id: str = "request-1",
    domain: str = "keyferry",
    retryable: bool = False,
    retry_delay: float = 0,
    violations: tuple[tuple[str, str], ...] = (),
) -> tuple[grpc.StatusCode, str, tuple[tuple[str, bytes], ...]]:
    """Return what `context.abort` takes for a refusal as the contract describes it."""
    status = status_pb2.Status(code=code.value[0], message=message)
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=reason, domain=domain),
        error_details_pb2.RequestInfo(request_id=request_id),
    ]
    if retryable:
        details.append(
            error_details_pb2.RetryInfo(
                retry_delay=Duration(nanos=round(retry_delay % 1 * 1e9), seconds=int(retry_delay))
            )
        )
    if violations:
        details.append(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(field=field, description=description)
                    for field, description in violations
                ]
            )
        )
    for detail in details:
        status.details.add().Pack(detail)
    return code, message, (("grpc-status-details-bin", status.SerializeToString()),)


def refusing(*arguments: Any, **details: Any) -> Operation:
    """Return an operation that always refuses so."""

    async def operation(_request: Any, context: Any) -> Message:
        await context.abort(*refusal(*arguments, **details))

    return operation


def answering(response: Message) -> Operation:
    """Return an operation that always answers so."""

    async def operation(_request: Any, _context: Any) -> Message:
        return response

    return operation
