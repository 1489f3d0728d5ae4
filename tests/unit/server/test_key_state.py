"""The state machine of a key: derived at every read, exact to the moment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyferry_server.domain.errors import (
    DisabledException,
    KMSInvalidStateException,
    UnsupportedOperationException,
)
from keyferry_server.domain.identifiers import KeyIdentifier, Scope
from keyferry_server.domain.key import (
    ANY_STATE,
    CRYPTOGRAPHIC,
    LEAVING,
    NOT_LEAVING,
    ROTATING_ON_A_PERIOD,
    SHOWING_ROTATION,
    SWITCHING,
    Admission,
    Deletion,
    GuardedKey,
    Key,
    KeySpec,
    KeyState,
    KeyStates,
    KeyUsage,
    Origin,
)
from keyferry_server.domain.key_material import ExpirationModel, KeyMaterial, KeyMaterialState

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
IDENTIFIER = KeyIdentifier(Scope("aws", "us-east-1", "000000000000"), "1234abcd-12ab-34cd-56ef-1234567890ab")
INSTANT = timedelta(microseconds=1)


def material(
    *,
    sealed: bytes | None = b"sealed",
    valid_to: datetime | None = None,
    state: KeyMaterialState = KeyMaterialState.CURRENT,
    key_material_id: str = "ab" * 32,
) -> KeyMaterial:
    return KeyMaterial(key_material_id, state, sealed, valid_to, NOW)


def key(
    *materials: KeyMaterial,
    enabled: bool = True,
    deletion_date: datetime | None = None,
    origin: Origin = Origin.EXTERNAL,
) -> Key:
    return Key(
        identifier=IDENTIFIER,
        description="",
        key_spec=KeySpec.SYMMETRIC_DEFAULT,
        key_usage=KeyUsage.ENCRYPT_DECRYPT,
        origin=origin,
        enabled=enabled,
        created_at=NOW,
        deletion=None if deletion_date is None else Deletion(deletion_date, timedelta(days=7)),
        materials=materials,
    )


ENABLED = key(material())
DISABLED = key(material(), enabled=False)
PENDING_DELETION = key(material(), deletion_date=NOW + timedelta(days=7))
PENDING_IMPORT = key()

moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- made aware by the strategy
materials = st.builds(
    lambda sealed, valid_to: material(sealed=sealed, valid_to=valid_to),
    st.sampled_from([b"sealed", None]),
    st.none() | moments,
)
keys = st.builds(
    lambda held, enabled, deletion_date: key(*held, enabled=enabled, deletion_date=deletion_date),
    st.lists(materials, max_size=3),
    st.booleans(),
    st.none() | moments,
)


@pytest.mark.parametrize("enabled", [True, False])
def test_a_key_before_its_first_import_is_pending_import(enabled: bool) -> None:  # noqa: FBT001 -- a parameter
    assert key(enabled=enabled).state(NOW) is KeyState.PENDING_IMPORT


def test_a_key_with_its_material_is_enabled_or_disabled_as_its_administrator_says() -> None:
    assert ENABLED.state(NOW) is KeyState.ENABLED
    assert DISABLED.state(NOW) is KeyState.DISABLED


@pytest.mark.parametrize("enabled", [True, False])
def test_deleted_material_makes_a_key_pending_import_in_every_position_of_its_switch(
    enabled: bool,  # noqa: FBT001 -- a parameter
) -> None:
    assert key(material(sealed=None), enabled=enabled).state(NOW) is KeyState.PENDING_IMPORT


def test_material_is_gone_from_the_very_moment_of_its_valid_to() -> None:
    expiring = key(material(valid_to=NOW))
    assert expiring.state(NOW - INSTANT) is KeyState.ENABLED
    assert expiring.state(NOW) is KeyState.PENDING_IMPORT
    assert expiring.state(NOW + INSTANT) is KeyState.PENDING_IMPORT


def test_one_missing_material_among_several_makes_a_key_pending_import() -> None:
    assert key(material(), material(sealed=None)).state(NOW) is KeyState.PENDING_IMPORT
    assert key(material(), material(valid_to=NOW)).state(NOW) is KeyState.PENDING_IMPORT


@given(keys, moments)
def test_a_deletion_date_prevails_over_everything(one: Key, now: datetime) -> None:
    assert (one.state(now) is KeyState.PENDING_DELETION) == (one.deletion is not None)


@given(keys, moments)
def test_only_a_key_with_all_its_materials_is_ever_usable(one: Key, now: datetime) -> None:
    if one.state(now) in {KeyState.ENABLED, KeyState.DISABLED}:
        assert one.materials
        assert all(held.sealed is not None for held in one.materials)
        assert all(held.valid_to is None or held.valid_to > now for held in one.materials)


@given(keys, moments)
def test_time_alone_only_ever_takes_material_away(one: Key, now: datetime) -> None:
    later = one.state(now + timedelta(days=400))
    assert later is one.state(now) or later is KeyState.PENDING_IMPORT


def test_an_import_switches_a_pending_key_on_and_leaves_a_disabled_one_off() -> None:
    fresh = material()
    assert key(enabled=False).enabled_after_import(fresh, NOW)
    assert key(material(sealed=None), enabled=False).enabled_after_import(fresh, NOW)
    assert key(material(valid_to=NOW), enabled=False).enabled_after_import(fresh, NOW)
    assert not DISABLED.enabled_after_import(fresh, NOW)
    assert ENABLED.enabled_after_import(fresh, NOW)


def test_an_import_that_leaves_other_material_missing_does_not_switch_a_key_on() -> None:
    missing = material(sealed=None, state=KeyMaterialState.NON_CURRENT, key_material_id="cd" * 32)
    assert not key(material(sealed=None), missing, enabled=False).enabled_after_import(material(), NOW)


def test_material_that_is_pending_rotation_counts_for_no_state() -> None:
    pending = material(state=KeyMaterialState.PENDING_ROTATION, key_material_id="cd" * 32)
    assert key(pending).state(NOW) is KeyState.PENDING_IMPORT
    for held in (pending, replace(pending, sealed=None), replace(pending, valid_to=NOW)):
        assert key(material(), held).state(NOW) is KeyState.ENABLED
        assert key(material(sealed=None), held).state(NOW) is KeyState.PENDING_IMPORT


def test_material_that_is_pending_rotation_is_forgotten_when_it_expires() -> None:
    pending = material(state=KeyMaterialState.PENDING_ROTATION, valid_to=NOW, key_material_id="cd" * 32)
    one = key(material(), pending)
    assert one.pending_material(NOW - INSTANT) is pending
    assert one.known_material("cd" * 32, NOW - INSTANT) is pending
    assert one.pending_material(NOW) is None
    assert one.known_material("cd" * 32, NOW) is None


def test_the_first_of_several_expiries_is_that_of_the_key() -> None:
    later = material(valid_to=NOW + timedelta(days=2))
    sooner = material(valid_to=NOW + timedelta(days=1), state=KeyMaterialState.NON_CURRENT)
    soonest = material(valid_to=NOW, state=KeyMaterialState.PENDING_ROTATION)
    assert key(later, sooner, soonest).valid_to() == sooner.valid_to
    assert key(material(), sooner).expiration_model() is ExpirationModel.KEY_MATERIAL_EXPIRES
    assert key(material(), soonest).expiration_model() is ExpirationModel.KEY_MATERIAL_DOES_NOT_EXPIRE


DELETION = (KMSInvalidStateException, "is pending deletion.")
NO_DELETION = (KMSInvalidStateException, "is not pending deletion.")
IMPORT = (KMSInvalidStateException, "is pending import.")
OFF = (DisabledException, "is disabled.")
IMPORTED = (UnsupportedOperationException, "origin is EXTERNAL which is not valid for this operation.")
Refusal = tuple[type[Exception], str]


@pytest.mark.parametrize(
    ("operations", "enabled", "disabled", "pending_deletion", "pending_import"),
    [
        (ANY_STATE, None, None, None, None),
        (NOT_LEAVING, None, None, DELETION, None),
        (LEAVING, NO_DELETION, NO_DELETION, None, NO_DELETION),
        (SWITCHING, None, None, DELETION, IMPORT),
        (CRYPTOGRAPHIC, None, OFF, DELETION, IMPORT),
        (ROTATING_ON_A_PERIOD, None, OFF, DELETION, IMPORTED),
        (SHOWING_ROTATION, None, None, None, IMPORTED),
    ],
    ids=["any", "not leaving", "leaving", "switching", "cryptographic", "rotating", "showing rotation"],
)
def test_each_kind_of_operation_works_in_its_states_and_in_no_other(
    operations: KeyStates,
    enabled: Refusal | None,
    disabled: Refusal | None,
    pending_deletion: Refusal | None,
    pending_import: Refusal | None,
) -> None:
    for one, refusal in (
        (ENABLED, enabled),
        (DISABLED, disabled),
        (PENDING_DELETION, pending_deletion),
        (PENDING_IMPORT, pending_import),
    ):
        if refusal is None:
            one.check_state(operations, NOW)
            continue
        with pytest.raises(refusal[0]) as refused:
            one.check_state(operations, NOW)
        assert str(refused.value) == f"{one.arn} {refusal[1]}"


def test_only_a_key_of_external_origin_takes_imported_material() -> None:
    ENABLED.check_importable()
    with pytest.raises(
        UnsupportedOperationException, match="origin is AWS_KMS which is not valid for this operation"
    ):
        key(material(), origin=Origin.AWS_KMS).check_importable()


def test_the_current_material_is_found_whether_or_not_its_bytes_are_there() -> None:
    gone = material(sealed=None)
    assert key().current_material is None
    assert key(gone).current_material is gone
    assert key(gone).material("ab" * 32) is gone
    assert key(gone).material("cd" * 32) is None


def test_a_guarded_key_opens_to_its_own_admission_only() -> None:
    guarded = GuardedKey(ENABLED)
    assert guarded.open(Admission(ENABLED.arn)) is ENABLED
    with pytest.raises(PermissionError):
        guarded.open(Admission(IDENTIFIER.scope.key_arn("another")))
    assert "sealed" not in repr(guarded)
