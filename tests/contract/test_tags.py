"""Tags and descriptions: what a key can be told to be, by whom it is read, when it ends."""

import asyncio

from contract.beneath import schedule_deletion, select
from contract.conftest import Refused
from contract.operations import send
from fixtures.server import TestServer
from google.protobuf.message import Message
from steps import create_external_key, describe

from keyferry.v1 import (
    CreateKeyRequest,
    ListResourceTagsRequest,
    Tag,
    TagResourceRequest,
    UntagResourceRequest,
    UpdateKeyDescriptionRequest,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import KMSInvalidStateException, ServiceError, TagException, ValidationException

BROKEN = "failed to satisfy constraint: Member must"


def as_tags(tags: dict[str, str]) -> list[Tag]:
    return [Tag(tag_key=key, tag_value=value) for key, value in tags.items()]


async def tag(client: KeyManagementServiceClient, key_id: str, tags: dict[str, str]) -> None:
    await client.tag_resource_async(TagResourceRequest(key_id=key_id, tags=as_tags(tags)))


async def pages(
    client: KeyManagementServiceClient, key_id: str, limit: int | None = None
) -> list[dict[str, str]]:
    """List all tags of a key, page by page."""
    found, marker = [], None
    for _ in range(60):
        request = ListResourceTagsRequest(key_id=key_id, limit=limit, marker=marker)
        response = await client.list_resource_tags_async(request)
        found.append({one.tag_key: one.tag_value for one in response.tags})
        assert response.truncated == response.HasField("next_marker")
        if not response.truncated:
            return found
        marker = response.next_marker
    raise AssertionError("the listing does not end")


async def tags_of(client: KeyManagementServiceClient, key_id: str) -> dict[str, str]:
    (page,) = await pages(client, key_id)
    return page


async def create_tagged_key(client: KeyManagementServiceClient, tags: list[Tag]) -> str:
    return (await client.create_key_async(CreateKeyRequest(tags=tags))).key_metadata.key_id


async def test_a_key_is_created_with_its_tags(client: KeyManagementServiceClient) -> None:
    key_id = await create_tagged_key(client, as_tags({"team": "payroll", "stage": ""}))

    assert await tags_of(client, key_id) == {"team": "payroll", "stage": ""}
    assert await tags_of(client, await create_external_key(client)) == {}


async def test_tags_are_added_replaced_and_taken_off(client: KeyManagementServiceClient) -> None:
    key_id, other = await create_external_key(client), await create_external_key(client)
    arn = (await describe(client, key_id)).arn

    await tag(client, key_id, {"tag1": "value1", "tag2": "value2", "Tag1": ""})
    await tag(client, arn, {"tag2": "another value", "tag3": "value3"})
    assert await tags_of(client, arn) == {
        "tag1": "value1",
        "tag2": "another value",
        "Tag1": "",
        "tag3": "value3",
    }

    untag = UntagResourceRequest(key_id=key_id, tag_keys=["tag1", "tag3", "TAG2", "never there", "tag1"])
    for _ in range(2):
        await client.untag_resource_async(untag)
        assert await tags_of(client, key_id) == {"tag2": "another value", "Tag1": ""}
    assert await tags_of(client, other) == {}


async def test_tags_that_break_a_rule_are_refused_in_awss_words(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    broken: list[tuple[list[Tag], str]] = [
        (as_tags({"aws:team": "payroll"}), "Tags beginning with aws: are reserved"),
        (as_tags({"fine": "", "AWS:team": "payroll"}), "Tags beginning with aws: are reserved"),
        ([*as_tags({"a": "1"}), *as_tags({"a": "2"})], "Duplicate tag keys"),
        (as_tags({str(number): "" for number in range(51)}), "Too many tags"),
    ]
    for tags, message in broken:
        error = await refused(TagException, create_tagged_key(client, tags))
        assert error.message == message
        request = TagResourceRequest(key_id=key_id, tags=tags)
        assert (await refused(TagException, send(client, request))).message == message
    untag = UntagResourceRequest(key_id=key_id, tag_keys=["fine", "Aws:team"])
    await refused(TagException, send(client, untag))
    await tag(client, key_id, {"aws": "", "team:aws:": ""})


async def test_every_broken_member_of_every_tag_is_named_in_one_exception(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    tags = [
        Tag(tag_key="right", tag_value=""),
        Tag(tag_key="k" * 129, tag_value="v" * 257),
        Tag(tag_key=""),
        Tag(tag_value="a\0b"),
    ]
    long_key, long_value = "k" * 100, "v" * 100
    expected = {
        "tags.2.member.tagKey": f"Value '{long_key}...' at '{{}}' {BROKEN} have length less than or equal to 128",
        "tags.2.member.tagValue": f"Value '{long_value}...' at '{{}}' {BROKEN} have length less than or equal to 256",
        "tags.3.member.tagKey": f"Value '' at '{{}}' {BROKEN} have length greater than or equal to 1",
        "tags.3.member.tagValue": f"Value null at '{{}}' {BROKEN} not be null",
        "tags.4.member.tagKey": f"Value null at '{{}}' {BROKEN} not be null",
        "tags.4.member.tagValue": f"Value 'a\0b' at '{{}}' {BROKEN} not contain the character U+0000",
    }
    descriptions = [description.format(member) for member, description in expected.items()]
    requests: list[Message] = [CreateKeyRequest(tags=tags), TagResourceRequest(key_id=key_id, tags=tags)]
    for request in requests:
        error = await refused(ValidationException, send(client, request))

        assert [violation.field for violation in error.violations] == list(expected)
        assert [violation.description for violation in error.violations] == descriptions
        assert error.message == f"6 validation errors detected: {'; '.join(descriptions)}"


async def test_broken_tag_keys_are_named_by_their_list_with_all_that_is_asked_of_one(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    request = UntagResourceRequest(key_id=key_id, tag_keys=["right", ""])

    error = await refused(ValidationException, send(client, request))

    assert [violation.field for violation in error.violations] == ["tagKeys"]
    assert error.message == (
        f"1 validation error detected: Value '[right, ]' at 'tagKeys' {BROKEN} satisfy constraint: "
        "[Member must have length less than or equal to 128, Member must have length greater than or equal to 1]"
    )
    nul = UntagResourceRequest(key_id=key_id, tag_keys=["a\0b"])
    error = await refused(ValidationException, send(client, nul))
    assert error.message.endswith(f"at 'tagKeys' {BROKEN} not contain the character U+0000")


async def test_a_key_has_at_most_50_tags_however_they_come(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_tagged_key(client, as_tags({str(number): "" for number in range(45)}))
    results = await asyncio.gather(
        *(tag(client, key_id, {str(number): ""}) for number in range(45, 55)), return_exceptions=True
    )
    assert [type(one) for one in results if one is not None] == [TagException] * 5

    full = await tags_of(client, key_id)
    assert len(full) == 50
    error = await refused(TagException, tag(client, key_id, {"0": "other", "one more": ""}))
    assert error.message == "Too many tags"
    await tag(client, key_id, dict.fromkeys(full, "other"))
    assert await tags_of(client, key_id) == dict.fromkeys(full, "other")


async def test_tags_are_listed_once_each_in_the_order_of_their_keys(
    client: KeyManagementServiceClient,
) -> None:
    key_id = await create_external_key(client)
    tags = dict.fromkeys(("b", "B", "a b", "ä", "漢" * 128, "🔑" * 128, "\n", "a:b", "%", "' OR 1=1 --"), "")
    await tag(client, key_id, tags)

    for limit in (1, 3, 10, 50):
        found = await pages(client, key_id, limit)
        assert [key for page in found for key in page] == sorted(tags)
        assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)


async def test_a_key_that_is_pending_deletion_keeps_its_tags_and_its_description_as_they_are(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_tagged_key(client, as_tags({"team": "payroll"}))
    arn = (await describe(client, key_id)).arn
    await schedule_deletion(server, key_id)

    requests: list[Message] = [
        TagResourceRequest(key_id=key_id, tags=as_tags({"team": "other"})),
        UntagResourceRequest(key_id=key_id, tag_keys=["team"]),
        UpdateKeyDescriptionRequest(key_id=key_id, description="other"),
    ]
    for request in requests:
        error = await refused(KMSInvalidStateException, send(client, request))
        assert error.message == f"{arn} is pending deletion."
    assert await tags_of(client, key_id) == {"team": "payroll"}

    assert await server.running.reaper.reap() == 1
    assert await select(server, "SELECT * FROM key_tags") == []


async def test_a_description_is_replaced_as_a_whole(client: KeyManagementServiceClient) -> None:
    key_id = await create_external_key(client, "payroll, 2026")
    arn = (await describe(client, key_id)).arn
    for identifier, description in ((key_id, "payroll, 2027"), (arn, "d" * 8192), (key_id, "")):
        await send(client, UpdateKeyDescriptionRequest(key_id=identifier, description=description))
        assert (await describe(client, key_id)).description == description
