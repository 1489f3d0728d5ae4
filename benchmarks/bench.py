"""Measures Keyferry beside what it could be at best, and beside its peers, all in one run: `make bench`.

1. Each repeat measures a subject and what it is compared with one right after the other:
   absolute figures drift with the machine, their ratio in one repeat does not.
2. Load comes from processes of its own (``load.py``), which do not reach their limit; the
   share of a core that they used is in the results.
3. What is shown of a ratio is the median of the repeats, and the smallest and the largest.

Prints the report, and writes results.json, from which ``pages.py`` writes the rest.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
import raw_rsa
from load import Load, Result
from machine import describe_machine
from peers import PeerError, peer
from report import report, row
from stage import (
    MATERIAL,
    SPECS,
    Server,
    Stage,
    import_requests,
    imported_key,
    parameters_request,
    result_of,
    send,
    stage,
    start_load,
    start_server,
)

from keyferry_client import KeyManagementServiceClient
from keyferry_server.storage.embedded import find_software

HOT = (
    "Encrypt",
    "Decrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncrypt",
    "GenerateMac",
    "GenerateRandom",
)
# What the targets are about: measured without authentication, and on AWS's wire too.
MAIN = ("Encrypt", "GenerateDataKey")
IN_FLIGHT = (1, 16, 64)
RSA_BITS = {"RSA_2048": 2048, "RSA_3072": 3072, "RSA_4096": 4096}
# How many times as long as the others each is measured: making a key takes 30 to 600 ms.
SUSTAINED = {"RSA_2048": 2, "RSA_3072": 4, "RSA_4096": 6}
ECHO = "the bare echo"
PARTS = ("hot", "parameters", "import", "p99", "peers", "idle")


@dataclass(frozen=True)
class Size:
    """How much is measured: `seconds` for each measurement, `repeats` of everything.

    Bursts take most of a pool of wrapping keys. Imports go into `import_keys` keys in
    turn, so many of each spec: each needs a wrapping key of its own, made beforehand.
    """

    seconds: float
    repeats: int
    pool: int = 64
    import_keys: int = 32
    imports: tuple[int, ...] = (96, 32, 32)


QUICK = Size(seconds=0.3, repeats=1, pool=8, import_keys=16, imports=(16, 16, 16))


class Bench:
    """One run on one stage."""

    def __init__(self, made: Stage, size: Size) -> None:
        self.made = made
        self.size = size
        self.seconds = size.seconds
        self.repeats = size.repeats

    def hot(self) -> Iterator[dict[str, Any]]:
        """Measure what needs no database beside an echo of the same messages."""
        for method in HOT:
            for in_flight in IN_FLIGHT:
                servers = ("echo", "keyferry", *(("open", "aws") if method in MAIN else ()))
                measured = self._turns(
                    {
                        name: self.made.load(name, method, in_flight=in_flight, seconds=self.seconds)
                        for name in servers
                    }
                )
                is_target = method in MAIN and in_flight > 1
                echo = rates(measured["echo"])
                yield row(
                    method,
                    in_flight,
                    plain(measured["keyferry"]),
                    ECHO,
                    echo,
                    their_cpu=cpu(measured["echo"]),
                    target=0.7 if is_target else None,
                )
                if method in MAIN:
                    yield row(
                        f"{method}, without authentication and policies",
                        in_flight,
                        plain(measured["open"]),
                        ECHO,
                        echo,
                        their_cpu=cpu(measured["echo"]),
                        target=0.9 if is_target else None,
                    )
                    yield row(
                        f"{method} on AWS's wire, signed",
                        in_flight,
                        plain(measured["aws"]),
                        "the same over gRPC",
                        rates(measured["keyferry"]),
                        their_cpu=cpu(measured["keyferry"]),
                    )

    def full_pool(self) -> Iterator[dict[str, Any]]:
        """Measure GetParametersForImport from a full pool beside an echo that inserts a row, and pgbench's insert."""
        with self._pooled() as server:
            for in_flight in IN_FLIGHT:
                body = (self.made.requests["GetParametersForImport"],) * (self.size.pool - 2)
                more: dict[str, Any] = {
                    "bodies": body,
                    "in_flight": in_flight,
                    "seconds": 60,
                    "once": True,
                    "warm_up_seconds": 0.0,
                }
                loads = {
                    name: self.made.load(name, "GetParametersForImport", **more)
                    for name in ("inserting_echo", "pooled")
                }
                ours, echo, inserts = [], [], []
                for _ in range(self.repeats):
                    wait_for_pool(server, self.size.pool)
                    ours.append(send(loads["pooled"]))
                    wait_for_pool(server, self.size.pool)
                    echo.append(send(loads["inserting_echo"]))
                    inserts.append(self.pgbench(in_flight))
                subject = "GetParametersForImport RSA_2048, full pool"
                yield row(
                    subject,
                    in_flight,
                    plain(ours),
                    "an echo and one Core insert",
                    rates(echo),
                    their_cpu=cpu(echo),
                    target=0.8,
                )
                yield row(subject, in_flight, plain(ours), "pgbench's insert", inserts)

    def sustained(self) -> Iterator[dict[str, Any]]:
        """Measure GetParametersForImport for long beside raw key generation on all cores."""
        for spec in SPECS:
            seconds = self.seconds * SUSTAINED[spec]
            request = parameters_request(self.made.key_id, spec).SerializeToString()
            load = self.made.load(
                "keyferry", "GetParametersForImport", bodies=(request,), in_flight=16, seconds=seconds
            )
            ours, raw = [], []
            for _ in range(self.repeats):
                ours.append(send(load))
                raw.append(raw_rsa.generated_per_second(RSA_BITS[spec], seconds))
            yield row(
                f"GetParametersForImport {spec}, sustained",
                16,
                plain(ours),
                "raw key generation, all cores",
                raw,
                target=0.9,
            )

    async def imports(self) -> list[dict[str, Any]]:
        """Measure ImportKeyMaterial beside loading a private key and decrypting with it on one core."""
        rows = []
        async with self.made.client() as client:
            keys = [await imported_key(client, MATERIAL) for _ in range(self.size.import_keys)]
            for spec, count in zip(SPECS, self.size.imports, strict=True):
                for in_flight in IN_FLIGHT:
                    ours, raw = [], []
                    for _ in range(self.repeats):
                        bodies = await self._imports(client, keys, spec, count)
                        load = self.made.load(
                            "keyferry",
                            "ImportKeyMaterial",
                            bodies=bodies,
                            in_flight=in_flight,
                            seconds=60,
                            once=True,
                            warm_up_seconds=0.0,
                        )
                        ours.append(send(load))
                        raw.append(raw_rsa.loaded_and_decrypted_per_second(RSA_BITS[spec], self.seconds / 2))
                    rows.append(
                        row(
                            f"ImportKeyMaterial {spec}",
                            in_flight,
                            plain(ours),
                            "raw load and decrypt, one core",
                            raw,
                            target=0.5 if spec == "RSA_2048" and in_flight > 1 else None,
                        )
                    )
        return rows

    async def _imports(
        self, client: KeyManagementServiceClient, keys: Sequence[str], spec: str, count: int
    ) -> tuple[bytes, ...]:
        """Return imports of all keys in turn."""
        each = count // len(keys)
        by_key = [await import_requests(client, key_id, spec, each, MATERIAL) for key_id in keys]
        return tuple(one.SerializeToString() for several in zip(*by_key, strict=True) for one in several)

    def beside_imports(self) -> Iterator[dict[str, Any]]:
        """Measure Encrypt alone, and while wrapping keys are made for imports on all cores as fast as they go."""
        for in_flight in IN_FLIGHT[:2]:
            encrypt = self.made.load("keyferry", "Encrypt", in_flight=in_flight, seconds=self.seconds)
            alone, beside = [], []
            for _ in range(self.repeats):
                alone.append(send(encrypt))
                seconds = self.seconds + 1
                others = start_load(
                    self.made.load("keyferry", "GetParametersForImport", in_flight=8, seconds=seconds)
                )
                time.sleep(0.5)
                beside.append(send(encrypt))
                result_of(others)
            yield row(
                "p99 of Encrypt beside imports",
                in_flight,
                plain(beside),
                "its p99 alone",
                [one.p99_ms for one in alone],
                figure="p99_ms",
                target=2.0,
                at_most=True,
            )

    def pgbench(self, clients: int) -> float:
        """Return the transactions a second that pgbench gets of one insert as large as an import token's row."""
        dsn = urlsplit(self.made.postgres.dsn())
        script = self.made.folder / "insert.sql"
        script.write_text(
            "INSERT INTO benchmark_rows (id, content) VALUES (gen_random_uuid(), convert_to(repeat('x', 1280), 'UTF8'));\n"
        )
        output = subprocess.run(
            [
                str(Path(find_software().postgres).with_name("pgbench")),
                *("--no-vacuum", "--file", str(script), "--client", str(clients), "--time", "1"),
                *("--host", parse_qs(dsn.query)["host"][0], "--username", "keyferry", "keyferry"),
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        return float(next(line for line in output.splitlines() if line.startswith("tps")).split()[2])

    def peers(self, not_measured: dict[str, str]) -> Iterator[dict[str, Any]]:
        """Measure Encrypt beside the peers that can be started."""
        for name, target in (("moto", 10.0), ("LocalStack", 5.0)):
            try:
                with peer(name, self.made.folder) as theirs:
                    measured = self._turns(
                        {
                            "peer": replace(theirs, in_flight=16, seconds=self.seconds),
                            "aws": self.made.load("aws", "Encrypt", in_flight=16, seconds=self.seconds),
                            "keyferry": self.made.load(
                                "keyferry", "Encrypt", in_flight=16, seconds=self.seconds
                            ),
                        }
                    )
            except PeerError as error:
                not_measured[name] = str(error)
                continue
            for wire, subject in (("aws", "Encrypt on AWS's wire, signed"), ("keyferry", "Encrypt")):
                yield row(
                    subject,
                    16,
                    plain(measured[wire]),
                    name,
                    rates(measured["peer"]),
                    their_cpu=cpu(measured["peer"]),
                    target=target,
                )

    def idling(self) -> dict[str, list[float]]:
        """Measure how long a start takes, and what a server costs while nobody calls."""
        settings = {
            name: self.made.settings[name] for name in ("KEYFERRY_DATABASE_URL", "KEYFERRY_ROOT_KEY_FILE")
        }
        starts, resident, cpu = [], [], []
        for _ in range(self.repeats):
            server = start_server(self.made.folder, settings)
            starts.append(server.started_in_seconds)
            wait_for_pool(server, 4)
            resident.append(server.resident_mib())
            before = _cpu_seconds(server)
            time.sleep(2)
            cpu.append((_cpu_seconds(server) - before) / 2)
            _end(server)
        return {"start_seconds": starts, "resident_mib": resident, "idle_cores": cpu}

    def _turns(self, loads: dict[str, Load]) -> dict[str, list[Result]]:
        """Send each load in turn, and all of them again."""
        results: dict[str, list[Result]] = {name: [] for name in loads}
        for _ in range(self.repeats):
            for name, load in loads.items():
                results[name].append(send(load))
        return results

    @contextmanager
    def _pooled(self) -> Iterator[Server]:
        server = self.made.start("pooled", KEYFERRY_WRAPPING_KEY_POOL_SIZE=str(self.size.pool))
        try:
            yield server
        finally:
            _end(server)


def wait_for_pool(server: Server, size: int) -> None:
    """Return when the server has made all wrapping keys ahead that it makes."""
    while True:
        with urllib.request.urlopen(f"http://{server.metrics_address}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        levels = [
            float(line.split()[1]) for line in lines if line.startswith("keyferry_wrapping_key_pool_level{")
        ]
        if levels and min(levels) >= size:
            return
        time.sleep(0.2)


def _end(server: Server) -> None:
    server.process.terminate()
    server.process.wait(60)


def _cpu_seconds(server: Server) -> float:
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in server.pids)


def plain(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return results as they are kept."""
    return [asdict(one) for one in results]


def rates(results: Sequence[Result]) -> list[float]:
    """Return calls per second; RuntimeError if any failed."""
    if any(one.failures for one in results):
        raise RuntimeError("calls failed")
    return [one.per_second for one in results]


def cpu(results: Sequence[Result]) -> list[float]:
    """Return the milliseconds of CPU that each call took."""
    return [one.cpu_ms_per_call for one in results]


async def run(size: Size, parts: Sequence[str]) -> dict[str, Any]:
    """Measure it all."""
    rows: list[dict[str, Any]] = []
    results: dict[str, Any] = {
        "machine": describe_machine(),
        "began_at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "seconds_each": size.seconds,
        "repeats": size.repeats,
        "rows": rows,
        "not_measured": {},
    }
    async with stage() as made:
        bench = Bench(made, size)
        plans: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
            "hot": bench.hot,
            "parameters": lambda: (one for plan in (bench.full_pool, bench.sustained) for one in plan()),
            "p99": bench.beside_imports,
            "peers": lambda: bench.peers(results["not_measured"]),
        }
        for part in parts:
            if part == "idle":
                results["idling"] = bench.idling()
            elif part == "import":
                rows += map(tell, await bench.imports())
            else:
                rows += map(tell, plans[part]())
    results["machine"]["load_after"] = describe_machine()["load_before"]
    return results


def tell(one: dict[str, Any]) -> dict[str, Any]:
    """Say how far the run is."""
    ratio = one["ratios"]["median"]
    sys.stderr.write(
        f"{time.strftime('%H:%M:%S')} {one['subject']}, {one['in_flight']} in flight: {ratio:.2f} of {one['beside']}\n"
    )
    return one


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=0.6, help="for each measurement")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one short repeat: to try the benchmark itself")
    parser.add_argument("--parts", default=",".join(PARTS), help="which, separated by commas")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    parts = chosen.parts.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}. The parts are {', '.join(PARTS)}")
    size = QUICK if chosen.quick else Size(chosen.seconds, chosen.repeats)
    results = asyncio.run(run(size, parts))
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    print(report(results))


if __name__ == "__main__":
    main()
