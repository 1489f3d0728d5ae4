from keyferry.v1 import constraints_pb2 as _constraints_pb2
from keyferry.v1 import key_pb2 as _key_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MessageType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MESSAGE_TYPE_UNSPECIFIED: _ClassVar[MessageType]
    MESSAGE_TYPE_RAW: _ClassVar[MessageType]
    MESSAGE_TYPE_DIGEST: _ClassVar[MessageType]
MESSAGE_TYPE_UNSPECIFIED: MessageType
MESSAGE_TYPE_RAW: MessageType
MESSAGE_TYPE_DIGEST: MessageType

class SignRequest(_message.Message):
    __slots__ = ("key_id", "message", "message_type", "grant_tokens", "signing_algorithm", "dry_run")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    GRANT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SIGNING_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    message: bytes
    message_type: MessageType
    grant_tokens: _containers.RepeatedScalarFieldContainer[str]
    signing_algorithm: _key_pb2.SigningAlgorithmSpec
    dry_run: bool
    def __init__(self, key_id: _Optional[str] = ..., message: _Optional[bytes] = ..., message_type: _Optional[_Union[MessageType, str]] = ..., grant_tokens: _Optional[_Iterable[str]] = ..., signing_algorithm: _Optional[_Union[_key_pb2.SigningAlgorithmSpec, str]] = ..., dry_run: bool = ...) -> None: ...

class SignResponse(_message.Message):
    __slots__ = ("key_id", "signature", "signing_algorithm")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    SIGNING_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    signature: bytes
    signing_algorithm: _key_pb2.SigningAlgorithmSpec
    def __init__(self, key_id: _Optional[str] = ..., signature: _Optional[bytes] = ..., signing_algorithm: _Optional[_Union[_key_pb2.SigningAlgorithmSpec, str]] = ...) -> None: ...

class VerifyRequest(_message.Message):
    __slots__ = ("key_id", "message", "message_type", "signature", "signing_algorithm", "grant_tokens", "dry_run")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    SIGNING_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    GRANT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    message: bytes
    message_type: MessageType
    signature: bytes
    signing_algorithm: _key_pb2.SigningAlgorithmSpec
    grant_tokens: _containers.RepeatedScalarFieldContainer[str]
    dry_run: bool
    def __init__(self, key_id: _Optional[str] = ..., message: _Optional[bytes] = ..., message_type: _Optional[_Union[MessageType, str]] = ..., signature: _Optional[bytes] = ..., signing_algorithm: _Optional[_Union[_key_pb2.SigningAlgorithmSpec, str]] = ..., grant_tokens: _Optional[_Iterable[str]] = ..., dry_run: bool = ...) -> None: ...

class VerifyResponse(_message.Message):
    __slots__ = ("key_id", "signature_valid", "signing_algorithm")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_VALID_FIELD_NUMBER: _ClassVar[int]
    SIGNING_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    signature_valid: bool
    signing_algorithm: _key_pb2.SigningAlgorithmSpec
    def __init__(self, key_id: _Optional[str] = ..., signature_valid: bool = ..., signing_algorithm: _Optional[_Union[_key_pb2.SigningAlgorithmSpec, str]] = ...) -> None: ...

class GetPublicKeyRequest(_message.Message):
    __slots__ = ("key_id", "grant_tokens")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    GRANT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    grant_tokens: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, key_id: _Optional[str] = ..., grant_tokens: _Optional[_Iterable[str]] = ...) -> None: ...

class GetPublicKeyResponse(_message.Message):
    __slots__ = ("key_id", "public_key", "customer_master_key_spec", "key_spec", "key_usage", "encryption_algorithms", "signing_algorithms", "key_agreement_algorithms")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_MASTER_KEY_SPEC_FIELD_NUMBER: _ClassVar[int]
    KEY_SPEC_FIELD_NUMBER: _ClassVar[int]
    KEY_USAGE_FIELD_NUMBER: _ClassVar[int]
    ENCRYPTION_ALGORITHMS_FIELD_NUMBER: _ClassVar[int]
    SIGNING_ALGORITHMS_FIELD_NUMBER: _ClassVar[int]
    KEY_AGREEMENT_ALGORITHMS_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    public_key: bytes
    customer_master_key_spec: _key_pb2.KeySpec
    key_spec: _key_pb2.KeySpec
    key_usage: _key_pb2.KeyUsageType
    encryption_algorithms: _containers.RepeatedScalarFieldContainer[_key_pb2.EncryptionAlgorithmSpec]
    signing_algorithms: _containers.RepeatedScalarFieldContainer[_key_pb2.SigningAlgorithmSpec]
    key_agreement_algorithms: _containers.RepeatedScalarFieldContainer[_key_pb2.KeyAgreementAlgorithmSpec]
    def __init__(self, key_id: _Optional[str] = ..., public_key: _Optional[bytes] = ..., customer_master_key_spec: _Optional[_Union[_key_pb2.KeySpec, str]] = ..., key_spec: _Optional[_Union[_key_pb2.KeySpec, str]] = ..., key_usage: _Optional[_Union[_key_pb2.KeyUsageType, str]] = ..., encryption_algorithms: _Optional[_Iterable[_Union[_key_pb2.EncryptionAlgorithmSpec, str]]] = ..., signing_algorithms: _Optional[_Iterable[_Union[_key_pb2.SigningAlgorithmSpec, str]]] = ..., key_agreement_algorithms: _Optional[_Iterable[_Union[_key_pb2.KeyAgreementAlgorithmSpec, str]]] = ...) -> None: ...
