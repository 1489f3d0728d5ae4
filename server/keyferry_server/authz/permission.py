"""Every permission there is: one for each operation that a policy can name."""

from enum import StrEnum


class Permission(StrEnum):
    """An action as policies write it."""

    CREATE_KEY = "kms:CreateKey"
    DECRYPT = "kms:Decrypt"
    DELETE_IMPORTED_KEY_MATERIAL = "kms:DeleteImportedKeyMaterial"
    DESCRIBE_KEY = "kms:DescribeKey"
    DISABLE_KEY = "kms:DisableKey"
    ENABLE_KEY = "kms:EnableKey"
    ENCRYPT = "kms:Encrypt"
    GENERATE_DATA_KEY = "kms:GenerateDataKey"
    GENERATE_DATA_KEY_WITHOUT_PLAINTEXT = "kms:GenerateDataKeyWithoutPlaintext"
    GENERATE_RANDOM = "kms:GenerateRandom"
    GET_PARAMETERS_FOR_IMPORT = "kms:GetParametersForImport"
    IMPORT_KEY_MATERIAL = "kms:ImportKeyMaterial"
    LIST_KEYS = "kms:ListKeys"
    RE_ENCRYPT_FROM = "kms:ReEncryptFrom"
    RE_ENCRYPT_TO = "kms:ReEncryptTo"
