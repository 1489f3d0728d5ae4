"""Keyferry's client: bring a key, import it, use it.

::

    async with KeyManagementServiceClient("127.0.0.1:8700") as client:
        response = await client.import_key_material_async(ImportKeyMaterialRequest(...))

The messages are those of `keyferry.v1`; `keyferry_client.errors` draws the errors.
"""

from keyferry_client.client import KeyManagementServiceClient
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
    IncompleteSignatureException,
    IncorrectKeyException,
    IncorrectKeyMaterialException,
    InputError,
    InvalidArnException,
    InvalidCiphertextException,
    InvalidImportTokenException,
    InvalidMarkerException,
    InvalidSignatureException,
    KeyferryError,
    KeyMaterialError,
    KMSInternalException,
    KMSInvalidStateException,
    MissingAuthenticationTokenException,
    NotFoundException,
    OperationNotServedError,
    ResourceExhaustedError,
    ServiceError,
    ServiceUnavailableError,
    TransportError,
    UnknownServerError,
    UnrecognizedClientException,
    UnsupportedOperationException,
    ValidationException,
    WrappingError,
)
from keyferry_client.wrapping import wrap_key_material

__all__ = [
    "AccessDeniedException",
    "CallAbortedError",
    "ClientClosedError",
    "DeadlineExceededError",
    "DependencyTimeoutException",
    "DisabledException",
    "EnvelopeError",
    "ExpiredImportTokenException",
    "FieldViolation",
    "FileProtection",
    "IncompleteSignatureException",
    "IncorrectKeyException",
    "IncorrectKeyMaterialException",
    "InputError",
    "InvalidArnException",
    "InvalidCiphertextException",
    "InvalidImportTokenException",
    "InvalidMarkerException",
    "InvalidSignatureException",
    "KMSInternalException",
    "KMSInvalidStateException",
    "KeyManagementServiceClient",
    "KeyMaterialError",
    "KeyferryError",
    "MissingAuthenticationTokenException",
    "NotFoundException",
    "OperationNotServedError",
    "ResourceExhaustedError",
    "ServiceError",
    "ServiceUnavailableError",
    "TransportError",
    "UnknownServerError",
    "UnrecognizedClientException",
    "UnsupportedOperationException",
    "ValidationException",
    "WrappingError",
    "decrypt_file_async",
    "encrypt_file_async",
    "wrap_key_material",
]
