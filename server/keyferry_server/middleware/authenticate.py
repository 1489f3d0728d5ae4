"""Finds out who is calling, and in which account and Region."""

from collections.abc import Callable, Sequence
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
from keyferry_server.domain.multi_region import no_such_region

AllowsRegion = Callable[[str], bool]

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


def authenticate_as(caller: Principal) -> Middleware:
    """Return the middleware of a server without authentication: everyone who reaches it is `caller`."""

    async def authenticated(request: Message, call: Call, proceed: Handler) -> Message:
        return await _proceed(request, call, proceed, caller)

    return authenticated


def authenticate_by(authenticators: Sequence[Authenticator]) -> Middleware:
    """Return the middleware that takes the word of the first authenticator that is shown something.

    What is shown and does not do is refused, and never passed over for the next
    authenticator. Why it does not do is in the log, and not in the answer.
    """

    async def authenticated(request: Message, call: Call, proceed: Handler) -> Message:
        try:
            for authenticate in authenticators:
                caller = await authenticate(call.evidence)
                if caller is not None:
                    return await _proceed(request, call, proceed, caller)
        except CallerRefusedError as refusal:
            _log.warning("caller refused", request_id=call.request_id, peer=call.peer, reason=str(refusal))
            if refusal.is_expired:
                raise ExpiredTokenException("The security token included in the request is expired") from None
            raise UnrecognizedClientException(
                "The security token included in the request is invalid."
            ) from None
        raise MissingAuthenticationTokenException("Missing Authentication Token")

    return authenticated


def by_wire(over_grpc: Middleware, over_aws: Middleware) -> Middleware:
    """Return the middleware that authenticates the calls of each wire in its own way."""

    async def authenticated(request: Message, call: Call, proceed: Handler) -> Message:
        authenticate = over_grpc if call.http_request is None else over_aws
        return await authenticate(request, call, proceed)

    return authenticated


def in_asked_region(authenticate: Middleware, allows_region: AllowsRegion) -> Middleware:
    """Return a middleware of gRPC whose callers, once they are known, may ask for another Region than the default one."""

    async def authenticated(request: Message, call: Call, proceed: Handler) -> Message:
        async def there(request: Message, call: Call) -> Message:
            region = call.asked_region
            if region is None:
                return await proceed(request, call)
            if not allows_region(region):
                raise no_such_region(region)
            call = replace(call, scope=replace(call.scope, region=region))
            if isinstance(call.caller, Principal):
                note_caller(call.caller.account_id, call.caller.arn, region)
            return await proceed(request, call)

        return await authenticate(request, call, there)

    return authenticated


def take_any_signature(caller: Principal, allows_region: AllowsRegion) -> Middleware:
    """Return the middleware of AWS's wire without authentication: everyone who reaches it is `caller`.

    Whoever signs is not asked with what, but gets the Region of the signature.
    """

    async def authenticated(request: Message, call: Call, proceed: Handler) -> Message:
        region = _claimed_region(_http_request(call)) or call.scope.region
        return await _proceed(request, _in_region(call, region, allows_region), proceed, caller)

    return authenticated


def check_signatures(access_keys: AccessKeys, clock: Clock, allows_region: AllowsRegion) -> Middleware:
    """Return the middleware of AWS's wire: who signs with an access key is the key's principal."""

    async def authenticated(request: Message, call: Call, proceed: Handler) -> Message:
        http_request = _http_request(call)
        signed = Signed.parse(http_request)
        signed.check(http_request, clock.now())
        call = _in_region(call, signed.region, allows_region)
        # A temporary credential is a key with a token; there are none here.
        is_temporary = bool(http_request.header_values("x-amz-security-token"))
        key = None if is_temporary else await access_keys.find(signed.access_key_id)
        if key is None:
            raise UnrecognizedClientException("The security token included in the request is invalid.")
        signed.verify(http_request, key)
        return await _proceed(request, call, proceed, key.principal)

    return authenticated


def _http_request(call: Call) -> HttpRequest:
    if call.http_request is None:
        raise LookupError("a call over gRPC is not authenticated by what AWS's wire has")
    return call.http_request


def _claimed_region(request: HttpRequest) -> str | None:
    try:
        return Signed.parse(request).region
    except (MissingAuthenticationTokenException, IncompleteSignatureException):
        return None


def _in_region(call: Call, region: str, allows_region: AllowsRegion) -> Call:
    if not allows_region(region):
        raise InvalidSignatureException(
            f"Credential should be scoped to a valid region, not '{shown(region)}'."
        )
    return replace(call, scope=replace(call.scope, region=region))


async def _proceed(request: Message, call: Call, proceed: Handler, caller: Principal) -> Message:
    note_caller(caller.account_id, caller.arn, call.scope.region)
    scope = replace(call.scope, account_id=caller.account_id)
    return await proceed(request, replace(call, caller=caller, scope=scope))
