"""Grant tokens: what was issued here comes back, and nothing else does, always refused in the same words."""

import base64
import hmac
import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.crypto.leaks import shown_by, shows

from keyferry_server.crypto.grant_token import GrantTokenCodec
from keyferry_server.crypto.installation import derive_key
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import InvalidGrantTokenException

INSTALLATION = Secret.generate(32)
CODEC = GrantTokenCodec(INSTALLATION)
GRANT_ID = secrets.token_hex(32)
TOKEN = CODEC.issue(GRANT_ID)


def refusal(token: str, codec: GrantTokenCodec = CODEC) -> str:
    with pytest.raises(InvalidGrantTokenException) as caught:
        codec.parse(token)
    return caught.value.message


UNIFORM = refusal("garbage")


@settings(deadline=None)
@given(st.binary(min_size=32, max_size=32).map(bytes.hex))
def test_a_token_names_its_grant_and_is_another_one_each_time(grant_id: str) -> None:
    one, other = CODEC.issue(grant_id), CODEC.issue(grant_id)
    assert one != other
    assert CODEC.parse(one) == CODEC.parse(other) == grant_id
    assert len(one) == 108


def test_one_flipped_bit_anywhere_is_refused_in_the_same_words() -> None:
    token = base64.urlsafe_b64decode(TOKEN)
    for position in range(len(token)):
        for bit in range(8):
            damaged = bytearray(token)
            damaged[position] ^= 1 << bit
            assert refusal(base64.urlsafe_b64encode(damaged).decode()) == UNIFORM


@settings(deadline=None)
@given(
    st.text(max_size=200) | st.binary(max_size=120).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
)
def test_what_was_not_issued_is_refused_in_the_same_words(text: str) -> None:
    assert refusal(text) == UNIFORM


def test_other_spellings_of_a_token_are_refused() -> None:
    for text in (
        TOKEN[:-1],
        f"{TOKEN}=",
        f"{TOKEN}\n",
        f" {TOKEN}",
        TOKEN + TOKEN,
        TOKEN.swapcase(),
        "\ud800" * 108,
    ):
        assert refusal(text) == UNIFORM


def test_the_token_of_another_installation_is_refused() -> None:
    assert refusal(TOKEN, GrantTokenCodec(Secret.generate(32))) == UNIFORM


def test_a_token_of_another_format_is_refused_although_it_is_signed() -> None:
    content = b"\x02" + bytes.fromhex(GRANT_ID) + bytes(16)
    key = derive_key(INSTALLATION, b"keyferry grant token v1")
    tag = hmac.digest(key.reveal(), content, "sha256")
    assert refusal(base64.urlsafe_b64encode(content + tag).decode()) == UNIFORM


def test_a_refusal_shows_neither_the_key_nor_the_tag_that_would_be_right() -> None:
    token = bytearray(base64.urlsafe_b64decode(TOKEN))
    right = bytes(token[-32:])
    token[-32:] = bytes(32)
    with pytest.raises(InvalidGrantTokenException) as caught:
        CODEC.parse(base64.urlsafe_b64encode(token).decode())
    seen = shown_by(caught.value)
    assert not shows(seen, right)
    assert not shows(seen, derive_key(INSTALLATION, b"keyferry grant token v1").reveal())
