"""What decides about callers, from memory as long as every change of it is heard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keyferry_server.domain.grant import Grant
from keyferry_server.domain.identifiers import KeyIdentifier
from keyferry_server.storage.caller_store import CallerStore
from keyferry_server.storage.database import Transaction
from keyferry_server.storage.grant_store import GrantStore
from keyferry_server.storage.heard_cache import HeardCache, weight_of


@dataclass(frozen=True, slots=True)
class CachedCallers(CallerStore):
    """A CallerStore that is quick; within a transaction it asks the database."""

    cache: HeardCache

    async def policies(self, arn: str, transaction: Transaction | None = None) -> Mapping[str, str] | None:
        """Return the identity policies of a principal by their names; None if there is no such principal."""
        if transaction is not None:
            return await CallerStore.policies(self, arn, transaction)
        known: tuple[Mapping[str, str] | None] | None = self.cache.get(arn)
        if known is None:
            with self.cache.reading(arn) as reading:
                policies = await CallerStore.policies(self, arn)
                known = (policies,)
                self.cache.put(arn, known, reading, weight=weight_of(*(policies or {}).values()))
        return known[0]


@dataclass(frozen=True, slots=True)
class CachedGrants(GrantStore):
    """A GrantStore that keeps grants beside their key; within a transaction it asks the database."""

    cache: HeardCache

    async def of_grantees(
        self, key: KeyIdentifier, grantees: Sequence[str], transaction: Transaction | None = None
    ) -> Sequence[Grant]:
        """Return the grants that any of `grantees` has on a key."""
        beside = self.cache.beside(key) if transaction is None else None
        if beside is None:
            return await GrantStore.of_grantees(self, key, grantees, transaction)
        known: dict[str, Sequence[Grant] | None] = {one: beside.get(("grants", one)) for one in grantees}
        missing = [one for one, found in known.items() if found is None]
        if missing:
            read = await GrantStore.of_grantees(self, key, missing)
            for one in missing:
                found = known[one] = [grant for grant in read if grant.grantee == one]
                self.cache.keep_beside(key, beside, ("grants", one), found, weight=len(found))
        return sorted((grant for found in known.values() for grant in found or ()), key=_grant_id)


def _grant_id(grant: Grant) -> str:
    return grant.grant_id
