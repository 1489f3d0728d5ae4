"""TLS, mutual TLS and bearer tokens: what is sent to whom, and what is not."""

import asyncio
import datetime as dt
import ipaddress
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from unit.client.small_service import SmallService, answering
from unit.client.waiting import ANSWER

from keyferry.v1 import DescribeKeyResponse
from keyferry_client import (
    DeadlineExceededError,
    InputError,
    KeyManagementServiceClient,
    RetryPolicy,
    ServiceUnavailableError,
    Tls,
)

NAME = "kms.example"
TOKEN = "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl"


@dataclass(frozen=True)
class Identity:
    """A certificate and its key, in PEM."""

    certificate: bytes
    private_key: bytes


class Authority:
    """Signs certificates."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name.from_rfc4514_string("CN=Test authority")
        self.certificate = self._sign(self._name, self._key, x509.BasicConstraints(ca=True, path_length=0))

    def identity(self, name: str) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName(
            [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        )
        private_key = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Identity(self._sign(x509.Name.from_rfc4514_string(f"CN={name}"), key, names), private_key)

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType
    ) -> bytes:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=1))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(extension, critical=False)
            .sign(self._key, SHA256())
            .public_bytes(Encoding.PEM)
        )


AUTHORITY = Authority()


@dataclass
class Secured:
    """A service behind TLS and what its callers showed."""

    service: SmallService
    seen: list[dict[str, Any]]


@pytest.fixture
async def secured(free_port: Callable[[], int]) -> AsyncIterator[Callable[..., Any]]:
    """Return a function that starts a service with TLS; `mutual` asks the callers for certificates."""
    started: list[SmallService] = []

    async def start(*, mutual: bool = False) -> Secured:
        identity = AUTHORITY.identity(NAME)
        seen: list[dict[str, Any]] = []

        async def describe(_: Any, context: Any) -> DescribeKeyResponse:
            seen.append({"metadata": dict(context.invocation_metadata()), "peer": context.auth_context()})
            return ANSWER

        service = SmallService(f"127.0.0.1:{free_port()}")
        service.serve(DescribeKey=describe)
        await service.start(
            grpc.ssl_server_credentials(
                [(identity.private_key, identity.certificate)],
                AUTHORITY.certificate if mutual else None,
                require_client_auth=mutual,
            )
        )
        started.append(service)
        return Secured(service, seen)

    yield start
    for service in started:
        await service.stop()


def client_of(service: SmallService, **options: Any) -> KeyManagementServiceClient:
    return KeyManagementServiceClient(service.address, retries=RetryPolicy.once(), **options)


async def test_tls_with_the_right_authority_reaches_the_service(secured: Callable[..., Any]) -> None:
    server = await secured()
    for tls in (Tls(AUTHORITY.certificate), Tls(AUTHORITY.certificate, server_name=NAME)):
        async with client_of(server.service, tls=tls) as client:
            assert await client.describe_key_async(key_id="k") == ANSWER


async def test_a_service_of_another_authority_or_name_is_not_called(secured: Callable[..., Any]) -> None:
    server = await secured()
    for tls in (Tls(), Tls(Authority().certificate), Tls(AUTHORITY.certificate, server_name="other.example")):
        async with client_of(server.service, tls=tls) as client:
            with pytest.raises(ServiceUnavailableError):
                await client.describe_key_async(key_id="k")
    assert server.seen == []


async def test_with_mutual_tls_the_service_knows_the_caller(
    secured: Callable[..., Any], tmp_path: Path
) -> None:
    server = await secured(mutual=True)
    payroll = AUTHORITY.identity("payroll")
    for name, content in (
        ("ca", AUTHORITY.certificate),
        ("cert", payroll.certificate),
        ("key", payroll.private_key),
    ):
        (tmp_path / name).write_bytes(content)
    tls = Tls.from_files(
        authorities=tmp_path / "ca", certificate=tmp_path / "cert", private_key=str(tmp_path / "key")
    )
    async with client_of(server.service, tls=tls) as client:
        assert await client.describe_key_async(key_id="k") == ANSWER
    assert server.seen[0]["peer"]["x509_common_name"] == [b"payroll"]
    async with client_of(server.service, tls=Tls(AUTHORITY.certificate)) as client:
        with pytest.raises(ServiceUnavailableError):
            await client.describe_key_async(key_id="k")
    assert len(server.seen) == 1


def test_mutual_tls_needs_both_halves_and_its_key_is_not_shown() -> None:
    with pytest.raises(InputError, match="not one of them"):
        Tls(certificate=b"certificate")
    with pytest.raises(InputError, match="not one of them"):
        Tls(private_key=b"private key")
    assert "private key" not in repr(Tls(certificate=b"certificate", private_key=b"private key"))


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Tls.from_files(authorities=tmp_path / "none")


def test_tls_and_credentials_together_are_refused() -> None:
    with pytest.raises(InputError, match="not both"):
        KeyManagementServiceClient("x:1", tls=Tls(), credentials=grpc.ssl_channel_credentials())


async def test_call_credentials_of_grpc_arrive(secured: Callable[..., Any]) -> None:
    server = await secured()
    credentials = grpc.composite_channel_credentials(
        grpc.ssl_channel_credentials(AUTHORITY.certificate), grpc.access_token_call_credentials(TOKEN)
    )
    async with client_of(server.service, credentials=credentials) as client:
        await client.describe_key_async(key_id="k")
    assert server.seen[0]["metadata"]["authorization"] == f"Bearer {TOKEN}"


async def test_a_bearer_token_is_sent_with_every_call_and_asked_for_each_time(
    secured: Callable[..., Any],
) -> None:
    server = await secured()
    numbers = iter(range(10))

    async def later() -> str:
        await asyncio.sleep(0)
        return f"later-{next(numbers)}\n"

    for token in (TOKEN, lambda: f"function-{next(numbers)}", later):
        async with client_of(server.service, tls=Tls(AUTHORITY.certificate), bearer_token=token) as client:
            for _ in range(2):
                await client.describe_key_async(key_id="k")
    assert [one["metadata"]["authorization"].removeprefix("Bearer ") for one in server.seen] == [
        TOKEN, TOKEN, "function-0", "function-1", "later-2", "later-3",
    ]  # fmt: skip


@pytest.mark.parametrize("address", ["kms.example:8700", "10.0.0.7:8700", "[2001:db8::1]:8700"])
def test_a_bearer_token_is_not_sent_in_the_clear(address: str) -> None:
    with pytest.raises(InputError, match="without TLS") as caught:
        KeyManagementServiceClient(["127.0.0.1:1", address], bearer_token=TOKEN)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("address", ["localhost:8700", "127.0.0.1:8700", "[::1]:8700"])
def test_a_bearer_token_may_stay_on_this_machine_in_the_clear(address: str) -> None:
    KeyManagementServiceClient(address, bearer_token=TOKEN)


@pytest.mark.parametrize("token", ["", " \n", "two words", "secret-ä", "line\r\nbreak", "\x7f"], ids=repr)
async def test_what_is_no_token_is_refused_without_showing_it(token: str, service: SmallService) -> None:
    service.serve(DescribeKey=answering(ANSWER))
    async with client_of(service, bearer_token=token) as client:
        with pytest.raises(InputError, match="bearer token") as caught:
            await client.describe_key_async(key_id="k")
    assert not token.strip() or token not in str(caught.value)


async def test_waiting_for_a_token_is_part_of_the_deadline(service: SmallService) -> None:
    service.serve(DescribeKey=answering(ANSWER))

    async def never() -> str:
        await asyncio.Event().wait()
        return TOKEN

    async with client_of(service, bearer_token=never) as client:
        with pytest.raises(DeadlineExceededError, match="no bearer token"):
            await client.describe_key_async(key_id="k", timeout=0.1)
