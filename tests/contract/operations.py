"""A well-formed request for every operation that works on a key, and how to send any request."""

import re
from typing import Any

from google.protobuf.message import Message
from policies import OWNER, policy, user
from steps import NEVER

from keyferry.v1 import (
    CancelKeyDeletionRequest,
    CreateAliasRequest,
    CreateGrantRequest,
    DecryptRequest,
    DeleteAliasRequest,
    DeleteImportedKeyMaterialRequest,
    DescribeKeyRequest,
    DisableKeyRequest,
    DisableKeyRotationRequest,
    EnableKeyRequest,
    EnableKeyRotationRequest,
    EncryptRequest,
    ExplainAccessRequest,
    GenerateDataKeyPairRequest,
    GenerateDataKeyPairWithoutPlaintextRequest,
    GenerateDataKeyRequest,
    GenerateDataKeyWithoutPlaintextRequest,
    GetKeyLastUsageRequest,
    GetKeyPolicyRequest,
    GetKeyRotationStatusRequest,
    GetParametersForImportRequest,
    ImportKeyMaterialRequest,
    ListAliasesRequest,
    ListGrantsRequest,
    ListImportReceiptsRequest,
    ListImportTokensRequest,
    ListKeyPoliciesRequest,
    ListKeyRotationsRequest,
    ListResourceTagsRequest,
    PutKeyPolicyRequest,
    ReEncryptRequest,
    RetireGrantRequest,
    RevokeGrantRequest,
    RevokeImportTokenRequest,
    RotateKeyOnDemandRequest,
    ScheduleKeyDeletionRequest,
    Tag,
    TagResourceRequest,
    UntagResourceRequest,
    UpdateAliasRequest,
    UpdateKeyDescriptionRequest,
)
from keyferry_client import KeyManagementServiceClient

# AWS's table of key identifiers: these take no alias, the others do.
KEY_ONLY = frozenset(
    {
        "EnableKey",
        "DisableKey",
        "GetParametersForImport",
        "ImportKeyMaterial",
        "DeleteImportedKeyMaterial",
        "CreateGrant",
        "GetKeyPolicy",
        "ListGrants",
        "ListKeyPolicies",
        "PutKeyPolicy",
        "RetireGrant",
        "RevokeGrant",
        "UpdateKeyDescription",
        "CreateAlias",
        "UpdateAlias",
        "ListAliases",
        "TagResource",
        "UntagResource",
        "ListResourceTags",
        "CancelKeyDeletion",
        "DisableKeyRotation",
        "EnableKeyRotation",
        "ExplainAccess",
        "GetKeyLastUsage",
        "GetKeyRotationStatus",
        "ListImportReceipts",
        "ListImportTokens",
        "ListKeyRotations",
        "RevokeImportToken",
        "RotateKeyOnDemand",
        "ScheduleKeyDeletion",
    }
)
IMPORT_OPERATIONS = frozenset(
    {
        "GetParametersForImport",
        "ImportKeyMaterial",
        "DeleteImportedKeyMaterial",
        "ListImportReceipts",
        "ListImportTokens",
        "RevokeImportToken",
    }
)
CRYPTOGRAPHIC = frozenset(
    {
        "Encrypt",
        "Decrypt",
        "ReEncrypt from",
        "ReEncrypt to",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
    }
)
ON_A_KEY = sorted(KEY_ONLY | CRYPTOGRAPHIC | {"DescribeKey"})


