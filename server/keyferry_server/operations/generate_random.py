"""GenerateRandom: random bytes. It needs no key."""

import os
from dataclasses import dataclass

from keyferry.v1 import GenerateRandomRequest, GenerateRandomResponse
from keyferry_server.call import Call
from keyferry_server.domain.errors import ValidationException
from keyferry_server.operations.cached_key_door import CachedGate


@dataclass(frozen=True, slots=True)
class GenerateRandom:
    """Generates random bytes from the operating system."""

    gate: CachedGate

    async def __call__(self, request: GenerateRandomRequest, call: Call) -> GenerateRandomResponse:
        """Answer as many bytes as asked."""
        if not request.HasField("number_of_bytes"):
            raise ValidationException("NumberOfBytes is required.")

        await self.gate.admit_to_account(call)

        return GenerateRandomResponse(plaintext=os.urandom(request.number_of_bytes))
