from google.protobuf import timestamp_pb2 as _timestamp_pb2
from keyferry.v1 import constraints_pb2 as _constraints_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class KeyState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KEY_STATE_UNSPECIFIED: _ClassVar[KeyState]
    KEY_STATE_ENABLED: _ClassVar[KeyState]
    KEY_STATE_DISABLED: _ClassVar[KeyState]
    KEY_STATE_PENDING_DELETION: _ClassVar[KeyState]
    KEY_STATE_PENDING_IMPORT: _ClassVar[KeyState]
    KEY_STATE_PENDING_REPLICA_DELETION: _ClassVar[KeyState]

class KeyUsageType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KEY_USAGE_TYPE_UNSPECIFIED: _ClassVar[KeyUsageType]
    KEY_USAGE_TYPE_ENCRYPT_DECRYPT: _ClassVar[KeyUsageType]
    KEY_USAGE_TYPE_SIGN_VERIFY: _ClassVar[KeyUsageType]
    KEY_USAGE_TYPE_GENERATE_VERIFY_MAC: _ClassVar[KeyUsageType]
    KEY_USAGE_TYPE_KEY_AGREEMENT: _ClassVar[KeyUsageType]

class KeySpec(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KEY_SPEC_UNSPECIFIED: _ClassVar[KeySpec]
    KEY_SPEC_SYMMETRIC_DEFAULT: _ClassVar[KeySpec]
    KEY_SPEC_RSA_2048: _ClassVar[KeySpec]
    KEY_SPEC_RSA_3072: _ClassVar[KeySpec]
    KEY_SPEC_RSA_4096: _ClassVar[KeySpec]
    KEY_SPEC_ECC_NIST_P256: _ClassVar[KeySpec]
    KEY_SPEC_ECC_NIST_P384: _ClassVar[KeySpec]
    KEY_SPEC_ECC_NIST_P521: _ClassVar[KeySpec]
    KEY_SPEC_ECC_SECG_P256K1: _ClassVar[KeySpec]
    KEY_SPEC_HMAC_224: _ClassVar[KeySpec]
    KEY_SPEC_HMAC_256: _ClassVar[KeySpec]
    KEY_SPEC_HMAC_384: _ClassVar[KeySpec]
    KEY_SPEC_HMAC_512: _ClassVar[KeySpec]

class OriginType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ORIGIN_TYPE_UNSPECIFIED: _ClassVar[OriginType]
    ORIGIN_TYPE_AWS_KMS: _ClassVar[OriginType]
    ORIGIN_TYPE_EXTERNAL: _ClassVar[OriginType]

class KeyManagerType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KEY_MANAGER_TYPE_UNSPECIFIED: _ClassVar[KeyManagerType]
    KEY_MANAGER_TYPE_CUSTOMER: _ClassVar[KeyManagerType]

class ExpirationModelType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPIRATION_MODEL_TYPE_UNSPECIFIED: _ClassVar[ExpirationModelType]
    EXPIRATION_MODEL_TYPE_KEY_MATERIAL_EXPIRES: _ClassVar[ExpirationModelType]
    EXPIRATION_MODEL_TYPE_KEY_MATERIAL_DOES_NOT_EXPIRE: _ClassVar[ExpirationModelType]

class EncryptionAlgorithmSpec(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENCRYPTION_ALGORITHM_SPEC_UNSPECIFIED: _ClassVar[EncryptionAlgorithmSpec]
    ENCRYPTION_ALGORITHM_SPEC_SYMMETRIC_DEFAULT: _ClassVar[EncryptionAlgorithmSpec]
    ENCRYPTION_ALGORITHM_SPEC_RSAES_OAEP_SHA_1: _ClassVar[EncryptionAlgorithmSpec]
    ENCRYPTION_ALGORITHM_SPEC_RSAES_OAEP_SHA_256: _ClassVar[EncryptionAlgorithmSpec]

class SigningAlgorithmSpec(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SIGNING_ALGORITHM_SPEC_UNSPECIFIED: _ClassVar[SigningAlgorithmSpec]
    SIGNING_ALGORITHM_SPEC_RSASSA_PSS_SHA_256: _ClassVar[SigningAlgorithmSpec]
    SIGNING_ALGORITHM_SPEC_RSASSA_PSS_SHA_384: _ClassVar[SigningAlgorithmSpec]
    SIGNING_ALGORITHM_SPEC_RSASSA_PSS_SHA_512: _ClassVar[SigningAlgorithmSpec]
    SIGNING_ALGORITHM_SPEC_RSASSA_PKCS1_V1_5_SHA_256: _ClassVar[SigningAlgorithmSpec]
    SIGNING_ALGORITHM_SPEC_RSASSA_PKCS1_V1_5_SHA_384: _ClassVar[SigningAlgorithmSpec]
    SIGNING_ALGORITHM_SPEC_RSASSA_PKCS1_V1_5_SHA_512: _ClassVar[SigningAlgorithmSpec]
    SIGNING_ALGORITHM_SPEC_ECDSA_SHA_256: _ClassVar[SigningAlgorithmSpec]
    SIGNING_ALGORITHM_SPEC_ECDSA_SHA_384: _ClassVar[SigningAlgorithmSpec]
    SIGNING_ALGORITHM_SPEC_ECDSA_SHA_512: _ClassVar[SigningAlgorithmSpec]

class MacAlgorithmSpec(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MAC_ALGORITHM_SPEC_UNSPECIFIED: _ClassVar[MacAlgorithmSpec]
    MAC_ALGORITHM_SPEC_HMAC_SHA_224: _ClassVar[MacAlgorithmSpec]
    MAC_ALGORITHM_SPEC_HMAC_SHA_256: _ClassVar[MacAlgorithmSpec]
    MAC_ALGORITHM_SPEC_HMAC_SHA_384: _ClassVar[MacAlgorithmSpec]
    MAC_ALGORITHM_SPEC_HMAC_SHA_512: _ClassVar[MacAlgorithmSpec]

class KeyAgreementAlgorithmSpec(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KEY_AGREEMENT_ALGORITHM_SPEC_UNSPECIFIED: _ClassVar[KeyAgreementAlgorithmSpec]
    KEY_AGREEMENT_ALGORITHM_SPEC_ECDH: _ClassVar[KeyAgreementAlgorithmSpec]

class MultiRegionKeyType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MULTI_REGION_KEY_TYPE_UNSPECIFIED: _ClassVar[MultiRegionKeyType]
    MULTI_REGION_KEY_TYPE_PRIMARY: _ClassVar[MultiRegionKeyType]
    MULTI_REGION_KEY_TYPE_REPLICA: _ClassVar[MultiRegionKeyType]
KEY_STATE_UNSPECIFIED: KeyState
KEY_STATE_ENABLED: KeyState
KEY_STATE_DISABLED: KeyState
KEY_STATE_PENDING_DELETION: KeyState
KEY_STATE_PENDING_IMPORT: KeyState
KEY_STATE_PENDING_REPLICA_DELETION: KeyState
KEY_USAGE_TYPE_UNSPECIFIED: KeyUsageType
KEY_USAGE_TYPE_ENCRYPT_DECRYPT: KeyUsageType
KEY_USAGE_TYPE_SIGN_VERIFY: KeyUsageType
KEY_USAGE_TYPE_GENERATE_VERIFY_MAC: KeyUsageType
KEY_USAGE_TYPE_KEY_AGREEMENT: KeyUsageType
KEY_SPEC_UNSPECIFIED: KeySpec
KEY_SPEC_SYMMETRIC_DEFAULT: KeySpec
KEY_SPEC_RSA_2048: KeySpec
KEY_SPEC_RSA_3072: KeySpec
KEY_SPEC_RSA_4096: KeySpec
KEY_SPEC_ECC_NIST_P256: KeySpec
KEY_SPEC_ECC_NIST_P384: KeySpec
KEY_SPEC_ECC_NIST_P521: KeySpec
KEY_SPEC_ECC_SECG_P256K1: KeySpec
KEY_SPEC_HMAC_224: KeySpec
KEY_SPEC_HMAC_256: KeySpec
KEY_SPEC_HMAC_384: KeySpec
KEY_SPEC_HMAC_512: KeySpec
ORIGIN_TYPE_UNSPECIFIED: OriginType
ORIGIN_TYPE_AWS_KMS: OriginType
ORIGIN_TYPE_EXTERNAL: OriginType
KEY_MANAGER_TYPE_UNSPECIFIED: KeyManagerType
KEY_MANAGER_TYPE_CUSTOMER: KeyManagerType
EXPIRATION_MODEL_TYPE_UNSPECIFIED: ExpirationModelType
EXPIRATION_MODEL_TYPE_KEY_MATERIAL_EXPIRES: ExpirationModelType
EXPIRATION_MODEL_TYPE_KEY_MATERIAL_DOES_NOT_EXPIRE: ExpirationModelType
ENCRYPTION_ALGORITHM_SPEC_UNSPECIFIED: EncryptionAlgorithmSpec
ENCRYPTION_ALGORITHM_SPEC_SYMMETRIC_DEFAULT: EncryptionAlgorithmSpec
ENCRYPTION_ALGORITHM_SPEC_RSAES_OAEP_SHA_1: EncryptionAlgorithmSpec
ENCRYPTION_ALGORITHM_SPEC_RSAES_OAEP_SHA_256: EncryptionAlgorithmSpec
SIGNING_ALGORITHM_SPEC_UNSPECIFIED: SigningAlgorithmSpec
SIGNING_ALGORITHM_SPEC_RSASSA_PSS_SHA_256: SigningAlgorithmSpec
SIGNING_ALGORITHM_SPEC_RSASSA_PSS_SHA_384: SigningAlgorithmSpec
SIGNING_ALGORITHM_SPEC_RSASSA_PSS_SHA_512: SigningAlgorithmSpec
SIGNING_ALGORITHM_SPEC_RSASSA_PKCS1_V1_5_SHA_256: SigningAlgorithmSpec
SIGNING_ALGORITHM_SPEC_RSASSA_PKCS1_V1_5_SHA_384: SigningAlgorithmSpec
SIGNING_ALGORITHM_SPEC_RSASSA_PKCS1_V1_5_SHA_512: SigningAlgorithmSpec
SIGNING_ALGORITHM_SPEC_ECDSA_SHA_256: SigningAlgorithmSpec
SIGNING_ALGORITHM_SPEC_ECDSA_SHA_384: SigningAlgorithmSpec
SIGNING_ALGORITHM_SPEC_ECDSA_SHA_512: SigningAlgorithmSpec
MAC_ALGORITHM_SPEC_UNSPECIFIED: MacAlgorithmSpec
MAC_ALGORITHM_SPEC_HMAC_SHA_224: MacAlgorithmSpec
MAC_ALGORITHM_SPEC_HMAC_SHA_256: MacAlgorithmSpec
MAC_ALGORITHM_SPEC_HMAC_SHA_384: MacAlgorithmSpec
MAC_ALGORITHM_SPEC_HMAC_SHA_512: MacAlgorithmSpec
KEY_AGREEMENT_ALGORITHM_SPEC_UNSPECIFIED: KeyAgreementAlgorithmSpec
KEY_AGREEMENT_ALGORITHM_SPEC_ECDH: KeyAgreementAlgorithmSpec
MULTI_REGION_KEY_TYPE_UNSPECIFIED: MultiRegionKeyType
MULTI_REGION_KEY_TYPE_PRIMARY: MultiRegionKeyType
MULTI_REGION_KEY_TYPE_REPLICA: MultiRegionKeyType

class MultiRegionKey(_message.Message):
    __slots__ = ("arn", "region")
    ARN_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    arn: str
    region: str
    def __init__(self, arn: _Optional[str] = ..., region: _Optional[str] = ...) -> None: ...

class MultiRegionConfiguration(_message.Message):
    __slots__ = ("multi_region_key_type", "primary_key", "replica_keys")
    MULTI_REGION_KEY_TYPE_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_KEY_FIELD_NUMBER: _ClassVar[int]
    REPLICA_KEYS_FIELD_NUMBER: _ClassVar[int]
    multi_region_key_type: MultiRegionKeyType
    primary_key: MultiRegionKey
    replica_keys: _containers.RepeatedCompositeFieldContainer[MultiRegionKey]
    def __init__(self, multi_region_key_type: _Optional[_Union[MultiRegionKeyType, str]] = ..., primary_key: _Optional[_Union[MultiRegionKey, _Mapping]] = ..., replica_keys: _Optional[_Iterable[_Union[MultiRegionKey, _Mapping]]] = ...) -> None: ...

class KeyMetadata(_message.Message):
    __slots__ = ("aws_account_id", "key_id", "arn", "creation_date", "enabled", "description", "key_usage", "key_state", "deletion_date", "valid_to", "origin", "expiration_model", "key_manager", "customer_master_key_spec", "key_spec", "encryption_algorithms", "signing_algorithms", "key_agreement_algorithms", "multi_region", "mac_algorithms", "current_key_material_id", "pending_deletion_window_in_days", "multi_region_configuration")
    AWS_ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    ARN_FIELD_NUMBER: _ClassVar[int]
    CREATION_DATE_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    KEY_USAGE_FIELD_NUMBER: _ClassVar[int]
    KEY_STATE_FIELD_NUMBER: _ClassVar[int]
    DELETION_DATE_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    EXPIRATION_MODEL_FIELD_NUMBER: _ClassVar[int]
    KEY_MANAGER_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_MASTER_KEY_SPEC_FIELD_NUMBER: _ClassVar[int]
    KEY_SPEC_FIELD_NUMBER: _ClassVar[int]
    ENCRYPTION_ALGORITHMS_FIELD_NUMBER: _ClassVar[int]
    SIGNING_ALGORITHMS_FIELD_NUMBER: _ClassVar[int]
    KEY_AGREEMENT_ALGORITHMS_FIELD_NUMBER: _ClassVar[int]
    MULTI_REGION_FIELD_NUMBER: _ClassVar[int]
    MAC_ALGORITHMS_FIELD_NUMBER: _ClassVar[int]
    CURRENT_KEY_MATERIAL_ID_FIELD_NUMBER: _ClassVar[int]
    PENDING_DELETION_WINDOW_IN_DAYS_FIELD_NUMBER: _ClassVar[int]
    MULTI_REGION_CONFIGURATION_FIELD_NUMBER: _ClassVar[int]
    aws_account_id: str
    key_id: str
    arn: str
    creation_date: _timestamp_pb2.Timestamp
    enabled: bool
    description: str
    key_usage: KeyUsageType
    key_state: KeyState
    deletion_date: _timestamp_pb2.Timestamp
    valid_to: _timestamp_pb2.Timestamp
    origin: OriginType
    expiration_model: ExpirationModelType
    key_manager: KeyManagerType
    customer_master_key_spec: KeySpec
    key_spec: KeySpec
    encryption_algorithms: _containers.RepeatedScalarFieldContainer[EncryptionAlgorithmSpec]
    signing_algorithms: _containers.RepeatedScalarFieldContainer[SigningAlgorithmSpec]
    key_agreement_algorithms: _containers.RepeatedScalarFieldContainer[KeyAgreementAlgorithmSpec]
    multi_region: bool
    mac_algorithms: _containers.RepeatedScalarFieldContainer[MacAlgorithmSpec]
    current_key_material_id: str
    pending_deletion_window_in_days: int
    multi_region_configuration: MultiRegionConfiguration
    def __init__(self, aws_account_id: _Optional[str] = ..., key_id: _Optional[str] = ..., arn: _Optional[str] = ..., creation_date: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., enabled: bool = ..., description: _Optional[str] = ..., key_usage: _Optional[_Union[KeyUsageType, str]] = ..., key_state: _Optional[_Union[KeyState, str]] = ..., deletion_date: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_to: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., origin: _Optional[_Union[OriginType, str]] = ..., expiration_model: _Optional[_Union[ExpirationModelType, str]] = ..., key_manager: _Optional[_Union[KeyManagerType, str]] = ..., customer_master_key_spec: _Optional[_Union[KeySpec, str]] = ..., key_spec: _Optional[_Union[KeySpec, str]] = ..., encryption_algorithms: _Optional[_Iterable[_Union[EncryptionAlgorithmSpec, str]]] = ..., signing_algorithms: _Optional[_Iterable[_Union[SigningAlgorithmSpec, str]]] = ..., key_agreement_algorithms: _Optional[_Iterable[_Union[KeyAgreementAlgorithmSpec, str]]] = ..., multi_region: bool = ..., mac_algorithms: _Optional[_Iterable[_Union[MacAlgorithmSpec, str]]] = ..., current_key_material_id: _Optional[str] = ..., pending_deletion_window_in_days: _Optional[int] = ..., multi_region_configuration: _Optional[_Union[MultiRegionConfiguration, _Mapping]] = ...) -> None: ...
