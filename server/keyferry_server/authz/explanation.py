"""What a decision rests on, for people: the reason in words, and the statements or the grant that decide."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from keyferry_server.authz.conditions import Conditions
from keyferry_server.authz.decision import Decision
from keyferry_server.authz.policy.document import Statement
from keyferry_server.domain.grant import GrantConstraints, GrantTerms
from keyferry_server.domain.letter_case import fold, values_of

_ENCRYPTION_CONTEXT = "kms:encryptioncontext:"
_ENCRYPTION_CONTEXT_KEYS = "kms:encryptioncontextkeys"


class DeciderKind(StrEnum):
    """Where something that decides comes from."""

    KEY_POLICY = "KEY_POLICY"
    IDENTITY_POLICY = "IDENTITY_POLICY"
    GRANT = "GRANT"


@dataclass(frozen=True, slots=True)
class Decider:
    """A statement or a grant that decides. `name` is that of the identity policy, or the id of the grant."""

    kind: DeciderKind
    name: str | None = None
    statement: str | None = None
    sid: str | None = None


def deciders(decision: Decision) -> Iterator[Decider]:
    """Give what a decision rests on; nothing if nothing allows what was asked for."""
    if decision.key_statement is not None:
        yield _decider(DeciderKind.KEY_POLICY, None, decision.key_statement)
    if decision.policy_statement is not None:
        yield _decider(DeciderKind.IDENTITY_POLICY, decision.policy_name, decision.policy_statement)
    if decision.grant is not None:
        yield Decider(DeciderKind.GRANT, decision.grant.grant_id)


def _decider(kind: DeciderKind, name: str | None, statement: Statement) -> Decider:
    return Decider(kind, name, statement.place, statement.sid)


class NothingAsked:
    """A request that says nothing of itself."""

    encryption_context: Mapping[str, str] | None = None
    grant_terms: GrantTerms | None = None

    def values(self, _: str) -> Sequence[str]:
        """Return no values."""
        return ()


@dataclass(frozen=True, slots=True)
class Supposition:
    """A request that was not made: what it would say, by its encryption context and by condition key.

    What is not supposed is as in `actual`. A grant that CreateGrant would be asked
    for is the least there can be: without operations, for that encryption context.
    """

    context: Mapping[str, str]
    supposed: Mapping[str, Sequence[str]]
    actual: Conditions

    def values(self, key: str) -> Sequence[str]:
        """Return the values of a condition key, which is written in lower case."""
        for name, values in self.supposed.items():
            if fold(name) == key:
                return values
        if key == _ENCRYPTION_CONTEXT_KEYS:
            return tuple(self.context)
        if key.startswith(_ENCRYPTION_CONTEXT):
            return values_of(self.context, key.removeprefix(_ENCRYPTION_CONTEXT))
        return self.actual.values(key)

    @property
    def encryption_context(self) -> Mapping[str, str] | None:
        """The encryption context that it would have."""
        return self.context

    @property
    def grant_terms(self) -> GrantTerms | None:
        """The terms of the grant that it would ask for."""
        return GrantTerms(frozenset(), GrantConstraints(equals=self.context))
