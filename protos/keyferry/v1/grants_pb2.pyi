from google.protobuf import timestamp_pb2 as _timestamp_pb2
from keyferry.v1 import constraints_pb2 as _constraints_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GrantOperation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GRANT_OPERATION_UNSPECIFIED: _ClassVar[GrantOperation]
    GRANT_OPERATION_DECRYPT: _ClassVar[GrantOperation]
    GRANT_OPERATION_ENCRYPT: _ClassVar[GrantOperation]
    GRANT_OPERATION_GENERATE_DATA_KEY: _ClassVar[GrantOperation]
    GRANT_OPERATION_GENERATE_DATA_KEY_WITHOUT_PLAINTEXT: _ClassVar[GrantOperation]
    GRANT_OPERATION_RE_ENCRYPT_FROM: _ClassVar[GrantOperation]
    GRANT_OPERATION_RE_ENCRYPT_TO: _ClassVar[GrantOperation]
    GRANT_OPERATION_SIGN: _ClassVar[GrantOperation]
    GRANT_OPERATION_VERIFY: _ClassVar[GrantOperation]
    GRANT_OPERATION_GET_PUBLIC_KEY: _ClassVar[GrantOperation]
    GRANT_OPERATION_CREATE_GRANT: _ClassVar[GrantOperation]
    GRANT_OPERATION_RETIRE_GRANT: _ClassVar[GrantOperation]
    GRANT_OPERATION_DESCRIBE_KEY: _ClassVar[GrantOperation]
    GRANT_OPERATION_GENERATE_DATA_KEY_PAIR: _ClassVar[GrantOperation]
    GRANT_OPERATION_GENERATE_DATA_KEY_PAIR_WITHOUT_PLAINTEXT: _ClassVar[GrantOperation]
    GRANT_OPERATION_GENERATE_MAC: _ClassVar[GrantOperation]
    GRANT_OPERATION_VERIFY_MAC: _ClassVar[GrantOperation]
    GRANT_OPERATION_DERIVE_SHARED_SECRET: _ClassVar[GrantOperation]
GRANT_OPERATION_UNSPECIFIED: GrantOperation
GRANT_OPERATION_DECRYPT: GrantOperation
GRANT_OPERATION_ENCRYPT: GrantOperation
GRANT_OPERATION_GENERATE_DATA_KEY: GrantOperation
GRANT_OPERATION_GENERATE_DATA_KEY_WITHOUT_PLAINTEXT: GrantOperation
GRANT_OPERATION_RE_ENCRYPT_FROM: GrantOperation
GRANT_OPERATION_RE_ENCRYPT_TO: GrantOperation
GRANT_OPERATION_SIGN: GrantOperation
GRANT_OPERATION_VERIFY: GrantOperation
GRANT_OPERATION_GET_PUBLIC_KEY: GrantOperation
GRANT_OPERATION_CREATE_GRANT: GrantOperation
GRANT_OPERATION_RETIRE_GRANT: GrantOperation
GRANT_OPERATION_DESCRIBE_KEY: GrantOperation
GRANT_OPERATION_GENERATE_DATA_KEY_PAIR: GrantOperation
GRANT_OPERATION_GENERATE_DATA_KEY_PAIR_WITHOUT_PLAINTEXT: GrantOperation
GRANT_OPERATION_GENERATE_MAC: GrantOperation
GRANT_OPERATION_VERIFY_MAC: GrantOperation
GRANT_OPERATION_DERIVE_SHARED_SECRET: GrantOperation

class GrantConstraints(_message.Message):
    __slots__ = ("encryption_context_subset", "encryption_context_equals")
    class EncryptionContextSubsetEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class EncryptionContextEqualsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ENCRYPTION_CONTEXT_SUBSET_FIELD_NUMBER: _ClassVar[int]
    ENCRYPTION_CONTEXT_EQUALS_FIELD_NUMBER: _ClassVar[int]
    encryption_context_subset: _containers.ScalarMap[str, str]
    encryption_context_equals: _containers.ScalarMap[str, str]
    def __init__(self, encryption_context_subset: _Optional[_Mapping[str, str]] = ..., encryption_context_equals: _Optional[_Mapping[str, str]] = ...) -> None: ...

