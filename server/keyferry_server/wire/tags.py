"""Tags: what a caller wants a key tagged with."""

from collections.abc import Iterable, Mapping

from keyferry.v1 import Tag as TagMessage
from keyferry_server.domain.tag import Tag, check_tags


def parse_tags(tags: Iterable[TagMessage]) -> Mapping[str, str]:
    """Return the values of tags by their tag keys; TagException for one that is reserved or given twice, or too many."""
    return check_tags([Tag(tag.tag_key, tag.tag_value) for tag in tags])
