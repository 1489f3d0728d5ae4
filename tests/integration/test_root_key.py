"""Without its root key a server does not start, says what to do, and changes nothing."""

import base64
import os
import stat
from pathlib import Path

import pytest
from dumps import pg_dump
from fixtures.processes import READY, Finished, RunCommand, ServerProcess, StartProcess
from steps import create_external_key, create_imported_key, get_parameters, import_request, state_of

from keyferry.v1 import DecryptRequest, EncryptRequest
from keyferry_server.crypto.root_key.file import generate_root_key_file

REFUSED = 1
LISTEN = {"grpc_listen": "127.0.0.1:0", "metrics_listen": "off"}


@pytest.fixture
async def used_database(server_process: ServerProcess, database_url: str) -> str:
    """A database with keys in it, whose server has ended."""
    async with server_process.client() as client:
        await create_imported_key(client)
        await get_parameters(client, await create_external_key(client))
    assert await server_process.terminate() == 0
    return database_url


@pytest.fixture
def other_root_key_file(tmp_path: Path) -> Path:
    path = tmp_path / "root-key-of-another"
    generate_root_key_file(path)
    return path


def check_refusal(finished: Finished, *says: str) -> None:
    """Check that a command refused, in words for a person, and without a traceback."""
    assert finished.exit_code == REFUSED
    assert READY not in finished.output
    assert "Traceback" not in finished.errors
    refusal = [line for line in finished.errors.splitlines() if line.startswith("keyferry-server: ")]
    for text in says:
        assert any(text in line for line in refusal), finished.errors


def text_of(path: Path) -> str:
    return path.read_text()


def key_of(root_key_file: Path) -> str:
    return text_of(root_key_file).split()[-1]


def change(path: Path, *, content: str | None = None, mode: int = 0o600) -> None:
    if content is not None:
        path.write_text(content)
    path.chmod(mode)


def files_in(folder: Path, pattern: str = "*") -> list[Path]:
    return [path for path in folder.rglob(pattern) if path.is_file()]


async def test_a_server_with_a_database_url_and_no_root_key_does_not_start(
    run_command: RunCommand, used_database: str
) -> None:
    before = await pg_dump(used_database)

    finished = await run_command("serve", database_url=used_database, **LISTEN)

    check_refusal(finished, "keyferry-server root-key generate", "KEYFERRY_ROOT_KEY_FILE")
    assert await pg_dump(used_database) == before


async def test_a_server_with_a_new_database_and_no_root_key_does_not_make_one(
    run_command: RunCommand, database_url: str, tmp_path: Path
) -> None:
    before = await pg_dump(database_url)

    check_refusal(await run_command("serve", database_url=database_url, **LISTEN))

    assert await pg_dump(database_url) == before
    assert files_in(tmp_path) == []


async def test_a_server_with_the_root_key_of_another_installation_does_not_start(
    run_command: RunCommand, used_database: str, other_root_key_file: Path
) -> None:
    before = await pg_dump(used_database)

    finished = await run_command(
        "serve", database_url=used_database, root_key_file=str(other_root_key_file), **LISTEN
    )

    check_refusal(finished, "it is the root key of another installation", "Configure the root key that")
    assert key_of(other_root_key_file) not in finished.errors
    assert await pg_dump(used_database) == before


async def test_a_server_that_lacks_the_version_of_the_root_key_does_not_start(
    run_command: RunCommand, used_database: str, tmp_path: Path
) -> None:
    before = await pg_dump(used_database)
    path = tmp_path / "root-key-2"
    change(path, content=f"2 {base64.b64encode(os.urandom(32)).decode()}\n")

    finished = await run_command("serve", database_url=used_database, root_key_file=str(path), **LISTEN)

    check_refusal(finished, "version 1 of the root key")
    assert await pg_dump(used_database) == before


async def test_the_right_root_key_opens_the_database_after_a_wrong_one_was_tried(
    server_process: ServerProcess, run_command: RunCommand, used_database: str, other_root_key_file: Path
) -> None:
    await run_command("serve", database_url=used_database, root_key_file=str(other_root_key_file), **LISTEN)

    await server_process.start()

    async with server_process.client() as client:
        await create_imported_key(client)


