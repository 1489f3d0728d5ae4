"""Keys on the command line: created together with their material, deleted, listed; and who is asked, as whom."""

import asyncio
import os
import pty
import re
import signal
import sys
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from google.protobuf.message import Message
from typer.testing import CliRunner
from unit.client.command import PATIENCE_SECONDS, end, keyferry, start
from unit.client.importer import MATERIAL, VALID_TO, Importer, timestamp
from unit.client.small_kms import KEY_ARN, SmallKms
from unit.client.small_service import SmallService, answering, refusing

from keyferry.v1 import (
    CancelKeyDeletionResponse,
    CreateKeyRequest,
    CreateKeyResponse,
    DescribeKeyResponse,
    KeyListEntry,
    KeyMetadata,
    KeySpec,
    ListKeysResponse,
    ScheduleKeyDeletionRequest,
    ScheduleKeyDeletionResponse,
)
from keyferry_client.cli import material
from keyferry_client.cli.app import app

METADATA = KeyMetadata(arn=KEY_ARN, key_id="0e9a8f4e-6f1c-4a52-b7c1-1d7d1d1b5c11", description="payroll")


class Creator:
    """CreateKey, DescribeKey and ScheduleKeyDeletion, and what they were asked."""

    def __init__(self) -> None:
        self.created: list[CreateKeyRequest] = []
        self.deleted: list[ScheduleKeyDeletionRequest] = []

    @property
    def operations(self) -> dict[str, Any]:
        return {
            "CreateKey": self.create,
            "DescribeKey": answering(DescribeKeyResponse(key_metadata=METADATA)),
            "ScheduleKeyDeletion": self.schedule,
        }

    async def create(self, request: CreateKeyRequest, _: Any) -> CreateKeyResponse:
        self.created.append(request)
        return CreateKeyResponse(key_metadata=METADATA)

    async def schedule(self, request: ScheduleKeyDeletionRequest, _: Any) -> ScheduleKeyDeletionResponse:
        self.deleted.append(request)
        return ScheduleKeyDeletionResponse(key_id=KEY_ARN, deletion_date=timestamp(VALID_TO))


@pytest.fixture
def creator(service: SmallService) -> Creator:
    creator = Creator()
    service.serve(**creator.operations)
    return creator


@pytest.fixture
def material_file(tmp_path: Path) -> Path:
    path = tmp_path / "material"
    path.write_bytes(MATERIAL)
    return path


def create_command(service: SmallService, material_file: object) -> tuple[object, ...]:
    session = ("--endpoint", service.address, "--output", "json")
    return (*session, "keys", "create", "--material-file", material_file, "--no-expiry")


async def test_a_key_is_created_and_its_material_imported_in_one_step(
    service: SmallService, creator: Creator, importer: Importer, material_file: Path
) -> None:
    outcome = await keyferry(*create_command(service, material_file), "--description", "payroll")
    assert outcome.json["KeyMetadata"]["Arn"] == KEY_ARN
    assert creator.created == [CreateKeyRequest(origin="ORIGIN_TYPE_EXTERNAL", description="payroll")]
    assert importer.material == MATERIAL
    assert creator.deleted == []


async def test_when_the_import_fails_the_new_key_is_scheduled_for_deletion(
    service: SmallService, creator: Creator, material_file: Path, private_keys: dict[int, rsa.RSAPrivateKey]
) -> None:
    refused = refusing("IncorrectKeyMaterialException", grpc.StatusCode.INVALID_ARGUMENT, "no")
    service.serve(**(Importer(private_keys[3072]).operations | {"ImportKeyMaterial": refused}))
    outcome = await keyferry(*create_command(service, material_file))
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.splitlines()[:2] == [
        f"keyferry: The key {KEY_ARN}, which was created for this, is scheduled for deletion in 7 days.",
        "keyferry: IncorrectKeyMaterialException: no",
    ]
    assert creator.deleted == [ScheduleKeyDeletionRequest(key_id=KEY_ARN, pending_window_in_days=7)]


