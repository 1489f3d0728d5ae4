"""Nobody but root looks into a serving process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.processes import ServerProcess

from keyferry_server.crypto.rsa_key_check import INVALID, MODULE

CHECK = """
import ctypes, os, resource
from keyferry_server.hardening import harden_process
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
pid = os.fork()
if pid == 0:
    harden_process()
    os.write(1, f"{ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)} {resource.getrlimit(resource.RLIMIT_CORE)} ".encode())
    parent = os.getppid()
    os.kill(os.getpid(), 19)
os.waitpid(pid, os.WUNTRACED)
try:
    open(f"/proc/{pid}/mem", "rb")
    print("open")
except PermissionError:
    print("closed")
try:
    ctypes.CDLL(None).ptrace
    attached = ctypes.CDLL(None, use_errno=True).ptrace(16, pid, 0, 0)
    print("attached" if attached == 0 else "refused")
finally:
    os.kill(pid, 9)
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="as Linux does it")


def test_a_hardened_process_is_closed_to_debuggers_of_its_own_user() -> None:
    finished = subprocess.run(
        [sys.executable, "-c", CHECK], capture_output=True, text=True, check=True, timeout=60
    )
    assert finished.stdout.split("\n")[:2] == ["0 (0, 0) closed", "refused"], finished.stderr


async def test_a_serving_process_leaves_no_core(server_process: ServerProcess) -> None:
    limits = (Path("/proc") / str(server_process.pid) / "limits").read_text()
    (core,) = (line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core == ["0", "0"]
    assert os.path.exists(f"/proc/{server_process.pid}")  # noqa: ASYNC240, PTH110 -- it still runs


def test_the_process_that_checks_an_imported_key_is_closed_before_it_reads_the_key() -> None:
    when_it_reads = f"""
import ctypes, io, resource, runpy, sys
class Input:
    @property
    def buffer(self):
        print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE))
        return io.BytesIO()
sys.stdin = Input()
runpy.run_module("{MODULE}", run_name="__main__")
"""
    finished = subprocess.run(
        [sys.executable, "-c", when_it_reads], capture_output=True, text=True, check=False, timeout=60
    )
    assert (finished.stdout, finished.returncode) == ("0 (0, 0)\n", INVALID), finished.stderr
