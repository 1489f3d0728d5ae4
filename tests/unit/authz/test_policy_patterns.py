"""Wildcards and policy variables: what fits, what does not, and that nobody can make it slow."""

import fnmatch
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.authz.questions import Values

from keyferry_server.authz.policy.patterns import LONGEST_TEXT, MOST_STEPS, Limited, parse_pattern
from keyferry_server.domain.errors import AccessDeniedException
from keyferry_server.domain.letter_case import fold


class CountedText(str):  # noqa: SLOT000 -- it counts
    """A text that counts how often one of its characters is looked at."""

    looked_at = 0

    def __getitem__(self, at: Any) -> str:
        self.looked_at += 1
        return super().__getitem__(at)


def nothing() -> Limited:
    return Limited(Values({}))


def matches(pattern: str, text: str, *, variables: bool = True, **values: list[str]) -> bool:
    context = Limited(Values({name.replace("_", ":"): value for name, value in values.items()}))
    return parse_pattern(pattern, wildcards=True, variables=variables).matches(text, context)


@pytest.mark.parametrize(
    ("pattern", "fits", "misfits"),
    [
        ("", [""], ["a"]),
        ("abc", ["abc"], ["ab", "abcd", "ABC", "abc\n", ""]),
        ("*", ["", "a", "a:b/c\n"], []),
        ("a*", ["a", "ab", "a\nb"], ["", "ba"]),
        ("*a", ["a", "ba"], ["", "ab"]),
        ("a*a", ["aa", "aba"], ["a", "ab"]),
        ("?", ["a", ":", "\n"], ["", "ab"]),
        ("a?c", ["abc", "a?c"], ["ac", "abbc"]),
        ("?*?", ["ab", "abc"], ["", "a"]),
        ("a*b*c", ["abc", "a-b-c", "abbcc"], ["acb", "ab", "a-c-b"]),
        ("*ab*ab*", ["abab", "-ab-ab-"], ["ab", "aba"]),
        ("kms:??crypt", ["kms:decrypt", "kms:encrypt"], ["kms:crypt", "kms:reencrypt"]),
        ("**", ["", "a"], []),
        ("[a-z].+", ["[a-z].+"], ["a.+"]),
    ],
)
def test_a_pattern_fits_the_whole_text_or_not_at_all(
    pattern: str, fits: list[str], misfits: list[str]
) -> None:
    assert [text for text in fits if not matches(pattern, text)] == []
    assert [text for text in misfits if matches(pattern, text)] == []


@settings(max_examples=150, deadline=None)
@given(st.text("ab*?", max_size=8), st.text("ab", max_size=12))
def test_wildcards_mean_what_they_mean_in_file_names(pattern: str, text: str) -> None:
    assert matches(pattern, text) == (re.fullmatch(fnmatch.translate(pattern), text) is not None)


def test_a_pattern_that_would_keep_a_regular_expression_busy_for_ever_is_answered() -> None:
    pattern = parse_pattern("*a" * 1000 + "*b", wildcards=True, variables=False)
    assert not pattern.matches("a" * 100_000, nothing())


def test_a_long_pattern_goes_through_a_long_text_once() -> None:
    pattern = parse_pattern("*" + "a?" * 1000 + "b*", wildcards=True, variables=False)
    text = CountedText("a" * 60_000)
    assert not pattern.matches(text, nothing())
    assert text.looked_at <= len(text)


def test_a_decision_that_would_take_too_many_steps_is_a_denial() -> None:
    pattern = parse_pattern("*" + "a?" * 1000 + "b*", wildcards=True, variables=False)
    context = nothing()
    for _ in range(MOST_STEPS // 70_000):
        assert not pattern.matches("a" * 60_000, context)
    context.spend(60_000)
    with pytest.raises(AccessDeniedException, match="too long for the conditions"):
        pattern.matches("a" * 60_000, context)


def test_a_variable_stands_for_the_one_value_of_its_condition_key() -> None:
    assert matches("home/${aws:username}/x", "home/alice/x", aws_username=["alice"])
    assert not matches("home/${aws:username}/x", "home/bob/x", aws_username=["alice"])
    assert matches("${AWS:UserName}", "alice", aws_username=["alice"])
    assert matches("${aws:username}-${aws:username}", "a-a", aws_username=["a"])


def test_a_variable_without_a_value_or_with_several_fits_nothing() -> None:
    for text in ("", "${aws:username}", "alice", "bob"):
        assert not matches("${aws:username}", text)
        assert not matches("${aws:username}", text, aws_username=["alice", "bob"])
        assert not matches("*${aws:username}*", text)


def test_a_variable_takes_its_default_without_a_value() -> None:
    assert matches("${aws:username, 'nobody'}", "nobody")
    assert matches("${aws:username,''}", "")
    assert not matches("${aws:username, 'nobody'}", "nobody", aws_username=["alice"])


def test_a_wildcard_in_the_value_of_a_variable_is_a_character() -> None:
    assert matches("${aws:username}", "*", aws_username=["*"])
    assert not matches("${aws:username}", "alice", aws_username=["*"])
    assert matches("${aws:username}*", "?x", aws_username=["?"])
    assert not matches("${aws:username}*", "ax", aws_username=["?"])
    assert not matches("${aws:username}", "alice", aws_username=["${aws:username}"])


def test_the_characters_with_a_meaning_can_be_written_as_they_are() -> None:
    assert matches("${*}${?}${$}", "*?$")
    assert not matches("${*}", "a")


def test_without_variables_they_are_characters() -> None:
    assert matches("${aws:username}", "${aws:username}", variables=False, aws_username=["alice"])
    assert matches("${a*}", "${abc}", variables=False)


@pytest.mark.parametrize(
    "text", ["${", "a${b", "${}", "${a b}", "${aws:username, nobody}", "${ä}", "a" * (LONGEST_TEXT + 1)]
)
def test_a_text_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(?:has a policy variable|is longer)"):
        parse_pattern(text, wildcards=True, variables=True)


def test_a_dollar_or_a_brace_alone_is_a_character() -> None:
    for text in ("$", "a$b", "{", "}", "$}{", "{aws:username}"):
        assert matches(text, text)


def test_only_letters_of_ascii_have_a_case() -> None:
    assert fold("AZ\u212aİÄ") == "az\u212aİÄ"
    assert parse_pattern("KEY", wildcards=False, variables=False, ignores_case=True).matches("kEy", nothing())
    assert not parse_pattern("key", wildcards=False, variables=False, ignores_case=True).matches(
        "\u212aey", nothing()
    )
