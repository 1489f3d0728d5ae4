from keyferry.v1 import constraints_pb2 as _constraints_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AccessDeciderKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCESS_DECIDER_KIND_UNSPECIFIED: _ClassVar[AccessDeciderKind]
    ACCESS_DECIDER_KIND_KEY_POLICY: _ClassVar[AccessDeciderKind]
    ACCESS_DECIDER_KIND_IDENTITY_POLICY: _ClassVar[AccessDeciderKind]
    ACCESS_DECIDER_KIND_GRANT: _ClassVar[AccessDeciderKind]
ACCESS_DECIDER_KIND_UNSPECIFIED: AccessDeciderKind
ACCESS_DECIDER_KIND_KEY_POLICY: AccessDeciderKind
ACCESS_DECIDER_KIND_IDENTITY_POLICY: AccessDeciderKind
ACCESS_DECIDER_KIND_GRANT: AccessDeciderKind

class SupposedCondition(_message.Message):
    __slots__ = ("key", "values")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    key: str
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, key: _Optional[str] = ..., values: _Optional[_Iterable[str]] = ...) -> None: ...

class ExplainAccessRequest(_message.Message):
    __slots__ = ("key_id", "principal", "action", "encryption_context", "conditions")
    class EncryptionContextEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    ENCRYPTION_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    principal: str
    action: str
    encryption_context: _containers.ScalarMap[str, str]
    conditions: _containers.RepeatedCompositeFieldContainer[SupposedCondition]
    def __init__(self, key_id: _Optional[str] = ..., principal: _Optional[str] = ..., action: _Optional[str] = ..., encryption_context: _Optional[_Mapping[str, str]] = ..., conditions: _Optional[_Iterable[_Union[SupposedCondition, _Mapping]]] = ...) -> None: ...

class AccessDecider(_message.Message):
    __slots__ = ("kind", "name", "statement", "sid")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    SID_FIELD_NUMBER: _ClassVar[int]
    kind: AccessDeciderKind
    name: str
    statement: str
    sid: str
    def __init__(self, kind: _Optional[_Union[AccessDeciderKind, str]] = ..., name: _Optional[str] = ..., statement: _Optional[str] = ..., sid: _Optional[str] = ...) -> None: ...

class ExplainAccessResponse(_message.Message):
    __slots__ = ("allowed", "reason", "decided_by")
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DECIDED_BY_FIELD_NUMBER: _ClassVar[int]
    allowed: bool
    reason: str
    decided_by: _containers.RepeatedCompositeFieldContainer[AccessDecider]
    def __init__(self, allowed: bool = ..., reason: _Optional[str] = ..., decided_by: _Optional[_Iterable[_Union[AccessDecider, _Mapping]]] = ...) -> None: ...
