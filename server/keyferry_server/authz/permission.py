"""Every permission there is: one for each operation that a policy can name."""

from enum import StrEnum


class Permission(StrEnum):
    """An action as policies write it."""

    CANCEL_KEY_DELETION = "kms:CancelKeyDeletion"
    CREATE_KEY = "kms:CreateKey"
    DECRYPT = "kms:Decrypt"
    DELETE_IMPORTED_KEY_MATERIAL = "kms:DeleteImportedKeyMaterial"
    DERIVE_SHARED_SECRET = "kms:DeriveSharedSecret"  # noqa: S105 -- a name, no secret
    DESCRIBE_KEY = "kms:DescribeKey"
    DISABLE_KEY = "kms:DisableKey"
    DISABLE_KEY_ROTATION = "kms:DisableKeyRotation"
    ENABLE_KEY = "kms:EnableKey"
    ENABLE_KEY_ROTATION = "kms:EnableKeyRotation"
    ENCRYPT = "kms:Encrypt"
    GENERATE_DATA_KEY = "kms:GenerateDataKey"
    GENERATE_DATA_KEY_PAIR = "kms:GenerateDataKeyPair"
    GENERATE_DATA_KEY_PAIR_WITHOUT_PLAINTEXT = "kms:GenerateDataKeyPairWithoutPlaintext"
    GENERATE_DATA_KEY_WITHOUT_PLAINTEXT = "kms:GenerateDataKeyWithoutPlaintext"
    GENERATE_MAC = "kms:GenerateMac"
    GENERATE_RANDOM = "kms:GenerateRandom"
    GET_KEY_LAST_USAGE = "kms:GetKeyLastUsage"
    GET_KEY_ROTATION_STATUS = "kms:GetKeyRotationStatus"
    GET_PARAMETERS_FOR_IMPORT = "kms:GetParametersForImport"
    GET_PUBLIC_KEY = "kms:GetPublicKey"
    IMPORT_KEY_MATERIAL = "kms:ImportKeyMaterial"
    LIST_IMPORT_RECEIPTS = "kms:ListImportReceipts"
    LIST_IMPORT_TOKENS = "kms:ListImportTokens"
    LIST_KEYS = "kms:ListKeys"
    LIST_KEY_ROTATIONS = "kms:ListKeyRotations"
    REVOKE_IMPORT_TOKEN = "kms:RevokeImportToken"  # noqa: S105 -- a name, no secret
    RE_ENCRYPT_FROM = "kms:ReEncryptFrom"
    RE_ENCRYPT_TO = "kms:ReEncryptTo"
    ROTATE_KEY_ON_DEMAND = "kms:RotateKeyOnDemand"
    SCHEDULE_KEY_DELETION = "kms:ScheduleKeyDeletion"
    SIGN = "kms:Sign"
    VERIFY = "kms:Verify"
    VERIFY_MAC = "kms:VerifyMac"
