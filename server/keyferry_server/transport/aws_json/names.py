"""Names on AWS's wire: a member is its protobuf field in upper camel case, an enumeration value lacks its prefix."""

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from keyferry.v1 import extensions_pb2

TARGET_PREFIX = "TrentService."

# Members that AWS has and the contract has not. To ignore them, as other unknown members are, would do
# something else than was asked for: give a key to more people, or a plaintext to a machine that may not see it.
UNSUPPORTED_MEMBERS = frozenset(
    {
        "CustomKeyStoreId",
        "CustomerMasterKeySpec",
        "GranteeServicePrincipal",
        "SourceArn",
        "Recipient",
        "ResourceOwners",
        "RetiringServicePrincipal",
        "XksKeyId",
    }
)

# The generated stub types the extension as a plain descriptor; mypy wants the field's own kind.
_EXTENSION: Any = extensions_pb2.keyferry_extension


def members(descriptor: Descriptor) -> Iterator[tuple[str, FieldDescriptor]]:
    """Give the members of a message by AWS's names, those that are Keyferry's own left out."""
    for field in descriptor.fields:
        if not field.GetOptions().Extensions[_EXTENSION]:
            yield member_name(field), field


def member_name(field: FieldDescriptor) -> str:
    """Return what AWS calls a field: key_id is KeyId; a json_name in the contract is the exception."""
    return field.json_name[0].upper() + field.json_name[1:]
