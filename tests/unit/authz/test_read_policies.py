"""What is remembered of policies that were read: by how much text, and of those that decide only."""

from unit.authz.questions import parsed, policy, statement

from keyferry_server.authz.policy import parser
from keyferry_server.authz.policy.parser import Kind, parse_policy, read_policy
from keyferry_server.operations.put_key_policy import check_key_policy

TEXTS = [policy(statement(Sid=f"S{number}")) for number in range(4)]


def test_a_policy_that_decides_is_read_once() -> None:
    assert parse_policy(TEXTS[0], Kind.KEY_POLICY) is parse_policy(TEXTS[0], Kind.KEY_POLICY)
    assert parsed(statement()) == read_policy(policy(statement()), Kind.KEY_POLICY)


def test_the_same_text_is_another_document_for_another_kind() -> None:
    text = policy(statement(Principal=None))
    assert parse_policy(text, Kind.IDENTITY_POLICY) == read_policy(text, Kind.IDENTITY_POLICY)


def test_what_was_read_longest_ago_is_forgotten_when_the_texts_get_too_long() -> None:
    documents = parser._Documents(sum(map(len, TEXTS[:3])))
    first, second, third = (documents.read(text, Kind.KEY_POLICY) for text in TEXTS[:3])
    assert documents.read(TEXTS[0], Kind.KEY_POLICY) is first
    documents.read(TEXTS[3], Kind.KEY_POLICY)
    assert documents.read(TEXTS[0], Kind.KEY_POLICY) is first
    assert documents.read(TEXTS[2], Kind.KEY_POLICY) is third
    assert documents.read(TEXTS[1], Kind.KEY_POLICY) is not second


def test_a_policy_that_is_only_asked_for_is_not_remembered() -> None:
    before = len(parser._documents._documents)
    check_key_policy(policy(statement(Sid="OnlyAskedFor")))
    assert len(parser._documents._documents) == before
