"""Asking who may do what: what ExplainAccess and the operator's `policy explain` share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from keyferry_server.authz.admission import access_to_key
from keyferry_server.authz.conditions import Circumstances, Conditions
from keyferry_server.authz.decision import Access, Decision, decide
from keyferry_server.authz.explanation import NothingAsked, Supposition
from keyferry_server.authz.permission import WITHOUT_KEY, Permission
from keyferry_server.domain.errors import ValidationException, shown
from keyferry_server.domain.key import GuardedKey
from keyferry_server.operations.gate import Gate
from keyferry_server.storage.grant_store import GrantStore


def parse_action(text: str) -> Permission:
    """Return the permission of that name; ValidationException if there is none, or if no policy decides about it."""
    try:
        permission = Permission(text)
    except ValueError:
        raise ValidationException(f"There is no permission {shown(text)}, as kms:Decrypt is one.") from None
    if permission is Permission.RETIRE_GRANT:
        raise ValidationException("Who may retire a grant is said by the grant: ListGrants shows it.")
    return permission


@dataclass(frozen=True, slots=True)
class AccessQuestions:
    """Decides about requests that were not made, as it would about real ones."""

    gate: Gate
    grants: GrantStore

    async def ask(
        self,
        key: GuardedKey,
        permission: Permission,
        circumstances: Circumstances,
        context: Mapping[str, str],
        supposed: Mapping[str, Sequence[str]],
    ) -> Decision:
        """Return what would be decided about the caller in `circumstances`."""
        caller = circumstances.caller
        standing = await self.gate.standing(caller)
        grants = await self.grants.of_grantees(key.identifier, (caller.arn, caller.root_arn))
        conditions = Supposition(context, supposed, Conditions(NothingAsked(), circumstances, key))
        if permission in WITHOUT_KEY:
            return decide(Access(caller, permission, "*", None, standing, conditions))
        return decide(access_to_key(caller, permission, key, replace(standing, grants=grants), conditions))
