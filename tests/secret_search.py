"""Every form that a secret might have slipped into: what to search for to be sure that it is nowhere.

Only 16 bytes of a secret are searched for at a time, from its beginning, its middle and
its end: so it is found also if a part of it is missing, or a page ends within it.
"""

import base64
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

PIECE_BYTES = 16
_WORD_BYTES = 8
_BLANKS = re.compile(rb"\s+")


def forms(secret: bytes) -> dict[str, bytes]:
    """Return how a secret looks in each encoding; where it depends on what is around it, its core."""
    found: dict[str, bytes] = {
        "raw": secret,
        "inverted": bytes(byte ^ 0xFF for byte in secret),
        "hex": secret.hex().encode(),
        "upper-case hex": secret.hex().upper().encode(),
        "hex with colons": secret.hex(":").encode(),
        "upper-case hex with colons": secret.hex(":").upper().encode(),
        "bytea escape format": _bytea_escape(secret),
        "repr": repr(secret)[2:-1].encode(),
        "\\x escapes": "".join(f"\\x{byte:02x}" for byte in secret).encode(),
        "JSON string": json.dumps(secret.decode("latin-1"))[1:-1].encode(),
        "UTF-8 of Latin-1": secret.decode("latin-1").encode(),
        "percent encoding": quote(secret).encode(),
        "numbers": ",".join(map(str, secret)).encode(),
        "signed numbers": ",".join(str(byte - 256 if byte > 127 else byte) for byte in secret).encode(),
        "hex numbers": ",".join(map(hex, secret)).encode(),
        "bits": "".join(f"{byte:08b}" for byte in secret).encode(),
        "base 85": base64.b85encode(secret),
        "Ascii85": base64.a85encode(secret),
    }
    for alignment in range(5):
        found[f"base 32 at {alignment}"] = _core_of_base32(secret, alignment)
    for alignment in range(3):
        core = _core_of_base64(secret, alignment)
        found[f"base 64 at {alignment}"] = core
        found[f"URL-safe base 64 at {alignment}"] = core.translate(bytes.maketrans(b"+/", b"-_"))
    for name in ("raw", "hex", "base 64 at 0"):
        text = found[name].decode("latin-1")
        found[f"UTF-16 of {name}"] = text.encode("utf-16-le")
        found[f"big-endian UTF-16 of {name}"] = text.encode("utf-16-be")
    return found


def needles(secrets: Mapping[str, bytes]) -> dict[bytes, str]:
    """Return what to search for, with the name of the secret and of the encoding that it would show."""
    found: dict[bytes, str] = {}
    for name, secret in secrets.items():
        for piece in _pieces(secret):
            for form, needle in forms(piece).items():
                found[needle] = f"{name}, {form}"
            for form, needle in forms(piece[::-1]).items():
                found[needle] = f"{name}, reversed, {form}"
        # A number has no pieces.
        for order in ("big", "little"):
            found[str(int.from_bytes(secret, order)).encode()] = f"{name}, {order}-endian decimal number"
    return found


def parts_of_rsa_key(name: str, private_key: bytes) -> dict[str, bytes]:
    """Return all that is secret about an RSA private key in PKCS#8 DER."""
    key = load_der_private_key(private_key, password=None)
    assert isinstance(key, RSAPrivateKey)
    numbers = key.private_numbers()
    pkcs1 = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    parts = {
        "p": numbers.p,
        "q": numbers.q,
        "d": numbers.d,
        "d mod p-1": numbers.dmp1,
        "d mod q-1": numbers.dmq1,
        "q inverse": numbers.iqmp,
    }
    # The DER forms begin with the public modulus: of those only the end is telling.
    return {f"{name} in PKCS#8": private_key[-48:], f"{name} in PKCS#1": pkcs1[-48:]} | {
        f"{part} of {name}": number.to_bytes((number.bit_length() + 7) // 8, "big")
        for part, number in parts.items()
    }


@dataclass(frozen=True)
class Haystack:
    """Something that may hold a secret; the blanks of a text are no hiding place."""

    name: str
    content: bytes

    def places(self) -> list[bytes]:
        dense = _BLANKS.sub(b"", self.content)
        return [self.content] if dense == self.content else [self.content, dense]


def leaks(haystacks: Iterable[Haystack], searched: Mapping[bytes, str]) -> list[str]:
    """Return which secrets are where, in which form.

    Thousands of needles, millions of places: a place is cut into words of eight bytes,
    and a needle is looked for only if one of its own words, wherever they begin in it,
    is among them. A needle of 15 bytes or more has a whole word of every place it is in.
    """
    assert min(map(len, searched)) >= 2 * _WORD_BYTES - 1
    by_word: dict[int, set[bytes]] = defaultdict(set)
    for needle in searched:
        for start in range(_WORD_BYTES):
            by_word[int.from_bytes(needle[start : start + _WORD_BYTES], sys.byteorder)].add(needle)
    return [
        f"{searched[needle]} in {haystack.name}"
        for haystack in haystacks
        for place in haystack.places()
        for needle in set().union(*(by_word[word] for word in _words(place) & by_word.keys()))
        if needle in place
    ]


def _words(place: bytes) -> set[int]:
    return set(memoryview(place)[: len(place) // _WORD_BYTES * _WORD_BYTES].cast("Q"))


def _pieces(secret: bytes) -> set[bytes]:
    middle = (len(secret) - PIECE_BYTES) // 2
    return {
        secret[start : start + PIECE_BYTES]
        for start in (0, max(middle, 0), max(len(secret) - PIECE_BYTES, 0))
    }


def _core_of_base64(secret: bytes, alignment: int) -> bytes:
    # Six bits a character: those that are shared with a neighbour are left out.
    first, end = -(-alignment * 8 // 6), (alignment + len(secret)) * 8 // 6
    return base64.b64encode(bytes(alignment) + secret)[first:end]


def _core_of_base32(secret: bytes, alignment: int) -> bytes:
    first, end = -(-alignment * 8 // 5), (alignment + len(secret)) * 8 // 5
    return base64.b32encode(bytes(alignment) + secret)[first:end]


def _bytea_escape(secret: bytes) -> bytes:
    return b"".join(
        b"\\\\" if byte == 0x5C else bytes([byte]) if 0x20 <= byte < 0x7F else f"\\{byte:03o}".encode()
        for byte in secret
    )
