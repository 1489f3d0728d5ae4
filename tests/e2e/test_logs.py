"""The log: JSON, one line a call with its request id and outcome, and never what was in the call."""

import base64
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import grpc
import pytest
from e2e.callers_view import watched_health
from e2e.operators_view import read_log
from fixtures.postgres import OwnPostgres
from fixtures.processes import ServerProcess, StartProcess
from secret_search import Haystack, leaks, needles
from steps import create_external_key, create_imported_key, describe, get_parameters, import_request

from keyferry.v1 import (
    CreateKeyRequest,
    DecryptRequest,
    EncryptRequest,
    GenerateDataKeyRequest,
    GenerateRandomRequest,
    ListKeysRequest,
    ReEncryptRequest,
)
from keyferry_client import (
    IncorrectKeyMaterialException,
    InvalidCiphertextException,
    InvalidImportTokenException,
    KeyferryError,
    KMSInternalException,
    NotFoundException,
    ValidationException,
)

MATERIAL = b"MATERIAL-that-nobody-may-ever-se"
OTHER_MATERIAL = b"MATERIAL-that-was-never-imported"
PLAINTEXT = b"PLAINTEXT attack at dawn on the third day"
CONTEXT = {"campaign": "CONTEXT-spring-offensive"}
DESCRIPTION = "DESCRIPTION-of-a-key-for-the-general-staff"


def assert_unseen(text: str, **secrets: bytes) -> None:
    assert leaks([Haystack("the log", text.encode())], needles(secrets)) == []


def root_key_in(file: Path) -> bytes:
    return base64.b64decode(file.read_text().splitlines()[-1].split()[1])


async def refusal(call: Awaitable[object], expected: type[KeyferryError]) -> KeyferryError:
    with pytest.raises(expected) as refused:
        await call
    return refused.value


async def test_a_whole_session_leaves_nothing_secret_in_the_log(
    start_process: StartProcess, root_key_file: Path
) -> None:
    server = await start_process(
        environment={"KEYFERRY_LOG_LEVEL": "debug", "KEYFERRY_WRAPPING_KEY_POOL_SIZE": "4"}
    )
    async with server.client() as client:
        key_id = await create_external_key(client, DESCRIPTION)
        parameters = await get_parameters(client, key_id)
        request = import_request(key_id, parameters, MATERIAL)
        await client.import_key_material_async(request)
        encrypted = await client.encrypt_async(
            EncryptRequest(key_id=key_id, plaintext=PLAINTEXT, encryption_context=CONTEXT)
        )
        await client.decrypt_async(
            DecryptRequest(ciphertext_blob=encrypted.ciphertext_blob, encryption_context=CONTEXT)
        )
        data_key = await client.generate_data_key_async(
            GenerateDataKeyRequest(key_id=key_id, number_of_bytes=64, encryption_context=CONTEXT)
        )
        random = await client.generate_random_async(GenerateRandomRequest(number_of_bytes=64))
        second = await get_parameters(client, key_id)
        short = import_request(key_id, second, OTHER_MATERIAL[:-1])
        other = import_request(key_id, second, OTHER_MATERIAL)
        await refusal(client.import_key_material_async(short), IncorrectKeyMaterialException)
        await refusal(client.import_key_material_async(other), IncorrectKeyMaterialException)
        await refusal(
            client.encrypt_async(EncryptRequest(key_id=key_id, plaintext=PLAINTEXT * 200)),
            ValidationException,
        )
        await refusal(
            client.decrypt_async(DecryptRequest(ciphertext_blob=encrypted.ciphertext_blob)),
            InvalidCiphertextException,
        )
    assert await server.terminate() == 0
    log = server.log.read_text()
    assert len(read_log(log)) > 10
    assert_unseen(
        log + server.output,
        material=MATERIAL,
        refused_material=OTHER_MATERIAL,
        plaintext=PLAINTEXT,
        import_token=request.import_token,
        unspent_import_token=second.import_token,
        wrapped_material=request.encrypted_key_material,
        ciphertext=encrypted.ciphertext_blob,
        data_key=data_key.plaintext,
        random_bytes=random.plaintext,
        context=CONTEXT["campaign"].encode(),
        description=DESCRIPTION.encode(),
        root_key=root_key_in(root_key_file),
    )


