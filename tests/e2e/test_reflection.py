"""Reflection: a stranger's tool learns the whole contract from the running server."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import grpc
import pytest
from fixtures.server import TestServer
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from keyferry.v1 import constraints_pb2, cryptography_pb2, key_import_pb2, key_lifecycle_pb2, key_pb2
from keyferry.v1.key_management_service_pb2 import DESCRIPTOR

T = TypeVar("T")

FILES = [
    DESCRIPTOR,
    *(
        module.DESCRIPTOR
        for module in (constraints_pb2, cryptography_pb2, key_import_pb2, key_lifecycle_pb2, key_pb2)
    ),
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

    expected = [method.name for method in DESCRIPTOR.services_by_name["KeyManagementService"].methods]
    assert await ask(server, operations) == expected
