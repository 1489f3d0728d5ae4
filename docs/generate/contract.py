"""Reads the contract: its descriptors as the server has them, and the comments, which only the compiler knows."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from keyferry_server.call import Route
from keyferry_server.routes import ROUTES
from keyferry_server.transport.calls import SERVICES

# Where the compiler puts comments: numbers of fields of FileDescriptorProto and what it holds.
_MESSAGE, _ENUM, _SERVICE, _SYNTAX = 4, 5, 6, 12
_MEMBER = 2


@dataclass(frozen=True)
class Operation:
    """One RPC, and the row that it has in routes.py."""

    name: str
    full_name: str
    service: ServiceDescriptor
    request: Descriptor
    response: Descriptor
    route: Route

    @property
    def is_awss(self) -> bool:
        """Whether AWS KMS has it too."""
        return self.service.name == SERVICES[0].name


@dataclass(frozen=True)
class Contract:
    """All operations, and the comment before each definition by its full name; before a file by its name."""

    operations: tuple[Operation, ...]
    comments: dict[str, str]

    def comment(self, full_name: str) -> str:
        """Return a comment in one line."""
        return " ".join(self.comments[full_name].split())

    def structures(self) -> list[Descriptor]:
        """Return the messages that operations send and answer within theirs, by name."""
        roots = [message for one in self.operations for message in (one.request, one.response)]
        found = {inner.full_name: inner for root in roots for inner in _structures_in(root)}
        return [found[name] for name in sorted(found)]

    def is_sent(self, structure: Descriptor) -> bool:
        """Tell whether a message is part of a request."""
        return any(structure in _structures_in(one.request) for one in self.operations)

    def enums(self) -> list[EnumDescriptor]:
        """Return the enumerations that members have, by name."""
        roots = [message for one in self.operations for message in (one.request, one.response)]
        fields = [field for message in (*roots, *self.structures()) for field in message.fields]
        found = {
            field.enum_type.full_name: field.enum_type for field in fields if field.enum_type is not None
        }
        return [found[name] for name in sorted(found)]


def is_structure(field: FieldDescriptor) -> bool:
    """Tell whether a field holds messages of ours; a map does not."""
    message = field.message_type
    return (
        message is not None
        and message.file.package == SERVICES[0].file.package
        and not message.GetOptions().map_entry
    )


def _structures_in(message: Descriptor) -> Iterator[Descriptor]:
    for field in message.fields:
        if is_structure(field):
            yield field.message_type
            yield from _structures_in(field.message_type)


def read_contract(protos: Path) -> Contract:
    """Return the operations of both services with all comments."""
    routes = {route.name: route for route in ROUTES}
    operations = tuple(
        Operation(
            method.name,
            method.full_name,
            service,
            method.input_type,
            method.output_type,
            routes[method.name],
        )
        for service in SERVICES
        for method in service.methods
    )
    return Contract(operations, dict(_comments(protos)))


def _comments(protos: Path) -> Iterator[tuple[str, str]]:
    for file in _compile(protos).file:
        for location in file.source_code_info.location:
            name = _name_at(file, list(location.path))
            if name is not None:
                yield name, location.leading_comments


def _name_at(file: FileDescriptorProto, path: list[int]) -> str | None:
    """Return the full name of what is defined at a place in a file."""
    match path:
        case [kind] if kind == _SYNTAX:
            return file.name
        case [kind, number] if kind == _MESSAGE:
            names = [file.message_type[number].name]
        case [kind, number, member, index] if (kind, member) == (_MESSAGE, _MEMBER):
            names = [file.message_type[number].name, file.message_type[number].field[index].name]
        case [kind, number] if kind == _ENUM:
            names = [file.enum_type[number].name]
        case [kind, number, member, index] if (kind, member) == (_ENUM, _MEMBER):
            # As in C++, the full name of a value does not hold its enumeration's; here it does.
            names = [file.enum_type[number].name, file.enum_type[number].value[index].name]
        case [kind, number, member, index] if (kind, member) == (_SERVICE, _MEMBER):
            names = [file.service[number].name, file.service[number].method[index].name]
        case _:
            return None
    return ".".join((file.package, *names))


def _compile(protos: Path) -> FileDescriptorSet:
    """Compile every .proto with the pinned compiler, comments included."""
    with tempfile.TemporaryDirectory() as folder:
        described = Path(folder) / "contract"
        uv = Path(sys.executable).with_name("uv")
        compiler = [
            "--with-requirements",
            str(protos / "generator.lock"),
            "python",
            "-m",
            "grpc_tools.protoc",
        ]
        subprocess.run(  # noqa: S603 -- our own contract
            [
                *(uv, "run", "--quiet", "--isolated", "--no-project", *compiler),
                *(f"--proto_path={protos}", f"--descriptor_set_out={described}", "--include_source_info"),
                *sorted(str(path) for path in protos.glob("keyferry/v1/*.proto")),
            ],
            check=True,
        )
        return FileDescriptorSet.FromString(described.read_bytes())
