import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.crypto.leaks import shown_by, shows

from keyferry_server.crypto.root_key import RootKeyMismatchError, UnknownRootKeyVersionError
from keyferry_server.crypto.root_key.aes import AesRootKey
from keyferry_server.crypto.sealing import Place, Sealer
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import KMSInternalException

KEY = Secret.generate(32)
SEALER = Sealer(AesRootKey({1: KEY}))
PLACE = Place("key_material", "1234abcd-12ab-34cd-56ef-1234567890ab", "key material")
CONTENT = Secret(bytes(range(64, 96)))
MESSAGE = "A stored secret could not be opened. The operator must look into it."


def _refusal(sealed: bytes, place: Place = PLACE, sealer: Sealer = SEALER) -> KMSInternalException:
    with pytest.raises(KMSInternalException) as caught:
        sealer.unseal(sealed, place)
    return caught.value


@settings(deadline=None)
@given(content=st.binary(max_size=3000), table=st.text(), row=st.text(), purpose=st.text())
def test_what_was_sealed_for_a_place_unseals_there(
    content: bytes, table: str, row: str, purpose: str
) -> None:
    place = Place(table, row, purpose)
    assert SEALER.unseal(SEALER.seal(Secret(content), place), place).reveal() == content


def test_the_content_is_not_in_what_is_stored() -> None:
    assert CONTENT.reveal()[:8] not in SEALER.seal(CONTENT, PLACE)


def test_the_same_secret_is_sealed_differently_each_time() -> None:
    assert SEALER.seal(CONTENT, PLACE) != SEALER.seal(CONTENT, PLACE)


@pytest.mark.parametrize(
    "place",
    [
        Place("wrapping_key", PLACE.row, PLACE.purpose),
        Place(PLACE.table, "1234abcd-12ab-34cd-56ef-1234567890ac", PLACE.purpose),
        Place(PLACE.table, PLACE.row, "private key"),
        Place(PLACE.table + PLACE.row[0], PLACE.row[1:], PLACE.purpose),
        Place(PLACE.table, "", PLACE.row + PLACE.purpose),
    ],
)
def test_a_sealed_secret_does_not_open_in_another_place(place: Place) -> None:
    assert _refusal(SEALER.seal(CONTENT, PLACE), place).message == MESSAGE


@settings(deadline=None)
@given(one=st.tuples(st.text(), st.text(), st.text()), other=st.tuples(st.text(), st.text(), st.text()))
def test_two_places_have_the_same_bytes_only_if_they_are_the_same(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assert (Place(*one).encode() == Place(*other).encode()) == (one == other)


@settings(deadline=None)
@given(parts=st.tuples(st.text(), st.text(), st.text()), shift=st.integers(0, 10))
def test_moving_a_character_between_the_parts_of_a_place_changes_its_bytes(
    parts: tuple[str, str, str], shift: int
) -> None:
    joined = "".join(parts)
    cut = min(shift, len(joined))
    shifted = (joined[:cut], joined[cut:], "")
    assert (Place(*shifted).encode() == Place(*parts).encode()) == (shifted == parts)


def test_one_flipped_bit_in_any_byte_is_refused_in_the_same_words() -> None:
    sealed = SEALER.seal(CONTENT, PLACE)
    for position in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[position] ^= 1 << position % 8
        assert _refusal(bytes(damaged)).message == MESSAGE


@pytest.mark.parametrize("length", range(5 + 12 + 16))
def test_a_truncated_secret_is_refused(length: int) -> None:
    assert _refusal(SEALER.seal(CONTENT, PLACE)[:length]).message == MESSAGE


@settings(deadline=None)
@given(sealed=st.binary(max_size=100))
def test_arbitrary_bytes_are_refused_in_the_same_words(sealed: bytes) -> None:
    assert _refusal(sealed).message == MESSAGE


def test_the_version_in_the_header_is_authenticated() -> None:
    twice = Sealer(AesRootKey({1: KEY, 2: KEY}))
    sealed = bytearray(SEALER.seal(CONTENT, PLACE))
    sealed[4] = 2
    assert _refusal(bytes(sealed), sealer=twice).message == MESSAGE


def test_a_format_that_this_version_does_not_know_is_refused_even_if_it_is_authentic() -> None:
    header = b"\x02\x00\x00\x00\x01"
    sealed = header + AesRootKey({1: KEY}).encrypt(1, CONTENT.reveal(), header + PLACE.encode())
    assert _refusal(sealed).message == MESSAGE


def test_a_refusal_shows_neither_reason_nor_secret() -> None:
    refusals = [
        _refusal(SEALER.seal(CONTENT, PLACE)[:-1]),
        _refusal(SEALER.seal(CONTENT, PLACE), sealer=Sealer(AesRootKey({1: Secret.generate(32)}))),
        _refusal(SEALER.seal(CONTENT, PLACE), sealer=Sealer(AesRootKey({2: KEY}))),
    ]
    for refusal in refusals:
        assert refusal.message == MESSAGE
        assert refusal.__cause__ is None
        assert refusal.__context__ is None
        for secret in (CONTENT, KEY):
            assert not shows(shown_by(refusal), secret.reveal())


def test_secrets_sealed_before_a_rotation_still_open() -> None:
    rotated = Sealer(AesRootKey({1: KEY, 2: Secret.generate(32)}))
    assert rotated.unseal(SEALER.seal(CONTENT, PLACE), PLACE).reveal() == CONTENT.reveal()
    assert rotated.seal(CONTENT, PLACE)[:5] == b"\x01\x00\x00\x00\x02"


def test_at_start_the_operator_is_told_what_is_wrong() -> None:
    sealed = SEALER.seal(CONTENT, PLACE)
    assert SEALER.unseal_at_start(sealed, PLACE).reveal() == CONTENT.reveal()
    with pytest.raises(RootKeyMismatchError, match="another installation"):
        Sealer(AesRootKey({1: Secret.generate(32)})).unseal_at_start(sealed, PLACE)
    with pytest.raises(UnknownRootKeyVersionError, match="version 1"):
        Sealer(AesRootKey({2: KEY})).unseal_at_start(sealed, PLACE)
