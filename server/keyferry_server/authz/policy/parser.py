"""Reads policy documents and checks all of them: MalformedPolicyDocumentException names the place and what would be right.

What a document has:

1. Version (2012-10-17 or 2008-10-17, which has no policy variables), Id, Statement.
2. A statement has Effect; Action or NotAction; Resource or NotResource; maybe Sid
   and Condition. In a key policy it has Principal or, if it denies, NotPrincipal;
   in an identity policy neither.
3. Nothing else: a misspelled element would be one that is not applied.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable
from enum import Enum

from keyferry_server.authz.policy.conditions import SINGLE_VALUED, Condition, SetOperator
from keyferry_server.authz.policy.document import Document, Effect, Listed, Statement
from keyferry_server.authz.policy.json_reader import Node, read_json
from keyferry_server.authz.policy.operators import NULL, OPERATORS
from keyferry_server.authz.policy.patterns import Pattern, parse_pattern
from keyferry_server.authz.policy.principals import Principals
from keyferry_server.domain.errors import shown
from keyferry_server.domain.letter_case import fold
from keyferry_server.domain.principal import ACCOUNT_ID, PRINCIPAL_ARN

_WITH_VARIABLES = "2012-10-17"
_VERSIONS = ("2008-10-17", _WITH_VARIABLES)
_ACTION = re.compile(r"\*|[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+")
_CONDITION_KEY = re.compile(r"[a-zA-Z0-9-]+:[^\x00-\x1f]+")
_IF_EXISTS = "IfExists"
_ARN_PARTS = 6


class Kind(Enum):
    """What a document is attached to: a key, or a principal."""

    KEY_POLICY = "key policy"
    IDENTITY_POLICY = "identity policy"


class _Documents:
    """What was read last, by its text: no more than so many characters, each of which becomes some 40 bytes."""

    def __init__(self, most_characters: int) -> None:
        self._most_characters = most_characters
        self._characters = 0
        self._documents: OrderedDict[tuple[str, bool], Document] = OrderedDict()

    def read(self, text: str, kind: Kind) -> Document:
        # Not the kind itself: its hash is made in Python.
        key = (text, kind is Kind.KEY_POLICY)
        known = self._documents.get(key)
        if known is not None:
            self._documents.move_to_end(key)
            return known
        document = self._documents[key] = read_policy(text, kind)
        self._characters += len(text)
        while self._characters > self._most_characters:
            (forgotten, _), _ = self._documents.popitem(last=False)
            self._characters -= len(forgotten)
        return document


_documents = _Documents(2 * 1024 * 1024)


def parse_policy(text: str, kind: Kind) -> Document:
    """Return the document in `text`, one that decides: what was read lately is not read again."""
    return _documents.read(text, kind)


def read_policy(text: str, kind: Kind) -> Document:
    """Return the document in `text`, and remember nothing: anybody may have written it."""
    members = read_json(text).members()
    _check_names(Node("", None), members, required=("Statement",), optional=("Version", "Id"))
    version = members["Version"].text() if "Version" in members else _VERSIONS[0]
    if version not in _VERSIONS:
        members["Version"].refuse(f"must be one of {', '.join(_VERSIONS)}")
    if "Id" in members:
        members["Id"].text()
    reader = _StatementReader(kind, variables=version == _WITH_VARIABLES)
    return Document(tuple(reader.read(node) for node in members["Statement"].entries()))


class _StatementReader:
    """Reads the statements of one document."""

    def __init__(self, kind: Kind, *, variables: bool) -> None:
        self._kind = kind
        self._variables = variables

    def read(self, node: Node) -> Statement:
        members = node.members()
        is_of_key = self._kind is Kind.KEY_POLICY
        principal = ("Principal", "NotPrincipal") if is_of_key else ()
        _check_names(
            node,
            members,
            required=("Effect",),
            optional=("Sid", "Condition", "Action", "NotAction", "Resource", "NotResource", *principal),
        )
        effect = self._effect(members["Effect"])
        actions = self._one_of(node, members, "Action")
        resources = self._one_of(node, members, "Resource")
        principals = self._one_of(node, members, "Principal") if is_of_key else None
        spares_principals = "NotPrincipal" in members
        if spares_principals and effect is Effect.ALLOW:
            members["NotPrincipal"].refuse(
                "can only be used to deny: it would allow everybody but those listed"
            )
        return Statement(
            place=node.place,
            sid=members["Sid"].text() if "Sid" in members else None,
            effect=effect,
            principals=None if principals is None else _parse_principals(principals),
            spares_principals=spares_principals,
            actions=Listed(tuple(self._actions(actions)), "NotAction" in members),
            resources=Listed(tuple(self._resources(resources)), "NotResource" in members),
            conditions=tuple(self._conditions(members["Condition"])) if "Condition" in members else (),
        )

    def _effect(self, node: Node) -> Effect:
        try:
            return Effect(node.text())
        except ValueError:
            node.refuse("must be Allow or Deny")

    def _one_of(self, node: Node, members: dict[str, Node], name: str) -> Node:
        found = [members[one] for one in (name, f"Not{name}") if one in members]
        if len(found) != 1:
            node.refuse(f"must have exactly one of {name} and Not{name}")
        return found[0]

    def _actions(self, node: Node) -> Iterable[Pattern]:
        for entry, text in node.texts():
            if _ACTION.fullmatch(text) is None:
                entry.refuse(
                    f"must be an action, as in kms:Decrypt, kms:Generate* or *; it is {shown(text)!r}"
                )
            yield self._pattern(entry, fold(text))

    def _resources(self, node: Node) -> Iterable[Pattern]:
        for entry, text in node.texts():
            if text != "*" and not (text.startswith("arn:") and text.count(":") >= _ARN_PARTS - 1):
                entry.refuse(f"must be an ARN, which may have wildcards, or *; it is {shown(text)!r}")
            yield self._pattern(entry, text)

    def _pattern(self, node: Node, text: str) -> Pattern:
        try:
            return parse_pattern(text, wildcards=True, variables=self._variables)
        except ValueError as error:
            node.refuse(str(error))

    def _conditions(self, node: Node) -> Iterable[Condition]:
        for name, block in node.members().items():
            for key, operands in block.members().items():
                yield self._condition(block, name, key, operands)

    def _condition(self, block: Node, name: str, key: str, node: Node) -> Condition:
        prefix, separator, operator_name = name.rpartition(":")
        set_operator = None
        if separator:
            try:
                set_operator = SetOperator(prefix)
            except ValueError:
                block.refuse("is not an operator: only ForAllValues and ForAnyValue can stand before one")
        if_exists = operator_name.endswith(_IF_EXISTS)
        operator = OPERATORS.get(operator_name.removesuffix(_IF_EXISTS))
        if operator is None:
            block.refuse("is not a condition operator, as StringEquals is one")
        if operator is NULL and (if_exists or set_operator):
            block.refuse("cannot be: Null tells itself whether the condition key is there")
        if _CONDITION_KEY.fullmatch(key) is None:
            node.refuse("is not a condition key, as kms:EncryptionContextKeys is one")
        if set_operator is SetOperator.FOR_ALL_VALUES and fold(key).startswith(SINGLE_VALUED):
            node.refuse(
                "is overly permissive: ForAllValues with a single-valued condition key matches requests that do not "
                "have it, too. Remove ForAllValues"
            )
        operands = []
        for entry, text in node.scalars():
            try:
                operands.append(operator.prepare(text, self._variables))
            except ValueError as error:
                entry.refuse(str(error))
        return Condition(operator, fold(key), tuple(operands), set_operator, if_exists=if_exists)


def _parse_principals(node: Node) -> Principals:
    if node.value == "*":
        return Principals(everybody=True, arns=frozenset(), accounts=frozenset())
    members = node.members()
    if not members:
        node.refuse("must name somebody")
    _check_names(node, members, required=(), optional=("AWS", "Service", "Federated"))
    for name in ("Service", "Federated"):
        if name in members:
            list(members[name].texts())
    listed = list(members["AWS"].texts()) if "AWS" in members else []
    for entry, text in listed:
        if not (text == "*" or ACCOUNT_ID.fullmatch(text) or PRINCIPAL_ARN.fullmatch(text)):
            entry.refuse(
                "must be the ARN of a user, a role or an account's root, the 12 digits of an account, or *; "
                f"it is {shown(text)!r}"
            )
    texts = frozenset(text for _, text in listed)
    return Principals(
        everybody="*" in texts,
        arns=frozenset(text for text in texts if text.startswith("arn:")),
        accounts=frozenset(text for text in texts if ACCOUNT_ID.fullmatch(text)),
    )


def _check_names(
    node: Node, members: dict[str, Node], *, required: tuple[str, ...], optional: tuple[str, ...]
) -> None:
    known = (*required, *optional)
    for name in members:
        if name not in known:
            node.refuse(f"has the unknown element {shown(name)!r}; there can be {', '.join(known)}")
    for name in required:
        if name not in members:
            node.refuse(f"must have the element {name}")
