"""Formats a key as its KeyMetadata, and the algorithms it can be used with."""

from datetime import datetime
from typing import Any

from keyferry.v1 import KeyManagerType, KeyMetadata, MultiRegionConfiguration, MultiRegionKey
from keyferry_server.domain.key import Key, KeyState, KeyUsage, Origin
from keyferry_server.domain.key_specs import algorithms_of
from keyferry_server.wire.enums import format_enum

_ALGORITHMS_MEMBER = {
    KeyUsage.ENCRYPT_DECRYPT: "encryption_algorithms",
    KeyUsage.SIGN_VERIFY: "signing_algorithms",
    KeyUsage.GENERATE_VERIFY_MAC: "mac_algorithms",
    KeyUsage.KEY_AGREEMENT: "key_agreement_algorithms",
}


def format_algorithms(key: Key) -> dict[str, Any]:
    """Return the one member that lists the algorithms of a key, with its name."""
    return {_ALGORITHMS_MEMBER[key.key_usage]: [format_enum(one) for one in algorithms_of(key)]}


def format_key_metadata(key: Key, now: datetime) -> KeyMetadata:
    """Return what callers may know about `key` at `now`."""
    state = key.state(now)
    metadata = KeyMetadata(
        aws_account_id=key.identifier.scope.account_id,
        key_id=key.key_id,
        arn=key.arn,
        creation_date=key.created_at,
        enabled=state is KeyState.ENABLED,
        description=key.description,
        key_manager=KeyManagerType.KEY_MANAGER_TYPE_CUSTOMER,
        multi_region=key.multi_region is not None,
        multi_region_configuration=_format_multi_region(key),
        key_usage=format_enum(key.key_usage),
        key_state=format_enum(state),
        origin=format_enum(key.origin),
        customer_master_key_spec=format_enum(key.key_spec),
        key_spec=format_enum(key.key_spec),
        **format_algorithms(key),
    )
    if key.deletion is not None and key.deletion.date is not None:
        metadata.deletion_date.FromDatetime(key.deletion.date)
    elif key.deletion is not None:
        metadata.pending_deletion_window_in_days = key.deletion.window.days
    material = key.current_material
    if material is not None and key.is_symmetric:
        metadata.current_key_material_id = material.key_material_id
    if key.origin is Origin.EXTERNAL and key.has_all_material(now):
        metadata.expiration_model = format_enum(key.expiration_model())
        valid_to = key.valid_to()
        if valid_to is not None:
            metadata.valid_to.FromDatetime(valid_to)
    return metadata


def _format_multi_region(key: Key) -> MultiRegionConfiguration | None:
    related, part = key.multi_region, key.multi_region_type
    if related is None or part is None:
        return None

    def format_key(region: str) -> MultiRegionKey:
        return MultiRegionKey(arn=key.identifier.in_region(region).arn, region=region)

    return MultiRegionConfiguration(
        multi_region_key_type=format_enum(part),
        primary_key=format_key(related.primary_region),
        replica_keys=[format_key(region) for region in related.replica_regions],
    )
