import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.crypto.leaks import shown_by, shows

from keyferry_server.crypto.ciphertext import CiphertextHeader, decrypt, encrypt, parse_ciphertext
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import InvalidCiphertextException

MATERIAL = Secret.generate(32)
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_KEY_ID = "mrk-1234abcd12ab34cd56ef1234567890ab"
MATERIAL_ID = "0123456789abcdef" * 4
CONTEXT = {"tenant": "42", "purpose": "payroll"}
PLAINTEXT = b"attack at dawn"
CONTEXTS = st.dictionaries(st.text(), st.text(), max_size=3)
KEY_IDS = st.uuids().flatmap(lambda uuid: st.sampled_from([str(uuid), f"mrk-{uuid.hex}"]))


def _encrypt() -> bytes:
    return encrypt(MATERIAL, KEY_ID, MATERIAL_ID, PLAINTEXT, CONTEXT)


def _refusal(
    blob: bytes, context: dict[str, str] | None = None, material: Secret = MATERIAL
) -> InvalidCiphertextException:
    with pytest.raises(InvalidCiphertextException) as caught:
        decrypt(material, parse_ciphertext(blob), CONTEXT if context is None else context)
    return caught.value


@settings(deadline=None)
@given(
    key_id=KEY_IDS,
    material_id=st.binary(min_size=32, max_size=32),
    plaintext=st.binary(max_size=4096),
    context=CONTEXTS,
)
def test_what_was_encrypted_decrypts_and_names_key_and_material(
    key_id: str, material_id: bytes, plaintext: bytes, context: dict[str, str]
) -> None:
    blob = encrypt(MATERIAL, key_id, material_id.hex(), plaintext, context)
    parsed = parse_ciphertext(blob)
    assert (parsed.key_id, parsed.key_material_id) == (key_id, material_id.hex())
    assert decrypt(MATERIAL, parsed, context).reveal() == plaintext


def test_the_longest_plaintext_fits_into_the_longest_blob() -> None:
    assert len(encrypt(MATERIAL, KEY_ID, MATERIAL_ID, bytes(4096), CONTEXT)) == 4096 + 98 <= 6144


def test_the_same_plaintext_never_gives_the_same_blob() -> None:
    blobs = {_encrypt() for _ in range(1000)}
    assert len({blob[50:82] for blob in blobs}) == 1000
    assert len({blob[82:] for blob in blobs}) == 1000


def test_the_plaintext_is_not_in_the_blob() -> None:
    assert PLAINTEXT not in _encrypt()


def test_one_flipped_bit_in_any_byte_is_refused() -> None:
    blob = _encrypt()
    for position in range(len(blob)):
        for bit in range(8):
            damaged = bytearray(blob)
            damaged[position] ^= 1 << bit
            assert not _refusal(bytes(damaged)).message


def test_every_truncation_and_extension_is_refused() -> None:
    blob = _encrypt()
    for length in range(len(blob)):
        assert not _refusal(blob[:length]).message
    for longer in (blob + b"\x00", b"\x00" + blob, blob * 2):
        assert not _refusal(longer).message


@settings(deadline=None)
@given(
    blob=st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda end: _encrypt()[:18] + end))
)
def test_arbitrary_bytes_are_refused(blob: bytes) -> None:
    assert not _refusal(blob).message


@settings(deadline=None)
@given(context=CONTEXTS)
def test_any_other_context_is_refused(context: dict[str, str]) -> None:
    if context != CONTEXT:
        assert not _refusal(_encrypt(), context).message


def test_a_missing_pair_a_further_pair_and_no_context_are_refused() -> None:
    for context in (
        {},
        {"tenant": "42"},
        CONTEXT | {"more": ""},
        {key: value.upper() for key, value in CONTEXT.items()},
    ):
        assert not _refusal(_encrypt(), context).message


def test_another_material_is_refused() -> None:
    assert not _refusal(_encrypt(), material=Secret.generate(32)).message


def test_a_blob_cannot_be_renamed_to_another_key_or_material() -> None:
    blob = _encrypt()
    for key_id, material_id in ((OTHER_KEY_ID, MATERIAL_ID), (KEY_ID, "f" * 64)):
        renamed = encrypt(MATERIAL, key_id, material_id, PLAINTEXT, CONTEXT)[:50] + blob[50:]
        assert parse_ciphertext(renamed).key_id == key_id
        assert not _refusal(renamed).message


@pytest.mark.parametrize(("position", "value"), [(0, 0), (0, 2), (1, 2)])
def test_a_format_that_this_version_does_not_know_names_no_key(position: int, value: int) -> None:
    blob = bytearray(_encrypt())
    blob[position] = value
    with pytest.raises(InvalidCiphertextException):
        parse_ciphertext(bytes(blob))


def test_every_refusal_is_the_same_and_shows_nothing() -> None:
    blob = _encrypt()
    refusals = [
        _refusal(b""),
        _refusal(b"\x02" + blob[1:]),
        _refusal(blob[:-1] + bytes([blob[-1] ^ 1])),
        _refusal(blob, {}),
        _refusal(blob, material=Secret.generate(32)),
    ]
    for refusal in refusals:
        assert (refusal.message, str(refusal), refusal.args) == ("", "", ("",))
        assert refusal.__cause__ is None
        assert refusal.__context__ is None
        for content in (MATERIAL.reveal(), PLAINTEXT):
            assert not shows(shown_by(refusal), content)


def test_a_parsed_blob_shows_only_the_names_in_it() -> None:
    assert repr(parse_ciphertext(_encrypt())) == (
        f"CiphertextHeader(key_id='{KEY_ID}', key_material_id='{MATERIAL_ID}')"
    )
    assert isinstance(parse_ciphertext(_encrypt()), CiphertextHeader)


@pytest.mark.parametrize("material_id", ["", "ab", "0" * 62, "0" * 66, "g" * 64])
def test_what_is_no_key_material_id_is_not_written_into_a_blob(material_id: str) -> None:
    with pytest.raises(ValueError, match=r"key material id|hexadecimal"):
        encrypt(MATERIAL, KEY_ID, material_id, PLAINTEXT, {})
