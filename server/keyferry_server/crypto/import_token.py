"""Import tokens on the wire: authenticated, so that nobody else can make one.

::

     0         1               17           18             34              42        74
     ├─────────┼───────────────┼────────────┼──────────────┼───────────────┼─────────┤
     │ 0x01    │ token id      │ key id     │ key id       │ valid to      │ tag     │
     │ format  │ 16            │ form       │ 16           │ i64           │ 32      │
     └─────────┴───────────────┴────────────┴──────────────┴───────────────┴─────────┘

``valid to`` counts microseconds since 1970-01-01 UTC, big endian. The key id is
as in ``key_id``. The tag is HMAC-SHA-256 of all that is before it, under
HKDF(installation secret, "keyferry import token v1").

Nothing in a token is secret from the one who holds it, so nothing is encrypted.
"""

import hmac
import struct
from datetime import UTC, datetime, timedelta

from keyferry_server.crypto.installation import derive_key
from keyferry_server.crypto.key_id import decode_key_id, encode_key_id
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import InvalidImportTokenException
from keyferry_server.domain.import_token import ImportToken

_LABEL = b"keyferry import token v1"
_FORMAT = 1
_CONTENT = struct.Struct(">B16s17sq")
_TAG_BYTES = 32
TOKEN_BYTES = _CONTENT.size + _TAG_BYTES
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class ImportTokenCodec:
    """Writes import tokens, and reads those that this installation wrote."""

    def __init__(self, installation_secret: Secret) -> None:
        self._key = derive_key(installation_secret, _LABEL)

    def issue(self, token: ImportToken) -> bytes:
        """Return the 74 bytes that the caller takes away."""
        microseconds = (token.valid_to - _EPOCH) // _MICROSECOND
        content = _CONTENT.pack(_FORMAT, token.token_id, encode_key_id(token.key_id), microseconds)
        return content + self._tag(content)

    def parse(self, token: bytes) -> ImportToken:
        """Read a token; InvalidImportTokenException, always the same, for anything that was not issued here."""
        content, tag = token[: _CONTENT.size], token[_CONTENT.size :]
        # First the tag: whatever passes was written by `issue`, byte for byte.
        if not hmac.compare_digest(tag, self._tag(content)):
            raise _not_issued_here()
        format_version, token_id, encoded_key_id, microseconds = _CONTENT.unpack(content)
        key_id = decode_key_id(encoded_key_id)
        if format_version != _FORMAT or key_id is None:
            raise _not_issued_here()
        return ImportToken(token_id, key_id, _EPOCH + microseconds * _MICROSECOND)

    def _tag(self, content: bytes) -> bytes:
        return hmac.digest(self._key.reveal(), content, "sha256")


def _not_issued_here() -> InvalidImportTokenException:
    return InvalidImportTokenException(
        "The import token is not valid. Submit it exactly as GetParametersForImport returned it, "
        "together with key material wrapped under the public key of the same response."
    )
