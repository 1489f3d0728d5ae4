"""Who signs with which access key is whom, in the Region of the signature; everyone else is nobody."""

import asyncio
import json
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_wire.conftest import ask, refusal
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import SSLError
from contract.beneath import change, select
from fixtures.aws import Boto3Client, post
from fixtures.certificates import Certificates, make_certificates
from fixtures.server import ServerFactory, TestServer

from keyferry_server.administration.access_keys import OperatorAccessKeys
from keyferry_server.authn.access_keys import AccessKey
from keyferry_server.authn.caller import Principal
from keyferry_server.crypto.sealing import Sealer
from keyferry_server.domain.errors import InvalidArnException, NotFoundException, ValidationException
from keyferry_server.operations.access_key_ring import AccessKeyRing
from keyferry_server.storage.access_key_store import AccessKeyStore
from keyferry_server.storage.principal_store import PrincipalStore

ROOT = Principal("000000000000", "arn:aws:iam::000000000000:root")
OTHER = Principal("111111111111", "arn:aws:iam::111111111111:root")
INVALID_TOKEN = ("UnrecognizedClientException", "The security token included in the request is invalid.")


def administrator_of(server: TestServer) -> OperatorAccessKeys:
    """Return the access keys of a server's database, as its operator's commands see them."""
    database = server.running.database
    sealer = Sealer(server.running.root_keys)
    return OperatorAccessKeys(AccessKeyStore(database), PrincipalStore(database), sealer, server.clock, "aws")


def pair(key: AccessKey) -> tuple[str, str]:
    return key.access_key_id, key.secret.reveal().decode()


@pytest.fixture
async def signed_server(start_server: ServerFactory, free_port: Any) -> TestServer:
    return await start_server(
        aws_listen=f"127.0.0.1:{free_port()}", aws_auth="sigv4", allowed_regions="us-east-1,eu-west-1"
    )


def signed_headers(
    server: TestServer, key: AccessKey, body: bytes = b"{}", at: datetime | None = None
) -> dict[str, str]:
    """Let botocore sign a request of ListKeys."""
    request = AWSRequest(
        "POST", f"http://{server.running.aws_address}/", {"X-Amz-Target": "TrentService.ListKeys"}, body
    )
    signer = SigV4Auth(Credentials(*pair(key)), "kms", "us-east-1")
    signer.add_auth(request)
    if at is not None:
        request.headers.replace_header("X-Amz-Date", at.strftime("%Y%m%dT%H%M%SZ"))
    return {name: str(value) for name, value in request.headers.items() if name != "X-Amz-Target"}


async def test_whoever_signs_with_an_access_key_acts_in_its_account(
    signed_server: TestServer, boto3_client: Boto3Client
) -> None:
    ring = administrator_of(signed_server)
    ours = boto3_client(signed_server, access_key=pair(await ring.create(ROOT.arn)))
    theirs = boto3_client(signed_server, access_key=pair(await ring.create(OTHER.arn)))

    mine = (await ask(ours.create_key))["KeyMetadata"]
    other = (await ask(theirs.create_key))["KeyMetadata"]

    assert (mine["AWSAccountId"], other["AWSAccountId"]) == (ROOT.account_id, OTHER.account_id)
    assert [key["KeyId"] for key in (await ask(ours.list_keys))["Keys"]] == [mine["KeyId"]]
    assert (await refusal(theirs.describe_key, KeyId=mine["Arn"]))[0] == "AccessDeniedException"
    assert (await refusal(theirs.describe_key, KeyId=mine["KeyId"]))[0] == "NotFoundException"


