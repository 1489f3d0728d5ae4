"""Finds out who is calling, and in which account and Region."""

from collections.abc import Callable
from dataclasses import replace

from google.protobuf.message import Message

from keyferry_server.authn.access_keys import AccessKeys
from keyferry_server.authn.caller import Principal
from keyferry_server.authn.http_request import HttpRequest
from keyferry_server.authn.sigv4 import Signed
from keyferry_server.call import Call, Handler, Middleware
from keyferry_server.domain.audit_trail import note_caller
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.errors import (
    IncompleteSignatureException,
    InvalidSignatureException,
    MissingAuthenticationTokenException,
    UnrecognizedClientException,
    shown,
)
from keyferry_server.domain.identifiers import Scope

AllowsRegion = Callable[[str], bool]


def authenticate_as(caller: Principal, allows_region: AllowsRegion) -> Middleware:
    """Return the middleware of a server without authentication: everyone who reaches it is `caller`.

    Whoever signs is not asked with what, but gets the Region of the signature.
    """

    async def authenticated(request: Message, call: Call, proceed: Handler) -> Message:
        scope = call.scope
        if call.http_request is not None:
            scope = _in_region(scope, _claimed_region(call.http_request) or scope.region, allows_region)
        return await _proceed(request, call, proceed, caller, scope)

    return authenticated


def authenticate_signed(
    access_keys: AccessKeys, clock: Clock, allows_region: AllowsRegion, other: Middleware
) -> Middleware:
    """Return the middleware that checks signatures of requests over HTTP; `other` authenticates all other calls."""

    async def authenticated(request: Message, call: Call, proceed: Handler) -> Message:
        http_request = call.http_request
        if http_request is None:
            return await other(request, call, proceed)
        signed = Signed.parse(http_request)
        signed.check(http_request, clock.now())
        scope = _in_region(call.scope, signed.region, allows_region)
        # A temporary credential is a key with a token; there are none here.
        is_temporary = bool(http_request.header_values("x-amz-security-token"))
        key = None if is_temporary else await access_keys.find(signed.access_key_id)
        if key is None:
            raise UnrecognizedClientException("The security token included in the request is invalid.")
        signed.verify(http_request, key)
        return await _proceed(request, call, proceed, key.principal, scope)

    return authenticated


def _claimed_region(request: HttpRequest) -> str | None:
    try:
        return Signed.parse(request).region
    except (MissingAuthenticationTokenException, IncompleteSignatureException):
        return None


def _in_region(scope: Scope, region: str, allows_region: AllowsRegion) -> Scope:
    if not allows_region(region):
        raise InvalidSignatureException(
            f"Credential should be scoped to a valid region, not '{shown(region)}'."
        )
    return replace(scope, region=region)


async def _proceed(
    request: Message, call: Call, proceed: Handler, caller: Principal, scope: Scope
) -> Message:
    note_caller(caller.account_id, caller.arn, scope.region)
    return await proceed(
        request, replace(call, caller=caller, scope=replace(scope, account_id=caller.account_id))
    )
