"""Records every call, also refused ones, outermost: by then nothing can happen that is not recorded.

A call that changed something was recorded with its change, in one transaction. Every
other is handed to the log afterwards.
"""

import asyncio
from typing import Protocol

from google.protobuf.message import Message

from keyferry_server.call import Call, Handler, Middleware
from keyferry_server.domain.audit_trail import AuditTrail, CallTrail, recording
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.errors import DependencyTimeoutException, KmsError
from keyferry_server.wire.audit import format_request_parameters


class CallLog(Protocol):
    """Takes the trails of calls that changed nothing."""

    def check_open(self) -> None:
        """Raise DependencyTimeoutException while no more calls can be recorded."""
        ...

    def keep(self, trail: AuditTrail) -> None:
        """Keep the records of a call until they are written."""
        ...

    async def settle(self) -> None:
        """Return when all that is kept is as safe as the log promises; DependencyTimeoutException if it cannot be."""
        ...


def audit(log: CallLog, clock: Clock) -> Middleware:
    """Return the middleware that records calls in `log`."""

    async def audited(request: Message, call: Call, proceed: Handler) -> Message:
        log.check_open()
        trail = CallTrail(
            call.route.name,
            call.request_id,
            clock.now(),
            call.scope.region,
            call.peer,
            format_request_parameters(request),
        )
        try:
            with recording(trail):
                response = await proceed(request, call)
        except KmsError as error:
            trail.error = (error.name, error.message)
            log.keep(trail)
            await _settled(log, call)
            raise
        except BaseException as failure:
            if not trail.is_written:
                trail.error = (
                    ("Cancelled", "The caller cancelled the call or went away.")
                    if isinstance(failure, asyncio.CancelledError)
                    else ("KMSInternalException", "The call failed in a way that nobody expected.")
                )
                log.keep(trail)
            raise
        if not trail.is_written:
            log.keep(trail)
            await _settled(log, call)
        return response

    return audited


async def _settled(log: CallLog, call: Call) -> None:
    """Wait for what the log promises, no longer than the caller does: the call's own deadline is enforced further in."""
    try:
        async with asyncio.timeout_at(call.deadline):
            await log.settle()
    except TimeoutError:
        raise DependencyTimeoutException(
            "The audit log was not written in time. The request may be retried."
        ) from None
