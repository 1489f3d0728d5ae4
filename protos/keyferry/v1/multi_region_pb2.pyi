from keyferry.v1 import constraints_pb2 as _constraints_pb2
from keyferry.v1 import key_pb2 as _key_pb2
from keyferry.v1 import tags_pb2 as _tags_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReplicateKeyRequest(_message.Message):
    __slots__ = ("key_id", "replica_region", "policy", "bypass_policy_lockout_safety_check", "description", "tags")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    REPLICA_REGION_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    BYPASS_POLICY_LOCKOUT_SAFETY_CHECK_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    replica_region: str
    policy: str
    bypass_policy_lockout_safety_check: bool
    description: str
    tags: _containers.RepeatedCompositeFieldContainer[_tags_pb2.Tag]
    def __init__(self, key_id: _Optional[str] = ..., replica_region: _Optional[str] = ..., policy: _Optional[str] = ..., bypass_policy_lockout_safety_check: bool = ..., description: _Optional[str] = ..., tags: _Optional[_Iterable[_Union[_tags_pb2.Tag, _Mapping]]] = ...) -> None: ...

class ReplicateKeyResponse(_message.Message):
    __slots__ = ("replica_key_metadata", "replica_policy", "replica_tags")
    REPLICA_KEY_METADATA_FIELD_NUMBER: _ClassVar[int]
    REPLICA_POLICY_FIELD_NUMBER: _ClassVar[int]
    REPLICA_TAGS_FIELD_NUMBER: _ClassVar[int]
    replica_key_metadata: _key_pb2.KeyMetadata
    replica_policy: str
    replica_tags: _containers.RepeatedCompositeFieldContainer[_tags_pb2.Tag]
    def __init__(self, replica_key_metadata: _Optional[_Union[_key_pb2.KeyMetadata, _Mapping]] = ..., replica_policy: _Optional[str] = ..., replica_tags: _Optional[_Iterable[_Union[_tags_pb2.Tag, _Mapping]]] = ...) -> None: ...

class UpdatePrimaryRegionRequest(_message.Message):
    __slots__ = ("key_id", "primary_region")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_REGION_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    primary_region: str
    def __init__(self, key_id: _Optional[str] = ..., primary_region: _Optional[str] = ...) -> None: ...

class UpdatePrimaryRegionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
