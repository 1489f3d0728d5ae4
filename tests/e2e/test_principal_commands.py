"""`keyferry-server principal` and `policy`: who is made, what is attached, what it comes to, and the record of it."""

import json
from pathlib import Path
from typing import Any

import asyncpg
from e2e.operators_view import complaint
from fixtures.processes import Finished, RunCommand, ServerProcess
from policies import ACCOUNT, OWNER, ROOT, allow, permit, policy, user

from keyferry.v1 import CreateKeyRequest

ALICE, BOB = user("alice"), user("team/bob")


async def test_principals_are_made_given_policies_and_explained(
    server_process: ServerProcess, run_forked: RunCommand, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    options = {name: server_process.options[name] for name in ("database_url", "root_key_file")}
    documents = tmp_path / "policy.json"

    async def run(*command: str, **more: Any) -> Finished:
        return await run_forked(*command, **options, **more)

    async def done(*command: str, **more: Any) -> str:
        finished = await run(*command, **more)
        assert finished.exit_code == 0, finished.errors
        return finished.output

    async def refused(*command: str, **more: Any) -> str:
        finished = await run(*command, **more)
        assert finished.exit_code == 1, finished.output
        return complaint(finished.errors).removeprefix("keyferry-server: ")

    async with server_process.client() as client:
        key = (await client.create_key_async(CreateKeyRequest(policy=policy(OWNER, allow(BOB, "kms:Sign"))))).key_metadata  # fmt: skip

    for arn in (ALICE, BOB):
        assert await done("principal", "create", arn) == f"The user {arn} is made.\n"
    assert await refused("principal", "create", ALICE) == f"The principal {ALICE} already exists."
    for wrong in (ROOT, "alice", f"arn:aws-cn:iam::{ACCOUNT}:user/alice"):
        await refused("principal", "create", wrong)
    listed = await done("principal", "list", account=ACCOUNT)
    assert [line.split()[1] for line in listed.splitlines()] == [ALICE, BOB]
    assert await done("principal", "list", account="999999999999") == ""

    explain = {"principal": ALICE, "action": "kms:Encrypt", "key": key.arn}
    denied = await run("policy", "explain", **explain)
    assert (denied.exit_code, denied.output) == (
        1,
        "DENIED: no identity policy allows it\n  key policy Statement[0]\n",
    )

    documents.write_text(policy(permit("kms:Encrpt ")))
    assert "Statement[0].Action must be an action" in await refused(
        "principal", "attach-policy", ALICE, name="use", file=str(documents)
    )
    checked = await run_forked("policy", "check", str(documents), "--identity")
    assert (checked.exit_code, "Statement[0].Action" in checked.errors) == (1, True)
    documents.write_text(policy(permit("kms:Encrypt", key.arn, Sid="use")))
    assert "is valid" in (await run_forked("policy", "check", str(documents), "--identity")).output
    assert (await run_forked("policy", "check", str(documents))).exit_code == 1
    await done("principal", "attach-policy", ALICE, name="use", file=str(documents))
    assert documents.read_text() in await done("principal", "policies", ALICE)
    assert await done("policy", "explain", **explain) == (
        "ALLOWED: the key policy leaves it to the account, whose identity policy allows it\n"
        "  key policy Statement[0]\n"
        "  policy use Statement[0] (use)\n"
    )

    await done("principal", "detach-policy", ALICE, name="use")
    assert await refused("principal", "detach-policy", ALICE, name="use") == f"{ALICE} has no policy use."
    await done("principal", "delete", ALICE)
    assert await refused("principal", "delete", ALICE) == f"There is no principal {ALICE}."
    gone = await run("policy", "explain", **explain)
    assert gone.output == "DENIED: the caller is no principal that is known here\n"

    events = [json.loads(event) for (event,) in await connection.fetch("SELECT event FROM audit_records ORDER BY happened_at")]  # fmt: skip
    changes = [event for event in events if "invokedBy" in event["userIdentity"]]
    assert [(event["eventName"], event["serviceEventDetails"]["principal"]) for event in changes] == [
        ("CreatePrincipal", ALICE),
        ("CreatePrincipal", BOB),
        ("AttachPrincipalPolicy", ALICE),
        ("DetachPrincipalPolicy", ALICE),
        ("DeletePrincipal", ALICE),
    ]
    assert await server_process.terminate() == 0
    assert (await run("audit", "verify")).exit_code == 0
