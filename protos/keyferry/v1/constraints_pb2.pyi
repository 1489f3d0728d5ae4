from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
CONSTRAINT_FIELD_NUMBER: _ClassVar[int]
constraint: _descriptor.FieldDescriptor
UPPER_CAMEL_CASE_FIELD_NUMBER: _ClassVar[int]
upper_camel_case: _descriptor.FieldDescriptor

class Constraint(_message.Message):
    __slots__ = ("required", "min_length", "max_length", "min_value", "max_value", "pattern", "sensitive", "required_unless", "item")
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    MIN_LENGTH_FIELD_NUMBER: _ClassVar[int]
    MAX_LENGTH_FIELD_NUMBER: _ClassVar[int]
    MIN_VALUE_FIELD_NUMBER: _ClassVar[int]
    MAX_VALUE_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    SENSITIVE_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_UNLESS_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    required: bool
    min_length: int
    max_length: int
    min_value: int
    max_value: int
    pattern: str
    sensitive: bool
    required_unless: str
    item: Constraint
    def __init__(self, required: bool = ..., min_length: _Optional[int] = ..., max_length: _Optional[int] = ..., min_value: _Optional[int] = ..., max_value: _Optional[int] = ..., pattern: _Optional[str] = ..., sensitive: bool = ..., required_unless: _Optional[str] = ..., item: _Optional[_Union[Constraint, _Mapping]] = ...) -> None: ...