async def test_when_the_new_key_cannot_be_deleted_either_it_says_how_to_do_it(
    service: SmallService, material_file: Path
) -> None:
    denied = refusing("AccessDeniedException", grpc.StatusCode.PERMISSION_DENIED)
    creator = Creator().operations | {"ScheduleKeyDeletion": denied, "GetParametersForImport": denied}
    service.serve(**creator)
    outcome = await keyferry(*create_command(service, material_file))
    assert outcome.code == 1
    assert (
        f"could not be scheduled for deletion (AccessDeniedException). "
        f"Do it with: keyferry keys schedule-deletion {KEY_ARN} --days 7"
    ) in outcome.err


async def test_an_interrupted_import_leaves_no_new_key_either(
    service: SmallService, creator: Creator, material_file: Path
) -> None:
    asked = asyncio.Event()

    async def never(_request: Any, _context: Any) -> Message:
        asked.set()
        return await asyncio.Event().wait()  # type: ignore[return-value]

    service.serve(GetParametersForImport=never)
    process = await start(*create_command(service, material_file))
    await asked.wait()
    process.send_signal(signal.SIGINT)
    outcome = await end(process)
    assert outcome.code == 130
    assert "is scheduled for deletion in 7 days" in outcome.err
    assert len(creator.deleted) == 1


async def test_a_key_that_only_cannot_be_described_is_kept_and_named(
    service: SmallService, importer: Importer, material_file: Path
) -> None:
    creator = Creator()
    denied = refusing("AccessDeniedException", grpc.StatusCode.PERMISSION_DENIED)
    service.serve(**(creator.operations | {"DescribeKey": denied}))
    outcome = await keyferry(*create_command(service, material_file))
    assert outcome.json == {"KeyMetadata": {"KeyId": METADATA.key_id, "Arn": KEY_ARN}}
    assert outcome.err == (
        f"keyferry: The key {KEY_ARN} is created and has its material, "
        "but describing it failed (AccessDeniedException).\n"
    )
    assert (importer.material, creator.deleted) == (MATERIAL, [])


async def test_an_interruption_after_the_import_keeps_the_new_key_and_names_it(
    service: SmallService, importer: Importer, material_file: Path
) -> None:
    asked = asyncio.Event()

    async def never(_request: Any, _context: Any) -> Message:
        asked.set()
        return await asyncio.Event().wait()  # type: ignore[return-value]

    creator = Creator()
    service.serve(**(creator.operations | {"DescribeKey": never}))
    process = await start(*create_command(service, material_file))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asked.wait()
    process.send_signal(signal.SIGINT)
    outcome = await end(process)
    assert (outcome.code, outcome.err.splitlines()) == (
        130,
        [f"keyferry: The key {KEY_ARN} is created and has its material.", "keyferry: interrupted"],
    )
    assert (importer.material, creator.deleted) == (MATERIAL, [])


async def test_wrong_material_creates_no_key(service: SmallService, creator: Creator) -> None:
    outcome = await keyferry(*create_command(service, "-"), stdin=MATERIAL + b"\n")
    assert (outcome.code, creator.created) == (1, [])
    assert "trailing newline" in outcome.err


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--no-expiry"], "about the material of --material-file"),
        (["--material-file", "-"], "--valid-to, or give --no-expiry"),
        (["--material-file", "-", "--no-expiry", "--origin", "AWS_KMS"], "origin EXTERNAL"),
    ],
)
def test_options_that_make_no_sense_together_are_wrong_usage(options: list[str], reason: str) -> None:
    result = CliRunner().invoke(app, ["keys", "create", *options])
    assert result.exit_code == 2
    assert reason in " ".join(result.stderr.split())


def test_everything_is_a_choice_of_the_contract() -> None:
    specs = {name.removeprefix("KEY_SPEC_") for name in KeySpec.DESCRIPTOR.values_by_name} - {"UNSPECIFIED"}
    assert set(typing.get_args(material.KeySpec)) == specs


