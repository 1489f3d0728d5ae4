"""Aliases: which names there can be, what they name, how they are pointed elsewhere, when they end."""

import asyncio
import itertools
import json
from datetime import UTC, timedelta

from contract.beneath import change, give_away, schedule_deletion, select
from contract.conftest import Refused
from contract.operations import send
from fixtures.server import TestServer
from sqlalchemy import event
from steps import (
    MATERIAL,
    create_external_key,
    create_imported_key,
    decrypt,
    delete_material,
    describe,
    disable,
    encrypt,
    import_material,
    name,
)

from keyferry.v1 import (
    AliasListEntry,
    CreateAliasRequest,
    DeleteAliasRequest,
    ListAliasesRequest,
    UpdateAliasRequest,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    AlreadyExistsException,
    InvalidAliasNameException,
    KMSInvalidStateException,
    LimitExceededException,
    NotAuthorizedException,
    NotFoundException,
    ServiceError,
    ValidationException,
)

ARN = "arn:aws:kms:us-east-1:000000000000:"
OTHER_MATERIAL = bytes(32)

NO_ALIAS_NAMES: list[tuple[str, type[ServiceError], str]] = [
    (
        "payroll",
        ValidationException,
        (
            'Alias must start with the prefix "alias/". Please see '
            "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
        ),
    ),
    ("Alias/payroll", ValidationException, 'Alias must start with the prefix "alias/".'),
    ("alias/aws/s3", NotAuthorizedException, 'begin with "alias/aws/" are reserved'),
    ("alias/", InvalidAliasNameException, "at least one character"),
    ("alias/pay:roll", ValidationException, "alias/pay:roll contains invalid characters for an alias"),
    ("alias/pay roll", ValidationException, "satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$"),
    ("alias/payroll\n", ValidationException, "satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$"),
    ("alias/" + "x" * 251, ValidationException, "Member must have length less than or equal to 256"),
]


async def point(client: KeyManagementServiceClient, alias_name: str, key_id: str) -> None:
    await client.update_alias_async(UpdateAliasRequest(alias_name=alias_name, target_key_id=key_id))


async def delete(client: KeyManagementServiceClient, alias_name: str) -> None:
    await client.delete_alias_async(DeleteAliasRequest(alias_name=alias_name))


async def listed(
    client: KeyManagementServiceClient, key_id: str | None = None, limit: int | None = None
) -> list[list[AliasListEntry]]:
    """List all aliases, or those of one key, page by page."""
    found, marker = [], None
    for _ in range(200):
        request = ListAliasesRequest(key_id=key_id, limit=limit, marker=marker)
        response = await client.list_aliases_async(request)
        found.append(list(response.aliases))
        assert response.truncated == response.HasField("next_marker")
        if not response.truncated:
            return found
        marker = response.next_marker
    raise AssertionError("the listing does not end")


async def names(client: KeyManagementServiceClient, key_id: str | None = None) -> list[str]:
    return [alias.alias_name for page in await listed(client, key_id) for alias in page]


