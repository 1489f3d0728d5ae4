"""What a failure looks like on the command line: its name, its reason, what to do next, its exit code."""

import sys

from keyferry_client.errors import (
    AccessDeniedException,
    DeadlineExceededError,
    DependencyTimeoutException,
    DisabledException,
    ExpiredImportTokenException,
    IncorrectKeyMaterialException,
    InvalidArnException,
    InvalidCiphertextException,
    InvalidImportTokenException,
    KeyferryError,
    KMSInternalException,
    KMSInvalidStateException,
    NotFoundException,
    ServiceUnavailableError,
    TransportError,
)

REFUSED = 1
UNANSWERED = 3

_NEW_PARAMETERS = "Fetch new parameters with `keyferry import params`, wrap again and submit."
_TRY_AGAIN = "Try again; if it stays, the service's log has the request."

HINTS: dict[type[KeyferryError], str] = {
    AccessDeniedException: "Ask the owner of the key for the permission.",
    DeadlineExceededError: "Try again; `keyferry keys describe KEY` shows whether the call was carried out.",
    DependencyTimeoutException: _TRY_AGAIN,
    DisabledException: "`keyferry keys enable KEY` switches the key on.",
    ExpiredImportTokenException: _NEW_PARAMETERS,
    IncorrectKeyMaterialException: "Once material was imported, a key takes only the same material again.",
    InvalidArnException: "Give the key ID, or the key ARN as `keyferry keys list` shows it; aliases are not taken.",
    InvalidCiphertextException: "The ciphertext, its encryption context or the wrapped key material was changed "
    "or belongs to something else.",
    InvalidImportTokenException: _NEW_PARAMETERS,
    KMSInternalException: _TRY_AGAIN,
    KMSInvalidStateException: "`keyferry keys describe KEY` shows the key's state.",
    NotFoundException: "`keyferry keys list` shows the keys.",
    ServiceUnavailableError: "Is the server running there? Name another address with --endpoint HOST:PORT "
    "or KEYFERRY_ENDPOINT.",
}


def report(error: KeyferryError) -> int:
    """Write `error` to standard error, without a traceback, and return the exit code."""
    first = f"{error.name}: {error.message}" if error.message else error.name
    lines = [f"keyferry: {_on_one_line(first)}"]
    hint = HINTS.get(type(error))
    if hint is not None:
        lines.append(f"  next: {hint}")
    if error.request_id:
        lines.append(f"  request: {_on_one_line(error.request_id)}")
    sys.stderr.write("\n".join(lines) + "\n")
    return UNANSWERED if isinstance(error, TransportError) else REFUSED


def report_file(error: OSError) -> int:
    """Write that a file cannot be read or written to standard error, and return the exit code."""
    sys.stderr.write(
        f"keyferry: {error.filename}: {error.strerror}\n" if error.filename else f"keyferry: {error}\n"
    )
    return REFUSED


def report_interruption() -> None:
    """Write to standard error that the user stopped the command."""
    sys.stderr.write("keyferry: interrupted\n")


def _on_one_line(text: str) -> str:
    """Return `text` without control characters: it comes over the wire and goes to a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
