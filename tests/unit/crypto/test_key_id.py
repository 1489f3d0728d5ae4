import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyferry_server.crypto.key_id import decode_key_id, encode_key_id
from keyferry_server.domain.identifiers import generate_key_id

KEY_IDS = st.uuids().flatmap(lambda uuid: st.sampled_from([str(uuid), f"mrk-{uuid.hex}"]))


@settings(deadline=None)
@given(key_id=KEY_IDS)
def test_key_ids_of_both_forms_come_back(key_id: str) -> None:
    assert len(encode_key_id(key_id)) == 17
    assert decode_key_id(encode_key_id(key_id)) == key_id


def test_generated_key_ids_can_be_encoded() -> None:
    key_id = generate_key_id()
    assert decode_key_id(encode_key_id(key_id)) == key_id


def test_the_two_forms_of_the_same_digits_are_two_key_ids() -> None:
    assert encode_key_id("1234abcd-12ab-34cd-56ef-1234567890ab") != encode_key_id(
        "mrk-1234abcd12ab34cd56ef1234567890ab"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mrk-",
        "1234abcd",
        "1234ABCD-12ab-34cd-56ef-1234567890ab",
        "1234abcd12ab34cd56ef1234567890ab",
        "1234abcd-12ab-34cd-56ef-1234567890ab0",
        "1234abcd-12ab-34cd-56ef-1234567890 ab",
        "1234abcd1-2ab-34cd-56ef-1234567890ab",
        "mrk-1234abcd-12ab-34cd-56ef-1234567890ab",
        "mrk-1234abcd12ab34cd56ef1234567890AB",
        "alias/payroll",
    ],
)
def test_what_is_no_key_id_is_not_encoded(text: str) -> None:
    with pytest.raises(ValueError, match=r"key ID|hexadecimal"):
        encode_key_id(text)


@pytest.mark.parametrize("encoded", [b"", bytes(16), bytes(18), b"\x02" + bytes(16), b"\xff" + bytes(16)])
def test_what_is_no_encoded_key_id_is_none(encoded: bytes) -> None:
    assert decode_key_id(encoded) is None
