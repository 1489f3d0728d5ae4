"""Pagination markers: opaque to callers, and refused when they are not ours."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyferry_server.domain.errors import InvalidMarkerException
from keyferry_server.operations.list_aliases import ALIASES
from keyferry_server.operations.list_import_tokens import IMPORT_TOKENS
from keyferry_server.operations.list_keys import KEYS
from keyferry_server.operations.list_resource_tags import TAGS
from keyferry_server.wire.marker import PagedList

parse_marker, format_marker = KEYS.parse_marker, KEYS.format_marker


@given(st.uuids().map(str))
def test_a_marker_continues_after_the_key_that_it_was_made_for(key_id: str) -> None:
    assert parse_marker(format_marker(key_id)) == key_id


def test_a_marker_of_one_list_is_invalid_in_another() -> None:
    with pytest.raises(InvalidMarkerException):
        KEYS.parse_marker(IMPORT_TOKENS.format_marker("fc90f789-7650-4df4-9bed-edea3c397ab2"))


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=128))
def test_a_marker_of_tags_continues_after_any_tag_key_and_fits_the_contract(tag_key: str) -> None:
    marker = TAGS.format_marker(tag_key)
    assert TAGS.parse_marker(marker) == tag_key
    assert len(marker) <= 1024


def test_a_marker_of_aliases_continues_after_the_longest_name_and_fits_the_contract() -> None:
    name = "alias/" + "a" * 250
    marker = ALIASES.format_marker(name)
    assert ALIASES.parse_marker(marker) == name
    assert len(marker) <= 1024


@pytest.mark.parametrize(
    ("listing", "place"),
    [
        (TAGS, ""),
        (TAGS, "a\0"),
        (TAGS, "a" * 129),
        (ALIASES, "payroll"),
        (ALIASES, "alias/"),
        (ALIASES, "alias/\0"),
    ],
)
def test_a_marker_with_a_place_that_its_list_cannot_have_is_invalid(listing: PagedList, place: str) -> None:
    with pytest.raises(InvalidMarkerException):
        listing.parse_marker(listing.format_marker(place))


def test_a_marker_that_says_the_same_in_other_characters_is_invalid() -> None:
    marker = TAGS.format_marker("ab")
    assert marker == "dGFnczphYg=="
    with pytest.raises(InvalidMarkerException):
        TAGS.parse_marker("dGFnczphYh==")


def test_a_marker_does_not_show_the_key_id_and_fits_the_contract() -> None:
    key_id = "fc90f789-7650-4df4-9bed-edea3c397ab2"
    marker = format_marker(key_id)
    assert key_id not in marker
    assert 1 <= len(marker) <= 1024


@pytest.mark.parametrize(
    "marker",
    [
        "x",
        "====",
        "not base64!",
        "ключ",
        base64.urlsafe_b64encode(b"fc90f789-7650-4df4-9bed-edea3c397ab2").decode(),
        base64.urlsafe_b64encode(f"key:{'fc90f789-7650-4df4-9bed-edea3c397ab2'}".encode()).decode(),
        base64.urlsafe_b64encode("keys:é".encode()).decode(),
        format_marker("fc90f789-7650-4df4-9bed-edea3c397ab2")[:-1],
        format_marker("fc90f789-7650-4df4-9bed-edea3c397ab2") + "\n",
        "fc90f789-7650-4df4-9bed-edea3c397ab2",
    ],
)
def test_a_marker_that_is_not_ours_is_invalid(marker: str) -> None:
    with pytest.raises(InvalidMarkerException):
        parse_marker(marker)


@pytest.mark.parametrize("last", ["\0", "", "' OR 1=1 --", "1234abcd"])
def test_a_forged_marker_that_does_not_hold_a_key_id_is_invalid(last: str) -> None:
    with pytest.raises(InvalidMarkerException):
        parse_marker(format_marker(last))


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.urlsafe_b64encode(b"keys:" + raw).decode())))
def test_whatever_a_caller_sends_is_a_marker_or_an_invalid_marker(marker: str) -> None:
    try:
        last = parse_marker(marker)
    except InvalidMarkerException:
        return
    assert format_marker(last) == marker
