from google.protobuf import timestamp_pb2 as _timestamp_pb2
from keyferry.v1 import constraints_pb2 as _constraints_pb2
from keyferry.v1 import extensions_pb2 as _extensions_pb2
from keyferry.v1 import key_pb2 as _key_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AlgorithmSpec(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ALGORITHM_SPEC_UNSPECIFIED: _ClassVar[AlgorithmSpec]
    ALGORITHM_SPEC_RSAES_PKCS1_V1_5: _ClassVar[AlgorithmSpec]
    ALGORITHM_SPEC_RSAES_OAEP_SHA_1: _ClassVar[AlgorithmSpec]
    ALGORITHM_SPEC_RSAES_OAEP_SHA_256: _ClassVar[AlgorithmSpec]
    ALGORITHM_SPEC_RSA_AES_KEY_WRAP_SHA_1: _ClassVar[AlgorithmSpec]
    ALGORITHM_SPEC_RSA_AES_KEY_WRAP_SHA_256: _ClassVar[AlgorithmSpec]
    ALGORITHM_SPEC_SM2PKE: _ClassVar[AlgorithmSpec]

class WrappingKeySpec(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WRAPPING_KEY_SPEC_UNSPECIFIED: _ClassVar[WrappingKeySpec]
    WRAPPING_KEY_SPEC_RSA_2048: _ClassVar[WrappingKeySpec]
    WRAPPING_KEY_SPEC_RSA_3072: _ClassVar[WrappingKeySpec]
    WRAPPING_KEY_SPEC_RSA_4096: _ClassVar[WrappingKeySpec]
    WRAPPING_KEY_SPEC_SM2: _ClassVar[WrappingKeySpec]

class ImportType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IMPORT_TYPE_UNSPECIFIED: _ClassVar[ImportType]
    IMPORT_TYPE_NEW_KEY_MATERIAL: _ClassVar[ImportType]
    IMPORT_TYPE_EXISTING_KEY_MATERIAL: _ClassVar[ImportType]
ALGORITHM_SPEC_UNSPECIFIED: AlgorithmSpec
ALGORITHM_SPEC_RSAES_PKCS1_V1_5: AlgorithmSpec
ALGORITHM_SPEC_RSAES_OAEP_SHA_1: AlgorithmSpec
ALGORITHM_SPEC_RSAES_OAEP_SHA_256: AlgorithmSpec
ALGORITHM_SPEC_RSA_AES_KEY_WRAP_SHA_1: AlgorithmSpec
ALGORITHM_SPEC_RSA_AES_KEY_WRAP_SHA_256: AlgorithmSpec
ALGORITHM_SPEC_SM2PKE: AlgorithmSpec
WRAPPING_KEY_SPEC_UNSPECIFIED: WrappingKeySpec
WRAPPING_KEY_SPEC_RSA_2048: WrappingKeySpec
WRAPPING_KEY_SPEC_RSA_3072: WrappingKeySpec
WRAPPING_KEY_SPEC_RSA_4096: WrappingKeySpec
WRAPPING_KEY_SPEC_SM2: WrappingKeySpec
IMPORT_TYPE_UNSPECIFIED: ImportType
IMPORT_TYPE_NEW_KEY_MATERIAL: ImportType
IMPORT_TYPE_EXISTING_KEY_MATERIAL: ImportType

class GetParametersForImportRequest(_message.Message):
    __slots__ = ("key_id", "wrapping_algorithm", "wrapping_key_spec", "lifetime_seconds")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    WRAPPING_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    WRAPPING_KEY_SPEC_FIELD_NUMBER: _ClassVar[int]
    LIFETIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    wrapping_algorithm: AlgorithmSpec
    wrapping_key_spec: WrappingKeySpec
    lifetime_seconds: int
    def __init__(self, key_id: _Optional[str] = ..., wrapping_algorithm: _Optional[_Union[AlgorithmSpec, str]] = ..., wrapping_key_spec: _Optional[_Union[WrappingKeySpec, str]] = ..., lifetime_seconds: _Optional[int] = ...) -> None: ...

class GetParametersForImportResponse(_message.Message):
    __slots__ = ("key_id", "import_token", "public_key", "parameters_valid_to", "import_token_id")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    IMPORT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_VALID_TO_FIELD_NUMBER: _ClassVar[int]
    IMPORT_TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    import_token: bytes
    public_key: bytes
    parameters_valid_to: _timestamp_pb2.Timestamp
    import_token_id: str
    def __init__(self, key_id: _Optional[str] = ..., import_token: _Optional[bytes] = ..., public_key: _Optional[bytes] = ..., parameters_valid_to: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., import_token_id: _Optional[str] = ...) -> None: ...

class ImportKeyMaterialRequest(_message.Message):
    __slots__ = ("key_id", "import_token", "encrypted_key_material", "valid_to", "expiration_model", "import_type", "key_material_description", "key_material_id", "dry_run")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    IMPORT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ENCRYPTED_KEY_MATERIAL_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_FIELD_NUMBER: _ClassVar[int]
    EXPIRATION_MODEL_FIELD_NUMBER: _ClassVar[int]
    IMPORT_TYPE_FIELD_NUMBER: _ClassVar[int]
    KEY_MATERIAL_DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    KEY_MATERIAL_ID_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    import_token: bytes
    encrypted_key_material: bytes
    valid_to: _timestamp_pb2.Timestamp
    expiration_model: _key_pb2.ExpirationModelType
    import_type: ImportType
    key_material_description: str
    key_material_id: str
    dry_run: bool
    def __init__(self, key_id: _Optional[str] = ..., import_token: _Optional[bytes] = ..., encrypted_key_material: _Optional[bytes] = ..., valid_to: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expiration_model: _Optional[_Union[_key_pb2.ExpirationModelType, str]] = ..., import_type: _Optional[_Union[ImportType, str]] = ..., key_material_description: _Optional[str] = ..., key_material_id: _Optional[str] = ..., dry_run: bool = ...) -> None: ...

class ImportReceipt(_message.Message):
    __slots__ = ("import_token_id", "key_id", "key_material_id", "wrapping_algorithm", "wrapping_key_spec", "import_date", "caller", "request_id")
    IMPORT_TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_MATERIAL_ID_FIELD_NUMBER: _ClassVar[int]
    WRAPPING_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    WRAPPING_KEY_SPEC_FIELD_NUMBER: _ClassVar[int]
    IMPORT_DATE_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    import_token_id: str
    key_id: str
    key_material_id: str
    wrapping_algorithm: AlgorithmSpec
    wrapping_key_spec: WrappingKeySpec
    import_date: _timestamp_pb2.Timestamp
    caller: str
    request_id: str
    def __init__(self, import_token_id: _Optional[str] = ..., key_id: _Optional[str] = ..., key_material_id: _Optional[str] = ..., wrapping_algorithm: _Optional[_Union[AlgorithmSpec, str]] = ..., wrapping_key_spec: _Optional[_Union[WrappingKeySpec, str]] = ..., import_date: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., caller: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ImportKeyMaterialResponse(_message.Message):
    __slots__ = ("key_id", "key_material_id", "receipt")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_MATERIAL_ID_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    key_material_id: str
    receipt: ImportReceipt
    def __init__(self, key_id: _Optional[str] = ..., key_material_id: _Optional[str] = ..., receipt: _Optional[_Union[ImportReceipt, _Mapping]] = ...) -> None: ...

class DeleteImportedKeyMaterialRequest(_message.Message):
    __slots__ = ("key_id", "key_material_id")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_MATERIAL_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    key_material_id: str
    def __init__(self, key_id: _Optional[str] = ..., key_material_id: _Optional[str] = ...) -> None: ...

class DeleteImportedKeyMaterialResponse(_message.Message):
    __slots__ = ("key_id", "key_material_id")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_MATERIAL_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    key_material_id: str
    def __init__(self, key_id: _Optional[str] = ..., key_material_id: _Optional[str] = ...) -> None: ...
