"""The element Condition: every condition must hold; within one, any of its values will do.

1. A condition names a condition key; case does not count in it.
2. A key that the request does not have makes a condition false. A negated operator
   makes it true; so do ...IfExists and ForAllValues:.
3. Without a set operator, one value of the request that matches is enough; a negated
   operator wants that none does.
4. ForAnyValue: wants one value of the request for which it holds, ForAllValues: all.
5. Null tells whether the key is there.
"""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from keyferry_server.authz.policy.operators import NULL, Operator
from keyferry_server.authz.policy.patterns import TEXT_OF_ONE_STEP, Context, Pattern


class SetOperator(Enum):
    """How several values of the request count."""

    FOR_ALL_VALUES = "ForAllValues"
    FOR_ANY_VALUE = "ForAnyValue"


# These hold one value at most, so ForAllValues is true for every request without it: AWS refuses it, too.
SINGLE_VALUED = ("kms:encryptioncontext:", "aws:requesttag/")


@dataclass(frozen=True)
class Condition:
    """One operator with one condition key, in lower case, and the operands that the policy lists."""

    operator: Operator
    key: str
    operands: tuple[Any, ...]
    set_operator: SetOperator | None = None
    if_exists: bool = False

    def holds(self, context: Context) -> bool:
        """Tell whether it holds in a request."""
        values = context.values(self.key)
        if self.operator is NULL:
            is_missing = "false" if values else "true"
            return self._matches(is_missing, context)
        if not values:
            if self.if_exists or self.set_operator is SetOperator.FOR_ALL_VALUES:
                return True
            return self.operator.is_negated and self.set_operator is None
        holding = (self._matches(value, context) is not self.operator.is_negated for value in values)
        if self.set_operator is SetOperator.FOR_ALL_VALUES:
            return all(holding)
        if self.set_operator is SetOperator.FOR_ANY_VALUE or not self.operator.is_negated:
            return any(holding)
        return all(holding)

    @property
    def keys(self) -> frozenset[str]:
        """The condition keys that it asks for, those of its variables too."""
        variables = (key for operand in self.operands for key in _variables(operand))
        return frozenset((self.key, *variables))

    @cached_property
    def _texts(self) -> frozenset[str]:
        """The operands that stand for one text and nothing else: however many, they take one look."""
        return frozenset(text for text in map(_only_text, self.operands) if text is not None)

    @cached_property
    def _others(self) -> tuple[Any, ...]:
        return tuple(operand for operand in self.operands if _only_text(operand) is None)

    def _matches(self, value: str, context: Context) -> bool:
        if value in self._texts:
            return True
        context.spend(len(self._others) * (1 + len(value) // TEXT_OF_ONE_STEP))
        return any(self.operator.matches(operand, value, context) for operand in self._others)


def _only_text(operand: Any) -> str | None:
    return operand.literal if isinstance(operand, Pattern) and not operand.ignores_case else None


def _variables(operand: Any) -> frozenset[str]:
    if isinstance(operand, Pattern):
        return operand.keys
    if isinstance(operand, tuple):
        return frozenset(key for part in operand for key in part.keys)
    return frozenset()
