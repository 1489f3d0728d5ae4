"""What each operation costs by how many keys there are: `make bench-scale`.

1. Keys are filled in by COPY, each as the server would have made it: rows like those of
   a key that it did make, with material of its own, sealed for its own place.
2. For each size a server is started, and each operation is called with one call in
   flight, on keys that were drawn at random, everything on.
3. The sweeper gets 10,000 materials that are due at the same moment, beside the keys.
"""

import argparse
import asyncio
import json
import os
import random
import time
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
from bench import wait_for_pool
from machine import describe_machine
from report_scale import scale_report
from stage import CONTEXT, MATERIAL, Server, Stage, import_requests, parameters_request, send, stage

from keyferry.v1 import (
    CreateGrantRequest,
    CreateKeyRequest,
    DecryptRequest,
    DescribeKeyRequest,
    DisableKeyRequest,
    EnableKeyRequest,
    EncryptRequest,
    GenerateDataKeyRequest,
    ListGrantsRequest,
    ListKeysRequest,
    PutKeyPolicyRequest,
    TagResourceRequest,
)
from keyferry_server.crypto.key_material_id import KeyMaterialIds
from keyferry_server.crypto.root_key.file import load_root_key_file
from keyferry_server.crypto.sealing import Sealer
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.sealed_places import INSTALLATION_SECRET, KEY_MATERIAL

SIZES = (1_000, 100_000)
MILLION = 1_000_000
DUE = 10_000
DRAWN = 200
IMPORTS = 24
STARTS = 3
POOL = 32
_PORTION = 10_000
_PAGE = 100
_LARGEST_PAGE = 1000
Rows = list[dict[str, Any]]


class Filler:
    """Fills keys in, as copies of one that the server made."""

    def __init__(self, connection: Any, made: Stage, sealed_secret: bytes, key: Any, material: Any) -> None:
        self._connection = connection
        self._sealer = Sealer(load_root_key_file(made.folder / "root-key"))
        self._ids = KeyMaterialIds(self._sealer.unseal(sealed_secret, INSTALLATION_SECRET.place(1)))
        self._key, self._material = dict(key), dict(material)

    @classmethod
    async def open(cls, made: Stage) -> "Filler":
        """Connect, and read the rows that all others are like."""
        connection = await asyncpg.connect(made.postgres.dsn())
        sealed = await connection.fetchval("SELECT sealed_secret FROM installation")
        key = await connection.fetchrow("SELECT * FROM keys WHERE key_id = $1", made.key_id)
        material = await connection.fetchrow("SELECT * FROM key_materials WHERE key_id = $1", made.key_id)
        return cls(connection, made, sealed, key, material)

    async def fill(self, count: int, valid_to: datetime | None = None) -> list[str]:
        """Add so many keys; return their key IDs."""
        key_ids: list[str] = []
        # Nobody uses these keys yet: nobody needs to hear of each.
        await self._switch_triggers("DISABLE")
        for start in range(0, count, _PORTION):
            rows = [self._rows(valid_to) for _ in range(min(_PORTION, count - start))]
            await self._copy("keys", [key for key, _ in rows])
            await self._copy("key_materials", [material for _, material in rows])
            key_ids += [key["key_id"] for key, _ in rows]
        await self._switch_triggers("ENABLE")
        await self._connection.execute("VACUUM ANALYZE")
        return key_ids

    async def remove(self, key_ids: Sequence[str]) -> None:
        """Delete keys again."""
        await self._switch_triggers("DISABLE")
        await self._connection.execute("DELETE FROM keys WHERE key_id = ANY($1)", key_ids)
        await self._switch_triggers("ENABLE")
        await self._connection.execute("VACUUM ANALYZE")

    async def count(self, table: str, condition: str = "true") -> int:
        """Return how many rows a table has."""
        counted: int = await self._connection.fetchval(f"SELECT count(*) FROM {table} WHERE {condition}")  # noqa: S608 -- our own words
        return counted

    def _rows(self, valid_to: datetime | None) -> tuple[dict[str, Any], dict[str, Any]]:
        key = self._key | {"key_id": str(uuid.uuid4())}
        secret = Secret(os.urandom(32))
        material = self._material | {
            "key_id": key["key_id"],
            "key_material_id": self._ids.of(key["key_id"], secret),
            "valid_to": valid_to,
        }
        place = KEY_MATERIAL.place(key["key_id"], material["key_material_id"])
        return key, material | {"sealed": self._sealer.seal(secret, place)}

    async def _copy(self, table: str, rows: Rows) -> None:
        await self._connection.copy_records_to_table(
            table, records=[tuple(row.values()) for row in rows], columns=list(rows[0])
        )

    async def _switch_triggers(self, to: str) -> None:
        for table in ("keys", "key_materials"):
            await self._connection.execute(f"ALTER TABLE {table} {to} TRIGGER USER")


