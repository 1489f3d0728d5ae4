"""Where case does not count: the letters A to Z, and no others, are the same in both cases."""

import string
from collections.abc import Mapping, Sequence

_LOWER = {ord(letter): letter.lower() for letter in string.ascii_uppercase}


def values_of(pairs: Mapping[str, str], folded: str) -> Sequence[str]:
    """Return the values whose keys are `folded` when case does not count: several if keys differ in case only."""
    return tuple(value for key, value in pairs.items() if fold(key) == folded)


def fold(text: str) -> str:
    """Return `text` with the letters A to Z in lower case."""
    return text.lower() if text.isascii() else text.translate(_LOWER)
