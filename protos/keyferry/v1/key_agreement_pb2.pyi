from keyferry.v1 import constraints_pb2 as _constraints_pb2
from keyferry.v1 import key_pb2 as _key_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DeriveSharedSecretRequest(_message.Message):
    __slots__ = ("key_id", "key_agreement_algorithm", "public_key", "grant_tokens", "dry_run")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_AGREEMENT_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    GRANT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    key_agreement_algorithm: _key_pb2.KeyAgreementAlgorithmSpec
    public_key: bytes
    grant_tokens: _containers.RepeatedScalarFieldContainer[str]
    dry_run: bool
    def __init__(self, key_id: _Optional[str] = ..., key_agreement_algorithm: _Optional[_Union[_key_pb2.KeyAgreementAlgorithmSpec, str]] = ..., public_key: _Optional[bytes] = ..., grant_tokens: _Optional[_Iterable[str]] = ..., dry_run: bool = ...) -> None: ...

class DeriveSharedSecretResponse(_message.Message):
    __slots__ = ("key_id", "shared_secret", "key_agreement_algorithm", "key_origin")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    SHARED_SECRET_FIELD_NUMBER: _ClassVar[int]
    KEY_AGREEMENT_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    KEY_ORIGIN_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    shared_secret: bytes
    key_agreement_algorithm: _key_pb2.KeyAgreementAlgorithmSpec
    key_origin: _key_pb2.OriginType
    def __init__(self, key_id: _Optional[str] = ..., shared_secret: _Optional[bytes] = ..., key_agreement_algorithm: _Optional[_Union[_key_pb2.KeyAgreementAlgorithmSpec, str]] = ..., key_origin: _Optional[_Union[_key_pb2.OriginType, str]] = ...) -> None: ...