class Scale:
    """Measures one size after the other on one stage."""

    def __init__(self, made: Stage, filler: Filler) -> None:
        self.made = made
        self.filler = filler
        self.key_ids: list[str] = []

    async def measure(self, size: int) -> dict[str, float]:
        """Fill up to that size, and return each figure."""
        self.key_ids += await self.filler.fill(size - len(self.key_ids))
        figures = await self._sweep()
        starts = []
        for _ in range(STARTS):
            server = self.made.start("starting")
            starts.append(server.started_in_seconds)
            _end(server)
        server = self.made.start("scaled", KEYFERRY_WRAPPING_KEY_POOL_SIZE=str(POOL))
        try:
            await asyncio.to_thread(wait_for_pool, server, POOL)
            figures = {
                "start until the ready line, s": median(starts),
                "resident before the first call, MiB": server.resident_mib(),
                **await self._operations(),
                "resident after all calls, MiB": server.resident_mib(),
                **figures,
            }
        finally:
            _end(server)
        return figures

    async def _operations(self) -> dict[str, float]:
        drawn = random.Random(1).sample(self.key_ids, DRAWN)  # noqa: S311 -- a sample
        figures: dict[str, float] = {}

        def call(label: str, operation: str, requests: Iterable[Any]) -> None:
            bodies = tuple(one.SerializeToString() for one in requests)
            load = self.made.load(
                "scaled", operation, bodies=bodies, once=True, seconds=120, warm_up_seconds=0.0
            )
            result = send(load)
            if result.failures:
                raise RuntimeError(f"{label}: calls failed")
            figures[label] = result.p50_ms

        def encrypt(key_id: str) -> EncryptRequest:
            return EncryptRequest(key_id=key_id, plaintext=MATERIAL, encryption_context=CONTEXT)

        call("Encrypt, a key's first use", "Encrypt", map(encrypt, drawn))
        call("Encrypt", "Encrypt", map(encrypt, drawn))
        call(
            "GenerateDataKey",
            "GenerateDataKey",
            (GenerateDataKeyRequest(key_id=one, key_spec="DATA_KEY_SPEC_AES_256") for one in drawn),
        )
        async with self.made.client() as client:
            blobs = [(await client.encrypt_async(encrypt(one))).ciphertext_blob for one in drawn]
            call(
                "Decrypt",
                "Decrypt",
                (DecryptRequest(ciphertext_blob=one, encryption_context=CONTEXT) for one in blobs),
            )
            call("DescribeKey", "DescribeKey", (DescribeKeyRequest(key_id=one) for one in drawn))
            first = ListKeysRequest(limit=_PAGE)
            call("ListKeys, first page of 100", "ListKeys", [first] * 50)
            last = ListKeysRequest(limit=_PAGE, marker=await self._last_marker(client))
            call("ListKeys, last page of 100", "ListKeys", [last] * 50)
            call("CreateKey", "CreateKey", [CreateKeyRequest(origin="ORIGIN_TYPE_EXTERNAL")] * 50)
            call("DisableKey", "DisableKey", (DisableKeyRequest(key_id=one) for one in drawn[:50]))
            call("EnableKey", "EnableKey", (EnableKeyRequest(key_id=one) for one in drawn[:50]))
            call(
                "TagResource",
                "TagResource",
                (
                    TagResourceRequest(key_id=one, tags=[{"tag_key": "purpose", "tag_value": "scale"}])
                    for one in drawn[:50]
                ),
            )
            call(
                "CreateGrant",
                "CreateGrant",
                (
                    CreateGrantRequest(
                        key_id=one,
                        grantee_principal="arn:aws:iam::000000000000:user/benchmark",
                        operations=["GRANT_OPERATION_DECRYPT"],
                    )
                    for one in drawn[:50]
                ),
            )
            call("ListGrants", "ListGrants", (ListGrantsRequest(key_id=one) for one in drawn[:50]))
            policy = (await client.get_key_policy_async(key_id=drawn[0])).policy
            call(
                "PutKeyPolicy",
                "PutKeyPolicy",
                (PutKeyPolicyRequest(key_id=one, policy=policy) for one in drawn[:50]),
            )
            call(
                "GetParametersForImport, full pool",
                "GetParametersForImport",
                (parameters_request(one, "RSA_2048") for one in drawn[:IMPORTS]),
            )
            created = [
                (
                    await client.create_key_async(CreateKeyRequest(origin="ORIGIN_TYPE_EXTERNAL"))
                ).key_metadata.key_id
                for _ in range(IMPORTS)
            ]
            imports = [
                one
                for key_id in created
                for one in await import_requests(client, key_id, "RSA_2048", 1, MATERIAL)
            ]
            call("ImportKeyMaterial", "ImportKeyMaterial", imports)
        return figures

    async def _last_marker(self, client: Any) -> str:
        """Walk the list until one page is left."""
        left = await self.filler.count("keys") - _PAGE
        # The other keys of the stage are of the same account.
        marker = ""
        while left > 0:
            page = await client.list_keys_async(
                ListKeysRequest(limit=min(left, _LARGEST_PAGE), marker=marker or None)
            )
            left -= len(page.keys)
            marker = page.next_marker
        return marker

    async def _sweep(self) -> dict[str, float]:
        """Return how long a server that starts takes to wipe what is due."""
        now = datetime.now(UTC)
        due = await self.filler.fill(DUE, now - timedelta(minutes=1))
        server = self.made.start("sweeping")
        start = time.perf_counter()
        try:
            while await self.filler.count("key_materials", "sealed IS NOT NULL AND valid_to <= now()"):  # noqa: ASYNC110 -- another process does it
                await asyncio.sleep(0.02)
            seconds = time.perf_counter() - start
        finally:
            _end(server)
        await self.filler.remove(due)
        return {f"the sweeper, {DUE:,} due at once, s": seconds}


def _end(server: Server) -> None:
    server.process.terminate()
    server.process.wait(60)


async def run(sizes: Sequence[int]) -> dict[str, Any]:
    """Measure all sizes."""
    results: dict[str, Any] = {
        "machine": describe_machine(),
        "began_at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "sizes": list(sizes),
        "figures": {},
    }
    async with stage() as made:
        scale = Scale(made, await Filler.open(made))
        for size in sizes:
            for name, figure in (await scale.measure(size)).items():
                results["figures"].setdefault(name, {})[str(size)] = figure
    return results


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--million", action="store_true", help="1,000,000 keys, too")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--sizes", type=lambda text: tuple(map(int, text.split(","))), default=SIZES)
    chosen = parser.parse_args()
    results = asyncio.run(run((*chosen.sizes, MILLION) if chosen.million else chosen.sizes))
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "scale.json").write_text(json.dumps(results, indent=1) + "\n")
    print(scale_report(results))


if __name__ == "__main__":
    main()
