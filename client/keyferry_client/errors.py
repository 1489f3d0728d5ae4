"""Everything that can go wrong, under one base. Names are AWS's where the service refuses.

::

    KeyferryError                        .name .message .code .request_id .retryable .violations
    ├── ServiceError                     the service answered, and refused
    │   ├── ValidationException · InvalidArnException · InvalidMarkerException
    │   ├── InvalidCiphertextException · InvalidImportTokenException · ExpiredImportTokenException
    │   ├── IncorrectKeyMaterialException · IncorrectKeyException · InvalidKeyUsageException
    │   ├── KMSInvalidSignatureException · KMSInvalidMacException
    │   ├── MalformedPolicyDocumentException · InvalidGrantIdException · InvalidGrantTokenException
    │   ├── NotFoundException · DisabledException · KMSInvalidStateException
    │   ├── UnsupportedOperationException · AccessDeniedException · DryRunOperationException
    │   ├── MissingAuthenticationTokenException · UnrecognizedClientException · ExpiredTokenException
    │   ├── IncompleteSignatureException · InvalidSignatureException
    │   ├── LimitExceededException · ThrottlingException · ConflictException · AlreadyExistsException
    │   ├── InvalidAliasNameException · NotAuthorizedException · TagException
    │   ├── DependencyTimeoutException · KMSInternalException
    │   └── UnknownServerError           refused with a name that this client does not know
    ├── TransportError                   no answer of the service arrived
    │   ├── ServiceUnavailableError · DeadlineExceededError · ResourceExhaustedError
    │   └── CallAbortedError · OperationNotServedError · ClientClosedError
    └── InputError (also a ValueError)   refused here, before anything was sent
        └── KeyMaterialError · WrappingError · EnvelopeError

A cancelled call is none of these: it is OperationCanceledError through its token, and
asyncio.CancelledError as a task.
"""

from dataclasses import dataclass

from grpc import StatusCode


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One broken constraint: the member as AWS writes it (lowerCamel), and what it must satisfy."""

    field: str
    description: str


class KeyferryError(Exception):
    """The base of all errors of this package.

    `code` is the gRPC status, None where nothing was called. `request_id` is the
    service's name for the call, empty if it did not answer. `retryable` says that
    the same call may succeed later; whether repeating it does harm depends on the
    operation. `violations` are those of a ValidationException.
    """

    def __init__(
        self,
        message: str = "",
        *,
        code: StatusCode | None = None,
        request_id: str = "",
        retryable: bool = False,
        retry_after_seconds: float = 0.0,
        violations: tuple[FieldViolation, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.request_id = request_id
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds
        self.violations = violations

    @property
    def name(self) -> str:
        """The exception's name, as the service and this package spell it."""
        return type(self).__name__


class ServiceError(KeyferryError):
    """The service answered, and refused the call."""


class ValidationException(ServiceError):
    """The request breaks the contract of its operation; `violations` names every field."""


class InvalidArnException(ServiceError):
    """An ARN is broken, or an alias was given where none is allowed."""


class InvalidMarkerException(ServiceError):
    """A pagination marker is not one that the service gave out."""


class InvalidCiphertextException(ServiceError):
    """A ciphertext or its encryption context is wrong, or wrapped key material cannot be unwrapped."""


class InvalidImportTokenException(ServiceError):
    """The import token is damaged, belongs to another key, or is spent."""


class ExpiredImportTokenException(ServiceError):
    """The import token is older than 24 hours."""


class IncorrectKeyMaterialException(ServiceError):
    """The key material is not what the key spec asks for, or is not what was imported before."""


class KMSInvalidSignatureException(ServiceError):
    """The signature is not that of the message by the key."""


class KMSInvalidMacException(ServiceError):
    """The MAC is not that of the message under the key."""


class InvalidKeyUsageException(ServiceError):
    """The key is for something else, or has not the algorithm."""


class IncorrectKeyException(ServiceError):
    """The ciphertext was made by another key than the one named."""


class InvalidAliasNameException(ServiceError):
    """A text cannot be the name of an alias."""


class TagException(ServiceError):
    """Tags are reserved, twice the same, or too many."""


class MalformedPolicyDocumentException(ServiceError):
    """A policy document is not valid; the message names the place in it."""


class InvalidGrantIdException(ServiceError):
    """There is no grant of that id on the key."""


class InvalidGrantTokenException(ServiceError):
    """The grant token is damaged, or was not given out by the service."""


class NotFoundException(ServiceError):
    """The key, the alias or another thing that is named does not exist."""


class AlreadyExistsException(ServiceError):
    """There is one of that name already."""


class DisabledException(ServiceError):
    """The key is switched off."""


class KMSInvalidStateException(ServiceError):
    """The key's state does not allow the operation."""


class UnsupportedOperationException(ServiceError):
    """A parameter is not supported, or the key is not valid for the operation."""


class DryRunOperationException(ServiceError):
    """The call would have succeeded, and was only tried."""


class LimitExceededException(ServiceError):
    """A quota is used up."""


class ConflictException(ServiceError):
    """Something else is being done to the key at this moment."""


class AccessDeniedException(ServiceError):
    """The caller may not do this."""


class IncompleteSignatureException(ServiceError):
    """The call's signature lacks something that it needs."""


class InvalidSignatureException(ServiceError):
    """The call's signature is wrong, too old, or made for another service or Region."""


class NotAuthorizedException(ServiceError):
    """Nobody may do this: the alias name is reserved."""


class MissingAuthenticationTokenException(ServiceError):
    """The call carried nothing that says who made it: give the client credentials."""


class UnrecognizedClientException(ServiceError):
    """The certificate or token that the call carried is not valid, or stands for nobody; the service's log says why."""


class ExpiredTokenException(ServiceError):
    """The certificate or token that the call carried has expired."""


class ThrottlingException(ServiceError):
    """More calls were made than are allowed in the time; it may be retried later."""


class DependencyTimeoutException(ServiceError):
    """Something that the service depends on did not answer in time."""


class KMSInternalException(ServiceError):
    """A fault inside the service."""


class UnknownServerError(ServiceError):
    """The service refused with a name that this client does not know: it is newer than the client."""

    reason = ""

    @property
    def name(self) -> str:
        """The name that the service gave."""
        return self.reason or super().name


class TransportError(KeyferryError):
    """No answer of the service arrived; for a call that changes something, whether it did is unknown."""


class ServiceUnavailableError(TransportError):
    """The service could not be reached, or the connection broke."""


class DeadlineExceededError(TransportError):
    """The call's deadline passed before the service answered."""


class ResourceExhaustedError(TransportError):
    """A limit stood in the way, most often that of the message size."""


class CallAbortedError(TransportError):
    """The other side ended the call, for example a server that is shutting down."""


class OperationNotServedError(TransportError):
    """What listens at the address does not know the operation: an older Keyferry, or something else."""


class ClientClosedError(TransportError):
    """The client was closed, before the call or during it."""


class InputError(KeyferryError, ValueError):
    """Something given by the caller is wrong; nothing was sent."""


class KeyMaterialError(InputError):
    """The key material has not the form that the key needs. The message never shows it."""


class WrappingError(InputError):
    """The wrapping algorithm or the wrapping public key cannot carry the key material."""


class EnvelopeError(InputError):
    """The file is not a Keyferry envelope, or it was changed or cut short since it was made."""
