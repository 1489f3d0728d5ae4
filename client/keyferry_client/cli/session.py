"""What every command shares: the endpoint it calls and the form of its answer."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import typer

from keyferry_client.client import KeyManagementServiceClient

Answer = TypeVar("Answer")


class Output(StrEnum):
    """The form of answers."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Session:
    """One run of the command."""

    endpoint: str
    output: Output

    def call(self, work: Callable[[KeyManagementServiceClient], Awaitable[Answer]]) -> Answer:
        """Do `work` with a client of the endpoint and return what it returns."""

        async def connected() -> Answer:
            async with KeyManagementServiceClient(self.endpoint) as client:
                return await work(client)

        return asyncio.run(connected())

    def show(self, answer: Mapping[str, Any], text: str) -> None:
        """Write the answer to standard output: `answer` as JSON, or `text` for people."""
        typer.echo(json.dumps(answer, indent=2, ensure_ascii=False) if self.output is Output.JSON else text)


def session_of(context: typer.Context) -> Session:
    """Return the session that the options before the command made."""
    session = context.obj
    if not isinstance(session, Session):
        raise TypeError("the command runs without its options")
    return session
