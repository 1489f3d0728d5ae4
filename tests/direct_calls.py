"""Calls of an operation without a wire, as the server of the tests would make them."""

import asyncio
from typing import Any

from keyferry_server.authn.caller import Principal
from keyferry_server.call import Call
from keyferry_server.domain.identifiers import Scope
from keyferry_server.routes import ROUTES


def call_of(operation: type[Any]) -> Call:
    """Return a call by the account's own principal, with an hour's time."""
    scope = Scope("aws", "us-east-1", "000000000000")
    (route,) = (route for route in ROUTES if route.operation is operation)
    return Call(
        request_id="direct",
        route=route,
        peer="test",
        deadline=asyncio.get_running_loop().time() + 3600,
        caller=Principal(scope.account_id, f"arn:aws:iam::{scope.account_id}:root"),
        scope=scope,
    )
