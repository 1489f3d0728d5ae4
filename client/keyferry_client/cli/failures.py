"""What a failure looks like on the command line: its name, its reason, what to do next, its exit code."""

import contextlib
import sys

from keyferry_client.cli.signals import exit_code, received
from keyferry_client.cli.terminal import on_one_line
from keyferry_client.errors import (
    AccessDeniedException,
    ConflictException,
    DeadlineExceededError,
    DependencyTimeoutException,
    DisabledException,
    ExpiredImportTokenException,
    ExpiredTokenException,
    IncorrectKeyMaterialException,
    InvalidArnException,
    InvalidCiphertextException,
    InvalidImportTokenException,
    KeyferryError,
    KMSInternalException,
    KMSInvalidStateException,
    MissingAuthenticationTokenException,
    NotFoundException,
    ServiceUnavailableError,
    ThrottlingException,
    TransportError,
    UnrecognizedClientException,
)

REFUSED = 1
UNANSWERED = 3

_NEW_PARAMETERS = "Fetch new parameters with `keyferry import params`, wrap again and submit."
_TRY_AGAIN = "Try again; if it stays, the service's log has the request."

HINTS: dict[type[KeyferryError], str] = {
    AccessDeniedException: "Ask the owner of the key for the permission.",
    DeadlineExceededError: "Try again; `keyferry keys describe KEY` shows whether the call was carried out.",
    DependencyTimeoutException: _TRY_AGAIN,
    ConflictException: _TRY_AGAIN,
    DisabledException: "`keyferry keys enable KEY` switches the key on.",
    ExpiredTokenException: "Get a new token or certificate: --token-file, --identity.",
    ExpiredImportTokenException: _NEW_PARAMETERS,
    IncorrectKeyMaterialException: "A key takes back the material that it had. `keyferry import KEY --new-material` gives a "
    "symmetric key more.",
    InvalidArnException: "Give the key ID, or the key ARN as `keyferry keys list` shows it; aliases are not taken.",
    InvalidCiphertextException: "The ciphertext, its encryption context or the wrapped key material was changed "
    "or belongs to something else.",
    InvalidImportTokenException: _NEW_PARAMETERS,
    KMSInternalException: _TRY_AGAIN,
    KMSInvalidStateException: "`keyferry keys describe KEY` shows the key's state.",
    MissingAuthenticationTokenException: "Show who you are: --identity DIR for a certificate, --token-file FILE for a token.",
    NotFoundException: "`keyferry keys list` shows the keys.",
    ServiceUnavailableError: "Is the server running there? Name another address with --endpoint HOST:PORT "
    "or KEYFERRY_ENDPOINT. A service with TLS needs --identity or --authorities.",
    ThrottlingException: "Wait a little, and try again.",
    UnrecognizedClientException: "The service's log says, under the request, what is wrong with the token or certificate.",
}


def report(error: KeyferryError) -> int:
    """Write `error` to standard error, without a traceback, and return the exit code."""
    first = f"{error.name}: {error.message}" if error.message else error.name
    lines = [f"keyferry: {on_one_line(first)}"]
    hint = HINTS.get(type(error))
    if hint is not None:
        lines.append(f"  next: {hint}")
    if error.request_id:
        lines.append(f"  request: {on_one_line(error.request_id)}")
    sys.stderr.write("\n".join(lines) + "\n")
    return UNANSWERED if isinstance(error, TransportError) else REFUSED


def report_file(error: OSError) -> int:
    """Write that a file cannot be read or written to standard error, and return the exit code."""
    sys.stderr.write(
        f"keyferry: {error.filename}: {error.strerror}\n" if error.filename else f"keyferry: {error}\n"
    )
    return REFUSED


def report_interruption() -> int:
    """Write to standard error what stopped the command, and return the exit code."""
    ended_by = received()
    # After SIGHUP there may be no terminal any more.
    with contextlib.suppress(OSError):
        sys.stderr.write(f"keyferry: {'interrupted' if ended_by is None else f'ended by {ended_by.name}'}\n")
    return exit_code()