def request_on(
    operation: str,
    key_id: str,
    *,
    ciphertext: bytes = b"",
    destination: str = "",
    import_token: bytes = b"token",
    wrapped: bytes = bytes(256),
    token_id: str = "",
    grant_id: str = "0" * 64,
) -> Message:
    """Return a request of one of ON_A_KEY that is right but for what the test is about.

    `ciphertext` goes into Decrypt and both sides of ReEncrypt; `destination` is the
    other key of a ReEncrypt from `key_id`.
    """
    requests: dict[str, Message] = {
        "DescribeKey": DescribeKeyRequest(key_id=key_id),
        "EnableKey": EnableKeyRequest(key_id=key_id),
        "DisableKey": DisableKeyRequest(key_id=key_id),
        "GetParametersForImport": GetParametersForImportRequest(
            key_id=key_id,
            wrapping_algorithm="ALGORITHM_SPEC_RSAES_OAEP_SHA_256",
            wrapping_key_spec="WRAPPING_KEY_SPEC_RSA_2048",
        ),
        "ImportKeyMaterial": ImportKeyMaterialRequest(
            key_id=key_id, import_token=import_token, encrypted_key_material=wrapped, expiration_model=NEVER
        ),
        "DeleteImportedKeyMaterial": DeleteImportedKeyMaterialRequest(key_id=key_id),
        "ScheduleKeyDeletion": ScheduleKeyDeletionRequest(key_id=key_id, pending_window_in_days=7),
        "CancelKeyDeletion": CancelKeyDeletionRequest(key_id=key_id),
        "EnableKeyRotation": EnableKeyRotationRequest(key_id=key_id),
        "DisableKeyRotation": DisableKeyRotationRequest(key_id=key_id),
        "GetKeyRotationStatus": GetKeyRotationStatusRequest(key_id=key_id),
        "RotateKeyOnDemand": RotateKeyOnDemandRequest(key_id=key_id),
        "ListKeyRotations": ListKeyRotationsRequest(key_id=key_id),
        "ExplainAccess": ExplainAccessRequest(key_id=key_id, action="kms:Decrypt"),
        "GetKeyLastUsage": GetKeyLastUsageRequest(key_id=key_id),
        "ListImportTokens": ListImportTokensRequest(key_id=key_id),
        "RevokeImportToken": RevokeImportTokenRequest(
            key_id=key_id, import_token_id=token_id or "00000000-0000-0000-0000-000000000000"
        ),
        "ListImportReceipts": ListImportReceiptsRequest(key_id=key_id),
        "GetKeyPolicy": GetKeyPolicyRequest(key_id=key_id),
        "PutKeyPolicy": PutKeyPolicyRequest(key_id=key_id, policy=policy(OWNER)),
        "ListKeyPolicies": ListKeyPoliciesRequest(key_id=key_id),
        "CreateGrant": CreateGrantRequest(
            key_id=key_id, grantee_principal=user("grantee"), operations=["GRANT_OPERATION_ENCRYPT"]
        ),
        "ListGrants": ListGrantsRequest(key_id=key_id),
        "RevokeGrant": RevokeGrantRequest(key_id=key_id, grant_id=grant_id),
        "RetireGrant": RetireGrantRequest(key_id=key_id, grant_id=grant_id),
        "Encrypt": EncryptRequest(key_id=key_id, plaintext=b"text"),
        "Decrypt": DecryptRequest(key_id=key_id, ciphertext_blob=ciphertext),
        "ReEncrypt from": ReEncryptRequest(
            source_key_id=key_id, destination_key_id=destination, ciphertext_blob=ciphertext
        ),
        "ReEncrypt to": ReEncryptRequest(destination_key_id=key_id, ciphertext_blob=ciphertext),
        "GenerateDataKeyPair": GenerateDataKeyPairRequest(
            key_id=key_id, key_pair_spec="DATA_KEY_PAIR_SPEC_ECC_NIST_P256"
        ),
        "GenerateDataKeyPairWithoutPlaintext": GenerateDataKeyPairWithoutPlaintextRequest(
            key_id=key_id, key_pair_spec="DATA_KEY_PAIR_SPEC_ECC_NIST_P384"
        ),
        "GenerateDataKey": GenerateDataKeyRequest(key_id=key_id, key_spec="DATA_KEY_SPEC_AES_256"),
        "GenerateDataKeyWithoutPlaintext": GenerateDataKeyWithoutPlaintextRequest(
            key_id=key_id, number_of_bytes=64
        ),
        "UpdateKeyDescription": UpdateKeyDescriptionRequest(key_id=key_id, description="another"),
        "CreateAlias": CreateAliasRequest(alias_name="alias/new", target_key_id=key_id),
        "UpdateAlias": UpdateAliasRequest(alias_name="alias/moved", target_key_id=key_id),
        "DeleteAlias": DeleteAliasRequest(alias_name="alias/moved"),
        "ListAliases": ListAliasesRequest(key_id=key_id),
        "TagResource": TagResourceRequest(key_id=key_id, tags=[Tag(tag_key="team", tag_value="payroll")]),
        "UntagResource": UntagResourceRequest(key_id=key_id, tag_keys=["team"]),
        "ListResourceTags": ListResourceTagsRequest(key_id=key_id),
    }
    return requests[operation]


async def send(client: KeyManagementServiceClient, request: Message) -> Any:
    """Call the operation that a request belongs to."""
    operation = type(request).__name__.removesuffix("Request")
    method = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()
    return await getattr(client, f"{method}_async")(request)
