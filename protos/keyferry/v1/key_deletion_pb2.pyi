from google.protobuf import timestamp_pb2 as _timestamp_pb2
from keyferry.v1 import constraints_pb2 as _constraints_pb2
from keyferry.v1 import key_pb2 as _key_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ScheduleKeyDeletionRequest(_message.Message):
    __slots__ = ("key_id", "pending_window_in_days")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    PENDING_WINDOW_IN_DAYS_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    pending_window_in_days: int
    def __init__(self, key_id: _Optional[str] = ..., pending_window_in_days: _Optional[int] = ...) -> None: ...

class ScheduleKeyDeletionResponse(_message.Message):
    __slots__ = ("key_id", "deletion_date", "key_state", "pending_window_in_days")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    DELETION_DATE_FIELD_NUMBER: _ClassVar[int]
    KEY_STATE_FIELD_NUMBER: _ClassVar[int]
    PENDING_WINDOW_IN_DAYS_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    deletion_date: _timestamp_pb2.Timestamp
    key_state: _key_pb2.KeyState
    pending_window_in_days: int
    def __init__(self, key_id: _Optional[str] = ..., deletion_date: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., key_state: _Optional[_Union[_key_pb2.KeyState, str]] = ..., pending_window_in_days: _Optional[int] = ...) -> None: ...

class CancelKeyDeletionRequest(_message.Message):
    __slots__ = ("key_id",)
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    def __init__(self, key_id: _Optional[str] = ...) -> None: ...

class CancelKeyDeletionResponse(_message.Message):
    __slots__ = ("key_id",)
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    def __init__(self, key_id: _Optional[str] = ...) -> None: ...
