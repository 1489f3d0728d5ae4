"""Text as policies write it: with wildcards, and with policy variables that each request fills in.

::

    *                      any characters, also none
    ?                      one character
    ${aws:username}        the value of a condition key in the request
    ${aws:username, 'x'}   the same, and x if the request has no such value
    ${*}  ${?}  ${$}       the characters * ? $ themselves

Only documents of the version 2012-10-17 have variables. What a variable stands for
is compared as it is: a wildcard in it is a character like any other. A text whose
variable has no value, or several, equals nothing.

Matching goes through a text once for each pattern (a regular expression could be made to
take for ever). Who writes a policy and who makes a request can still make both long, and
meanwhile the server does nothing else: so one decision takes no more than so many steps
(`Limited`), and what would take more is denied.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Protocol

from keyferry_server.domain.errors import AccessDeniedException
from keyferry_server.domain.letter_case import fold

LONGEST_TEXT = 2048
# Of a few tenths of a microsecond each. Policies as people write them take a few hundred.
MOST_STEPS = 500_000
TEXT_OF_ONE_STEP = 256
_WITH_VARIABLES = re.compile(r"\$\{(?P<variable>[^}]*)\}|(?P<wildcard>[*?])|\$(?=\{)")
_WITHOUT_VARIABLES = re.compile(r"(?P<wildcard>[*?])")
_VARIABLE = re.compile(r"(?P<name>[A-Za-z0-9:/_.+=@-]+)(?:\s*,\s*'(?P<default>[^']*)')?")
_ESCAPED = frozenset("*?$")


class Values(Protocol):
    """What a request says of itself, by condition key."""

    def values(self, key: str) -> Sequence[str]:
        """Return the values of a condition key, which is written in lower case; none if the request has none."""
        ...


class Context(Values, Protocol):
    """What a request says of itself, and how much it may take to compare that with policies."""

    def spend(self, steps: int) -> None:
        """Count steps; AccessDeniedException if there are too many."""
        ...


class Limited:
    """What a request says of itself, for one decision."""

    __slots__ = ("_left", "_request")

    def __init__(self, request: Values) -> None:
        self._request = request
        self._left = MOST_STEPS

    def values(self, key: str) -> Sequence[str]:
        """Return what the request does."""
        return self._request.values(key)

    def spend(self, steps: int) -> None:
        """Count steps; AccessDeniedException if there are too many."""
        self._left -= steps
        if self._left < 0:
            raise AccessDeniedException(
                "The request is too long for the conditions of the policies that decide on it: comparing them takes "
                "too many steps. Make the request's encryption context shorter, or the conditions fewer."
            )


class Wildcard(Enum):
    """What stands for other characters."""

    ANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Variable:
    """The place of a condition key's value."""

    key: str
    default: str | None

    def value(self, context: Context) -> str | None:
        """Return what it stands for in a request."""
        values = context.values(self.key)
        return values[0] if len(values) == 1 else self.default


Token = str | Wildcard | Variable


