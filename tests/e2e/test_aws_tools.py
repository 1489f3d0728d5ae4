"""AWS's own tools as they come, against a server as it comes: what our pages show is what runs here."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import asyncpg
import pytest
from e2e.callers_view import until
from fixtures.certificates import Certificates
from fixtures.processes import RunCommand, ServerProcess, StartProcess

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "docs" / "aws-tools"
SHOWN = "http://127.0.0.1:8701"
# Patience with a busy machine: the command line alone takes a second for each of its commands.
LONGEST_SECONDS = 200
pytestmark = pytest.mark.timeout(300)


def blocks(page: Path, language: str) -> list[str]:
    """Return the examples of a page; those inside of a list are indented."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", page.read_text(), re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


async def run(*command: str | Path, folder: Path, **environment: str) -> str:
    """Run a program that must succeed, and return what it printed."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "KEYFERRY_"))
    }
    # The command line is in the same folder as Python.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=PIPE,
        stderr=PIPE,
        cwd=folder,
        env=inherited
        | {"PATH": path, "HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}
        | environment,
    )
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, errors.decode()
    return output.decode()


@pytest.fixture
async def server(start_process: StartProcess, free_port: Callable[[], int]) -> ServerProcess:
    return await start_process(aws_listen=f"127.0.0.1:{free_port()}")


def credentials(server: ServerProcess, scheme: str = "http") -> Mapping[str, str]:
    return {
        "AWS_ENDPOINT_URL_KMS": f"{scheme}://{server.addresses['aws']}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
    }


async def test_awss_import_guide_and_the_examples_of_our_pages_run_as_they_are(
    server: ServerProcess, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    def here(example: str) -> str:
        assert SHOWN in example
        return example.replace(SHOWN, f"http://{server.addresses['aws']}")

    with subtests.test("the guide, with the command line and openssl"):
        guide = here("\n".join(blocks(TOOLS / "aws-cli.md", "sh")[:7]))
        output = await run("bash", "-euo", "pipefail", "-c", guide, folder=tmp_path)
        states = [line for line in output.splitlines() if line in {"Enabled", "PendingImport"}]
        assert states == ["Enabled", "PendingImport"]
        assert (tmp_path / "letter.opened").read_bytes() == b"attack at dawn\n"
        assert '"KeyMaterialId": "' in output
    with subtests.test("the three lines of the README"):
        (lines,) = [one for one in blocks(ROOT / "README.md", "sh") if "AWS_ENDPOINT_URL_KMS" in one]
        assert len(lines.splitlines()) == 3
        output = await run("bash", "-euo", "pipefail", "-c", here(lines), folder=tmp_path)
        assert re.fullmatch(r"[A-Za-z0-9+/]+=*\n", output)
    with subtests.test("boto3"):
        (example,) = blocks(TOOLS / "boto3.md", "python")
        opened, *arns = (await run(sys.executable, "-c", here(example), folder=tmp_path)).splitlines()
        assert opened == "b'attack at dawn'"
        assert [arn for arn in arns if not arn.startswith("arn:aws:kms:us-east-1:000000000000:key/")] == []
        assert arns


async def test_the_example_for_javascript_and_its_abort_controller(
    server: ServerProcess, javascript_sdk: Path, tmp_path: Path, connection: asyncpg.Connection
) -> None:
    example = blocks(TOOLS / "javascript.md", "javascript")[0]
    assert SHOWN in example
    here = example.replace(SHOWN, f"http://{server.addresses['aws']}")
    opened, arn = (await run_javascript(here, javascript_sdk, tmp_path)).splitlines()
    assert opened == "attack at dawn"
    assert arn.startswith("arn:aws:kms:us-east-1:000000000000:key/")
    await abort(server, tmp_path, connection)


async def run_javascript(script: str, sdk: Path, folder: Path, **environment: str) -> str:
    (folder / "script.mjs").write_text(script)
    (folder / "node_modules").symlink_to(sdk / "node_modules")
    return await run("node", "script.mjs", folder=folder, **environment)


ABORT = """
import { CreateKeyCommand, DisableKeyCommand, KMSClient, NotFoundException, DescribeKeyCommand } from "@aws-sdk/client-kms";
const kms = new KMSClient({ maxAttempts: 1 });
try {
  await kms.send(new DescribeKeyCommand({ KeyId: "12345678-1234-1234-1234-123456789abc" }));
} catch (error) {
  console.log(error instanceof NotFoundException, error.$metadata.httpStatusCode, error.message.includes("does not exist"));
}
const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
const controller = new AbortController();
console.log(KeyMetadata.KeyId);
const told = () => new Promise((go) => process.stdin.once("data", go));
await told();
told().then(() => controller.abort());
try {
  await kms.send(new DisableKeyCommand({ KeyId: KeyMetadata.KeyId }), { abortSignal: controller.signal });
} catch (error) {
  console.log(error.name);
}
process.exit(0);
"""


async def abort(server: ServerProcess, folder: Path, connection: asyncpg.Connection) -> None:
    """Abort a call that waits: it is cancelled, and nothing has changed."""
    (folder / "script.mjs").write_text(ABORT)
    process = await asyncio.create_subprocess_exec(
        "node",
        "script.mjs",
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        cwd=folder,
        env=os.environ | credentials(server),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            assert await process.stdout.readline() == b"true 400 true\n"
            key_id = (await process.stdout.readline()).decode().strip()
            async with connection.transaction():
                await connection.execute("SELECT FROM keys WHERE key_id = $1 FOR UPDATE", key_id)
                process.stdin.write(b"go on\n")
                await until(waiting_for(connection, 1))
                process.stdin.write(b"abort\n")
                assert await process.stdout.readline() == b"AbortError\n"
                await until(waiting_for(connection, 0))
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert await connection.fetchval("SELECT enabled FROM keys WHERE key_id = $1", key_id) is True


def waiting_for(holder: asyncpg.Connection, number: int) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        query = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
        return bool(await holder.fetchval(query, holder.get_server_pid()) == number)

    return ask


LIST = """
import { KMSClient, ListKeysCommand } from "@aws-sdk/client-kms";
console.log((await new KMSClient({}).send(new ListKeysCommand({}))).Keys.length);
"""


async def test_signed_requests_over_tls_with_a_private_authority_from_all_three(
    start_process: StartProcess,
    run_forked: RunCommand,
    free_port: Callable[[], int],
    certificates: Certificates,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    server = await start_process(
        aws_listen=f"127.0.0.1:{free_port()}",
        environment={
            "KEYFERRY_AWS_AUTH": "sigv4",
            "KEYFERRY_TLS_CERT_FILE": str(certificates.certificate),
            "KEYFERRY_TLS_KEY_FILE": str(certificates.key),
        },
    )
    database = {name: server.options[name] for name in ("database_url", "root_key_file")}
    created = await run_forked("access-key", "create", **database)
    assert created.exit_code == 0, created.errors
    file = tmp_path / "credentials"
    file.write_text(created.output)
    lines = dict(line.split(" = ") for line in created.output.splitlines()[1:])
    access_key_id = lines["aws_access_key_id"]
    environment = dict(credentials(server, "https")) | {
        "AWS_ACCESS_KEY_ID": access_key_id,
        "AWS_SECRET_ACCESS_KEY": lines["aws_secret_access_key"],
        "AWS_CA_BUNDLE": str(certificates.authority),
        "NODE_EXTRA_CA_CERTS": str(certificates.authority),
    }

    count = "import boto3; print(len(boto3.client('kms').list_keys()['Keys']))"
    assert await run(sys.executable, "-c", count, folder=tmp_path, **environment) == "0\n"
    command_line = ("aws", "kms", "list-keys", "--query", "length(Keys)")
    by_file = {
        name: value for name, value in environment.items() if not name.endswith(("_KEY_ID", "_ACCESS_KEY"))
    }
    by_file["AWS_SHARED_CREDENTIALS_FILE"] = str(file)
    assert await run(*command_line, folder=tmp_path, **by_file) == "0\n"

    sdk = request.getfixturevalue("javascript_sdk")
    assert await run_javascript(LIST, sdk, tmp_path, **environment) == "0\n"

    listed = await run_forked("access-key", "list", **database)
    assert re.fullmatch(rf"{access_key_id}  enabled   \S+Z  arn:aws:iam::000000000000:root\n", listed.output)
    secret = lines["aws_secret_access_key"]
    assert secret not in listed.output + server.log.read_text() + created.errors
    assert (await run_forked("access-key", "delete", access_key_id, **database)).exit_code == 0
    again = await run_forked("access-key", "delete", access_key_id, **database)
    assert (again.exit_code, "access-key list" in again.errors) == (1, True)
