"""Turns an unexpected exception into a KMSInternalException that tells the caller nothing but the request id."""

import structlog
from google.protobuf.message import Message

from keyferry_server.call import Call, Handler
from keyferry_server.domain.errors import KmsError, KMSInternalException

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


async def hide_faults(request: Message, call: Call, proceed: Handler) -> Message:
    """Let refusals pass; log everything else with its traceback and hide it."""
    try:
        return await proceed(request, call)
    except KMSInternalException as error:
        _log.error(
            "internal fault", request_id=call.request_id, operation=call.route.name, reason=error.message
        )
        raise
    except KmsError:
        raise
    except Exception:  # noqa: BLE001 -- the last line of defence
        _log.exception("unexpected exception", request_id=call.request_id, operation=call.route.name)
        raise KMSInternalException(
            f"An internal error occurred. The server's log has the details under request id {call.request_id}."
        ) from None
