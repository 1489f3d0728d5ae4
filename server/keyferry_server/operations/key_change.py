"""Changing a key: what every operation does that writes to one key and answers nothing of its own."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from keyferry_server.call import Call
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.key import Key
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.storage.database import Database, Transaction

Check = Callable[[Key], None]
Write = Callable[[Transaction, Key, datetime], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class KeyChange:
    """Opens a key, checks it, and changes it in one transaction that holds it."""

    database: Database
    door: KeyDoor
    clock: Clock

    async def run(self, text: str, call: Call, write: Write, check: Check | None = None) -> Key:
        """Change the key that a caller named by `write`; return it as it was before.

        `check` refuses keys of the wrong kind, then the route's key states are looked
        at, both once before the key is locked and once more after.
        """
        opened = await self.door.open(text, call)
        self._check(opened, call, check)

        async def change(transaction: Transaction) -> Key:
            key = await self.door.lock(transaction, opened, call)
            now = self._check(key, call, check)
            await write(transaction, key, now)
            return key

        return await self.database.transact(change)

    def _check(self, key: Key, call: Call, check: Check | None) -> datetime:
        if check is not None:
            check(key)
        now = self.clock.now()
        key.check_state(call.route.key_states, now)
        return now
