"""What keeps the server from starting is said in one readable line, without any secret, and soon."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from e2e.callers_view import plain_stub
from e2e.operators_view import complaint, read_log
from fixtures.processes import Finished, RunCommand, StartProcess
from sqlalchemy import make_url
from token_issuer import Issuer

from keyferry.v1 import GenerateRandomRequest
from keyferry_server.crypto.root_key.file import generate_root_key_file

PASSWORD = "hunter2hunter2"
ROOT_KEY = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ="
REFUSED, MISUSED = 1, 2
# Those that open the database.
COMMANDS = ("serve", "migrate", "check-config")


def assert_one_line(finished: Finished, code: int) -> str:
    """Return the one line that says why the server did not start."""
    assert finished.exit_code == code, finished.errors
    assert finished.output == ""
    lines = complaint(finished.errors).splitlines()
    assert len(lines) == 1, finished.errors
    assert lines[0].startswith("keyferry-server: ")
    assert PASSWORD not in finished.errors
    assert ROOT_KEY not in finished.errors
    return lines[0].removeprefix("keyferry-server: ")


async def reasons_of_all(run_forked: RunCommand, settings: dict[str, str]) -> list[str]:
    """Return why each command that opens the database does not."""
    return [assert_one_line(await run_forked(command, environment=settings), REFUSED) for command in COMMANDS]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    ("arguments", "settings", "named"),
    [
        (["--grpc-listen", "nowhere"], {}, "KEYFERRY_GRPC_LISTEN"),
        (["--metrics-listen", "127.0.0.1:http"], {}, "KEYFERRY_METRICS_LISTEN"),
        (["--aws-listen", "8701"], {}, "KEYFERRY_AWS_LISTEN"),
        (["--workers", "0"], {}, "KEYFERRY_WORKERS"),
        ([], {"KEYFERRY_DRAIN_SECONDS": "soon"}, "KEYFERRY_DRAIN_SECONDS"),
        ([], {"KEYFERRY_LOG_LEVEL": "loud"}, "KEYFERRY_LOG_LEVEL"),
        ([], {"KEYFERRY_RATE_LIMITS": "500"}, "*=500,GetParametersForImport=1"),
        (
            ["--data-dir", "."],
            {"KEYFERRY_DATABASE_URL": f"postgresql://keyferry:{PASSWORD}@127.0.0.1/keyferry"},
            "data folder",
        ),
        (["--root-key-file", "root-key"], {"KEYFERRY_ROOT_KEY": f"1 {ROOT_KEY}"}, "KEYFERRY_ROOT_KEY_FILE"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
async def test_a_wrong_setting_is_named_in_one_line(
    run_forked: RunCommand, arguments: list[str], settings: dict[str, str], named: str
) -> None:
    finished = await run_forked("serve", *arguments, environment=settings)
    assert named in assert_one_line(finished, MISUSED)


@pytest.mark.parametrize(
    ("command", "workers"), [("serve", "1"), ("serve", "2"), ("check-config", "1")], ids=str
)
async def test_a_limit_of_an_operation_that_there_is_not_is_a_wrong_setting(
    run_forked: RunCommand, database_url: str, root_key_file: Path, command: str, workers: str
) -> None:
    settings = {
        "KEYFERRY_DATABASE_URL": database_url,
        "KEYFERRY_ROOT_KEY_FILE": str(root_key_file),
        "KEYFERRY_RATE_LIMITS": "Encrpyt=1",
        "KEYFERRY_WORKERS": workers,
        "KEYFERRY_METRICS_LISTEN": "off",
    }
    reason = assert_one_line(await run_forked(command, environment=settings), MISUSED)
    assert reason == "KEYFERRY_RATE_LIMITS: there is no operation Encrpyt"


@pytest.mark.parametrize("wrong", ["--grpc-port=1", "--workers=many", "--database-url", "extra"])
async def test_a_wrong_option_is_named_without_a_traceback(run_forked: RunCommand, wrong: str) -> None:
    finished = await run_forked("serve", wrong)
    assert finished.exit_code == MISUSED
    assert finished.output == ""
    assert wrong.partition("=")[0] in complaint(finished.errors)


@pytest.mark.parametrize("listener", ["grpc", "aws", "metrics"])
async def test_an_address_that_others_can_reach_is_refused(run_forked: RunCommand, listener: str) -> None:
    finished = await run_forked("serve", f"--{listener}-listen", "0.0.0.0:0")
    reason = assert_one_line(finished, MISUSED)
    assert "0.0.0.0:0" in reason
    assert "no authentication" in reason
    assert "KEYFERRY_INSECURE_NO_AUTH=1" in reason


async def test_told_to_be_insecure_it_listens_everywhere_and_the_log_says_so_loudly(
    start_process: StartProcess,
) -> None:
    everywhere = {"grpc_listen": "0.0.0.0:0", "aws_listen": "0.0.0.0:0", "metrics_listen": "0.0.0.0:0"}
    server = await start_process(environment={"KEYFERRY_INSECURE_NO_AUTH": "1"}, **everywhere)
    assert server.address.startswith("0.0.0.0:")
    async with plain_stub(f"127.0.0.1:{server.address.rpartition(':')[2]}") as stub:
        await stub.GenerateRandom(GenerateRandomRequest(number_of_bytes=1))
    await server.terminate()
    warnings = [line["event"] for line in read_log(server.log.read_text()) if line["level"] == "warning"]
    assert [warning for warning in warnings if "NO AUTHENTICATION" in warning]


async def test_also_on_loopback_the_log_says_that_there_is_no_authentication_and_not_when_there_is(
    start_process: StartProcess, tmp_path: Path
) -> None:
    server = await start_process(environment={"KEYFERRY_AUHT": PASSWORD})
    await server.terminate()
    assert "NO AUTHENTICATION" in server.log.read_text()
    # Perhaps it was meant to be there.
    assert "KEYFERRY_AUHT" in server.log.read_text()
    assert PASSWORD not in server.log.read_text()

    (tmp_path / "keys.json").write_text(Issuer().key_set())
    tokens = {
        "KEYFERRY_AUTH": "jwt",
        "KEYFERRY_JWT_ISSUER": "https://issuer.example",
        "KEYFERRY_JWT_AUDIENCE": "keyferry",
        "KEYFERRY_JWT_JWKS_FILE": str(tmp_path / "keys.json"),
        "KEYFERRY_SPIFFE_TRUST_DOMAIN": "example.org",
    }
    server = await start_process(environment=tokens)
    await server.terminate()
    assert "NO AUTHENTICATION" not in server.log.read_text()


async def test_with_a_database_url_it_needs_a_root_key_and_says_how_to_get_one(
    run_forked: RunCommand, database_url: str
) -> None:
    reason = assert_one_line(await run_forked("serve", database_url=database_url), REFUSED)
    assert "keyferry-server root-key generate" in reason
    assert "KEYFERRY_ROOT_KEY_FILE" in reason


async def test_a_root_key_that_cannot_be_read_is_not_shown(run_forked: RunCommand, database_url: str) -> None:
    settings = {"KEYFERRY_DATABASE_URL": database_url, "KEYFERRY_ROOT_KEY": f"{ROOT_KEY} {ROOT_KEY}"}
    assert "root key" in assert_one_line(await run_forked("serve", environment=settings), REFUSED)


async def test_a_missing_root_key_file_is_named(
    run_forked: RunCommand, database_url: str, tmp_path: Path
) -> None:
    path = str(tmp_path / "nothing")
    finished = await run_forked("serve", database_url=database_url, root_key_file=path)
    assert path in assert_one_line(finished, REFUSED)


async def test_a_missing_password_file_is_named(
    run_forked: RunCommand, database_url: str, root_key_file: Path, tmp_path: Path
) -> None:
    settings = {
        "KEYFERRY_DATABASE_URL": database_url,
        "KEYFERRY_ROOT_KEY_FILE": str(root_key_file),
        "KEYFERRY_DATABASE_PASSWORD_FILE": str(tmp_path / "nothing"),
    }
    for reason in await reasons_of_all(run_forked, settings):
        assert str(tmp_path / "nothing") in reason
        assert "KEYFERRY_DATABASE_PASSWORD_FILE" in reason


async def test_the_root_key_of_another_installation_is_refused_and_changes_nothing(
    start_process: StartProcess, run_forked: RunCommand, database_url: str, tmp_path: Path
) -> None:
    server = await start_process()
    await server.terminate()
    another = tmp_path / "another-root-key"
    generate_root_key_file(another)
    finished = await run_forked(
        "serve", database_url=database_url, root_key_file=str(another), metrics_listen="off"
    )
    assert "root key does not open what is stored" in assert_one_line(finished, REFUSED)
    await server.start()
    assert await server.terminate() == 0


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://keyferry:{PASSWORD}@127.0.0.1/keyferry",
        f"keyferry:{PASSWORD}@127.0.0.1",
        f"postgresql://keyferry:{PASSWORD}@127.0.0.1:port/keyferry",
    ],
    ids=["another database", "no URL", "no port"],
)
async def test_a_database_url_that_cannot_be_used_is_not_shown(
    run_forked: RunCommand, root_key_file: Path, url: str
) -> None:
    settings = {"KEYFERRY_DATABASE_URL": url, "KEYFERRY_ROOT_KEY_FILE": str(root_key_file)}
    for reason in await reasons_of_all(run_forked, settings):
        assert "postgresql://" in reason


async def test_a_database_that_is_not_there_is_named_with_the_setting_and_without_the_password(
    run_forked: RunCommand, root_key_file: Path, free_port: Callable[[], int]
) -> None:
    address = f"127.0.0.1:{free_port()}"
    settings = {
        "KEYFERRY_DATABASE_URL": f"postgresql://keyferry:{PASSWORD}@{address}/keyferry",
        "KEYFERRY_ROOT_KEY_FILE": str(root_key_file),
    }
    for reason in await reasons_of_all(run_forked, settings):
        assert reason.startswith("the database ")
        assert address in reason
        assert "KEYFERRY_DATABASE_URL" in reason


async def test_a_database_that_does_not_answer_is_waited_for_no_longer_than_the_connect_timeout(
    run_forked: RunCommand, root_key_file: Path, silent_port: int
) -> None:
    settings = {
        "KEYFERRY_DATABASE_URL": f"postgresql://keyferry:{PASSWORD}@127.0.0.1:{silent_port}/keyferry",
        "KEYFERRY_ROOT_KEY_FILE": str(root_key_file),
        "KEYFERRY_DATABASE_CONNECT_TIMEOUT_SECONDS": "0.5",
    }
    start = time.monotonic()
    reasons = await reasons_of_all(run_forked, settings)
    took_seconds = time.monotonic() - start
    for reason in reasons:
        assert reason.startswith("the database does not answer")
    # Starting three processes takes a busy machine some seconds; a forgotten timeout takes a minute.
    assert took_seconds < 20


@pytest.mark.parametrize(
    "wrong", [{"database": "no_such_database"}, {"username": "no_such_user"}], ids=["database", "user"]
)
async def test_a_database_that_refuses_us_says_why(
    run_forked: RunCommand, database_url: str, root_key_file: Path, wrong: dict[str, str]
) -> None:
    url = make_url(database_url).set(password=PASSWORD, **wrong).render_as_string(hide_password=False)
    settings = {"KEYFERRY_DATABASE_URL": url, "KEYFERRY_ROOT_KEY_FILE": str(root_key_file)}
    (name,) = wrong.values()
    for reason in await reasons_of_all(run_forked, settings):
        assert name in reason


@pytest.mark.parametrize("command", ["serve", "check-config"])
async def test_a_database_that_was_not_migrated_is_refused_with_the_command_that_does_it(
    run_forked: RunCommand, empty_database_url: str, root_key_file: Path, command: str
) -> None:
    finished = await run_forked(command, database_url=empty_database_url, root_key_file=str(root_key_file))
    assert "keyferry-server migrate" in assert_one_line(finished, REFUSED)


async def test_a_database_of_a_newer_release_is_served_and_not_migrated(
    start_process: StartProcess, run_forked: RunCommand, database_url: str, connection: asyncpg.Connection
) -> None:
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    finished = await run_forked("migrate", database_url=database_url)
    assert "9999" in assert_one_line(finished, REFUSED)
    server = await start_process()
    assert await server.terminate() == 0
    assert await connection.fetchval("SELECT version_num FROM alembic_version") == "9999"
