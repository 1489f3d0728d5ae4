"""Other services that answer the same calls and that a package registry can start: moto's server and LocalStack.

Each is installed in an environment of its own, from ``peer_locks/``. They mock AWS
for tests: no authentication, nothing sealed, nothing kept.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
from aws_request import signed_request
from load import Load

UV = Path(sys.executable).with_name("uv")
LOCKS = Path(__file__).with_name("peer_locks")
PORTS = {"moto": 31_871, "LocalStack": 31_872}
COMMANDS = {
    "moto": ("moto_server", "-p", str(PORTS["moto"])),
    "LocalStack": ("python", "-m", "localstack.runtime.main"),
}
# LocalStack with KMS alone, and without what costs it time or calls home.
_ENVIRONMENT = {
    "SERVICES": "kms",
    "LS_LOG": "error",
    "GATEWAY_LISTEN": f"127.0.0.1:{PORTS['LocalStack']}",
    "DNS_ADDRESS": "0",
    "DISABLE_EVENTS": "1",
    "SKIP_SSL_CERT_DOWNLOAD": "1",
}
_START_SECONDS = 180
_ANY = ("test", "test")


class PeerError(Exception):
    """A peer cannot be started here; the text says why."""


def isolated(lock: str, *command: str) -> list[str]:
    """Return the command line that runs a command in an environment of its own, with what a file of ``peer_locks/`` locks."""
    options = ["--quiet", "--isolated", "--no-project", "--python", sys.executable]
    return [str(UV), "run", *options, "--with-requirements", str(LOCKS / lock), *command]


@contextmanager
def peer(name: str, folder: Path) -> Iterator[Load]:
    """Start a peer and yield a load of Encrypt; PeerError if it is not to be had."""
    log = folder / f"{name}.log"
    lock = f"{name.lower()}.lock"
    with log.open("w") as output:
        process = subprocess.Popen(
            isolated(lock, *COMMANDS[name]),
            env=os.environ | _ENVIRONMENT,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,
        )
    try:
        yield _load(process, f"127.0.0.1:{PORTS[name]}", log)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _load(process: "subprocess.Popen[bytes]", address: str, log: Path) -> Load:
    end = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            key_id = _call(address, "CreateKey", {})["KeyMetadata"]["KeyId"]
        except ConnectionError:
            time.sleep(0.2)
            continue
        body = {
            "KeyId": key_id,
            "Plaintext": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "EncryptionContext": {"purpose": "benchmark"},
        }
        pids = (process.pid, *(one.pid for one in psutil.Process(process.pid).children(recursive=True)))
        request = signed_request(address, "Encrypt", body, _ANY)
        return Load(address=address, path="", bodies=(request,), in_flight=1, seconds=1.0, pids=pids)
    raise PeerError((log.read_text().strip().splitlines() or ["it does not answer"])[-1])


def _call(address: str, operation: str, body: dict[str, Any]) -> dict[str, Any]:
    connection = HTTPConnection(address, timeout=60)
    try:
        head, _, content = signed_request(address, operation, body, _ANY).partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        connection.request("POST", "/", content, headers)
        response = connection.getresponse()
        answer = response.read()
    finally:
        connection.close()
    if response.status != 200:  # noqa: PLR2004 -- OK
        raise PeerError(f"{operation}: {response.status} {answer[:200]!r}")
    parsed: dict[str, Any] = json.loads(answer)
    return parsed
