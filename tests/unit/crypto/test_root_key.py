"""The contract of the port, for every kind of root key; and the texts of its errors."""

import pytest
from fixtures.softhsm import SoftHsm
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.crypto.leaks import shown_by, shows

from keyferry_server.crypto.root_key import RootKey, RootKeyMismatchError, UnknownRootKeyVersionError
from keyferry_server.crypto.root_key.aes import AesRootKey
from keyferry_server.crypto.root_key.ring import RootKeyRing
from keyferry_server.crypto.secret import Secret

FIRST, SECOND = Secret.generate(32), Secret.generate(32)


@pytest.fixture(scope="module", params=["memory", "ring", "PKCS#11 device"])
def root_key(request: pytest.FixtureRequest) -> RootKey:
    """A root key with the versions 1 and 2."""
    in_memory = AesRootKey({2: SECOND, 1: FIRST})
    if request.param == "memory":
        return in_memory
    if request.param == "ring":
        return RootKeyRing(lambda: in_memory)
    token: SoftHsm = request.getfixturevalue("softhsm")
    provider = token.provider()
    provider.add_version(1)
    provider.add_version(2)
    return provider.load()


def test_the_highest_version_is_the_current_one(root_key: RootKey) -> None:
    assert root_key.current_version == 2
    assert root_key.versions == {1, 2}
    assert AesRootKey({7: FIRST, 11: SECOND, 2: FIRST}).current_version == 11


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plaintext=st.binary(max_size=200), associated_data=st.binary(max_size=200))
def test_what_was_encrypted_decrypts(root_key: RootKey, plaintext: bytes, associated_data: bytes) -> None:
    for version in root_key.versions:
        ciphertext = root_key.encrypt(version, plaintext, associated_data)
        assert root_key.decrypt(version, ciphertext, associated_data) == plaintext


def test_a_version_does_not_open_what_another_encrypted(root_key: RootKey) -> None:
    with pytest.raises(RootKeyMismatchError):
        root_key.decrypt(2, root_key.encrypt(1, b"old", b"place"), b"place")


def test_a_nonce_is_never_repeated(root_key: RootKey) -> None:
    assert len({root_key.encrypt(1, b"same", b"")[:12] for _ in range(500)}) == 500


def test_an_unknown_version_is_named(root_key: RootKey) -> None:
    with pytest.raises(UnknownRootKeyVersionError, match="version 3") as caught:
        root_key.decrypt(3, root_key.encrypt(2, b"new", b""), b"")
    assert caught.value.version == 3
    with pytest.raises(UnknownRootKeyVersionError, match="version 3"):
        root_key.encrypt(3, b"new", b"")


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ciphertext=st.binary(max_size=64))
def test_arbitrary_bytes_are_a_mismatch(root_key: RootKey, ciphertext: bytes) -> None:
    with pytest.raises(RootKeyMismatchError):
        root_key.decrypt(1, ciphertext, b"")


def test_one_flipped_bit_anywhere_is_a_mismatch(root_key: RootKey) -> None:
    ciphertext = root_key.encrypt(2, b"plaintext", b"place")
    for position in range(len(ciphertext)):
        damaged = bytearray(ciphertext)
        damaged[position] ^= 1 << position % 8
        with pytest.raises(RootKeyMismatchError):
            root_key.decrypt(2, bytes(damaged), b"place")


def test_other_associated_data_is_a_mismatch(root_key: RootKey) -> None:
    with pytest.raises(RootKeyMismatchError):
        root_key.decrypt(1, root_key.encrypt(1, b"plaintext", b"place"), b"other place")


def test_another_key_of_the_same_version_is_a_mismatch_and_says_what_to_do() -> None:
    stranger = AesRootKey({1: SECOND})
    with pytest.raises(
        RootKeyMismatchError, match="Configure the root key that this database was made with"
    ) as caught:
        stranger.decrypt(1, AesRootKey({1: FIRST}).encrypt(1, b"plaintext", b""), b"")
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