class CreateGrantRequest(_message.Message):
    __slots__ = ("key_id", "grantee_principal", "retiring_principal", "operations", "constraints", "grant_tokens", "name", "dry_run")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    GRANTEE_PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    RETIRING_PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    CONSTRAINTS_FIELD_NUMBER: _ClassVar[int]
    GRANT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    grantee_principal: str
    retiring_principal: str
    operations: _containers.RepeatedScalarFieldContainer[GrantOperation]
    constraints: GrantConstraints
    grant_tokens: _containers.RepeatedScalarFieldContainer[str]
    name: str
    dry_run: bool
    def __init__(self, key_id: _Optional[str] = ..., grantee_principal: _Optional[str] = ..., retiring_principal: _Optional[str] = ..., operations: _Optional[_Iterable[_Union[GrantOperation, str]]] = ..., constraints: _Optional[_Union[GrantConstraints, _Mapping]] = ..., grant_tokens: _Optional[_Iterable[str]] = ..., name: _Optional[str] = ..., dry_run: bool = ...) -> None: ...

class CreateGrantResponse(_message.Message):
    __slots__ = ("grant_token", "grant_id")
    GRANT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    grant_token: str
    grant_id: str
    def __init__(self, grant_token: _Optional[str] = ..., grant_id: _Optional[str] = ...) -> None: ...

class ListGrantsRequest(_message.Message):
    __slots__ = ("limit", "marker", "key_id", "grant_id", "grantee_principal")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MARKER_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    GRANTEE_PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    limit: int
    marker: str
    key_id: str
    grant_id: str
    grantee_principal: str
    def __init__(self, limit: _Optional[int] = ..., marker: _Optional[str] = ..., key_id: _Optional[str] = ..., grant_id: _Optional[str] = ..., grantee_principal: _Optional[str] = ...) -> None: ...

class GrantListEntry(_message.Message):
    __slots__ = ("key_id", "grant_id", "name", "creation_date", "grantee_principal", "retiring_principal", "issuing_account", "operations", "constraints")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CREATION_DATE_FIELD_NUMBER: _ClassVar[int]
    GRANTEE_PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    RETIRING_PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    ISSUING_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    CONSTRAINTS_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    grant_id: str
    name: str
    creation_date: _timestamp_pb2.Timestamp
    grantee_principal: str
    retiring_principal: str
    issuing_account: str
    operations: _containers.RepeatedScalarFieldContainer[GrantOperation]
    constraints: GrantConstraints
    def __init__(self, key_id: _Optional[str] = ..., grant_id: _Optional[str] = ..., name: _Optional[str] = ..., creation_date: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., grantee_principal: _Optional[str] = ..., retiring_principal: _Optional[str] = ..., issuing_account: _Optional[str] = ..., operations: _Optional[_Iterable[_Union[GrantOperation, str]]] = ..., constraints: _Optional[_Union[GrantConstraints, _Mapping]] = ...) -> None: ...

class ListGrantsResponse(_message.Message):
    __slots__ = ("grants", "next_marker", "truncated")
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_MARKER_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    grants: _containers.RepeatedCompositeFieldContainer[GrantListEntry]
    next_marker: str
    truncated: bool
    def __init__(self, grants: _Optional[_Iterable[_Union[GrantListEntry, _Mapping]]] = ..., next_marker: _Optional[str] = ..., truncated: bool = ...) -> None: ...

class ListRetirableGrantsRequest(_message.Message):
    __slots__ = ("limit", "marker", "retiring_principal")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MARKER_FIELD_NUMBER: _ClassVar[int]
    RETIRING_PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    limit: int
    marker: str
    retiring_principal: str
    def __init__(self, limit: _Optional[int] = ..., marker: _Optional[str] = ..., retiring_principal: _Optional[str] = ...) -> None: ...

class ListRetirableGrantsResponse(_message.Message):
    __slots__ = ("grants", "next_marker", "truncated")
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_MARKER_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    grants: _containers.RepeatedCompositeFieldContainer[GrantListEntry]
    next_marker: str
    truncated: bool
    def __init__(self, grants: _Optional[_Iterable[_Union[GrantListEntry, _Mapping]]] = ..., next_marker: _Optional[str] = ..., truncated: bool = ...) -> None: ...

class RetireGrantRequest(_message.Message):
    __slots__ = ("grant_token", "key_id", "grant_id", "dry_run")
    GRANT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    grant_token: str
    key_id: str
    grant_id: str
    dry_run: bool
    def __init__(self, grant_token: _Optional[str] = ..., key_id: _Optional[str] = ..., grant_id: _Optional[str] = ..., dry_run: bool = ...) -> None: ...

class RetireGrantResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RevokeGrantRequest(_message.Message):
    __slots__ = ("key_id", "grant_id", "dry_run")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    grant_id: str
    dry_run: bool
    def __init__(self, key_id: _Optional[str] = ..., grant_id: _Optional[str] = ..., dry_run: bool = ...) -> None: ...

class RevokeGrantResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
