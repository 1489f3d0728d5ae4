from keyferry.v1 import constraints_pb2 as _constraints_pb2
from keyferry.v1 import key_pb2 as _key_pb2
from keyferry.v1 import tags_pb2 as _tags_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateKeyRequest(_message.Message):
    __slots__ = ("description", "key_usage", "customer_master_key_spec", "key_spec", "origin", "policy", "bypass_policy_lockout_safety_check", "tags", "multi_region")
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    KEY_USAGE_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_MASTER_KEY_SPEC_FIELD_NUMBER: _ClassVar[int]
    KEY_SPEC_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    BYPASS_POLICY_LOCKOUT_SAFETY_CHECK_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    MULTI_REGION_FIELD_NUMBER: _ClassVar[int]
    description: str
    key_usage: _key_pb2.KeyUsageType
    customer_master_key_spec: _key_pb2.KeySpec
    key_spec: _key_pb2.KeySpec
    origin: _key_pb2.OriginType
    policy: str
    bypass_policy_lockout_safety_check: bool
    tags: _containers.RepeatedCompositeFieldContainer[_tags_pb2.Tag]
    multi_region: bool
    def __init__(self, description: _Optional[str] = ..., key_usage: _Optional[_Union[_key_pb2.KeyUsageType, str]] = ..., customer_master_key_spec: _Optional[_Union[_key_pb2.KeySpec, str]] = ..., key_spec: _Optional[_Union[_key_pb2.KeySpec, str]] = ..., origin: _Optional[_Union[_key_pb2.OriginType, str]] = ..., policy: _Optional[str] = ..., bypass_policy_lockout_safety_check: bool = ..., tags: _Optional[_Iterable[_Union[_tags_pb2.Tag, _Mapping]]] = ..., multi_region: bool = ...) -> None: ...

class CreateKeyResponse(_message.Message):
    __slots__ = ("key_metadata",)
    KEY_METADATA_FIELD_NUMBER: _ClassVar[int]
    key_metadata: _key_pb2.KeyMetadata
    def __init__(self, key_metadata: _Optional[_Union[_key_pb2.KeyMetadata, _Mapping]] = ...) -> None: ...

class DescribeKeyRequest(_message.Message):
    __slots__ = ("key_id", "grant_tokens")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    GRANT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    grant_tokens: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, key_id: _Optional[str] = ..., grant_tokens: _Optional[_Iterable[str]] = ...) -> None: ...

class DescribeKeyResponse(_message.Message):
    __slots__ = ("key_metadata",)
    KEY_METADATA_FIELD_NUMBER: _ClassVar[int]
    key_metadata: _key_pb2.KeyMetadata
    def __init__(self, key_metadata: _Optional[_Union[_key_pb2.KeyMetadata, _Mapping]] = ...) -> None: ...

class ListKeysRequest(_message.Message):
    __slots__ = ("limit", "marker")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MARKER_FIELD_NUMBER: _ClassVar[int]
    limit: int
    marker: str
    def __init__(self, limit: _Optional[int] = ..., marker: _Optional[str] = ...) -> None: ...

class KeyListEntry(_message.Message):
    __slots__ = ("key_id", "key_arn")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_ARN_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    key_arn: str
    def __init__(self, key_id: _Optional[str] = ..., key_arn: _Optional[str] = ...) -> None: ...

class ListKeysResponse(_message.Message):
    __slots__ = ("keys", "next_marker", "truncated")
    KEYS_FIELD_NUMBER: _ClassVar[int]
    NEXT_MARKER_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedCompositeFieldContainer[KeyListEntry]
    next_marker: str
    truncated: bool
    def __init__(self, keys: _Optional[_Iterable[_Union[KeyListEntry, _Mapping]]] = ..., next_marker: _Optional[str] = ..., truncated: bool = ...) -> None: ...

class EnableKeyRequest(_message.Message):
    __slots__ = ("key_id",)
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    def __init__(self, key_id: _Optional[str] = ...) -> None: ...

class EnableKeyResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DisableKeyRequest(_message.Message):
    __slots__ = ("key_id",)
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    def __init__(self, key_id: _Optional[str] = ...) -> None: ...

class DisableKeyResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class UpdateKeyDescriptionRequest(_message.Message):
    __slots__ = ("key_id", "description")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    description: str
    def __init__(self, key_id: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class UpdateKeyDescriptionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
