"""Signature V4: what AWS's own signer signs is taken, and nothing that was changed since."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from keyferry_server.authn.access_keys import AccessKey
from keyferry_server.authn.caller import Principal
from keyferry_server.authn.http_request import HttpRequest
from keyferry_server.authn.sigv4 import LARGEST_SKEW, Signed
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import (
    IncompleteSignatureException,
    InvalidSignatureException,
    KmsError,
    MissingAuthenticationTokenException,
)

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
KEY = AccessKey(
    "KFAKEXAMPLE", Secret(SECRET.encode()), Principal("000000000000", "arn:aws:iam::000000000000:root")
)
SECOND = timedelta(seconds=1)


def signed_request(
    body: bytes = b"{}",
    url: str = "http://localhost:8701/",
    secret: str = SECRET,
    service: str = "kms",
    **headers: str,
) -> HttpRequest:
    """Let botocore sign a request."""
    request = AWSRequest(
        "POST",
        url,
        data=body,
        headers={"X-Amz-Target": "TrentService.ListKeys", "Content-Type": "application/x-amz-json-1.1"}
        | headers,
    )
    SigV4Auth(Credentials("KFAKEXAMPLE", secret), service, "eu-west-1").add_auth(request)
    prepared = request.prepare()
    _, _, path, query = re.split(r"://|(?<=[0-9])(?=/)|\?", f"{url}?")[:4]
    sent = {"Host": "localhost:8701"} | dict(prepared.headers)
    return HttpRequest(
        "POST",
        path.encode(),
        query.encode(),
        [
            (name.lower().encode(), (value.encode() if isinstance(value, str) else value))
            for name, value in sent.items()
        ],
        body,
    )


def time_of(request: HttpRequest) -> datetime:
    return datetime.strptime(request.header_values("x-amz-date")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def check(request: HttpRequest, now: datetime | None = None, key: AccessKey = KEY) -> Signed:
    signed = Signed.parse(request)
    signed.check(request, now or time_of(request))
    signed.verify(request, key)
    return signed


def with_header(request: HttpRequest, name: str, *values: str) -> HttpRequest:
    """Put a header in place of all that have its name."""
    others = [pair for pair in request.headers if pair[0] != name.encode()]
    return replace(
        request, headers=[*others, *((name.encode(), value.encode("latin-1")) for value in values)]
    )


def with_authorization(request: HttpRequest, old: str, new: str) -> HttpRequest:
    (header,) = request.header_values("authorization")
    assert old in header
    return with_header(request, "authorization", header.replace(old, new))


def test_what_botocore_signs_is_taken() -> None:
    signed = check(signed_request())

    assert (signed.access_key_id, signed.region) == ("KFAKEXAMPLE", "eu-west-1")


@settings(max_examples=60, deadline=None)
@given(
    body=st.binary(max_size=100),
    value=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
    query=st.text("aZ9-_.~%2F=&+", max_size=0)
    | st.sampled_from(["a=b", "b=2&a=1", "a=%2F%20x", "a", "a=1&a=0"]),
)
def test_any_request_that_botocore_signs_is_taken(body: bytes, value: str, query: str) -> None:
    url = "http://localhost:8701/" + (f"?{query}" if query else "")
    check(signed_request(body, url, **{"X-Amz-Meta": value}))


def test_a_request_without_a_signature_lacks_its_token() -> None:
    with pytest.raises(MissingAuthenticationTokenException):
        check(with_header(signed_request(), "authorization"))


INCOMPLETE = {
    "another scheme": lambda one: with_header(one, "authorization", "Basic dXNlcjpwYXNz"),
    "two headers": lambda one: with_header(one, "authorization", *one.header_values("authorization") * 2),
    "no credential": lambda one: with_authorization(one, "Credential=", "Credentials="),
    "no signature": lambda one: with_authorization(one, "Signature=", "Sig="),
    "no signed headers": lambda one: with_authorization(one, "SignedHeaders=", "Headers="),
    "a short credential": lambda one: with_authorization(one, "/eu-west-1/", "/"),
    "a long credential": lambda one: with_authorization(one, "/eu-west-1/", "/eu-west-1/x/"),
    "no date": lambda one: with_header(one, "x-amz-date"),
    "two dates": lambda one: with_header(one, "x-amz-date", *one.header_values("x-amz-date") * 2),
    "a date in another form": lambda one: with_header(one, "x-amz-date", "2026-01-01T00:00:00Z"),
    "an operation that is not signed": lambda one: with_authorization(one, ";x-amz-target", ""),
    "a host that is not signed": lambda one: with_authorization(one, "host;", ""),
    "a date that is not signed": lambda one: with_authorization(one, ";x-amz-date", ""),
}  # fmt: skip


@pytest.mark.parametrize("what", INCOMPLETE)
def test_a_signature_that_lacks_something_is_incomplete(what: str) -> None:
    request = signed_request()
    with pytest.raises(IncompleteSignatureException) as refused:
        check(INCOMPLETE[what](request), time_of(request))
    assert refused.value.message


INVALID = {
    "another body": lambda one: replace(one, body=b'{"Limit":1}'),
    "another operation": lambda one: with_header(one, "x-amz-target", "TrentService.DisableKey"),
    "a second operation": lambda one: replace(one, headers=[*one.headers, (b"x-amz-target", b"TrentService.DisableKey")]),
    "another host": lambda one: with_header(one, "host", "kms.example"),
    "another path": lambda one: replace(one, path=b"/x"),
    "another query": lambda one: replace(one, query=b"a=b"),
    "another method": lambda one: replace(one, method="PUT"),
    "another region": lambda one: with_authorization(one, "/eu-west-1/", "/us-east-1/"),
    "another service": lambda one: with_authorization(one, "/kms/", "/s3/"),
    "another terminator": lambda one: with_authorization(one, "/aws4_request", "/aws5_request"),
    "another signature": lambda one: with_authorization(one, "Signature=", "Signature=0"),
    "an empty part": lambda one: with_authorization(one, "/eu-west-1/", "//"),
    "letters that are not ascii": lambda one: with_authorization(one, "Signature=", "Signature=é"),
    "a hash that is claimed": lambda one: with_header(one, "x-amz-date", "20200101T000000Z"),
}  # fmt: skip


@pytest.mark.parametrize("what", INVALID)
def test_what_was_changed_since_it_was_signed_is_refused(what: str) -> None:
    request = signed_request()
    with pytest.raises(InvalidSignatureException) as refused:
        check(INVALID[what](request), time_of(request))
    assert refused.value.message


def test_a_request_that_is_signed_for_another_service_is_refused() -> None:
    with pytest.raises(InvalidSignatureException, match="correct service: 'kms'"):
        check(signed_request(service="s3"))


def test_a_request_that_is_signed_with_another_secret_is_refused() -> None:
    with pytest.raises(InvalidSignatureException, match="does not match the signature you provided"):
        check(signed_request(secret=SECRET[:-1]))


def test_an_unsigned_payload_is_not_taken_as_signed() -> None:
    request = signed_request(**{"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    with pytest.raises(InvalidSignatureException):
        check(request)


@pytest.mark.parametrize("skew", [-LARGEST_SKEW, timedelta(0), LARGEST_SKEW])
def test_clocks_may_differ_by_five_minutes(skew: timedelta) -> None:
    request = signed_request()
    check(request, time_of(request) + skew)


def test_an_older_signature_has_expired_and_a_later_one_is_not_yet_current() -> None:
    request = signed_request()
    with pytest.raises(InvalidSignatureException, match="Signature expired"):
        check(request, time_of(request) + LARGEST_SKEW + SECOND)
    with pytest.raises(InvalidSignatureException, match="not yet current"):
        check(request, time_of(request) - LARGEST_SKEW - SECOND)


@settings(max_examples=200, deadline=None)
@given(header=st.text(st.characters(max_codepoint=255), max_size=60), prefix=st.booleans())
def test_whatever_stands_in_the_header_is_refused_in_order(header: str, *, prefix: bool) -> None:
    request = with_header(signed_request(), "authorization", ("AWS4-HMAC-SHA256 " if prefix else "") + header)
    with pytest.raises(KmsError) as refused:
        check(request)
    assert isinstance(refused.value, IncompleteSignatureException | InvalidSignatureException)


def test_no_refusal_shows_the_secret_or_the_signature_that_was_expected() -> None:
    request = signed_request()
    with pytest.raises(InvalidSignatureException) as refused:
        check(replace(request, body=b"other"), time_of(request))
    assert not re.search(r"[0-9a-f]{64}", refused.value.message)
    assert SECRET not in repr(KEY)