async def test_schedule_and_cancel_deletion_say_what_becomes_of_the_key(
    service: SmallService, creator: Creator
) -> None:
    service.serve(CancelKeyDeletion=answering(CancelKeyDeletionResponse(key_id=KEY_ARN)))
    session = ("--endpoint", service.address)
    scheduled = await keyferry(*session, "keys", "schedule-deletion", "x", "--days", "7")
    cancelled = await keyferry(*session, "keys", "cancel-deletion", "x")
    assert creator.deleted == [ScheduleKeyDeletionRequest(key_id="x", pending_window_in_days=7)]
    assert scheduled.out == f"{KEY_ARN} will be deleted on 2030-01-31T12:00:00+00:00, for good.\n"
    assert cancelled.out == f"{KEY_ARN} will not be deleted; it is disabled.\n"


async def test_a_table_in_a_pipe_is_neither_cut_nor_broken_nor_steered(service: SmallService) -> None:
    arn = "arn:aws:kms:us-east-1:000000000000:key/" + "x" * 200
    keys = [KeyListEntry(key_id="one", key_arn=arn), KeyListEntry(key_id="[red]two\x1b[2J", key_arn="short")]
    service.serve(ListKeys=answering(ListKeysResponse(keys=keys)))
    outcome = await keyferry("--endpoint", service.address, "keys", "list", TERM="xterm-256color")
    assert [line.split() for line in outcome.out.splitlines()] == [
        ["KeyId", "KeyArn"],
        ["one", arn],
        ["[red]two", "[2J", "short"],
    ]
    assert "\x1b" not in outcome.out


async def on_a_terminal(*arguments: object) -> str:
    """Run the command with a terminal for standard output and error, and return what it showed."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "keyferry_client", *map(str, arguments), stdout=theirs, stderr=theirs,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "60"},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                some = await asyncio.to_thread(os.read, ours, 65536)
            except OSError:  # the terminal is gone with the process
                break
            shown += some
        assert await process.wait() == 0, shown
    os.close(ours)
    return shown.decode()


async def test_on_a_terminal_a_bar_shows_how_far_a_file_is_and_elsewhere_none(
    service: SmallService, kms: SmallKms, tmp_path: Path
) -> None:
    del kms
    plain, sealed = tmp_path / "plain", tmp_path / "sealed"
    plain.write_bytes(bytes(3_000_000))
    encrypt = ("--endpoint", service.address, "encrypt", "x", "--in", plain, "--out", sealed)
    shown = await on_a_terminal(*encrypt)
    assert re.search(r"encrypting.*/3\.0 MB", shown)
    assert "is encrypted in" in shown
    assert (await keyferry(*encrypt)).err == ""


async def test_on_a_terminal_a_long_arn_is_folded_and_not_cut(service: SmallService) -> None:
    service.serve(ListKeys=answering(ListKeysResponse(keys=[KeyListEntry(key_id="k", key_arn="a" * 150)])))
    shown = await on_a_terminal("--endpoint", service.address, "keys", "list")
    assert shown.count("a") >= 150


async def test_several_endpoints_take_turns(service: SmallService, free_port: Callable[[], int]) -> None:
    service.serve(DescribeKey=answering(DescribeKeyResponse(key_metadata=METADATA)))
    endpoints = f"127.0.0.1:{free_port()},{service.address}"
    outcome = await keyferry("keys", "describe", "x", KEYFERRY_ENDPOINT=endpoints)
    assert outcome.code == 0


async def test_the_token_comes_from_a_file(service: SmallService, tmp_path: Path) -> None:
    seen: list[str] = []

    async def describe(_: Any, context: Any) -> Message:
        seen.append(dict(context.invocation_metadata())["authorization"])
        return DescribeKeyResponse(key_metadata=METADATA)

    service.serve(DescribeKey=describe)
    (tmp_path / "token").write_text("header.payload.signature\n")
    session = ("--endpoint", service.address, "--token-file", tmp_path / "token")
    assert (await keyferry(*session, "keys", "describe", "x")).code == 0
    assert seen == ["Bearer header.payload.signature"]


async def test_shell_completion_knows_the_commands() -> None:
    outcome = await keyferry(
        _KEYFERRY_COMPLETE="complete_bash", COMP_WORDS="keyferry keys sch", COMP_CWORD="2"
    )
    assert outcome.out.split() == ["schedule-deletion"]
    assert "--install-completion" in CliRunner().invoke(app, ["--help"]).stdout
