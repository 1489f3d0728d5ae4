"""What is valid in a policy document and yet can decide about nothing: names that there are not, mostly misspelt."""

from collections.abc import Iterator, Sequence

from keyferry_server.authz.conditions import OF_CALL, OF_KEY
from keyferry_server.authz.explanation import NothingAsked
from keyferry_server.authz.permission import Permission
from keyferry_server.authz.policy.document import Document, Statement
from keyferry_server.authz.policy.patterns import Limited, Pattern, Variable, Wildcard
from keyferry_server.domain.letter_case import fold
from keyferry_server.wire.condition_keys import TABLE, ConditionKeys, FoundOutKeys

_OURS = "kms:"
_PERMISSIONS = tuple(map(fold, Permission))
_ROWS = tuple(row for rows in TABLE.values() for row in rows)
_FAMILIES = tuple(fold(row.name) for row in _ROWS if isinstance(row, ConditionKeys | FoundOutKeys))
_KEYS = frozenset(fold(name) for name in (*OF_CALL, *OF_KEY, *(row.name for row in _ROWS)))


def doubts(document: Document) -> Iterator[str]:
    """Say one line for each name, in lower case, that no request has: actions, and condition keys of our own."""
    for statement in document.statements:
        for action in statement.actions.patterns:
            if not _is_action(action):
                yield f"{statement.place}: there is no action {_text(action)}"
        for key in _condition_keys(statement):
            if key.startswith(_OURS) and key not in _KEYS and not key.startswith(_FAMILIES):
                yield f"{statement.place}: there is no condition key {key}"


def _is_action(action: Pattern) -> bool:
    # A variable may stand for anything.
    return bool(action.keys) or any(action.matches(one, Limited(NothingAsked())) for one in _PERMISSIONS)


def _condition_keys(statement: Statement) -> Sequence[str]:
    asked = [condition.keys for condition in statement.conditions]
    asked += [resource.keys for resource in statement.resources.patterns]
    return sorted(frozenset().union(*asked))


def _text(pattern: Pattern) -> str:
    return "".join(_shown(token) for token in pattern.tokens)


def _shown(token: str | Wildcard | Variable) -> str:
    if isinstance(token, Wildcard):
        return token.value
    return f"${{{token.key}}}" if isinstance(token, Variable) else token
