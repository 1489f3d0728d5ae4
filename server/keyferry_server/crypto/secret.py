"""Bytes that must not be shown: key material, wrapping private keys, data keys, root keys."""

import secrets
from typing import NoReturn, final


@final
class Secret:
    """Opaque bytes.

    No representation, copy, pickle, comparison or hash gives anything away;
    whoever needs the bytes says so with ``reveal()``, which a reviewer can search
    for. Python cannot wipe memory, so a secret is kept for as short as it can be.
    """

    __slots__ = ("__content",)

    def __init__(self, content: bytes) -> None:
        self.__content = content

    @classmethod
    def generate(cls, length: int) -> "Secret":
        """Return `length` fresh random bytes from the operating system."""
        return cls(secrets.token_bytes(length))

    def reveal(self) -> bytes:
        """Return the bytes. Use them in the same expression rather than name them: names show in tracebacks."""
        return self.__content

    def __len__(self) -> int:
        return len(self.__content)

    def __bool__(self) -> bool:
        # Else `if secret:` would ask for its length.
        return True

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        raise TypeError("Secrets are not compared with ==: it takes a time that depends on their content.")

    __hash__ = None  # type: ignore[assignment]  # a hash is a statement about the content

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret is not pickled or copied.")
