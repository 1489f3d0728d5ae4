"""Signature V4, AWS's way to sign an HTTP request with a secret that both sides know.

::

    Authorization: AWS4-HMAC-SHA256 Credential=ID/DATE/REGION/kms/aws4_request,
                   SignedHeaders=host;x-amz-date;x-amz-target, Signature=HEX

    signing key    = HMAC(HMAC(HMAC(HMAC("AWS4" + secret, DATE), REGION), "kms"), "aws4_request")
    canonical      = method, path, query, each signed header, their names, SHA-256 of the body
    string to sign = "AWS4-HMAC-SHA256", X-Amz-Date, DATE/REGION/kms/aws4_request, SHA-256 of canonical
    Signature      = HMAC(signing key, string to sign)

The checks, in this order; each has the exception and the words that AWS has for it:

1. The request has one Authorization header     MissingAuthenticationTokenException
2. of this form, with one X-Amz-Date,           IncompleteSignatureException
3. for our service, on its date,                InvalidSignatureException
4. at most five minutes away from our clock;    InvalidSignatureException
5. it signs all that decides what is done.      IncompleteSignatureException
6. The signature is that of the access key.     InvalidSignatureException

The parts of a request that its signature does not cover mean nothing here.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from urllib.parse import quote, unquote_to_bytes

from keyferry_server.authn.access_keys import AccessKey
from keyferry_server.authn.http_request import HttpRequest
from keyferry_server.domain.errors import (
    IncompleteSignatureException,
    InvalidSignatureException,
    MissingAuthenticationTokenException,
    shown,
)

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "kms"
TERMINATOR = "aws4_request"
LARGEST_SKEW = timedelta(minutes=5)

# What would let somebody in between change the call, were it not signed.
_MUST_BE_SIGNED = ("host", "x-amz-date", "x-amz-target")
_TIME_FORMAT = "%Y%m%dT%H%M%SZ"
_TIME = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_BLANKS = re.compile(r"[ \t]+")


@dataclass(frozen=True)
class Signed:
    """What the Authorization header of a request says. Nothing of it is true before `verify`."""

    access_key_id: str
    date: str
    region: str
    service: str
    terminator: str
    signed_headers: tuple[str, ...]
    signature: str

    @classmethod
    def parse(cls, request: HttpRequest) -> Self:
        """Read the header (checks 1 and 2)."""
        headers = request.header_values("authorization")
        if not headers:
            raise MissingAuthenticationTokenException("Missing Authentication Token")
        algorithm, _, rest = headers[0].partition(" ")
        if algorithm != ALGORITHM or len(headers) > 1:
            raise IncompleteSignatureException(
                f"The Authorization header must begin with '{ALGORITHM}', and be one."
            )
        parts = dict(_pair(part) for part in rest.split(","))
        missing = [name for name in ("Credential", "SignedHeaders", "Signature") if not parts.get(name)]
        if missing:
            raise IncompleteSignatureException(
                " ".join(f"Authorization header requires '{name}' parameter." for name in missing)
            )
        try:
            access_key_id, date, region, service, terminator = parts["Credential"].split("/")
        except ValueError:
            raise IncompleteSignatureException(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term."
            ) from None
        signed_headers = tuple(parts["SignedHeaders"].split(";"))
        return cls(access_key_id, date, region, service, terminator, signed_headers, parts["Signature"])

    @property
    def scope(self) -> str:
        """The credential scope."""
        return f"{self.date}/{self.region}/{self.service}/{self.terminator}"

    def check(self, request: HttpRequest, now: datetime) -> None:
        """Check all that needs no secret (checks 2 to 5)."""
        times = request.header_values("x-amz-date")
        if len(times) != 1 or not _TIME.fullmatch(times[0]):
            raise IncompleteSignatureException(
                "Authorization header requires existence of one 'X-Amz-Date' header of the form YYYYMMDDTHHMMSSZ."
            )
        self._check_scope(times[0])
        _check_time(times[0], now)
        for name in _MUST_BE_SIGNED:
            if name not in self.signed_headers:
                raise IncompleteSignatureException(
                    f"'{name}' must be a 'SignedHeader' in the AWS Authorization."
                )

    def verify(self, request: HttpRequest, key: AccessKey) -> None:
        """Check that the signature is that of an access key (check 6)."""
        expected = hmac.new(
            self._signing_key(key), self._string_to_sign(request).encode("latin-1"), hashlib.sha256
        )
        if not hmac.compare_digest(expected.hexdigest().encode(), self.signature.encode("latin-1")):
            raise InvalidSignatureException(
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                "Access Key and signing method. Consult the service documentation for details."
            )

    def _check_scope(self, time: str) -> None:
        if self.service != SERVICE:
            raise InvalidSignatureException(f"Credential should be scoped to correct service: '{SERVICE}'.")
        if self.terminator != TERMINATOR:
            raise InvalidSignatureException(
                f"Credential should be scoped with a valid terminator: '{TERMINATOR}'."
            )
        if self.date != time[:8]:
            raise InvalidSignatureException(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                f"'{shown(self.date)}' != '{time[:8]}', from '{time}'."
            )

    def _signing_key(self, key: AccessKey) -> bytes:
        signing_key = b"AWS4" + key.secret.reveal()
        for part in (self.date, self.region, self.service, self.terminator):
            signing_key = hmac.digest(signing_key, part.encode("latin-1"), "sha256")
        return signing_key

    def _string_to_sign(self, request: HttpRequest) -> str:
        (time,) = request.header_values("x-amz-date")
        digest = hashlib.sha256(self._canonical_request(request).encode("latin-1")).hexdigest()
        return f"{ALGORITHM}\n{time}\n{self.scope}\n{digest}"

    def _canonical_request(self, request: HttpRequest) -> str:
        headers = [
            f"{name}:{','.join(_BLANKS.sub(' ', value) for value in request.header_values(name))}\n"
            for name in self.signed_headers
        ]
        return "\n".join(
            (
                request.method,
                # As SDKs do for every service but S3: what is escaped in the request is escaped once more.
                quote(request.path, safe="/-_.~"),
                _canonical_query(request.query),
                "".join(headers),
                ";".join(self.signed_headers),
                hashlib.sha256(request.body).hexdigest(),
            )
        )


def _pair(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name.strip(), value.strip()


def _check_time(text: str, now: datetime) -> None:
    try:
        signed_at = datetime.strptime(text, _TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise IncompleteSignatureException(f"'{text}' is not a time of the form YYYYMMDDTHHMMSSZ.") from None
    ours = now.strftime(_TIME_FORMAT)
    if signed_at < now - LARGEST_SKEW:
        earliest = (now - LARGEST_SKEW).strftime(_TIME_FORMAT)
        raise InvalidSignatureException(
            f"Signature expired: {text} is now earlier than {earliest} ({ours} - 5 min.)"
        )
    if signed_at > now + LARGEST_SKEW:
        latest = (now + LARGEST_SKEW).strftime(_TIME_FORMAT)
        raise InvalidSignatureException(
            f"Signature not yet current: {text} is still later than {latest} ({ours} + 5 min.)"
        )


def _canonical_query(query: bytes) -> str:
    pairs = [part.partition(b"=") for part in query.split(b"&") if part]
    return "&".join(
        f"{name}={value}"
        for name, value in sorted((_requoted(name), _requoted(value)) for name, _, value in pairs)
    )


def _requoted(text: bytes) -> str:
    return quote(unquote_to_bytes(text), safe="-_.~")
