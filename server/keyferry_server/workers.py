"""Several worker processes behind one address: started, watched, restarted and ended by a supervisor.

1. The supervisor starts the embedded Postgres, if there is no other database, and
   keeps the addresses of both wires, without listening on them: all workers listen on
   them (SO_REUSEPORT), and the operating system gives each new connection to one of them.
2. A worker is `keyferry-server worker`: a whole server, which shares nothing with the
   others but the database. It reads its settings from standard input, says on standard
   output when it is ready, and drains when standard input ends: also when the supervisor
   was killed.
3. One that ends by itself, or does not get ready, is started again, at once, and then
   later and later.
4. A worker's metrics and health are on an address of its own, on the ports that follow
   that of the first worker: there is nobody who adds up and can be wrong.
"""

import asyncio
import json
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Coroutine, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, TypeVar

import structlog
from pydantic import SecretStr

from keyferry_server.domain.rate_limit import RateLimits
from keyferry_server.opening import StartError, with_database
from keyferry_server.settings import ListenAddress, Settings
from keyferry_server.transport.listening import CannotListenError, by_option

READY = "keyferry-server is ready: "
# A worker that is not ready by then never will be: it waits for something that does not answer.
_LONGEST_START_SECONDS = 60.0
# After the drain a worker still closes its connections and writes what is unwritten.
_FAREWELL_SECONDS = 20.0
_SHORTEST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 30.0
# A worker that lasted this long was a good one: the next pause is short again.
_GOOD_SECONDS = 60.0

T = TypeVar("T")

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


async def supervise(settings: Settings, stop: asyncio.Event) -> None:
    """Run `settings.workers` workers until `stop` is set; StartError if they do not start."""
    async with with_database(settings, may_make=True) as named:
        with ExitStack() as kept:
            with by_option("grpc-listen"):
                grpc = kept.enter_context(_kept(named.grpc_listen))
            aws = named.aws_listen
            if isinstance(aws, ListenAddress):
                with by_option("aws-listen"):
                    aws = kept.enter_context(_kept(aws))
            shared = named.model_copy(update={"grpc_listen": grpc, "aws_listen": aws})
            workers = [Worker(number, _with_own_metrics(shared, number)) for number in range(shared.workers)]
            try:
                metrics = await _unless(stop, _started(workers))
                if metrics is not None:
                    # With the metrics switched off they all say so.
                    sys.stdout.write(
                        f"{READY}grpc={grpc} aws={aws} metrics={','.join(dict.fromkeys(metrics))}\n"
                    )
                    sys.stdout.flush()
                    await _unless(stop, _kept_running(workers))
                _log.info("draining", seconds=settings.drain_seconds)
            finally:
                await asyncio.gather(*(worker.stop() for worker in workers))


class Worker:
    """One worker process, and the next one when that has ended."""

    def __init__(self, number: int, settings: Settings) -> None:
        self._number = number
        self._settings = settings
        self._process: Process | None = None

    async def start(self) -> str:
        """Start it and return the address of its metrics when it is ready.

        StartError, with its process gone, if it ends before, takes too long, or cannot be started.
        """
        try:
            process = self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "keyferry_server",
                "worker",
                str(self._number + 1),
                stdin=PIPE,
                stdout=PIPE,
                # Ctrl-C in a terminal reaches its whole group: only the supervisor is to hear it.
                start_new_session=True,
            )
        except OSError as error:
            raise StartError(f"worker {self._number + 1} cannot be started: {error}") from error
        try:
            async with asyncio.timeout(_LONGEST_START_SECONDS):
                line = await self._first_line(process)
        except TimeoutError:
            line = ""
        if not line.startswith(READY):
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise StartError(f"worker {self._number + 1} did not start")
        return line.rpartition("metrics=")[2].strip()

    async def _first_line(self, process: Process) -> str:
        if process.stdin is None or process.stdout is None:
            raise AssertionError("pipes were asked for")
        # RuntimeError: of an event loop that was told of the end before it was to write.
        with suppress(OSError, RuntimeError, ValueError):
            process.stdin.write(encode_settings(self._settings))
            return (await process.stdout.readline()).decode()
        return ""

    async def keep_running(self) -> None:
        """Start it again whenever it ends; ends when cancelled."""
        loop = asyncio.get_running_loop()
        pause = 0.0
        while True:
            started = loop.time()
            code = None if self._process is None else await self._process.wait()
            if loop.time() - started > _GOOD_SECONDS:
                pause = 0.0
            _log.critical("a worker ended", worker=self._number + 1, code=code, restart_in_seconds=pause)
            await asyncio.sleep(pause)
            pause = min(max(2 * pause, _SHORTEST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)
            try:
                await self.start()
            except StartError as error:
                _log.critical("a worker did not start", worker=self._number + 1, reason=str(error))

    async def stop(self) -> None:
        """Have it drain and end; what does not end is killed."""
        process = self._process
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(self._settings.drain_seconds + _FAREWELL_SECONDS):
                await process.wait()
        except TimeoutError:
            _log.critical("a worker does not end and is killed", worker=self._number + 1)
            process.kill()
            await process.wait()


async def _started(workers: Sequence[Worker]) -> list[str]:
    return await asyncio.gather(*(worker.start() for worker in workers))


async def _kept_running(workers: Sequence[Worker]) -> None:
    async with asyncio.TaskGroup() as group:
        for worker in workers:
            group.create_task(worker.keep_running())


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """Return what `work` gives; None if `stop` is set before, and then it is cancelled."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


class _kept:  # noqa: N801 -- a context manager, read as a verb
    """Keep an address for the workers; yields it with the port that was picked. OSError if it is taken."""

    def __init__(self, address: ListenAddress) -> None:
        self._address = address

    def __enter__(self) -> ListenAddress:
        host, port = self._address.host, self._address.port
        try:
            family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            # First as nobody else can have it: those who share a port do not notice strangers.
            with socket.socket(family) as alone:
                alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                alone.bind(where)
                where = alone.getsockname()
            self._socket = socket.socket(family)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            self._socket.bind(where)
        except OSError as error:
            raise CannotListenError(self._address, error) from error
        return ListenAddress(self._address.with_port(where[1]))

    def __exit__(self, *_: object) -> None:
        self._socket.close()


def _with_own_metrics(settings: Settings, number: int) -> Settings:
    metrics = settings.metrics_listen
    if not isinstance(metrics, ListenAddress) or not metrics.port:
        return settings
    own = ListenAddress(metrics.with_port(metrics.port + number))
    return settings.model_copy(update={"metrics_listen": own})


def encode_settings(settings: Settings) -> bytes:
    """Return all settings as one line, secrets in the clear: for a pipe, and nothing else."""
    return json.dumps({name: _plain(value) for name, value in settings}).encode() + b"\n"


def decode_settings(line: bytes) -> Settings:
    """Read what `encode_settings` made."""
    return Settings(**json.loads(line))


def _plain(value: object) -> object:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value) if isinstance(value, Path | RateLimits) else value


async def until_supervisor_ends() -> None:
    """Wait for the end of standard input."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    await reader.read()


def stop_on_signals(stop: asyncio.Event) -> None:
    """Have SIGTERM and Ctrl-C set `stop`."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
