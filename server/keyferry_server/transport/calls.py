"""The way in that the wires share: what arrived becomes a Call and runs through the middleware to its operation."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

from keyferry.v1 import key_management_service_pb2, keyferry_service_pb2
from keyferry_server.authn.caller import Anonymous
from keyferry_server.authn.evidence import NOTHING_SHOWN, Evidence
from keyferry_server.authn.http_request import HttpRequest
from keyferry_server.call import Call, Handler, Middleware, Route
from keyferry_server.domain.errors import KmsError
from keyferry_server.domain.identifiers import Scope
from keyferry_server.domain.random_id import generate_random_id
from keyferry_server.middleware import compose

# AWS's operations, and those that AWS does not have.
AWS_SERVICE = key_management_service_pb2.DESCRIPTOR.services_by_name["KeyManagementService"]
OWN_SERVICE = keyferry_service_pb2.DESCRIPTOR.services_by_name["KeyferryService"]
SERVICES = (AWS_SERVICE, OWN_SERVICE)

# A call ends this much before its caller gives up, so that the caller learns why.
_MARGIN_SHARE = 0.1
_LONGEST_MARGIN_SECONDS = 0.5


class UnreadableRequestError(Exception):
    """A request could not be read, as nobody expected. The text is for the log: it holds nothing of the request."""


class Calls:
    """Makes the calls of every wire and knows how many are at work."""

    def __init__(
        self,
        routes: Sequence[Route],
        operations: Mapping[type[Any], Handler],
        middleware: Sequence[Middleware],
        scope: Scope,
    ) -> None:
        self.routes = routes
        self.running = 0
        self._handlers = {route.name: compose(middleware, operations[route.operation]) for route in routes}
        self._middleware = middleware
        self._scope = scope
        self._idle = asyncio.Event()
        self._idle.set()

    def open(
        self,
        route: Route,
        *,
        peer: str,
        request_id: str | None = None,
        is_encrypted: bool = False,
        seconds_left: float | None = None,
        evidence: Evidence = NOTHING_SHOWN,
        asked_region: str | None = None,
        http_request: HttpRequest | None = None,
    ) -> Call:
        """Make the call of a request that arrived; `seconds_left` is how long its caller will wait, if it says so."""
        return Call(
            request_id=request_id or generate_random_id(),
            route=route,
            peer=peer,
            deadline=asyncio.get_running_loop().time() + _seconds(seconds_left, route),
            caller=Anonymous(),
            scope=self._scope,
            is_encrypted=is_encrypted,
            evidence=evidence,
            asked_region=asked_region,
            http_request=http_request,
        )

    async def run(self, request: Message, call: Call) -> Message:
        """Run a call and return its answer; KmsError if it is refused."""
        return await self._count(self._handlers[call.route.name], request, call)

    async def read_and_run(self, read: Callable[[], Message], call: Call) -> Message:
        """Run a call whose request `read` gives; KmsError if that cannot be read, or is refused.

        Of what cannot be read everything around an operation learns, an operation does not. So it
        is recorded, counted and logged like others, and whoever may not call learns that and nothing else.
        """
        failure: Exception
        try:
            request = read()
        except KmsError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 -- it is a fault, and hidden like every other
            # The text may show what was sent; where it happened does not.
            failure = UnreadableRequestError(type(error).__name__).with_traceback(error.__traceback__)
        else:
            return await self.run(request, call)

        async def refused(_request: Message, _call: Call) -> NoReturn:
            raise failure

        return await self._count(compose(self._middleware, refused), Empty(), call)

    async def none_running(self) -> None:
        """Wait until no call is at work."""
        await self._idle.wait()

    async def _count(self, handler: Handler, request: Message, call: Call) -> Message:
        self.running += 1
        self._idle.clear()
        try:
            return await handler(request, call)
        finally:
            self.running -= 1
            if self.running == 0:
                self._idle.set()


def _seconds(remaining: float | None, route: Route) -> float:
    if remaining is None:
        return route.deadline_seconds
    margin = min(remaining * _MARGIN_SHARE, _LONGEST_MARGIN_SECONDS)
    return min(remaining - margin, route.deadline_seconds)
