"""Keyferry's client: bring a key, import it, use it.

::

    async with KeyManagementServiceClient("127.0.0.1:8700") as client:
        response = await client.import_key_material_async(request, source.token)

The messages are those of `keyferry.v1`; `keyferry_client.errors` draws the errors.
"""

from keyferry_client.async_result import AsyncCallback, AsyncResult, WaitHandle
from keyferry_client.blocking_client import BlockingKeyManagementServiceClient
from keyferry_client.cancellation import (
    CancellationToken,
    CancellationTokenRegistration,
    CancellationTokenSource,
    OperationCanceledError,
)
from keyferry_client.client import KeyManagementServiceClient
from keyferry_client.credentials import BearerToken, Tls
from keyferry_client.envelope import FileProtection, decrypt_file_async, encrypt_file_async
from keyferry_client.errors import (
    AccessDeniedException,
    CallAbortedError,
    ClientClosedError,
    DeadlineExceededError,
    DependencyTimeoutException,
    DisabledException,
    EnvelopeError,
    ExpiredImportTokenException,
    FieldViolation,
    IncorrectKeyException,
    IncorrectKeyMaterialException,
    InputError,
    InvalidArnException,
    InvalidCiphertextException,
    InvalidImportTokenException,
    InvalidMarkerException,
    KeyferryError,
    KeyMaterialError,
    KMSInternalException,
    KMSInvalidStateException,
    NotFoundException,
    OperationNotServedError,
    ResourceExhaustedError,
    ServiceError,
    ServiceUnavailableError,
    TransportError,
    UnknownServerError,
    UnsupportedOperationException,
    ValidationException,
    WrappingError,
)
from keyferry_client.retries import RetryPolicy
from keyferry_client.task import Task, TaskStatus
from keyferry_client.wrapping import wrap_key_material

__all__ = [
    "AccessDeniedException",
    "AsyncCallback",
    "AsyncResult",
    "BearerToken",
    "BlockingKeyManagementServiceClient",
    "CallAbortedError",
    "CancellationToken",
    "CancellationTokenRegistration",
    "CancellationTokenSource",
    "ClientClosedError",
    "DeadlineExceededError",
    "DependencyTimeoutException",
    "DisabledException",
    "EnvelopeError",
    "ExpiredImportTokenException",
    "FieldViolation",
    "FileProtection",
    "IncorrectKeyException",
    "IncorrectKeyMaterialException",
    "InputError",
    "InvalidArnException",
    "InvalidCiphertextException",
    "InvalidImportTokenException",
    "InvalidMarkerException",
    "KMSInternalException",
    "KMSInvalidStateException",
    "KeyManagementServiceClient",
    "KeyMaterialError",
    "KeyferryError",
    "NotFoundException",
    "OperationCanceledError",
    "OperationNotServedError",
    "ResourceExhaustedError",
    "RetryPolicy",
    "ServiceError",
    "ServiceUnavailableError",
    "Task",
    "TaskStatus",
    "Tls",
    "TransportError",
    "UnknownServerError",
    "UnsupportedOperationException",
    "ValidationException",
    "WaitHandle",
    "WrappingError",
    "decrypt_file_async",
    "encrypt_file_async",
    "wrap_key_material",
]
