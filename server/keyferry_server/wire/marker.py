"""Pagination markers: opaque to callers, the last key ID of a page to us."""

import base64
import binascii
import re

from keyferry_server.domain.errors import InvalidMarkerException

_VERSION = "1:"
# Every key ID has 36 characters: the database must not see what cannot be one, a NUL least of all.
_MARKED = re.compile(_VERSION + "([0-9a-z-]{36})")


def format_marker(last: str) -> str:
    """Return the marker of the page that ends with `last`."""
    return base64.urlsafe_b64encode((_VERSION + last).encode()).decode()


def parse_marker(marker: str) -> str:
    """Return the entry that the page before ended with; InvalidMarkerException if we did not make the marker."""
    try:
        text = base64.b64decode(marker, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    marked = _MARKED.fullmatch(text)
    if marked is None:
        raise InvalidMarkerException(
            "The marker is not valid. Use the NextMarker of the answer before, or none to start at the beginning."
        )
    return marked[1]
