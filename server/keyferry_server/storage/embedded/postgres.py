"""Starts the embedded Postgres and stops it."""

import asyncio
import subprocess
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

import asyncpg

from keyferry_server.storage.embedded.cluster import SUPERUSER, check_cluster, make_cluster, remove_unfinished
from keyferry_server.storage.embedded.data_folder import DataFolder, open_data_folder
from keyferry_server.storage.embedded.errors import EmbeddedPostgresError
from keyferry_server.storage.embedded.programs import process_arguments
from keyferry_server.storage.embedded.shutdown import shut_down
from keyferry_server.storage.embedded.socket_folder import PORT, close_socket_folder, open_socket_folder
from keyferry_server.storage.embedded.software import Software, find_software
from keyferry_server.storage.embedded.system_user import SystemUser, postgres_user

DATABASE = "keyferry"
# After a crash Postgres first replays what it had promised.
_START_SECONDS = 120.0
_ANSWER_SECONDS = 10.0
_POLL_SECONDS = 0.02
_NOT_READY = (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError)


class EmbeddedPostgres:
    """A running Postgres of our own; `start` makes it.

    It belongs to no event loop: it may be stopped from another than it was started in.
    """

    def __init__(self, process: subprocess.Popen[bytes], socket_folder: Path, undo: AsyncExitStack) -> None:
        self._process = process
        self._socket_folder = socket_folder
        self._undo = undo

    @classmethod
    async def start(
        cls, data_folder: Path, settings: Mapping[str, str] = MappingProxyType({})
    ) -> "EmbeddedPostgres":
        """Start Postgres on a data folder, which is made if it is not there, and return when it answers.

        1. Find the programs, and whom they run as.
        2. Open the folder and lock it.
        3. End what a killed server left running on it.
        4. On the first start, make the cluster.
        5. Start Postgres; wait until a connection is answered; make the database `keyferry` if it is not there.

        `settings` are Postgres's own, as in postgresql.conf. EmbeddedPostgresError,
        which says what to do; then nothing is left running.
        """
        try:
            return await cls._start(data_folder, settings)
        except OSError as error:
            raise EmbeddedPostgresError(
                f"The embedded Postgres cannot use {error.filename or data_folder}: {error.strerror or error}."
            ) from error

    @classmethod
    async def _start(cls, data_folder: Path, settings: Mapping[str, str]) -> "EmbeddedPostgres":
        software = find_software()
        # Not before: it needs psutil, which comes with the wheel.
        from keyferry_server.storage.embedded.leftover import end_leftover, wait_until_deserted  # noqa: PLC0415

        user = postgres_user()
        async with AsyncExitStack() as undo:
            folder = await asyncio.to_thread(open_data_folder, data_folder, user)
            undo.enter_context(folder.lock())
            await end_leftover(folder.cluster)
            software = await asyncio.to_thread(software.for_user, user, folder.path)
            await asyncio.to_thread(remove_unfinished, folder)
            if not folder.cluster.exists():
                durable = settings.get("fsync", "on") == "on"
                await make_cluster(folder, software, user, durable=durable)
            check_cluster(folder, user)
            socket_folder = await asyncio.to_thread(open_socket_folder, folder, user)
            undo.callback(close_socket_folder, socket_folder, folder)
            process = _launch(folder, software, user, socket_folder, settings)
            undo.push_async_callback(wait_until_deserted, folder.cluster)
            undo.push_async_callback(shut_down, process.send_signal, lambda: process.poll() is not None)
            started = cls(process, socket_folder, undo)
            await started._wait_until_ready(folder)
            started._undo = undo.pop_all()
            return started

    async def stop(self) -> None:
        """End Postgres in order and give the data folder back; harmless if that was done before."""
        await self._undo.aclose()

    @property
    def pid(self) -> int:
        """The process id of the postmaster."""
        return self._process.pid

    def dsn(self, database: str = DATABASE) -> str:
        """Return where `database` is, as asyncpg and libpq read it."""
        return (
            f"postgresql://{SUPERUSER}@/{quote(database)}?host={quote(str(self._socket_folder))}&port={PORT}"
        )

    def url(self, database: str = DATABASE) -> str:
        """Return where `database` is, as SQLAlchemy reads it."""
        return self.dsn(database).replace("postgresql:", "postgresql+asyncpg:", 1)

    async def _wait_until_ready(self, folder: DataFolder) -> None:
        end = time.monotonic() + _START_SECONDS
        while not await self._answers():
            if self._process.poll() is not None:
                raise EmbeddedPostgresError(
                    f"Postgres ended while it was starting. The end of {folder.log}:\n{folder.end_of_log()}"
                )
            if time.monotonic() > end:
                raise EmbeddedPostgresError(
                    f"Postgres did not answer within {_START_SECONDS:g} seconds. The end of {folder.log}:\n{folder.end_of_log()}"
                )
            await asyncio.sleep(_POLL_SECONDS)

    async def _answers(self) -> bool:
        try:
            await self._execute(DATABASE, "SELECT 1")
        except asyncpg.InvalidCatalogNameError:
            await self._execute("postgres", f"CREATE DATABASE {DATABASE}")
        except _NOT_READY:
            return False
        return True

    async def _execute(self, database: str, statement: str) -> None:
        connection = await asyncpg.connect(self.dsn(database), timeout=_ANSWER_SECONDS)
        try:
            await connection.execute(statement)
        finally:
            await connection.close(timeout=_ANSWER_SECONDS)


def _launch(
    folder: DataFolder,
    software: Software,
    user: SystemUser,
    socket_folder: Path,
    settings: Mapping[str, str],
) -> subprocess.Popen[bytes]:
    # Ours come last, and the last one counts.
    chosen = {
        **settings,
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": f'"{socket_folder}"',
        "unix_socket_permissions": "0700",
    }
    with folder.open_log() as log:
        return subprocess.Popen(  # noqa: S603 -- Postgres, with settings from our own code
            [
                software.postgres,
                "-D",
                folder.cluster,
                *(f"--{name}={value}" for name, value in chosen.items()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            **process_arguments(user),
        )
