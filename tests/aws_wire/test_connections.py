"""Connections to AWS's wire: kept between requests, cut off when they dawdle, drained when the server stops."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import pytest
from contract.beneath import select
from fixtures.aws import post
from fixtures.server import ServerFactory, TestServer

PATIENCE_SECONDS = 20


@dataclass
class Connection:
    """A connection over which a test writes what it likes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self) -> tuple[int, bytes]:
        """Read one answer."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
            return int(head.split(b" ")[1]), await self.reader.readexactly(length)

    async def rest(self) -> bytes:
        """Read until the server closes the connection."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""

    def close(self) -> None:
        self.writer.close()


@asynccontextmanager
async def connected(server: TestServer) -> AsyncIterator[Connection]:
    host, port = server.running.aws_address.split(":")
    connection = Connection(*await asyncio.open_connection(host, int(port)))
    try:
        yield connection
    finally:
        connection.close()


def request(operation: str = "ListKeys", *extra: str, **members: object) -> bytes:
    body = json.dumps(members)
    headers = (f"X-Amz-Target: TrentService.{operation}", f"Content-Length: {len(body)}", *extra)
    return "\r\n".join(("POST / HTTP/1.1", "Host: localhost", *headers, "", body)).encode()


@pytest.fixture
def start_aws_server(start_server: ServerFactory, free_port: Callable[[], int]) -> ServerFactory:
    async def start(**settings: object) -> TestServer:
        return await start_server(aws_listen=f"127.0.0.1:{free_port()}", **settings)

    return start


