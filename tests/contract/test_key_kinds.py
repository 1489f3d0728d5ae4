"""Every kind of key: how it is created, what is known of it, and which operations it is for."""

from typing import Any

from contract.conftest import Refused
from contract.operations import request_on, send
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from other_keys import create_key, public_key_of, sign_request, verify_request
from private_keys import CURVES
from steps import describe, state_of

from keyferry.v1 import (
    CreateKeyRequest,
    DeriveSharedSecretRequest,
    EnableKeyRotationRequest,
    EncryptionAlgorithmSpec,
    EncryptRequest,
    GenerateDataKeyPairRequest,
    GenerateMacRequest,
    GetKeyRotationStatusRequest,
    GetPublicKeyRequest,
    KeyAgreementAlgorithmSpec,
    KeyMetadata,
    KeySpec,
    ListKeyRotationsRequest,
    MacAlgorithmSpec,
    RotateKeyOnDemandRequest,
    SigningAlgorithmSpec,
    VerifyMacRequest,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    InvalidKeyUsageException,
    KMSInvalidStateException,
    ServiceError,
    UnsupportedOperationException,
    ValidationException,
)

RSA_SIGNING = [
    f"RSASSA_{padding}_SHA_{bits}" for padding in ("PKCS1_V1_5", "PSS") for bits in (256, 384, 512)
]
KINDS = [
    ("RSA_2048", "ENCRYPT_DECRYPT", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]),
    ("RSA_3072", "SIGN_VERIFY", RSA_SIGNING),
    ("RSA_4096", "SIGN_VERIFY", RSA_SIGNING),
    ("ECC_NIST_P256", "SIGN_VERIFY", ["ECDSA_SHA_256"]),
    ("ECC_NIST_P384", "SIGN_VERIFY", ["ECDSA_SHA_384"]),
    ("ECC_NIST_P521", "KEY_AGREEMENT", ["ECDH"]),
    ("ECC_SECG_P256K1", "SIGN_VERIFY", ["ECDSA_SHA_256"]),
    ("HMAC_224", "GENERATE_VERIFY_MAC", ["HMAC_SHA_224"]),
    ("HMAC_256", "GENERATE_VERIFY_MAC", ["HMAC_SHA_256"]),
    ("HMAC_384", "GENERATE_VERIFY_MAC", ["HMAC_SHA_384"]),
    ("HMAC_512", "GENERATE_VERIFY_MAC", ["HMAC_SHA_512"]),
]
MEMBERS: dict[str, tuple[str, Any, str]] = {
    "ENCRYPT_DECRYPT": ("encryption_algorithms", EncryptionAlgorithmSpec, "ENCRYPTION_ALGORITHM_SPEC_"),
    "SIGN_VERIFY": ("signing_algorithms", SigningAlgorithmSpec, "SIGNING_ALGORITHM_SPEC_"),
    "GENERATE_VERIFY_MAC": ("mac_algorithms", MacAlgorithmSpec, "MAC_ALGORITHM_SPEC_"),
    "KEY_AGREEMENT": ("key_agreement_algorithms", KeyAgreementAlgorithmSpec, "KEY_AGREEMENT_ALGORITHM_SPEC_"),
}


def metadata_of(key: KeyMetadata, spec: str, usage: str, algorithms: list[str], origin: str) -> KeyMetadata:
    """Return the metadata that a new key of that kind must have, by the names that the service chose."""
    member, enum, prefix = MEMBERS[usage]
    return KeyMetadata(
        aws_account_id="000000000000",
        key_id=key.key_id,
        arn=f"arn:aws:kms:us-east-1:000000000000:key/{key.key_id}",
        creation_date=key.creation_date,
        enabled=origin == "AWS_KMS",
        description="",
        key_usage=f"KEY_USAGE_TYPE_{usage}",
        key_state="KEY_STATE_ENABLED" if origin == "AWS_KMS" else "KEY_STATE_PENDING_IMPORT",
        origin=f"ORIGIN_TYPE_{origin}",
        key_manager="KEY_MANAGER_TYPE_CUSTOMER",
        customer_master_key_spec=f"KEY_SPEC_{spec}",
        key_spec=f"KEY_SPEC_{spec}",
        multi_region=False,
        **{member: [enum.Value(prefix + algorithm) for algorithm in algorithms]},
    )


async def test_each_kind_of_key_says_what_it_is_for_and_does_not_name_its_material(
    client: KeyManagementServiceClient,
) -> None:
    for spec, usage, algorithms in KINDS:
        for origin in ("EXTERNAL", "AWS_KMS"):
            created = await create_key(client, spec, usage, origin)

            assert created == metadata_of(created, spec, usage, algorithms, origin)
            assert await describe(client, created.key_id) == created


