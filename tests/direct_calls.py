"""Calls of an operation without a wire, by whomever the test wants to be."""

import asyncio
from dataclasses import dataclass
from typing import Any

from fixtures.server import TestServer
from google.protobuf.message import Message

from keyferry_server.authn.caller import Anonymous, Principal
from keyferry_server.call import Call
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.identifiers import Scope
from keyferry_server.domain.principal import IdentityPolicy, parse_principal_name
from keyferry_server.routes import ROUTES
from keyferry_server.storage.principal_store import PrincipalStore

ROOT = Principal("000000000000", "arn:aws:iam::000000000000:root")


def call_of(operation: type[Any], *, caller: Principal | Anonymous = ROOT, **more: Any) -> Call:
    """Return a call with an hour's time, by the root of the server's account or somebody else."""
    account_id = caller.account_id if isinstance(caller, Principal) else ROOT.account_id
    (route,) = (route for route in ROUTES if route.operation is operation)
    return Call(
        request_id="direct",
        route=route,
        peer=more.pop("peer", "ipv4:192.0.2.1:40000"),
        deadline=asyncio.get_running_loop().time() + 3600,
        caller=caller,
        scope=Scope("aws", "us-east-1", account_id),
        **more,
    )


@dataclass(frozen=True)
class Somebody:
    """A caller of a running server, beside its wire: `send` answers or raises the server's own errors."""

    server: TestServer
    arn: str

    @property
    def principal(self) -> Principal:
        return Principal(self.arn.split(":")[4], self.arn)

    async def send(self, request: Message, **more: Any) -> Any:
        """Call the operation that a request belongs to."""
        name = type(request).__name__.removesuffix("Request")
        (operation,) = (route.operation for route in ROUTES if route.name == name)
        call = call_of(operation, caller=self.principal, request=request, **more)
        return await self.server.running.operations[operation](request, call)

    async def attach(self, name: str, document: str) -> None:
        """Attach an identity policy to the caller."""
        clock: Clock = self.server.clock
        policy = IdentityPolicy(name, document, clock.now())
        await PrincipalStore(self.server.running.database).attach(self.arn, policy)

    async def detach(self, name: str) -> None:
        await PrincipalStore(self.server.running.database).detach(self.arn, name)


async def somebody(server: TestServer, arn: str, *policies: str) -> Somebody:
    """Return a principal as a caller, made if it can be, with identity policies."""
    name = parse_principal_name(arn)
    caller = Somebody(server, arn)
    if not caller.principal.is_root:
        await PrincipalStore(server.running.database).add(name, server.clock.now())
    for number, document in enumerate(policies):
        await caller.attach(f"policy-{number}", document)
    return caller