async def test_a_root_key_file_that_is_missing_is_not_made(
    run_command: RunCommand, database_url: str, tmp_path: Path
) -> None:
    missing = tmp_path / "no-such-file"

    finished = await run_command("serve", database_url=database_url, root_key_file=str(missing), **LISTEN)

    check_refusal(finished, f"There is no root key at {missing}", "root-key generate --out")
    assert not missing.exists()


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o602, 0o666])
async def test_a_root_key_file_that_others_can_read_or_change_is_refused(
    run_command: RunCommand, database_url: str, root_key_file: Path, mode: int
) -> None:
    change(root_key_file, mode=mode)

    finished = await run_command(
        "serve", database_url=database_url, root_key_file=str(root_key_file), **LISTEN
    )

    check_refusal(finished, f"chmod 600 {root_key_file}", f"{mode:04o}")
    assert key_of(root_key_file) not in finished.errors


@pytest.mark.parametrize(
    "content",
    ["", "# no key\n", "1 AAAA\n", "1 not base64 at all\n", f"1 {'A' * 44}\n", f"0 {'A' * 43}=\n"],
    ids=["empty", "comment only", "too short", "not base64", "too long", "version 0"],
)
async def test_a_root_key_file_with_a_fault_is_refused(
    run_command: RunCommand, database_url: str, root_key_file: Path, content: str
) -> None:
    change(root_key_file, content=content)

    finished = await run_command(
        "serve", database_url=database_url, root_key_file=str(root_key_file), **LISTEN
    )

    check_refusal(finished, str(root_key_file))


async def test_a_root_key_from_the_environment_is_the_same_root_key(
    start_process: StartProcess, used_database: str, root_key_file: Path
) -> None:
    environment = {"KEYFERRY_ROOT_KEY": text_of(root_key_file)}

    server = await start_process(environment, root_key_file=None)

    async with server.client() as client:
        await create_imported_key(client)
    assert key_of(root_key_file) not in server.log.read_text()


async def test_the_command_makes_a_private_root_key_once(run_command: RunCommand, tmp_path: Path) -> None:
    path = tmp_path / "made"

    first = await run_command("root-key", "generate", out=str(path))
    made = path.read_bytes()
    second = await run_command("root-key", "generate", out=str(path))

    assert first.exit_code == 0
    assert key_of(path) not in first.output + first.errors
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    check_refusal(second, "exists already")
    assert path.read_bytes() == made


async def start_embedded(start_process: StartProcess, data_folder: Path) -> ServerProcess:
    return await start_process(database_url=None, root_key_file=None, data_dir=str(data_folder))


async def test_the_first_embedded_run_makes_a_private_root_key_and_the_second_keeps_it(
    start_process: StartProcess, data_folder: Path
) -> None:
    path = data_folder / "root-key"

    server = await start_embedded(start_process, data_folder)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    made = path.read_bytes()
    async with server.client() as client:
        key_id = await create_imported_key(client)
        encrypted = await client.encrypt_async(EncryptRequest(key_id=key_id, plaintext=b"kept"))
    assert await server.terminate() == 0
    await server.start()
    assert path.read_bytes() == made
    async with server.client() as client:
        decrypted = await client.decrypt_async(DecryptRequest(ciphertext_blob=encrypted.ciphertext_blob))
        assert decrypted.plaintext == b"kept"
    assert key_of(path) not in server.log.read_text()


async def test_a_lost_root_key_of_an_embedded_database_is_not_replaced(
    start_process: StartProcess, run_command: RunCommand, data_folder: Path, tmp_path: Path
) -> None:
    path = data_folder / "root-key"
    server = await start_embedded(start_process, data_folder)
    async with server.client() as client:
        key_id = await create_external_key(client)
        request = import_request(key_id, await get_parameters(client, key_id))
    assert await server.terminate() == 0
    copy = tmp_path / "copy"
    copy.write_bytes(path.read_bytes())
    path.unlink()

    finished = await run_command("serve", data_dir=str(data_folder), **LISTEN)

    check_refusal(finished, f"{path} is missing", "from your copy")
    assert not path.exists()
    path.write_bytes(copy.read_bytes())
    path.chmod(0o600)
    await server.start()
    async with server.client() as client:
        await client.import_key_material_async(request)
        assert await state_of(client, key_id) == "ENABLED"


async def test_a_wrong_root_key_of_an_embedded_database_is_refused_and_its_postgres_is_gone(
    start_process: StartProcess, run_command: RunCommand, data_folder: Path, other_root_key_file: Path
) -> None:
    server = await start_embedded(start_process, data_folder)
    assert await server.terminate() == 0

    finished = await run_command(
        "serve", data_dir=str(data_folder), root_key_file=str(other_root_key_file), **LISTEN
    )

    check_refusal(finished, "root key of another installation")
    assert files_in(data_folder, "postmaster.pid") == []
