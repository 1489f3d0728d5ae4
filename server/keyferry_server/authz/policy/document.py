"""Statements, and what a whole document says about a question. The order of statements does not matter."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from keyferry_server.authn.caller import Principal
from keyferry_server.authz.policy.conditions import Condition
from keyferry_server.authz.policy.patterns import Context, Pattern
from keyferry_server.authz.policy.principals import Naming, Principals
from keyferry_server.domain.letter_case import fold


class Effect(Enum):
    """What a statement does when it applies."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Question:
    """May `caller` do `action` with `resource`, an ARN or `*`, in a request that says `context` of itself?"""

    caller: Principal
    action: str
    resource: str
    context: Context


@dataclass(frozen=True, slots=True)
class Listed:
    """What an element lists, or, for the element with Not before its name, everything else."""

    patterns: tuple[Pattern, ...]
    is_not: bool

    def holds(self, text: str, context: Context) -> bool:
        """Tell whether a text is meant."""
        return any(pattern.matches(text, context) for pattern in self.patterns) is not self.is_not


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `principals` is None in an identity policy, which is about whom it is attached to.

    `place` is where it stands in its document, as in Statement[0].
    """

    place: str
    sid: str | None
    effect: Effect
    principals: Principals | None
    spares_principals: bool
    actions: Listed
    resources: Listed
    conditions: tuple[Condition, ...]

    def naming(self, question: Question) -> Naming:
        """Tell how the statement names the caller of a question that it applies to; NOT if it does not apply."""
        naming = self._names(question.caller)
        if (
            naming is Naming.NOT
            or not self.actions.holds(fold(question.action), question.context)
            or not self.resources.holds(question.resource, question.context)
            or not all(condition.holds(question.context) for condition in self.conditions)
        ):
            return Naming.NOT
        return naming

    def _names(self, caller: Principal) -> Naming:
        if self.principals is None:
            return Naming.ITSELF
        if self.spares_principals:
            return Naming.NOT if self.principals.spare(caller) else Naming.ITSELF
        return self.principals.naming(caller)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The first statements of a document that deny, that allow, and that leave it to the caller's account."""

    denies: Statement | None = None
    allows: Statement | None = None
    delegates: Statement | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A policy document whose every statement was read and checked."""

    statements: tuple[Statement, ...]

    def judge(self, question: Question) -> Verdict:
        """Return what the document says. Any denial ends the matter."""
        allows = delegates = None
        for statement in self.statements:
            if statement.effect is Effect.ALLOW and allows is not None:
                continue
            naming = statement.naming(question)
            if naming is Naming.NOT:
                continue
            if statement.effect is Effect.DENY:
                return Verdict(denies=statement)
            if naming is Naming.ITSELF:
                allows = statement
            elif delegates is None:
                delegates = statement
        return Verdict(allows=allows, delegates=delegates)

    @property
    def condition_keys(self) -> frozenset[str]:
        """The condition keys, in lower case, that the document asks for."""
        return frozenset(_condition_keys(self.statements))


def _condition_keys(statements: Iterable[Statement]) -> Iterable[str]:
    for statement in statements:
        for condition in statement.conditions:
            yield from condition.keys
        for listed in (statement.actions, statement.resources):
            for pattern in listed.patterns:
                yield from pattern.keys
