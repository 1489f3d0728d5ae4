"""Tags: pairs of words on a key.

The rules:

1. A tag key is unique in its key, upper and lower case apart.
2. Tag keys that begin with "aws:", in any case, are reserved.
3. A key has up to 50 tags.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from keyferry_server.domain.errors import TagException

TAGS_PER_KEY = 50
_RESERVED = "aws:"


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag."""

    key: str
    value: str


def check_tags(tags: Sequence[Tag]) -> Mapping[str, str]:
    """Return what a caller wants a key tagged with, by tag key; TagException for a broken rule."""
    check_tag_keys(tag.key for tag in tags)
    by_key = {tag.key: tag.value for tag in tags}
    if len(by_key) < len(tags):
        raise TagException("Duplicate tag keys")
    check_quota(len(by_key))
    return by_key


def check_tag_keys(keys: Iterable[str]) -> None:
    """Raise TagException if one of `keys` is reserved (rule 2)."""
    if any(key.lower().startswith(_RESERVED) for key in keys):
        raise TagException("Tags beginning with aws: are reserved")


def check_quota(count: int) -> None:
    """Raise TagException if `count` tags are more than a key can have (rule 3)."""
    if count > TAGS_PER_KEY:
        raise TagException("Too many tags")
