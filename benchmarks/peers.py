"""Other services that answer the same call and that a package registry can start.

moto (a mock of AWS, over HTTP) is started in an environment of its own. LocalStack's
package is only what starts a container: without a container engine there is nothing to
measure, and the report says so.
"""

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

UV = Path(sys.executable).with_name("uv")
_START_SECONDS = 120
_THREADS = 4


@contextmanager
def moto() -> Iterator[str | None]:
    """Start moto's server; yield its address, None if it is not to be had."""
    port = 31_871
    process = subprocess.Popen(
        [
            UV,
            "run",
            "--quiet",
            "--isolated",
            "--no-project",
            "--with",
            "moto[server]",
            "moto_server",
            "-p",
            str(port),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"127.0.0.1:{port}" if _answers(port, process) else None
    finally:
        process.terminate()
        process.wait(30)


def encrypted_per_second(address: str, seconds: float) -> float:
    """Call Encrypt of AWS's JSON protocol from a few threads for that long; they wait more than they work."""
    key_id = _call(HTTPConnection(address), "CreateKey", {})["KeyMetadata"]["KeyId"]
    body = {"KeyId": key_id, "Plaintext": "A" * 44, "EncryptionContext": {"purpose": "benchmark"}}
    end = time.perf_counter() + seconds

    def work() -> int:
        count, connection = 0, HTTPConnection(address)
        while time.perf_counter() < end:
            _call(connection, "Encrypt", body)
            count += 1
        return count

    with ThreadPoolExecutor(_THREADS) as threads:
        return sum(one.result() for one in [threads.submit(work) for _ in range(_THREADS)]) / seconds


def why_no_localstack() -> str:
    """Return why LocalStack is not in the comparison."""
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "info"], check=False, capture_output=True).returncode
    ):
        return "LocalStack runs in a container, and no container engine answers here"
    return "LocalStack is not measured yet"


def _call(connection: HTTPConnection, operation: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"TrentService.{operation}",
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/kms/aws4_request, "
        "SignedHeaders=host, Signature=0",
    }
    connection.request("POST", "/", json.dumps(body), headers)
    response = connection.getresponse()
    content = response.read()
    if response.status != 200:  # noqa: PLR2004 -- OK
        raise RuntimeError(f"{operation}: {response.status} {content[:200]!r}")
    answer: dict[str, Any] = json.loads(content)
    return answer


def _answers(port: int, process: "subprocess.Popen[bytes]") -> bool:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return True
    return False
