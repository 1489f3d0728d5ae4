import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil  # type: ignore[import-untyped]
import pytest
from fixtures.postgres import fetch

from keyferry_server.storage.embedded import EmbeddedPostgres, EmbeddedPostgresError, leftover, shutdown
from keyferry_server.storage.embedded.shutdown import happens

QUICK = {"fsync": "off"}
SERVER = """
import asyncio, json, sys
from pathlib import Path
from keyferry_server.storage.embedded import EmbeddedPostgres

async def serve():
    postgres = await EmbeddedPostgres.start(Path(sys.argv[1]), {"fsync": "off"})
    print(json.dumps({"pid": postgres.pid, "dsn": postgres.dsn()}), flush=True)
    await asyncio.Event().wait()

asyncio.run(serve())
"""


async def execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def processes_below(folder: Path) -> list[psutil.Process]:
    """Return every living process that has the folder in its arguments or works in it."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd().startswith(str(folder)) or str(folder) in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def unfinished(data_folder: Path) -> list[Path]:
    return list(data_folder.glob("postgres.new-*/base"))


async def test_first_start_makes_the_database(data_folder: Path) -> None:
    postgres = await EmbeddedPostgres.start(data_folder, QUICK)
    try:
        assert (
            await fetch(postgres.dsn(), "SELECT current_database() || ' ' || current_user")
            == "keyferry keyferry"
        )
        assert await fetch(postgres.dsn(), "SHOW server_encoding") == "UTF8"
        assert (
            await fetch(postgres.dsn(), "SELECT datcollate FROM pg_database WHERE datname = 'keyferry'")
            == "C"
        )
    finally:
        await postgres.stop()


async def test_no_port_is_opened(data_folder: Path) -> None:
    postgres = await EmbeddedPostgres.start(data_folder, QUICK | {"listen_addresses": "*", "port": "9"})
    try:
        assert psutil.Process(postgres.pid).net_connections("inet") == []
        assert await fetch(postgres.dsn(), "SHOW listen_addresses") == ""
    finally:
        await postgres.stop()


async def test_settings_reach_postgres(data_folder: Path) -> None:
    postgres = await EmbeddedPostgres.start(data_folder, QUICK | {"max_connections": "17"})
    try:
        assert await fetch(postgres.dsn(), "SHOW max_connections") == "17"
    finally:
        await postgres.stop()


async def test_postgres_sees_neither_our_secrets_nor_our_terminal(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEYFERRY_ROOT_KEY", "secret")
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=64kB")
    postgres = await EmbeddedPostgres.start(data_folder, QUICK)
    try:
        assert set(psutil.Process(postgres.pid).environ()) <= {
            *("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LC_ALL", "TZ"),
            *("PG_GRANDPARENT_PID", "PGLOCALEDIR", "PGSYSCONFDIR"),  # its own
        }
        assert os.getsid(postgres.pid) != os.getsid(0)
    finally:
        await postgres.stop()


async def test_restart_keeps_the_data(data_folder: Path) -> None:
    postgres = await EmbeddedPostgres.start(data_folder, QUICK)
    await execute(postgres.dsn(), "CREATE TABLE kept AS SELECT 42 AS answer")
    await postgres.stop()

    postgres = await EmbeddedPostgres.start(data_folder, QUICK)
    try:
        assert await fetch(postgres.dsn(), "SELECT answer FROM kept") == 42
    finally:
        await postgres.stop()


async def test_stop_leaves_no_process_and_may_be_repeated(data_folder: Path) -> None:
    postgres = await EmbeddedPostgres.start(data_folder, QUICK)
    assert len(processes_below(data_folder)) > 1

    await postgres.stop()
    await postgres.stop()

    assert processes_below(data_folder) == []
    assert not (data_folder / "postgres" / "postmaster.pid").exists()


async def test_stop_ends_postgres_in_order_while_clients_are_connected(data_folder: Path) -> None:
    postgres = await EmbeddedPostgres.start(data_folder, QUICK)
    client = await asyncpg.connect(postgres.dsn())

    await postgres.stop()

    assert "database system is shut down" in (data_folder / "postgres.log").read_text()
    assert client.is_closed()


def test_postgres_may_be_stopped_from_another_event_loop(data_folder: Path) -> None:
    postgres = asyncio.run(EmbeddedPostgres.start(data_folder, QUICK))
    asyncio.run(postgres.stop())

    assert processes_below(data_folder) == []


async def test_second_server_on_the_same_folder_is_refused(data_folder: Path) -> None:
    postgres = await EmbeddedPostgres.start(data_folder, QUICK)
    try:
        with pytest.raises(EmbeddedPostgresError, match=rf"\(process {os.getpid()}\) uses the data folder"):
            await EmbeddedPostgres.start(data_folder, QUICK)
        assert await fetch(postgres.dsn(), "SELECT 1") == 1
    finally:
        await postgres.stop()


@pytest.mark.parametrize("is_frozen", [False, True], ids=["running", "frozen"])
async def test_postgres_of_a_killed_server_is_ended_and_replaced(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch, *, is_frozen: bool
) -> None:
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, str(data_folder), stdout=subprocess.PIPE
    )
    assert server.stdout is not None
    left = json.loads(await server.stdout.readline())
    await execute(left["dsn"], "CREATE TABLE acknowledged AS SELECT 42 AS answer")
    server.kill()
    assert await server.wait() == -signal.SIGKILL
    leftovers = processes_below(data_folder)
    assert left["pid"] in [process.pid for process in leftovers]
    if is_frozen:
        # It hears neither request, and its processes not even that it is killed.
        monkeypatch.setattr(
            shutdown, "_STEPS", [(step, 0.1) for step, _ in shutdown._STEPS[:-1]] + [shutdown._STEPS[-1]]
        )
        monkeypatch.setattr(leftover, "_ENDING_SECONDS", 0.5)
        for process in leftovers:
            process.suspend()

    postgres = await EmbeddedPostgres.start(data_folder, QUICK)
    try:
        assert not [process for process in leftovers if leftover._is_alive(process)]
        assert await fetch(postgres.dsn(), "SELECT answer FROM acknowledged") == 42
    finally:
        await postgres.stop()


async def test_killed_postgres_starts_again_with_what_it_acknowledged(data_folder: Path) -> None:
    postgres = await EmbeddedPostgres.start(data_folder, QUICK)
    await execute(postgres.dsn(), "CREATE TABLE acknowledged AS SELECT 42 AS answer")
    os.kill(postgres.pid, signal.SIGKILL)
    await postgres.stop()
    assert (data_folder / "postgres" / "postmaster.pid").exists()

    postgres = await EmbeddedPostgres.start(data_folder, QUICK)
    try:
        assert await fetch(postgres.dsn(), "SELECT answer FROM acknowledged") == 42
    finally:
        await postgres.stop()


@pytest.mark.parametrize("content", [b"", b"\0" * 64, b"\xff\n", b"not a number\n"])
async def test_a_damaged_pid_file_does_not_keep_postgres_from_starting(
    data_folder: Path, content: bytes
) -> None:
    await (await EmbeddedPostgres.start(data_folder, QUICK)).stop()
    (data_folder / "postgres" / "postmaster.pid").write_bytes(content)
    postgres = await EmbeddedPostgres.start(data_folder, QUICK)
    await postgres.stop()


async def test_process_of_a_stranger_is_not_taken_for_a_leftover(
    data_folder: Path, stranger: subprocess.Popen[bytes]
) -> None:
    postgres = await EmbeddedPostgres.start(data_folder, QUICK)
    await postgres.stop()
    cluster = data_folder / "postgres"
    for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        (cluster / name).write_text(f"{stranger.pid}\n{cluster}\n1700000000\n5432\n{cluster}\n\n")

    postgres = await EmbeddedPostgres.start(data_folder, QUICK)
    await postgres.stop()

    assert stranger.poll() is None


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


async def test_interrupted_first_start_leaves_nothing_behind(data_folder: Path) -> None:
    first = asyncio.create_task(EmbeddedPostgres.start(data_folder, QUICK))
    assert await happens(lambda: unfinished(data_folder) != [], 10)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first

    assert not (data_folder / "postgres").exists()
    postgres = await EmbeddedPostgres.start(data_folder, QUICK)
    try:
        assert await fetch(postgres.dsn(), "SELECT 1") == 1
        assert unfinished(data_folder) == []
    finally:
        await postgres.stop()


async def test_cancelled_start_leaves_no_process_and_no_lock(data_folder: Path) -> None:
    postgres = await EmbeddedPostgres.start(data_folder, QUICK)
    await postgres.stop()
    second = asyncio.create_task(EmbeddedPostgres.start(data_folder, QUICK))
    assert await happens((data_folder / "postgres" / "postmaster.pid").exists, 10)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second

    assert processes_below(data_folder) == []
    postgres = await EmbeddedPostgres.start(data_folder, QUICK)
    await postgres.stop()


async def test_failed_start_shows_what_postgres_said_and_leaves_nothing_running(data_folder: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match='unrecognized configuration parameter "no_such_setting"'):
        await EmbeddedPostgres.start(data_folder, QUICK | {"no_such_setting": "1"})

    assert processes_below(data_folder) == []
    postgres = await EmbeddedPostgres.start(data_folder, QUICK)
    await postgres.stop()
    assert "no_such_setting" in (data_folder / "postgres.log.old").read_text()
