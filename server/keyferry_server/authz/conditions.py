"""What policies can ask for of every call: by whom, when and from where it is made, and with which key.

What a request itself says is read in ``wire.condition_keys``; docs/policies.md lists both.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from keyferry_server.authn.caller import Principal
from keyferry_server.authz.decision import RequestConditions
from keyferry_server.domain.errors import AccessDeniedException, shown
from keyferry_server.domain.grant import GrantTerms
from keyferry_server.domain.key import GuardedKey
from keyferry_server.domain.letter_case import fold, values_of
from keyferry_server.domain.principal import PrincipalKind, parse_principal_name

_PEER = re.compile(
    r"ipv[46]:(?:\[|%5B)?(?P<address>[0-9a-fA-F.:]+)(?:%25[^\]%]*|%[^\]%]*)?(?:\]|%5D)?:[0-9]+"
)
_PRINCIPAL_TYPES = {
    PrincipalKind.ROOT: "Account",
    PrincipalKind.USER: "User",
    PrincipalKind.ROLE: "AssumedRole",
}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Who calls, when, in which Region, from where. `source_ip` is None where there is none, as on a Unix socket."""

    caller: Principal
    now: datetime
    region: str
    source_ip: str | None
    is_encrypted: bool


@lru_cache(maxsize=1024)
def parse_source_ip(peer: str) -> str | None:
    """Return the IP address of a peer as gRPC writes it; an IPv4 address within IPv6 is one of IPv4."""
    found = _PEER.fullmatch(peer)
    if found is None:
        return None
    try:
        address = ipaddress.ip_address(found["address"])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _username(caller: Principal) -> Sequence[str]:
    name = parse_principal_name(caller.arn)
    return (name.name,) if name.kind is PrincipalKind.USER else ()


OF_CALL: Mapping[str, Callable[[Circumstances], Sequence[str]]] = {
    "aws:CurrentTime": lambda call: (call.now.isoformat(timespec="seconds").replace("+00:00", "Z"),),
    "aws:EpochTime": lambda call: (str(int(call.now.timestamp())),),
    "aws:PrincipalAccount": lambda call: (call.caller.account_id,),
    "aws:PrincipalArn": lambda call: (call.caller.arn,),
    "aws:PrincipalIsAWSService": lambda _: ("false",),
    "aws:PrincipalType": lambda call: (_PRINCIPAL_TYPES[parse_principal_name(call.caller.arn).kind],),
    "aws:RequestedRegion": lambda call: (call.region,),
    "aws:SecureTransport": lambda call: ("true" if call.is_encrypted else "false",),
    "aws:SourceIp": lambda call: () if call.source_ip is None else (call.source_ip,),
    "aws:ViaAWSService": lambda _: ("false",),
    "aws:username": lambda call: _username(call.caller),
    "kms:CallerAccount": lambda call: (call.caller.account_id,),
}
OF_KEY: Mapping[str, Callable[[GuardedKey], Sequence[str]]] = {
    "aws:ResourceAccount": lambda key: (key.account_id,),
    "kms:CustomerMasterKeySpec": lambda key: (key.key_spec,),
    "kms:CustomerMasterKeyUsage": lambda key: (key.key_usage,),
    "kms:KeyOrigin": lambda key: (key.origin,),
    "kms:KeySpec": lambda key: (key.key_spec,),
    "kms:KeyUsage": lambda key: (key.key_usage,),
    "kms:MultiRegion": lambda key: ("false" if key.multi_region_type is None else "true",),
    "kms:MultiRegionKeyType": lambda key: () if key.multi_region_type is None else (key.multi_region_type,),
    "kms:ResourceAliases": lambda key: key.labels.aliases,
}
RESOURCE_TAG = "aws:ResourceTag/"
_OF_CALL = {fold(name): read for name, read in OF_CALL.items()}
_RESOURCE_TAG = fold(RESOURCE_TAG)
_OF_KEY = {fold(name): read for name, read in OF_KEY.items()}


def _tag(key: GuardedKey, name: str) -> Sequence[str]:
    values = values_of(key.labels.tags, name)
    if len(values) > 1:
        raise AccessDeniedException(
            f"The key has the tag {shown(name)} more than once, in different case. A policy that decides by it cannot "
            "tell them apart."
        )
    return values


@dataclass(frozen=True, slots=True)
class Conditions:
    """All that policies can ask for of one call; nothing of it is looked up before a policy does."""

    request: RequestConditions
    call: Circumstances
    key: GuardedKey | None = None

    def values(self, key: str) -> Sequence[str]:
        """Return the values of a condition key, which is written in lower case."""
        of_call = _OF_CALL.get(key)
        if of_call is not None:
            return of_call(self.call)
        if self.key is not None:
            of_key = _OF_KEY.get(key)
            if of_key is not None:
                return of_key(self.key)
            if key.startswith(_RESOURCE_TAG):
                return _tag(self.key, key.removeprefix(_RESOURCE_TAG))
        return self.request.values(key)

    @property
    def encryption_context(self) -> Mapping[str, str] | None:
        """The encryption context of the request; None if it can have none."""
        return self.request.encryption_context

    @property
    def grant_terms(self) -> GrantTerms | None:
        """The terms of the grant that the request asks for, if it does."""
        return self.request.grant_terms
