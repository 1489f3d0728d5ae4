"""The page of permissions: what each operation needs, and by which condition keys policies can decide about it."""

from collections.abc import Iterator

from contract import Contract

from keyferry_server.authz.conditions import OF_CALL, OF_KEY, RESOURCE_TAG
from keyferry_server.authz.permission import ACROSS_ACCOUNTS, WITHOUT_KEY, Permission
from keyferry_server.domain.grant import GrantOperation
from keyferry_server.wire.condition_keys import condition_keys

_SERVICE = "kms:"
_ALIASES = {Permission.CREATE_ALIAS, Permission.DELETE_ALIAS, Permission.UPDATE_ALIAS}


def permissions_page(contract: Contract) -> str:
    """Return the page."""
    return "\n".join([*_head(), *_of_every_call(), *_of_operations(contract)])


def _decided_by(permission: str) -> str:
    if permission in WITHOUT_KEY:
        return "identity policies"
    if permission == Permission.RETIRE_GRANT:
        return "the grant"
    if permission in _ALIASES:
        return "key policy; identity policies for the alias"
    return "key policy"


def _head() -> Iterator[str]:
    yield "# Permissions and condition keys"
    yield ""
    yield "What each operation needs, and by which condition keys policies can decide about it. [Policies](../policies.md)"
    yield "says what policies are and how a call is decided. In the names of condition keys, case does not count."
    yield ""


def _of_every_call() -> Iterator[str]:
    yield "## Of every call"
    yield ""
    yield ", ".join(f"`{name}`" for name in sorted(OF_CALL)) + "."
    yield ""
    yield "## Of every operation on a key"
    yield ""
    yield ", ".join(f"`{name}`" for name in sorted([*OF_KEY, f"{RESOURCE_TAG}TAG-KEY"])) + "."
    yield ""


def _of_operations(contract: Contract) -> Iterator[str]:
    yield "## Of each operation"
    yield ""
    yield "*Decided by* says which policies can allow it: key policies together with identity policies, or identity policies"
    yield "alone. *Across accounts* says whether a key of another account can be used; *by grant* whether a grant can allow it."
    yield ""
    yield "| operation | permission | decided by | across accounts | by grant | condition keys of its own |"
    yield "|---|---|---|---|---|---|"
    grantable = {f"{_SERVICE}{operation}" for operation in GrantOperation}
    for operation in sorted(contract.operations, key=lambda one: one.name):
        for permission in operation.route.permissions:
            cells = (
                f"[{operation.name}]({operation.name}.md)",
                f"`{permission}`",
                _decided_by(permission),
                "yes" if permission in ACROSS_ACCOUNTS else "no",
                "yes" if permission in grantable else "no",
                ", ".join(f"`{name}`" for name in condition_keys(permission)),
            )
            yield f"| {' | '.join(cells)} |"
    yield ""
