"""The bare grpc.aio server that everything is compared with: it parses each request and answers a message.

No middleware, no checks, no work: what grpc.aio and protobuf cost in Python. Its
answers are as large as the real ones. Reads them as JSON on standard input, by
method; with a database URL, each call also inserts a row by SQLAlchemy Core. Prints its port.
"""

import asyncio
import json
import os
import sys
import uuid
from base64 import b64decode
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from sqlalchemy import Column, LargeBinary, MetaData, Table, Uuid, insert
from sqlalchemy.ext.asyncio import create_async_engine

from keyferry.v1 import key_management_service_pb2

SERVICE = key_management_service_pb2.DESCRIPTOR.services_by_name["KeyManagementService"]
ROW_BYTES = 1280
Before = Callable[[], Awaitable[None]]


async def serve(answers: dict[str, bytes], database_url: str | None) -> None:
    """Serve until it is killed."""
    before = None if database_url is None else await _inserting(database_url)
    server = grpc.aio.server()
    handlers = {
        method.name: _handler(
            GetMessageClass(method.input_type), GetMessageClass(method.output_type), answer, before
        )
        for method in SERVICE.methods
        if (answer := answers.get(method.name)) is not None
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE.full_name, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await server.wait_for_termination()


def _handler(
    request_type: type[Message], response_type: type[Message], answer: bytes, before: Before | None
) -> Any:
    example: Any = response_type.FromString(answer)
    members = {field.name: value for field, value in example.ListFields()}

    async def echo(_: Message, __: Any) -> Message:
        if before is not None:
            await before()
        # Filled member by member, as a real handler does.
        return response_type(**members)

    return grpc.unary_unary_rpc_method_handler(
        echo,
        request_deserializer=request_type.FromString,
        response_serializer=response_type.SerializeToString,
    )


async def _inserting(database_url: str) -> Before:
    metadata = MetaData()
    rows = Table(
        "benchmark_rows",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("content", LargeBinary, nullable=False),
    )
    engine = create_async_engine(database_url, pool_size=5, max_overflow=0)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
    content = os.urandom(ROW_BYTES)

    async def write() -> None:
        async with autocommit.connect() as connection:
            await connection.execute(insert(rows).values(id=uuid.uuid4(), content=content))

    return write


if __name__ == "__main__":
    asked = json.loads(sys.stdin.readline())
    asyncio.run(
        serve({name: b64decode(body) for name, body in asked["answers"].items()}, asked["database_url"])
    )
