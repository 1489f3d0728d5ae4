"""The root key as text, in a file or in the environment.

::

    # Lines that begin with a number sign, and empty lines, are skipped.
    1 <base64 of 32 bytes>
    2 <base64 of 32 bytes>

One line a version: its number (1 to 4294967295), a blank, the key in standard
base64. The highest version seals; all of them open. Order does not matter.
"""

import base64
import binascii
import re

from keyferry_server.crypto.root_key.aes import KEY_BYTES, MAX_VERSION, AesRootKey
from keyferry_server.crypto.root_key.errors import RootKeyConfigurationError
from keyferry_server.crypto.secret import Secret

_LINE = re.compile(r"(?P<version>[1-9][0-9]{0,9})[ \t]+(?P<key>[A-Za-z0-9+/=]+)")


def parse_root_key(text: Secret, source: str) -> AesRootKey:
    """Parse a root key; `source` names where it is from, for the person who has to correct it.

    RootKeyConfigurationError, which names the line by number and never quotes it.
    """
    versions: dict[int, Secret] = {}
    complaint = _collect(text, versions, source)
    if complaint is not None:
        # Raised here, where no local variable holds a line: some tracebacks show those.
        raise RootKeyConfigurationError(complaint)
    return AesRootKey(versions)


def format_root_key_line(version: int, key: Secret) -> str:
    """Return the line of one version, with its line feed."""
    return f"{version} {base64.b64encode(key.reveal()).decode('ascii')}\n"


def without_version(text: str, version: int) -> str:
    """Return what parses as the same root key without `version`; every other line as it was."""
    return "".join(
        line
        for line in text.splitlines(keepends=True)
        if (match := _LINE.fullmatch(line.strip())) is None or int(match["version"]) != version
    )


def _collect(text: Secret, versions: dict[int, Secret], source: str) -> str | None:
    """Fill `versions`; return what is wrong, if something is."""
    lines = text.reveal().decode("utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        match = _LINE.fullmatch(content)
        if match is None or int(match["version"]) > MAX_VERSION:
            return (
                f"Line {number} of {source} is not a version of a root key. It must be a version number "
                f"(1 to {MAX_VERSION}), a blank, and {KEY_BYTES} bytes in base64."
            )
        key = _decode(match["key"])
        if key is None or len(key) != KEY_BYTES:
            return (
                f"Line {number} of {source} does not hold {KEY_BYTES} bytes in base64 after its version number. "
                "Was it cut short, or is it in another encoding?"
            )
        version = int(match["version"])
        if version in versions:
            return f"Line {number} of {source} repeats version {version}. Give each version once."
        versions[version] = key
    if not versions:
        return f"There is no key in {source}. Make one with: keyferry-server root-key generate --out PATH"
    return None


def _decode(text: str) -> Secret | None:
    try:
        return Secret(base64.b64decode(text, validate=True))
    except binascii.Error:
        return None