async def test_an_alias_names_its_key_until_it_is_deleted(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_imported_key(client)
    await name(client, "alias/payroll", key_id)
    ciphertext = await encrypt(client, "alias/payroll")

    (entry,) = (await listed(client))[0]
    now = server.clock.now()
    assert entry == AliasListEntry(
        alias_name="alias/payroll",
        alias_arn=f"{ARN}alias/payroll",
        target_key_id=key_id,
        creation_date=now,
        last_updated_date=now,
    )

    await delete(client, "alias/payroll")
    error = await refused(NotFoundException, encrypt(client, "alias/payroll"))
    assert error.message == f"Alias {ARN}alias/payroll is not found."
    assert await decrypt(client, ciphertext) == b"plaintext"


async def test_a_key_has_several_names_and_a_name_one_key(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    one, other = await create_external_key(client), await create_external_key(client)
    for alias_name in ("alias/a", "alias/A", "alias/a/b_c-9", "alias/awsome", "alias/" + "x" * 250):
        await name(client, alias_name, one)
        assert (await describe(client, alias_name)).key_id == one

    for key_id in (one, other):
        error = await refused(AlreadyExistsException, name(client, "alias/a", key_id))
        assert error.message == f"An alias with the name {ARN}alias/a already exists"


async def test_a_text_that_is_no_alias_name_is_refused_by_every_operation_on_aliases(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    for alias_name, exception, words in NO_ALIAS_NAMES:
        for request in (
            CreateAliasRequest(alias_name=alias_name, target_key_id=key_id),
            UpdateAliasRequest(alias_name=alias_name, target_key_id=key_id),
            DeleteAliasRequest(alias_name=alias_name),
        ):
            assert words in (await refused(exception, send(client, request))).message


async def test_an_alias_that_is_not_there_is_neither_pointed_elsewhere_nor_deleted(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    for call in (point(client, "alias/payroll", key_id), delete(client, "alias/payroll")):
        error = await refused(NotFoundException, call)
        assert error.message == f"Alias {ARN}alias/payroll is not found."


async def test_an_alias_that_is_pointed_elsewhere_encrypts_there_and_leaves_old_ciphertexts_alone(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    old, new = await create_imported_key(client), await create_imported_key(client, OTHER_MATERIAL)
    await name(client, "alias/payroll", old)
    created = server.clock.now()
    before = await encrypt(client, "alias/payroll")
    server.clock.advance(timedelta(hours=1))

    await point(client, "alias/payroll", f"{ARN}key/{new}")

    assert (await describe(client, "alias/payroll")).key_id == new
    assert await decrypt(client, before) == b"plaintext"
    assert await decrypt(client, await encrypt(client, "alias/payroll"), key_id=new) == b"plaintext"
    (entry,) = (await listed(client))[0]
    assert entry.target_key_id == new
    assert entry.creation_date.ToDatetime(UTC) == created
    assert entry.last_updated_date.ToDatetime(UTC) == server.clock.now()


async def test_aliases_are_changed_in_every_key_state_of_the_table_and_a_key_pending_deletion_gets_none(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id, leaving = await create_external_key(client), await create_external_key(client)
    arn = (await describe(client, leaving)).arn
    for number, into_state in enumerate((delete_material, import_material, disable)):
        await into_state(client, key_id)
        await name(client, f"alias/made-{number}", key_id)
        await point(client, f"alias/made-{number}", key_id)
        await delete(client, f"alias/made-{number}")
    await name(client, "alias/stays", key_id)
    for alias_name in ("alias/leaving", "alias/saved"):
        await name(client, alias_name, leaving)
    await schedule_deletion(server, leaving)

    for call in (
        name(client, "alias/new", leaving),
        point(client, "alias/stays", leaving),
        point(client, "alias/leaving", leaving),
    ):
        error = await refused(KMSInvalidStateException, call)
        assert error.message == f"{arn} is pending deletion."

    await point(client, "alias/saved", key_id)
    await delete(client, "alias/leaving")
    assert await names(client) == ["alias/saved", "alias/stays"]


async def test_a_key_has_at_most_50_aliases_however_they_come(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    full, other = await create_external_key(client), await create_external_key(client)
    results = await asyncio.gather(
        *(name(client, f"alias/{number}", full) for number in range(55)), return_exceptions=True
    )
    assert [type(one) for one in results if one is not None] == [LimitExceededException] * 5
    assert len(await names(client, full)) == 50

    await name(client, "alias/other", other)
    error = await refused(LimitExceededException, name(client, "alias/one-more", full))
    assert "at most 50" in error.message
    await refused(LimitExceededException, point(client, "alias/other", full))
    taken = (await names(client, full))[0]
    await refused(AlreadyExistsException, name(client, taken, full))
    await point(client, taken, full)

    await delete(client, taken)
    await point(client, "alias/other", full)
    assert "alias/other" in await names(client, full)


async def test_of_several_who_want_one_name_one_gets_it(client: KeyManagementServiceClient) -> None:
    keys = [await create_external_key(client) for _ in range(6)]
    results = await asyncio.gather(
        *(name(client, "alias/payroll", key_id) for key_id in keys), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in results) == ["AlreadyExistsException"] * 5 + ["NoneType"]
    assert (await describe(client, "alias/payroll")).key_id == keys[results.index(None)]


async def test_aliases_that_are_pointed_across_each_other_do_not_block_each_other(
    client: KeyManagementServiceClient,
) -> None:
    one, other = await create_external_key(client), await create_external_key(client)
    await name(client, "alias/one", one)
    await name(client, "alias/other", other)
    for _ in range(10):
        await asyncio.gather(
            point(client, "alias/one", other),
            point(client, "alias/other", one),
            point(client, "alias/one", one),
            point(client, "alias/other", other),
        )
    assert await names(client) == ["alias/one", "alias/other"]


async def test_aliases_are_listed_once_each_in_the_order_of_their_names(
    client: KeyManagementServiceClient,
) -> None:
    one, other = await create_external_key(client), await create_external_key(client)
    assert await listed(client) == [[]]
    created = ["alias/B", "alias/a", "alias/a-1", "alias/a/b", "alias/a_1", "alias/b", "alias/1"]
    for number, alias_name in enumerate(created):
        await name(client, alias_name, (one, other)[number % 2])

    for limit in (None, 1, 2, 6, 7, 100):
        found = await listed(client, limit=limit)
        assert [alias.alias_name for page in found for alias in page] == sorted(created)
        assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)
    for identifier in (one, f"{ARN}key/{one}"):
        found = await listed(client, identifier, limit=1)
        assert [alias.alias_name for page in found for alias in page] == sorted(created[::2])
        assert {alias.target_key_id for page in found for alias in page} == {one}


async def test_without_a_limit_a_page_has_50_aliases(client: KeyManagementServiceClient) -> None:
    for _ in range(2):
        key_id = await create_external_key(client)
        await asyncio.gather(*(name(client, f"alias/{key_id}/{n}", key_id) for n in range(26)))

    assert [len(page) for page in await listed(client)] == [50, 2]


async def test_a_listing_holds_the_aliases_of_the_account_and_region_only(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    places = itertools.product(("000000000000", "111111111111"), ("us-east-1", "eu-central-1"))
    for number, (account, region) in enumerate(places):
        key_id = await create_external_key(client)
        place = {"account": account, "region": region, "key_id": key_id}
        await change(
            server,
            "UPDATE keys SET account_id = :account, region = :region WHERE key_id = :key_id",
            **place,
        )
        await change(
            server,
            "INSERT INTO aliases (account_id, region, alias_name, key_id, created_at, updated_at) "
            "VALUES (:account, :region, :name, :key_id, now(), now())",
            **place,
            name=f"alias/{number}",
        )
    assert await names(client) == ["alias/0"]


async def test_an_alias_costs_no_more_statements_than_a_key_id(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_imported_key(client)
    await name(client, "alias/payroll", key_id)
    statements: list[str] = []
    engine = server.running.database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))

    await encrypt(client, key_id)
    by_key_id = len(statements)
    await encrypt(client, "alias/payroll")

    assert (by_key_id, len(statements)) == (1, 2)
    assert "JOIN aliases" in statements[1]


async def test_the_audit_log_names_the_alias_and_the_key(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id, other = await create_imported_key(client), await create_imported_key(client)
    alias, key, other_key = (f"{ARN}{name}" for name in ("alias/payroll", f"key/{key_id}", f"key/{other}"))
    await name(client, "alias/payroll", key_id)
    await encrypt(client, "alias/payroll")
    await point(client, "alias/payroll", other)
    await delete(client, "alias/payroll")
    await refused(NotFoundException, encrypt(client, "alias/payroll"))

    await server.running.audit_log.write_if_possible()
    rows = await select(server, "SELECT event FROM audit_records")
    events = [json.loads(row.event) for row in rows]
    resources = {
        (event["eventName"], event.get("errorCode")): {one["ARN"]: one["type"] for one in event["resources"]}
        for event in events
    }
    is_alias, is_key = {alias: "AWS::KMS::Alias"}, {key: "AWS::KMS::Key"}
    is_other_key = {other_key: "AWS::KMS::Key"}
    assert resources["CreateAlias", None] == is_alias | is_key
    assert resources["Encrypt", None] == is_alias | is_key
    assert resources["UpdateAlias", None] == is_alias | is_key | is_other_key
    assert resources["DeleteAlias", None] == is_alias | is_other_key
    assert resources["Encrypt", "NotFoundException"] == is_alias
    (created,) = (event for event in events if event["eventName"] == "CreateAlias")
    assert created["requestParameters"] == {"aliasName": "alias/payroll", "targetKeyId": key_id}


async def test_an_alias_is_of_no_use_for_a_key_that_belongs_to_another_account(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_imported_key(client)
    await name(client, "alias/payroll", key_id)
    await give_away(server, key_id)

    await refused(NotFoundException, encrypt(client, "alias/payroll"))
    await refused(NotFoundException, delete(client, "alias/payroll"))


async def test_an_alias_ends_with_its_key_and_its_name_is_free_again(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id, next_key = await create_imported_key(client, MATERIAL), await create_external_key(client)
    await name(client, "alias/payroll", key_id)
    await schedule_deletion(server, key_id)
    assert await names(client) == ["alias/payroll"]

    assert await server.running.reaper.reap() == 1

    await refused(NotFoundException, describe(client, "alias/payroll"))
    assert await select(server, "SELECT * FROM aliases") == []
    await name(client, "alias/payroll", next_key)
    assert (await describe(client, "alias/payroll")).key_id == next_key
