"""What is derived from the installation secret: the names of key materials, and the keys of each use."""

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyferry_server.crypto.installation import derive_key
from keyferry_server.crypto.key_material_id import KeyMaterialIds
from keyferry_server.crypto.secret import Secret

INSTALLATION = Secret.generate(32)
IDS = KeyMaterialIds(INSTALLATION)
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_KEY_ID = "mrk-1234abcd12ab34cd56ef1234567890ab"
MATERIAL = Secret.generate(32)


def test_a_key_material_id_is_64_lower_case_hexadecimal_digits() -> None:
    name = IDS.of(KEY_ID, MATERIAL)
    assert len(name) == 64
    assert set(name) <= set("0123456789abcdef")


def test_the_same_material_in_the_same_key_keeps_its_id() -> None:
    again = KeyMaterialIds(Secret(INSTALLATION.reveal())).of(KEY_ID, Secret(MATERIAL.reveal()))
    assert again == IDS.of(KEY_ID, MATERIAL)


def test_the_same_material_has_another_id_in_another_key() -> None:
    assert IDS.of(KEY_ID, MATERIAL) != IDS.of(OTHER_KEY_ID, MATERIAL)


def test_another_material_has_another_id() -> None:
    assert IDS.of(KEY_ID, MATERIAL) != IDS.of(KEY_ID, Secret.generate(32))


def test_another_installation_gives_another_id() -> None:
    assert IDS.of(KEY_ID, MATERIAL) != KeyMaterialIds(Secret.generate(32)).of(KEY_ID, MATERIAL)


def test_an_id_is_no_plain_hash_that_a_guess_could_be_tried_against() -> None:
    prefix = len(KEY_ID).to_bytes(4) + KEY_ID.encode() + len(MATERIAL).to_bytes(4)
    name = IDS.of(KEY_ID, MATERIAL)
    assert name != hashlib.sha256(prefix + MATERIAL.reveal()).hexdigest()
    assert name != hmac.digest(INSTALLATION.reveal(), prefix + MATERIAL.reveal(), "sha256").hex()


@settings(deadline=None)
@given(text=st.text(alphabet="ab", max_size=8), cut=st.integers(0, 8), other_cut=st.integers(0, 8))
def test_no_bytes_move_between_key_id_and_material(text: str, cut: int, other_cut: int) -> None:
    one = IDS.of(text[:cut], Secret(text[cut:].encode()))
    other = IDS.of(text[:other_cut], Secret(text[other_cut:].encode()))
    assert (one == other) == (text[:cut] == text[:other_cut])


def test_each_use_has_its_own_key() -> None:
    assert derive_key(INSTALLATION, b"one use").reveal() != derive_key(INSTALLATION, b"another use").reveal()
    assert derive_key(INSTALLATION, b"one use").reveal() != INSTALLATION.reveal()


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_an_installation_secret_of_another_length_is_not_used(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        derive_key(Secret.generate(length), b"label")