async def test_every_call_leaves_one_line_with_its_request_id_and_outcome(
    server_process: ServerProcess,
) -> None:
    async with server_process.client() as client:
        key_id = await create_imported_key(client)
        refused = [
            await refusal(describe(client, "no-such-key"), NotFoundException),
            await refusal(client.list_keys_async(ListKeysRequest(limit=0)), ValidationException),
            await refusal(
                client.import_key_material_async(
                    import_request(key_id, await get_parameters(client, await create_external_key(client)))
                ),
                InvalidImportTokenException,
            ),
        ]
    assert await server_process.terminate() == 0
    calls = [entry for entry in read_log(server_process.log.read_text()) if entry["event"] == "call"]
    assert [(entry["operation"], entry["outcome"]) for entry in calls] == [
        ("CreateKey", "ok"),
        ("GetParametersForImport", "ok"),
        ("ImportKeyMaterial", "ok"),
        ("DescribeKey", "NotFoundException"),
        ("ListKeys", "ValidationException"),
        ("CreateKey", "ok"),
        ("GetParametersForImport", "ok"),
        ("ImportKeyMaterial", "InvalidImportTokenException"),
    ]
    assert len({entry["request_id"] for entry in calls}) == len(calls)
    by_id = {entry["request_id"]: entry["outcome"] for entry in calls}
    assert [by_id[error.request_id] for error in refused] == [error.name for error in refused]
    assert all(entry["milliseconds"] > 0 for entry in calls)
    assert all(entry["peer"].startswith(("ipv4:127.0.0.1:", "ipv6:")) for entry in calls)


async def test_what_a_caller_takes_for_a_key_id_is_shortened_in_the_log(
    server_process: ServerProcess,
) -> None:
    async with server_process.client() as client:
        await refusal(describe(client, "k" * 2000), NotFoundException)
        await refusal(describe(client, 'line\nfeed","outcome":"ok'), NotFoundException)
        await refusal(client.re_encrypt_async(ReEncryptRequest()), ValidationException)
    await server_process.terminate()
    calls = [entry for entry in read_log(server_process.log.read_text()) if entry["event"] == "call"]
    assert [entry["outcome"] for entry in calls] == [
        "NotFoundException",
        "NotFoundException",
        "ValidationException",
    ]
    assert calls[0]["key_id"] == "k" * 80
    assert calls[1]["key_id"] == 'line\nfeed","outcome":"ok'


async def test_an_unexpected_exception_tells_the_caller_its_request_id_and_the_log_everything_else(
    server_process: ServerProcess, connection: asyncpg.Connection
) -> None:
    async with server_process.client() as client:
        key_id = await create_external_key(client)
        await connection.execute("DROP TABLE key_materials")
        error = await refusal(describe(client, key_id), KMSInternalException)
    await server_process.terminate()
    assert error.request_id in error.message
    assert error.retryable
    for told in ("key_materials", "relation", "SELECT", "asyncpg", "sqlalchemy", "Traceback"):
        assert told not in error.message
    (entry,) = [
        entry
        for entry in read_log(server_process.log.read_text())
        if entry["event"] == "unexpected exception"
    ]
    assert (entry["request_id"], entry["operation"], entry["level"]) == (
        error.request_id,
        "DescribeKey",
        "error",
    )
    assert "Traceback" in entry["exception"]
    assert "key_materials" in entry["exception"]


async def test_the_traceback_of_an_unexpected_exception_holds_no_values_from_the_call(
    server_process: ServerProcess, connection: asyncpg.Connection
) -> None:
    # Postgres quotes a row that it refuses in the details of its error.
    await connection.execute("ALTER TABLE keys ADD CONSTRAINT refused CHECK (description = '') NOT VALID")
    async with server_process.client() as client:
        await refusal(
            client.create_key_async(CreateKeyRequest(description=DESCRIPTION)), KMSInternalException
        )
    await server_process.terminate()
    log = server_process.log.read_text()
    (entry,) = [entry for entry in read_log(log) if entry["event"] == "unexpected exception"]
    assert "CheckViolation" in entry["exception"]
    assert_unseen(log, description=DESCRIPTION.encode())