async def test_the_public_key_of_each_asymmetric_key_is_of_its_key_spec_and_comes_with_its_use(
    client: KeyManagementServiceClient,
) -> None:
    for spec, usage, algorithms in KINDS:
        # Larger RSA keys are made in the test before.
        if spec.startswith("HMAC") or spec in {"RSA_3072", "RSA_4096"}:
            continue
        key = await create_key(client, spec, usage)
        shown = await client.get_public_key_async(GetPublicKeyRequest(key_id=key.arn))

        member, enum, prefix = MEMBERS[usage]
        assert shown.key_id == key.arn
        assert shown.key_spec == shown.customer_master_key_spec == KeySpec.Value(f"KEY_SPEC_{spec}")
        assert shown.key_usage == key.key_usage
        assert [enum.Name(one).removeprefix(prefix) for one in getattr(shown, member)] == algorithms
        others = {other for other, _, _ in MEMBERS.values() if hasattr(shown, other)} - {member}
        assert not any(getattr(shown, other) for other in others)
        public = load_der_public_key(shown.public_key)
        if isinstance(public, rsa.RSAPublicKey):
            assert (f"RSA_{public.key_size}", public.public_numbers().e) == (spec, 65537)
        else:
            assert isinstance(public, ec.EllipticCurvePublicKey)
            assert public.curve.name == CURVES[spec].name


