"""What every command shares: the client that it calls with, and the form of its answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import typer

from keyferry_client.cli.terminal import in_json, on_one_line
from keyferry_client.client import KeyManagementServiceClient
from keyferry_client.credentials import Tls
from keyferry_client.errors import InputError

Answer = TypeVar("Answer")


class Output(StrEnum):
    """The form of answers."""

    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Session:
    """One run of the command. Its files are read when a call is made, not before."""

    endpoints: tuple[str, ...]
    output: Output
    identity: Path | None = None
    authorities: Path | None = None
    server_name: str | None = None
    token_file: Path | None = None
    timeout: float = 30.0
    region: str | None = None

    def call(self, work: Callable[[KeyManagementServiceClient], Awaitable[Answer]]) -> Answer:
        """Do `work` with a client of the endpoints and return what it returns."""

        async def connected() -> Answer:
            async with self._client() as client:
                return await work(client)

        return asyncio.run(connected())

    def show(self, answer: Mapping[str, Any], text: str | None = None) -> None:
        """Write the answer to standard output: as JSON, or `text` for people, or a line for each member."""
        if self.output is Output.JSON:
            typer.echo(in_json(answer))
        elif text is not None:
            typer.echo("\n".join(map(on_one_line, text.split("\n"))))
        else:
            self._show_members(answer)

    def show_metadata(self, answer: Mapping[str, Any]) -> None:
        """Write a key's metadata."""
        if self.output is Output.JSON:
            self.show(answer)
        else:
            self._show_members(answer["KeyMetadata"])

    def show_list(self, name: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
        """Write a list: as JSON under its name, or as a table of `columns`."""
        if self.output is Output.JSON:
            self.show({name: list(rows)})
        else:
            from keyferry_client.cli.tables import show_rows  # noqa: PLC0415 -- as below

            show_rows(columns, rows)

    @staticmethod
    def _show_members(answer: Mapping[str, Any]) -> None:
        from keyferry_client.cli.tables import show_members  # noqa: PLC0415 -- who asks for JSON need not wait for it

        show_members(answer)

    def _client(self) -> KeyManagementServiceClient:
        return KeyManagementServiceClient(
            self.endpoints,
            tls=self._tls(),
            bearer_token=self._bearer_token(),
            region=self.region,
            timeout=self.timeout,
        )

    def _bearer_token(self) -> str | None:
        if self.token_file is None:
            return None
        try:
            return self.token_file.read_text("ascii").strip()
        except UnicodeDecodeError:
            raise InputError(
                f"{self.token_file} is not a bearer token: name a file that holds a JWT in ASCII, and nothing else."
            ) from None

    def _tls(self) -> Tls | None:
        if self.identity is not None:
            return Tls.from_folder(self.identity, authorities=self.authorities, server_name=self.server_name)
        if self.authorities is not None or self.server_name is not None:
            return Tls.from_files(authorities=self.authorities, server_name=self.server_name)
        return None


def session_of(context: typer.Context) -> Session:
    """Return the session that the options before the command made."""
    session = context.obj
    if not isinstance(session, Session):
        raise TypeError("the command runs without its options")
    return session
