import asyncio
import re
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from typer.testing import CliRunner
from unit.client.command import end, keyferry, start
from unit.client.small_service import SmallService, answering, refusing

import keyferry_client.cli
from keyferry.v1 import DescribeKeyResponse, GenerateRandomResponse
from keyferry_client.cli.app import app


def usage_error(*arguments: str) -> str:
    """Run the command in this process; it must be refused as wrong usage."""
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert result.stdout == ""
    return " ".join(result.stderr.split())


async def test_a_refusal_is_one_line_with_what_to_do_next_and_the_request_id(service: SmallService) -> None:
    service.serve(
        DescribeKey=refusing(
            "NotFoundException", grpc.StatusCode.NOT_FOUND, "Invalid keyId 'x'", request_id="request-7"
        )
    )
    outcome = await keyferry("--endpoint", service.address, "keys", "describe", "x")
    assert outcome.code == 1
    assert outcome.out == ""
    assert outcome.err.splitlines() == [
        "keyferry: NotFoundException: Invalid keyId 'x'",
        "  next: `keyferry keys list` shows the keys.",
        "  request: request-7",
    ]


async def test_a_refusal_without_a_message_still_has_its_name_and_a_hint(
    service: SmallService, tmp_path: Path
) -> None:
    service.serve(Decrypt=refusing("InvalidCiphertextException", grpc.StatusCode.INVALID_ARGUMENT))
    (tmp_path / "sealed").write_bytes(b"KEYFERRY\x01\x00\x01x\x00\x02{}")
    outcome = await keyferry(
        "--endpoint", service.address, "decrypt", "--in", tmp_path / "sealed", "--out", tmp_path / "opened"
    )
    assert outcome.code == 1
    assert outcome.err.splitlines()[0] == "keyferry: InvalidCiphertextException"
    assert "next: The ciphertext" in outcome.err


async def test_a_refusal_that_this_client_does_not_know_is_shown_with_its_name(service: SmallService) -> None:
    service.serve(
        DescribeKey=refusing("LimitExceededException", grpc.StatusCode.FAILED_PRECONDITION, "too many")
    )
    outcome = await keyferry("--endpoint", service.address, "keys", "describe", "x")
    assert (outcome.code, outcome.err.splitlines()[0]) == (1, "keyferry: LimitExceededException: too many")


async def test_what_comes_over_the_wire_cannot_steer_the_terminal(service: SmallService) -> None:
    service.serve(
        DescribeKey=refusing("NotFoundException", grpc.StatusCode.NOT_FOUND, "a\x1b[2Jb\nkeyferry: forged")
    )
    outcome = await keyferry("--endpoint", service.address, "keys", "describe", "x")
    assert "\x1b" not in outcome.err
    assert outcome.err.splitlines()[0] == "keyferry: NotFoundException: a [2Jb keyferry: forged"


async def test_an_unreachable_service_has_its_own_exit_code(free_port: Callable[[], int]) -> None:
    address = f"127.0.0.1:{free_port()}"
    outcome = await keyferry("keys", "list", KEYFERRY_ENDPOINT=address)
    assert outcome.code == 3
    assert outcome.err.startswith(
        f"keyferry: ServiceUnavailableError: The service at {address} cannot be reached"
    )
    assert "--endpoint HOST:PORT" in outcome.err
    assert "Traceback" not in outcome.err


async def test_a_passed_deadline_counts_as_no_answer(service: SmallService) -> None:
    async def late(_: Any, context: Any) -> None:
        await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "late")

    service.serve(DescribeKey=late)
    outcome = await keyferry("--endpoint", service.address, "keys", "describe", "x")
    assert outcome.code == 3
    assert outcome.err.startswith("keyferry: DeadlineExceededError: ")


async def test_ctrl_c_ends_the_call_in_the_service_and_is_quiet(service: SmallService) -> None:
    has_begun, was_cancelled = asyncio.Event(), asyncio.Event()

    async def describe(_: Any, _context: Any) -> DescribeKeyResponse:
        has_begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            was_cancelled.set()
            raise
        raise AssertionError

    service.serve(DescribeKey=describe)
    process = await start("--endpoint", service.address, "keys", "describe", "x")
    async with asyncio.timeout(60):
        await has_begun.wait()
        process.send_signal(signal.SIGINT)
        outcome = await end(process)
        await was_cancelled.wait()
    assert (outcome.code, outcome.out, outcome.err) == (130, "", "keyferry: interrupted\n")


async def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "none"
    outcome = await keyferry("import", "x", "--material-file", missing, "--no-expiry")
    assert (outcome.code, outcome.err) == (1, f"keyferry: {missing}: No such file or directory\n")


@pytest.mark.parametrize("token", [b"\xff\xfe", "tokén".encode()])
async def test_a_token_file_that_holds_no_text_is_refused_and_not_shown(token: bytes, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_bytes(token)
    outcome = await keyferry("--token-file", path, "keys", "list")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == (
        f"keyferry: InputError: {path} is not a bearer token: name a file that holds a JWT in ASCII, and nothing else.\n"
    )


async def test_a_closed_standard_input_is_told() -> None:
    run = [sys.executable, "-m", "keyferry_client", "import", "x", "--material-file", "-", "--no-expiry"]
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", 'exec "$@" <&-', "sh", *run, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    outcome = await end(process)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == (
        "keyferry: KeyMaterialError: Standard input is closed; give it the key material, or name a file instead of -.\n"
    )


