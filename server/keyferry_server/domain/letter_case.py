"""Where case does not count: the letters A to Z, and no others, are the same in both cases."""

import string

_LOWER = {ord(letter): letter.lower() for letter in string.ascii_uppercase}


def fold(text: str) -> str:
    """Return `text` with the letters A to Z in lower case."""
    return text.lower() if text.isascii() else text.translate(_LOWER)
