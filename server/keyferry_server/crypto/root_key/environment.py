"""A root key from the environment, for platforms that hand secrets to a process that way."""

from keyferry_server.crypto.root_key import RootKey
from keyferry_server.crypto.root_key.text import parse_root_key
from keyferry_server.crypto.secret import Secret

_SOURCE = "the root key in the environment"


def load_root_key_environment(value: str) -> RootKey:
    """Load the root key from the value of a variable: lines as in a file, or separated by commas.

    RootKeyConfigurationError, which never quotes the value.
    """
    text = Secret(_lines(value).encode("utf-8", errors="replace"))
    del value  # some tracebacks show local variables
    return parse_root_key(text, _SOURCE)


def _lines(value: str) -> str:
    # A comma in a comment is a comma: a whole root key file may be given.
    return "\n".join(
        line if line.lstrip().startswith("#") else line.replace(",", "\n") for line in value.splitlines()
    )