async def test_sealed_secrets_stay_out_of_the_log_when_their_row_is_refused(
    server_process: ServerProcess, connection: asyncpg.Connection
) -> None:
    async with server_process.client() as client:
        key_id = await create_external_key(client)
        parameters = await get_parameters(client, key_id)
        await connection.execute(
            "ALTER TABLE key_materials ADD CONSTRAINT refused CHECK (sealed IS NULL) NOT VALID"
        )
        request = import_request(key_id, parameters, MATERIAL)
        await refusal(client.import_key_material_async(request), KMSInternalException)
    await server_process.terminate()
    log = server_process.log.read_text()
    (entry,) = [entry for entry in read_log(log) if entry["event"] == "unexpected exception"]
    assert "CheckViolation" in entry["exception"]
    assert "Failing row" not in log
    assert_unseen(log, material=MATERIAL)


async def test_the_log_stays_json_when_the_database_goes_away_and_callers_hang_up(
    start_process: StartProcess, own_postgres: Callable[..., Awaitable[OwnPostgres]]
) -> None:
    postgres = await own_postgres()
    server = await start_process(
        database_url=postgres.database_url,
        environment={
            "KEYFERRY_HEALTH_INTERVAL_SECONDS": "0.05",
            "KEYFERRY_HEALTH_TIMEOUT_SECONDS": "0.2",
            "KEYFERRY_DATABASE_STATEMENT_TIMEOUT_SECONDS": "0.5",
        },
    )
    async with watched_health(server.address) as health, server.client() as client:
        assert await health() == "SERVING"
        key_id = await create_imported_key(client)
        postgres.freeze()
        assert await health() == "NOT_SERVING"
        with pytest.raises(KeyferryError):
            await describe(client, key_id)
        with pytest.raises(KeyferryError):
            await client.list_keys_async(ListKeysRequest(), timeout=0.1)
        postgres.thaw()
        assert await health() == "SERVING"
        await postgres.stop()
        assert await health() == "NOT_SERVING"
        with pytest.raises(KeyferryError):
            await describe(client, key_id)
    assert await server.terminate() == 0
    assert read_log(server.log.read_text())


async def test_what_is_no_message_leaves_the_log_json_and_its_bytes_out_of_it(
    server_process: ServerProcess,
) -> None:
    async with grpc.aio.insecure_channel(server_process.address) as channel:
        call = channel.unary_unary("/keyferry.v1.KeyManagementService/Encrypt")
        with pytest.raises(grpc.aio.AioRpcError):
            await call(b"\xff\xff\xff" + PLAINTEXT)
    await server_process.terminate()
    read_log(server_process.log.read_text())
    assert_unseen(server_process.log.read_text(), plaintext=PLAINTEXT)


async def test_logs_for_people_are_lines_without_json(start_process: StartProcess) -> None:
    server = await start_process(environment={"KEYFERRY_LOG_FORMAT": "console"})
    async with server.client() as client:
        await refusal(describe(client, "no-such-key"), NotFoundException)
    await server.terminate()
    lines = [line for line in server.log.read_text().splitlines() if "NotFoundException" in line]
    assert len(lines) == 1
    assert "DescribeKey" in lines[0]
    assert not lines[0].startswith("{")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_log_that_cannot_be_written_fails_nobody(log_format: str) -> None:
    program = (
        "import os, structlog\n"
        "from keyferry_server.logs import configure_logs\n"
        f"configure_logs('info', '{log_format}')\n"
        "log = structlog.get_logger()\n"
        "log.info('first')\n"
        "good = os.dup(2)\n"
        "os.dup2(os.open('/dev/full', os.O_WRONLY), 2)\n"
        "log.info('lost')\n"
        "os.dup2(good, 2)\n"
        "log.info('last')\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert finished.returncode == 0, finished.stderr
    assert "first" in finished.stderr
    assert "last" in finished.stderr
