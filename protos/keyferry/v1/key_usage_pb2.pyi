from google.protobuf import timestamp_pb2 as _timestamp_pb2
from keyferry.v1 import constraints_pb2 as _constraints_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class KeyLastUsageTrackingOperation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KEY_LAST_USAGE_TRACKING_OPERATION_UNSPECIFIED: _ClassVar[KeyLastUsageTrackingOperation]
    KEY_LAST_USAGE_TRACKING_OPERATION_DECRYPT: _ClassVar[KeyLastUsageTrackingOperation]
    KEY_LAST_USAGE_TRACKING_OPERATION_DERIVE_SHARED_SECRET: _ClassVar[KeyLastUsageTrackingOperation]
    KEY_LAST_USAGE_TRACKING_OPERATION_ENCRYPT: _ClassVar[KeyLastUsageTrackingOperation]
    KEY_LAST_USAGE_TRACKING_OPERATION_GENERATE_DATA_KEY: _ClassVar[KeyLastUsageTrackingOperation]
    KEY_LAST_USAGE_TRACKING_OPERATION_GENERATE_DATA_KEY_PAIR: _ClassVar[KeyLastUsageTrackingOperation]
    KEY_LAST_USAGE_TRACKING_OPERATION_GENERATE_DATA_KEY_PAIR_WITHOUT_PLAINTEXT: _ClassVar[KeyLastUsageTrackingOperation]
    KEY_LAST_USAGE_TRACKING_OPERATION_GENERATE_DATA_KEY_WITHOUT_PLAINTEXT: _ClassVar[KeyLastUsageTrackingOperation]
    KEY_LAST_USAGE_TRACKING_OPERATION_GENERATE_MAC: _ClassVar[KeyLastUsageTrackingOperation]
    KEY_LAST_USAGE_TRACKING_OPERATION_RE_ENCRYPT: _ClassVar[KeyLastUsageTrackingOperation]
    KEY_LAST_USAGE_TRACKING_OPERATION_SIGN: _ClassVar[KeyLastUsageTrackingOperation]
    KEY_LAST_USAGE_TRACKING_OPERATION_VERIFY: _ClassVar[KeyLastUsageTrackingOperation]
    KEY_LAST_USAGE_TRACKING_OPERATION_VERIFY_MAC: _ClassVar[KeyLastUsageTrackingOperation]
KEY_LAST_USAGE_TRACKING_OPERATION_UNSPECIFIED: KeyLastUsageTrackingOperation
KEY_LAST_USAGE_TRACKING_OPERATION_DECRYPT: KeyLastUsageTrackingOperation
KEY_LAST_USAGE_TRACKING_OPERATION_DERIVE_SHARED_SECRET: KeyLastUsageTrackingOperation
KEY_LAST_USAGE_TRACKING_OPERATION_ENCRYPT: KeyLastUsageTrackingOperation
KEY_LAST_USAGE_TRACKING_OPERATION_GENERATE_DATA_KEY: KeyLastUsageTrackingOperation
KEY_LAST_USAGE_TRACKING_OPERATION_GENERATE_DATA_KEY_PAIR: KeyLastUsageTrackingOperation
KEY_LAST_USAGE_TRACKING_OPERATION_GENERATE_DATA_KEY_PAIR_WITHOUT_PLAINTEXT: KeyLastUsageTrackingOperation
KEY_LAST_USAGE_TRACKING_OPERATION_GENERATE_DATA_KEY_WITHOUT_PLAINTEXT: KeyLastUsageTrackingOperation
KEY_LAST_USAGE_TRACKING_OPERATION_GENERATE_MAC: KeyLastUsageTrackingOperation
KEY_LAST_USAGE_TRACKING_OPERATION_RE_ENCRYPT: KeyLastUsageTrackingOperation
KEY_LAST_USAGE_TRACKING_OPERATION_SIGN: KeyLastUsageTrackingOperation
KEY_LAST_USAGE_TRACKING_OPERATION_VERIFY: KeyLastUsageTrackingOperation
KEY_LAST_USAGE_TRACKING_OPERATION_VERIFY_MAC: KeyLastUsageTrackingOperation

class KeyLastUsageData(_message.Message):
    __slots__ = ("operation", "timestamp", "cloud_trail_event_id", "kms_request_id")
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CLOUD_TRAIL_EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    KMS_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    operation: KeyLastUsageTrackingOperation
    timestamp: _timestamp_pb2.Timestamp
    cloud_trail_event_id: str
    kms_request_id: str
    def __init__(self, operation: _Optional[_Union[KeyLastUsageTrackingOperation, str]] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cloud_trail_event_id: _Optional[str] = ..., kms_request_id: _Optional[str] = ...) -> None: ...

class GetKeyLastUsageRequest(_message.Message):
    __slots__ = ("key_id",)
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    def __init__(self, key_id: _Optional[str] = ...) -> None: ...

class GetKeyLastUsageResponse(_message.Message):
    __slots__ = ("key_id", "key_last_usage", "tracking_start_date", "key_creation_date")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_LAST_USAGE_FIELD_NUMBER: _ClassVar[int]
    TRACKING_START_DATE_FIELD_NUMBER: _ClassVar[int]
    KEY_CREATION_DATE_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    key_last_usage: KeyLastUsageData
    tracking_start_date: _timestamp_pb2.Timestamp
    key_creation_date: _timestamp_pb2.Timestamp
    def __init__(self, key_id: _Optional[str] = ..., key_last_usage: _Optional[_Union[KeyLastUsageData, _Mapping]] = ..., tracking_start_date: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., key_creation_date: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
