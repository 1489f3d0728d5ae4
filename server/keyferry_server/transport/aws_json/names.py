"""Names on AWS's wire: a member is its protobuf field in upper camel case, an enumeration value lacks its prefix."""

from google.protobuf.descriptor import FieldDescriptor

TARGET_PREFIX = "TrentService."


def member_name(field: FieldDescriptor) -> str:
    """Return what AWS calls a field: key_id is KeyId; a json_name in the contract is the exception."""
    return field.json_name[0].upper() + field.json_name[1:]
