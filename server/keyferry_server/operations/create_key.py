"""CreateKey: makes a key, with fresh key material or, for the origin EXTERNAL, without any.

A multi-Region key begins as a primary key without replica keys.
"""

from dataclasses import dataclass, replace

from keyferry.v1 import CreateKeyRequest, CreateKeyResponse
from keyferry_server.authz.permission import Permission
from keyferry_server.call import Call
from keyferry_server.domain.audit_trail import note_key
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.identifiers import KeyIdentifier, generate_key_id
from keyferry_server.domain.key import Key, KeySpec, KeyUsage, Origin
from keyferry_server.domain.key_labels import KeyLabels
from keyferry_server.domain.key_policy import stored_key_policy
from keyferry_server.domain.key_specs import choose_key_spec, choose_key_usage
from keyferry_server.domain.multi_region import MultiRegion, MultiRegionKeyType
from keyferry_server.operations.fresh_material import FreshMaterial
from keyferry_server.operations.gate import Gate
from keyferry_server.operations.put_key_policy import check_key_policy
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.key_store import KeyStore
from keyferry_server.storage.tag_store import TagStore
from keyferry_server.wire.condition_keys import MULTI_REGION_KEY_TYPE
from keyferry_server.wire.enums import parse_enum
from keyferry_server.wire.key_metadata import format_key_metadata
from keyferry_server.wire.tags import parse_tags


@dataclass(frozen=True, slots=True)
class CreateKey:
    """Creates a key in the caller's account and Region."""

    database: Database
    keys: KeyStore
    tags: TagStore
    gate: Gate
    fresh_material: FreshMaterial
    clock: Clock

    async def __call__(self, request: CreateKeyRequest, call: Call) -> CreateKeyResponse:
        """Create the key and show it."""
        origin = parse_enum(request.origin, Origin) or Origin.AWS_KMS
        key_spec = choose_key_spec(
            parse_enum(request.key_spec, KeySpec), parse_enum(request.customer_master_key_spec, KeySpec)
        )
        key_usage = choose_key_usage(parse_enum(request.key_usage, KeyUsage), key_spec)
        tags = parse_tags(request.tags)
        policy = request.policy if request.HasField("policy") else None
        if policy is not None:
            check_key_policy(policy)

        if request.multi_region:
            call = replace(call, facts={MULTI_REGION_KEY_TYPE: (MultiRegionKeyType.PRIMARY,)})
        await self.gate.admit_to_account(call)
        if tags:
            await self.gate.admit_to_account(call, Permission.TAG_RESOURCE)

        now = self.clock.now()
        key_id = generate_key_id(multi_region=request.multi_region)
        materials = (
            ()
            if origin is Origin.EXTERNAL
            else (await self.fresh_material.generate_for(key_spec, key_id, now),)
        )
        key = Key(
            identifier=KeyIdentifier(call.scope, key_id),
            description=request.description,
            key_spec=key_spec,
            key_usage=key_usage,
            origin=origin,
            enabled=True,
            created_at=now,
            materials=materials,
            policy=stored_key_policy(policy, call.scope),
            labels=KeyLabels(tags=tags),
            multi_region=MultiRegion(call.scope.region, (call.scope.region,))
            if request.multi_region
            else None,
        )
        if policy is not None and not request.bypass_policy_lockout_safety_check:
            await self.gate.check_not_locked_out(key, call)

        note_key(key.arn)

        async def write(transaction: Transaction) -> None:
            await self.keys.add(transaction, key)
            await self.tags.put(transaction, key, tags)

        await self.database.transact(write)

        return CreateKeyResponse(key_metadata=format_key_metadata(key, now))
