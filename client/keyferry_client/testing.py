"""The real service for the tests of those who use it: no database of their own, and no mocks.

::

    # conftest.py
    pytest_plugins = ["keyferry_client.testing"]

    # test_payroll.py
    def test_letters_are_sealed(keyferry_server):
        with keyferry_server.blocking_client() as client:
            key = client.create_key().key_metadata.key_id
            ...

It needs the extra: `pip install 'keyferry-client[testing]'`. `keyferry_server` is one
process of `keyferry-server serve` for the whole test run, on an embedded Postgres in a
folder of its own, without authentication, on loopback ports that the system chooses. It
is a real service: keys stay from test to test, so let each test create its own. It takes
about 3 seconds to start, once; with pytest-xdist once for each worker.

The client never imports the server: it runs its command.
"""

import os
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from keyferry_client.blocking_client import BlockingKeyManagementServiceClient
from keyferry_client.client import KeyManagementServiceClient

READY = "keyferry-server is ready: "
START_SECONDS = 120
STOP_SECONDS = 30
_LAST_LINES = 20

# Reads nothing until the test run has ended, however it ended. After an orderly end nothing is left to do.
_WATCH = """
read -r _
kill "$1" 2>/dev/null || exit 0
tries=300
while kill -0 "$1" 2>/dev/null && [ "$tries" -gt 0 ]; do sleep 0.1; tries=$((tries - 1)); done
kill -KILL "$1" 2>/dev/null
rm -rf "$2"
"""


@dataclass(frozen=True)
class KeyferryServer:
    """A running server. Addresses are HOST:PORT on loopback."""

    address: str
    """Where it serves gRPC."""
    aws_address: str
    """Where it serves AWS's JSON protocol."""

    def client(self) -> KeyManagementServiceClient:
        """Return a new client, to be closed by the caller."""
        return KeyManagementServiceClient(self.address)

    def blocking_client(self) -> BlockingKeyManagementServiceClient:
        """Return a new blocking client, to be closed by the caller."""
        return BlockingKeyManagementServiceClient(self.address)


class ServerStartError(Exception):
    """The server did not start; the message has the end of its log."""


@pytest.fixture(scope="session")
def keyferry_server() -> Iterator[KeyferryServer]:
    """The real service, for the whole test run."""
    with running_server() as server:
        yield server


@contextmanager
def running_server() -> Iterator[KeyferryServer]:
    """Run a server of one's own, on an empty database, until the end of the block; ServerStartError if it cannot start."""
    if find_spec("keyferry_server") is None:
        raise ServerStartError("The server is not installed: pip install 'keyferry-client[testing]'")
    folder = Path(tempfile.mkdtemp(prefix="keyferry-"))
    try:
        # As root, Postgres runs as another user, who passes through it.
        folder.chmod(0o711)
        with _process(folder) as process:
            yield _when_ready(process, folder / "log")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    listening = (option for kind in ("grpc", "aws") for option in (f"--{kind}-listen", "127.0.0.1:0"))
    command = [
        sys.executable,
        "-P",
        "-m",
        "keyferry_server",
        "serve",
        "--data-dir",
        str(folder / "data"),
        *listening,
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KEYFERRY_")}
    quick = {
        "KEYFERRY_METRICS_LISTEN": "off",
        "KEYFERRY_WRAPPING_KEY_POOL_SIZE": "1",
        "KEYFERRY_DRAIN_SECONDS": "1",
    }
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(  # noqa: S603 -- our own command
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment | quick,
            start_new_session=True,
        ) as process,
        _watched(process, folder),
    ):
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def _watched(process: subprocess.Popen[str], folder: Path) -> Iterator[None]:
    """End the server, too, if this process is killed."""
    with subprocess.Popen(  # noqa: S603 -- a fixed script
        ["/bin/sh", "-c", _WATCH, "watch", str(process.pid), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as watch:
        try:
            yield
        finally:
            watch.kill()


def _when_ready(process: subprocess.Popen[str], log: Path) -> KeyferryServer:
    line = ""
    if process.stdout is not None and select.select([process.stdout], [], [], START_SECONDS)[0]:
        line = process.stdout.readline()
    if not line.startswith(READY):
        with suppress(subprocess.TimeoutExpired):
            process.wait(1)
        last = "\n".join(log.read_text(errors="replace").splitlines()[-_LAST_LINES:])
        raise ServerStartError(
            f"keyferry-server is not ready ({process.returncode}); the end of its log:\n{last}"
        )
    addresses = dict(part.split("=", 1) for part in line.removeprefix(READY).split())
    return KeyferryServer(addresses["grpc"], addresses["aws"])
