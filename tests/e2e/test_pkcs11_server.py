"""A server whose root key is in a PKCS#11 device, from its first key to a rotation."""

from collections.abc import Mapping

from e2e.operators_view import complaint
from fixtures.processes import Finished, RunCommand, StartProcess
from fixtures.softhsm import SoftHsm
from rows import connected
from steps import create_imported_key, decrypt, encrypt


async def test_a_root_key_in_a_device_seals_and_rotates_like_any_other(
    softhsm: SoftHsm, start_process: StartProcess, run_forked: RunCommand, database_url: str
) -> None:
    device = softhsm.environment | {"KEYFERRY_PKCS11_KEY_LABEL": "server"}

    async def root_key(*command: str, environment: Mapping[str, str] = device) -> Finished:
        return await run_forked(
            "root-key", *command, environment={**environment, "KEYFERRY_DATABASE_URL": database_url}
        )

    missing = await run_forked("check-config", environment=device | {"KEYFERRY_DATABASE_URL": database_url})
    assert "There is no root key in the token 'keyferry'" in complaint(missing.errors)
    assert (await root_key("generate")).exit_code == 0
    assert "not replaced" in complaint((await root_key("generate")).errors)

    server = await start_process(device | {"KEYFERRY_REPLICA_INTERVAL_SECONDS": "0.1"}, root_key_file=None)
    async with server.client() as client:
        key_id = await create_imported_key(client)
        blob = await encrypt(client, key_id)
        rotated = await root_key("rotate")
        assert "Version 2 is active" in rotated.output, rotated.errors
        rewrapped = await root_key("rewrap")
        assert "Everything is sealed under version 2." in rewrapped.output, rewrapped.errors
        assert await decrypt(client, blob) == b"plaintext"
        await create_imported_key(client)

    async with connected(database_url) as database:
        await database.execute("UPDATE root_key_versions SET activated_at = activated_at - interval '1 hour'")
    removed = await root_key("remove", "1")
    assert "Destroy server-1" in complaint(removed.errors)
    wrong = await root_key("status", environment=device | {"KEYFERRY_PKCS11_PIN": "000000"})
    assert "the PIN" in complaint(wrong.errors)
    assert "000000" not in wrong.errors
    assert softhsm.pin not in server.log.read_text()
