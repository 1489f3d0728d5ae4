"""THE ONE MAPPING out: how a refusal looks on the gRPC wire (on AWS's: aws_json/answers.py).

The status code tells the category; a google.rpc.Status in the trailers tells the
rest: ErrorInfo the exception's name, RequestInfo the request id, RetryInfo that
the call may be repeated unchanged, BadRequest the violations.
"""

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc import StatusCode

from keyferry_server.domain.errors import Category, KmsError, ValidationException

DOMAIN = "keyferry"
STATUS_TRAILER = "grpc-status-details-bin"
REQUEST_ID_TRAILER = "x-keyferry-request-id"
RETRY_AFTER = Duration(nanos=100_000_000)

# gRPC takes no more than 8 KiB of trailers for sure. Beyond that callers see its complaint and not ours.
_LONGEST_MESSAGE, _LONGEST_VIOLATIONS, _MOST_VIOLATIONS = 2048, 1536, 16
_LONGEST_CHARACTER = 12

CODES = {
    Category.INVALID_ARGUMENT: StatusCode.INVALID_ARGUMENT,
    Category.NOT_FOUND: StatusCode.NOT_FOUND,
    Category.ALREADY_EXISTS: StatusCode.ALREADY_EXISTS,
    Category.FAILED_PRECONDITION: StatusCode.FAILED_PRECONDITION,
    Category.PERMISSION_DENIED: StatusCode.PERMISSION_DENIED,
    Category.UNAUTHENTICATED: StatusCode.UNAUTHENTICATED,
    Category.RESOURCE_EXHAUSTED: StatusCode.RESOURCE_EXHAUSTED,
    Category.ABORTED: StatusCode.ABORTED,
    Category.UNAVAILABLE: StatusCode.UNAVAILABLE,
    Category.INTERNAL: StatusCode.INTERNAL,
}


def format_error(
    error: KmsError, request_id: str
) -> tuple[StatusCode, str, tuple[tuple[str, str | bytes], ...]]:
    """Return the status code, the message and the trailers of a refused call."""
    code = CODES[error.category]
    number: int = code.value[0]
    message = _shortened(error.message, _LONGEST_MESSAGE)
    status = status_pb2.Status(code=number, message=message)
    for detail in _details(error, request_id):
        status.details.add().Pack(detail)
    trailers = ((STATUS_TRAILER, status.SerializeToString()), (REQUEST_ID_TRAILER, request_id))
    return code, message, trailers


def _shortened(text: str, room: int) -> str:
    """Return a text that takes at most that many bytes, or little more, as gRPC writes it."""
    if len(text) * _LONGEST_CHARACTER <= room:
        return text
    for at, character in enumerate(text):
        room -= 1 if " " <= character <= "~" else 3 * len(character.encode())
        if room < 0:
            return f"{text[:at]}..."
    return text


def _details(error: KmsError, request_id: str) -> list[Message]:
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=error.name, domain=DOMAIN),
        error_details_pb2.RequestInfo(request_id=request_id),
    ]
    if error.retryable:
        details.append(error_details_pb2.RetryInfo(retry_delay=RETRY_AFTER))
    if isinstance(error, ValidationException) and error.violations:
        violations = error.violations[:_MOST_VIOLATIONS]
        details.append(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(
                        field=one.field,
                        description=_shortened(one.description, _LONGEST_VIOLATIONS // len(violations)),
                    )
                    for one in violations
                ]
            )
        )
    return details