async def test_whoever_does_not_is_told_why_and_nothing_else(
    signed_server: TestServer, boto3_client: Boto3Client
) -> None:
    ring = administrator_of(signed_server)
    key = await ring.create(ROOT.arn)
    access_key_id, secret = pair(key)

    def client(*access_key: str, **options: Any) -> Any:
        return boto3_client(signed_server, access_key=access_key, **options)

    unknown = "KFAK" + "A" * 16
    assert await refusal(client(unknown, secret).list_keys) == INVALID_TOKEN
    assert await refusal(client("AKIAIOSFODNN7EXAMPLE", secret).list_keys) == INVALID_TOKEN
    temporary = client(access_key_id, secret, aws_session_token="token")
    assert await refusal(temporary.list_keys) == INVALID_TOKEN
    code, message = await refusal(client(access_key_id, secret[:-1]).list_keys)
    assert code == "InvalidSignatureException"
    assert "does not match the signature you provided" in message
    assert secret not in message

    for body in (b"{}", b"no JSON", b'{"Limit":"1"}', b'{"Limit":0}'):
        assert (await post(signed_server, body)).refusal == (400, "MissingAuthenticationTokenException")
    wrong = signed_headers(signed_server, key) | {"Authorization": "AWS4-HMAC-SHA256 nothing"}
    assert (await post(signed_server, **wrong)).refusal == (400, "IncompleteSignatureException")
    other_body = signed_headers(signed_server, key)
    assert (await post(signed_server, b'{"Limit":1}', **other_body)).refusal == (
        400,
        "InvalidSignatureException",
    )
    assert (await post(signed_server, **signed_headers(signed_server, key))).status == 200


async def test_a_signature_is_good_for_five_minutes(signed_server: TestServer) -> None:
    headers = signed_headers(signed_server, await administrator_of(signed_server).create(ROOT.arn))
    signed_server.clock.advance(datetime.now(UTC) - signed_server.clock.now() + timedelta(minutes=4))
    assert (await post(signed_server, **headers)).status == 200
    signed_server.clock.advance(timedelta(minutes=2))

    answer = await post(signed_server, **headers)

    assert answer.refusal == (400, "InvalidSignatureException")
    assert "Signature expired" in answer.json["message"]


async def test_the_region_of_the_signature_is_the_one_whose_keys_are_seen(
    signed_server: TestServer, boto3_client: Boto3Client
) -> None:
    access_key = pair(await administrator_of(signed_server).create(ROOT.arn))
    east = boto3_client(signed_server, region="us-east-1", access_key=access_key)
    west = boto3_client(signed_server, region="eu-west-1", access_key=access_key)
    elsewhere = boto3_client(signed_server, region="mars-north-1", access_key=access_key)

    key = (await ask(west.create_key))["KeyMetadata"]

    assert key["Arn"].startswith("arn:aws:kms:eu-west-1:000000000000:key/")
    assert (await ask(west.describe_key, KeyId=key["KeyId"]))["KeyMetadata"]["Arn"] == key["Arn"]
    assert (await ask(east.list_keys))["Keys"] == []
    code, message = await refusal(east.describe_key, KeyId=key["KeyId"])
    assert (code, "us-east-1" in message) == ("NotFoundException", True)
    assert await refusal(east.describe_key, KeyId=key["Arn"]) == (
        "NotFoundException",
        "Invalid arn eu-west-1",
    )
    sealed = (await ask(west.encrypt, KeyId=key["KeyId"], Plaintext=b"x"))["CiphertextBlob"]
    assert (await refusal(east.decrypt, CiphertextBlob=sealed))[0] == "AccessDeniedException"
    assert await refusal(elsewhere.list_keys) == (
        "InvalidSignatureException",
        "Credential should be scoped to a valid region, not 'mars-north-1'.",
    )


async def test_without_authentication_any_credentials_are_the_root_of_the_account_in_their_region(
    start_server: ServerFactory, free_port: Any, boto3_client: Boto3Client
) -> None:
    server = await start_server(aws_listen=f"127.0.0.1:{free_port()}", allowed_regions="*")
    mars = boto3_client(server, region="mars-north-1", access_key=("some", "body"))
    arn = (await ask(mars.create_key))["KeyMetadata"]["Arn"]
    assert arn.startswith("arn:aws:kms:mars-north-1:000000000000:key/")
    assert (await ask(mars.list_keys))["Keys"] != []
    assert (await post(server)).json["Keys"] == []
    assert (await post(server, authorization="Bearer token")).json["Keys"] == []


async def test_the_audit_log_and_the_log_name_who_signed_and_where(
    signed_server: TestServer, boto3_client: Boto3Client
) -> None:
    access_key = pair(await administrator_of(signed_server).create(ROOT.arn))
    await ask(boto3_client(signed_server, region="eu-west-1", access_key=access_key).create_key)
    await post(signed_server, b"no JSON")
    await signed_server.running.audit_log.write_if_possible()

    rows = await select(signed_server, "SELECT event FROM audit_records ORDER BY sequence")
    _, created, refused = (json.loads(row.event) for row in rows)

    assert created["userIdentity"]["arn"] == ROOT.arn
    assert created["awsRegion"] == "eu-west-1"
    assert created["sourceIPAddress"] == "127.0.0.1"
    assert (refused["eventName"], refused["errorCode"]) == ("ListKeys", "MissingAuthenticationTokenException")
    assert refused["userIdentity"] == {"type": "Anonymous"}
    assert all(access_key[1] not in row.event for row in rows)


