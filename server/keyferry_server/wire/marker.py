"""Pages of a list, and the markers between them: opaque to callers, the last entry of a page to us.

A marker is base64 of its list's name and the place of the last entry in the
list's order. One that belongs to another list, or that cannot have been given
out, is an InvalidMarkerException.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from keyferry_server.domain.errors import InvalidMarkerException

T = TypeVar("T")

UUID_PLACE = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


@dataclass(frozen=True, slots=True)
class Page:
    """The part of a list that a request asks for: up to `limit` entries after the place `after`, if that is given."""

    limit: int
    after: str | None

    @property
    def fetch(self) -> int:
        """How many entries to read: one more than are shown tells whether there is another page."""
        return self.limit + 1

    def cut(self, found: Sequence[T]) -> tuple[Sequence[T], bool]:
        """Return what is shown of `fetch` entries, and whether there are more."""
        return found[: self.limit], len(found) > self.limit


@dataclass(frozen=True, slots=True)
class PagedList:
    """One list that callers read page by page.

    `place` is the pattern of a place in its order: the database must not see what
    cannot be one, a NUL least of all.
    """

    name: str
    place: str
    default_limit: int = 100

    def parse(self, request: Any) -> Page:
        """Return the page that `request` asks for by its `limit` and its `marker`."""
        return Page(
            limit=request.limit if request.HasField("limit") else self.default_limit,
            after=self.parse_marker(request.marker) if request.HasField("marker") else None,
        )

    def format_marker(self, last: str) -> str:
        """Return the marker of the page that ends at the place `last`."""
        return base64.urlsafe_b64encode(f"{self.name}:{last}".encode()).decode()

    def parse_marker(self, marker: str) -> str:
        """Return the place that the page before ended at."""
        try:
            text = base64.b64decode(marker, altchars=b"-_", validate=True).decode()
        except (binascii.Error, ValueError):
            text = ""
        last = text.partition(":")[2]
        if re.fullmatch(self.place, last) is None or self.format_marker(last) != marker:
            raise InvalidMarkerException(
                "The marker is not valid. Use the NextMarker of the answer before, or none to start at the beginning."
            )
        return last
