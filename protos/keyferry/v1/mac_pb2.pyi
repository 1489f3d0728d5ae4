from keyferry.v1 import constraints_pb2 as _constraints_pb2
from keyferry.v1 import key_pb2 as _key_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GenerateMacRequest(_message.Message):
    __slots__ = ("message", "key_id", "mac_algorithm", "grant_tokens", "dry_run")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    MAC_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    GRANT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    message: bytes
    key_id: str
    mac_algorithm: _key_pb2.MacAlgorithmSpec
    grant_tokens: _containers.RepeatedScalarFieldContainer[str]
    dry_run: bool
    def __init__(self, message: _Optional[bytes] = ..., key_id: _Optional[str] = ..., mac_algorithm: _Optional[_Union[_key_pb2.MacAlgorithmSpec, str]] = ..., grant_tokens: _Optional[_Iterable[str]] = ..., dry_run: bool = ...) -> None: ...

class GenerateMacResponse(_message.Message):
    __slots__ = ("mac", "mac_algorithm", "key_id")
    MAC_FIELD_NUMBER: _ClassVar[int]
    MAC_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    mac: bytes
    mac_algorithm: _key_pb2.MacAlgorithmSpec
    key_id: str
    def __init__(self, mac: _Optional[bytes] = ..., mac_algorithm: _Optional[_Union[_key_pb2.MacAlgorithmSpec, str]] = ..., key_id: _Optional[str] = ...) -> None: ...

class VerifyMacRequest(_message.Message):
    __slots__ = ("message", "key_id", "mac_algorithm", "mac", "grant_tokens", "dry_run")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    MAC_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    MAC_FIELD_NUMBER: _ClassVar[int]
    GRANT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    message: bytes
    key_id: str
    mac_algorithm: _key_pb2.MacAlgorithmSpec
    mac: bytes
    grant_tokens: _containers.RepeatedScalarFieldContainer[str]
    dry_run: bool
    def __init__(self, message: _Optional[bytes] = ..., key_id: _Optional[str] = ..., mac_algorithm: _Optional[_Union[_key_pb2.MacAlgorithmSpec, str]] = ..., mac: _Optional[bytes] = ..., grant_tokens: _Optional[_Iterable[str]] = ..., dry_run: bool = ...) -> None: ...

class VerifyMacResponse(_message.Message):
    __slots__ = ("key_id", "mac_valid", "mac_algorithm")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    MAC_VALID_FIELD_NUMBER: _ClassVar[int]
    MAC_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    mac_valid: bool
    mac_algorithm: _key_pb2.MacAlgorithmSpec
    def __init__(self, key_id: _Optional[str] = ..., mac_valid: bool = ..., mac_algorithm: _Optional[_Union[_key_pb2.MacAlgorithmSpec, str]] = ...) -> None: ...