async def test_a_target_whose_links_lead_in_a_circle_is_named(service: SmallService, tmp_path: Path) -> None:
    service.serve(GenerateRandom=answering(GenerateRandomResponse(plaintext=b"R" * 32)))
    (tmp_path / "one").symlink_to(tmp_path / "other")
    (tmp_path / "other").symlink_to(tmp_path / "one")
    outcome = await keyferry(
        "--endpoint", service.address, "random", "--bytes", "32", "--out", tmp_path / "one"
    )
    assert (outcome.code, outcome.err) == (
        1,
        f"keyferry: {tmp_path / 'one'}: Too many levels of symbolic links\n",
    )


async def test_the_endpoint_on_the_command_line_wins_over_the_environment(
    service: SmallService, free_port: Callable[[], int]
) -> None:
    service.serve(DescribeKey=answering(DescribeKeyResponse()))
    elsewhere = f"127.0.0.1:{free_port()}"
    outcome = await keyferry(
        "--endpoint", service.address, "keys", "enable", "x", KEYFERRY_ENDPOINT=elsewhere
    )
    assert "OperationNotServedError" in outcome.err


@pytest.mark.parametrize(
    "endpoint",
    ["localhost", "localhost:", ":8700", "localhost:0", "localhost:65536", "http://localhost:8700", ""],
)
def test_an_endpoint_that_is_not_host_and_port_is_wrong_usage(endpoint: str) -> None:
    assert "is not HOST:PORT, for example 127.0.0.1:8700" in usage_error(
        "--endpoint", endpoint, "keys", "list"
    )


@pytest.mark.parametrize("command", [["import", "x", "--material-file", "y"], ["import", "submit", "x"]])
@pytest.mark.parametrize("expiry", [[], ["--no-expiry", "--valid-to", "2030-01-31T12:00:00Z"]])
def test_an_import_says_exactly_once_whether_the_material_expires(
    command: list[str], expiry: list[str]
) -> None:
    assert "--valid-to, or give --no-expiry; one of the two" in usage_error(*command, *expiry)


@pytest.mark.parametrize("time", ["2030-01-31", "2030-01-31T12:00:00", "tomorrow", ""])
def test_a_time_without_its_time_zone_is_wrong_usage(time: str) -> None:
    assert "is not a time with its time zone" in usage_error("import", "submit", "x", "--valid-to", time)


def test_the_time_that_an_error_shows_is_one_that_the_service_takes() -> None:
    error = usage_error("import", "submit", "x", "--valid-to", "tomorrow")
    (shown,) = re.findall(r"[0-9-]{10}T[0-9:]{8}Z", error)
    assert datetime.now(UTC) < datetime.fromisoformat(shown) < datetime.now(UTC) + timedelta(days=365)


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
@pytest.mark.parametrize("command", [["import", "x"], ["import", "submit", "x"], ["keys", "create"]])
def test_a_time_that_utc_does_not_have_is_wrong_usage(command: list[str], time: str) -> None:
    material = [] if "submit" in command else ["--material-file", "y"]
    assert "is not in the years 1 to 9999 of UTC" in usage_error(*command, *material, "--valid-to", time)


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [(["novalue"], "is not NAME=VALUE"), (["=value"], "is not NAME=VALUE"), (["a=1", "a=2"], "given twice")],
)
def test_a_broken_encryption_context_is_wrong_usage(pairs: list[str], reason: str) -> None:
    options = [part for pair in pairs for part in ("--context", pair)]
    assert reason in usage_error("encrypt", "x", "--in", "a", "--out", "b", *options)


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["keys", "describe"], ["keys", "create", "--origin", "MARS"], ["random", "--bytes", "x"]],
)
def test_an_unknown_command_or_a_missing_or_wrong_argument_is_wrong_usage(arguments: list[str]) -> None:
    assert "Error:" in usage_error(*arguments)


def test_the_exit_codes_are_in_the_help_and_in_the_docstring() -> None:
    text = " ".join(CliRunner().invoke(app, ["--help"]).stdout.split())
    assert "Exit codes: 0 done; 1 refused, by the service or here; 2 wrong usage; 3 no answer" in text
    assert "130 interrupted; 143 and 129 ended by SIGTERM and SIGHUP" in text
    assert keyferry_client.cli.__doc__ is not None
    assert all(f"\n    {code} " in keyferry_client.cli.__doc__ for code in (0, 1, 2, 3, 130, 143, 129))


def test_without_typer_it_says_what_to_install() -> None:
    script = "import sys; sys.modules['typer'] = None; from keyferry_client.cli import main; main()"
    outcome = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert outcome.returncode == 1
    assert outcome.stderr == (
        "keyferry: the command needs more than the library: pip install 'keyferry-client[cli]'\n"
    )


@pytest.mark.parametrize("command", [["keys", "list"], ["import", "wrap", "x", "--material-file", "y"]])
def test_key_material_is_never_an_argument(command: list[str]) -> None:
    assert "No such option: --material" in usage_error(*command, "--material", "0" * 64)
