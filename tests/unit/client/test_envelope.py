import asyncio
import gc
import io
import os
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from unit.client.small_kms import KEY_ARN, SmallKms
from unit.client.small_service import SmallService, answering, refusing

from keyferry.v1 import DecryptResponse, GenerateDataKeyResponse
from keyferry_client import (
    EnvelopeError,
    InvalidCiphertextException,
    KeyManagementServiceClient,
    KMSInvalidStateException,
    ServiceUnavailableError,
    decrypt_file_async,
    encrypt_file_async,
)
from keyferry_client.envelope_format import (
    CHUNK_BYTES,
    TAG_BYTES,
    make_header,
    open_chunks,
    read_header,
    seal_chunks,
)

CONTEXT = {"purpose": "payroll", "naïve": "ключ"}
SEALED_CHUNK = CHUNK_BYTES + TAG_BYTES
# Made by this client in its first release, with the data key 00 01 02 ... 1f.
KEPT_ENVELOPE = (
    "4b45594645525259010012656e637279707465642064617461206b657900097b2261223a2231227d7eb3cf8841"
    "6fc1a67de15c7a84e02b53d25692a2"
)
THREE_CHUNKS = os.urandom(2 * CHUNK_BYTES + 1000)


class Envelope:
    """A file of three chunks in its envelope, the parts of which a test may change."""

    def __init__(self, folder: Path, client: KeyManagementServiceClient) -> None:
        self._client = client
        self.plain, self.sealed, self.opened = folder / "plain", folder / "sealed", folder / "opened"

    async def seal(self, content: bytes, context: dict[str, str] | None = None) -> None:
        self.plain.write_bytes(content)
        await encrypt_file_async(self._client, KEY_ARN, self.plain, self.sealed, context)

    @property
    def header(self) -> bytes:
        with self.sealed.open("rb") as file:
            return read_header(file).encoded

    @property
    def chunks(self) -> list[bytes]:
        payload = self.sealed.read_bytes()[len(self.header) :]
        return [payload[start : start + SEALED_CHUNK] for start in range(0, len(payload), SEALED_CHUNK)]

    async def open(self, content: bytes | None = None) -> bytes:
        """Decrypt the envelope, or `content` instead, and return the plaintext."""
        if content is not None:
            self.sealed.write_bytes(content)
        await decrypt_file_async(self._client, self.sealed, self.opened)
        return self.opened.read_bytes()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def envelope(tmp_path: Path, kms: SmallKms, client: KeyManagementServiceClient) -> Envelope:
    return Envelope(tmp_path, client)


