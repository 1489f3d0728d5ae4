"""The audit log: every call, with its change or soon after, never a secret, and nothing that is not recorded."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from contract.beneath import change, select
from fixtures.postgres import OwnPostgres
from fixtures.server import ServerFactory, TestServer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from steps import (
    MATERIAL,
    create_external_key,
    create_imported_key,
    decrypt,
    describe,
    disable,
    encrypt,
    get_parameters,
    import_material,
    import_request,
    schedule_deletion,
    state_of,
)

from keyferry.v1 import (
    CreateKeyRequest,
    DecryptRequest,
    EnableKeyRotationRequest,
    EncryptRequest,
    GenerateRandomRequest,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    DependencyTimeoutException,
    DisabledException,
    InvalidCiphertextException,
    KMSInternalException,
    NotFoundException,
    ValidationException,
)
from keyferry_server.background import audit_log
from keyferry_server.background.audit_log import BATCH_CHARACTERS
from keyferry_server.domain.audit import AuditEvent
from keyferry_server.domain.audit_check import AuditCheck
from keyferry_server.middleware.audit import audit
from keyferry_server.settings import Settings
from keyferry_server.storage.audit_store import AuditStore

Event = dict[str, Any]


async def written(server: TestServer) -> list[Event]:
    """Return the events in the database as it is now."""
    rows = await select(server, "SELECT event FROM audit_records ORDER BY happened_at, chain_id, sequence")
    return [json.loads(row.event) for row in rows]


async def events(server: TestServer) -> list[Event]:
    """Return all events, once those of calls that changed nothing are written too."""
    await server.running.audit_log.write_if_possible()
    return await written(server)


async def last(server: TestServer, name: str) -> Event:
    return [event for event in await events(server) if event["eventName"] == name][-1]


async def faults(server: TestServer) -> list[Any]:
    store = AuditStore(server.running.database)
    check = AuditCheck(server.running.audit_log._signer.is_signed)
    check.check_heads([head async for head in store.heads()])
    async for record in store.records():
        check.check_record(record)
    check.end()
    assert check.records
    return check.faults


@pytest.fixture
def quiet(server_settings: Callable[..., Settings]) -> dict[str, object]:
    """Settings of a server that writes nothing by itself."""
    return {"audit_interval_seconds": 3600, "audit_head_interval_seconds": 3600}


async def test_a_change_is_recorded_with_the_change_in_the_shape_of_cloudtrail(
    start_server: ServerFactory, quiet: dict[str, object]
) -> None:
    server = await start_server(**quiet)
    async with server.client() as client:
        key_id = await create_external_key(client, description="payroll")
        parameters = await get_parameters(client, key_id)
        valid_to = server.clock.now() + timedelta(days=1)
        request = import_request(key_id, parameters, valid_to=valid_to)
        receipt = (await client.import_key_material_async(request)).receipt

    created, given, imported = await written(server)
    arn = f"arn:aws:kms:us-east-1:000000000000:key/{key_id}"
    assert [one["eventName"] for one in (created, given)] == ["CreateKey", "GetParametersForImport"]
    assert created["requestParameters"] == {"origin": "EXTERNAL", "description": "payroll"}
    assert created["resources"] == [{"type": "AWS::KMS::Key", "ARN": arn, "accountId": "000000000000"}]
    assert (created["readOnly"], given["readOnly"]) == (False, True)
    assert given["requestParameters"] == {
        "keyId": key_id,
        "wrappingAlgorithm": "RSAES_OAEP_SHA_256",
        "wrappingKeySpec": "RSA_2048",
    }
    assert imported.pop("eventID")
    assert imported == {
        "eventVersion": "1.11",
        "eventType": "AwsApiCall",
        "eventSource": "kms.amazonaws.com",
        "eventName": "ImportKeyMaterial",
        "eventTime": server.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "awsRegion": "us-east-1",
        "sourceIPAddress": "127.0.0.1",
        "userIdentity": {
            "type": "Principal",
            "accountId": "000000000000",
            "arn": "arn:aws:iam::000000000000:root",
        },
        "requestID": receipt.request_id,
        "readOnly": False,
        "requestParameters": {
            "keyId": key_id,
            "validTo": valid_to.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "expirationModel": "KEY_MATERIAL_EXPIRES",
        },
        "resources": [{"type": "AWS::KMS::Key", "ARN": arn, "accountId": "000000000000"}],
    }


async def test_calls_that_change_nothing_and_refused_calls_are_recorded_too(
    start_server: ServerFactory, quiet: dict[str, object]
) -> None:
    server = await start_server(**quiet)
    async with server.client() as client:
        key_id = await create_imported_key(client)
        ciphertext = await encrypt(client, key_id, context={"purpose": "payroll"})
        with pytest.raises(InvalidCiphertextException):
            await decrypt(client, ciphertext)
        with pytest.raises(NotFoundException):
            await describe(client, "nobody")
        with pytest.raises(ValidationException):
            await client.encrypt_async(EncryptRequest(key_id=key_id))
        await disable(client, key_id)
        with pytest.raises(DisabledException):
            await encrypt(client, key_id)

    before = [one["eventName"] for one in await written(server)]
    assert "Encrypt" not in before
    assert before[-1] == "DisableKey"
    encrypted = [one for one in await events(server) if one["eventName"] == "Encrypt"]
    assert [one.get("errorCode") for one in encrypted] == [None, "ValidationException", "DisabledException"]
    assert encrypted[0]["requestParameters"] == {
        "keyId": key_id,
        "encryptionContext": {"purpose": "payroll"},
    }
    refused = await last(server, "Decrypt")
    assert (refused["errorCode"], refused["errorMessage"]) == ("InvalidCiphertextException", "")
    assert refused["requestParameters"] == {}
    assert refused["resources"][0]["ARN"].endswith(key_id)
    assert (await last(server, "DescribeKey"))["errorMessage"] == "Invalid keyId 'nobody'"


async def test_no_secret_and_no_blob_is_ever_in_a_record(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    plaintext = b"a plaintext that nobody must find"
    key_id = await create_external_key(client)
    parameters = await get_parameters(client, key_id)
    request = import_request(key_id, parameters)
    await client.import_key_material_async(request)
    ciphertext = await encrypt(client, key_id, plaintext)
    await decrypt(client, ciphertext)

    recorded = json.dumps(await events(server))
    for secret in (plaintext, MATERIAL, ciphertext, parameters.import_token, request.encrypted_key_material):
        for encoded in (secret.hex(), base64.b64encode(secret).decode()[:-4], secret.decode("latin-1")):
            assert encoded[:24] not in recorded


async def test_a_change_whose_record_cannot_be_written_does_not_happen(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_imported_key(client)
    async with server.running.database.connection() as connection:
        await connection.execute(text("ALTER TABLE audit_records RENAME TO hidden"))
        await connection.commit()
        with pytest.raises(KMSInternalException):
            await disable(client, key_id)
        await connection.execute(text("ALTER TABLE hidden RENAME TO audit_records"))
        await connection.commit()
    assert await state_of(client, key_id) == "ENABLED"
    await disable(client, key_id)
    assert await faults(server) == []


async def test_what_cannot_be_recorded_is_not_done(
    start_server: ServerFactory, quiet: dict[str, object]
) -> None:
    server = await start_server(**quiet, audit_most_unwritten=3)
    async with server.client() as client:
        key_id = await create_imported_key(client)
        for _ in range(3):
            await encrypt(client, key_id)
        for _ in range(2):
            with pytest.raises(DependencyTimeoutException, match="audit log"):
                await encrypt(client, key_id)
        await server.running.audit_log.write_if_possible()
        await encrypt(client, key_id)


async def test_a_record_stays_short_however_long_the_request_is(
    start_server: ServerFactory, quiet: dict[str, object]
) -> None:
    server = await start_server(**quiet)
    async with server.client() as client:
        for _ in range(30):
            with pytest.raises(ValidationException):
                await client.create_key_async(
                    description="\x01" * 4000,
                    policy="\x01" * 4000,
                    key_spec="KEY_SPEC_RSA_2048",
                )
    recorded = [event for event in await events(server) if event["eventName"] == "CreateKey"]
    assert len(recorded) == 30
    assert max(len(json.dumps(event)) for event in recorded) < 20_000
    parameters = recorded[0]["requestParameters"]
    assert parameters["keySpec"] == "RSA_2048"
    assert parameters["policy"] == "left out, for it has 24013 characters"
    assert await faults(server) == []


def test_what_is_written_together_has_a_bound_in_characters() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    long, short = AuditEvent(now, "x" * (BATCH_CHARACTERS // 2)), AuditEvent(now, "x")
    assert len(audit_log._beginning([long, long, long])) == 2
    assert len(audit_log._beginning([short] * 500)) == 500
    assert len(audit_log._beginning([AuditEvent(now, "x" * (BATCH_CHARACTERS + 1)), short])) == 1
    assert audit_log._beginning([]) == []


async def test_a_call_that_fails_as_nobody_expected_is_recorded_too(
    server: TestServer,
) -> None:
    class Unexpected(Exception):
        pass

    async def fail(*_: object) -> Any:
        raise Unexpected

    middleware = audit(server.running.audit_log, server.clock)
    call = SimpleNamespace(
        route=SimpleNamespace(name="GenerateRandom"),
        request_id="1",
        scope=SimpleNamespace(region="us-east-1"),
        peer="ipv4:127.0.0.1:1",
        deadline=0,
    )
    with pytest.raises(Unexpected):
        await middleware(GenerateRandomRequest(), call, fail)  # type: ignore[arg-type]
    assert (await last(server, "GenerateRandom"))["errorCode"] == "KMSInternalException"


async def test_with_each_call_a_record_is_there_before_the_answer(
    start_server: ServerFactory, quiet: dict[str, object]
) -> None:
    server = await start_server(**quiet, audit_write="each-call")
    async with server.client() as client:
        key_id = await create_imported_key(client)
        ciphertexts = await asyncio.gather(*(encrypt(client, key_id) for _ in range(20)))
        names = [one["eventName"] for one in await written(server)]
        assert names.count("Encrypt") == 20
        with pytest.raises(InvalidCiphertextException):
            await client.decrypt_async(DecryptRequest(ciphertext_blob=ciphertexts[0][:-1]))
        assert [one["eventName"] for one in await written(server)].count("Decrypt") == 1


async def test_a_server_that_stops_has_written_and_signed_everything(
    start_server: ServerFactory, quiet: dict[str, object]
) -> None:
    server = await start_server(**quiet)
    async with server.client() as client:
        key_id = await create_imported_key(client)
        await encrypt(client, key_id)
    await server.stop()
    again = await start_server(**quiet)
    assert "Encrypt" in [one["eventName"] for one in await written(again)]
    (unsigned,) = await select(
        again, "SELECT count(*) AS many FROM audit_chains WHERE sequence > anchored_sequence"
    )
    assert unsigned.many == 0
    assert await faults(again) == []


async def test_a_server_that_stops_while_it_writes_writes_nothing_twice(
    start_server: ServerFactory, quiet: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await start_server(**quiet | {"audit_interval_seconds": 0.01})
    committing, may_commit = asyncio.Event(), asyncio.Event()
    commit = AsyncConnection.commit

    async def held_up(connection: AsyncConnection) -> None:
        if await connection.scalar(text("SELECT count(*) FROM audit_records WHERE event LIKE '%Random%'")):
            committing.set()
            await may_commit.wait()
        await commit(connection)

    async with server.client() as client:
        monkeypatch.setattr(AsyncConnection, "commit", held_up)
        await client.generate_random_async(GenerateRandomRequest(number_of_bytes=1))
        await committing.wait()
    stopping = asyncio.create_task(server.stop())
    (writer,) = [task for task in asyncio.all_tasks() if task.get_name() == "audit log"]
    await asyncio.wait({writer})
    may_commit.set()
    await stopping
    again = await start_server(**quiet)
    assert [one["eventName"] for one in await written(again)].count("GenerateRandom") == 1


async def test_with_each_call_a_caller_learns_before_its_deadline_that_nothing_is_recorded(
    start_server: ServerFactory, quiet: dict[str, object], own_postgres: Callable[..., Awaitable[OwnPostgres]]
) -> None:
    own = await own_postgres()
    server = await start_server(**quiet, audit_write="each-call", database_url=own.database_url)
    async with server.client() as client:
        await client.generate_random_async(GenerateRandomRequest(number_of_bytes=1))
        own.freeze()
        # Nothing but the record needs the database.
        with pytest.raises(DependencyTimeoutException, match="audit log"):
            await client.generate_random_async(GenerateRandomRequest(number_of_bytes=1), timeout=2)
        own.thaw()


async def test_what_the_service_does_by_itself_is_recorded_with_the_change(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    expiring = await create_external_key(client)
    imported = await import_material(client, expiring, valid_to=server.clock.now() + timedelta(days=1))
    leaving = await create_external_key(client)
    await schedule_deletion(client, leaving)
    rotating = (await client.create_key_async(CreateKeyRequest())).key_metadata.key_id
    await client.enable_key_rotation_async(EnableKeyRotationRequest(key_id=rotating))
    server.clock.advance(timedelta(days=365))
    await server.running.sweeper.sweep()
    await server.running.reaper.reap()
    await server.running.rotator.rotate_due()

    recorded = {
        one["eventName"]: one for one in await written(server) if one["eventType"] == "AwsServiceEvent"
    }
    assert {name: one["serviceEventDetails"] for name, one in recorded.items()} == {
        "DeleteExpiredKeyMaterial": {"keyId": expiring, "keyMaterialId": imported.key_material_id},
        "DeleteKey": {"keyId": leaving},
        "RotateKey": {
            "keyId": rotating,
            "keyMaterialId": (await describe(client, rotating)).current_key_material_id,
        },
    }
    assert recorded["DeleteKey"]["resources"][0]["ARN"].endswith(leaving)


async def test_many_writers_at_once_leave_chains_without_a_fault_and_nothing_twice(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    async def one() -> None:
        key_id = await create_imported_key(client)
        await asyncio.gather(disable(client, key_id), encrypt(client, key_id), return_exceptions=True)

    await asyncio.gather(*(one() for _ in range(10)), server.running.audit_log.sign_head())
    found = await events(server)
    await server.running.audit_log.sign_head()
    identities = [event["requestID"] for event in found]
    assert len(identities) == len(set(identities)) == 50
    assert await faults(server) == []


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit_records SET event = replace(event, 'DisableKey', 'EnableKeys')",
        "DELETE FROM audit_records WHERE event LIKE '%DisableKey%'",
        "DELETE FROM audit_records",
        "UPDATE audit_records SET sequence = sequence + 1000",
        "UPDATE audit_records SET happened_at = happened_at - interval '1 day'",
        "UPDATE audit_heads SET content = replace(content, '[', '[1')",
        "UPDATE audit_heads SET signature = decode(repeat('00', 64), 'hex')",
        "DELETE FROM audit_heads WHERE number = 1",
    ],
)
async def test_whatever_is_done_to_the_signed_log_is_found(
    server: TestServer, client: KeyManagementServiceClient, tampering: str
) -> None:
    key_id = await create_imported_key(client)
    await server.running.audit_log.sign_head()
    await disable(client, key_id)
    await server.running.audit_log.sign_head()
    assert await faults(server) == []
    await change(server, tampering)
    await encrypt_refused(client, key_id)
    await server.running.audit_log.write_if_possible()
    assert await faults(server)


async def encrypt_refused(client: KeyManagementServiceClient, key_id: str) -> None:
    with pytest.raises(DisabledException):
        await encrypt(client, key_id)
