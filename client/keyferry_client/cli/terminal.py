"""What may go to a terminal."""

import json
from collections.abc import Mapping
from typing import Any


def on_one_line(text: str) -> str:
    """Return `text` without control characters: it comes over the wire and could steer the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def in_json(answer: Mapping[str, Any]) -> str:
    """Return `answer` as JSON that people can read, with escapes for all that is not printable, for the same reason."""
    text = json.dumps(answer, indent=2, ensure_ascii=False)
    # The line ends are those of the indentation: json escapes the ones within a text by itself.
    return "".join(
        character if character == "\n" or character.isprintable() else json.dumps(character)[1:-1]
        for character in text
    )
