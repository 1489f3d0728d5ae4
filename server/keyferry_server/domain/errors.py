"""Everything that a call can be refused with. Names are AWS's.

::

    KmsError
    ├── invalid argument      ValidationException · InvalidArnException · InvalidMarkerException
    │                         InvalidCiphertextException · InvalidImportTokenException
    │                         IncorrectKeyMaterialException · KMSInvalidSignatureException
    │                         KMSInvalidMacException · MalformedPolicyDocumentException
    │                         InvalidGrantIdException · InvalidGrantTokenException
    │                         InvalidAliasNameException · TagException
    ├── not found             NotFoundException
    ├── already exists        AlreadyExistsException
    ├── failed precondition   DisabledException · KMSInvalidStateException · UnsupportedOperationException
    │                         ExpiredImportTokenException · IncorrectKeyException · DryRunOperationException
    │                         InvalidKeyUsageException
    ├── permission denied     AccessDeniedException · NotAuthorizedException
    ├── unauthenticated       MissingAuthenticationTokenException · UnrecognizedClientException
    │                         ExpiredTokenException · IncompleteSignatureException
    │                         InvalidSignatureException
    ├── resource exhausted    LimitExceededException · ThrottlingException (may be retried unchanged)
    ├── aborted               ConflictException
    ├── unavailable           DependencyTimeoutException   (may be retried unchanged)
    ├── internal              KMSInternalException         (may be retried unchanged)
    └── UnreadableRequest     refused before it was a request; gRPC refuses such by itself
                              SerializationException · UnknownOperationException
                              RequestEntityTooLargeException

A message is for the person who reads it: what was wrong, what would be right.
InvalidCiphertextException, KMSInvalidSignatureException and KMSInvalidMacException
have none on purpose: they must not tell why.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar


class Category(Enum):
    """What kind of refusal it is; each wire has one status for each."""

    INVALID_ARGUMENT = auto()
    NOT_FOUND = auto()
    ALREADY_EXISTS = auto()
    FAILED_PRECONDITION = auto()
    PERMISSION_DENIED = auto()
    UNAUTHENTICATED = auto()
    RESOURCE_EXHAUSTED = auto()
    ABORTED = auto()
    UNAVAILABLE = auto()
    INTERNAL = auto()


LONGEST_SHOWN = 100


def shown(value: object) -> str:
    """Return a caller's own value as an error message shows it: its head, if it is long."""
    text = str(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


class KmsError(Exception):
    """A refusal that the caller is told about."""

    category: ClassVar[Category]
    retryable: ClassVar[bool] = False

    def __init__(self, message: str = "") -> None:
        # What it quotes may hold half of a surrogate pair, which no wire can carry.
        self.message = message.encode(errors="backslashreplace").decode()
        super().__init__(self.message)

    @property
    def name(self) -> str:
        """The exception's name on every wire."""
        return type(self).__name__


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One broken constraint: the member as AWS writes it (lowerCamel), and what it must satisfy."""

    field: str
    description: str


class ValidationException(KmsError):
    """The request breaks the contract of its operation; all violations are named at once."""

    category = Category.INVALID_ARGUMENT

    def __init__(self, message: str, violations: tuple[FieldViolation, ...] = ()) -> None:
        super().__init__(message)
        self.violations = violations


class InvalidArnException(KmsError):
    """An ARN is broken, or an alias was given where none is allowed."""

    category = Category.INVALID_ARGUMENT


class InvalidMarkerException(KmsError):
    """A pagination marker is not one that this service gave out."""

    category = Category.INVALID_ARGUMENT


class InvalidCiphertextException(KmsError):
    """A ciphertext or its encryption context is wrong, or wrapped key material cannot be unwrapped."""

    category = Category.INVALID_ARGUMENT


class InvalidImportTokenException(KmsError):
    """The import token is damaged, belongs to another key, or is spent."""

    category = Category.INVALID_ARGUMENT


class IncorrectKeyMaterialException(KmsError):
    """The key material is not what the key spec asks for, or is not what was imported before."""

    category = Category.INVALID_ARGUMENT


class KMSInvalidSignatureException(KmsError):
    """The signature is not that of the message by the key."""

    category = Category.INVALID_ARGUMENT


class KMSInvalidMacException(KmsError):
    """The MAC is not that of the message under the key."""

    category = Category.INVALID_ARGUMENT


class InvalidAliasNameException(KmsError):
    """A text cannot be the name of an alias."""

    category = Category.INVALID_ARGUMENT


class MalformedPolicyDocumentException(KmsError):
    """A policy document is not valid; the message names the place in it."""

    category = Category.INVALID_ARGUMENT


class TagException(KmsError):
    """Tags are reserved, twice the same, or too many."""

    category = Category.INVALID_ARGUMENT


class InvalidGrantIdException(KmsError):
    """There is no grant of that id on the key."""

    category = Category.INVALID_ARGUMENT


class InvalidGrantTokenException(KmsError):
    """The grant token is damaged, or was not given out by this service."""

    category = Category.INVALID_ARGUMENT


class NotFoundException(KmsError):
    """The key, the alias or another thing that is named does not exist."""

    category = Category.NOT_FOUND


class AlreadyExistsException(KmsError):
    """There is one of that name already."""

    category = Category.ALREADY_EXISTS


class DisabledException(KmsError):
    """The key is switched off."""

    category = Category.FAILED_PRECONDITION


class KMSInvalidStateException(KmsError):
    """The key's state does not allow the operation."""

    category = Category.FAILED_PRECONDITION


class UnsupportedOperationException(KmsError):
    """A parameter is not supported, or the key is not valid for the operation."""

    category = Category.FAILED_PRECONDITION


class ExpiredImportTokenException(KmsError):
    """The import token is older than 24 hours."""

    category = Category.FAILED_PRECONDITION


class IncorrectKeyException(KmsError):
    """The ciphertext was made by another key than the one named."""

    category = Category.FAILED_PRECONDITION


class InvalidKeyUsageException(KmsError):
    """The key is for something else, or has not the algorithm."""

    category = Category.FAILED_PRECONDITION


class DryRunOperationException(KmsError):
    """The call would have succeeded, and was only tried."""

    category = Category.FAILED_PRECONDITION

    def __init__(
        self, message: str = "The request would have succeeded, but the DryRun option is set."
    ) -> None:
        super().__init__(message)


class LimitExceededException(KmsError):
    """A quota is used up."""

    category = Category.RESOURCE_EXHAUSTED


class ConflictException(KmsError):
    """Something else is being done to the key at this moment."""

    category = Category.ABORTED


class AccessDeniedException(KmsError):
    """The caller may not do this."""

    category = Category.PERMISSION_DENIED


class IncompleteSignatureException(KmsError):
    """The call's signature lacks something that it needs."""

    category = Category.UNAUTHENTICATED


class InvalidSignatureException(KmsError):
    """The call's signature is wrong, too old, or made for another service or Region."""

    category = Category.UNAUTHENTICATED


class NotAuthorizedException(KmsError):
    """Nobody may do this: the alias name is reserved."""

    category = Category.PERMISSION_DENIED


class MissingAuthenticationTokenException(KmsError):
    """The call carries nothing that says who makes it."""

    category = Category.UNAUTHENTICATED


class UnrecognizedClientException(KmsError):
    """What the call carries to say who makes it is not valid, or stands for nobody."""

    category = Category.UNAUTHENTICATED


class ExpiredTokenException(KmsError):
    """What the call carries to say who makes it has expired."""

    category = Category.UNAUTHENTICATED


class ThrottlingException(KmsError):
    """The caller makes more calls than it may in the time."""

    category = Category.RESOURCE_EXHAUSTED
    retryable = True


class DependencyTimeoutException(KmsError):
    """Something that the service depends on did not answer in time."""

    category = Category.UNAVAILABLE
    retryable = True


class KMSInternalException(KmsError):
    """A fault inside the service."""

    category = Category.INTERNAL
    retryable = True


class UnreadableRequest(KmsError):
    """What arrived is not a request of any operation."""

    category = Category.INVALID_ARGUMENT


class SerializationException(UnreadableRequest):
    """The body is not the JSON of the operation's request."""


class UnknownOperationException(UnreadableRequest):
    """There is no such operation."""


class RequestEntityTooLargeException(UnreadableRequest):
    """The body is larger than any request may be."""
