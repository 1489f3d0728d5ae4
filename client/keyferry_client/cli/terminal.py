"""What may go to a terminal."""


def on_one_line(text: str) -> str:
    """Return `text` without control characters: it comes over the wire and could steer the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
