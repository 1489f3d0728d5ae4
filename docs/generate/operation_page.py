"""The page of one operation."""

from collections.abc import Callable, Iterator

from contract import Contract, Operation
from differences import Difference
from google.protobuf.descriptor import Descriptor
from members import escaped, request_table, response_table
from operation_errors import errors_of

from keyferry_server.domain.identifiers import Accepts
from keyferry_server.domain.key import ANY_STATE, KeyState
from keyferry_server.transport.errors import CODES
from keyferry_server.wire.condition_keys import condition_keys

_Table = Callable[[Descriptor, Contract], Iterator[str]]

_TAKEN = {
    Accepts.KEY_ID_OR_ARN: "key ID or key ARN",
    Accepts.KEY_OR_ALIAS: "key ID, key ARN, alias name or alias ARN",
}


def operation_page(operation: Operation, contract: Contract, differences: list[Difference]) -> str:
    """Return the page."""
    parts = (
        _head(operation, contract),
        _request(operation.request, contract),
        _response(operation.response, contract),
        _key_states(operation),
        _errors(operation, contract),
        _differences(operation, differences),
    )
    return "\n".join(line for part in parts for line in part)


def _head(operation: Operation, contract: Contract) -> Iterator[str]:
    route = operation.route
    yield f"# {operation.name}"
    yield ""
    yield escaped(contract.comment(operation.full_name))
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield f"| RPC | `{operation.service.full_name}/{operation.name}` |"
    yield f"| permission | {', '.join(f'`{permission}`' for permission in route.permissions)} |"
    names = dict.fromkeys(name for permission in route.permissions for name in condition_keys(permission))
    if names:
        yield f"| [condition keys](permissions.md) | {', '.join(f'`{name}`' for name in names)} |"
    if route.accepts is not Accepts.NO_KEY:
        members = [field.name for field in operation.request.fields if field.name.endswith("key_id")]
        yield f"| key | {', '.join(f'`{name}`' for name in members)}: {_TAKEN[route.accepts]} |"
    yield f"| deadline | the caller's, and at most {route.deadline_seconds:g} seconds |"
    yield ""
    if not operation.is_awss:
        yield "AWS KMS has no such operation."
        yield ""


def _request(message: Descriptor, contract: Contract) -> Iterator[str]:
    yield "## Request"
    yield ""
    yield from _message(message, contract, request_table)


def _response(message: Descriptor, contract: Contract) -> Iterator[str]:
    yield "## Response"
    yield ""
    yield from _message(message, contract, response_table)


def _message(message: Descriptor, contract: Contract, table: _Table) -> Iterator[str]:
    yield f"`{message.name}`. {escaped(contract.comment(message.full_name))}"
    yield ""
    if message.fields:
        yield from table(message, contract)
        yield ""


def _key_states(operation: Operation) -> Iterator[str]:
    states = operation.route.key_states
    yield "## Key states"
    yield ""
    if operation.route.accepts is Accepts.NO_KEY and states == ANY_STATE:
        yield "It does not depend on the state of a key."
        yield ""
        return
    yield "| state of the key | |"
    yield "|---|---|"
    for state in KeyState:
        refusal = states.refusal(state, "<key ARN>")
        answer = "works" if refusal is None else f"`{refusal.name}`: `{refusal.message}`"
        yield f"| `{state}` | {answer} |"
    yield ""


def _errors(operation: Operation, contract: Contract) -> Iterator[str]:
    yield "## Errors"
    yield ""
    yield "| exception | status | |"
    yield "|---|---|---|"
    for error in errors_of(operation, contract):
        retry = " The call may be repeated unchanged." if error.retryable else ""
        yield f"| `{error.__name__}` | `{CODES[error.category].name}` | {(error.__doc__ or '').strip()}{retry} |"
    yield ""


def _differences(operation: Operation, differences: list[Difference]) -> Iterator[str]:
    yield "## Differences from AWS KMS"
    yield ""
    about = [one for one in differences if one.is_about(operation.name)]
    for one in about:
        yield f"- [{one.heading}](../differences-from-aws.md#{one.anchor})"
    if about:
        yield ""
    yield "What holds for all operations: [differences from AWS KMS](../differences-from-aws.md)."
    yield ""
