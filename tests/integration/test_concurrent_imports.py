"""Imports at the same time as other changes to the same key, over two servers on one database.

Whatever runs at once ends as if it had run one after the other, in one order or the other.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from functools import partial
from typing import Any

import asyncpg
import pytest
from fixtures.server import ServerFactory
from rows import connected, rows_of
from steps import (
    MATERIAL,
    create_external_key,
    create_imported_key,
    get_parameters,
    import_request,
    state_of,
)

from keyferry.v1 import (
    DecryptRequest,
    DeleteImportedKeyMaterialRequest,
    DisableKeyRequest,
    EncryptRequest,
    ImportKeyMaterialRequest,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    IncorrectKeyMaterialException,
    InvalidImportTokenException,
    KeyferryError,
    KMSInvalidStateException,
)

DUELS = 100
RACES = 30
OTHER_MATERIAL = bytes(reversed(MATERIAL))

Client = KeyManagementServiceClient


@pytest.fixture
async def clients(start_server: ServerFactory) -> AsyncIterator[tuple[Client, Client]]:
    one = await start_server()
    other = await start_server(clock=one.clock)
    async with one.client() as to_one, other.client() as to_other:
        yield to_one, to_other


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    async with connected(database_url) as connection:
        yield connection


async def gathered(prepared: Iterable[Awaitable[Any]], at_once: int = 8) -> list[Any]:
    """Await all, some at a time: each makes an RSA key pair, and there are not that many cores."""
    gate = asyncio.Semaphore(at_once)

    async def through(one: Awaitable[Any]) -> Any:
        async with gate:
            return await one

    return await asyncio.gather(*map(through, prepared))


async def imports_of_two_materials(client: Client) -> tuple[str, tuple[ImportKeyMaterialRequest, ...]]:
    """Create a key; return it and one import each of two different materials."""
    key_id = await create_external_key(client)
    one, other = [
        import_request(key_id, await get_parameters(client, key_id), material)
        for material in (MATERIAL, OTHER_MATERIAL)
    ]
    return key_id, (one, other)


async def test_of_two_imports_of_different_material_exactly_one_wins(
    clients: tuple[Client, Client], database: asyncpg.Connection
) -> None:
    prepared = await gathered(imports_of_two_materials(clients[0]) for _ in range(DUELS))
    wins: Counter[int] = Counter()

    for number, (key_id, requests) in enumerate(prepared):
        # Each in turn is sent first, each to either server.
        order = (0, 1) if number % 2 else (1, 0)
        answers: dict[int, Any] = dict(
            zip(
                order,
                await asyncio.gather(
                    *(
                        client.import_key_material_async(requests[which])
                        for client, which in zip(clients, order, strict=True)
                    ),
                    return_exceptions=True,
                ),
                strict=True,
            )
        )

        (winner,) = (which for which in order if not isinstance(answers[which], BaseException))
        wins[winner] += 1
        assert isinstance(answers[1 - winner], IncorrectKeyMaterialException)
        rows = await rows_of(database, key_id)
        assert rows.is_imported
        assert rows.materials[0]["key_material_id"] == answers[winner].key_material_id
        # The loser's token is as good as before, but not for its material.
        with pytest.raises(IncorrectKeyMaterialException):
            await clients[0].import_key_material_async(requests[1 - winner])
        await check_material(clients, key_id, requests[winner], (MATERIAL, OTHER_MATERIAL)[winner])

    assert wins.total() == DUELS


async def check_material(
    clients: tuple[Client, Client], key_id: str, spent: ImportKeyMaterialRequest, material: bytes
) -> None:
    """Check that the key works, on both servers, and that `material` is what it holds."""
    plaintext = key_id.encode()
    blob = (
        await clients[0].encrypt_async(EncryptRequest(key_id=key_id, plaintext=plaintext))
    ).ciphertext_blob
    assert (await clients[1].decrypt_async(DecryptRequest(ciphertext_blob=blob))).plaintext == plaintext
    # The identical request is answered only while what it imported is there.
    await clients[1].import_key_material_async(spent)


async def test_the_material_of_the_winner_is_the_one_that_can_be_imported_again(
    clients: tuple[Client, Client],
) -> None:
    for _ in range(5):
        key_id, requests = await imports_of_two_materials(clients[0])
        answers = await asyncio.gather(
            *(
                client.import_key_material_async(request)
                for client, request in zip(clients, requests, strict=True)
            ),
            return_exceptions=True,
        )
        winner = next(which for which in (0, 1) if not isinstance(answers[which], BaseException))
        materials = (MATERIAL, OTHER_MATERIAL)
        blob = (
            await clients[0].encrypt_async(EncryptRequest(key_id=key_id, plaintext=b"kept"))
        ).ciphertext_blob
        await clients[0].delete_imported_key_material_async(DeleteImportedKeyMaterialRequest(key_id=key_id))
        parameters = await get_parameters(clients[1], key_id)

        with pytest.raises(IncorrectKeyMaterialException):
            await clients[1].import_key_material_async(
                import_request(key_id, parameters, materials[1 - winner])
            )
        await clients[1].import_key_material_async(import_request(key_id, parameters, materials[winner]))

        assert (await clients[0].decrypt_async(DecryptRequest(ciphertext_blob=blob))).plaintext == b"kept"


async def test_of_two_imports_with_one_token_exactly_one_wins(
    clients: tuple[Client, Client], database: asyncpg.Connection
) -> None:
    async def prepare() -> tuple[str, list[ImportKeyMaterialRequest]]:
        key_id = await create_external_key(clients[0])
        parameters = await get_parameters(clients[0], key_id)
        # The same material, wrapped twice: only the token stands between the two.
        return key_id, [import_request(key_id, parameters) for _ in clients]

    for key_id, requests in await gathered(prepare() for _ in range(RACES)):
        answers = await asyncio.gather(
            *(
                client.import_key_material_async(request)
                for client, request in zip(clients, requests, strict=True)
            ),
            return_exceptions=True,
        )

        (refused,) = (answer for answer in answers if isinstance(answer, BaseException))
        assert isinstance(refused, InvalidImportTokenException)
        assert (await rows_of(database, key_id)).is_imported


async def race(
    importing: Callable[[], Awaitable[Any]], other: Callable[[], Awaitable[Any]], *, other_first: bool
) -> tuple[Any, Any]:
    """Run both at once, alternately started first; return both outcomes."""
    pair = (other, importing) if other_first else (importing, other)
    outcomes = await asyncio.gather(*(start() for start in pair), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, KeyferryError):
            raise outcome
    return (outcomes[1], outcomes[0]) if other_first else (outcomes[0], outcomes[1])


@pytest.mark.parametrize("kind", ["first import", "reimport"])
async def test_an_import_racing_the_deletion_comes_before_or_after_it(
    clients: tuple[Client, Client], database: asyncpg.Connection, kind: str
) -> None:
    create = create_imported_key if kind == "reimport" else create_external_key

    async def prepare() -> ImportKeyMaterialRequest:
        key_id = await create(clients[0])
        return import_request(key_id, await get_parameters(clients[0], key_id))

    for number, request in enumerate(await gathered(prepare() for _ in range(RACES))):
        imported, deleted = await race(
            partial(clients[0].import_key_material_async, request),
            partial(
                clients[1].delete_imported_key_material_async,
                DeleteImportedKeyMaterialRequest(key_id=request.key_id),
            ),
            other_first=number % 2 == 0,
        )

        assert not isinstance(imported, KeyferryError)
        assert not isinstance(deleted, KeyferryError)
        rows = await rows_of(database, request.key_id)
        (material,) = rows.materials
        assert material["key_material_id"] == imported.key_material_id
        assert {token["key_material_id"] for token in rows.tokens} == {imported.key_material_id}
        is_there = material["sealed"] is not None
        assert await state_of(clients[0], request.key_id) == ("ENABLED" if is_there else "PENDING_IMPORT")
        if kind == "first import":
            # What the deletion found tells which order it was.
            assert bool(deleted.key_material_id) == (not is_there)


async def test_a_first_import_racing_the_switch_off_comes_before_or_after_it(
    clients: tuple[Client, Client], database: asyncpg.Connection
) -> None:
    async def prepare() -> ImportKeyMaterialRequest:
        key_id = await create_external_key(clients[0])
        return import_request(key_id, await get_parameters(clients[0], key_id))

    for number, request in enumerate(await gathered(prepare() for _ in range(RACES))):
        imported, disabled = await race(
            partial(clients[0].import_key_material_async, request),
            partial(clients[1].disable_key_async, DisableKeyRequest(key_id=request.key_id)),
            other_first=number % 2 == 0,
        )

        assert not isinstance(imported, KeyferryError)
        state = await state_of(clients[0], request.key_id)
        if isinstance(disabled, KeyferryError):
            assert isinstance(disabled, KMSInvalidStateException)
            assert state == "ENABLED"
        else:
            assert state == "DISABLED"


async def test_a_reimport_racing_the_switch_off_leaves_the_key_off(
    clients: tuple[Client, Client],
) -> None:
    async def prepare() -> ImportKeyMaterialRequest:
        key_id = await create_imported_key(clients[0])
        return import_request(key_id, await get_parameters(clients[0], key_id))

    for number, request in enumerate(await gathered(prepare() for _ in range(RACES))):
        imported, disabled = await race(
            partial(clients[0].import_key_material_async, request),
            partial(clients[1].disable_key_async, DisableKeyRequest(key_id=request.key_id)),
            other_first=number % 2 == 0,
        )

        assert not isinstance(imported, KeyferryError)
        assert not isinstance(disabled, KeyferryError)
        assert await state_of(clients[0], request.key_id) == "DISABLED"
