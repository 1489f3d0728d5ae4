"""Finds out who is calling, and in which account and Region."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import structlog
from google.protobuf.message import Message

from keyferry_server.authn.access_keys import AccessKeys
from keyferry_server.authn.caller import Principal
from keyferry_server.authn.evidence import Authenticator, CallerRefusedError
from keyferry_server.authn.http_request import HttpRequest
from keyferry_server.authn.sigv4 import Signed
from keyferry_server.call import Call, Handler, Middleware
from keyferry_server.domain.audit_trail import note_caller
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.errors import (
    ExpiredTokenException,
    IncompleteSignatureException,
    InvalidSignatureException,
    MissingAuthenticationTokenException,
    UnrecognizedClientException,
    shown,
)
from keyferry_server.domain.identifiers import Scope
from keyferry_server.domain.multi_region import no_such_region

AllowsRegion = Callable[[str], bool]
# Tells who is calling, and in which Region; KmsError if that is not to be known, or not allowed.
Identify = Callable[[Call], Awaitable[tuple[Principal, str]]]

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


def authenticate(over_grpc: Identify, over_aws: Identify) -> Middleware:
    """Return the middleware that goes on with a call that knows its caller, its account and Region, and its request."""

    async def authenticated(request: Message, call: Call, proceed: Handler) -> Message:
        identify = over_grpc if call.http_request is None else over_aws
        caller, region = await identify(call)
        note_caller(caller.account_id, caller.arn, region)
        scope = Scope(call.scope.partition, region, caller.account_id)
        return await proceed(request, replace(call, caller=caller, scope=scope, request=request))

    return authenticated


def as_one(caller: Principal, allows_region: AllowsRegion) -> Identify:
    """Identify callers over gRPC to a server without authentication: everyone who reaches it is `caller`."""

    async def identify(call: Call) -> tuple[Principal, str]:
        return caller, _asked_region(call, caller, allows_region)

    return identify


def by_evidence(authenticators: Sequence[Authenticator], allows_region: AllowsRegion) -> Identify:
    """Identify callers over gRPC by the word of the first authenticator that is shown something.

    What is shown and does not do is refused, and never passed over for the next
    authenticator. Why it does not do is in the log, and not in the answer.
    """

    async def identify(call: Call) -> tuple[Principal, str]:
        try:
            for authenticate in authenticators:
                caller = await authenticate(call.evidence)
                if caller is not None:
                    return caller, _asked_region(call, caller, allows_region)
        except CallerRefusedError as refusal:
            _log.warning("caller refused", request_id=call.request_id, peer=call.peer, reason=str(refusal))
            if refusal.is_expired:
                raise ExpiredTokenException("The security token included in the request is expired") from None
            raise UnrecognizedClientException(
                "The security token included in the request is invalid."
            ) from None
        raise MissingAuthenticationTokenException("Missing Authentication Token")

    return identify


def as_one_who_signs(caller: Principal, allows_region: AllowsRegion) -> Identify:
    """Identify callers on AWS's wire of a server without authentication: everyone who reaches it is `caller`.

    Whoever signs is not asked with what, but gets the Region of the signature.
    """

    async def identify(call: Call) -> tuple[Principal, str]:
        region = _claimed_region(_http_request(call)) or call.scope.region
        _check_signed_region(region, allows_region)
        return caller, region

    return identify


def by_signature(access_keys: AccessKeys, clock: Clock, allows_region: AllowsRegion) -> Identify:
    """Identify callers on AWS's wire: who signs with an access key is the key's principal."""

    async def identify(call: Call) -> tuple[Principal, str]:
        http_request = _http_request(call)
        signed = Signed.parse(http_request)
        signed.check(http_request, clock.now())
        _check_signed_region(signed.region, allows_region)
        # A temporary credential is a key with a token; there are none here.
        is_temporary = bool(http_request.header_values("x-amz-security-token"))
        key = None if is_temporary else await access_keys.find(signed.access_key_id)
        if key is None:
            raise UnrecognizedClientException("The security token included in the request is invalid.")
        signed.verify(http_request, key)
        return key.principal, signed.region

    return identify


def _asked_region(call: Call, caller: Principal, allows_region: AllowsRegion) -> str:
    """Return the Region that a call over gRPC asks for; the default one if it asks for none."""
    region = call.asked_region
    if region is None:
        return call.scope.region
    if not allows_region(region):
        # Who asked is on record also then.
        note_caller(caller.account_id, caller.arn, call.scope.region)
        raise no_such_region(region)
    return region


def _http_request(call: Call) -> HttpRequest:
    if call.http_request is None:
        raise LookupError("a call over gRPC is not authenticated by what AWS's wire has")
    return call.http_request


def _claimed_region(request: HttpRequest) -> str | None:
    try:
        return Signed.parse(request).region
    except (MissingAuthenticationTokenException, IncompleteSignatureException):
        return None


def _check_signed_region(region: str, allows_region: AllowsRegion) -> None:
    if not allows_region(region):
        raise InvalidSignatureException(
            f"Credential should be scoped to a valid region, not '{shown(region)}'."
        )
