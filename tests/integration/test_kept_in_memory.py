"""What is kept in memory, under what, and that it is given up: access keys, aliases, key material in the clear."""

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from aws_wire.conftest import ask
from aws_wire.test_signatures import ROOT, administrator_of, pair
from botocore.exceptions import ClientError
from fixtures.aws import Boto3Client
from fixtures.server import ServerFactory, TestServer
from integration.test_cached_keys import LEASE_SECONDS, QUICK, everything_is_heard, hears, keep_in_memory
from integration.test_what_memory_tells import statements_of
from steps import create_imported_key, delete_material, disable, encrypt, name

from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import DisabledException, KMSInvalidStateException
from keyferry_server.authz.admission import admit_service
from keyferry_server.domain.errors import KMSInternalException
from keyferry_server.domain.identifiers import KeyIdentifier, Scope
from keyferry_server.domain.key import Key
from keyferry_server.operations.encrypt import Encrypt
from keyferry_server.operations.key_use import KeyUse

HERE = Scope("aws", "us-east-1", ROOT.account_id)


def key_use_of(server: TestServer) -> KeyUse:
    operation = server.running.operations[Encrypt]
    assert isinstance(operation, Encrypt)
    return operation.encryption.key_use


async def kept_key(server: TestServer, client: KeyManagementServiceClient) -> Key:
    """Return a key as it is in memory."""
    key_id = await create_imported_key(client)
    await keep_in_memory(client, key_id, server)
    return admit_service(server.running.cache.get(KeyIdentifier(HERE, key_id)))


async def test_a_key_with_two_aliases_comes_from_memory_by_both_until_it_is_changed(
    start_server: ServerFactory,
) -> None:
    server = await start_server()
    await hears(server)
    statements = statements_of(server)
    async with server.client() as client:
        key_id = await create_imported_key(client)
        both = ("alias/one", "alias/uno")
        for alias in both:
            await name(client, alias, key_id)

        async def use_both() -> None:
            for alias in both:
                await encrypt(client, alias)

        # What is read while a change is heard is not kept.
        async with asyncio.timeout(20):
            while await statements.of(use_both()):
                pass
        await disable(client, key_id)
        for alias in both:
            with pytest.raises(DisabledException):
                await encrypt(client, alias)


async def test_key_material_in_the_clear_is_of_use_for_its_place_and_its_sealed_bytes_only(
    start_server: ServerFactory,
) -> None:
    server = await start_server()
    await hears(server)
    async with server.client() as client:
        key = await kept_key(server, client)
    use, material = key_use_of(server), key.current_material
    assert material is not None
    assert material.sealed is not None
    assert use.unseal_current(key) is use.unseal_current(key)
    moved = replace(material, key_material_id="0" * len(material.key_material_id))
    changed = replace(material, sealed=material.sealed[:-1] + bytes([material.sealed[-1] ^ 1]))
    for other in (moved, changed):
        with pytest.raises(KMSInternalException):
            use.unseal_current(replace(key, materials=(other,)))


async def test_key_material_in_the_clear_goes_with_a_change_of_its_key_and_with_the_last_lease(
    start_server: ServerFactory,
) -> None:
    server = await start_server()
    await hears(server)
    cache, use = server.running.cache, key_use_of(server)
    async with server.client() as client:
        key = await kept_key(server, client)
        before = use.unseal_current(key)
        await disable(client, key.key_id)
        assert cache.beside(key.identifier) is None
        assert use.unseal_current(key) is not before

        other = await kept_key(server, client)
        assert cache.beside(other.identifier)
        cache.lose()
        assert cache.beside(other.identifier) is None
        assert len(cache) == 0


async def test_a_call_that_read_a_key_before_its_material_was_deleted_leaves_nothing_of_it_in_memory(
    start_server: ServerFactory,
) -> None:
    server = await start_server()
    await hears(server)
    use = key_use_of(server)
    async with server.client() as client:
        before = await kept_key(server, client)
        await delete_material(client, before.key_id)
        await everything_is_heard(server)
        with pytest.raises(KMSInvalidStateException):
            await encrypt(client, before.key_id)
        use.unseal_current(before)
        assert server.running.cache.beside(before.identifier) == {}


async def test_the_cache_holds_the_material_of_no_more_keys_than_its_size(
    start_server: ServerFactory,
) -> None:
    server = await start_server(key_cache_size=2)
    await hears(server)
    cache = server.running.cache
    async with server.client() as client:
        keys = [await kept_key(server, client) for _ in range(3)]
    assert len(cache) == 2
    assert [bool(cache.beside(key.identifier)) for key in keys] == [False, True, True]


async def test_an_access_key_that_was_switched_off_is_refused_by_the_other_server_within_a_bound(
    start_server: ServerFactory, free_port: Callable[[], int], boto3_client: Boto3Client
) -> None:
    near = await start_server()
    far = await start_server(aws_listen=f"127.0.0.1:{free_port()}", aws_auth="sigv4", **QUICK)
    await hears(near)
    await hears(far)
    administrator = administrator_of(near)
    seconds = []
    for _ in range(5):
        key = await administrator.create(ROOT.arn)
        caller = boto3_client(far, access_key=pair(key))
        while far.running.cache.get(key.access_key_id) is None:
            await ask(caller.list_keys)

        await administrator.switch(key.access_key_id, enabled=False)
        start, last, refused = time.perf_counter(), 0.0, ""
        async with asyncio.timeout(20):
            while not refused:
                began = time.perf_counter()
                try:
                    await ask(caller.list_keys)
                    last = began - start
                except ClientError as error:
                    refused = error.response["Error"]["Code"]
        assert refused == "UnrecognizedClientException"
        seconds.append(last)
        assert far.running.cache.get(key.access_key_id) is None
    sys.stdout.write(
        f"access-key disable: used on the other server for at most {max(seconds) * 1000:.1f} ms after it returned "
        f"({len(seconds)} access keys, lease {LEASE_SECONDS * 1000:.0f} ms)\n"
    )
    assert max(seconds) < LEASE_SECONDS
