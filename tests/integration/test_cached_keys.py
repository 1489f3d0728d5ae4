"""Keys in memory: a change on one server is known to every other within a bound, whatever happens to the network.

Two servers on one database. `near` makes the changes, `far` has the key in memory.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta

import pytest
from direct_calls import Somebody, somebody
from fixtures.postgres import OwnPostgres
from fixtures.server import ServerFactory, TestServer
from policies import ROOT, allow, permit, policy, user
from relay import Relay, TransactionPooler
from rows import connected
from steps import (
    create_external_key,
    create_imported_key,
    decrypt,
    delete_material,
    disable,
    encrypt,
    get_parameters,
    import_material,
    import_request,
    state_of,
)
from structlog.testing import capture_logs

from keyferry.v1 import (
    CreateAliasRequest,
    CreateGrantRequest,
    CreateKeyRequest,
    DecryptRequest,
    DeleteAliasRequest,
    EnableKeyRequest,
    EncryptRequest,
    GenerateRandomRequest,
    PutKeyPolicyRequest,
    RevokeGrantRequest,
    RotateKeyOnDemandRequest,
    ScheduleKeyDeletionRequest,
    UpdateAliasRequest,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    DependencyTimeoutException,
    DisabledException,
    KeyferryError,
    KMSInvalidStateException,
    NotFoundException,
)
from keyferry_server.domain import errors as domain
from keyferry_server.domain.grant import GrantOperation
from keyferry_server.domain.principal import IdentityPolicy
from keyferry_server.storage.heard_cache import HeardCache, seconds_now
from keyferry_server.storage.principal_store import PrincipalStore
from keyferry_server.wire.enums import format_enum

Client = KeyManagementServiceClient
Change = Callable[[Client, str], Awaitable[object]]

LEASE_SECONDS = 0.5
QUICK = {
    "key_cache_lease_seconds": LEASE_SECONDS,
    "database_statement_timeout_seconds": 0.5,
    "database_connect_timeout_seconds": 0.5,
}
KEYS = 12
NOT_HEARD = "changes of keys are not heard: the database is asked for every key that is used"
HEARS_NOBODY = (
    "the session that listens does not hear others: behind a pooler of connections the server needs one that lends "
    "whole sessions"
)
CUT_LISTENERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND query = 'SELECT pg_notify($1, $2)' AND pid <> pg_backend_pid()
"""


