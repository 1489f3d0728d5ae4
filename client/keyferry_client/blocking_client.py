"""The client for threads without an event loop: the same operations, which return when they are done."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import grpc

from keyferry_client.blocking_calls import blocking
from keyferry_client.blocking_operations import BlockingOperations
from keyferry_client.client import (
    DEFAULT_KEEPALIVE_SECONDS,
    DEFAULT_TIMEOUT_SECONDS,
    KeyManagementServiceClient,
)
from keyferry_client.credentials import BearerToken, Tls
from keyferry_client.importing import ImportingOperations
from keyferry_client.loop_thread import OtherLoop, loop_of_the_process
from keyferry_client.retries import RetryPolicy
from keyferry_client.task import Task


class BlockingKeyManagementServiceClient(BlockingOperations):
    """Calls the key management service, and waits; for any number of threads at once.

    ::

        with BlockingKeyManagementServiceClient("127.0.0.1:8700") as client:
            response = client.describe_key(key_id=key_id)

    It takes what KeyManagementServiceClient takes, and is that client, in an event loop
    in a thread that all such clients of a process share. Ctrl-C while it waits cancels the call. For old
    callers there are `begin_<operation>` and `end_<operation>` too.
    """

    import_key = blocking(ImportingOperations.import_key_async)

    def __init__(
        self,
        address: str | Sequence[str],
        *,
        tls: Tls | None = None,
        bearer_token: BearerToken | None = None,
        region: str | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        retries: RetryPolicy = RetryPolicy(),  # noqa: B008 -- it cannot change
        keepalive_seconds: float | None = DEFAULT_KEEPALIVE_SECONDS,
    ) -> None:
        client = KeyManagementServiceClient(
            address,
            tls=tls,
            bearer_token=bearer_token,
            region=region,
            credentials=credentials,
            timeout=timeout,
            retries=retries,
            keepalive_seconds=keepalive_seconds,
        )
        self._open(client, loop_of_the_process(), is_shared=False)

    @classmethod
    def sharing(cls, client: KeyManagementServiceClient) -> Self:
        """Return a facade over `client` for other threads. Call this in the event loop that `client` belongs to."""
        facade = cls.__new__(cls)
        facade._open(client, OtherLoop(asyncio.get_running_loop()), is_shared=True)  # noqa: SLF001 -- its other constructor
        return facade

    def _open(self, client: KeyManagementServiceClient, loop: OtherLoop, *, is_shared: bool) -> None:
        super().__init__(client, loop)
        self._client = client
        self._is_shared = is_shared

    def close(self) -> None:
        """Close the client; running calls end with ClientClosedError. A shared client stays open."""
        if not self._is_shared:
            self._wait(lambda _: Task(self._client.close()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
