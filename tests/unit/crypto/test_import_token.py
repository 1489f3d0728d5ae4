"""Import tokens: what is on the wire (the codec), and what a token allows (the domain)."""

import hmac
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.crypto.leaks import shown_by, shows

from keyferry_server.crypto.import_token import TOKEN_BYTES, ImportTokenCodec
from keyferry_server.crypto.installation import derive_key
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import ExpiredImportTokenException, InvalidImportTokenException
from keyferry_server.domain.import_token import LIFETIME, ImportToken, check, generate_import_token

INSTALLATION = Secret.generate(32)
CODEC = ImportTokenCodec(INSTALLATION)
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_KEY_ID = "mrk-1234abcd12ab34cd56ef1234567890ab"
NOW = datetime(2026, 11, 24, 12, 30, 15, 123457, tzinfo=UTC)
TOKEN = generate_import_token(KEY_ID, NOW)
OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
KEY_IDS = st.uuids().flatmap(lambda uuid: st.sampled_from([str(uuid), f"mrk-{uuid.hex}"]))


def _refusal(token: bytes, codec: ImportTokenCodec = CODEC) -> InvalidImportTokenException:
    with pytest.raises(InvalidImportTokenException) as caught:
        codec.parse(token)
    return caught.value


UNIFORM = _refusal(b"garbage").message


@settings(deadline=None)
@given(
    token_id=st.binary(min_size=16, max_size=16),
    key_id=KEY_IDS,
    valid_to=st.datetimes(datetime(1900, 1, 1), datetime(9000, 1, 1), timezones=OFFSETS),  # noqa: DTZ001 -- as it must be given
)
def test_an_issued_token_comes_back_to_the_microsecond(
    token_id: bytes, key_id: str, valid_to: datetime
) -> None:
    token = ImportToken(token_id, key_id, valid_to)
    issued = CODEC.issue(token)
    assert len(issued) == TOKEN_BYTES == 74
    parsed = CODEC.parse(issued)
    assert (parsed.token_id, parsed.key_id) == (token_id, key_id)
    assert parsed.valid_to - valid_to.astimezone(UTC) == timedelta(0)
    assert parsed.valid_to.tzinfo is UTC


def test_one_flipped_bit_in_any_byte_is_refused_in_the_same_words() -> None:
    issued = CODEC.issue(TOKEN)
    for position in range(len(issued)):
        for bit in range(8):
            damaged = bytearray(issued)
            damaged[position] ^= 1 << bit
            assert _refusal(bytes(damaged)).message == UNIFORM


def test_a_token_of_any_other_length_is_refused_in_the_same_words() -> None:
    issued = CODEC.issue(TOKEN)
    for length in range(len(issued)):
        assert _refusal(issued[:length]).message == UNIFORM
    for longer in (issued + b"\x00", b"\x00" + issued, issued * 2, bytes(6144)):
        assert _refusal(longer).message == UNIFORM


@settings(deadline=None)
@given(token=st.one_of(st.binary(), st.binary(min_size=TOKEN_BYTES, max_size=TOKEN_BYTES)))
def test_arbitrary_bytes_are_refused_in_the_same_words(token: bytes) -> None:
    assert _refusal(token).message == UNIFORM


def test_a_token_of_another_installation_is_refused_in_the_same_words() -> None:
    assert _refusal(ImportTokenCodec(Secret.generate(32)).issue(TOKEN)).message == UNIFORM


def test_parts_of_two_issued_tokens_make_no_third() -> None:
    one, other = CODEC.issue(TOKEN), CODEC.issue(generate_import_token(OTHER_KEY_ID, NOW))
    for cut in (17, 34, 42):
        assert _refusal(one[:cut] + other[cut:]).message == UNIFORM


@pytest.mark.parametrize(("position", "value"), [(0, 0), (0, 2), (17, 2)])
def test_a_format_that_this_version_does_not_know_is_refused_even_if_it_is_authentic(
    position: int, value: int
) -> None:
    content = bytearray(CODEC.issue(TOKEN)[:42])
    content[position] = value
    key = derive_key(INSTALLATION, b"keyferry import token v1")
    tag = hmac.digest(key.reveal(), bytes(content), "sha256")
    assert _refusal(bytes(content) + tag).message == UNIFORM


def test_a_refusal_shows_neither_reason_nor_key() -> None:
    refusal = _refusal(CODEC.issue(TOKEN)[:-1])
    assert refusal.__context__ is None
    assert "GetParametersForImport" in refusal.message
    assert not shows(shown_by(refusal), INSTALLATION.reveal())
    assert not shows(shown_by(refusal), derive_key(INSTALLATION, b"keyferry import token v1").reveal())


def test_a_token_lives_for_24_hours() -> None:
    assert timedelta(hours=24) == LIFETIME
    assert TOKEN.valid_to == NOW + timedelta(hours=24)


def test_each_generated_token_has_its_own_id() -> None:
    assert len({generate_import_token(KEY_ID, NOW).token_id for _ in range(100)}) == 100


def test_a_token_of_this_key_is_admitted_until_its_last_microsecond() -> None:
    check(TOKEN, KEY_ID, NOW)
    check(TOKEN, KEY_ID, TOKEN.valid_to - timedelta(microseconds=1))


@pytest.mark.parametrize("late", [timedelta(0), timedelta(microseconds=1), timedelta(days=400)])
def test_a_token_is_expired_from_its_valid_to_on(late: timedelta) -> None:
    with pytest.raises(ExpiredImportTokenException, match="GetParametersForImport again"):
        check(TOKEN, KEY_ID, TOKEN.valid_to + late)


@pytest.mark.parametrize("now", [NOW, TOKEN.valid_to])
def test_a_token_of_another_key_is_invalid_expired_or_not(now: datetime) -> None:
    with pytest.raises(InvalidImportTokenException, match="another KMS key"):
        check(TOKEN, OTHER_KEY_ID, now)


def test_time_zones_do_not_matter_to_a_token() -> None:
    there = TOKEN.valid_to.astimezone(timezone(timedelta(hours=9)))
    check(TOKEN, KEY_ID, there - timedelta(seconds=1))
    with pytest.raises(ExpiredImportTokenException):
        check(TOKEN, KEY_ID, there)


@pytest.mark.parametrize(
    ("token_id", "valid_to"),
    [(b"", NOW), (bytes(15), NOW), (bytes(17), NOW), (bytes(16), NOW.replace(tzinfo=None))],
)
def test_an_ill_formed_token_is_not_made(token_id: bytes, valid_to: datetime) -> None:
    with pytest.raises(ValueError, match="token"):
        ImportToken(token_id, KEY_ID, valid_to)
