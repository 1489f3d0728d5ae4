"""ListResourceTags: lists the tags of a key, in the order of their tag keys."""

from dataclasses import dataclass

from keyferry.v1 import ListResourceTagsRequest, ListResourceTagsResponse, Tag
from keyferry_server.call import Call
from keyferry_server.domain.clock import Clock
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.storage.tag_store import TagStore
from keyferry_server.wire.marker import PagedList

# A tag key is any text of that length but for the character that Postgres cannot store.
TAGS = PagedList("tags", r"[^\0]{1,128}", default_limit=50)


@dataclass(frozen=True, slots=True)
class ListResourceTags:
    """Lists tags page by page."""

    door: KeyDoor
    tags: TagStore
    clock: Clock

    async def __call__(self, request: ListResourceTagsRequest, call: Call) -> ListResourceTagsResponse:
        """Read one page."""
        page = TAGS.parse(request)

        key = await self.door.open(request.key_id, call)

        key.check_state(call.route.key_states, self.clock.now())
        shown, truncated = page.cut(await self.tags.list(key, page.after or "", page.fetch))

        return ListResourceTagsResponse(
            tags=[Tag(tag_key=tag.key, tag_value=tag.value) for tag in shown],
            next_marker=TAGS.format_marker(shown[-1].key) if truncated else None,
            truncated=truncated,
        )
