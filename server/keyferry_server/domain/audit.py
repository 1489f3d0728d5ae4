"""The audit log: what a record says, and how records are chained.

::

    record 1 ──hash──▶ record 2 ──hash──▶ record 3 …      a chain: one writer's records, in their order
                            ▲
    head 7   { chain: [2, hash] , … }  signed             anchors what chains held when it was signed
       │
       └──hash── head 8 …                                 heads are chained too

1. hash(n) = SHA-256(hash(n-1) | chain id | n | event). The first is chained to 32 zero
   bytes. So a record that is changed, removed, reordered or put in breaks its chain.
2. A writer (one lane of one server process) has a chain of its own: one chain for all
   would make every replica queue behind one lock.
3. Heads are signed with a key that the database does not hold. A chain that ends before
   what a head says was cut; one that a head names and that is missing was removed.
4. What was written after the newest head can be cut without a trace: an interval of heads
   at most, and nothing for who keeps heads elsewhere.

Events are JSON in the shape of AWS CloudTrail's. Never a secret: no blob, and no member
that the contract marks as sensitive.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from keyferry_server.domain.random_id import generate_random_id

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
ZERO_HASH = bytes(32)


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """What happened. `text` is one line of JSON in CloudTrail's shape."""

    happened_at: datetime
    text: str = field(repr=False)

    @classmethod
    def of(cls, happened_at: datetime, content: Mapping[str, Any]) -> "AuditEvent":
        """Return the event of a content that has no id yet.

        It is encoded here, call by call: when many are written together, nothing else is done meanwhile.
        """
        return cls(happened_at, encode_json({**content, "eventID": generate_random_id()}))


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """An event in its place in a chain."""

    chain_id: uuid.UUID
    sequence: int
    happened_at: datetime
    event: str = field(repr=False)
    hash: bytes


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """How far a chain is: the number and hash of its last record; 0 and zero bytes for one without any."""

    chain_id: uuid.UUID
    sequence: int = 0
    hash: bytes = ZERO_HASH

    def extended(self, events: Sequence[AuditEvent]) -> list[AuditRecord]:
        """Return the records that chain `events` to this end."""
        records = []
        sequence, last = self.sequence, self.hash
        for event in events:
            sequence += 1
            last = record_hash(last, self.chain_id, sequence, event.text)
            records.append(AuditRecord(self.chain_id, sequence, event.happened_at, event.text, last))
        return records


def record_hash(previous: bytes, chain_id: uuid.UUID, sequence: int, event: str) -> bytes:
    """Return the hash of a record (rule 1)."""
    return hashlib.sha256(previous + chain_id.bytes + sequence.to_bytes(8, "big") + event.encode()).digest()


def end_of(records: Sequence[AuditRecord]) -> ChainEnd:
    """Return the end of a chain whose last records these are."""
    last = records[-1]
    return ChainEnd(last.chain_id, last.sequence, last.hash)


@dataclass(frozen=True, slots=True)
class Head:
    """A signed statement of how far chains are; `content` is what is signed."""

    number: int
    content: str
    signature: bytes

    @property
    def hash(self) -> bytes:
        """What the next head is chained to."""
        return hashlib.sha256(self.content.encode() + self.signature).digest()


def head_content(number: int, previous: bytes, signed_at: datetime, ends: Sequence[ChainEnd]) -> str:
    """Return what a head says: the ends of all chains that grew since the head before."""
    return encode_json(
        {
            "number": number,
            "previous": previous.hex(),
            "time": format_time(signed_at),
            "chains": {str(end.chain_id): [end.sequence, end.hash.hex()] for end in ends},
        }
    )


def encode_json(content: Mapping[str, Any]) -> str:
    """Return JSON that is always the same for the same content."""
    return _ENCODER.encode(content)


def format_time(moment: datetime) -> str:
    """Return a moment as CloudTrail writes it, with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
