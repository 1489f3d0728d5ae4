"""Every permission there is: one for each operation that a policy can name."""

from enum import StrEnum


class Permission(StrEnum):
    """An action as policies write it."""

    CANCEL_KEY_DELETION = "kms:CancelKeyDeletion"
    CREATE_ALIAS = "kms:CreateAlias"
    CREATE_GRANT = "kms:CreateGrant"
    CREATE_KEY = "kms:CreateKey"
    DECRYPT = "kms:Decrypt"
    DELETE_ALIAS = "kms:DeleteAlias"
    DELETE_IMPORTED_KEY_MATERIAL = "kms:DeleteImportedKeyMaterial"
    DERIVE_SHARED_SECRET = "kms:DeriveSharedSecret"  # noqa: S105 -- a name, no secret
    DESCRIBE_KEY = "kms:DescribeKey"
    DISABLE_KEY = "kms:DisableKey"
    DISABLE_KEY_ROTATION = "kms:DisableKeyRotation"
    ENABLE_KEY = "kms:EnableKey"
    ENABLE_KEY_ROTATION = "kms:EnableKeyRotation"
    ENCRYPT = "kms:Encrypt"
    EXPLAIN_ACCESS = "kms:ExplainAccess"
    GENERATE_DATA_KEY = "kms:GenerateDataKey"
    GENERATE_DATA_KEY_PAIR = "kms:GenerateDataKeyPair"
    GENERATE_DATA_KEY_PAIR_WITHOUT_PLAINTEXT = "kms:GenerateDataKeyPairWithoutPlaintext"
    GENERATE_DATA_KEY_WITHOUT_PLAINTEXT = "kms:GenerateDataKeyWithoutPlaintext"
    GENERATE_MAC = "kms:GenerateMac"
    GENERATE_RANDOM = "kms:GenerateRandom"
    GET_KEY_LAST_USAGE = "kms:GetKeyLastUsage"
    GET_KEY_POLICY = "kms:GetKeyPolicy"
    GET_KEY_ROTATION_STATUS = "kms:GetKeyRotationStatus"
    GET_PARAMETERS_FOR_IMPORT = "kms:GetParametersForImport"
    GET_PUBLIC_KEY = "kms:GetPublicKey"
    IMPORT_KEY_MATERIAL = "kms:ImportKeyMaterial"
    LIST_ALIASES = "kms:ListAliases"
    LIST_GRANTS = "kms:ListGrants"
    LIST_IMPORT_RECEIPTS = "kms:ListImportReceipts"
    LIST_IMPORT_TOKENS = "kms:ListImportTokens"
    LIST_KEY_POLICIES = "kms:ListKeyPolicies"
    LIST_KEYS = "kms:ListKeys"
    LIST_KEY_ROTATIONS = "kms:ListKeyRotations"
    LIST_RESOURCE_TAGS = "kms:ListResourceTags"
    LIST_RETIRABLE_GRANTS = "kms:ListRetirableGrants"
    PUT_KEY_POLICY = "kms:PutKeyPolicy"
    REPLICATE_KEY = "kms:ReplicateKey"
    RETIRE_GRANT = "kms:RetireGrant"
    REVOKE_GRANT = "kms:RevokeGrant"
    REVOKE_IMPORT_TOKEN = "kms:RevokeImportToken"  # noqa: S105 -- a name, no secret
    RE_ENCRYPT_FROM = "kms:ReEncryptFrom"
    RE_ENCRYPT_TO = "kms:ReEncryptTo"
    ROTATE_KEY_ON_DEMAND = "kms:RotateKeyOnDemand"
    SCHEDULE_KEY_DELETION = "kms:ScheduleKeyDeletion"
    SIGN = "kms:Sign"
    TAG_RESOURCE = "kms:TagResource"
    UNTAG_RESOURCE = "kms:UntagResource"
    UPDATE_ALIAS = "kms:UpdateAlias"
    UPDATE_KEY_DESCRIPTION = "kms:UpdateKeyDescription"
    UPDATE_PRIMARY_REGION = "kms:UpdatePrimaryRegion"
    VERIFY = "kms:Verify"
    VERIFY_MAC = "kms:VerifyMac"


# What AWS allows to callers of other accounts; everything else is refused across accounts, whatever a policy says.
ACROSS_ACCOUNTS = frozenset(
    {
        Permission.CREATE_GRANT,
        Permission.DECRYPT,
        Permission.DERIVE_SHARED_SECRET,
        Permission.DESCRIBE_KEY,
        Permission.ENCRYPT,
        Permission.GENERATE_DATA_KEY,
        Permission.GENERATE_DATA_KEY_PAIR,
        Permission.GENERATE_DATA_KEY_PAIR_WITHOUT_PLAINTEXT,
        Permission.GENERATE_DATA_KEY_WITHOUT_PLAINTEXT,
        Permission.GENERATE_MAC,
        Permission.GET_KEY_ROTATION_STATUS,
        Permission.GET_PUBLIC_KEY,
        Permission.LIST_GRANTS,
        Permission.RETIRE_GRANT,
        Permission.REVOKE_GRANT,
        Permission.RE_ENCRYPT_FROM,
        Permission.RE_ENCRYPT_TO,
        Permission.SIGN,
        Permission.VERIFY,
        Permission.VERIFY_MAC,
    }
)


# What concerns no key: only identity policies decide.
WITHOUT_KEY = frozenset(
    {
        Permission.CREATE_KEY,
        Permission.GENERATE_RANDOM,
        Permission.LIST_ALIASES,
        Permission.LIST_KEYS,
        Permission.LIST_RETIRABLE_GRANTS,
    }
)
