from keyferry.v1 import access_pb2 as _access_pb2
from keyferry.v1 import import_tokens_pb2 as _import_tokens_pb2
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor
