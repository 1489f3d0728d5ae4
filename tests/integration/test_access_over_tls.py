"""Policies about the callers of real connections: who a certificate makes them, and whether others could listen."""

from pathlib import Path

import pytest
from certificates import authority, channel_credentials, server_pair
from direct_calls import somebody
from fixtures.server import ServerFactory
from policies import ACCOUNT, OWNER, ROOT, deny, permit, policy
from steps import encrypt

from keyferry.v1 import CreateKeyRequest
from keyferry_client import AccessDeniedException, KeyManagementServiceClient

TRUST_DOMAIN = "example.org"
BILLING = f"arn:aws:iam::{ACCOUNT}:role/billing"


async def test_who_a_certificate_stands_for_may_do_what_its_policies_allow_at_once(
    start_server: ServerFactory, tmp_path: Path
) -> None:
    trusted = authority()
    (tmp_path / "authorities.pem").write_bytes(trusted.pem)
    certificate, private_key = server_pair(trusted).write(tmp_path / "server")
    server = await start_server(
        auth="mtls",
        tls_cert_file=certificate,
        tls_key_file=private_key,
        tls_client_ca_file=tmp_path / "authorities.pem",
        spiffe_trust_domain=TRUST_DOMAIN,
    )
    root = await somebody(server, ROOT)
    key_id = (await root.send(CreateKeyRequest())).key_metadata.key_id
    shown = trusted.issue(f"spiffe://{TRUST_DOMAIN}/account/{ACCOUNT}/role/billing")
    async with KeyManagementServiceClient(
        server.address, credentials=channel_credentials(trusted, shown)
    ) as client:
        with pytest.raises(AccessDeniedException, match="the principal does not exist"):
            await encrypt(client, key_id)
        billing = await somebody(server, BILLING)
        with pytest.raises(
            AccessDeniedException, match="no identity-based policy allows the kms:Encrypt action"
        ):
            await encrypt(client, key_id)
        await billing.attach("use", policy(permit("kms:Encrypt")))
        await encrypt(client, key_id)
        await billing.detach("use")
        with pytest.raises(AccessDeniedException):
            await encrypt(client, key_id)


async def test_a_policy_can_ask_for_a_connection_that_nobody_reads_and_for_where_it_comes_from(
    start_server: ServerFactory, tmp_path: Path
) -> None:
    trusted = authority()
    certificate, private_key = server_pair(trusted).write(tmp_path / "server")
    over_tls = await start_server(tls_cert_file=certificate, tls_key_file=private_key)
    in_the_open = await start_server()
    safe = KeyManagementServiceClient(over_tls.address, credentials=channel_credentials(trusted))
    async with safe, in_the_open.client() as unsafe:

        async def key_with(*statements: dict[str, object]) -> str:
            request = CreateKeyRequest(policy=policy(OWNER, *statements))
            return (await unsafe.create_key_async(request)).key_metadata.key_id

        key_id = await key_with(deny("*", "kms:Encrypt", Condition={"Bool": {"aws:SecureTransport": False}}))
        with pytest.raises(AccessDeniedException):
            await encrypt(unsafe, key_id)
        await encrypt(safe, key_id)

        from_here, from_elsewhere = (
            {"IpAddress": {"aws:SourceIp": addresses}} for addresses in ("127.0.0.0/8", "192.0.2.0/24")
        )
        key_id = await key_with(deny("*", "kms:Encrypt", Condition=from_elsewhere))
        await encrypt(safe, key_id)
        key_id = await key_with(deny("*", "kms:Encrypt", Condition=from_here))
        for client in (safe, unsafe):
            with pytest.raises(AccessDeniedException):
                await encrypt(client, key_id)
