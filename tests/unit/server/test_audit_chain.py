"""An audit log that is not what was written is found out, whatever was done to it."""

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyferry_server.crypto.audit_signature import AuditSigner
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.audit import (
    ZERO_HASH,
    AuditEvent,
    AuditRecord,
    ChainEnd,
    Head,
    end_of,
    format_time,
    head_content,
    record_hash,
)
from keyferry_server.domain.audit_check import AuditCheck

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SIGNER = AuditSigner(Secret(bytes(range(32))))
CHAINS = (uuid.UUID(int=1), uuid.UUID(int=2))


def event(number: int) -> AuditEvent:
    moment = NOW + timedelta(seconds=number)
    return AuditEvent.of(moment, {"eventName": f"Operation{number}", "eventTime": format_time(moment)})


def sign(number: int, previous: bytes, ends: Sequence[ChainEnd]) -> Head:
    content = head_content(number, previous, NOW, ends)
    return Head(number, content, SIGNER.sign(content.encode()))


def written() -> tuple[list[Head], list[AuditRecord]]:
    """Return a log of two chains of six records, signed after three and after six."""
    heads: list[Head] = []
    records: dict[uuid.UUID, list[AuditRecord]] = {chain: [] for chain in CHAINS}
    for turn in range(2):
        ends = []
        for chain in CHAINS:
            end = end_of(records[chain]) if records[chain] else ChainEnd(chain)
            records[chain] += end.extended([event(3 * turn + number) for number in range(3)])
            ends.append(end_of(records[chain]))
        heads.append(sign(turn + 1, heads[-1].hash if heads else ZERO_HASH, ends))
    return heads, [record for chain in CHAINS for record in records[chain]]


def faults(heads: Sequence[Head], records: Sequence[AuditRecord]) -> list[str]:
    check = AuditCheck(SIGNER.is_signed)
    check.check_heads(heads)
    for record in records:
        check.check_record(record)
    check.end()
    return [f"{fault.place}: {fault.what}" for fault in check.faults]


def rechained(records: list[AuditRecord]) -> list[AuditRecord]:
    """Make the hashes of one chain right again, as whoever owns the database can."""
    last, done = ZERO_HASH, []
    for number, record in enumerate(records, start=1):
        last = record_hash(last, record.chain_id, number, record.event)
        done.append(replace(record, sequence=number, hash=last))
    return done


def test_what_was_written_has_no_fault() -> None:
    heads, records = written()
    assert faults(heads, records) == []


def test_records_that_are_not_signed_yet_are_no_fault() -> None:
    heads, records = written()
    assert faults(heads[:1], records) == []
    assert faults([], records) == []


@pytest.mark.parametrize("at", range(12))
def test_a_changed_record_is_found(at: int) -> None:
    heads, records = written()
    content = json.loads(records[at].event) | {"eventName": "Nothing"}
    records[at] = replace(records[at], event=json.dumps(content, sort_keys=True, separators=(",", ":")))
    assert faults(heads, records)
    assert faults([], records)


@pytest.mark.parametrize("at", range(12))
def test_a_removed_record_is_found(at: int) -> None:
    heads, records = written()
    del records[at]
    assert faults(heads, records)


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: chain[:-1],
        lambda chain: chain[:1] + chain[2:],
        lambda chain: [chain[1], chain[0], *chain[2:]],
        lambda chain: [chain[0], chain[0], *chain[1:]],
        lambda chain: chain[:2],
        lambda _: [],
    ],
    ids=["cut by one", "removed", "swapped", "put in", "cut before the first head", "gone"],
)
def test_whoever_owns_the_database_can_chain_anew_but_not_sign(
    change: Callable[[list[AuditRecord]], list[AuditRecord]],
) -> None:
    heads, records = written()
    forged = rechained(change(records[:6]))
    assert faults([], forged + records[6:]) == []
    assert faults(heads, forged + records[6:])
    assert faults(heads, records[:6] + [replace(one, chain_id=CHAINS[1]) for one in forged])


def test_a_time_beside_the_event_cannot_be_changed_alone() -> None:
    heads, records = written()
    records[3] = replace(records[3], happened_at=NOW - timedelta(days=1))
    assert faults(heads, records)


def test_a_head_that_is_removed_changed_or_of_another_key_is_found() -> None:
    heads, records = written()
    stranger = AuditSigner(Secret(bytes(32)))
    resigned = replace(heads[0], signature=stranger.sign(heads[0].content.encode()))
    changed = replace(heads[1], content=heads[1].content.replace('"number":2', '"number": 2'))
    for forged in ([heads[1]], [resigned, heads[1]], [heads[0], changed], [heads[1], heads[0]]):
        assert faults(forged, records)


def test_an_old_head_does_not_stand_for_a_later_one() -> None:
    heads, records = written()
    assert faults([heads[0], replace(heads[0], number=2)], records)


@given(st.binary(max_size=80), st.binary(min_size=64, max_size=64))
def test_nothing_but_our_own_signature_is_ours(content: bytes, signature: bytes) -> None:
    assert not SIGNER.is_signed(content, signature)
    assert SIGNER.is_signed(content, SIGNER.sign(content))


def test_the_hash_of_a_record_covers_its_place() -> None:
    one = record_hash(ZERO_HASH, CHAINS[0], 1, "{}")
    assert one != record_hash(ZERO_HASH, CHAINS[1], 1, "{}")
    assert one != record_hash(ZERO_HASH, CHAINS[0], 2, "{}")
    assert one != record_hash(one, CHAINS[0], 1, "{}")


@pytest.mark.parametrize("text", ["x", "[]", "1", "{}", '{"eventTime": 1}', "[" * 100_000])
def test_what_is_no_event_is_found(text: str) -> None:
    heads, records = written()
    end = end_of(records)
    (forged,) = end.extended([AuditEvent(NOW, text)])
    assert faults(heads, [*records, forged])
    (good,) = end.extended([event(9)])
    assert faults(heads, [*records, good]) == []
