"""Finds out who is calling, and in which account."""

from collections.abc import Sequence
from dataclasses import replace

import structlog
from google.protobuf.message import Message

from keyferry_server.authn.caller import Principal
from keyferry_server.authn.evidence import Authenticator, CallerRefusedError
from keyferry_server.call import Call, Handler, Middleware
from keyferry_server.domain.audit_trail import note_caller
from keyferry_server.domain.errors import (
    ExpiredTokenException,
    MissingAuthenticationTokenException,
    UnrecognizedClientException,
)

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


async def _proceed(request: Message, call: Call, proceed: Handler, caller: Principal) -> Message:
    note_caller(caller.account_id, caller.arn)
    scope = replace(call.scope, account_id=caller.account_id)
    return await proceed(request, replace(call, caller=caller, scope=scope))
