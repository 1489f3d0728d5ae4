"""Whether an audit log is what was written: chains whole, heads signed, nothing cut."""

import json
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from keyferry_server.domain.audit import ZERO_HASH, AuditRecord, Head, format_time, record_hash


@dataclass(frozen=True, slots=True)
class AuditFault:
    """Something that is not as it was written; `place` is a chain and record, or a head."""

    place: str
    what: str


class AuditCheck:
    """Takes all heads in the order of their numbers, then all records in the order of chain and sequence."""

    def __init__(self, is_signed: Callable[[bytes, bytes], bool]) -> None:
        """`is_signed` tells whether a signature (second) is ours under some content (first)."""
        self._is_signed = is_signed
        self._anchors: dict[uuid.UUID, dict[int, bytes]] = {}
        self.faults: list[AuditFault] = []
        self.heads = self.records = self.chains = 0
        self._chain_id: uuid.UUID | None = None
        self._sequence, self._last = 0, ZERO_HASH

    def check_heads(self, heads: Iterable[Head]) -> None:
        """Check signatures and order of the heads, and learn what they anchor."""
        previous = ZERO_HASH
        for head in heads:
            self.heads += 1
            place = f"head {head.number}"
            if head.number != self.heads:
                self._fault(place, f"head {self.heads} is missing")
                self.heads = head.number
            if not self._is_signed(head.content.encode(), head.signature):
                self._fault(place, "the signature is not ours")
            else:
                self._learn(head, previous, place)
            previous = head.hash

    def check_record(self, record: AuditRecord) -> None:
        """Check that a record is what follows the one before it, and what the heads say."""
        if record.chain_id != self._chain_id:
            self._end_chain()
            self._chain_id, self._sequence, self._last = record.chain_id, 0, ZERO_HASH
            self.chains += 1
        self.records += 1
        self._sequence += 1
        place = f"chain {record.chain_id}, record {record.sequence}"
        if record.sequence != self._sequence:
            self._fault(place, f"record {self._sequence} is missing before it")
            self._sequence = record.sequence
        elif record.hash != record_hash(self._last, record.chain_id, record.sequence, record.event):
            self._fault(place, "it is not what was written, or what is before it is not")
        elif format_time(record.happened_at) != _time_of(record.event):
            self._fault(place, "its time is not the one of its event")
        anchored = self._anchors.get(record.chain_id, {}).pop(record.sequence, record.hash)
        if anchored != record.hash:
            self._fault(place, "a signed head says that it was another")
        self._last = record.hash

    def end(self) -> None:
        """Check, after the last record, that nothing is missing that was signed."""
        self._end_chain()
        for lost, anchors in self._anchors.items():
            if anchors:
                self._fault(f"chain {lost}", f"its records up to {max(anchors)} were signed and are missing")

    def _learn(self, head: Head, previous: bytes, place: str) -> None:
        content = json.loads(head.content)
        if content["number"] != head.number or content["previous"] != previous.hex():
            self._fault(place, "it does not follow the head before it")
        for chain_id, (sequence, digest) in content["chains"].items():
            self._anchors.setdefault(uuid.UUID(chain_id), {})[sequence] = bytes.fromhex(digest)

    def _end_chain(self) -> None:
        if self._chain_id is None:
            return
        cut = [one for one in self._anchors.pop(self._chain_id, {}) if one > self._sequence]
        if cut:
            self._fault(
                f"chain {self._chain_id}", f"it was cut after record {self._sequence}: {max(cut)} were signed"
            )

    def _fault(self, place: str, what: str) -> None:
        self.faults.append(AuditFault(place, what))


def _time_of(event: str) -> object:
    """Return the time that an event says; None if it is no event, which whoever writes to the database can put there."""
    try:
        content = json.loads(event)
    except (ValueError, RecursionError):
        return None
    return content.get("eventTime") if isinstance(content, dict) else None
