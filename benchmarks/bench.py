"""Measures Keyferry beside what it could be at best, and beside its peers, all in one run: `make bench`.

1. Each repeat measures a subject and what it is compared with one right after the other:
   absolute figures drift with the machine, their ratio in one repeat does not.
2. Load comes from processes of its own (``load.py``), which do not reach their limit; the
   share of a core that they used is in the results.
3. What is shown of a ratio is the median of the repeats, and the smallest and the largest.

Writes results.json, chart.svg and report.md into a folder and prints the report.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import peers
import raw_rsa
from load import Result
from machine import describe_machine
from report import chart, report
from stage import (
    MATERIAL,
    SPECS,
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

HOT = (
    "Encrypt",
    "Decrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncrypt",
    "GenerateMac",
    "GenerateRandom",
)
IN_FLIGHT = (1, 16, 64)
RSA_BITS = {"RSA_2048": 2048, "RSA_3072": 3072, "RSA_4096": 4096}
IMPORT_KEYS = 8
POOL = 32


class Bench:
    """One run: `seconds` for each measurement, `repeats` of everything."""

    def __init__(self, made: Stage, seconds: float, repeats: int) -> None:
        self.made = made
        self.seconds = seconds
        self.repeats = repeats

    def hot(self, method: str, in_flight: int) -> dict[str, Any]:
        """Measure one method beside its echo."""
        servers = ["echo", "keyferry", *(["open"] if in_flight == IN_FLIGHT[1] else [])]
        results: dict[str, list[Result]] = {name: [] for name in servers}
        for _ in range(self.repeats):
            for name in servers:
                results[name].append(
                    send(self.made.load(name, method, in_flight=in_flight, seconds=self.seconds))
                )
        return {
            "method": method,
            "in_flight": in_flight,
            "results": {name: [asdict(one) for one in several] for name, several in results.items()},
            "ratios": {name: ratios(rates(results[name]), rates(results["echo"])) for name in servers[1:]},
            "cpu_ratios": {
                name: ratios(
                    [one.cpu_ms_per_call for one in results["echo"]],
                    [one.cpu_ms_per_call for one in results[name]],
                )
                for name in servers[1:]
            },
        }

    async def parameters(self) -> list[dict[str, Any]]:
        """Measure GetParametersForImport: from a full pool beside an inserting echo, and for long beside raw RSA."""
        rows = []
        burst: tuple[list[float], list[float]] = [], []
        for _ in range(self.repeats):
            await self._pool_is_full()
            body = (self.made.requests["GetParametersForImport"],) * (POOL // 2)
            more: dict[str, Any] = {"bodies": body, "in_flight": 4, "once": True, "warm_up_seconds": 0.0}
            burst[0].append(
                send(self.made.load("keyferry", "GetParametersForImport", seconds=30, **more)).per_second
            )
            burst[1].append(
                send(
                    self.made.load("inserting_echo", "GetParametersForImport", seconds=30, **more)
                ).per_second
            )
        rows.append(row("GetParametersForImport RSA_2048, full pool", "an echo and one Core insert", *burst))
        for spec in SPECS:
            sustained: tuple[list[float], list[float]] = [], []
            seconds = max(self.seconds * 2, RSA_BITS[spec] / 1000)
            request = parameters_request(self.made.key_id, spec).SerializeToString()
            for _ in range(self.repeats):
                load = self.made.load(
                    "keyferry",
                    "GetParametersForImport",
                    bodies=(request,),
                    in_flight=8,
                    seconds=seconds,
                    warm_up_seconds=seconds,  # empties the pool
                )
                sustained[0].append(send(load).per_second)
                sustained[1].append(raw_rsa.generated_per_second(RSA_BITS[spec], seconds))
            rows.append(
                row(f"GetParametersForImport {spec}, sustained", "raw key generation, all cores", *sustained)
            )
        return rows

    async def imports(self) -> list[dict[str, Any]]:
        """Measure ImportKeyMaterial beside loading a private key and decrypting with it."""
        rows = []
        async with self.made.client() as client:
            keys = [await imported_key(client, MATERIAL) for _ in range(IMPORT_KEYS)]
            for spec, count in zip(SPECS, (12, 4, 2), strict=True):
                measured: tuple[list[float], list[float]] = [], []
                for _ in range(self.repeats):
                    requests = [
                        one
                        for several in [
                            await import_requests(client, key_id, spec, count, MATERIAL) for key_id in keys
                        ]
                        for one in several
                    ]
                    bodies = tuple(
                        requests[place].SerializeToString()
                        for first in range(count)
                        for place in range(first, len(requests), count)
                    )
                    await self._pool_is_full()
                    load = self.made.load(
                        "keyferry",
                        "ImportKeyMaterial",
                        bodies=bodies,
                        in_flight=4,
                        seconds=60,
                        once=True,
                        warm_up_seconds=0.0,
                    )
                    result = send(load)
                    if result.failures:
                        raise RuntimeError("imports failed")
                    measured[0].append(result.per_second)
                    measured[1].append(
                        raw_rsa.loaded_and_decrypted_per_second(RSA_BITS[spec], self.seconds / 2)
                    )
                rows.append(row(f"ImportKeyMaterial {spec}", "raw load and decrypt, one core", *measured))
        return rows

    def beside_imports(self) -> dict[str, Any]:
        """Measure Encrypt alone, and while wrapping keys are made on the other cores as fast as they go."""
        alone, beside = [], []
        for _ in range(self.repeats):
            alone.append(send(self.made.load("keyferry", "Encrypt", seconds=self.seconds)).p99_ms)
            other = start_load(
                self.made.load(
                    "keyferry", "GetParametersForImport", in_flight=8, seconds=3 * self.seconds + 1
                )
            )
            time.sleep(self.seconds + 0.5)  # the pool is empty by then
            beside.append(send(self.made.load("keyferry", "Encrypt", seconds=self.seconds)).p99_ms)
            result_of(other)
        return {"alone_ms": alone, "beside_imports_ms": beside, "ratios": ratios(beside, alone)}

    def pgbench(self) -> float:
        """Return the transactions a second that pgbench gets of one insert as large as an import token's row."""
        postgres = self.made.postgres
        script = self.made.folder / "insert.sql"
        script.write_text(
            "INSERT INTO benchmark_rows (id, content) VALUES (gen_random_uuid(), convert_to(repeat('x', 1280), 'UTF8'));\n"
        )
        from keyferry_server.storage.embedded import find_software  # noqa: PLC0415 -- here alone

        program = Path(find_software().postgres).with_name("pgbench")
        host = postgres.dsn().partition("host=")[2].partition("&")[0]
        from urllib.parse import unquote  # noqa: PLC0415 -- here alone

        output = subprocess.run(
            [
                program,
                "-n",
                "-c",
                "4",
                "-T",
                str(max(1, round(self.seconds))),
                "-f",
                script,
                "-h",
                unquote(host),
                "-U",
                "keyferry",
                "keyferry",
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        return float(next(line for line in output.splitlines() if line.startswith("tps")).split()[2])

    def peers(self) -> list[dict[str, Any]]:
        """Measure Encrypt beside the peers that can be started."""
        with peers.moto() as address:
            if address is None:
                return []
            measured: tuple[list[float], list[float]] = [], []
            for _ in range(self.repeats):
                load = self.made.load("keyferry", "Encrypt", in_flight=16, seconds=self.seconds)
                measured[0].append(send(load).per_second)
                measured[1].append(peers.encrypted_per_second(address, self.seconds))
        return [row("Encrypt, 16 in flight", "moto's server", *measured)]

    def idling(self) -> dict[str, Any]:
        """Measure how long a start takes, and what a server costs while nobody calls."""
        settings = {
            "KEYFERRY_DATABASE_URL": self.made.postgres.dsn(),
            "KEYFERRY_ROOT_KEY_FILE": str(self.made.folder / "root-key"),
            "KEYFERRY_METRICS_LISTEN": "off",
        }
        starts, resident, cpu = [], [], []
        for _ in range(self.repeats):
            server = start_server(self.made.folder, settings)
            starts.append(server.started_in_seconds)
            time.sleep(4)  # its pool is filled by then
            resident.append(server.resident_mib())
            before = _cpu_seconds(server.process.pid)
            time.sleep(2)
            cpu.append((_cpu_seconds(server.process.pid) - before) / 2)
            server.process.terminate()
            server.process.wait()
        return {"start_seconds": starts, "resident_mib": resident, "idle_cores": cpu}

    async def _pool_is_full(self) -> None:
        await asyncio.sleep(POOL * 0.05 / 2)


def _cpu_seconds(pid: int) -> float:
    import psutil  # noqa: PLC0415 -- here alone

    return sum(psutil.Process(pid).cpu_times()[:2])


def rates(results: Sequence[Result]) -> list[float]:
    """Return calls per second; RuntimeError if any failed."""
    if any(one.failures for one in results):
        raise RuntimeError("calls failed")
    return [one.per_second for one in results]


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """Return the median, the smallest and the largest ratio of two series that were measured in turn."""
    each = [one / other for one, other in zip(ours, theirs, strict=True) if other]
    return {"median": statistics.median(each), "min": min(each), "max": max(each)} if each else {}


def row(subject: str, beside: str, ours: Sequence[float], theirs: Sequence[float]) -> dict[str, Any]:
    """Return one line of the report."""
    return {
        "subject": subject,
        "beside": beside,
        "per_second": statistics.median(ours),
        "beside_per_second": statistics.median(theirs),
        "ratios": ratios(ours, theirs),
    }


async def run(seconds: float, repeats: int, parts: Sequence[str]) -> dict[str, Any]:
    """Measure it all."""
    results: dict[str, Any] = {
        "machine": describe_machine(),
        "began_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seconds_each": seconds,
        "repeats": repeats,
    }
    async with stage(KEYFERRY_WRAPPING_KEY_POOL_SIZE=str(POOL)) as made:
        bench = Bench(made, seconds, repeats)
        await asyncio.sleep(8)  # the pools are filled at low priority
        if "hot" in parts:
            results["hot"] = [tell(bench.hot(method, in_flight)) for method in HOT for in_flight in IN_FLIGHT]
        if "import" in parts:
            results["pgbench_inserts_per_second"] = bench.pgbench()
            results["beside"] = [*await bench.parameters(), *await bench.imports()]
            results["p99"] = bench.beside_imports()
        if "peers" in parts:
            results["peers"] = bench.peers()
            results["not_measured"] = peers.why_no_localstack()
        if "idle" in parts:
            results["idling"] = bench.idling()
    results["machine"]["load_after"] = describe_machine()["load_before"]
    return results


def tell(one: dict[str, Any]) -> dict[str, Any]:
    """Say how far the run is."""
    sys.stderr.write(f"{one['method']} {one['in_flight']}: {one['ratios']['keyferry']['median']:.2f}\n")
    return one


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="for each measurement")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--parts", default="hot,import,peers,idle", help="which, separated by commas")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    chosen = parser.parse_args()
    results = asyncio.run(run(chosen.seconds, chosen.repeats, chosen.parts.split(",")))
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (chosen.out / "chart.svg").write_text(chart(results))
    text = report(results)
    (chosen.out / "report.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
