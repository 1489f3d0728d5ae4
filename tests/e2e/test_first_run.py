"""The first run: no database given, no root key, no preparation; and every run after it."""

import os
import pwd
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from e2e.operators_view import complaint, postmasters_at, processes_at, read_log
from fixtures.processes import COMMAND, RunCommand, ServerProcess, StartProcess
from steps import MATERIAL, create_imported_key, import_material, state_of

from keyferry.v1 import DecryptRequest, DeleteImportedKeyMaterialRequest, EncryptRequest

PLAINTEXT = b"what was encrypted before the restart"
EMBEDDED = {"database_url": None, "root_key_file": None}


@pytest.fixture(params=["myself", "nobody"])
def as_user(request: pytest.FixtureRequest, data_folder: Path) -> dict[str, Any]:
    """Whom the server runs as: the arguments of the subprocess that make it so."""
    if request.param == "myself":
        return {}
    if os.geteuid() != 0:
        pytest.skip("only root can start a server as another user")
    user = pwd.getpwnam("nobody")
    arguments = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": data_folder.parent}
    try:
        subprocess.run([COMMAND, "--help"], capture_output=True, check=True, **arguments)
    except (PermissionError, subprocess.CalledProcessError) as error:
        pytest.skip(f"NOT TESTED as an unprivileged user: nobody cannot run {sys.executable}: {error}")
    os.chown(data_folder.parent, user.pw_uid, user.pw_gid)
    return arguments


def assert_private(data_folder: Path, owner: int) -> None:
    """Nobody but the server's user reads the root key, or lists what else is there."""
    root_key = (data_folder / "root-key").stat()
    assert (stat.S_IMODE(root_key.st_mode), root_key.st_uid) == (0o600, owner)
    assert not stat.S_IMODE(data_folder.stat().st_mode) & 0o066


async def encrypted(server: ServerProcess) -> tuple[str, bytes]:
    """Bring a key and encrypt with it; return the key ID and the ciphertext."""
    async with server.client() as client:
        key_id = await create_imported_key(client)
        response = await client.encrypt_async(EncryptRequest(key_id=key_id, plaintext=PLAINTEXT))
    return key_id, response.ciphertext_blob


async def decrypted(server: ServerProcess, ciphertext: bytes) -> bytes:
    async with server.client() as client:
        return (await client.decrypt_async(DecryptRequest(ciphertext_blob=ciphertext))).plaintext


async def test_the_first_start_needs_nothing_and_the_next_finds_its_keys_again(
    start_process: StartProcess, data_folder: Path, as_user: dict[str, Any]
) -> None:
    server = await start_process(**EMBEDDED, data_dir=str(data_folder), process_arguments=as_user)
    key_id, ciphertext = await encrypted(server)
    assert await server.terminate() == 0
    assert processes_at(data_folder) == []

    assert_private(data_folder, as_user.get("user", os.geteuid()))

    await server.start()
    assert await decrypted(server, ciphertext) == PLAINTEXT
    async with server.client() as client:
        await client.delete_imported_key_material_async(DeleteImportedKeyMaterialRequest(key_id=key_id))
        await import_material(client, key_id, MATERIAL)
        assert await state_of(client, key_id) == "ENABLED"
    assert await decrypted(server, ciphertext) == PLAINTEXT
    assert await server.terminate() == 0
    assert processes_at(data_folder) == []
    read_log(server.log.read_text())


async def test_ctrl_c_in_a_terminal_ends_server_and_postgres_in_order(
    start_process: StartProcess, data_folder: Path
) -> None:
    # A terminal's Ctrl-C reaches a whole group of processes.
    server = await start_process(
        **EMBEDDED, data_dir=str(data_folder), process_arguments={"start_new_session": True}
    )
    assert postmasters_at(data_folder)
    os.killpg(server.pid, signal.SIGINT)
    assert await server.ended() == 0
    read_log(server.log.read_text())
    assert "database system is shut down" in (data_folder / "postgres.log").read_text()
    assert processes_at(data_folder) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="as root the data would lie in the system's own folders")
