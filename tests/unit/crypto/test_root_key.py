"""The contract of the port, for root keys in memory; and the texts of its errors."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.crypto.leaks import shown_by, shows

from keyferry_server.crypto.root_key import RootKey, RootKeyMismatchError, UnknownRootKeyVersionError
from keyferry_server.crypto.root_key.aes import AesRootKey
from keyferry_server.crypto.secret import Secret

FIRST, SECOND = Secret.generate(32), Secret.generate(32)
OLD: RootKey = AesRootKey({1: FIRST})
ROTATED: RootKey = AesRootKey({2: SECOND, 1: FIRST})


def test_the_highest_version_is_the_current_one() -> None:
    assert AesRootKey({7: FIRST, 11: SECOND, 2: FIRST}).current_version == 11


@settings(deadline=None)
@given(plaintext=st.binary(), associated_data=st.binary())
def test_what_was_encrypted_decrypts(plaintext: bytes, associated_data: bytes) -> None:
    ciphertext = ROTATED.encrypt(plaintext, associated_data)
    assert ROTATED.decrypt(2, ciphertext, associated_data) == plaintext


def test_older_versions_still_decrypt_after_rotation() -> None:
    assert ROTATED.decrypt(1, OLD.encrypt(b"old", b"place"), b"place") == b"old"


def test_a_nonce_is_never_repeated() -> None:
    assert len({OLD.encrypt(b"same", b"")[:12] for _ in range(1000)}) == 1000


def test_an_unknown_version_is_named() -> None:
    with pytest.raises(UnknownRootKeyVersionError, match="version 2") as caught:
        OLD.decrypt(2, ROTATED.encrypt(b"new", b""), b"")
    assert caught.value.version == 2


@settings(deadline=None)
@given(ciphertext=st.binary(max_size=64))
def test_arbitrary_bytes_are_a_mismatch(ciphertext: bytes) -> None:
    with pytest.raises(RootKeyMismatchError):
        OLD.decrypt(1, ciphertext, b"")


def test_one_flipped_bit_anywhere_is_a_mismatch() -> None:
    ciphertext = OLD.encrypt(b"plaintext", b"place")
    for position in range(len(ciphertext)):
        damaged = bytearray(ciphertext)
        damaged[position] ^= 1 << position % 8
        with pytest.raises(RootKeyMismatchError):
            OLD.decrypt(1, bytes(damaged), b"place")


def test_other_associated_data_is_a_mismatch() -> None:
    with pytest.raises(RootKeyMismatchError):
        OLD.decrypt(1, OLD.encrypt(b"plaintext", b"place"), b"other place")


def test_another_key_of_the_same_version_is_a_mismatch_and_says_what_to_do() -> None:
    stranger = AesRootKey({1: SECOND})
    with pytest.raises(
        RootKeyMismatchError, match="Configure the root key that this database was made with"
    ) as caught:
        stranger.decrypt(1, OLD.encrypt(b"plaintext", b""), b"")
    assert not shows(shown_by(caught.value), SECOND.reveal())


@pytest.mark.parametrize(
    "versions",
    [
        {},
        {0: FIRST},
        {2**32: FIRST},
        {1: Secret(b"short")},
        {1: Secret.generate(33)},
        {1: FIRST, 2: Secret(b"")},
    ],
)
def test_a_root_key_without_sound_versions_is_not_made(versions: dict[int, Secret]) -> None:
    with pytest.raises(ValueError, match="root key"):
        AesRootKey(versions)
