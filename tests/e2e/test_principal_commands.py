"""`keyferry-server principal` and `policy`: who is made, what is attached, what it comes to, and the record of it."""

from pathlib import Path
from typing import Any

import pytest
from e2e.operators_view import complaint
from fixtures.processes import Finished, RunCommand, ServerProcess
from fixtures.server import ServerFactory
from policies import permit, policy, user
from steps import create_imported_key

from keyferry.v1 import CreateKeyRequest

ALICE = user("alice")


async def test_principals_are_made_given_policies_and_explained(
    server_process: ServerProcess, run_forked: RunCommand, tmp_path: Path
) -> None:
    options = {name: server_process.options[name] for name in ("database_url", "root_key_file")}
    document = tmp_path / "policy.json"

    async def run(*command: str, **more: Any) -> Finished:
        return await run_forked(*command, **options, **more)

    async with server_process.client() as client:
        key = (await client.create_key_async(CreateKeyRequest())).key_metadata

    assert (await run("principal", "create", ALICE)).output == f"The user {ALICE} is made.\n"
    again = await run("principal", "create", ALICE)
    assert (again.exit_code, complaint(again.errors)) == (
        1,
        f"keyferry-server: The principal {ALICE} already exists.",
    )
    assert [line.split()[1:] for line in (await run("principal", "list")).output.splitlines()] == [[ALICE]]

    document.write_text(policy(permit("kms:Encrpt ")))
    checked = await run_forked("policy", "check", str(document), "--identity")
    assert (checked.exit_code, "Statement[0].Action must be an action" in checked.errors) == (1, True)
    document.write_text(policy(permit("kms:Encrpt")))
    checked = await run_forked("policy", "check", str(document), "--identity")
    assert (checked.exit_code, "is valid" in checked.output) == (0, True)
    assert checked.errors == "keyferry-server: warning: Statement[0]: there is no action kms:encrpt\n"
    document.write_text(policy(permit("kms:Encrypt", key.arn, Sid="use")))
    checked = await run_forked("policy", "check", str(document), "--identity")
    assert ("is valid" in checked.output, checked.errors) == (True, "")
    attached = await run("principal", "attach-policy", ALICE, name="use", file=str(document))
    assert attached.output == f"The policy use is attached to {ALICE}.\n"
    assert document.read_text() in (await run("principal", "policies", ALICE)).output

    explain = {"principal": ALICE, "action": "kms:Encrypt", "key": key.arn}
    assert await run("policy", "explain", **explain) == Finished(
        0,
        "ALLOWED: the key policy leaves it to the account, whose identity policy allows it\n"
        "  key policy Statement[0] (Enable IAM User Permissions)\n"
        "  policy use Statement[0] (use)\n",
        "",
    )
    assert (await run("principal", "detach-policy", ALICE, name="use")).exit_code == 0
    denied = await run("policy", "explain", **explain)
    assert (denied.exit_code, denied.output) == (
        1,
        "DENIED: no identity policy allows it\n  key policy Statement[0] (Enable IAM User Permissions)\n",
    )
    assert (await run("principal", "delete", ALICE)).exit_code == 0

    assert await server_process.terminate() == 0
    assert (await run("audit", "verify")).exit_code == 0


@pytest.mark.parametrize(
    "command",
    [
        ("principal", "create", ALICE),
        ("access-key", "create"),
        ("audit", "public-key"),
        ("audit", "verify"),
    ],
    ids=" ".join,
)
async def test_a_command_may_be_the_first_to_use_a_database(
    command: tuple[str, ...],
    run_forked: RunCommand,
    start_server: ServerFactory,
    database_url: str,
    root_key_file: Path,
) -> None:
    finished = await run_forked(*command, database_url=database_url, root_key_file=str(root_key_file))
    assert (finished.exit_code, finished.errors) == (0, "")
    server = await start_server()
    async with server.client() as client:
        await create_imported_key(client)
