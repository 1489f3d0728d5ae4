"""Requests by keyword: members, enum names as AWS writes them, times with their zone."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from unit.client.small_service import SmallService

from keyferry.v1 import (
    AlgorithmSpec,
    CreateKeyRequest,
    EncryptRequest,
    ExpirationModelType,
    GetParametersForImportRequest,
    ImportKeyMaterialRequest,
    ImportKeyMaterialResponse,
    OriginType,
)
from keyferry_client import InputError, KeyManagementServiceClient
from keyferry_client.requests import build_request


def test_members_that_are_none_are_absent() -> None:
    request = build_request(EncryptRequest, {"key_id": "k", "plaintext": None, "encryption_context": None})
    assert request == EncryptRequest(key_id="k")
    assert not request.HasField("plaintext")


def test_an_empty_value_is_present() -> None:
    request = build_request(EncryptRequest, {"key_id": "", "plaintext": b""})
    assert (request.HasField("key_id"), request.HasField("plaintext")) == (True, True)


@pytest.mark.parametrize(
    "value", ["EXTERNAL", "ORIGIN_TYPE_EXTERNAL", OriginType.ORIGIN_TYPE_EXTERNAL, 2], ids=str
)
def test_an_enum_value_is_given_by_its_name_in_aws_or_in_the_contract_or_as_itself(value: object) -> None:
    assert build_request(CreateKeyRequest, {"origin": value}).origin == OriginType.ORIGIN_TYPE_EXTERNAL


def test_names_that_look_alike_are_told_apart() -> None:
    request = build_request(
        GetParametersForImportRequest,
        {"wrapping_algorithm": "RSA_AES_KEY_WRAP_SHA_256", "wrapping_key_spec": "RSA_4096"},
    )
    assert request.wrapping_algorithm == AlgorithmSpec.ALGORITHM_SPEC_RSA_AES_KEY_WRAP_SHA_256


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        InputError, match=r"^origin has no value 'EXTERN'; it is one of .*AWS_KMS, EXTERNAL"
    ) as caught:
        build_request(CreateKeyRequest, {"origin": "EXTERN"})
    assert isinstance(caught.value, ValueError)
    assert "UNSPECIFIED" not in str(caught.value)


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
def test_a_time_that_utc_does_not_have_is_refused(time: str) -> None:
    with pytest.raises(InputError, match="valid_to is not in the years 1 to 9999 of UTC"):
        build_request(ImportKeyMaterialRequest, {"valid_to": datetime.fromisoformat(time)})


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-5))], ids=str)
def test_a_time_is_the_same_moment_whatever_its_zone(zone: timezone) -> None:
    moment = datetime(2030, 1, 31, 12, tzinfo=UTC)
    request = build_request(ImportKeyMaterialRequest, {"valid_to": moment.astimezone(zone)})
    assert request.valid_to.ToDatetime(UTC) == moment


def test_a_time_without_a_zone_is_refused_because_it_would_be_taken_for_utc() -> None:
    with pytest.raises(InputError, match="valid_to has no time zone"):
        build_request(ImportKeyMaterialRequest, {"valid_to": datetime(2030, 1, 31)})  # noqa: DTZ001 -- the point


def test_a_value_of_the_wrong_type_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        build_request(EncryptRequest, {"plaintext": "text"})


async def test_the_members_of_a_call_arrive_as_its_request(
    service: SmallService, client: KeyManagementServiceClient
) -> None:
    seen: list[ImportKeyMaterialRequest] = []

    async def import_material(request: ImportKeyMaterialRequest, _: Any) -> ImportKeyMaterialResponse:
        seen.append(request)
        return ImportKeyMaterialResponse()

    service.serve(ImportKeyMaterial=import_material)
    moment = datetime(2030, 1, 31, 12, tzinfo=UTC)
    await client.import_key_material_async(
        key_id="k",
        import_token=b"t",
        encrypted_key_material=b"m",
        valid_to=moment,
        expiration_model="KEY_MATERIAL_EXPIRES",
    )
    assert seen == [
        ImportKeyMaterialRequest(
            key_id="k",
            import_token=b"t",
            encrypted_key_material=b"m",
            valid_to=moment,
            expiration_model=ExpirationModelType.EXPIRATION_MODEL_TYPE_KEY_MATERIAL_EXPIRES,
        )
    ]


async def test_a_request_and_members_together_are_refused(client: KeyManagementServiceClient) -> None:
    with pytest.raises(TypeError, match="Encrypt takes a EncryptRequest or its members by name, not both"):
        client.encrypt_async(EncryptRequest(), key_id="k")
