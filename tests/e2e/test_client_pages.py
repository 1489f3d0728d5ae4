"""The pages about the client, run as they stand: the shell blocks of the tutorial, the Python blocks of the rest."""

import ast
import asyncio
import inspect
import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
from steps import MATERIAL, create_external_key, get_parameters, import_request

from keyferry_client import CancellationToken, KeyManagementServiceClient
from keyferry_client.testing import KeyferryServer

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PATIENCE_SECONDS = 100
# What the reader does in the first terminal, and the way into a folder of the reader's own.
SET_UP = ("make setup", 'cd "$(mktemp -d)"')


def blocks(page: str, *languages: str) -> list[tuple[str, str]]:
    text = (DOCS / page).read_text()
    found = re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [(language, code) for language, code in found if language in languages]


@pytest.fixture
async def client(keyferry_server: KeyferryServer) -> AsyncIterator[KeyManagementServiceClient]:
    async with keyferry_server.client() as client:
        yield client


def script_of_the_tutorial(folder: Path) -> str:
    """Return the shell blocks as one script; save the files that the reader is told to save."""
    lines = ["set -euo pipefail"]
    for language, code in blocks("tutorial.md", "sh", "python"):
        name = re.match(r"# (\w+\.py)\n", code)
        if language == "python":
            assert name is not None, code
            (folder / name[1]).write_text(code)
        elif not any(step in code for step in SET_UP):
            # A line that must fail is more than one that may.
            lines.append(re.sub(r"^! (.*)$", r"if \1; then exit 77; fi", code, flags=re.MULTILINE))
    return "\n".join(lines)


async def test_the_tutorial_takes_a_newcomer_to_the_end(
    keyferry_server: KeyferryServer, tmp_path: Path
) -> None:
    script = script_of_the_tutorial(tmp_path).replace("127.0.0.1:8700", keyferry_server.address)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KEYFERRY_")}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "KEYFERRY_ENDPOINT": keyferry_server.address,
    }
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", script, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        output, _ = await process.communicate()
    shown = output.decode()
    assert process.returncode == 0, shown
    told = (
        "KeyState     Enabled",
        "KMSInvalidStateException",
        "IncorrectKeyMaterialException",
        "attack at dawn\nrefused: DisabledException",
        "canceled: Canceled",
        "will be deleted on",
    )
    assert [one for one in told if re.sub(r" +", " ", one) not in re.sub(r" +", " ", shown)] == []
    assert (tmp_path / "letter.again").read_text() == "attack at dawn\n"
    assert b"attack" not in (tmp_path / "letter.sealed").read_bytes()


def test_the_tests_of_the_tutorial_pass(keyferry_server: KeyferryServer, tmp_path: Path) -> None:
    script_of_the_tutorial(tmp_path)
    for name, given in (("conftest.py", ()), ("test_letters.py", (keyferry_server,))):
        namespace: dict[str, Any] = {}
        exec(compile((tmp_path / name).read_text(), name, "exec"), namespace)  # noqa: S102 -- our own page
        for test in [one for key, one in namespace.items() if key.startswith("test_")]:
            test(*given)
    assert namespace["test_a_letter_comes_back"]


async def run(code: str, namespace: dict[str, Any]) -> None:
    """Run a block in which `await` may stand outside of a function, as in a notebook."""
    compiled = compile(code, "block", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    outcome = eval(compiled, namespace)  # noqa: S307 -- our own page
    if inspect.isawaitable(outcome):
        await outcome


async def test_the_examples_about_the_client_run_and_are_true(
    keyferry_server: KeyferryServer, client: KeyManagementServiceClient, tmp_path: Path
) -> None:
    key_id = (await client.create_key_async()).key_metadata.key_id
    namespace: dict[str, Any] = {"address": keyferry_server.address, "key_id": key_id, "folder": tmp_path}
    examples = blocks("client.md", "python")
    assert len(examples) > 10
    for _, code in examples:
        await run(code, namespace)
        opened = namespace.get("client")
        if opened is not None and "client = Key" in code and "example.org" in code:
            await opened.close()
            namespace["client"] = client


async def test_the_signature_that_is_compared_with_dotnets_is_ours(
    client: KeyManagementServiceClient,
) -> None:
    ((_, code),) = blocks("dotnet.md", "python")
    namespace: dict[str, Any] = {}
    await run(code, namespace)
    key_id = await create_external_key(client)
    request = import_request(key_id, await get_parameters(client, key_id), MATERIAL)
    answer = await namespace["signature"](client, request, CancellationToken.none)
    assert answer.key_id.endswith(key_id)


def test_a_killed_test_run_leaves_no_server_behind(data_folder: Path) -> None:
    program = textwrap.dedent(
        """
        import os, signal, tempfile
        from keyferry_client.testing import running_server
        with running_server() as server:
            print(server.address, flush=True)
            signal.pause()
        """
    )
    # Run by root, Postgres is another user's, who must be able to enter.
    temporary = data_folder.parent / "temporary"
    temporary.mkdir(mode=0o711)
    environment = os.environ | {"TMPDIR": str(temporary)}
    with subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True
    ) as run_:
        assert run_.stdout is not None
        assert re.fullmatch(r"127\.0\.0\.1:\d+\n", run_.stdout.readline())
        started = psutil.Process(run_.pid).children(recursive=True)
        assert any("keyferry_server" in " ".join(one.cmdline()) for one in started)
        run_.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(started, PATIENCE_SECONDS)
    assert alive == []
    assert list(temporary.iterdir()) == []
