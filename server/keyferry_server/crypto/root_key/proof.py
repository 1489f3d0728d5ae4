"""Proofs: what tells a version of the root key from another key that was given the same number.

Two machines on which somebody made "version 2" have two different keys under one
number, and what one of them sealed the other could never open. So the database
keeps, for each version, something that only the right key opens.
"""

from keyferry_server.crypto.root_key import RootKey
from keyferry_server.crypto.root_key.errors import RootKeyMismatchError

_CONTENT = b"keyferry root key"


def make_proof(root_key: RootKey, version: int) -> bytes:
    """Return the proof of a version that `root_key` has."""
    return root_key.encrypt(version, _CONTENT, _associated_data(version))


def is_proven(root_key: RootKey, version: int, proof: bytes) -> bool:
    """Tell whether `root_key` has the very key that the proof of that version was made with."""
    try:
        return root_key.decrypt(version, proof, _associated_data(version)) == _CONTENT
    except RootKeyMismatchError:
        return False


def _associated_data(version: int) -> bytes:
    return f"keyferry root key version {version}".encode()
