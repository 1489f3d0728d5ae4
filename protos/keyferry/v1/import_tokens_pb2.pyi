from google.protobuf import timestamp_pb2 as _timestamp_pb2
from keyferry.v1 import constraints_pb2 as _constraints_pb2
from keyferry.v1 import key_import_pb2 as _key_import_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListImportTokensRequest(_message.Message):
    __slots__ = ("key_id", "limit", "marker")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MARKER_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    limit: int
    marker: str
    def __init__(self, key_id: _Optional[str] = ..., limit: _Optional[int] = ..., marker: _Optional[str] = ...) -> None: ...

class ImportTokenListEntry(_message.Message):
    __slots__ = ("import_token_id", "wrapping_algorithm", "wrapping_key_spec", "creation_date", "valid_to")
    IMPORT_TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    WRAPPING_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    WRAPPING_KEY_SPEC_FIELD_NUMBER: _ClassVar[int]
    CREATION_DATE_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_FIELD_NUMBER: _ClassVar[int]
    import_token_id: str
    wrapping_algorithm: _key_import_pb2.AlgorithmSpec
    wrapping_key_spec: _key_import_pb2.WrappingKeySpec
    creation_date: _timestamp_pb2.Timestamp
    valid_to: _timestamp_pb2.Timestamp
    def __init__(self, import_token_id: _Optional[str] = ..., wrapping_algorithm: _Optional[_Union[_key_import_pb2.AlgorithmSpec, str]] = ..., wrapping_key_spec: _Optional[_Union[_key_import_pb2.WrappingKeySpec, str]] = ..., creation_date: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_to: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListImportTokensResponse(_message.Message):
    __slots__ = ("import_tokens", "next_marker", "truncated")
    IMPORT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    NEXT_MARKER_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    import_tokens: _containers.RepeatedCompositeFieldContainer[ImportTokenListEntry]
    next_marker: str
    truncated: bool
    def __init__(self, import_tokens: _Optional[_Iterable[_Union[ImportTokenListEntry, _Mapping]]] = ..., next_marker: _Optional[str] = ..., truncated: bool = ...) -> None: ...

class RevokeImportTokenRequest(_message.Message):
    __slots__ = ("key_id", "import_token_id")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    IMPORT_TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    import_token_id: str
    def __init__(self, key_id: _Optional[str] = ..., import_token_id: _Optional[str] = ...) -> None: ...

class RevokeImportTokenResponse(_message.Message):
    __slots__ = ("key_id",)
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    def __init__(self, key_id: _Optional[str] = ...) -> None: ...

class ListImportReceiptsRequest(_message.Message):
    __slots__ = ("key_id", "limit", "marker")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MARKER_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    limit: int
    marker: str
    def __init__(self, key_id: _Optional[str] = ..., limit: _Optional[int] = ..., marker: _Optional[str] = ...) -> None: ...

class ListImportReceiptsResponse(_message.Message):
    __slots__ = ("import_receipts", "next_marker", "truncated")
    IMPORT_RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_MARKER_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    import_receipts: _containers.RepeatedCompositeFieldContainer[_key_import_pb2.ImportReceipt]
    next_marker: str
    truncated: bool
    def __init__(self, import_receipts: _Optional[_Iterable[_Union[_key_import_pb2.ImportReceipt, _Mapping]]] = ..., next_marker: _Optional[str] = ..., truncated: bool = ...) -> None: ...
