"""The decision whether a caller may do something. What is not allowed here is denied.

A principal may do everything with the keys of its own account, and nothing with
the keys of another; an anonymous caller may do nothing.
"""

from keyferry_server.authn.caller import Caller, Principal
from keyferry_server.domain.errors import AccessDeniedException
from keyferry_server.domain.key import Admission, GuardedKey, Key


def admit(caller: Caller, permission: str, key: GuardedKey) -> Key:
    """Open a key for a caller; AccessDeniedException if it may not do that with it."""
    if isinstance(caller, Principal) and caller.account_id == key.account_id:
        return key.open(Admission(key.arn))
    raise denied(caller, permission, key.arn)


def admit_to_account(caller: Caller, permission: str) -> Principal:
    """Let a caller do something that concerns no key; AccessDeniedException if it may not."""
    if isinstance(caller, Principal):
        return caller
    raise denied(caller, permission, "*")


def denied(caller: Caller, permission: str, resource: str) -> AccessDeniedException:
    """Return the refusal, worded the same whether or not the resource exists."""
    return AccessDeniedException(
        f"User: {caller} is not authorized to perform: {permission} on resource: {resource}"
    )


def admit_service(key: GuardedKey) -> Key:
    """Open a key for the service's own work on it, which no caller asked for: automatic rotation."""
    return key.open(Admission(key.arn))
