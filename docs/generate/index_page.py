"""The index of the reference."""

from collections.abc import Iterator

from contract import Contract
from google.protobuf.descriptor import ServiceDescriptor
from members import escaped

from keyferry_server.transport.calls import SERVICES


def index_page(contract: Contract) -> str:
    """Return the page."""
    lines = [
        "# Reference",
        "",
        "A page for each operation, [the types](types.md) of their members, and [the permissions](permissions.md) with the",
        "condition keys of policies. All of it is made by `make docs` from [the contract](../../protos/keyferry/v1/) and from",
        "the tables that the server itself works by, so that it says what is enforced.",
        "",
    ]
    for service in SERVICES:
        lines += _service(service, contract)
    return "\n".join(lines)


def _service(service: ServiceDescriptor, contract: Contract) -> Iterator[str]:
    yield f"## {service.name}"
    yield ""
    for paragraph in contract.comments[service.file.name].strip().split("\n\n"):
        yield escaped(" ".join(paragraph.split()))
        yield ""
    yield "| operation | |"
    yield "|---|---|"
    for operation in contract.operations:
        if operation.service.name == service.name:
            first, _, _ = contract.comment(operation.full_name).partition(". ")
            yield f"| [{operation.name}]({operation.name}.md) | {escaped(first.rstrip('.'))}. |"
    yield ""