async def test_an_access_key_works_while_it_is_there_and_switched_on(signed_server: TestServer) -> None:
    administrator = administrator_of(signed_server)
    ring = AccessKeyRing(
        AccessKeyStore(signed_server.running.database),
        Sealer(signed_server.running.root_keys),
        signed_server.running.cache,
    )
    key = await administrator.create(ROOT.arn)
    found = await ring.find(key.access_key_id)
    assert found is not None
    assert (found.principal, pair(found)) == (ROOT, pair(key))

    await administrator.switch(key.access_key_id, enabled=False)
    assert await ring.find(key.access_key_id) is None
    await administrator.switch(key.access_key_id, enabled=True)
    assert await ring.find(key.access_key_id) is not None
    await administrator.delete(key.access_key_id)
    assert await ring.find(key.access_key_id) is None
    for refused in (
        administrator.switch(key.access_key_id, enabled=True),
        administrator.delete(key.access_key_id),
    ):
        with pytest.raises(NotFoundException, match="access-key list"):
            await refused

    rows = await select(signed_server, "SELECT event FROM audit_records ORDER BY sequence")
    names = [json.loads(row.event)["eventName"] for row in rows]
    assert names == ["CreateAccessKey", "DisableAccessKey", "EnableAccessKey", "DeleteAccessKey"]
    assert all(pair(key)[1] not in row.event for row in rows)


async def test_an_access_key_is_made_for_a_principal_that_is_there(signed_server: TestServer) -> None:
    administrator = administrator_of(signed_server)
    for arn, refused in (
        ("arn:aws:iam::000000000000:user/nobody", NotFoundException),
        ("arn:aws-cn:iam::000000000000:root", ValidationException),
        ("arn:aws:sts::000000000000:assumed-role/backup/nightly", InvalidArnException),
        ("root", InvalidArnException),
    ):
        with pytest.raises(refused):
            await administrator.create(arn)
    assert await administrator.list() == []


async def test_secrets_are_sealed_each_for_its_own_row(signed_server: TestServer) -> None:
    ring = administrator_of(signed_server)
    one, other = await ring.create(ROOT.arn), await ring.create(OTHER.arn)
    rows = await select(signed_server, "SELECT access_key_id, sealed_secret FROM access_keys")
    assert all(key.secret.reveal() not in row.sealed_secret for key in (one, other) for row in rows)
    sealed = {row.access_key_id: row.sealed_secret for row in rows}
    await change(
        signed_server,
        "UPDATE access_keys SET sealed_secret = :sealed WHERE access_key_id = :id",
        sealed=sealed[one.access_key_id],
        id=other.access_key_id,
    )

    answer = await post(signed_server, **signed_headers(signed_server, other))

    assert answer.refusal == (500, "KMSInternalException")


async def test_over_tls_a_private_authority_is_trusted_by_whoever_is_told_to(
    start_server: ServerFactory, free_port: Any, boto3_client: Boto3Client, certificates: Certificates
) -> None:
    server = await start_server(aws_listen=f"127.0.0.1:{free_port()}", **certificates.settings)

    trusting = boto3_client(server, scheme="https", verify=str(certificates.authority))
    assert (await ask(trusting.list_keys))["Keys"] == []

    with pytest.raises(SSLError):
        await ask(boto3_client(server, scheme="https").list_keys)


async def test_a_certificate_is_replaced_without_a_restart(
    start_server: ServerFactory, free_port: Any, tmp_path: Path
) -> None:
    files = make_certificates(tmp_path)
    server = await start_server(aws_listen=f"127.0.0.1:{free_port()}", **files.settings)
    host, port = server.running.aws_address.split(":")

    async def shown() -> str:
        return await asyncio.to_thread(ssl.get_server_certificate, (host, int(port)))

    assert await shown() == files.certificate.read_text()
    make_certificates(tmp_path)
    renewed = files.certificate.read_text()
    assert await shown() == renewed
    files.certificate.write_text("no certificate")
    assert await shown() == renewed