@dataclass(frozen=True)
class Pattern:
    """A text of a policy, read once."""

    tokens: tuple[Token, ...]
    ignores_case: bool = False

    def matches(self, text: str, context: Context) -> bool:
        """Tell whether the whole of `text` fits in a request."""
        if len(text) > TEXT_OF_ONE_STEP:
            context.spend(len(text) // TEXT_OF_ONE_STEP)
        if self.ignores_case:
            text = fold(text)
        literal = self.literal
        if literal is not None:
            return text == literal
        runs = self._runs
        if runs is None:
            filled = self.filled(context)
            return filled is not None and filled.matches(text, context)
        context.spend(self._parts)
        return _match(runs, text, context)

    def filled(self, context: Context) -> "Pattern | None":
        """Return the pattern with its variables replaced; None if one of them has no value."""
        tokens: list[Token] = []
        for token in self.tokens:
            if isinstance(token, Variable):
                value = token.value(context)
                if value is None:
                    return None
                tokens.append(fold(value) if self.ignores_case else value)
            else:
                tokens.append(token)
        return Pattern(tuple(tokens), self.ignores_case)

    @cached_property
    def literal(self) -> str | None:
        """The text itself, if nothing in it stands for something else."""
        if all(isinstance(token, str) for token in self.tokens):
            return "".join(token for token in self.tokens if isinstance(token, str))
        return None

    @cached_property
    def keys(self) -> frozenset[str]:
        """The condition keys of its variables."""
        return frozenset(token.key for token in self.tokens if isinstance(token, Variable))

    @cached_property
    def _runs(self) -> "tuple[_Run, ...] | None":
        """What stands between the `*`, or None while variables are not filled in."""
        runs: list[list[str | int]] = [[]]
        for token in self.tokens:
            if isinstance(token, Variable):
                return None
            if token is Wildcard.ANY:
                runs.append([])
            else:
                runs[-1].append(1 if isinstance(token, Wildcard) else token)
        return tuple(_Run(tuple(parts)) for parts in runs)

    @cached_property
    def _parts(self) -> int:
        return sum(len(run.parts) for run in self._runs or ())


def parse_pattern(text: str, *, wildcards: bool, variables: bool, ignores_case: bool = False) -> Pattern:
    """Read a text of a policy; ValueError says what is wrong with it."""
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"is longer than {LONGEST_TEXT} characters")
    tokens: list[Token] = []
    end = 0
    if ignores_case:
        text = fold(text)
    for found in (_WITH_VARIABLES if variables else _WITHOUT_VARIABLES).finditer(text):
        tokens.append(text[end : found.start()])
        end = found.end()
        if found["wildcard"] is None:
            tokens.append(_parse_variable(found["variable"]))
        else:
            tokens.append(Wildcard(found["wildcard"]) if wildcards else found["wildcard"])
    tokens.append(text[end:])
    return Pattern(tuple(token for token in tokens if token != ""), ignores_case)


def _parse_variable(inside: str | None) -> Token:
    if inside is None:
        raise ValueError("has a policy variable that does not end: expected ${NAME}")
    if inside in _ESCAPED:
        return inside
    found = _VARIABLE.fullmatch(inside)
    if found is None:
        raise ValueError(f"has a policy variable that cannot be read: ${{{inside}}}")
    return Variable(fold(found["name"]), found["default"])


@dataclass(frozen=True)
class _Run:
    """A stretch without `*`: literal texts, and numbers of characters that may be anything."""

    parts: tuple[str | int, ...]

    @cached_property
    def length(self) -> int:
        return sum(part if isinstance(part, int) else len(part) for part in self.parts)

    @cached_property
    def literal(self) -> str | None:
        """Its text, if nothing in it may be anything."""
        return "".join(map(str, self.parts)) if all(isinstance(part, str) for part in self.parts) else None

    @cached_property
    def _bits(self) -> tuple[dict[str, int], int]:
        """At which places each character may be, a bit for each; and those where any other may be."""
        anything, at = 0, 0
        places: dict[str, int] = {}
        for part in self.parts:
            for character in " " * part if isinstance(part, int) else part:
                if isinstance(part, int):
                    anything |= 1 << at
                else:
                    places[character] = places.get(character, 0) | 1 << at
                at += 1
        return {character: bits | anything for character, bits in places.items()}, anything

    def fits(self, text: str, at: int) -> bool:
        for part in self.parts:
            if isinstance(part, int):
                at += part
            elif text.startswith(part, at):
                at += len(part)
            else:
                return False
        return at <= len(text)

    def find(self, text: str, start: int, end: int, context: Context) -> int:
        """Return where it fits first in `text[start:end]`, or -1."""
        if self.literal is not None:
            return text.find(self.literal, start, end)
        context.spend(end - start)
        # Shift-and: bit n says that the last n + 1 characters fit the first n + 1 places.
        places, anything = self._bits
        fitting, whole = 0, 1 << self.length - 1
        for at in range(start, end):
            fitting = (fitting << 1 | 1) & places.get(text[at], anything)
            if fitting & whole:
                return at - self.length + 1
        return -1


def _match(runs: Sequence[_Run], text: str, context: Context) -> bool:
    first, last = runs[0], runs[-1]
    if len(runs) == 1:
        return len(text) == first.length and first.fits(text, 0)
    start, end = first.length, len(text) - last.length
    if start > end or not first.fits(text, 0) or not last.fits(text, end):
        return False
    for run in runs[1:-1]:
        at = run.find(text, start, end, context)
        if at < 0:
            return False
        start = at + run.length
    return True