async def test_a_key_spec_that_is_given_twice_or_for_another_usage_creates_no_key(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    wrong: list[tuple[dict[str, str], str]] = [
        (
            {"key_spec": "KEY_SPEC_HMAC_256"},
            "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
        ),
        (
            {"key_spec": "KEY_SPEC_RSA_2048", "key_usage": "KEY_USAGE_TYPE_KEY_AGREEMENT"},
            "KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048",
        ),
        (
            {"key_usage": "KEY_USAGE_TYPE_SIGN_VERIFY"},
            "KeyUsage SIGN_VERIFY is not compatible with KeySpec SYMMETRIC_DEFAULT",
        ),
        (
            {"key_spec": "KEY_SPEC_ECC_SECG_P256K1", "key_usage": "KEY_USAGE_TYPE_KEY_AGREEMENT"},
            "KeyUsage KEY_AGREEMENT is not compatible with KeySpec ECC_SECG_P256K1",
        ),
        (
            {
                "key_spec": "KEY_SPEC_RSA_2048",
                "customer_master_key_spec": "KEY_SPEC_RSA_2048",
                "key_usage": "KEY_USAGE_TYPE_SIGN_VERIFY",
            },
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.",
        ),
    ]
    for members, message in wrong:
        error = await refused(ValidationException, send(client, CreateKeyRequest(**members)))
        assert error.message == message

    by_its_old_name = await client.create_key_async(
        CreateKeyRequest(
            customer_master_key_spec="KEY_SPEC_HMAC_256", key_usage="KEY_USAGE_TYPE_GENERATE_VERIFY_MAC"
        )
    )
    assert by_its_old_name.key_metadata.key_spec == KeySpec.KEY_SPEC_HMAC_256


async def test_an_operation_on_a_key_for_something_else_says_what_the_key_is_for(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    signing = await create_key(client, "ECC_NIST_P256", "SIGN_VERIFY")
    agreeing = await create_key(client, "ECC_NIST_P256", "KEY_AGREEMENT")
    mac = await create_key(client, "HMAC_256", "GENERATE_VERIFY_MAC")
    symmetric = (await client.create_key_async(CreateKeyRequest())).key_metadata
    peer = await public_key_of(client, agreeing.key_id)
    ciphertext = (
        await client.encrypt_async(EncryptRequest(key_id=symmetric.key_id, plaintext=b"text"))
    ).ciphertext_blob
    ecdh, hmac = "KEY_AGREEMENT_ALGORITHM_SPEC_ECDH", "MAC_ALGORITHM_SPEC_HMAC_SHA_256"

    def derive(key_id: str) -> DeriveSharedSecretRequest:
        return DeriveSharedSecretRequest(key_id=key_id, key_agreement_algorithm=ecdh, public_key=peer)

    wrong = [
        (signing, "Encrypt", request_on("Encrypt", signing.key_id)),
        (mac, "ReEncrypt", request_on("ReEncrypt to", mac.key_id, ciphertext=ciphertext)),
        (signing, "GenerateDataKey", request_on("GenerateDataKey", signing.key_id)),
        (
            mac,
            "GenerateDataKeyWithoutPlaintext",
            request_on("GenerateDataKeyWithoutPlaintext", mac.key_id),
        ),
        (signing, "GenerateDataKeyPair", request_on("GenerateDataKeyPair", signing.key_id)),
        (
            agreeing,
            "GenerateDataKeyPairWithoutPlaintext",
            request_on("GenerateDataKeyPairWithoutPlaintext", agreeing.key_id),
        ),
        (mac, "Sign", sign_request(mac.key_id, "ECDSA_SHA_256")),
        (symmetric, "Verify", verify_request(symmetric.key_id, "ECDSA_SHA_256", b"signature")),
        (
            symmetric,
            "GenerateMac",
            GenerateMacRequest(key_id=symmetric.key_id, message=b"m", mac_algorithm=hmac),
        ),
        (
            signing,
            "VerifyMac",
            VerifyMacRequest(key_id=signing.key_id, message=b"m", mac=b"m", mac_algorithm=hmac),
        ),
        (signing, "DeriveSharedSecret", derive(signing.key_id)),
        (symmetric, "DeriveSharedSecret", derive(symmetric.key_id)),
    ]
    usages = {
        signing.key_id: "SIGN_VERIFY",
        agreeing.key_id: "KEY_AGREEMENT",
        mac.key_id: "GENERATE_VERIFY_MAC",
        symmetric.key_id: "ENCRYPT_DECRYPT",
    }
    for key, operation, request in wrong:
        error = await refused(InvalidKeyUsageException, send(client, request))
        assert error.message == (
            f"{key.arn} key usage is {usages[key.key_id]} which is not valid for {operation}."
        )


async def test_an_algorithm_that_the_key_has_not_is_named_with_its_key_spec(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    curve = await create_key(client, "ECC_NIST_P384", "SIGN_VERIFY")
    mac = await create_key(client, "HMAC_224", "GENERATE_VERIFY_MAC")
    rsa_key = await create_key(client, "RSA_2048", "ENCRYPT_DECRYPT")
    symmetric = (await client.create_key_async(CreateKeyRequest())).key_metadata
    pair = GenerateDataKeyPairRequest(key_id=rsa_key.key_id, key_pair_spec="DATA_KEY_PAIR_SPEC_ECC_NIST_P256")
    oaep = "ENCRYPTION_ALGORITHM_SPEC_RSAES_OAEP_SHA_256"
    wrong = [
        (sign_request(curve.key_id, "ECDSA_SHA_256"), "ECDSA_SHA_256", "ECC_NIST_P384"),
        (
            verify_request(curve.key_id, "RSASSA_PSS_SHA_384", b"s"),
            "RSASSA_PSS_SHA_384",
            "ECC_NIST_P384",
        ),
        (
            GenerateMacRequest(
                key_id=mac.key_id, message=b"m", mac_algorithm="MAC_ALGORITHM_SPEC_HMAC_SHA_256"
            ),
            "HMAC_SHA_256",
            "HMAC_224",
        ),
        (EncryptRequest(key_id=rsa_key.key_id, plaintext=b"p"), "SYMMETRIC_DEFAULT", "RSA_2048"),
        (pair, "SYMMETRIC_DEFAULT", "RSA_2048"),
        (request_on("GenerateDataKey", rsa_key.key_id), "SYMMETRIC_DEFAULT", "RSA_2048"),
        (
            EncryptRequest(key_id=symmetric.key_id, plaintext=b"p", encryption_algorithm=oaep),
            "RSAES_OAEP_SHA_256",
            "SYMMETRIC_DEFAULT",
        ),
    ]
    for request, algorithm, spec in wrong:
        error = await refused(InvalidKeyUsageException, send(client, request))
        assert error.message == f"Algorithm {algorithm} is incompatible with key spec {spec}."


async def test_a_key_without_a_public_key_shows_none(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    for spec, usage in (("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("HMAC_512", "GENERATE_VERIFY_MAC")):
        for origin in ("AWS_KMS", "EXTERNAL"):
            key = await create_key(client, spec, usage, origin)
            error = await refused(UnsupportedOperationException, public_key_of(client, key.key_id))
            assert f"key spec is {spec}" in error.message

    never_imported = await create_key(client, "ECC_NIST_P256", "SIGN_VERIFY", "EXTERNAL")
    error = await refused(KMSInvalidStateException, public_key_of(client, never_imported.key_id))
    assert error.message == f"{never_imported.arn} is pending import."


async def test_a_key_of_another_kind_is_not_rotated(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key = await create_key(client, "HMAC_256", "GENERATE_VERIFY_MAC")
    for request in (
        EnableKeyRotationRequest(key_id=key.key_id),
        GetKeyRotationStatusRequest(key_id=key.key_id),
        ListKeyRotationsRequest(key_id=key.key_id),
        RotateKeyOnDemandRequest(key_id=key.key_id),
    ):
        error = await refused(UnsupportedOperationException, send(client, request))
        assert error.message == ""


async def test_by_default_a_key_of_another_kind_is_created_but_takes_no_material(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    for spec, usage, _ in KINDS:
        key = await create_key(client, spec, usage, "EXTERNAL")
        assert await state_of(client, key.key_id) == "PENDING_IMPORT"
        for operation in ("GetParametersForImport", "ImportKeyMaterial", "DeleteImportedKeyMaterial"):
            error = await refused(
                UnsupportedOperationException, send(client, request_on(operation, key.key_id))
            )
            assert error.message == (
                f"{key.arn} key spec is {spec} which is not valid for this operation: here key material is "
                "imported into symmetric encryption keys only."
            )
