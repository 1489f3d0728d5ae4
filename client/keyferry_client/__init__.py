"""Keyferry's client: bring a key, import it, use it.

::

    async with KeyManagementServiceClient("127.0.0.1:8700") as client:
        response = await client.import_key_material_async(request, source.token)

The messages are those of `keyferry.v1`; `keyferry_client.errors` draws the errors.
"""

from keyferry_client.cancellation import (
    CancellationToken,
    CancellationTokenRegistration,
    CancellationTokenSource,
    OperationCanceledError,
)
from keyferry_client.client import KeyManagementServiceClient
from keyferry_client.envelope import FileProtection, decrypt_file_async, encrypt_file_async
from keyferry_client.errors import (
    AccessDeniedException,
    CallAbortedError,
    ClientClosedError,
    ConflictException,
    DeadlineExceededError,
    DependencyTimeoutException,
    DisabledException,
    DryRunOperationException,
    EnvelopeError,
    ExpiredImportTokenException,
    FieldViolation,
    IncorrectKeyException,
    IncorrectKeyMaterialException,
    InputError,
    InvalidArnException,
    InvalidCiphertextException,
    InvalidGrantIdException,
    InvalidGrantTokenException,
    InvalidImportTokenException,
    InvalidMarkerException,
    KeyferryError,
    KeyMaterialError,
    KMSInternalException,
    KMSInvalidStateException,
    LimitExceededException,
    MalformedPolicyDocumentException,
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
from keyferry_client.task import Task, TaskStatus
from keyferry_client.wrapping import wrap_key_material

__all__ = [
    "AccessDeniedException",
    "CallAbortedError",
    "CancellationToken",
    "CancellationTokenRegistration",
    "CancellationTokenSource",
    "ClientClosedError",
    "ConflictException",
    "DeadlineExceededError",
    "DependencyTimeoutException",
    "DisabledException",
    "DryRunOperationException",
    "EnvelopeError",
    "ExpiredImportTokenException",
    "FieldViolation",
    "FileProtection",
    "IncorrectKeyException",
    "IncorrectKeyMaterialException",
    "InputError",
    "InvalidArnException",
    "InvalidCiphertextException",
    "InvalidGrantIdException",
    "InvalidGrantTokenException",
    "InvalidImportTokenException",
    "InvalidMarkerException",
    "KMSInternalException",
    "KMSInvalidStateException",
    "KeyManagementServiceClient",
    "KeyMaterialError",
    "KeyferryError",
    "LimitExceededException",
    "MalformedPolicyDocumentException",
    "NotFoundException",
    "OperationCanceledError",
    "OperationNotServedError",
    "ResourceExhaustedError",
    "ServiceError",
    "ServiceUnavailableError",
    "Task",
    "TaskStatus",
    "TransportError",
    "UnknownServerError",
    "UnsupportedOperationException",
    "ValidationException",
    "WrappingError",
    "decrypt_file_async",
    "encrypt_file_async",
    "wrap_key_material",
]
