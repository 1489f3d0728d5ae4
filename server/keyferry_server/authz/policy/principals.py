"""Whom a statement of a key policy is about: the elements Principal and NotPrincipal.

A caller is known by its own ARN and by its account's root principal. A statement
that names the account allows nothing by itself to the others in it: it leaves to
their identity policies what they may do. A statement that denies, denies to all of
them; and NotPrincipal spares a caller only if it names both.
"""

from dataclasses import dataclass
from enum import Enum, auto

from keyferry_server.authn.caller import Principal


class Naming(Enum):
    """How a statement names a caller."""

    NOT = auto()
    BY_ACCOUNT = auto()
    ITSELF = auto()


@dataclass(frozen=True, slots=True)
class Principals:
    """The principals that a statement lists: ARNs, accounts by their 12 digits, or everybody.

    What else AWS knows (services, federated users) may be listed, and is nobody here.
    """

    everybody: bool
    arns: frozenset[str]
    accounts: frozenset[str]

    def naming(self, caller: Principal) -> Naming:
        """Tell how the list names a caller."""
        if self.everybody or caller.arn in self.arns:
            return Naming.ITSELF
        if self._names_account(caller):
            return Naming.ITSELF if caller.is_root else Naming.BY_ACCOUNT
        return Naming.NOT

    def spare(self, caller: Principal) -> bool:
        """Tell whether a caller and its account are both in the list of a NotPrincipal."""
        if self.everybody:
            return True
        return (caller.is_root or caller.arn in self.arns) and self._names_account(caller)

    def _names_account(self, caller: Principal) -> bool:
        return caller.account_id in self.accounts or caller.root_arn in self.arns
