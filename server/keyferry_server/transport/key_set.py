"""Fetches the token issuer's key set, over HTTPS or from a file."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2

from keyferry_server.authn.token_keys import TokenKeysError

_LARGEST_BYTES = 1024 * 1024
_TIMEOUT_SECONDS = 5.0


def key_set_from_file(file: Path) -> Callable[[], Awaitable[str]]:
    """Return what reads the key set from a file; TokenKeysError if it cannot be read."""

    async def fetch() -> str:
        try:
            return await asyncio.to_thread(file.read_text, encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise TokenKeysError(f"the key set {file} cannot be read: {error}") from None

    return fetch


def key_set_from_url(url: str) -> Callable[[], Awaitable[str]]:
    """Return what fetches the key set; TokenKeysError if that fails.

    Redirections are not followed: they would let whoever controls the way choose the keys.
    """
    # The system's certificates, or those that SSL_CERT_FILE names.
    verified = ssl.create_default_context()

    async def fetch() -> str:
        try:
            async with (
                asyncio.timeout(_TIMEOUT_SECONDS),
                httpx2.AsyncClient(verify=verified, timeout=_TIMEOUT_SECONDS) as client,
                client.stream("GET", url, headers={"accept": "application/json"}) as response,
            ):
                if response.status_code != httpx2.codes.OK:
                    raise TokenKeysError(f"{url} answers {response.status_code}")
                content = b""
                async for part in response.aiter_bytes():
                    content += part
                    if len(content) > _LARGEST_BYTES:
                        raise TokenKeysError(f"{url} answers with more than {_LARGEST_BYTES} bytes")
                return content.decode()
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeDecodeError) as error:
            raise TokenKeysError(
                f"{url} cannot be fetched: {type(error).__name__} {error}".rstrip()
            ) from None

    return fetch