async def schedule_deletion(client: Client, key_id: str) -> None:
    await client.schedule_key_deletion_async(ScheduleKeyDeletionRequest(key_id=key_id))


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for something that nobody announces."""
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 -- there is no event to wait for
            await asyncio.sleep(0.005)


async def hears(server: TestServer) -> None:
    await until(lambda: server.running.cache.is_usable)


async def everything_is_heard(server: TestServer) -> None:
    """Wait until a server has heard of all that was changed before."""
    now = seconds_now()
    await until(lambda: server.running.cache.heard_until >= now)


async def use_from_memory(client: Client, key_id: str, cache: HeardCache) -> None:
    """Use a key until it is in memory: what is read while a change is heard is not kept."""
    hits = cache.hits
    while cache.hits == hits:
        await encrypt(client, key_id)


async def keep_in_memory(client: Client, key_id: str, server: TestServer) -> None:
    """Use a key until it is in memory and stays there: what made it has been heard."""
    await everything_is_heard(server)
    await use_from_memory(client, key_id, server.running.cache)


async def seconds_until_refused(client: Client, key_id: str) -> float:
    """Use a key until it is refused; return when it was used successfully for the last time, from now."""
    start, last = time.perf_counter(), 0.0
    async with asyncio.timeout(20):
        while True:
            began = time.perf_counter()
            try:
                await encrypt(client, key_id)
            except DependencyTimeoutException:
                continue
            except KeyferryError:
                return last
            last = began - start


@asynccontextmanager
async def near_and_far(
    start_server: ServerFactory, **of_far: object
) -> AsyncIterator[tuple[Client, Client, TestServer]]:
    near, far = await start_server(), await start_server(**of_far)
    await hears(near)
    await hears(far)
    async with near.client() as at_near, far.client() as at_far:
        yield at_near, at_far, far


async def test_after_a_change_returned_the_other_server_refuses_within_a_bound(
    start_server: ServerFactory,
) -> None:
    changes: dict[str, Change] = {
        "DisableKey": disable,
        "DeleteImportedKeyMaterial": delete_material,
        "ScheduleKeyDeletion": schedule_deletion,
    }
    async with near_and_far(start_server, **QUICK) as (near, far, far_server):
        cache = far_server.running.cache
        for name, change in changes.items():
            seconds = []
            for _ in range(KEYS):
                key_id = await create_imported_key(near)
                await use_from_memory(far, key_id, cache)
                await change(near, key_id)
                seconds.append(await seconds_until_refused(far, key_id))
            seconds.sort()
            sys.stdout.write(
                f"{name}: used on the other server for at most {seconds[-1] * 1000:.1f} ms after it returned "
                f"(median {seconds[KEYS // 2] * 1000:.1f} ms, {KEYS} keys, lease {LEASE_SECONDS * 1000:.0f} ms)\n"
            )
            assert seconds[-1] < LEASE_SECONDS


async def test_after_a_right_was_taken_on_one_server_the_other_refuses_within_a_bound(
    start_server: ServerFactory, database_url: str
) -> None:
    near_server, far_server = await start_server(), await start_server(**QUICK)
    await hears(near_server)
    await hears(far_server)
    owner = policy(allow(ROOT, "kms:*"))
    async with near_server.client() as near:
        for number, kind in enumerate(
            ("RevokeGrant", "PutKeyPolicy", "detached policy", "deleted principal")
        ):
            key_id = (await near.create_key_async(CreateKeyRequest())).key_metadata.key_id
            user_arn = user(f"user-{number}")
            grantee = await somebody(near_server, user_arn)
            far = Somebody(far_server, user_arn)
            grant_id = ""
            if kind == "RevokeGrant":
                grant = CreateGrantRequest(
                    key_id=key_id,
                    grantee_principal=user_arn,
                    operations=[format_enum(GrantOperation("Encrypt"))],
                )
                grant_id = (await near.create_grant_async(grant)).grant_id
            elif kind == "PutKeyPolicy":
                allowing = policy(allow(ROOT, "kms:*"), allow(user_arn, "kms:Encrypt"))
                await near.put_key_policy_async(PutKeyPolicyRequest(key_id=key_id, policy=allowing))
            else:
                await grantee.attach("use", policy(permit("kms:Encrypt")))
            request = EncryptRequest(key_id=key_id, plaintext=b"x")
            hits = far_server.running.cache.hits
            while far_server.running.cache.hits < hits + 2:
                await far.send(request)

            if kind == "RevokeGrant":
                await near.revoke_grant_async(RevokeGrantRequest(key_id=key_id, grant_id=grant_id))
            elif kind == "PutKeyPolicy":
                await near.put_key_policy_async(PutKeyPolicyRequest(key_id=key_id, policy=owner))
            elif kind == "detached policy":
                await grantee.detach("use")
            else:
                await PrincipalStore(near_server.running.database).delete(user_arn)
            start = last = time.perf_counter()
            async with asyncio.timeout(20):
                while True:
                    began = time.perf_counter()
                    try:
                        await far.send(request)
                    except domain.AccessDeniedException:
                        break
                    last = began
                    await asyncio.sleep(0)
            sys.stdout.write(
                f"{kind}: allowed elsewhere for {(last - start) * 1000:.1f} ms after it returned\n"
            )
            assert last - start < LEASE_SECONDS


async def test_an_alias_is_followed_to_where_it_points_now(start_server: ServerFactory) -> None:
    async with near_and_far(start_server, **QUICK) as (near, far, server):
        one, other = await create_imported_key(near), await create_imported_key(near)
        await near.create_alias_async(CreateAliasRequest(alias_name="alias/moved", target_key_id=one))

        async def used() -> str:
            response = await far.encrypt_async(EncryptRequest(key_id="alias/moved", plaintext=b"x"))
            return response.key_id.rpartition("/")[2]

        seconds = []
        for _ in range(KEYS):
            hits = server.running.cache.hits
            while server.running.cache.hits == hits:
                assert await used() == one
            await near.update_alias_async(UpdateAliasRequest(alias_name="alias/moved", target_key_id=other))
            start, last = time.perf_counter(), 0.0
            async with asyncio.timeout(20):
                while True:
                    began = time.perf_counter()
                    if await used() == other:
                        break
                    last = began - start
            seconds.append(last)
            one, other = other, one
        sys.stdout.write(
            f"UpdateAlias: followed to the old key on the other server for at most {max(seconds) * 1000:.1f} ms after "
            f"it returned ({KEYS} times, lease {LEASE_SECONDS * 1000:.0f} ms)\n"
        )
        assert max(seconds) < LEASE_SECONDS
        await near.delete_alias_async(DeleteAliasRequest(alias_name="alias/moved"))
        await seconds_until_refused(far, "alias/moved")
        with pytest.raises(NotFoundException):
            await used()


async def test_a_change_is_known_at_once_to_the_server_that_made_it(start_server: ServerFactory) -> None:
    server = await start_server()
    await hears(server)
    async with server.client() as client:
        key_id = await create_imported_key(client)
        for _ in range(50):
            await encrypt(client, key_id)
            await disable(client, key_id)
            with pytest.raises(DisabledException):
                await encrypt(client, key_id)
            await client.enable_key_async(EnableKeyRequest(key_id=key_id))
            await encrypt(client, key_id)
        await delete_material(client, key_id)
        with pytest.raises(KMSInvalidStateException):
            await encrypt(client, key_id)
        await import_material(client, key_id)
        await encrypt(client, key_id)


async def test_key_material_expires_in_memory_at_its_valid_to(start_server: ServerFactory) -> None:
    server = await start_server()
    await hears(server)
    async with server.client() as client:
        key_id = await create_imported_key(client, valid_to=server.clock.now() + timedelta(hours=1))
        await keep_in_memory(client, key_id, server)
        hits = server.running.cache.hits
        server.clock.advance(timedelta(hours=1, microseconds=-1))
        await encrypt(client, key_id)
        server.clock.advance(timedelta(microseconds=1))
        with pytest.raises(KMSInvalidStateException):
            await encrypt(client, key_id)
        assert server.running.cache.hits == hits + 2


async def test_changes_by_hand_and_by_the_service_itself_are_heard(
    start_server: ServerFactory, database_url: str
) -> None:
    async with near_and_far(start_server) as (near, far, server), connected(database_url) as database:
        key_id, doomed = await create_imported_key(near), await create_imported_key(near)
        for one in (key_id, doomed):
            await keep_in_memory(far, one, server)
        assert len(server.running.cache) == 2
        await database.execute("UPDATE keys SET enabled = false WHERE key_id = $1", key_id)
        await seconds_until_refused(far, key_id)
        await near.enable_key_async(EnableKeyRequest(key_id=key_id))
        await until(lambda: len(server.running.cache) == 1)
        await database.execute("DELETE FROM keys WHERE key_id = $1", doomed)
        await seconds_until_refused(far, doomed)
        with pytest.raises(NotFoundException):
            await encrypt(far, doomed)
        await encrypt(far, key_id)
        await database.execute("TRUNCATE keys CASCADE")
        await until(lambda: len(server.running.cache) == 0)


async def test_a_server_whose_listener_is_cut_forgets_what_it_knew_and_listens_again(
    start_server: ServerFactory, database_url: str
) -> None:
    async with connected(database_url) as database:
        server = await start_server()
        await hears(server)
        cache = server.running.cache
        async with server.client() as client:
            key_id = await create_imported_key(client)
            await keep_in_memory(client, key_id, server)
            assert len(cache) == 1
            with capture_logs() as logs:
                await database.execute(CUT_LISTENERS)
                await until(lambda: not cache.is_usable)
                assert len(cache) == 0
                # Meanwhile every call reads the database, and nothing is kept.
                await encrypt(client, key_id)
                await hears(server)
            assert NOT_HEARD in {line["event"] for line in logs}
            await use_from_memory(client, key_id, cache)


async def test_a_server_behind_a_silent_network_stops_using_what_it_knew_when_its_lease_ends(
    start_server: ServerFactory, own_postgres: Callable[..., Awaitable[OwnPostgres]]
) -> None:
    own = await own_postgres()
    async with Relay.between(own.socket) as relay:
        near = await start_server(database_url=own.database_url)
        far = await start_server(database_url=own.url_through(relay.address), **QUICK)
        await hears(far)
        async with near.client() as at_near, far.client() as at_far:
            key_id = await create_imported_key(at_near)
            await keep_in_memory(at_far, key_id, far)
            # Every connection of `far` still looks alive; those that it opens from now on work.
            relay.silence_present()
            await disable(at_near, key_id)
            assert await seconds_until_refused(at_far, key_id) < LEASE_SECONDS
            await hears(far)
            # It may yet come upon connections to the database that are silent.
            assert await seconds_until_refused(at_far, key_id) == 0


async def test_behind_a_pooler_that_keeps_notifications_back_nothing_is_used_from_memory(
    start_server: ServerFactory, own_postgres: Callable[..., Awaitable[OwnPostgres]]
) -> None:
    own = await own_postgres()
    async with TransactionPooler.between(own.socket) as pooler:
        near = await start_server(database_url=own.database_url)
        far = await start_server(
            database_url=own.url_through(pooler.address),
            **QUICK | {"key_cache_lease_seconds": 1.0},
        )
        with capture_logs() as logs:
            async with near.client() as at_near, far.client() as at_far:
                key_id = await create_imported_key(at_near)
                await until(lambda: NOT_HEARD in {line["event"] for line in logs})
                assert pooler.kept_back
                await encrypt(at_far, key_id)
                await disable(at_near, key_id)
                with pytest.raises(DisabledException):
                    await encrypt(at_far, key_id)
        assert not far.running.cache.is_usable
        assert far.running.cache.hits == 0
        said = [line["event"] for line in logs]
        assert said.count(HEARS_NOBODY) == 1
        assert said.count(NOT_HEARD) == 1


@pytest.mark.parametrize("stale_seconds", [0, 3600])
async def test_while_postgres_is_stopped_keys_are_used_no_longer_than_the_setting_allows(
    start_server: ServerFactory,
    own_postgres: Callable[..., Awaitable[OwnPostgres]],
    stale_seconds: float,
) -> None:
    own = await own_postgres()
    server = await start_server(database_url=own.database_url, key_cache_stale_seconds=stale_seconds, **QUICK)
    await hears(server)
    cache = server.running.cache
    async with server.client() as client:
        key_id, other = await create_imported_key(client), await create_imported_key(client)
        await keep_in_memory(client, key_id, server)
        with capture_logs() as logs:
            await own.stop()
            await until(lambda: not cache.is_heard)
        assert NOT_HEARD in {line["event"] for line in logs}
        assert cache.is_usable == bool(stale_seconds)
        if stale_seconds:
            await encrypt(client, key_id)
        else:
            with pytest.raises(DependencyTimeoutException):
                await encrypt(client, key_id)
        # What was not in memory is asked of the database in either case, and not known without it.
        with pytest.raises(DependencyTimeoutException):
            await encrypt(client, other)


@pytest.mark.parametrize("stale_seconds", [0, 3600])
async def test_while_the_database_is_frozen_keys_are_used_no_longer_than_the_setting_allows(
    start_server: ServerFactory,
    own_postgres: Callable[..., Awaitable[OwnPostgres]],
    stale_seconds: float,
) -> None:
    own = await own_postgres()
    server = await start_server(database_url=own.database_url, key_cache_stale_seconds=stale_seconds, **QUICK)
    await hears(server)
    async with server.client() as client:
        key_id = await create_imported_key(client)
        await keep_in_memory(client, key_id, server)
        with capture_logs() as logs:
            own.freeze()
            await until(lambda: not server.running.cache.is_heard)
        assert NOT_HEARD in {line["event"] for line in logs}
        if stale_seconds:
            await encrypt(client, key_id)
        else:
            with pytest.raises(DependencyTimeoutException):
                await encrypt(client, key_id)
        own.thaw()
        await hears(server)
        await encrypt(client, key_id)
        assert await state_of(client, key_id) == "ENABLED"


@contextmanager
def deaf(server: TestServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have a server hear nothing for a while, as while a notification is on its way, and go on by what it has in memory."""
    with monkeypatch.context() as patched:
        patched.setattr(server.running.cache, "forget", lambda _: None)
        yield
    server.running.cache.forget_all()


