"""Dry runs of Decrypt and ReEncrypt that do without a ciphertext: the caller's permission and the key alone."""

from keyferry.v1 import DecryptRequest, ReEncryptRequest
from keyferry_server.domain.errors import ValidationException


def ignores_ciphertext(request: DecryptRequest | ReEncryptRequest, key_text: str | None) -> bool:
    """Tell whether the call is a dry run without a ciphertext; then `key_text` must name the key.

    IGNORE_CIPHERTEXT is the only modifier there is. ValidationException if it is misplaced.
    """
    if not request.dry_run_modifiers:
        return False
    if not request.dry_run:
        raise ValidationException("DryRunModifiers can only be used when DryRun is true")
    if key_text is None:
        raise ValidationException("The key must be named when the ciphertext is ignored")
    return True
