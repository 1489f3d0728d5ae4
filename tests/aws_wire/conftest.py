"""What the tests of AWS's wire share."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Kms = Any
Refusal = Callable[..., Awaitable[ClientError]]


async def ask(call: Callable[..., Any], **members: Any) -> Any:
    """Make a call of a blocking SDK."""
    return await asyncio.to_thread(call, **members)


async def refusal(call: Callable[..., Any], **members: Any) -> tuple[str, str]:
    """Make a call that must be refused; return the exception's name and its message."""
    with pytest.raises(ClientError) as refused:
        await ask(call, **members)
    error: Any = refused.value.response["Error"]
    return error["Code"], error["Message"]
