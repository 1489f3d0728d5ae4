"""ExpirationModel and ValidTo: which combinations an import takes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyferry_server.domain.errors import (
    ExpiredImportTokenException,
    IncorrectKeyMaterialException,
    ValidationException,
)
from keyferry_server.domain.import_token import LIFETIME, check, generate_import_token
from keyferry_server.domain.key_material import (
    LONGEST_VALIDITY,
    ExpirationModel,
    check_expiration,
    check_key_material,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
EXPIRING = [None, ExpirationModel.KEY_MATERIAL_EXPIRES]


@pytest.mark.parametrize("model", EXPIRING)
def test_without_a_model_key_material_expires_and_needs_a_valid_to(model: ExpirationModel | None) -> None:
    with pytest.raises(ValidationException) as refused:
        check_expiration(model, None, NOW)
    assert refused.value.message == (
        "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"
    )


@pytest.mark.parametrize("model", EXPIRING)
@given(ahead=st.timedeltas(timedelta(days=-800), timedelta(days=800)))
def test_a_valid_to_lies_in_the_future_and_at_most_365_days_ahead(
    model: ExpirationModel | None, ahead: timedelta
) -> None:
    if timedelta(0) < ahead <= LONGEST_VALIDITY:
        assert check_expiration(model, NOW + ahead, NOW) == NOW + ahead
    else:
        with pytest.raises(ValidationException):
            check_expiration(model, NOW + ahead, NOW)


@pytest.mark.parametrize("model", EXPIRING)
@pytest.mark.parametrize("ahead", [INSTANT, LONGEST_VALIDITY])
def test_the_limits_of_valid_to_belong_to_it(model: ExpirationModel | None, ahead: timedelta) -> None:
    assert check_expiration(model, NOW + ahead, NOW) == NOW + ahead


@pytest.mark.parametrize("model", EXPIRING)
@pytest.mark.parametrize("ahead", [timedelta(0), -INSTANT, LONGEST_VALIDITY + INSTANT])
def test_beyond_the_limits_of_valid_to_nothing_is_taken(
    model: ExpirationModel | None, ahead: timedelta
) -> None:
    with pytest.raises(ValidationException):
        check_expiration(model, NOW + ahead, NOW)


def test_material_that_does_not_expire_has_no_valid_to() -> None:
    never = ExpirationModel.KEY_MATERIAL_DOES_NOT_EXPIRE
    assert check_expiration(never, None, NOW) is None
    with pytest.raises(ValidationException):
        check_expiration(never, NOW + timedelta(days=1), NOW)


@given(st.integers(0, 100))
def test_key_material_of_a_symmetric_key_has_32_bytes(length: int) -> None:
    if length == 32:
        check_key_material(length)
    else:
        with pytest.raises(IncorrectKeyMaterialException):
            check_key_material(length)


def test_an_import_token_lives_for_24_hours_to_the_moment() -> None:
    token = generate_import_token("key", NOW)
    assert timedelta(hours=24) == LIFETIME == token.valid_to - NOW
    check(token, "key", NOW + LIFETIME - INSTANT)
    with pytest.raises(ExpiredImportTokenException):
        check(token, "key", NOW + LIFETIME)
