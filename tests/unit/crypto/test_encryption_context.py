import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyferry_server.domain.encryption_context import encode_encryption_context
from keyferry_server.domain.errors import ValidationException

CONTEXTS = st.dictionaries(st.text(), st.text(), max_size=5)
# Few letters, so that contexts which only differ in where their parts end are common.
CROWDED_CONTEXTS = st.dictionaries(st.text("ab\0", max_size=3), st.text("ab\0", max_size=3), max_size=3)


@settings(deadline=None, max_examples=1000)
@given(one=st.one_of(CONTEXTS, CROWDED_CONTEXTS), other=st.one_of(CONTEXTS, CROWDED_CONTEXTS))
def test_distinct_contexts_never_share_associated_data(one: dict[str, str], other: dict[str, str]) -> None:
    assert (encode_encryption_context(one) == encode_encryption_context(other)) == (one == other)


@settings(deadline=None, max_examples=1000)
@given(one=CROWDED_CONTEXTS, other=CROWDED_CONTEXTS)
def test_no_context_is_the_beginning_of_another(one: dict[str, str], other: dict[str, str]) -> None:
    if one != other:
        assert not encode_encryption_context(one).startswith(encode_encryption_context(other))


@settings(deadline=None)
@given(context=CONTEXTS, data=st.data())
def test_the_order_of_pairs_does_not_matter(context: dict[str, str], data: st.DataObject) -> None:
    shuffled = dict(data.draw(st.permutations(list(context.items()))))
    assert encode_encryption_context(shuffled) == encode_encryption_context(context)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"ab": "c"}, {"a": "bc"}),
        ({"a": "b", "c": "d"}, {"a": "bcd"}),
        ({"a": ""}, {}),
        ({"": ""}, {}),
        ({"a": "b"}, {"b": "a"}),
        ({"a": "b"}, {"A": "b"}),
        ({"é": ""}, {"e\u0301": ""}),
    ],
)
def test_contexts_that_look_alike_differ(one: dict[str, str], other: dict[str, str]) -> None:
    assert encode_encryption_context(one) != encode_encryption_context(other)


def test_the_layout_is_the_documented_one() -> None:
    assert encode_encryption_context({}) == bytes(4)
    assert encode_encryption_context({"tenant": "42", "é": ""}).hex() == (
        "000000020000000674656e616e7400000002343200000002c3a900000000"
    )


def test_pairs_are_sorted_by_bytes_and_not_by_utf_16_units() -> None:
    encoded = encode_encryption_context({"\U00010000": "", "\uffff": ""})
    assert encoded.index("\uffff".encode()) < encoded.index("\U00010000".encode())


@pytest.mark.parametrize("context", [{"\ud800": ""}, {"a": "\udfff"}])
def test_what_is_not_unicode_text_is_a_validation_error_that_does_not_quote_it(
    context: dict[str, str],
) -> None:
    with pytest.raises(ValidationException, match="encryptionContext") as caught:
        encode_encryption_context(context)
    assert caught.value.violations[0].field == "encryptionContext"
    caught.value.message.encode()
