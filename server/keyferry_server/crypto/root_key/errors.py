"""What can be wrong with the root key.

::

    RootKeyError
    ├── RootKeyConfigurationError    it cannot be loaded or made; the text says what to do
    ├── UnknownRootKeyVersionError   it lacks the version that something was sealed under
    ├── RootKeyMismatchError         it did not seal this, or this was damaged
    └── RootKeyUnavailableError      the device that holds it does not answer; may be retried

They are for the operator: no caller of the service ever sees one (``sealing`` turns
them into KMSInternalException, the last into DependencyTimeoutException). None of their texts holds any
part of a key or of a line that might be one.
"""


class RootKeyError(Exception):
    """Something is wrong with the root key."""


class RootKeyConfigurationError(RootKeyError):
    """The root key cannot be loaded or made. The text tells a person what to do."""


class UnknownRootKeyVersionError(RootKeyError):
    """The root key has no such version."""

    def __init__(self, version: int) -> None:
        super().__init__(
            f"This was sealed under version {version} of the root key, which is not among the configured ones. "
            f"Put version {version} back; versions may only be removed after everything was rewrapped."
        )
        self.version = version


class RootKeyMismatchError(RootKeyError):
    """A root key version exists but does not open what it is given."""

    def __init__(self, version: int | None = None) -> None:
        which = "root key" if version is None else f"version {version} of the root key"
        super().__init__(
            f"The configured {which} does not open what is stored: it is the root key of another installation, "
            "or what is stored was damaged. Configure the root key that this database was made with."
        )


class RootKeyUnavailableError(RootKeyError):
    """The device that holds the root key does not answer now."""

    def __init__(self, device: str) -> None:
        super().__init__(
            f"The root key in {device} cannot be used now: the device does not answer, or it logged us out. "
            "Check that it is connected and that its PIN is right."
        )