async def test_without_any_option_the_data_lies_in_the_users_data_folder(
    start_process: StartProcess, data_folder: Path
) -> None:
    server = await start_process(**EMBEDDED, environment={"XDG_DATA_HOME": str(data_folder)})
    assert (data_folder / "keyferry" / "root-key").is_file()
    assert await server.terminate() == 0
    assert processes_at(data_folder) == []


async def test_after_a_kill_the_next_start_works_although_postgres_was_left_running(
    start_process: StartProcess, data_folder: Path
) -> None:
    server = await start_process(**EMBEDDED, data_dir=str(data_folder))
    _, ciphertext = await encrypted(server)
    await server.kill()
    (left,) = postmasters_at(data_folder)

    await server.start()
    assert await decrypted(server, ciphertext) == PLAINTEXT
    assert left not in postmasters_at(data_folder)
    assert await server.terminate() == 0
    assert processes_at(data_folder) == []


async def test_a_data_folder_in_use_is_refused_to_a_second_server_and_left_to_the_first(
    start_process: StartProcess, run_forked: RunCommand, data_folder: Path
) -> None:
    first = await start_process(**EMBEDDED, data_dir=str(data_folder))
    _, ciphertext = await encrypted(first)
    second = await run_forked(
        "serve", data_dir=str(data_folder), grpc_listen="127.0.0.1:0", metrics_listen="off"
    )
    assert second.exit_code == 1
    assert str(first.pid) in complaint(second.errors)
    assert len(complaint(second.errors).splitlines()) == 1
    assert await decrypted(first, ciphertext) == PLAINTEXT
    assert await first.terminate() == 0


async def test_a_lost_root_key_is_not_replaced_by_one_that_opens_nothing(
    start_process: StartProcess, run_forked: RunCommand, data_folder: Path, tmp_path: Path
) -> None:
    server = await start_process(**EMBEDDED, data_dir=str(data_folder))
    _, ciphertext = await encrypted(server)
    await server.terminate()
    root_key, copy = data_folder / "root-key", tmp_path / "copy"
    copy.write_bytes(root_key.read_bytes())
    root_key.unlink()

    refused = await run_forked("serve", data_dir=str(data_folder), metrics_listen="off")
    assert refused.exit_code == 1
    assert str(root_key) in complaint(refused.errors)
    assert len(complaint(refused.errors).splitlines()) == 1
    assert not root_key.exists()
    assert processes_at(data_folder) == []

    root_key.touch(0o600)
    root_key.write_bytes(copy.read_bytes())
    await server.start()
    assert await decrypted(server, ciphertext) == PLAINTEXT
    # Before its folder is removed.
    assert await server.terminate() == 0


async def test_a_data_folder_that_cannot_be_made_is_named(run_forked: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    refused = await run_forked("serve", data_dir=str(tmp_path / "file" / "data"), metrics_listen="off")
    assert refused.exit_code == 1
    assert str(tmp_path / "file") in complaint(refused.errors)
    assert len(complaint(refused.errors).splitlines()) == 1


@pytest.mark.parametrize(
    "command",
    [
        "audit verify",
        "principal create arn:aws:iam::000000000000:user/alice",
        "policy explain --principal arn:aws:iam::000000000000:user/alice --action kms:Decrypt --key none",
        "access-key create",
        "root-key rotate",
    ],
)
async def test_only_serve_makes_a_new_installation(
    run_forked: RunCommand, data_folder: Path, command: str
) -> None:
    mistyped = data_folder.with_name("mistyped")
    refused = await run_forked(*command.split(), data_dir=str(mistyped))
    assert (refused.exit_code, refused.output) == (1, "")
    assert complaint(refused.errors).startswith(f"keyferry-server: there is no Keyferry in {mistyped}: ")
    assert not mistyped.exists()