@pytest.mark.parametrize(
    "length",
    [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 5 * CHUNK_BYTES + 17],
)
async def test_a_file_of_any_length_comes_back(length: int, envelope: Envelope) -> None:
    content = os.urandom(length)
    await envelope.seal(content, CONTEXT)
    assert await envelope.open() == content
    chunk_count = max(1, -(-length // CHUNK_BYTES))
    assert envelope.sealed.stat().st_size == len(envelope.header) + length + chunk_count * TAG_BYTES


async def test_both_ways_tell_what_protects_the_file(
    tmp_path: Path, kms: SmallKms, client: KeyManagementServiceClient
) -> None:
    plain, sealed = tmp_path / "plain", str(tmp_path / "sealed")
    plain.write_bytes(b"text")
    made = await encrypt_file_async(client, "the key", plain, sealed, CONTEXT)
    found = await decrypt_file_async(client, sealed, tmp_path / "opened")
    assert made == found
    assert (found.key_id, found.encryption_context) == (KEY_ARN, CONTEXT)
    assert kms.requests[0].key_id == "the key"


async def test_every_file_has_a_data_key_of_its_own(envelope: Envelope, kms: SmallKms) -> None:
    await envelope.seal(b"text")
    first = envelope.chunks
    await envelope.seal(b"text")
    assert first != envelope.chunks
    assert len(set(kms.data_keys)) == 2


async def test_the_layout_is_the_documented_one(envelope: Envelope) -> None:
    await envelope.seal(THREE_CHUNKS, {"b": "2", "a": "1"})
    content = envelope.sealed.read_bytes()
    assert content.startswith(b"KEYFERRY\x01")
    (key_length,) = struct.unpack_from(">H", content, 9)
    context_at = 11 + key_length
    assert content[context_at:].startswith(b'\x00\x11{"a":"1","b":"2"}')
    assert len(envelope.header) == context_at + 2 + 17
    assert [len(chunk) for chunk in envelope.chunks] == [SEALED_CHUNK, SEALED_CHUNK, 1000 + TAG_BYTES]


def test_an_envelope_of_format_1_keeps_opening() -> None:
    header = make_header(b"encrypted data key", {"a": "1"})
    kept = bytes.fromhex(KEPT_ENVELOPE)
    assert b"".join(seal_chunks(io.BytesIO(b"kept"), header, bytes(range(32)))) == kept
    stream = io.BytesIO(kept)
    assert b"".join(open_chunks(stream, read_header(stream), bytes(range(32)))) == b"kept"


@pytest.mark.parametrize("content", [b"", b"short", THREE_CHUNKS])
async def test_one_flipped_bit_anywhere_is_found(content: bytes, envelope: Envelope) -> None:
    await envelope.seal(content, CONTEXT)
    sealed = envelope.sealed.read_bytes()
    header_end = len(envelope.header)
    chunk_edges = [header_end + number * SEALED_CHUNK for number in range(len(envelope.chunks))]
    places = {*range(header_end), *chunk_edges, *(edge - 1 for edge in chunk_edges), len(sealed) - 1}
    places |= {edge + 40 for edge in chunk_edges if edge + 40 < len(sealed)}
    for place in sorted(places):
        damaged = bytearray(sealed)
        damaged[place] ^= 1 << (place % 8)
        with pytest.raises((EnvelopeError, InvalidCiphertextException)):
            await envelope.open(bytes(damaged))
        assert not envelope.opened.exists()


@pytest.mark.parametrize("content", [b"", b"short", bytes(CHUNK_BYTES), THREE_CHUNKS])
async def test_a_file_that_was_cut_short_is_found_wherever_it_ends(
    content: bytes, envelope: Envelope
) -> None:
    await envelope.seal(content, CONTEXT)
    sealed = envelope.sealed.read_bytes()
    header_end = len(envelope.header)
    edges = range(header_end, len(sealed), SEALED_CHUNK)
    ends = {
        *range(0, header_end, 7),
        *edges,
        *(edge + 1 for edge in edges),
        *(edge + TAG_BYTES for edge in edges),
    }
    for end in sorted({*ends, len(sealed) - 1} - {len(sealed)}):
        with pytest.raises(EnvelopeError):
            await envelope.open(sealed[:end])
        assert not envelope.opened.exists()


async def test_chunks_that_were_moved_repeated_left_out_or_added_are_found(envelope: Envelope) -> None:
    await envelope.seal(THREE_CHUNKS)
    header, (first, second, last) = envelope.header, envelope.chunks
    await envelope.seal(THREE_CHUNKS)
    (foreign, _, foreign_last) = envelope.chunks
    for chunks in (
        (second, first, last),
        (first, first, last),
        (second, last),
        (first, last),
        (first, second),
        (last,),
        (first, second, last, last),
        (first, second, last + b"x"),
        (first, second, second, last),
        (foreign, second, last),
        (first, second, foreign_last),
        (),
    ):
        with pytest.raises(EnvelopeError):
            await envelope.open(header + b"".join(chunks))
    assert await envelope.open(header + first + second + last) == THREE_CHUNKS


async def test_another_encryption_context_does_not_open_it(envelope: Envelope) -> None:
    await envelope.seal(b"text", {"purpose": "payroll"})
    sealed = envelope.sealed.read_bytes()
    with pytest.raises(InvalidCiphertextException):
        await envelope.open(sealed.replace(b"payroll", b"payrolL"))
    assert not envelope.opened.exists()


async def test_a_data_key_with_the_header_of_another_file_does_not_open_it(
    envelope: Envelope, kms: SmallKms
) -> None:
    await envelope.seal(b"text", {"purpose": "payroll"})
    stream = io.BytesIO(envelope.sealed.read_bytes())
    header = read_header(stream)
    other = make_header(header.encrypted_data_key, {"purpose": "another"})
    with pytest.raises(EnvelopeError):
        list(open_chunks(stream, other, kms.data_keys[0]))


@pytest.mark.parametrize(
    "context",
    [
        b'{"b":"2","a":"1"}',
        b'{"a": "1","b":"2"}',
        b'{"a":"0","a":"1","b":"2"}',
        b'{"\\u0061":"1","b":"2"}',
        b'{"a":1,"b":"2"}',
        b'{"a":"\\ud800"}',
        b'["a"]',
        b'"a"',
        b"null",
        b"{",
        b"",
        b"\xff",
        b"[" * 60_000,
    ],
)
async def test_a_context_in_any_other_spelling_is_refused(context: bytes, envelope: Envelope) -> None:
    await envelope.seal(b"text", {"a": "1", "b": "2"})
    canonical = b'\x00\x11{"a":"1","b":"2"}'
    sealed = envelope.sealed.read_bytes()
    assert canonical in sealed
    with pytest.raises(EnvelopeError):
        await envelope.open(sealed.replace(canonical, struct.pack(">H", len(context)) + context))


async def test_a_file_that_is_no_envelope_is_refused_without_a_call(
    envelope: Envelope, kms: SmallKms
) -> None:
    for content in (b"", b"KEY", b"-----BEGIN PGP MESSAGE-----", bytes(100)):
        with pytest.raises(EnvelopeError, match="not a Keyferry envelope"):
            await envelope.open(content)
    with pytest.raises(EnvelopeError, match="format 2; this client reads format 1"):
        await envelope.open(b"KEYFERRY\x02" + bytes(100))
    assert kms.requests == []


async def test_a_context_that_does_not_fit_in_is_refused_without_a_call(
    envelope: Envelope, kms: SmallKms
) -> None:
    for context in ({"a": "x" * 70_000}, {"a": "\ud800"}):
        with pytest.raises(EnvelopeError, match="encryption context"):
            await envelope.seal(b"text", context)
    assert kms.requests == []
    assert not envelope.sealed.exists()


@pytest.mark.parametrize("length", [0, 16, 24, 64])
async def test_a_data_key_of_the_wrong_length_is_not_used(
    length: int, tmp_path: Path, service: SmallService, client: KeyManagementServiceClient
) -> None:
    data_key = bytes(length)
    service.serve(
        GenerateDataKey=answering(GenerateDataKeyResponse(plaintext=data_key, ciphertext_blob=b"encrypted")),
        Decrypt=answering(DecryptResponse(plaintext=data_key)),
    )
    plain, sealed = tmp_path / "plain", tmp_path / "sealed"
    plain.write_bytes(b"text")
    with pytest.raises(EnvelopeError, match="data key"):
        await encrypt_file_async(client, KEY_ARN, plain, sealed)
    sealed.write_bytes(make_header(b"encrypted", {}).encoded + bytes(TAG_BYTES))
    with pytest.raises(EnvelopeError, match="data key"):
        await decrypt_file_async(client, sealed, tmp_path / "opened")


async def test_a_missing_source_is_told_before_anything_is_called(
    tmp_path: Path, kms: SmallKms, client: KeyManagementServiceClient
) -> None:
    with pytest.raises(FileNotFoundError):
        await encrypt_file_async(client, KEY_ARN, tmp_path / "none", tmp_path / "sealed")
    with pytest.raises(FileNotFoundError):
        await decrypt_file_async(client, tmp_path / "none", tmp_path / "opened")
    assert kms.requests == []
    assert names(tmp_path) == []


async def test_a_refused_call_leaves_the_target_as_it_was(
    tmp_path: Path, service: SmallService, client: KeyManagementServiceClient
) -> None:
    service.serve(
        GenerateDataKey=refusing(
            "KMSInvalidStateException", grpc.StatusCode.FAILED_PRECONDITION, "pending import"
        )
    )
    plain, target = tmp_path / "plain", tmp_path / "target"
    plain.write_bytes(b"text")
    target.write_bytes(b"before")
    with pytest.raises(KMSInvalidStateException):
        await encrypt_file_async(client, KEY_ARN, plain, target)
    assert target.read_bytes() == b"before"
    assert names(tmp_path) == ["plain", "target"]


async def test_a_damaged_end_leaves_the_target_as_it_was(envelope: Envelope, tmp_path: Path) -> None:
    await envelope.seal(THREE_CHUNKS)
    envelope.opened.write_bytes(b"before")
    with pytest.raises(EnvelopeError):
        await envelope.open(envelope.sealed.read_bytes()[:-1])
    assert envelope.opened.read_bytes() == b"before"
    assert names(tmp_path) == ["opened", "plain", "sealed"]


async def test_an_unreachable_service_leaves_nothing(tmp_path: Path, free_port: Callable[[], int]) -> None:
    (tmp_path / "plain").write_bytes(b"text")
    async with KeyManagementServiceClient(f"127.0.0.1:{free_port()}") as client:
        with pytest.raises(ServiceUnavailableError):
            await encrypt_file_async(client, KEY_ARN, tmp_path / "plain", tmp_path / "sealed")
    assert names(tmp_path) == ["plain"]


async def test_cancelling_in_the_middle_of_a_file_leaves_nothing(
    tmp_path: Path, kms: SmallKms, client: KeyManagementServiceClient
) -> None:
    # The source is a pipe, so that the test decides when the file goes on.
    source, target = tmp_path / "source", tmp_path / "target"
    os.mkfifo(source)
    goes_on = threading.Event()
    is_flowing = asyncio.Event()
    loop = asyncio.get_running_loop()
    complaints: list[object] = []
    loop.set_exception_handler(lambda _, complaint: complaints.append(complaint))

    def feed() -> None:
        with source.open("wb") as pipe:
            pipe.write(bytes(3 * CHUNK_BYTES))
            pipe.flush()
            loop.call_soon_threadsafe(is_flowing.set)
            goes_on.wait(30)
            pipe.write(bytes(3 * CHUNK_BYTES))

    feeding = asyncio.create_task(asyncio.to_thread(feed))
    task = asyncio.create_task(encrypt_file_async(client, KEY_ARN, source, target))
    await is_flowing.wait()
    task.cancel()
    await asyncio.sleep(0)
    goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert names(tmp_path) == ["source"]
    with pytest.raises(BrokenPipeError):
        await feeding
    del task
    gc.collect()
    assert complaints == []


async def test_a_file_larger_than_memory_should_hold_streams(
    tmp_path: Path, kms: SmallKms, client: KeyManagementServiceClient
) -> None:
    import tracemalloc

    plain, sealed, opened = tmp_path / "plain", tmp_path / "sealed", tmp_path / "opened"
    with plain.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    tracemalloc.start()
    try:
        await encrypt_file_async(client, KEY_ARN, plain, sealed)
        await decrypt_file_async(client, sealed, opened)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert opened.stat().st_size == plain.stat().st_size
    assert peak < 4 * 1024 * 1024


async def test_a_file_can_be_encrypted_in_its_own_place(
    tmp_path: Path, kms: SmallKms, client: KeyManagementServiceClient
) -> None:
    path = tmp_path / "file"
    path.write_bytes(THREE_CHUNKS)
    await encrypt_file_async(client, KEY_ARN, path, path)
    assert path.read_bytes().startswith(b"KEYFERRY")
    await decrypt_file_async(client, path, path)
    assert path.read_bytes() == THREE_CHUNKS
