"""What each kind of key is for, compared with AWS's documents; which take imported key material, and wrapped how."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from keyferry_server.domain.errors import (
    InvalidKeyUsageException,
    UnsupportedOperationException,
    ValidationException,
)
from keyferry_server.domain.identifiers import KeyIdentifier, Scope
from keyferry_server.domain.importable_keys import ImportableKeys, check_wrapping
from keyferry_server.domain.key import Key, KeySpec, KeyUsage, Origin
from keyferry_server.domain.key_material import WrappingAlgorithm, WrappingKeySpec
from keyferry_server.domain.key_specs import (
    Algorithm,
    EncryptionAlgorithm,
    KeyAgreementAlgorithm,
    MacAlgorithm,
    SigningAlgorithm,
    algorithms_of,
    check_asymmetric_encryption,
    check_has_public_key,
    check_no_context,
    check_use,
    choose_key_spec,
    choose_key_usage,
)

# The key spec reference of the developer guide: key usages and, for each, the algorithms.
RSA = {
    "ENCRYPT_DECRYPT": {"RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"},
    "SIGN_VERIFY": {
        f"RSASSA_{padding}_SHA_{bits}" for padding in ("PSS", "PKCS1_V1_5") for bits in (256, 384, 512)
    },
}
REFERENCE: dict[str, dict[str, set[str]]] = {
    "SYMMETRIC_DEFAULT": {"ENCRYPT_DECRYPT": {"SYMMETRIC_DEFAULT"}},
    "RSA_2048": RSA,
    "RSA_3072": RSA,
    "RSA_4096": RSA,
    "ECC_NIST_P256": {"SIGN_VERIFY": {"ECDSA_SHA_256"}, "KEY_AGREEMENT": {"ECDH"}},
    "ECC_NIST_P384": {"SIGN_VERIFY": {"ECDSA_SHA_384"}, "KEY_AGREEMENT": {"ECDH"}},
    "ECC_NIST_P521": {"SIGN_VERIFY": {"ECDSA_SHA_512"}, "KEY_AGREEMENT": {"ECDH"}},
    "ECC_SECG_P256K1": {"SIGN_VERIFY": {"ECDSA_SHA_256"}},
    "HMAC_224": {"GENERATE_VERIFY_MAC": {"HMAC_SHA_224"}},
    "HMAC_256": {"GENERATE_VERIFY_MAC": {"HMAC_SHA_256"}},
    "HMAC_384": {"GENERATE_VERIFY_MAC": {"HMAC_SHA_384"}},
    "HMAC_512": {"GENERATE_VERIFY_MAC": {"HMAC_SHA_512"}},
}
ALGORITHMS: list[Algorithm] = [
    *EncryptionAlgorithm,
    *SigningAlgorithm,
    *MacAlgorithm,
    *KeyAgreementAlgorithm,
]
SYMMETRIC = Key(
    identifier=KeyIdentifier(
        Scope("aws", "us-east-1", "000000000000"), "1234abcd-12ab-34cd-56ef-1234567890ab"
    ),
    description="",
    key_spec=KeySpec.SYMMETRIC_DEFAULT,
    key_usage=KeyUsage.ENCRYPT_DECRYPT,
    origin=Origin.EXTERNAL,
    enabled=True,
    created_at=datetime(2026, 6, 1, tzinfo=UTC),
    materials=(),
)
OAEP = {"RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"}
KEY_WRAP = {"RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"}
RSA_SIZES = {"RSA_2048", "RSA_3072", "RSA_4096"}


def key_of(spec: KeySpec, usage: KeyUsage) -> Key:
    return replace(SYMMETRIC, key_spec=spec, key_usage=usage)


def test_there_are_the_key_specs_of_the_reference() -> None:
    assert set(KeySpec) == set(REFERENCE)


@pytest.mark.parametrize("spec", KeySpec)
def test_each_key_spec_has_the_usages_and_algorithms_of_the_reference(spec: KeySpec) -> None:
    for usage in KeyUsage:
        if usage not in REFERENCE[spec]:
            with pytest.raises(ValidationException) as refused:
                choose_key_usage(usage, spec)
            assert refused.value.message == f"KeyUsage {usage} is not compatible with KeySpec {spec}"
            continue
        assert choose_key_usage(usage, spec) is usage
        key = key_of(spec, usage)
        assert set(algorithms_of(key)) == REFERENCE[spec][usage]
        for algorithm in ALGORITHMS:
            if algorithm in REFERENCE[spec][usage]:
                check_use(key, "Anything", usage, algorithm)
                continue
            with pytest.raises(InvalidKeyUsageException) as unusable:
                check_use(key, "Anything", usage, algorithm)
            assert unusable.value.message == f"Algorithm {algorithm} is incompatible with key spec {spec}."


def test_only_a_symmetric_key_can_do_without_a_usage() -> None:
    assert choose_key_usage(None, KeySpec.SYMMETRIC_DEFAULT) is KeyUsage.ENCRYPT_DECRYPT
    for spec in set(KeySpec) - {KeySpec.SYMMETRIC_DEFAULT}:
        with pytest.raises(ValidationException) as refused:
            choose_key_usage(None, spec)
        assert refused.value.message == (
            "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
        )


def test_the_old_name_of_the_key_spec_stands_for_it_and_never_beside_it() -> None:
    assert choose_key_spec(None, None) is KeySpec.SYMMETRIC_DEFAULT
    assert choose_key_spec(KeySpec.RSA_2048, None) is KeySpec.RSA_2048
    assert choose_key_spec(None, KeySpec.RSA_2048) is KeySpec.RSA_2048
    with pytest.raises(ValidationException) as refused:
        choose_key_spec(KeySpec.RSA_2048, KeySpec.RSA_2048)
    assert refused.value.message == (
        "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated."
    )


def test_a_key_for_something_else_is_refused_with_what_it_is_for() -> None:
    key = key_of(KeySpec.RSA_2048, KeyUsage.SIGN_VERIFY)
    with pytest.raises(InvalidKeyUsageException) as refused:
        check_use(key, "Encrypt", KeyUsage.ENCRYPT_DECRYPT, EncryptionAlgorithm.RSAES_OAEP_SHA_1)
    assert refused.value.message == f"{key.arn} key usage is SIGN_VERIFY which is not valid for Encrypt."


@pytest.mark.parametrize(
    ("spec", "algorithm", "largest"),
    [
        ("RSA_2048", "RSAES_OAEP_SHA_1", 214),
        ("RSA_2048", "RSAES_OAEP_SHA_256", 190),
        ("RSA_3072", "RSAES_OAEP_SHA_1", 342),
        ("RSA_3072", "RSAES_OAEP_SHA_256", 318),
        ("RSA_4096", "RSAES_OAEP_SHA_1", 470),
        ("RSA_4096", "RSAES_OAEP_SHA_256", 446),
    ],
)
def test_an_rsa_key_encrypts_what_fits_beside_the_padding(spec: str, algorithm: str, largest: int) -> None:
    key = key_of(KeySpec(spec), KeyUsage.ENCRYPT_DECRYPT)
    check_asymmetric_encryption(key, EncryptionAlgorithm(algorithm), {}, largest)
    with pytest.raises(ValidationException) as refused:
        check_asymmetric_encryption(key, EncryptionAlgorithm(algorithm), {}, largest + 1)
    assert refused.value.message == (
        f"Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {largest} bytes."
    )


def test_an_asymmetric_key_takes_no_encryption_context() -> None:
    check_no_context({})
    with pytest.raises(ValidationException, match="EncryptionContext is not supported"):
        check_no_context({"a": ""})


def test_only_asymmetric_keys_have_a_public_key() -> None:
    for spec in KeySpec:
        key = key_of(spec, KeyUsage(next(iter(REFERENCE[spec]))))
        if spec.startswith(("RSA_", "ECC_")):
            check_has_public_key(key)
        else:
            with pytest.raises(UnsupportedOperationException, match=f"key spec is {spec}"):
                check_has_public_key(key)


def test_by_default_only_symmetric_keys_of_external_origin_take_imported_material() -> None:
    for spec in KeySpec:
        key = key_of(spec, KeyUsage(next(iter(REFERENCE[spec]))))
        ImportableKeys.ALL.check(key)
        if spec is KeySpec.SYMMETRIC_DEFAULT:
            ImportableKeys.SYMMETRIC.check(key)
        else:
            with pytest.raises(UnsupportedOperationException, match="symmetric encryption keys only"):
                ImportableKeys.SYMMETRIC.check(key)
        for importable_keys in ImportableKeys:
            with pytest.raises(UnsupportedOperationException, match="origin is AWS_KMS which is not valid"):
                importable_keys.check(replace(key, origin=Origin.AWS_KMS))


@pytest.mark.parametrize("spec", KeySpec)
def test_each_key_spec_is_wrapped_as_awss_table_says(spec: KeySpec) -> None:
    for algorithm in WrappingAlgorithm:
        for wrapping_spec in WrappingKeySpec:
            is_allowed = wrapping_spec in RSA_SIZES and (
                algorithm in KEY_WRAP or (algorithm in OAEP and not spec.startswith("RSA_"))
            )
            if spec == "ECC_NIST_P521" and wrapping_spec == "RSA_2048" and algorithm in OAEP:
                is_allowed = False
            if is_allowed:
                check_wrapping(spec, algorithm, wrapping_spec)
                continue
            with pytest.raises(UnsupportedOperationException) as refused:
                check_wrapping(spec, algorithm, wrapping_spec)
            named = (
                f"{algorithm} with the wrapping key spec {wrapping_spec} is not supported for key material of"
            )
            assert f"{named} the key spec {spec}." in refused.value.message
            assert "RSA_AES_KEY_WRAP_SHA_256 with RSA_2048, RSA_3072, RSA_4096" in refused.value.message
