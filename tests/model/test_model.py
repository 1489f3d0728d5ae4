"""Random sequences of calls, with jumps of the clock: the server and an independent model of the contract agree.

`make soak STEPS=20000 SEED=1` runs longer ones.
"""

import asyncio
import os
import re

import pytest
from fixtures.server import ServerFactory
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from model.kms import Kms
from model.machine import Machine
from model.rules_of_import import Importing
from model.rules_of_labels import Labelling
from model.rules_of_life import Life
from model.rules_of_time import Time
from model.rules_of_use import Using
from model.world import World

from keyferry.v1 import key_management_service_pb2, keyferry_service_pb2

IS_SOAK = "MODEL_STEPS" in os.environ
STEPS = int(os.environ.get("MODEL_STEPS", "2000"))
SEED = int(os.environ.get("MODEL_SEED", "1"))

# The seed makes each run the same. A soak has the minutes to look for the shortest sequence that fails.
_ROUND = settings(
    phases=[Phase.generate, Phase.shrink] if IS_SOAK else [Phase.generate],
    stateful_step_count=50,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)

FEW = 3

OPERATIONS = {
    method.name
    for module in (key_management_service_pb2, keyferry_service_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}

NOT_IN_THE_MODEL = {
    # The Regions of the model are one.
    "ReplicateKey",
    "UpdatePrimaryRegion",
    # It has no key.
    "GenerateRandom",
    # Who may do what: the model's only caller may do everything.
    "GetKeyPolicy",
    "ListKeyPolicies",
    "PutKeyPolicy",
    "CreateGrant",
    "ListGrants",
    "ListRetirableGrants",
    "RetireGrant",
    "RevokeGrant",
    "ExplainAccess",
    # The model's keys are symmetric encryption keys.
    "DeriveSharedSecret",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateMac",
    "GetPublicKey",
    "Sign",
    "Verify",
    "VerifyMac",
}


class WholeLife(Life, Time, Importing, Using, Labelling):
    """Everything that happens to keys."""


def test_every_operation_is_in_the_model_or_is_said_not_to_be() -> None:
    assert _modelled(OPERATIONS) | NOT_IN_THE_MODEL == OPERATIONS
    assert not _modelled(OPERATIONS) & NOT_IN_THE_MODEL


@pytest.mark.timeout(0 if IS_SOAK else 600)
@pytest.mark.parametrize("half", [0, 1])
async def test_no_sequence_of_calls_tells_the_server_from_the_model(
    start_server: ServerFactory, half: int
) -> None:
    world = await World.start(start_server)
    await asyncio.to_thread(_drive, world, STEPS // 2, SEED * 1_000_000 + half * 500_000)
    await world.close()

    succeeded = {operation for operation, outcome in world.outcomes if outcome == "ok"}
    never = {_method(name) for name in _modelled(OPERATIONS)} - succeeded
    # A rare success may be missed; rules that had come to nothing would miss many.
    assert len(never) <= FEW, never


def _drive(world: World, steps: int, first_seed: int) -> None:
    number = first_seed
    while world.steps < steps:

        @seed(number)
        def life() -> Machine:
            return WholeLife(world)

        try:
            run_state_machine_as_test(
                life, settings=settings(_ROUND, max_examples=_examples(steps - world.steps))
            )
        except Exception as error:
            error.add_note(f"To find a shorter sequence that fails: make soak SEED={SEED} STEPS={STEPS}")
            raise
        number += 1


def _examples(steps: int) -> int:
    """Return how many to ask for: Hypothesis makes nearly twice as many, and the first of them is trivial."""
    return min(max(steps // 90, 2), 100)


def _modelled(operations: set[str]) -> set[str]:
    return {name for name in operations if hasattr(Kms, _method(name))}


def _method(operation: str) -> str:
    return re.sub("(?<!^)(?=[A-Z])", "_", operation).lower()
