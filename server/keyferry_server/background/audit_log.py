"""Writes the audit log: with a change, in its transaction; every other call soon after.

What changed nothing is kept in memory and written together, at the latest after
`interval_seconds`: a server that is killed loses as much of it, and never the record
of a change. With `each_call` it is written before the call is answered. A commit whose
answer is lost with its connection is written again: a record may be there twice.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog
from prometheus_client import CollectorRegistry, Gauge

from keyferry_server.crypto.audit_signature import AuditSigner
from keyferry_server.domain.audit import AuditEvent, ChainEnd, Head, end_of, head_content
from keyferry_server.domain.audit_trail import AuditTrail, current_trail
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.errors import DependencyTimeoutException
from keyferry_server.storage.audit_store import AuditStore
from keyferry_server.storage.database import Database, Transaction

BATCH = 500
# What is written together is written within the time that a statement may take.
BATCH_CHARACTERS = 2**20
_NOT_WRITTEN = "The audit log cannot be written at this moment. The request may be retried."

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class AuditLog:
    """The audit log of one server process: as many chains as it writes to at the same time."""

    def __init__(
        self,
        database: Database,
        store: AuditStore,
        signer: AuditSigner,
        clock: Clock,
        registry: CollectorRegistry,
        *,
        interval_seconds: float,
        head_interval_seconds: float,
        most_unwritten: int,
        each_call: bool,
    ) -> None:
        """Take over the commits of `database`: from now on none is done without its record."""
        self._database = database
        self._store = store
        self._signer = signer
        self._clock = clock
        self._interval_seconds = interval_seconds
        self._head_interval_seconds = head_interval_seconds
        self._most_unwritten = most_unwritten
        self._each_call = each_call
        self._chains: list[ChainEnd] = []
        self._unwritten: list[AuditEvent] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._writing: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        level = Gauge("keyferry_audit_unwritten", "Audit records that are not written yet", registry=registry)
        level.set_function(lambda: len(self._unwritten))
        database.commit_with(self.committing)

    @asynccontextmanager
    async def committing(self, transaction: Transaction) -> AsyncIterator[None]:
        """Write the records of what is being done into its transaction; leave when that is committed."""
        trail = current_trail.get()
        events = [] if trail is None or trail.is_written else trail.events()
        if trail is None or not events:
            yield
            return
        async with self._chained(transaction, events):
            yield
        trail.is_written = True

    def check_open(self) -> None:
        """Raise DependencyTimeoutException while too much is unwritten: what cannot be recorded is not done."""
        if len(self._unwritten) >= self._most_unwritten:
            raise DependencyTimeoutException(
                "The audit log cannot be written at this moment, so nothing is done. The request may be retried."
            )

    def keep(self, trail: AuditTrail) -> None:
        """Keep the records of what changed nothing until they are written."""
        self._unwritten.extend(trail.events())
        if len(self._unwritten) >= BATCH:
            self._wake.set()

    async def settle(self) -> None:
        """With `each_call`, wait until all that is kept is written."""
        if self._each_call:
            written = asyncio.get_running_loop().create_future()
            self._waiting.append(written)
            self._wake.set()
            await written

    async def run(self) -> None:
        """Write again and again; ends when cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._interval_seconds):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            await self.write_if_possible()

    async def run_heads(self) -> None:
        """Sign the ends of all chains again and again; ends when cancelled."""
        while True:
            await asyncio.sleep(self._head_interval_seconds)
            try:
                await self.sign_head()
            except DependencyTimeoutException:
                _log.warning("the audit log is not signed: the database does not answer")

    async def close(self) -> None:
        """Write and sign all that there is."""
        await self.write_if_possible()
        try:
            await self.sign_head()
        except DependencyTimeoutException:
            _log.warning("the audit log is not signed: the database does not answer")

    async def write_if_possible(self) -> None:
        """Write all that is unwritten, or say in the log that it is put off.

        One at a time, each carried through also if whoever asked is cancelled: what was
        committed must not be written again.
        """
        self._writing = asyncio.create_task(self._write_after(self._writing))
        await asyncio.shield(self._writing)

    async def _write_after(self, others: asyncio.Task[None] | None) -> None:
        if others is not None:
            await asyncio.wait({others})
        waiting, self._waiting = self._waiting, []
        try:
            await self._write()
        except DependencyTimeoutException:
            _log.warning(
                "audit records are not written: the database does not answer", records=len(self._unwritten)
            )
        else:
            for one in waiting:
                if not one.done():
                    one.set_result(None)
        finally:
            # Whatever happened, nobody goes on waiting.
            for one in waiting:
                if not one.done():
                    one.set_exception(DependencyTimeoutException(_NOT_WRITTEN))

    async def sign_head(self) -> Head | None:
        """Sign the ends of the chains that grew; None if none did."""

        def sign(number: int, previous: bytes, ends: Sequence[ChainEnd]) -> Head:
            content = head_content(number, previous, self._clock.now(), ends)
            return Head(number, content, self._signer.sign(content.encode()))

        head = await self._store.add_head(sign)
        if head is not None:
            # Whoever keeps the log keeps an anchor that the database's owner cannot take back.
            _log.info("audit head", number=head.number, hash=head.hash.hex())
        return head

    async def _write(self) -> None:
        # What comes meanwhile waits for the next time: else a busy server wrote a few records at a time.
        left = len(self._unwritten)
        while batch := _beginning(self._unwritten[: min(left, BATCH)]):
            left -= len(batch)

            async def nothing(_: Transaction) -> None:
                pass

            trail = _Batch(batch)
            token = current_trail.set(trail)
            try:
                await self._database.transact(nothing)
            finally:
                current_trail.reset(token)
            del self._unwritten[: len(batch)]

    @asynccontextmanager
    async def _chained(self, transaction: Transaction, events: Sequence[AuditEvent]) -> AsyncIterator[None]:
        """Lend a chain for one transaction. One whose transaction fails is left as it is and never used again."""
        end = self._chains.pop() if self._chains else ChainEnd(uuid.uuid4())
        records = end.extended(events)
        await self._store.add(transaction, records)
        yield
        self._chains.append(end_of(records))


def _beginning(events: list[AuditEvent]) -> list[AuditEvent]:
    """Return as many of the events as are written together: one at least, if there is one."""
    characters = 0
    for number, event in enumerate(events):
        characters += len(event.text)
        if number and characters > BATCH_CHARACTERS:
            return events[:number]
    return events


class _Batch:
    """Events that are written together."""

    def __init__(self, events: Sequence[AuditEvent]) -> None:
        self._events = events
        self.is_written = False

    def events(self) -> Sequence[AuditEvent]:
        return self._events
