from keyferry.v1 import aliases_pb2 as _aliases_pb2
from keyferry.v1 import cryptography_pb2 as _cryptography_pb2
from keyferry.v1 import data_key_pair_pb2 as _data_key_pair_pb2
from keyferry.v1 import grants_pb2 as _grants_pb2
from keyferry.v1 import key_agreement_pb2 as _key_agreement_pb2
from keyferry.v1 import key_deletion_pb2 as _key_deletion_pb2
from keyferry.v1 import key_import_pb2 as _key_import_pb2
from keyferry.v1 import key_lifecycle_pb2 as _key_lifecycle_pb2
from keyferry.v1 import key_policies_pb2 as _key_policies_pb2
from keyferry.v1 import key_rotation_pb2 as _key_rotation_pb2
from keyferry.v1 import key_usage_pb2 as _key_usage_pb2
from keyferry.v1 import mac_pb2 as _mac_pb2
from keyferry.v1 import multi_region_pb2 as _multi_region_pb2
from keyferry.v1 import signing_pb2 as _signing_pb2
from keyferry.v1 import tags_pb2 as _tags_pb2
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor
