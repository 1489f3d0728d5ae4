"""THE ONE MAPPING in: what a failed gRPC call becomes.

A refusal of the service has a google.rpc.Status in its trailers: ErrorInfo names
the exception, RequestInfo the call, RetryInfo tells that it may be repeated, and
BadRequest lists the violations. A failure without them comes from the transport.
"""

from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from keyferry_client.errors import (
    CallAbortedError,
    DeadlineExceededError,
    FieldViolation,
    KeyferryError,
    OperationNotServedError,
    ResourceExhaustedError,
    ServiceError,
    ServiceUnavailableError,
    TransportError,
    UnknownServerError,
)

DOMAIN = "keyferry"
STATUS_TRAILER = "grpc-status-details-bin"

EXCEPTIONS = {exception.__name__: exception for exception in ServiceError.__subclasses__()}

TRANSPORT_ERRORS: dict[grpc.StatusCode, tuple[type[TransportError], str]] = {
    grpc.StatusCode.UNAVAILABLE: (
        ServiceUnavailableError,
        "The service at {address} cannot be reached: {details}",
    ),
    grpc.StatusCode.DEADLINE_EXCEEDED: (
        DeadlineExceededError,
        "The service at {address} did not answer before the deadline.",
    ),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (
        ResourceExhaustedError,
        "The call to {address} is beyond a limit: {details}",
    ),
    grpc.StatusCode.CANCELLED: (CallAbortedError, "The service at {address} ended the call: {details}"),
    grpc.StatusCode.UNIMPLEMENTED: (
        OperationNotServedError,
        "What listens at {address} does not serve the operation: {details}",
    ),
}
OTHER_TRANSPORT_ERROR = (TransportError, "The call to {address} failed with {code}: {details}")


def error_of_call(failure: grpc.aio.AioRpcError, address: str) -> KeyferryError:
    """Return the exception that tells what `failure` means, for a call to `address`."""
    details = _details(failure)
    info = _unpack(details, error_details_pb2.ErrorInfo)
    if info is None or info.domain != DOMAIN:
        return _transport_error(failure, address)
    return _refusal(failure, info.reason, details)


def unreadable_answer(address: str) -> KeyferryError:
    """Return the exception for an answer from `address` that is not the message it should be."""
    return TransportError(
        f"The answer of {address} cannot be read: is it a Keyferry of this version?",
        code=grpc.StatusCode.INTERNAL,
    )


def _refusal(failure: grpc.aio.AioRpcError, reason: str, details: list[AnyMessage]) -> ServiceError:
    request = _unpack(details, error_details_pb2.RequestInfo)
    retry = _unpack(details, error_details_pb2.RetryInfo)
    bad_request = _unpack(details, error_details_pb2.BadRequest)
    exception = EXCEPTIONS.get(reason, UnknownServerError)
    refusal = exception(
        failure.details() or "",
        code=failure.code(),
        request_id="" if request is None else request.request_id,
        retryable=retry is not None,
        retry_after_seconds=0.0 if retry is None else retry.retry_delay.ToTimedelta().total_seconds(),
        violations=()
        if bad_request is None
        else tuple(FieldViolation(one.field, one.description) for one in bad_request.field_violations),
    )
    if isinstance(refusal, UnknownServerError):
        refusal.reason = reason
    return refusal


def _transport_error(failure: grpc.aio.AioRpcError, address: str) -> TransportError:
    code = failure.code()
    exception, message = TRANSPORT_ERRORS.get(code, OTHER_TRANSPORT_ERROR)
    return exception(
        message.format(address=address, code=code.name, details=failure.details() or "no reason given"),
        code=code,
        retryable=code is grpc.StatusCode.UNAVAILABLE,
    )


def _details(failure: grpc.aio.AioRpcError) -> list[AnyMessage]:
    for key, value in failure.trailing_metadata() or ():
        if key == STATUS_TRAILER and isinstance(value, bytes):
            try:
                return list(status_pb2.Status.FromString(value).details)
            except DecodeError:
                return []
    return []


def _unpack(details: list[AnyMessage], kind: type[Any]) -> Any:
    """Return the detail of that kind, or None if there is none that can be read."""
    for detail in details:
        if detail.Is(kind.DESCRIPTOR):
            unpacked = kind()
            try:
                detail.Unpack(unpacked)
            except DecodeError:
                return None
            return unpacked
    return None
