"""How long a refusal takes tells nobody whether a key or an alias of another account exists, in memory or not.

What it takes is counted in statements to the database: everything else is too quick to
be seen beside them.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from direct_calls import Somebody, somebody
from fixtures.server import ServerFactory, TestServer
from google.protobuf.message import Message
from integration.test_cached_keys import hears
from policies import ROOT, allow, forbid, permit, policy, user
from sqlalchemy import event
from steps import create_imported_key, encrypt, name

from keyferry.v1 import DecryptRequest, EncryptRequest, PutKeyPolicyRequest, ReEncryptRequest
from keyferry_client import KeyManagementServiceClient
from keyferry_server.domain.errors import AccessDeniedException
from keyferry_server.domain.identifiers import generate_key_id

OTHER = "111111111111"
OTHER_ROOT = f"arn:aws:iam::{OTHER}:root"
KEY, ALIAS = "arn:aws:kms:us-east-1:000000000000:key/", "arn:aws:kms:us-east-1:000000000000:alias/"
USE = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*")

Caller = Callable[[TestServer], Awaitable[Somebody]]


@dataclass
class Statements:
    """What is asked of a server's database, in its order."""

    said: list[str] = field(default_factory=list)

    async def of(self, call: Awaitable[object]) -> list[str]:
        """Return the statements that a call takes, sorted."""
        self.said.clear()
        await call
        return sorted(self.said)


def statements_of(server: TestServer) -> Statements:
    counted = Statements()
    engine = server.running.database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *arguments: counted.said.append(arguments[2]))
    return counted


async def is_refused(caller: Somebody, request: Message) -> None:
    with pytest.raises(AccessDeniedException):
        await caller.send(request)


def renamed(blob: bytes, key_id: str, other: str) -> bytes:
    """Return a ciphertext that names another key."""
    raw, other_raw = (bytes.fromhex(one.replace("-", "")) for one in (key_id, other))
    assert raw in blob
    return blob.replace(raw, other_raw)


async def root(server: TestServer) -> Somebody:
    return await somebody(server, OTHER_ROOT)


async def permitted_user(server: TestServer) -> Somebody:
    return await somebody(server, user("permitted", OTHER), policy(permit("kms:*")))


async def forbidden_user(server: TestServer) -> Somebody:
    return await somebody(server, user("forbidden", OTHER), policy(forbid("kms:*")))


async def stranger(server: TestServer) -> Somebody:
    return Somebody(server, user("stranger", OTHER))


CALLERS: tuple[Caller, ...] = (root, permitted_user, forbidden_user, stranger)


async def key_in_memory(server: TestServer, client: KeyManagementServiceClient) -> tuple[str, bytes]:
    """Return a key that its own account has just used, by its key ID and by its alias, and a ciphertext of it."""
    key_id = await create_imported_key(client)
    await name(client, "alias/payroll", key_id)
    cache = server.running.cache
    blob, hits = await encrypt(client, key_id), cache.hits
    while cache.hits < hits + 2:
        await encrypt(client, "alias/payroll")
        await encrypt(client, key_id)
    return key_id, blob


@pytest.mark.parametrize("caller", CALLERS)
async def test_a_refusal_takes_the_same_statements_whether_or_not_what_is_named_exists(
    start_server: ServerFactory, caller: Caller
) -> None:
    server = await start_server()
    await hears(server)
    by = await caller(server)
    statements = statements_of(server)
    async with server.client() as client:
        key_id, blob = await key_in_memory(server, client)
    unknown = generate_key_id()
    unknown_blob = renamed(blob, key_id, unknown)
    both: dict[str, tuple[Message, Message]] = {
        "key ARN": (
            EncryptRequest(key_id=KEY + key_id, plaintext=b"x"),
            EncryptRequest(key_id=KEY + unknown, plaintext=b"x"),
        ),
        "alias ARN": (
            EncryptRequest(key_id=f"{ALIAS}payroll", plaintext=b"x"),
            EncryptRequest(key_id=f"{ALIAS}nothing", plaintext=b"x"),
        ),
        "ciphertext": (DecryptRequest(ciphertext_blob=blob), DecryptRequest(ciphertext_blob=unknown_blob)),
        "destination": (
            ReEncryptRequest(ciphertext_blob=blob, destination_key_id=f"{ALIAS}payroll"),
            ReEncryptRequest(ciphertext_blob=blob, destination_key_id=f"{ALIAS}nothing"),
        ),
    }
    for kind, (of_known, of_unknown) in both.items():
        # The second time, too: nothing of the first refusal is kept.
        for _ in range(2):
            known = await statements.of(is_refused(by, of_known))
            assert known == await statements.of(is_refused(by, of_unknown)), kind
            assert known, kind


async def test_a_key_of_another_account_comes_from_memory_for_whom_it_was_opened_and_for_nobody_else(
    start_server: ServerFactory,
) -> None:
    server = await start_server()
    await hears(server)
    user_arn, other_user = user("opened", OTHER), user("refused", OTHER)
    opened = await somebody(server, user_arn, policy(permit("kms:*")))
    refused = await somebody(server, other_user, policy(permit("kms:*")))
    statements = statements_of(server)
    async with server.client() as client:
        key_id, blob = await key_in_memory(server, client)
        open_to_one = policy(allow(ROOT), allow(user_arn, list(USE)))
        await client.put_key_policy_async(PutKeyPolicyRequest(key_id=key_id, policy=open_to_one))
    for request, of_unknown in (
        (
            EncryptRequest(key_id=KEY + key_id, plaintext=b"x"),
            EncryptRequest(key_id=KEY + generate_key_id(), plaintext=b"x"),
        ),
        (
            EncryptRequest(key_id=f"{ALIAS}payroll", plaintext=b"x"),
            EncryptRequest(key_id=f"{ALIAS}nothing", plaintext=b"x"),
        ),
        (
            DecryptRequest(ciphertext_blob=blob),
            DecryptRequest(ciphertext_blob=renamed(blob, key_id, generate_key_id())),
        ),
    ):
        # What is read while a change is heard is not kept.
        while await statements.of(opened.send(request)):
            pass
        assert await statements.of(is_refused(refused, request)) == await statements.of(
            is_refused(refused, of_unknown)
        )

    # Refused now, it is so by what the database says, and then as if it had never been opened.
    await opened.detach("policy-0")
    request = EncryptRequest(key_id=KEY + key_id, plaintext=b"x")
    await is_refused(opened, request)
    assert await statements.of(is_refused(opened, request)) == await statements.of(
        is_refused(opened, EncryptRequest(key_id=KEY + generate_key_id(), plaintext=b"x"))
    )