async def test_what_another_server_made_usable_is_usable_at_once(
    start_server: ServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with near_and_far(start_server) as (near, far, far_server):
        key_id = await create_external_key(near)
        await everything_is_heard(far_server)
        request = import_request(key_id, await get_parameters(far, key_id))
        assert far_server.running.cache.places(key_id)
        with deaf(far_server, monkeypatch):
            await near.import_key_material_async(request)
            blob = await encrypt(far, key_id)

        await disable(near, key_id)
        await everything_is_heard(far_server)
        with pytest.raises(DisabledException):
            await encrypt(far, key_id)
        with deaf(far_server, monkeypatch):
            await near.enable_key_async(EnableKeyRequest(key_id=key_id))
            assert await decrypt(far, blob)
            await get_parameters(far, key_id)


async def test_what_another_server_rotated_to_is_known_at_once(
    start_server: ServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with near_and_far(start_server) as (near, far, far_server):
        created = await near.create_key_async(CreateKeyRequest())
        key_id = created.key_metadata.key_id
        await keep_in_memory(far, key_id, far_server)
        with deaf(far_server, monkeypatch):
            await near.rotate_key_on_demand_async(RotateKeyOnDemandRequest(key_id=key_id))
            assert await decrypt(far, await encrypt(near, key_id))


async def test_a_right_that_was_given_on_another_server_is_there_at_once(
    start_server: ServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    near_server, far_server = await start_server(), await start_server()
    await hears(far_server)
    async with near_server.client() as near, far_server.client() as far:
        key_id = await create_imported_key(near)
        await keep_in_memory(far, key_id, far_server)
        caller = await somebody(far_server, user("newcomer"))
        # By the key's name, by that in a ciphertext, and about no key at all.
        requests = (
            EncryptRequest(key_id=key_id, plaintext=b"-"),
            DecryptRequest(ciphertext_blob=await encrypt(near, key_id)),
            GenerateRandomRequest(number_of_bytes=1),
        )
        await everything_is_heard(far_server)
        for request in requests:
            with pytest.raises(domain.AccessDeniedException):
                await caller.send(request)
        with deaf(far_server, monkeypatch):
            near_principals = PrincipalStore(near_server.running.database)
            random = IdentityPolicy("random", policy(permit("kms:GenerateRandom")), far_server.clock.now())
            await near_principals.attach(user("newcomer"), random)
            await near.create_grant_async(
                CreateGrantRequest(
                    key_id=key_id,
                    grantee_principal=user("newcomer"),
                    operations=[format_enum(one) for one in (GrantOperation.ENCRYPT, GrantOperation.DECRYPT)],
                )
            )
            for request in requests:
                await caller.send(request)
