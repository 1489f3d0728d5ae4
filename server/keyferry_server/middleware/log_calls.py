"""One log line a call: who, what, how it ended, how long it took. Never what was in it."""

import asyncio
import time

import structlog
from google.protobuf.message import Message

from keyferry_server.call import Call, Handler
from keyferry_server.domain.audit_trail import CallTrail, current_trail
from keyferry_server.domain.errors import KmsError

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


async def log_calls(request: Message, call: Call, proceed: Handler) -> Message:
    """Log the outcome of the call; the key identifier is the caller's own words, shortened."""
    outcome = "ok"
    start = time.perf_counter()
    try:
        return await proceed(request, call)
    except KmsError as error:
        outcome = error.name
        raise
    except asyncio.CancelledError:
        outcome = "cancelled"
        raise
    finally:
        _log.info(
            "call",
            request_id=call.request_id,
            operation=call.route.name,
            outcome=outcome,
            peer=call.peer,
            caller=_caller(),
            key_id=getattr(request, "key_id", "")[:80] or None,
            milliseconds=round((time.perf_counter() - start) * 1000, 3),
        )


def _caller() -> str | None:
    # The call that is seen here is that from before it was authenticated.
    trail = current_trail.get()
    return trail.caller.get("arn") if isinstance(trail, CallTrail) else None
