"""Where the server's time goes, by operation: `make bench-profile`.

py-spy looks at the running server from outside, 500 times a second, and the
server is as it is otherwise. Each sample counts for the innermost part of the
program that was running: a room of the server, or a library.
"""

import argparse
import asyncio
import json
import re
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench import wait_for_pool
from machine import describe_machine
from peers import isolated
from report_scale import profile_report
from stage import MATERIAL, Stage, import_requests, imported_key, result_of, stage, start_load

OPERATIONS = ("Encrypt", "GenerateDataKey", "GetParametersForImport", "ImportKeyMaterial")
IMPORT_KEYS = 32
_RATE = 500
_FRAME = re.compile(r"^(?P<function>.*) \((?P<file>[^()]*?)(?::\d+)?\)$")
# Threads that wait for work, which py-spy takes for busy ones: an executor's, and the one that polls for gRPC.
_WAITING = re.compile(
    r"(?:_worker \([^()]*concurrent/futures/thread\.py:\d+\)|Thread\.run \([^()]*\)|run \([^()]*threading\.py:\d+\))$"
)
_LOOP = "event loop and gRPC in C, and waiting for calls"
_BELOW_THE_LOOP = {"commands", "cli", "app"}
_LIBRARIES = {
    "grpc": "grpc",
    "google": "protobuf",
    "sqlalchemy": "SQLAlchemy",
    "asyncpg": "asyncpg",
    "cryptography": "cryptography",
    "structlog": "structlog",
    "joserfc": "joserfc",
    "prometheus_client": "prometheus_client",
}


def room_of(stack: str) -> str | None:
    """Return the part of the program that the innermost frame of a collapsed stack belongs to; None if it waits."""
    if _WAITING.search(stack):
        return None
    for frame in reversed(stack.split(";")):
        match = _FRAME.match(frame)
        file = match["file"] if match else ""
        if "keyferry_server/" in file:
            room = file.split("keyferry_server/")[1].split("/")[0].removesuffix(".py")
            # What starts the event loop is below everything: what is innermost there is the loop itself.
            return _LOOP if room in _BELOW_THE_LOOP else f"server/{room}"
        if "/keyferry/v1/" in file:
            return "protobuf"
        for folder, name in _LIBRARIES.items():
            if f"/{folder}/" in file:
                return name
    return _LOOP


def rooms_of(collapsed: str) -> dict[str, int]:
    """Return the samples of each part of the program; `collapsed` has a stack and a count in each line."""
    rooms: Counter[str] = Counter()
    for line in collapsed.splitlines():
        stack, _, count = line.rpartition(" ")
        room = room_of(stack)
        if room is not None:
            rooms[room] += int(count)
    return dict(rooms.most_common())


async def profiled(made: Stage, operation: str, seconds: float) -> dict[str, Any]:
    """Return the samples of a server that answers one operation."""
    server = made.start("profiled", KEYFERRY_WRAPPING_KEY_POOL_SIZE="4")
    try:
        await asyncio.to_thread(wait_for_pool, server, 4)
        load: dict[str, Any] = {"in_flight": 16, "seconds": seconds + 1}
        if operation == "ImportKeyMaterial":
            async with made.client() as client:
                keys = [await imported_key(client, MATERIAL) for _ in range(IMPORT_KEYS)]
                made_ready = [await import_requests(client, key, "RSA_2048", 8, MATERIAL) for key in keys]
            bodies = tuple(
                one.SerializeToString() for several in zip(*made_ready, strict=True) for one in several
            )
            load |= {"bodies": bodies, "once": True, "warm_up_seconds": 0.0}
        output = made.folder / "stacks.txt"
        recorder = subprocess.Popen(  # noqa: ASYNC220 -- nothing else runs in this loop
            isolated(
                "py-spy.lock",
                *("py-spy", "record", "--format", "raw", "--full-filenames", "--rate", str(_RATE)),
                *("--duration", str(max(1, round(seconds))), "--output", str(output)),
                *("--pid", str(server.process.pid)),
            ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        sending = start_load(made.load("profiled", operation, **load))
        _, error = await asyncio.to_thread(recorder.communicate)
        result = await asyncio.to_thread(result_of, sending)
        if recorder.returncode or result.failures:
            raise RuntimeError(f"{operation} was not profiled: {error}")
        return {"rooms": rooms_of(output.read_text()), "cpu_ms_per_call": result.cpu_ms_per_call}
    finally:
        server.process.terminate()
        server.process.wait(60)


async def run(seconds: float) -> dict[str, Any]:
    """Profile all operations."""
    results: dict[str, Any] = {
        "machine": describe_machine(),
        "began_at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "operations": {},
    }
    async with stage() as made:
        for operation in OPERATIONS:
            results["operations"][operation] = await profiled(made, operation, seconds)
    return results


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=4.0, help="for each operation")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    results = asyncio.run(run(chosen.seconds))
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "profile.json").write_text(json.dumps(results, indent=1) + "\n")
    print(profile_report(results))


if __name__ == "__main__":
    main()
