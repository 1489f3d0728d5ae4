"""Switching a key on or off: what EnableKey and DisableKey share."""

from dataclasses import dataclass

from keyferry_server.call import Call
from keyferry_server.domain.clock import Clock
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.key_store import KeyStore


@dataclass(frozen=True, slots=True)
class KeySwitch:
    """Turns keys on and off."""

    database: Database
    door: KeyDoor
    keys: KeyStore
    clock: Clock

    async def turn(self, text: str, call: Call, *, enabled: bool) -> None:
        """Turn the key that a caller named, in the states that the route admits."""
        opened = await self.door.open(text, call)
        opened.check_state(call.route.key_states, self.clock.now())

        async def write(transaction: Transaction) -> None:
            key = await self.door.lock(transaction, opened, call)
            key.check_state(call.route.key_states, self.clock.now())
            await self.keys.switch(transaction, key, enabled=enabled)

        await self.database.transact(write)
