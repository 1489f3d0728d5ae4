"""Requests that break their contract, in AWS's words."""

import re

from contract.conftest import Refused
from contract.operations import send
from google.protobuf.message import Message
from steps import create_external_key, create_imported_key, describe, get_parameters, import_request

from keyferry.v1 import (
    CreateAliasRequest,
    CreateKeyRequest,
    DecryptRequest,
    DeleteAliasRequest,
    DeleteImportedKeyMaterialRequest,
    DeriveSharedSecretRequest,
    DescribeKeyRequest,
    DisableKeyRequest,
    EnableKeyRequest,
    EncryptRequest,
    GenerateDataKeyPairRequest,
    GenerateDataKeyPairWithoutPlaintextRequest,
    GenerateDataKeyRequest,
    GenerateDataKeyWithoutPlaintextRequest,
    GenerateMacRequest,
    GenerateRandomRequest,
    GetParametersForImportRequest,
    GetPublicKeyRequest,
    ImportKeyMaterialRequest,
    ListAliasesRequest,
    ListKeysRequest,
    ListResourceTagsRequest,
    ReEncryptRequest,
    SignRequest,
    TagResourceRequest,
    UntagResourceRequest,
    UpdateAliasRequest,
    UpdateKeyDescriptionRequest,
    VerifyMacRequest,
    VerifyRequest,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import FieldViolation, InvalidMarkerException, ServiceError, ValidationException
from keyferry_server.operations.list_keys import KEYS

NOT_NULL = "Value null at '{}' failed to satisfy constraint: Member must not be null"
KEY = "12345678-1234-1234-1234-123456789abc"

KEY_SPECS = {
    "SYMMETRIC_DEFAULT",
    *(f"RSA_{bits}" for bits in (2048, 3072, 4096)),
    *(f"ECC_NIST_P{bits}" for bits in (256, 384, 521)),
    "ECC_SECG_P256K1",
    *(f"HMAC_{bits}" for bits in (224, 256, 384, 512)),
}

REQUIRED: list[tuple[type[Message], list[str]]] = [
    (DescribeKeyRequest, ["keyId"]),
    (EnableKeyRequest, ["keyId"]),
    (DisableKeyRequest, ["keyId"]),
    (GetParametersForImportRequest, ["keyId", "wrappingAlgorithm", "wrappingKeySpec"]),
    (ImportKeyMaterialRequest, ["keyId", "importToken", "encryptedKeyMaterial"]),
    (DeleteImportedKeyMaterialRequest, ["keyId"]),
    (EncryptRequest, ["keyId", "plaintext"]),
    (DecryptRequest, ["ciphertextBlob"]),
    (ReEncryptRequest, ["ciphertextBlob", "destinationKeyId"]),
    (GenerateDataKeyRequest, ["keyId"]),
    (GenerateDataKeyWithoutPlaintextRequest, ["keyId"]),
    (UpdateKeyDescriptionRequest, ["keyId", "description"]),
    (CreateAliasRequest, ["aliasName", "targetKeyId"]),
    (UpdateAliasRequest, ["aliasName", "targetKeyId"]),
    (DeleteAliasRequest, ["aliasName"]),
    (TagResourceRequest, ["keyId", "tags"]),
    (UntagResourceRequest, ["keyId", "tagKeys"]),
    (ListResourceTagsRequest, ["keyId"]),
    (SignRequest, ["keyId", "message", "signingAlgorithm"]),
    (VerifyRequest, ["keyId", "message", "signature", "signingAlgorithm"]),
    (GetPublicKeyRequest, ["keyId"]),
    (GenerateMacRequest, ["message", "keyId", "macAlgorithm"]),
    (VerifyMacRequest, ["message", "keyId", "macAlgorithm", "mac"]),
    (DeriveSharedSecretRequest, ["keyId", "keyAgreementAlgorithm", "publicKey"]),
    (GenerateDataKeyPairRequest, ["keyId", "keyPairSpec"]),
    (GenerateDataKeyPairWithoutPlaintextRequest, ["keyId", "keyPairSpec"]),
]

BROKEN: list[tuple[Message, str]] = [
    (
        DescribeKeyRequest(key_id=""),
        "Value '' at 'keyId' {}: Member must have length greater than or equal to 1",
    ),
    (
        DescribeKeyRequest(key_id="k" * 2049),
        f"Value '{'k' * 100}...' at 'keyId' {{}}: Member must have length less than or equal to 2048",
    ),
    (
        CreateKeyRequest(description="d" * 8193),
        f"Value '{'d' * 100}...' at 'description' {{}}: Member must have length less than or equal to 8192",
    ),
    (
        EncryptRequest(key_id=KEY, plaintext=b""),
        "Value at 'plaintext' {}: Member must have length greater than or equal to 1",
    ),
    (
        EncryptRequest(key_id=KEY, plaintext=b"s" * 4097),
        "Value at 'plaintext' {}: Member must have length less than or equal to 4096",
    ),
    (
        DecryptRequest(ciphertext_blob=b""),
        "Value at 'ciphertextBlob' {}: Member must have length greater than or equal to 1",
    ),
    (
        DecryptRequest(ciphertext_blob=b"c" * 6145),
        "Value at 'ciphertextBlob' {}: Member must have length less than or equal to 6144",
    ),
    (
        DecryptRequest(ciphertext_blob=b"c", key_id=""),
        "Value '' at 'keyId' {}: Member must have length greater than or equal to 1",
    ),
    (
        ReEncryptRequest(ciphertext_blob=b"c", destination_key_id=KEY, source_key_id=""),
        "Value '' at 'sourceKeyId' {}: Member must have length greater than or equal to 1",
    ),
    (
        ImportKeyMaterialRequest(key_id=KEY, import_token=b"", encrypted_key_material=b"m"),
        "Value at 'importToken' {}: Member must have length greater than or equal to 1",
    ),
    (
        ImportKeyMaterialRequest(key_id=KEY, import_token=b"t" * 6145, encrypted_key_material=b"m"),
        "Value at 'importToken' {}: Member must have length less than or equal to 6144",
    ),
    (
        ImportKeyMaterialRequest(key_id=KEY, import_token=b"t", encrypted_key_material=b""),
        "Value at 'encryptedKeyMaterial' {}: Member must have length greater than or equal to 1",
    ),
    (
        ImportKeyMaterialRequest(key_id=KEY, import_token=b"t", encrypted_key_material=b"m" * 6145),
        "Value at 'encryptedKeyMaterial' {}: Member must have length less than or equal to 6144",
    ),
    (
        GenerateDataKeyRequest(key_id=KEY, number_of_bytes=0),
        "Value '0' at 'numberOfBytes' {}: Member must have value greater than or equal to 1",
    ),
    (
        GenerateDataKeyWithoutPlaintextRequest(key_id=KEY, number_of_bytes=1025),
        "Value '1025' at 'numberOfBytes' {}: Member must have value less than or equal to 1024",
    ),
    (
        GenerateRandomRequest(number_of_bytes=0),
        "Value '0' at 'numberOfBytes' {}: Member must have value greater than or equal to 1",
    ),
    (
        GenerateRandomRequest(number_of_bytes=-1),
        "Value '-1' at 'numberOfBytes' {}: Member must have value greater than or equal to 1",
    ),
    (
        GenerateRandomRequest(number_of_bytes=1025),
        "Value '1025' at 'numberOfBytes' {}: Member must have value less than or equal to 1024",
    ),
    (
        SignRequest(key_id=KEY, message=b"", signing_algorithm=1),
        "Value at 'message' {}: Member must have length greater than or equal to 1",
    ),
    (
        SignRequest(key_id=KEY, message=b"m" * 4097, signing_algorithm=1),
        "Value at 'message' {}: Member must have length less than or equal to 4096",
    ),
    (
        VerifyRequest(key_id=KEY, message=b"m", signature=b"s" * 6145, signing_algorithm=1),
        "Value at 'signature' {}: Member must have length less than or equal to 6144",
    ),
    (
        GenerateMacRequest(key_id=KEY, message=b"m" * 4097, mac_algorithm=1),
        "Value at 'message' {}: Member must have length less than or equal to 4096",
    ),
    (
        VerifyMacRequest(key_id=KEY, message=b"m", mac=b"", mac_algorithm=1),
        "Value at 'mac' {}: Member must have length greater than or equal to 1",
    ),
    (
        DeriveSharedSecretRequest(key_id=KEY, key_agreement_algorithm=1, public_key=b"k" * 8193),
        "Value at 'publicKey' {}: Member must have length less than or equal to 8192",
    ),
    (ListKeysRequest(limit=0), "Value '0' at 'limit' {}: Member must have value greater than or equal to 1"),
    (
        ListKeysRequest(limit=1001),
        "Value '1001' at 'limit' {}: Member must have value less than or equal to 1000",
    ),
    (
        ListKeysRequest(marker=""),
        "Value '' at 'marker' {}: Member must have length greater than or equal to 1",
    ),
    (
        ListKeysRequest(marker="m" * 1025),
        f"Value '{'m' * 100}...' at 'marker' {{}}: Member must have length less than or equal to 1024",
    ),
    (
        ListAliasesRequest(limit=101),
        "Value '101' at 'limit' {}: Member must have value less than or equal to 100",
    ),
    (
        ListResourceTagsRequest(key_id=KEY, limit=51),
        "Value '51' at 'limit' {}: Member must have value less than or equal to 50",
    ),
    (
        UpdateKeyDescriptionRequest(key_id=KEY, description="d" * 8193),
        f"Value '{'d' * 100}...' at 'description' {{}}: Member must have length less than or equal to 8192",
    ),
    (
        ListKeysRequest(marker="ключ"),
        "Value 'ключ' at 'marker' {}: Member must satisfy regular expression pattern: [\\u0020-\\u00FF]*",
    ),
]

ENUMS: list[tuple[Message, str, set[str]]] = [
    (CreateKeyRequest(origin=99), "origin", {"AWS_KMS", "EXTERNAL"}),
    (CreateKeyRequest(key_spec=99), "keySpec", KEY_SPECS),
    (CreateKeyRequest(customer_master_key_spec=99), "customerMasterKeySpec", KEY_SPECS),
    (
        CreateKeyRequest(key_usage=99),
        "keyUsage",
        {"ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"},
    ),
    (
        SignRequest(key_id=KEY, message=b"m", signing_algorithm=99),
        "signingAlgorithm",
        {
            *(
                f"RSASSA_{padding}_SHA_{bits}"
                for padding in ("PSS", "PKCS1_V1_5")
                for bits in (256, 384, 512)
            ),
            *(f"ECDSA_SHA_{bits}" for bits in (256, 384, 512)),
        },
    ),
    (
        SignRequest(key_id=KEY, message=b"m", message_type=99, signing_algorithm=1),
        "messageType",
        {"RAW", "DIGEST"},
    ),
    (
        GenerateMacRequest(key_id=KEY, message=b"m", mac_algorithm=99),
        "macAlgorithm",
        {f"HMAC_SHA_{bits}" for bits in (224, 256, 384, 512)},
    ),
    (
        DeriveSharedSecretRequest(key_id=KEY, key_agreement_algorithm=99, public_key=b"k"),
        "keyAgreementAlgorithm",
        {"ECDH"},
    ),
    (
        GenerateDataKeyPairRequest(key_id=KEY, key_pair_spec=99),
        "keyPairSpec",
        {spec for spec in KEY_SPECS if spec.startswith(("RSA_", "ECC_"))},
    ),
    (
        GetParametersForImportRequest(key_id=KEY, wrapping_algorithm=99, wrapping_key_spec=1),
        "wrappingAlgorithm",
        {
            "RSAES_PKCS1_V1_5",
            "RSAES_OAEP_SHA_1",
            "RSAES_OAEP_SHA_256",
            "RSA_AES_KEY_WRAP_SHA_1",
            "RSA_AES_KEY_WRAP_SHA_256",
            "SM2PKE",
        },
    ),
    (
        GetParametersForImportRequest(key_id=KEY, wrapping_algorithm=3, wrapping_key_spec=99),
        "wrappingKeySpec",
        {"RSA_2048", "RSA_3072", "RSA_4096", "SM2"},
    ),
    (
        ImportKeyMaterialRequest(
            key_id=KEY, import_token=b"t", encrypted_key_material=b"m", expiration_model=99
        ),
        "expirationModel",
        {"KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE"},
    ),
    (
        EncryptRequest(key_id=KEY, plaintext=b"p", encryption_algorithm=99),
        "encryptionAlgorithm",
        {"SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"},
    ),
    (GenerateDataKeyRequest(key_id=KEY, key_spec=99), "keySpec", {"AES_128", "AES_256"}),
]


async def test_every_required_member_that_is_missing_is_named_in_one_exception(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    for request_type, members in REQUIRED:
        error = await refused(ValidationException, send(client, request_type()))

        violations = [NOT_NULL.format(member) for member in members]
        counted = "1 validation error" if len(members) == 1 else f"{len(members)} validation errors"
        assert error.message == f"{counted} detected: {'; '.join(violations)}"
        assert error.violations == tuple(map(FieldViolation, members, violations))


async def test_a_value_beyond_its_limits_is_refused_in_awss_words(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    for request, description in BROKEN:
        error = await refused(ValidationException, send(client, request))

        violation = description.format("failed to satisfy constraint")
        assert error.message == f"1 validation error detected: {violation}"
        assert [one.description for one in error.violations] == [violation]
        assert error.violations[0].field in violation


async def test_a_value_outside_of_an_enumeration_is_refused_with_those_in_it(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    for request, member, values in ENUMS:
        error = await refused(ValidationException, send(client, request))

        found = re.fullmatch(
            f"1 validation error detected: Value '99' at '{member}' failed to satisfy constraint: "
            r"Member must satisfy enum value set: \[(.*)\]",
            error.message,
        )
        assert found is not None, error.message
        assert set(found[1].split(", ")) == values


async def test_violations_of_different_kinds_come_together(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    request = GetParametersForImportRequest(key_id="", wrapping_algorithm=99)

    error = await refused(ValidationException, send(client, request))

    assert error.message.startswith("3 validation errors detected: Value '' at 'keyId' failed")
    assert [violation.field for violation in error.violations] == [
        "keyId",
        "wrappingAlgorithm",
        "wrappingKeySpec",
    ]
    for violation in error.violations:
        assert violation.description in error.message


async def test_the_limits_themselves_are_taken(client: KeyManagementServiceClient) -> None:
    key_id = await create_imported_key(client)
    accepted: list[Message] = [
        CreateKeyRequest(description="d" * 8192),
        EncryptRequest(key_id=key_id, plaintext=b"p"),
        EncryptRequest(key_id=key_id, plaintext=b"p" * 4096),
        GenerateDataKeyRequest(key_id=key_id, number_of_bytes=1),
        GenerateDataKeyRequest(key_id=key_id, number_of_bytes=1024),
        GenerateRandomRequest(number_of_bytes=1),
        GenerateRandomRequest(number_of_bytes=1024),
        ListKeysRequest(limit=1),
        ListKeysRequest(limit=1000),
    ]
    for request in accepted:
        await send(client, request)


async def test_blobs_and_secrets_are_never_shown(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    request = import_request(key_id, await get_parameters(client, key_id))
    request.import_token = b"visible" * 1000
    requests: list[Message] = [request, EncryptRequest(key_id=key_id, plaintext=b"visible" * 1000)]
    for broken in requests:
        error = await refused(ValidationException, send(client, broken))
        assert "visible" not in error.message


async def test_a_data_keys_length_is_given_exactly_once(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_imported_key(client)
    for request_type in (GenerateDataKeyRequest, GenerateDataKeyWithoutPlaintextRequest):
        neither = request_type(key_id=key_id)
        both = request_type(key_id=key_id, key_spec="DATA_KEY_SPEC_AES_256", number_of_bytes=32)
        for request in (neither, both):
            error = await refused(ValidationException, send(client, request))
            assert error.message == "Please specify either number of bytes or key spec."


async def test_random_bytes_need_a_number(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    error = await refused(ValidationException, send(client, GenerateRandomRequest()))

    assert error.message == "NumberOfBytes is required."


async def test_a_marker_that_was_not_given_out_for_the_list_is_an_invalid_marker(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    of_keys = KEYS.format_marker(key_id)
    for marker in ("marker", key_id, "=", "é", "a" * 1024, "MTo=", "Mjo" * 10, of_keys):
        if marker != of_keys:
            await refused(InvalidMarkerException, send(client, ListKeysRequest(marker=marker)))
        await refused(InvalidMarkerException, send(client, ListAliasesRequest(marker=marker)))
        await refused(
            InvalidMarkerException, send(client, ListResourceTagsRequest(key_id=key_id, marker=marker))
        )


async def test_endlessly_long_values_do_not_break_the_answer(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    for character in ("k", "🔑"):
        error = await refused(ValidationException, describe(client, character * 50_000))
        assert "less than or equal to 2048" in error.message
        assert len(error.message) < 300
    request = ReEncryptRequest(
        ciphertext_blob=b"c" * 10_000, source_key_id="🔑" * 20_000, destination_key_id="漢" * 20_000
    )

    error = await refused(ValidationException, send(client, request))

    assert len(error.violations) == 3


async def test_a_description_takes_every_character_but_nul(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    text = "".join(map(chr, range(1, 256))) + "漢🔑\uffff"
    key_id = await create_external_key(client, text)
    assert (await describe(client, key_id)).description == text

    error = await refused(ValidationException, create_external_key(client, "a\0b"))
    assert [violation.field for violation in error.violations] == ["description"]


async def test_no_text_may_hold_the_character_that_cannot_be_stored(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    error = await refused(ValidationException, describe(client, "key\0id"))
    assert [violation.field for violation in error.violations] == ["keyId"]
    assert "U+0000" in error.message
    error = await refused(ValidationException, send(client, ListKeysRequest(marker="\0")))
    assert [violation.field for violation in error.violations] == ["marker"]
