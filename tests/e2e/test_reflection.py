"""Reflection: a stranger's tool learns the whole contract from the running server."""

import asyncio
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import grpc
import pytest
from fixtures.server import TestServer
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

import keyferry.v1
from keyferry_server.transport.calls import SERVICES

T = TypeVar("T")

FILES = [
    importlib.import_module(f"keyferry.v1.{path.stem}_pb2").DESCRIPTOR
    for path in sorted(Path(keyferry.v1.__file__).parent.glob("*.proto"))
]


@contextmanager
def reflected(address: str) -> Iterator[ProtoReflectionDescriptorDatabase]:
    with grpc.insecure_channel(address) as channel:
        yield ProtoReflectionDescriptorDatabase(channel)


async def ask(server: TestServer, question: Callable[[ProtoReflectionDescriptorDatabase], T]) -> T:
    """Ask from a thread: the database of reflection is synchronous, and the server is in our loop."""

    def answer() -> T:
        with reflected(server.address) as database:
            return question(database)

    return await asyncio.to_thread(answer)


async def test_reflection_lists_the_services(server: TestServer) -> None:
    assert set(await ask(server, lambda database: database.get_services())) == {
        "keyferry.v1.KeyManagementService",
        "keyferry.v1.KeyferryService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
async def test_reflection_gives_each_file_of_the_contract_as_it_is(server: TestServer, file: object) -> None:
    given = await ask(server, lambda database: database.FindFileByName(file.name))
    expected = FileDescriptorProto()
    file.CopyToProto(expected)
    assert given == expected


async def test_a_stranger_finds_every_operation_by_reflection_alone(server: TestServer) -> None:
    def operations(database: ProtoReflectionDescriptorDatabase) -> list[str]:
        service = DescriptorPool(database).FindServiceByName("keyferry.v1.KeyManagementService")
        return [method.name for method in service.methods]

    expected = [method.name for method in SERVICES[0].methods]
    assert await ask(server, operations) == expected