@pytest.fixture
async def held_key(
    aws_server: TestServer, database_url: str
) -> AsyncIterator[tuple[str, asyncpg.Connection]]:
    """A key whose writers all have to wait until the test gives up the lock."""
    created = await post(aws_server, target="TrentService.CreateKey")
    key_id = created.json["KeyMetadata"]["KeyId"]
    connection = await asyncpg.connect(database_url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("SELECT FROM keys WHERE key_id = $1 FOR UPDATE", key_id)
        yield key_id, connection
    finally:
        await connection.close()


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await is_so():  # noqa: ASYNC110 -- Postgres does not announce it
            await asyncio.sleep(0.01)


def waiting_for(holder: asyncpg.Connection, number: int) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        query = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
        return bool(await holder.fetchval(query, holder.get_server_pid()) == number)

    return ask


async def test_one_connection_carries_many_requests_also_after_a_refusal(aws_server: TestServer) -> None:
    async with connected(aws_server) as connection:
        for operation, status in (
            ("ListKeys", 200),
            ("ReadMind", 400),
            ("DescribeKey", 400),
            ("CreateKey", 200),
        ):
            connection.send(request(operation))
            assert (await connection.answer())[0] == status


async def test_requests_that_come_at_once_are_answered_in_their_order(aws_server: TestServer) -> None:
    async with connected(aws_server) as connection:
        connection.send(request("CreateKey") + request("ReadMind") + request("ListKeys"))
        answers = [await connection.answer() for _ in range(3)]
    assert [status for status, _ in answers] == [200, 400, 200]
    assert len(json.loads(answers[2][1])["Keys"]) == 1


async def test_a_body_may_come_in_pieces_and_be_waited_for(aws_server: TestServer) -> None:
    async with connected(aws_server) as connection:
        connection.send(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: TrentService.ListKeys\r\n"
            b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
        )
        assert (await connection.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        for piece in (b'{"Lim', b'it":5', b"}"):
            connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        connection.send(b"0\r\n\r\n")
        assert (await connection.answer())[0] == 200


SLOW: dict[str, bytes] = {
    "nothing": b"",
    "half a request line": b"POST / HT",
    "endless blank lines": b"\r\n\r\n",
    "headers without an end": b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "half a body": request(Description="d" * 99)[:-50],
    "a chunk without an end": b"POST / HTTP/1.1\r\nX-Amz-Target: TrentService.ListKeys\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nff\r\n{",
    "half of the next request": request("ListKeys") + b"POST",
}


async def test_a_request_that_does_not_arrive_in_time_is_cut_off(
    start_aws_server: ServerFactory, subtests: pytest.Subtests
) -> None:
    server = await start_aws_server(http_receive_timeout_seconds=0.3)
    for what, data in SLOW.items():
        with subtests.test(what):
            async with connected(server) as connection:
                connection.send(data)
                rest = await connection.rest()
                assert rest.count(b"HTTP/1.1 ") == data.count(b"TrentService.ListKeys\r\nContent-Length: 2")
    assert (await post(server)).status == 200


async def test_a_call_may_take_longer_than_its_request_may_take_to_arrive(
    start_aws_server: ServerFactory,
) -> None:
    server = await start_aws_server(http_receive_timeout_seconds=0.05)
    created = await post(server, target="TrentService.CreateKey", body=b'{"Origin":"EXTERNAL"}')
    members = {
        "KeyId": created.json["KeyMetadata"]["KeyId"],
        "WrappingAlgorithm": "RSAES_OAEP_SHA_256",
        "WrappingKeySpec": "RSA_4096",
    }
    # Two on one connection: the second waits for the first longer than it had to arrive.
    async with connected(server) as connection:
        connection.send(request("GetParametersForImport", **members) * 2)
        assert [(await connection.answer())[0] for _ in range(2)] == [200, 200]


async def test_headers_without_end_are_cut_off_whatever_their_form(
    aws_server: TestServer, subtests: pytest.Subtests
) -> None:
    endless = {
        "one value": b"X: " + b"x" * 400_000,
        "one name": b"x" * 400_000,
        "many headers": b"X: x\r\n" * 80_000,
    }
    for what, headers in endless.items():
        with subtests.test(what):
            async with connected(aws_server) as connection:
                connection.send(b"POST / HTTP/1.1\r\n" + headers)
                assert b" 400 " in (await connection.rest() or b" 400 ")
    assert (await post(aws_server)).status == 200


async def test_what_is_not_http_is_refused_and_closed(
    aws_server: TestServer, subtests: pytest.Subtests
) -> None:
    for data in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT example.org:443 HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    ):
        with subtests.test(repr(data[:20])):
            async with connected(aws_server) as connection:
                connection.send(data)
                connection.writer.write_eof()
                assert b" 500 " not in await connection.rest()
    assert (await post(aws_server)).status == 200


async def test_a_caller_that_goes_away_cancels_its_call_and_nothing_has_changed(
    aws_server: TestServer, held_key: tuple[str, asyncpg.Connection]
) -> None:
    key_id, holder = held_key
    async with connected(aws_server) as connection:
        connection.send(request("DisableKey", KeyId=key_id))
        await until(waiting_for(holder, 1))
    await until(waiting_for(holder, 0))
    await holder.execute("COMMIT")

    (row,) = await select(aws_server, "SELECT enabled FROM keys WHERE key_id = :key_id", key_id=key_id)
    assert row.enabled
    # The connection's own end is over when the log of calls has it.
    assert (await post(aws_server)).status == 200


async def test_a_running_call_is_answered_while_the_server_stops_and_no_new_one_is_taken(
    start_aws_server: ServerFactory, database_url: str
) -> None:
    server = await start_aws_server(drain_seconds=PATIENCE_SECONDS)
    key_id = (await post(server, target="TrentService.CreateKey")).json["KeyMetadata"]["KeyId"]
    holder = await asyncpg.connect(database_url)
    async with connected(server) as busy, connected(server) as idle:
        async with holder.transaction():
            await holder.execute("SELECT FROM keys WHERE key_id = $1 FOR UPDATE", key_id)
            busy.send(request("DisableKey", KeyId=key_id))
            await until(waiting_for(holder, 1))
            stopping = asyncio.create_task(server.stop())
            assert await idle.rest() == b""
            with pytest.raises(OSError):  # noqa: PT011 -- refused or reset, as the system likes
                await asyncio.open_connection(*server.running.aws_address.split(":"))
        assert (await busy.answer())[0] == 200
        assert await busy.rest() == b""
        await stopping
    assert await holder.fetchval("SELECT enabled FROM keys WHERE key_id = $1", key_id) is False
    await holder.close()


async def test_a_call_that_outlasts_the_drain_is_told_to_try_elsewhere_and_changes_nothing(
    start_aws_server: ServerFactory, database_url: str
) -> None:
    server = await start_aws_server(drain_seconds=0.2)
    key_id = (await post(server, target="TrentService.CreateKey")).json["KeyMetadata"]["KeyId"]
    holder = await asyncpg.connect(database_url)
    async with connected(server) as connection, holder.transaction():
        await holder.execute("SELECT FROM keys WHERE key_id = $1 FOR UPDATE", key_id)
        connection.send(request("DisableKey", KeyId=key_id))
        await until(waiting_for(holder, 1))
        stopping = asyncio.create_task(server.stop())
        status, body = await connection.answer()
        await stopping
    assert (status, json.loads(body)["__type"]) == (500, "DependencyTimeoutException")
    assert await holder.fetchval("SELECT enabled FROM keys WHERE key_id = $1", key_id) is True
    await holder.close()


async def test_a_connection_that_reads_nothing_does_not_hold_up_the_end(
    start_aws_server: ServerFactory,
) -> None:
    server = await start_aws_server(drain_seconds=0.1)
    async with connected(server) as connection:
        connection.send(request("ListKeys")[:40])
        await connection.writer.drain()
        await server.stop()
        assert await connection.rest() == b""
