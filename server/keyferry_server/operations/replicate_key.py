"""ReplicateKey: makes a replica key in another Region from a primary key.

It has the key ID, the key material and the rotation of the primary key; policy,
description and tags are its own. Imported key material does not come with it: the
replica key knows which, and is PENDING_IMPORT until the same is imported there.

The caller needs kms:ReplicateKey for the primary key, and what it would need to create
such a key in the other Region.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from keyferry.v1 import CreateKeyRequest, ReplicateKeyRequest, ReplicateKeyResponse, Tag
from keyferry_server.authz.permission import Permission
from keyferry_server.call import Call
from keyferry_server.domain.audit_trail import note_key
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.key import Key, Origin
from keyferry_server.domain.key_labels import KeyLabels
from keyferry_server.domain.key_policy import default_key_policy, stored_key_policy
from keyferry_server.domain.multi_region import MultiRegionKeyType, ServedRegions, no_such_region
from keyferry_server.domain.multi_region_rules import check_new_region, check_primary, replica_of
from keyferry_server.operations.gate import Gate
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.operations.put_key_policy import check_key_policy
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.key_store import KeyStore
from keyferry_server.storage.tag_store import TagStore
from keyferry_server.wire.condition_keys import MULTI_REGION_KEY_TYPE
from keyferry_server.wire.enums import format_enum
from keyferry_server.wire.key_metadata import format_key_metadata
from keyferry_server.wire.tags import parse_tags


@dataclass(frozen=True, slots=True)
class ReplicateKey:
    """Brings keys to other Regions."""

    database: Database
    door: KeyDoor
    gate: Gate
    keys: KeyStore
    tags: TagStore
    regions: ServedRegions
    clock: Clock

    async def __call__(self, request: ReplicateKeyRequest, call: Call) -> ReplicateKeyResponse:
        """Make the replica key and show it."""
        region = request.replica_region
        if not self.regions.allows(region):
            raise no_such_region(region)
        tags = parse_tags(request.tags)
        policy = request.policy if request.HasField("policy") else None
        if policy is not None:
            check_key_policy(policy)

        opened = await self.door.open(request.key_id, call)
        await self._admit_there(opened, request, call)
        self._check(opened, region, call)

        async def write(transaction: Transaction) -> Key:
            primary = await self.door.lock(transaction, opened, call)
            self._check(primary, region, call)
            replica = replica_of(
                await self.keys.hold_materials(transaction, primary),
                region,
                self.clock.now(),
                description=request.description,
                policy=stored_key_policy(policy, primary.identifier.scope),
                labels=KeyLabels(tags=tags),
            )
            if policy is not None and not request.bypass_policy_lockout_safety_check:
                await self.gate.check_not_locked_out(replica, _call_in(region, call), transaction)
            await self.keys.add(transaction, replica)
            await self.tags.put(transaction, replica, tags)
            return replica

        note_key(opened.identifier.in_region(region).arn)
        replica = await self.database.transact(write)

        return ReplicateKeyResponse(
            replica_key_metadata=format_key_metadata(replica, self.clock.now()),
            replica_policy=replica.policy or default_key_policy(replica.identifier.scope),
            replica_tags=[Tag(tag_key=name, tag_value=value) for name, value in tags.items()],
        )

    def _check(self, key: Key, region: str, call: Call) -> None:
        check_primary(key)
        key.check_state(call.route.key_states, self.clock.now())
        check_new_region(key, region)

    async def _admit_there(self, key: Key, request: ReplicateKeyRequest, call: Call) -> None:
        """Let the caller create the key in the other Region, as CreateKey would."""
        asked = CreateKeyRequest(
            key_spec=format_enum(key.key_spec),
            key_usage=format_enum(key.key_usage),
            origin=format_enum(Origin(key.origin)),
            multi_region=True,
            tags=request.tags,
        )
        # A policy can ask whether it is there at all.
        if request.HasField("bypass_policy_lockout_safety_check"):
            asked.bypass_policy_lockout_safety_check = request.bypass_policy_lockout_safety_check
        there = replace(_call_in(request.replica_region, call), request=asked, facts=_REPLICA)
        await self.gate.admit_to_account(there, Permission.CREATE_KEY)
        if request.tags:
            await self.gate.admit_to_account(there, Permission.TAG_RESOURCE)


_REPLICA: Mapping[str, tuple[str, ...]] = {MULTI_REGION_KEY_TYPE: (MultiRegionKeyType.REPLICA,)}


def _call_in(region: str, call: Call) -> Call:
    return replace(call, scope=replace(call.scope, region=region))
