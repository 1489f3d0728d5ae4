"""`keyferry-server audit`: what an operator sees of the audit log, whole and tampered with."""

import json

import asyncpg
from e2e.operators_view import complaint
from fixtures.processes import RunCommand, ServerProcess
from steps import create_imported_key, encrypt


async def test_the_audit_log_is_verified_exported_and_found_out(
    server_process: ServerProcess, run_forked: RunCommand, connection: asyncpg.Connection
) -> None:
    async with server_process.client() as client:
        key_id = await create_imported_key(client)
        await encrypt(client, key_id)
    assert await server_process.terminate() == 0
    options = {name: server_process.options[name] for name in ("database_url", "root_key_file")}

    whole = await run_forked("audit", "verify", **options)
    assert (whole.exit_code, complaint(whole.errors)) == (0, "")
    assert whole.output.startswith("The audit log is whole: 4 records in ")

    public_key = (await run_forked("audit", "public-key", **options)).output.strip()
    entries = [json.loads(line) for line in server_process.log.read_text().splitlines()]
    head = [entry for entry in entries if entry["event"] == "audit head"][-1]
    named = {"public_key": public_key, "head": f"{head['number']}:{head['hash']}"}
    assert (await run_forked("audit", "verify", **options, **named)).exit_code == 0
    for wrong in ({"public_key": "00" * 32}, {"head": f"{head['number']}:{'00' * 32}"}):
        assert (await run_forked("audit", "verify", **options, **(named | wrong))).exit_code == 1

    for wrong in ("x" * 64, "00 " * 20 + "0000", "00" * 31):
        refused = await run_forked("audit", "verify", **options, public_key=wrong)
        assert refused.exit_code == 2
        assert "64 hexadecimal digits" in complaint(refused.errors)

    exported = await run_forked("audit", "export", **options)
    names = [json.loads(line)["eventName"] for line in exported.output.splitlines()]
    assert names == ["CreateKey", "GetParametersForImport", "ImportKeyMaterial", "Encrypt"]
    nothing = await run_forked("audit", "export", **options, since="2999-01-01")
    assert (nothing.exit_code, nothing.output) == (0, "")

    await connection.execute("DELETE FROM audit_records WHERE event LIKE '%ImportKeyMaterial%'")
    tampered = await run_forked("audit", "verify", **options)
    assert tampered.exit_code == 1
    assert "the audit log is NOT what was written" in complaint(tampered.errors)
    assert "chain " in complaint(tampered.errors)
