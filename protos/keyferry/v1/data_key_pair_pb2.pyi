from keyferry.v1 import constraints_pb2 as _constraints_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DataKeyPairSpec(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATA_KEY_PAIR_SPEC_UNSPECIFIED: _ClassVar[DataKeyPairSpec]
    DATA_KEY_PAIR_SPEC_RSA_2048: _ClassVar[DataKeyPairSpec]
    DATA_KEY_PAIR_SPEC_RSA_3072: _ClassVar[DataKeyPairSpec]
    DATA_KEY_PAIR_SPEC_RSA_4096: _ClassVar[DataKeyPairSpec]
    DATA_KEY_PAIR_SPEC_ECC_NIST_P256: _ClassVar[DataKeyPairSpec]
    DATA_KEY_PAIR_SPEC_ECC_NIST_P384: _ClassVar[DataKeyPairSpec]
    DATA_KEY_PAIR_SPEC_ECC_NIST_P521: _ClassVar[DataKeyPairSpec]
    DATA_KEY_PAIR_SPEC_ECC_SECG_P256K1: _ClassVar[DataKeyPairSpec]
DATA_KEY_PAIR_SPEC_UNSPECIFIED: DataKeyPairSpec
DATA_KEY_PAIR_SPEC_RSA_2048: DataKeyPairSpec
DATA_KEY_PAIR_SPEC_RSA_3072: DataKeyPairSpec
DATA_KEY_PAIR_SPEC_RSA_4096: DataKeyPairSpec
DATA_KEY_PAIR_SPEC_ECC_NIST_P256: DataKeyPairSpec
DATA_KEY_PAIR_SPEC_ECC_NIST_P384: DataKeyPairSpec
DATA_KEY_PAIR_SPEC_ECC_NIST_P521: DataKeyPairSpec
DATA_KEY_PAIR_SPEC_ECC_SECG_P256K1: DataKeyPairSpec

class GenerateDataKeyPairRequest(_message.Message):
    __slots__ = ("encryption_context", "key_id", "key_pair_spec", "grant_tokens", "dry_run")
    class EncryptionContextEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ENCRYPTION_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_PAIR_SPEC_FIELD_NUMBER: _ClassVar[int]
    GRANT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    encryption_context: _containers.ScalarMap[str, str]
    key_id: str
    key_pair_spec: DataKeyPairSpec
    grant_tokens: _containers.RepeatedScalarFieldContainer[str]
    dry_run: bool
    def __init__(self, encryption_context: _Optional[_Mapping[str, str]] = ..., key_id: _Optional[str] = ..., key_pair_spec: _Optional[_Union[DataKeyPairSpec, str]] = ..., grant_tokens: _Optional[_Iterable[str]] = ..., dry_run: bool = ...) -> None: ...

class GenerateDataKeyPairResponse(_message.Message):
    __slots__ = ("private_key_ciphertext_blob", "private_key_plaintext", "public_key", "key_id", "key_pair_spec", "key_material_id")
    PRIVATE_KEY_CIPHERTEXT_BLOB_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_KEY_PLAINTEXT_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_PAIR_SPEC_FIELD_NUMBER: _ClassVar[int]
    KEY_MATERIAL_ID_FIELD_NUMBER: _ClassVar[int]
    private_key_ciphertext_blob: bytes
    private_key_plaintext: bytes
    public_key: bytes
    key_id: str
    key_pair_spec: DataKeyPairSpec
    key_material_id: str
    def __init__(self, private_key_ciphertext_blob: _Optional[bytes] = ..., private_key_plaintext: _Optional[bytes] = ..., public_key: _Optional[bytes] = ..., key_id: _Optional[str] = ..., key_pair_spec: _Optional[_Union[DataKeyPairSpec, str]] = ..., key_material_id: _Optional[str] = ...) -> None: ...

class GenerateDataKeyPairWithoutPlaintextRequest(_message.Message):
    __slots__ = ("encryption_context", "key_id", "key_pair_spec", "grant_tokens", "dry_run")
    class EncryptionContextEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ENCRYPTION_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_PAIR_SPEC_FIELD_NUMBER: _ClassVar[int]
    GRANT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    encryption_context: _containers.ScalarMap[str, str]
    key_id: str
    key_pair_spec: DataKeyPairSpec
    grant_tokens: _containers.RepeatedScalarFieldContainer[str]
    dry_run: bool
    def __init__(self, encryption_context: _Optional[_Mapping[str, str]] = ..., key_id: _Optional[str] = ..., key_pair_spec: _Optional[_Union[DataKeyPairSpec, str]] = ..., grant_tokens: _Optional[_Iterable[str]] = ..., dry_run: bool = ...) -> None: ...

class GenerateDataKeyPairWithoutPlaintextResponse(_message.Message):
    __slots__ = ("private_key_ciphertext_blob", "public_key", "key_id", "key_pair_spec", "key_material_id")
    PRIVATE_KEY_CIPHERTEXT_BLOB_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_PAIR_SPEC_FIELD_NUMBER: _ClassVar[int]
    KEY_MATERIAL_ID_FIELD_NUMBER: _ClassVar[int]
    private_key_ciphertext_blob: bytes
    public_key: bytes
    key_id: str
    key_pair_spec: DataKeyPairSpec
    key_material_id: str
    def __init__(self, private_key_ciphertext_blob: _Optional[bytes] = ..., public_key: _Optional[bytes] = ..., key_id: _Optional[str] = ..., key_pair_spec: _Optional[_Union[DataKeyPairSpec, str]] = ..., key_material_id: _Optional[str] = ...) -> None: ...
