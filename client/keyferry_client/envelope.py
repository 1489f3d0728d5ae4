"""Envelope encryption of files: the service never sees the file, and the key never leaves the service.

Encrypting:

1. Open the source, so that a missing file is told before anything is called.
2. GenerateDataKey under the key and the encryption context.
3. Seal the file chunk by chunk into a new file beside the target (`envelope_format`).
4. Rename that file to the target.

Decrypting goes the same way with Decrypt. Whatever fails or is cancelled before
the rename leaves no file; memory use does not depend on the size of the file.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from keyferry_client.atomic_file import replaced_file
from keyferry_client.client import KeyManagementServiceClient
from keyferry_client.envelope_format import (
    check_data_key,
    encode_context,
    make_header,
    open_chunks,
    read_header,
    seal_chunks,
)

Progress = Callable[[int], None]
"""Told, in a thread, of each further piece that was written, in bytes."""


@dataclass(frozen=True, slots=True)
class FileProtection:
    """What protects a file: the ARN of the key, and the encryption context that is bound to it."""

    key_id: str
    encryption_context: Mapping[str, str]


async def encrypt_file_async(
    client: KeyManagementServiceClient,
    key_id: str,
    source: str | Path,
    target: str | Path,
    encryption_context: Mapping[str, str] | None = None,
    *,
    progress: Progress | None = None,
) -> FileProtection:
    """Encrypt the file `source` into the envelope `target`, under the key `key_id`.

    The encryption context stands readable in the envelope; decryption fails if it
    is changed. The errors of GenerateDataKey, EnvelopeError for a context that does
    not fit in, OSError for the files. Python cannot wipe the data key from memory.
    """
    context = dict(encryption_context or {})
    encode_context(context)
    with await asyncio.to_thread(Path(source).open, "rb") as plain:
        data_key = await client.generate_data_key_async(
            key_id=key_id, encryption_context=context, key_spec="AES_256"
        )
        check_data_key(data_key.plaintext)
        header = make_header(data_key.ciphertext_blob, context)
        await _write(Path(target), seal_chunks(plain, header, data_key.plaintext), progress)
    return FileProtection(data_key.key_id, context)


async def decrypt_file_async(
    client: KeyManagementServiceClient,
    source: str | Path,
    target: str | Path,
    *,
    progress: Progress | None = None,
) -> FileProtection:
    """Decrypt the envelope `source` into the file `target`, and return what protected it.

    The errors of Decrypt, InvalidCiphertextException among them; EnvelopeError if the
    file is no envelope or is damaged; OSError for the files.
    """
    with await asyncio.to_thread(Path(source).open, "rb") as sealed:
        header = await asyncio.to_thread(read_header, sealed)
        data_key = await client.decrypt_async(
            ciphertext_blob=header.encrypted_data_key, encryption_context=header.encryption_context
        )
        check_data_key(data_key.plaintext)
        await _write(Path(target), open_chunks(sealed, header, data_key.plaintext), progress)
    return FileProtection(data_key.key_id, header.encryption_context)


async def _write(target: Path, chunks: Iterable[bytes], progress: Progress | None) -> None:
    """Write `chunks` to `target` in a thread. If cancelled, stop at the next chunk, and end only then."""
    stop = threading.Event()

    def write() -> None:
        with replaced_file(target) as file:
            for chunk in _until(stop.is_set, chunks):
                file.write(chunk)
                if progress is not None:
                    progress(len(chunk))

    writing = asyncio.get_running_loop().run_in_executor(None, write)
    # Whoever was cancelled does not ask how it ended, and asyncio would print that.
    writing.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([writing])
        raise


class _StoppedError(Exception):
    """The caller was cancelled and waits for the file to be removed."""


def _until(is_stopped: Callable[[], bool], chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if is_stopped():
            raise _StoppedError
        yield chunk
