"""Grant tokens: base64 of an authenticated pointer to a grant, so that nobody can make one up.

::

     0         1               33           49        81
     ├─────────┼───────────────┼────────────┼─────────┤
     │ 0x01    │ grant id      │ nonce      │ tag     │
     │ format  │ 32            │ 16         │ 32      │
     └─────────┴───────────────┴────────────┴─────────┘

The tag is HMAC-SHA-256 of all that is before it, under HKDF(installation secret,
"keyferry grant token v1"). The nonce makes each token of a grant another one. The
text is URL-safe base64 without padding.
"""

import base64
import binascii
import hmac
import secrets
import struct

from keyferry_server.crypto.installation import derive_key
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import InvalidGrantTokenException

_LABEL = b"keyferry grant token v1"
_FORMAT = 1
_CONTENT = struct.Struct(">B32s16s")
_NONCE_BYTES = 16
_TAG_BYTES = 32
_TOKEN_CHARACTERS = (_CONTENT.size + _TAG_BYTES) * 4 // 3


class GrantTokenCodec:
    """Writes grant tokens, and reads those that this installation wrote."""

    def __init__(self, installation_secret: Secret) -> None:
        self._key = derive_key(installation_secret, _LABEL)

    def issue(self, grant_id: str) -> str:
        """Return a fresh token for a grant, whose id has 64 hexadecimal digits."""
        content = _CONTENT.pack(_FORMAT, bytes.fromhex(grant_id), secrets.token_bytes(_NONCE_BYTES))
        return base64.urlsafe_b64encode(content + self._tag(content)).decode()

    def parse(self, text: str) -> str:
        """Return the id of the grant; InvalidGrantTokenException, always the same, for what was not issued here."""
        token = _decoded(text)
        content, tag = token[: _CONTENT.size], token[_CONTENT.size :]
        if not hmac.compare_digest(tag, self._tag(content)) or len(content) != _CONTENT.size:
            raise _not_issued_here()
        format_version, grant_id, _ = _CONTENT.unpack(content)
        if format_version != _FORMAT:
            raise _not_issued_here()
        return bytes(grant_id).hex()

    def _tag(self, content: bytes) -> bytes:
        return hmac.digest(self._key.reveal(), content, "sha256")


def _decoded(text: str) -> bytes:
    if len(text) != _TOKEN_CHARACTERS:
        raise _not_issued_here()
    try:
        return base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _not_issued_here() from None


def _not_issued_here() -> InvalidGrantTokenException:
    return InvalidGrantTokenException(
        "The grant token is not valid. Submit it exactly as CreateGrant returned it."
    )
