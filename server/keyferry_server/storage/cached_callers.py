"""What decides about callers, from memory as long as every change of it is heard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keyferry_server.domain.grant import Grant
from keyferry_server.domain.identifiers import KeyIdentifier
from keyferry_server.storage.caller_store import CallerStore
from keyferry_server.storage.database import Transaction
from keyferry_server.storage.grant_store import GrantStore
from keyferry_server.storage.heard_cache import HeardCache


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
                known = (await CallerStore.policies(self, arn),)
                self.cache.put(arn, known, reading)
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
        name = ("grants", *grantees)
        known: Sequence[Grant] | None = beside.get(name)
        if known is None:
            known = beside[name] = await GrantStore.of_grantees(self, key, grantees)
        return known
