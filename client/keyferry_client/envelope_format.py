"""The envelope: a file of any size under a data key of its own, which travels with it, encrypted.

::

     0            8        9                 11                k          k + 2            h
     ├────────────┼────────┼─────────────────┼─────────────────┼──────────┼────────────────┤
     │ "KEYFERRY" │ 0x01   │ encrypted data  │ encrypted       │ context  │ encryption     │
     │ magic      │ format │ key length, u16 │ data key        │ len, u16 │ context, JSON  │
     └────────────┴────────┴─────────────────┴─────────────────┴──────────┴────────────────┘

     h
     ├──────────────────────┬────────┬──────────────────────┬────────┬ ─ ─ ┬───────────────┬────────┐
     │ chunk 0: 65536 bytes │ tag 16 │ chunk 1: 65536 bytes │ tag 16 │     │ last: 0-65536 │ tag 16 │
     └──────────────────────┴────────┴──────────────────────┴────────┴ ─ ─ ┴───────────────┴────────┘

Numbers are big endian.

1. The data key, 32 bytes, comes from GenerateDataKey with the encryption context
   and serves this file alone. Only Decrypt with the same context opens it.
2. The context is an object of strings in canonical JSON: UTF-8, keys sorted, no
   spaces. Any other spelling of it is refused.
3. Chunk number n is sealed with AES-256-GCM. Nonce: n in 11 bytes, then 0x01 for
   the last chunk and 0x00 for every other. Associated data: SHA-256 of the header,
   the h bytes before the chunks.
4. Every chunk but the last is full. An empty file is one empty chunk.

So a changed header, a chunk changed, moved, repeated or left out, and an end that
was cut off or added all fail to open: the nonce counts the chunks and marks the
last. The data key is fresh, so no nonce comes twice under one key.
"""

import hashlib
import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keyferry_client.errors import EnvelopeError

MAGIC = b"KEYFERRY"
FORMAT = 1
DATA_KEY_BYTES = 32
CHUNK_BYTES = 65536
TAG_BYTES = 16

_LENGTH = struct.Struct(">H")
_LONGEST = 0xFFFF
_COUNTER_BYTES = 11

DAMAGED = "The file was changed or cut short since it was encrypted."


@dataclass(frozen=True, slots=True)
class EnvelopeHeader:
    """What stands before the chunks. Nothing of it is proven before the first chunk opens."""

    encrypted_data_key: bytes
    encryption_context: dict[str, str]
    encoded: bytes = field(repr=False)


def make_header(encrypted_data_key: bytes, encryption_context: Mapping[str, str]) -> EnvelopeHeader:
    """Return the header of a new envelope; EnvelopeError if the encryption context is too long for it."""
    context = encode_context(encryption_context)
    encoded = b"".join((MAGIC, bytes([FORMAT]), _with_length(encrypted_data_key), _with_length(context)))
    return EnvelopeHeader(encrypted_data_key, dict(encryption_context), encoded)


def check_data_key(data_key: bytes) -> None:
    """Raise EnvelopeError unless it has the length of format 1: AES would take shorter ones too."""
    if len(data_key) != DATA_KEY_BYTES:
        raise EnvelopeError(
            f"The data key of an envelope has {DATA_KEY_BYTES} bytes; this one has {len(data_key)}."
        )


def encode_context(encryption_context: Mapping[str, str]) -> bytes:
    """Return the context as canonical JSON; EnvelopeError if it is too long or not valid text."""
    try:
        encoded = _canonical_json(dict(encryption_context))
    except UnicodeEncodeError:
        raise EnvelopeError("The encryption context is not valid Unicode text.") from None
    if len(encoded) > _LONGEST:
        raise EnvelopeError(f"The encryption context takes {len(encoded)} bytes; at most {_LONGEST} fit in.")
    return encoded


def read_header(sealed: BinaryIO) -> EnvelopeHeader:
    """Read the header and leave `sealed` at the first chunk; EnvelopeError if it is no envelope."""
    if sealed.read(len(MAGIC)) != MAGIC:
        raise EnvelopeError("The file is not a Keyferry envelope.")
    format_number = _read_exactly(sealed, 1)[0]
    if format_number != FORMAT:
        raise EnvelopeError(
            f"The file has envelope format {format_number}; this client reads format {FORMAT}."
        )
    encrypted_data_key = _read_with_length(sealed)
    context = _read_with_length(sealed)
    encoded = b"".join((MAGIC, bytes([FORMAT]), _with_length(encrypted_data_key), _with_length(context)))
    return EnvelopeHeader(encrypted_data_key, _parse_context(context), encoded)


def seal_chunks(plain: BinaryIO, header: EnvelopeHeader, data_key: bytes) -> Iterator[bytes]:
    """Yield the whole envelope of what `plain` holds: the header, then chunk after chunk."""
    yield header.encoded
    cipher = AESGCM(data_key)
    associated_data = hashlib.sha256(header.encoded).digest()
    for nonce, chunk in _numbered_chunks(plain, CHUNK_BYTES):
        yield cipher.encrypt(nonce, chunk, associated_data)


def open_chunks(sealed: BinaryIO, header: EnvelopeHeader, data_key: bytes) -> Iterator[bytes]:
    """Yield the plaintext after the header, chunk by chunk, each proven; EnvelopeError at the first that is not.

    A prefix of the plaintext has been yielded by then: use it only when the end is reached.
    """
    cipher = AESGCM(data_key)
    associated_data = hashlib.sha256(header.encoded).digest()
    for nonce, chunk in _numbered_chunks(sealed, CHUNK_BYTES + TAG_BYTES):
        try:
            yield cipher.decrypt(nonce, chunk, associated_data)
        except InvalidTag:
            raise EnvelopeError(DAMAGED) from None


def _numbered_chunks(stream: BinaryIO, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield (nonce, chunk): the last, and only the last, may be shorter than `size`."""
    number = 0
    chunk = stream.read(size)
    while True:
        following = stream.read(size)
        yield number.to_bytes(_COUNTER_BYTES) + (b"\x00" if following else b"\x01"), chunk
        if not following:
            return
        chunk = following
        number += 1


def _with_length(value: bytes) -> bytes:
    return _LENGTH.pack(len(value)) + value


def _read_with_length(sealed: BinaryIO) -> bytes:
    (length,) = _LENGTH.unpack(_read_exactly(sealed, _LENGTH.size))
    return _read_exactly(sealed, length)


def _read_exactly(sealed: BinaryIO, length: int) -> bytes:
    read = sealed.read(length)
    if len(read) != length:
        raise EnvelopeError(DAMAGED)
    return read


def _parse_context(encoded: bytes) -> dict[str, str]:
    try:
        context = json.loads(encoded)
    except (ValueError, RecursionError):
        raise EnvelopeError(DAMAGED) from None
    if not isinstance(context, dict) or not all(isinstance(value, str) for value in context.values()):
        raise EnvelopeError(DAMAGED)
    try:
        is_canonical = _canonical_json(context) == encoded
    except UnicodeEncodeError:
        is_canonical = False
    if not is_canonical:
        raise EnvelopeError(DAMAGED)
    return context


def _canonical_json(context: dict[str, str]) -> bytes:
    return json.dumps(context, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
