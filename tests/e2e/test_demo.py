"""`make demo`: the main job on real parts; it fails if anything differs, and leaves nothing behind."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from e2e.operators_view import processes_at

DEMO = Path(__file__).parents[2] / "demo" / "main_job.py"
LONGEST_SECONDS = 110


@asynccontextmanager
async def demo(folder: Path, environment: Mapping[str, str]) -> AsyncIterator[Process]:
    """Run the demo with `folder` for its temporary files."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        DEMO,
        env=os.environ | {"TMPDIR": str(folder)} | environment,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def ended(process: Process) -> tuple[int | None, list[str]]:
    """Return how the demo ended, and its lines."""
    output, _ = await process.communicate()
    return process.returncode, output.decode().splitlines()


def assert_nothing_is_left(folder: Path) -> None:
    assert processes_at(folder) == []
    assert list(folder.iterdir()) == []


@pytest.fixture
def folder(data_folder: Path) -> Path:
    """A folder that Postgres's user can pass through, also if root runs the tests."""
    return data_folder.parent


@pytest.fixture
def main_job() -> ModuleType:
    spec = spec_from_file_location("main_job", DEMO)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_the_demo_does_the_whole_main_job_and_leaves_nothing(folder: Path) -> None:
    async with demo(folder, {}) as running:
        exit_code, lines = await ended(running)
    assert exit_code == 0, lines
    assert lines[-1].startswith("Done: ")
    told = "\n".join(lines)
    for expected in (
        # It does not take the ports of a server that runs already.
        "aws=off metrics=off",
        "PendingImport",
        "keyferry: KMSInvalidStateException",
        "keyferry import wrap",
        "Enabled",
        "keyferry keys delete-material",
        "keyferry: IncorrectKeyMaterialException",
        "byte for byte",
    ):
        assert expected in told
    assert_nothing_is_left(folder)


async def test_a_server_that_cannot_start_fails_the_demo(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "asyncpg.py").write_text("raise ImportError('broken on purpose')")
    async with demo(folder, {"PYTHONPATH": str(tmp_path)}) as running:
        exit_code, lines = await ended(running)
    assert exit_code == 1
    assert any(line.startswith("FAILED: the server did not start") for line in lines)
    assert any("broken on purpose" in line for line in lines)
    assert_nothing_is_left(folder)


async def test_an_interrupted_demo_leaves_nothing_either(folder: Path) -> None:
    async with demo(folder, {}) as running:
        assert running.stdout is not None
        while not (await running.stdout.readline()).startswith(b"keyferry-server is ready"):
            assert running.returncode is None
        running.send_signal(signal.SIGTERM)
        exit_code, _ = await ended(running)
    assert exit_code == 130
    assert_nothing_is_left(folder)


async def test_a_step_that_does_not_do_what_it_promises_ends_the_demo(
    main_job: ModuleType, tmp_path: Path, free_port: Callable[[], int], capsys: pytest.CaptureFixture[str]
) -> None:
    job = main_job.Job(tmp_path, f"127.0.0.1:{free_port()}")
    with pytest.raises(main_job.DifferentError, match="this should succeed"):
        await asyncio.to_thread(job.run)
    assert "1. Create a key" in capsys.readouterr().out
