import copy
import pickle
from typing import Any

import grpc
import pytest
from unit.client.small_service import SmallService, refusal, refusing

from keyferry.v1 import DescribeKeyRequest
from keyferry_client import (
    CallAbortedError,
    FieldViolation,
    KeyferryError,
    KeyManagementServiceClient,
    KMSInternalException,
    NotFoundException,
    ServiceError,
    TransportError,
    UnknownServerError,
    ValidationException,
)
from keyferry_client.status_details import EXCEPTIONS

REFUSALS = [exception for exception in ServiceError.__subclasses__() if exception is not UnknownServerError]


async def failure(service: SmallService, operation: Any) -> KeyferryError:
    """Return what the client raises when the service does so."""
    service.serve(DescribeKey=operation)
    async with KeyManagementServiceClient(service.address) as client:
        with pytest.raises(KeyferryError) as caught:
            await client.describe_key_async(DescribeKeyRequest(key_id="the key"))
    return caught.value


@pytest.mark.parametrize("exception", REFUSALS)
async def test_a_refusal_arrives_as_the_exception_of_its_name(
    exception: type[ServiceError], service: SmallService
) -> None:
    code = grpc.StatusCode.FAILED_PRECONDITION
    error = await failure(service, refusing(exception.__name__, code, "why", request_id="request-7"))
    assert type(error) is exception
    assert (error.name, error.message, str(error)) == (exception.__name__, "why", "why")
    assert (error.code, error.request_id, error.retryable, error.violations) == (code, "request-7", False, ())


async def test_a_refusal_with_retry_info_is_retryable(service: SmallService) -> None:
    error = await failure(
        service, refusing("KMSInternalException", grpc.StatusCode.INTERNAL, "a fault", retryable=True)
    )
    assert type(error) is KMSInternalException
    assert error.retryable


async def test_the_violations_of_a_validation_exception_arrive(service: SmallService) -> None:
    violations = (("keyId", "Member is required"), ("limit", "Member must be at most 1000"))
    error = await failure(
        service,
        refusing("ValidationException", grpc.StatusCode.INVALID_ARGUMENT, "two", violations=violations),
    )
    assert type(error) is ValidationException
    assert error.violations == tuple(FieldViolation(*one) for one in violations)


async def test_a_refusal_without_a_message_has_none(service: SmallService) -> None:
    error = await failure(service, refusing("InvalidCiphertextException", grpc.StatusCode.INVALID_ARGUMENT))
    assert error.message == ""


async def test_an_unknown_name_stays_a_typed_refusal_with_its_name(service: SmallService) -> None:
    error = await failure(
        service,
        refusing("NewExceptionOfTomorrow", grpc.StatusCode.FAILED_PRECONDITION, "too many", retryable=True),
    )
    assert isinstance(error, UnknownServerError)
    assert (error.name, error.reason, error.message) == ("NewExceptionOfTomorrow",) * 2 + ("too many",)
    assert (error.request_id, error.retryable) == ("request-1", True)


@pytest.mark.parametrize(
    "name", ["ServiceError", "KeyferryError", "TransportError", "Exception", "__init__", ""]
)
async def test_a_name_that_is_no_refusal_does_not_choose_a_class(name: str, service: SmallService) -> None:
    error = await failure(service, refusing(name, grpc.StatusCode.INTERNAL))
    assert type(error) is UnknownServerError


async def test_details_of_another_domain_are_not_refusals_of_the_service(service: SmallService) -> None:
    error = await failure(
        service, refusing("NotFoundException", grpc.StatusCode.NOT_FOUND, domain="proxy.example")
    )
    assert type(error) is TransportError
    assert error.code is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("trailer", [b"", b"\xff\xff\xff", b"\x1a\x03abc"])
async def test_details_that_cannot_be_read_leave_a_typed_error(trailer: bytes, service: SmallService) -> None:
    async def operation(_: Any, context: Any) -> None:
        trailers = (("grpc-status-details-bin", trailer),)
        await context.abort(grpc.StatusCode.NOT_FOUND, "why", trailers)

    error = await failure(service, operation)
    assert type(error) is TransportError
    assert "NOT_FOUND" in error.message
    assert "why" in error.message


async def test_a_detail_that_cannot_be_read_does_not_hide_the_others(service: SmallService) -> None:
    code, message, ((key, status),) = refusal("NotFoundException", grpc.StatusCode.NOT_FOUND, "no key")
    marker = b"request-1"
    broken = status.replace(b"\x0a\x09" + marker, b"\x0a\x7f" + marker)
    assert broken != status

    async def operation(_: Any, context: Any) -> None:
        await context.abort(code, message, ((key, broken),))

    error = await failure(service, operation)
    assert type(error) is NotFoundException
    assert error.request_id == ""


async def test_a_call_that_the_service_ends_is_not_a_cancellation(service: SmallService) -> None:
    async def operation(_: Any, context: Any) -> None:
        await context.abort(grpc.StatusCode.CANCELLED, "shutting down")

    error = await failure(service, operation)
    assert type(error) is CallAbortedError
    assert "shutting down" in error.message


async def test_a_fault_of_the_server_without_details_is_a_typed_error(service: SmallService) -> None:
    async def operation(_: Any, _context: Any) -> None:
        raise LookupError("inside")

    error = await failure(service, operation)
    assert type(error) is TransportError
    assert error.code is grpc.StatusCode.UNKNOWN


async def test_an_answer_that_cannot_be_read_is_a_typed_error(service: SmallService) -> None:
    class Garbage:
        @staticmethod
        def SerializeToString() -> bytes:  # noqa: N802 -- as messages have it
            return b"\xff\xff\xff"

    async def operation(_: Any, _context: Any) -> Any:
        return Garbage

    error = await failure(service, operation)
    assert type(error) is TransportError
    assert error.code is grpc.StatusCode.INTERNAL


def test_every_refusal_has_its_name_on_the_wire() -> None:
    assert set(REFUSALS) < set(EXCEPTIONS.values())
    assert all(name == exception.__name__ for name, exception in EXCEPTIONS.items())


def test_an_error_survives_copying_and_pickling() -> None:
    error = ValidationException(
        "why", code=grpc.StatusCode.INVALID_ARGUMENT, request_id="7", violations=(FieldViolation("a", "b"),)
    )
    for other in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301 -- our own bytes
        assert type(other) is ValidationException
        assert vars(other) == vars(error)
        assert str(other) == "why"
