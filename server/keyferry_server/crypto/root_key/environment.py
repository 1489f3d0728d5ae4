"""A root key from the environment, for platforms that hand secrets to a process that way."""

from keyferry_server.crypto.root_key import RootKey
from keyferry_server.crypto.root_key.errors import RootKeyConfigurationError
from keyferry_server.crypto.root_key.text import parse_root_key
from keyferry_server.crypto.secret import Secret

_SOURCE = "the root key in the environment"


class EnvironmentRootKeyProvider:
    """The root key in a variable, which only whoever starts the process can change."""

    def __init__(self, value: Secret) -> None:
        self._value = value

    def __str__(self) -> str:
        return _SOURCE

    def load(self) -> RootKey:
        """Parse the variable."""
        return load_root_key_environment(self._value.reveal().decode())

    def add_version(self, version: int) -> None:
        """Say how it is done by hand."""
        raise RootKeyConfigurationError(
            f"A root key in the environment is changed where the variable is set. Add version {version} there, a line of "
            "its own or after a comma: its number, a blank, and 32 random bytes in base64 (openssl rand -base64 32). "
            "Restart every server with it, one by one, then say `root-key rotate` again, also with it."
        )

    def remove_version(self, version: int) -> None:
        """Say how it is done by hand."""
        raise RootKeyConfigurationError(
            f"A root key in the environment is changed where the variable is set. Nothing is sealed under version {version} "
            "any more: take it away there, and restart every server, one by one."
        )


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
