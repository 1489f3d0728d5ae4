"""Key identifiers: key ID, key ARN, alias name, alias ARN; which are accepted where, and how each is refused.

::

    key ID      1234abcd-12ab-34cd-56ef-1234567890ab   or   mrk- and 32 hexadecimal digits
    key ARN     arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab
    alias name  alias/payroll
    alias ARN   arn:aws:kms:us-east-1:000000000000:alias/payroll
"""

import re
import uuid
from dataclasses import dataclass, replace
from enum import Enum, auto

from keyferry_server.domain.errors import InvalidArnException, NotFoundException, shown

ALIAS_PREFIX = "alias/"
MULTI_REGION_PREFIX = "mrk-"
_KEY_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")
_ALIAS_NAME = re.compile(ALIAS_PREFIX + r"[a-zA-Z0-9/_-]{1,250}")
_ARN_PREFIX = "arn:"
_ARN_PARTS = 6


class Accepts(Enum):
    """Which identifiers an operation takes for the key it works on."""

    NO_KEY = auto()
    KEY_ID_OR_ARN = auto()
    KEY_OR_ALIAS = auto()


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a bare key ID is looked up: the caller's account in one Region of one partition."""

    partition: str
    region: str
    account_id: str

    def key_arn(self, key_id: str) -> str:
        """Return the key ARN of a key ID in this scope."""
        return f"arn:{self.partition}:kms:{self.region}:{self.account_id}:key/{key_id}"

    def alias_arn(self, alias_name: str) -> str:
        """Return the alias ARN of an alias name (with its prefix) in this scope."""
        return f"arn:{self.partition}:kms:{self.region}:{self.account_id}:{alias_name}"


@dataclass(frozen=True, slots=True)
class KeyIdentifier:
    """A well-formed key ID and the scope that it belongs to."""

    scope: Scope
    key_id: str

    @property
    def arn(self) -> str:
        """The key ARN."""
        return self.scope.key_arn(self.key_id)

    @property
    def is_multi_region(self) -> bool:
        """Tell whether keys of that key ID may be in several Regions."""
        return self.key_id.startswith(MULTI_REGION_PREFIX)

    def in_region(self, region: str) -> "KeyIdentifier":
        """Return the key of the same key ID in another Region."""
        return replace(self, scope=replace(self.scope, region=region))

    def not_found(self) -> NotFoundException:
        """Return the refusal of a key that does not exist."""
        return NotFoundException(f"Key '{self.arn}' does not exist")


@dataclass(frozen=True, slots=True)
class AliasIdentifier:
    """A well-formed alias name, with its prefix, and the scope that it belongs to."""

    scope: Scope
    name: str

    @property
    def arn(self) -> str:
        """The alias ARN."""
        return self.scope.alias_arn(self.name)

    def not_found(self) -> NotFoundException:
        """Return the refusal of an alias that does not exist."""
        return NotFoundException(f"Alias {self.arn} is not found.")


def generate_key_id(*, multi_region: bool = False) -> str:
    """Return a fresh key ID."""
    return MULTI_REGION_PREFIX + uuid.uuid4().hex if multi_region else str(uuid.uuid4())


def identifier_of(arn: str) -> KeyIdentifier:
    """Return what a key ARN of ours names."""
    _, partition, _, region, account_id, resource = arn.split(":")
    return KeyIdentifier(Scope(partition, region, account_id), resource.partition("/")[2])


def parse_identifier(text: str, scope: Scope, accepts: Accepts) -> KeyIdentifier | AliasIdentifier:
    """Parse what a caller in `scope` gave to name a key.

    InvalidArnException for a broken ARN and for an alias where none is taken;
    NotFoundException for a malformed key ID or alias name and an ARN of another Region.
    """
    if accepts is not Accepts.KEY_OR_ALIAS:
        return parse_key_identifier(text, scope)
    resource_scope, resource = _resource(text, scope)
    if not resource.startswith(ALIAS_PREFIX):
        return parse_key_identifier(text, scope)
    if not _ALIAS_NAME.fullmatch(resource):
        raise NotFoundException(f"Alias {resource_scope.alias_arn(shown(resource))} is not found.")
    return AliasIdentifier(resource_scope, resource)


def parse_key_identifier(text: str, scope: Scope) -> KeyIdentifier:
    """Parse as `parse_identifier` does what cannot be an alias."""
    resource_scope, resource = _resource(text, scope)
    if resource.startswith(ALIAS_PREFIX):
        raise InvalidArnException("Key Aliases are not supported for this operation.")
    if text.startswith(_ARN_PREFIX):
        kind, _, resource = resource.partition("/")
        if kind != "key":
            raise _broken_arn(text)
    if not _KEY_ID.fullmatch(resource):
        raise NotFoundException(f"Invalid keyId '{shown(resource)}'")
    return KeyIdentifier(resource_scope, resource)


def _resource(text: str, scope: Scope) -> tuple[Scope, str]:
    """Return what is named and where it is looked up: where an ARN says, else in `scope`."""
    return _parse_arn(text, scope) if text.startswith(_ARN_PREFIX) else (scope, text)


def _parse_arn(text: str, scope: Scope) -> tuple[Scope, str]:
    parts = text.split(":", _ARN_PARTS - 1)
    if len(parts) != _ARN_PARTS:
        raise _broken_arn(text)
    _, partition, service, region, account_id, resource = parts
    well_formed = (
        partition == scope.partition
        and service == "kms"
        and region
        and re.fullmatch(r"[0-9]{12}", account_id)
        and "/" in resource
    )
    if not well_formed:
        raise _broken_arn(text)
    if region != scope.region:
        raise NotFoundException(f"Invalid arn {shown(region)}")
    return Scope(partition, region, account_id), resource


def _broken_arn(text: str) -> InvalidArnException:
    return InvalidArnException(
        f"Invalid ARN '{shown(text)}'. A key ARN has the form arn:PARTITION:kms:REGION:ACCOUNT:key/KEY-ID."
    )
