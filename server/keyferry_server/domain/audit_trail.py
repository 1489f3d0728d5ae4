"""What is to be recorded of what is going on now: noted along the way, written with the change or after the call.

The trail of a call lives in the context of its task, so that no room between the wire
and the key has to hand it on.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Protocol

from keyferry_server.domain.audit import AuditEvent, encode_json, format_time
from keyferry_server.domain.identifiers import KeyIdentifier

_VERSION = "1.11"
_SOURCE = "kms.amazonaws.com"
# Whoever calls, also unknown, fills the log: with so many records of so many characters at most.
_LONGEST_EVENT = 16_384
_LONGEST_MESSAGE = 2_048
_CHANGES = re.compile(
    "(?:Cancel|Create|Delete|Disable|Enable|Import|Put|Replicate|Retire|Revoke|Rotate|Schedule|Tag|Untag|Update)[A-Z]"
)


class AuditTrail(Protocol):
    """Something that becomes records. `is_written` is set when they are in the database."""

    is_written: bool

    def events(self) -> Sequence[AuditEvent]:
        """Return the events as they stand now; none if nothing happened."""
        ...


current_trail: ContextVar[AuditTrail | None] = ContextVar("current_trail", default=None)


class _Recording:
    """A context manager by hand: every call goes through it."""

    __slots__ = ("_token", "_trail")

    def __init__(self, trail: AuditTrail) -> None:
        self._trail = trail

    def __enter__(self) -> None:
        self._token = current_trail.set(self._trail)

    def __exit__(self, *_: object) -> None:
        current_trail.reset(self._token)


def recording(trail: AuditTrail) -> AbstractContextManager[None]:
    """Make `trail` the one of everything inside."""
    return _Recording(trail)


@dataclass(slots=True)
class CallTrail:
    """The trail of one call; `parameters` are those that may be shown."""

    operation: str
    request_id: str
    started_at: datetime
    region: str
    peer: str
    parameters: Mapping[str, Any] = field(repr=False)
    caller: Mapping[str, str] = field(default_factory=lambda: {"type": "Anonymous"})
    resources: dict[str, str] = field(default_factory=dict)
    error: tuple[str, str] | None = None
    is_written: bool = False

    def events(self) -> Sequence[AuditEvent]:
        """Return the one event of the call."""
        content: dict[str, Any] = {
            "eventVersion": _VERSION,
            "eventType": "AwsApiCall",
            "eventSource": _SOURCE,
            "eventName": self.operation,
            "eventTime": format_time(self.started_at),
            "awsRegion": self.region,
            "sourceIPAddress": _address(self.peer),
            "userIdentity": dict(self.caller),
            "requestID": self.request_id,
            "readOnly": _is_read_only(self.operation),
            "requestParameters": self.parameters,
            "resources": [_resource(arn, kind) for arn, kind in self.resources.items()],
        }
        if self.error is not None:
            name, message = self.error
            content["errorCode"], content["errorMessage"] = name, message[:_LONGEST_MESSAGE]
        event = AuditEvent.of(self.started_at, content)
        if len(event.text) > _LONGEST_EVENT:
            event = AuditEvent.of(
                self.started_at, content | {"requestParameters": _shortened(self.parameters)}
            )
        return [event]


@dataclass(slots=True)
class ServiceTrail:
    """The trail of what the service does by itself, to any number of keys."""

    operation: str
    moment: datetime
    noted: list[tuple[KeyIdentifier, Mapping[str, str]]] = field(default_factory=list)
    is_written: bool = False

    def note(self, key: KeyIdentifier, **details: str) -> None:
        """Note that it was done to a key."""
        self.noted.append((key, details))

    def events(self) -> Sequence[AuditEvent]:
        """Return an event for each key."""
        return [
            AuditEvent.of(
                self.moment,
                {
                    "eventVersion": _VERSION,
                    "eventType": "AwsServiceEvent",
                    "eventSource": _SOURCE,
                    "eventName": self.operation,
                    "eventTime": format_time(self.moment),
                    "awsRegion": key.scope.region,
                    "userIdentity": {"accountId": key.scope.account_id, "invokedBy": "keyferry-server"},
                    "readOnly": False,
                    "serviceEventDetails": {"keyId": key.key_id, **details},
                    "resources": [_resource(key.arn)],
                },
            )
            for key, details in self.noted
        ]


def note_caller(account_id: str, arn: str, region: str) -> None:
    """Note who is calling, and in which Region."""
    trail = current_trail.get()
    if isinstance(trail, CallTrail):
        trail.region = region
        trail.caller = {"type": "Principal", "accountId": account_id, "arn": arn}


def note_key(arn: str) -> None:
    """Note a key that the call is about."""
    _note_resource("AWS::KMS::Key", arn)


def note_alias(arn: str) -> None:
    """Note an alias that the call is about."""
    _note_resource("AWS::KMS::Alias", arn)


def _note_resource(kind: str, arn: str) -> None:
    trail = current_trail.get()
    if isinstance(trail, CallTrail):
        trail.resources[arn] = kind


@cache
def _is_read_only(operation: str) -> bool:
    return _CHANGES.match(operation) is None


def _shortened(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters, the shortest first, as far as there is room; of the others how long they were."""
    lengths = {name: len(encode_json({name: value})) for name, value in parameters.items()}
    room = _LONGEST_EVENT
    shown: dict[str, Any] = {}
    for name in sorted(lengths, key=lengths.__getitem__):
        room -= lengths[name]
        shown[name] = parameters[name] if room >= 0 else f"left out, for it has {lengths[name]} characters"
    return shown


def _resource(arn: str, kind: str = "AWS::KMS::Key") -> dict[str, str]:
    return {"type": kind, "ARN": arn, "accountId": arn.split(":")[4]}


@lru_cache(maxsize=1024)
def _address(peer: str) -> str:
    """Return the address of a peer as gRPC writes it (ipv4:127.0.0.1:1234), or the peer as it is."""
    host = peer.partition(":")[2].rpartition(":")[0].strip("[]").replace("%5B", "").replace("%5D", "")
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return peer
