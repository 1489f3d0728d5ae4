from google.protobuf import timestamp_pb2 as _timestamp_pb2
from keyferry.v1 import constraints_pb2 as _constraints_pb2
from keyferry.v1 import key_pb2 as _key_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class KeyMaterialState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KEY_MATERIAL_STATE_UNSPECIFIED: _ClassVar[KeyMaterialState]
    KEY_MATERIAL_STATE_NON_CURRENT: _ClassVar[KeyMaterialState]
    KEY_MATERIAL_STATE_CURRENT: _ClassVar[KeyMaterialState]
    KEY_MATERIAL_STATE_PENDING_ROTATION: _ClassVar[KeyMaterialState]
    KEY_MATERIAL_STATE_PENDING_MULTI_REGION_IMPORT_AND_ROTATION: _ClassVar[KeyMaterialState]

class ImportState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IMPORT_STATE_UNSPECIFIED: _ClassVar[ImportState]
    IMPORT_STATE_IMPORTED: _ClassVar[ImportState]
    IMPORT_STATE_PENDING_IMPORT: _ClassVar[ImportState]

class RotationType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROTATION_TYPE_UNSPECIFIED: _ClassVar[RotationType]
    ROTATION_TYPE_AUTOMATIC: _ClassVar[RotationType]
    ROTATION_TYPE_ON_DEMAND: _ClassVar[RotationType]

class IncludeKeyMaterial(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INCLUDE_KEY_MATERIAL_UNSPECIFIED: _ClassVar[IncludeKeyMaterial]
    INCLUDE_KEY_MATERIAL_ALL_KEY_MATERIAL: _ClassVar[IncludeKeyMaterial]
    INCLUDE_KEY_MATERIAL_ROTATIONS_ONLY: _ClassVar[IncludeKeyMaterial]
KEY_MATERIAL_STATE_UNSPECIFIED: KeyMaterialState
KEY_MATERIAL_STATE_NON_CURRENT: KeyMaterialState
KEY_MATERIAL_STATE_CURRENT: KeyMaterialState
KEY_MATERIAL_STATE_PENDING_ROTATION: KeyMaterialState
KEY_MATERIAL_STATE_PENDING_MULTI_REGION_IMPORT_AND_ROTATION: KeyMaterialState
IMPORT_STATE_UNSPECIFIED: ImportState
IMPORT_STATE_IMPORTED: ImportState
IMPORT_STATE_PENDING_IMPORT: ImportState
ROTATION_TYPE_UNSPECIFIED: RotationType
ROTATION_TYPE_AUTOMATIC: RotationType
ROTATION_TYPE_ON_DEMAND: RotationType
INCLUDE_KEY_MATERIAL_UNSPECIFIED: IncludeKeyMaterial
INCLUDE_KEY_MATERIAL_ALL_KEY_MATERIAL: IncludeKeyMaterial
INCLUDE_KEY_MATERIAL_ROTATIONS_ONLY: IncludeKeyMaterial

class EnableKeyRotationRequest(_message.Message):
    __slots__ = ("key_id", "rotation_period_in_days")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    ROTATION_PERIOD_IN_DAYS_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    rotation_period_in_days: int
    def __init__(self, key_id: _Optional[str] = ..., rotation_period_in_days: _Optional[int] = ...) -> None: ...

class EnableKeyRotationResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DisableKeyRotationRequest(_message.Message):
    __slots__ = ("key_id",)
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    def __init__(self, key_id: _Optional[str] = ...) -> None: ...

class DisableKeyRotationResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetKeyRotationStatusRequest(_message.Message):
    __slots__ = ("key_id",)
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    def __init__(self, key_id: _Optional[str] = ...) -> None: ...

class GetKeyRotationStatusResponse(_message.Message):
    __slots__ = ("key_rotation_enabled", "key_id", "rotation_period_in_days", "next_rotation_date", "on_demand_rotation_start_date")
    KEY_ROTATION_ENABLED_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    ROTATION_PERIOD_IN_DAYS_FIELD_NUMBER: _ClassVar[int]
    NEXT_ROTATION_DATE_FIELD_NUMBER: _ClassVar[int]
    ON_DEMAND_ROTATION_START_DATE_FIELD_NUMBER: _ClassVar[int]
    key_rotation_enabled: bool
    key_id: str
    rotation_period_in_days: int
    next_rotation_date: _timestamp_pb2.Timestamp
    on_demand_rotation_start_date: _timestamp_pb2.Timestamp
    def __init__(self, key_rotation_enabled: bool = ..., key_id: _Optional[str] = ..., rotation_period_in_days: _Optional[int] = ..., next_rotation_date: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., on_demand_rotation_start_date: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RotateKeyOnDemandRequest(_message.Message):
    __slots__ = ("key_id",)
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    def __init__(self, key_id: _Optional[str] = ...) -> None: ...

class RotateKeyOnDemandResponse(_message.Message):
    __slots__ = ("key_id",)
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    def __init__(self, key_id: _Optional[str] = ...) -> None: ...

class ListKeyRotationsRequest(_message.Message):
    __slots__ = ("key_id", "include_key_material", "limit", "marker")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_KEY_MATERIAL_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MARKER_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    include_key_material: IncludeKeyMaterial
    limit: int
    marker: str
    def __init__(self, key_id: _Optional[str] = ..., include_key_material: _Optional[_Union[IncludeKeyMaterial, str]] = ..., limit: _Optional[int] = ..., marker: _Optional[str] = ...) -> None: ...

class RotationsListEntry(_message.Message):
    __slots__ = ("key_id", "key_material_id", "key_material_description", "import_state", "key_material_state", "expiration_model", "valid_to", "rotation_date", "rotation_type")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_MATERIAL_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_MATERIAL_DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    IMPORT_STATE_FIELD_NUMBER: _ClassVar[int]
    KEY_MATERIAL_STATE_FIELD_NUMBER: _ClassVar[int]
    EXPIRATION_MODEL_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_FIELD_NUMBER: _ClassVar[int]
    ROTATION_DATE_FIELD_NUMBER: _ClassVar[int]
    ROTATION_TYPE_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    key_material_id: str
    key_material_description: str
    import_state: ImportState
    key_material_state: KeyMaterialState
    expiration_model: _key_pb2.ExpirationModelType
    valid_to: _timestamp_pb2.Timestamp
    rotation_date: _timestamp_pb2.Timestamp
    rotation_type: RotationType
    def __init__(self, key_id: _Optional[str] = ..., key_material_id: _Optional[str] = ..., key_material_description: _Optional[str] = ..., import_state: _Optional[_Union[ImportState, str]] = ..., key_material_state: _Optional[_Union[KeyMaterialState, str]] = ..., expiration_model: _Optional[_Union[_key_pb2.ExpirationModelType, str]] = ..., valid_to: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rotation_date: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rotation_type: _Optional[_Union[RotationType, str]] = ...) -> None: ...

class ListKeyRotationsResponse(_message.Message):
    __slots__ = ("rotations", "next_marker", "truncated")
    ROTATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_MARKER_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    rotations: _containers.RepeatedCompositeFieldContainer[RotationsListEntry]
    next_marker: str
    truncated: bool
    def __init__(self, rotations: _Optional[_Iterable[_Union[RotationsListEntry, _Mapping]]] = ..., next_marker: _Optional[str] = ..., truncated: bool = ...) -> None: ...
