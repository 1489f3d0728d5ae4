"""A request that cannot be read is a call like others to everything around the operation, which does not see it."""

import traceback
from collections.abc import Callable

import pytest
from direct_calls import call_of
from fakes.moved_clock import MovedClock
from google.protobuf.message import Message

from keyferry.v1 import ListKeysRequest, ListKeysResponse
from keyferry_server.call import Call, Handler
from keyferry_server.domain.audit_trail import AuditTrail, CallTrail
from keyferry_server.domain.errors import KmsError, KMSInternalException, SerializationException
from keyferry_server.domain.identifiers import Scope
from keyferry_server.middleware.audit import audit
from keyferry_server.middleware.faults import hide_faults
from keyferry_server.operations.list_keys import ListKeys
from keyferry_server.transport.calls import Calls


class KeptLog:
    """An audit log in memory."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, str] | None] = []

    def check_open(self) -> None:
        """It never closes."""

    def keep(self, trail: AuditTrail) -> None:
        assert isinstance(trail, CallTrail)
        self.kept.append(trail.error)

    async def settle(self) -> None:
        """Nothing is safer than it is."""


class Failures:
    """What comes out of the operation, as middleware and the log's traceback see it."""

    def __init__(self) -> None:
        self.tracebacks: list[str] = []

    async def note(self, request: Message, call: Call, proceed: Handler) -> Message:
        try:
            return await proceed(request, call)
        except Exception as error:
            self.tracebacks.append("".join(traceback.format_exception(error)))
            raise


async def answer(_request: Message, _call: Call) -> Message:
    return ListKeysResponse(truncated=False)


def raising(error: Exception) -> Callable[[], Message]:
    def read() -> Message:
        raise error

    return read


async def refusal(read: Callable[[], Message]) -> tuple[KmsError, KeptLog, Failures]:
    call, log, failures = call_of(ListKeys), KeptLog(), Failures()
    scope = Scope("aws", "us-east-1", "000000000000")
    middleware = [audit(log, MovedClock()), hide_faults, failures.note]
    calls = Calls([call.route], {ListKeys: answer}, middleware, scope)

    assert await calls.read_and_run(ListKeysRequest, call) == ListKeysResponse(truncated=False)
    with pytest.raises(KmsError) as refused:
        await calls.read_and_run(read, call)
    return refused.value, log, failures


async def test_a_request_that_is_refused_in_reading_is_recorded() -> None:
    error, log, _ = await refusal(raising(SerializationException("It is no JSON.")))

    assert error.message == "It is no JSON."
    assert log.kept == [None, ("SerializationException", "It is no JSON.")]


async def test_a_fault_in_reading_is_recorded_and_hidden_and_shows_nothing_of_the_request() -> None:
    error, log, failures = await refusal(raising(OverflowError("the secret 4711 is too large")))

    assert isinstance(error, KMSInternalException)
    assert log.kept == [None, ("KMSInternalException", error.message)]
    (logged,) = failures.tracebacks
    assert "OverflowError" in logged
    assert "in read" in logged
    assert "4711" not in logged + error.message
