"""Which exceptions an operation answers.

Those of every operation; those of every operation that names a key; those of the key
states that refuse it; and those that the comments of its RPC and of its request name.
"""

import re
from collections.abc import Iterator

from contract import Contract, Operation, is_structure
from google.protobuf.descriptor import Descriptor

from keyferry_server.domain import errors
from keyferry_server.domain.errors import KmsError
from keyferry_server.domain.identifiers import Accepts
from keyferry_server.domain.key import KeyState

OF_ALL: tuple[type[KmsError], ...] = (
    errors.ValidationException,
    errors.AccessDeniedException,
    errors.DependencyTimeoutException,
    errors.KMSInternalException,
)
OF_KEYS: tuple[type[KmsError], ...] = (errors.NotFoundException, errors.InvalidArnException)


def errors_of(operation: Operation, contract: Contract) -> list[type[KmsError]]:
    """Return the exceptions of an operation: what is its own first, what all have last."""
    named = {
        name
        for full_name in (operation.full_name, *_names_in(operation.request))
        for name in re.findall(r"\b\w+Exception\b", contract.comment(full_name))
    }
    refusals = (operation.route.key_states.refusal(state, "") for state in KeyState)
    found = {getattr(errors, name) for name in named}
    found |= {type(refusal) for refusal in refusals if refusal is not None}
    found |= set() if operation.route.accepts is Accepts.NO_KEY else set(OF_KEYS)
    own = sorted(found - set(OF_ALL), key=lambda error: error.__name__)
    return [*own, *OF_ALL]


def _names_in(message: Descriptor) -> Iterator[str]:
    yield message.full_name
    for field in message.fields:
        yield field.full_name
        if is_structure(field):
            yield from _names_in(field.message_type)
