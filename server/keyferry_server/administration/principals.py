"""Making principals and attaching policies to them, each change with its record in the audit log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keyferry_server.authz.policy.parser import Kind, read_policy
from keyferry_server.domain.audit_trail import recording
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.errors import ValidationException
from keyferry_server.domain.operator_trail import OperatorTrail
from keyferry_server.domain.principal import (
    IdentityPolicy,
    PrincipalName,
    PrincipalRecord,
    check_makeable,
    check_policy_attachment,
    parse_principal_name,
)
from keyferry_server.storage.principal_store import PrincipalStore


@dataclass(frozen=True, slots=True)
class Principals:
    """The principals of one installation; their ARNs are of its partition."""

    store: PrincipalStore
    clock: Clock
    partition: str

    async def create(self, arn: str) -> PrincipalName:
        """Make a user or a role; ValidationException if it is there."""
        name = self._parse(arn)
        with recording(self._trail("CreatePrincipal", name.arn)):
            await self.store.add(name, self.clock.now())
        return name

    async def list(self, account_id: str | None) -> Sequence[PrincipalRecord]:
        """Return all principals, or those of one account."""
        return await self.store.list(account_id)

    async def delete(self, arn: str) -> None:
        """Delete a principal with its policies; NotFoundException if it is not there."""
        name = self._parse(arn)
        with recording(self._trail("DeletePrincipal", name.arn)):
            await self.store.delete(name.arn)

    async def policies(self, arn: str) -> Sequence[IdentityPolicy]:
        """Return the policies of a principal."""
        return await self.store.policies(self._parse(arn).arn)

    async def attach(self, arn: str, policy_name: str, document: str) -> None:
        """Attach a policy, in the place of the one of that name; MalformedPolicyDocumentException if it is not valid."""
        name = self._parse(arn)
        check_policy_attachment(policy_name, document)
        read_policy(document, Kind.IDENTITY_POLICY)
        details = {"policyName": policy_name, "policyDocument": document}
        with recording(self._trail("AttachPrincipalPolicy", name.arn, details)):
            await self.store.attach(name.arn, IdentityPolicy(policy_name, document, self.clock.now()))

    async def detach(self, arn: str, policy_name: str) -> None:
        """Detach a policy; NotFoundException if the principal has none of that name."""
        name = self._parse(arn)
        with recording(self._trail("DetachPrincipalPolicy", name.arn, {"policyName": policy_name})):
            await self.store.detach(name.arn, policy_name)

    def _parse(self, arn: str) -> PrincipalName:
        name = parse_principal_name(arn)
        check_makeable(name)
        if not arn.startswith(f"arn:{self.partition}:"):
            raise ValidationException(f"{arn} is not of the partition {self.partition}.")
        return name

    def _trail(self, operation: str, arn: str, details: Mapping[str, str] | None = None) -> OperatorTrail:
        return OperatorTrail(operation, self.clock.now(), arn, details or {})
