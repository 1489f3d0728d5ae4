"""JSON with the place of everything in it, and strict: a name that comes twice, and what JSON does not have, are refused.

Which of two equal names counts is up to the reader of a JSON text. A policy must
not mean one thing here and another to whoever reviewed it.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Never

from keyferry_server.domain.errors import MalformedPolicyDocumentException, shown


class Number(str):
    """A number as it is written: policies compare texts, and digits must not cost time."""

    __slots__ = ()


class _Members(dict[str, Any]):
    """An object, with the first of its names that comes twice."""

    repeated: str | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the document and where it stands, as in ``Statement[0].Condition``; the whole has no place."""

    place: str
    value: Any

    def refuse(self, reason: str) -> Never:
        """Raise a MalformedPolicyDocumentException that names the place."""
        subject = self.place or "The policy document"
        raise MalformedPolicyDocumentException(f"{subject} {reason}.")

    def members(self) -> dict[str, "Node"]:
        """Return the members of an object by their names."""
        if not isinstance(self.value, _Members):
            self.refuse("must be a JSON object")
        if self.value.repeated is not None:
            self.refuse(f"has the name {shown(self.value.repeated)!r} twice")
        return {name: Node(self._member(name), value) for name, value in self.value.items()}

    def entries(self) -> list["Node"]:
        """Return the entries of a list, or the value itself where one stands alone."""
        if not isinstance(self.value, list):
            return [self]
        if not self.value:
            self.refuse("must not be an empty list")
        return [Node(f"{self.place}[{number}]", value) for number, value in enumerate(self.value)]

    def text(self) -> str:
        """Return a text."""
        if not isinstance(self.value, str) or isinstance(self.value, Number):
            self.refuse("must be a text")
        return self.value

    def texts(self) -> Iterator[tuple["Node", str]]:
        """Give every text of a list of texts, or the one that stands alone."""
        for entry in self.entries():
            yield entry, entry.text()

    def scalars(self) -> Iterator[tuple["Node", str]]:
        """Give every value of a list as a text: texts, numbers, true and false; or the one that stands alone."""
        for entry in self.entries():
            if isinstance(entry.value, bool):
                yield entry, "true" if entry.value else "false"
            elif isinstance(entry.value, str):
                yield entry, str(entry.value)
            else:
                entry.refuse("must be a text, a number, true or false")

    def _member(self, name: str) -> str:
        return f"{self.place}.{shown(name)}" if self.place else shown(name)


def read_json(text: str) -> Node:
    """Return the whole of a document; MalformedPolicyDocumentException if it is not JSON."""
    whole = Node("", None)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_members,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        whole.refuse(f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}")
    except ValueError as error:
        whole.refuse(f"is not JSON: {error}")
    except RecursionError:
        whole.refuse("is nested too deeply")
    return Node("", value)


def _members(pairs: list[tuple[str, Any]]) -> _Members:
    members = _Members(pairs)
    if len(members) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        members.repeated = next(name for name, count in counts.items() if count > 1)
    return members


def _refuse_constant(constant: str) -> Never:
    raise ValueError(f"it has no {constant}")
