from collections.abc import AsyncIterator, Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from unit.client.importer import Importer
from unit.client.small_kms import SmallKms
from unit.client.small_service import SmallService

from keyferry_client import KeyManagementServiceClient


@pytest.fixture
async def service(free_port: Callable[[], int]) -> AsyncIterator[SmallService]:
    """A server without operations yet."""
    service = SmallService(f"127.0.0.1:{free_port()}")
    await service.start()
    yield service
    await service.stop()


@pytest.fixture
async def client(service: SmallService) -> AsyncIterator[KeyManagementServiceClient]:
    async with KeyManagementServiceClient(service.address) as client:
        yield client


@pytest.fixture
def kms(service: SmallService) -> SmallKms:
    """Data keys behind `service`."""
    kms = SmallKms()
    service.serve(**kms.operations)
    return kms


@pytest.fixture
def importer(service: SmallService, private_keys: dict[int, rsa.RSAPrivateKey]) -> Importer:
    """Imports behind `service`."""
    importer = Importer(private_keys[3072])
    service.serve(**importer.operations)
    return importer


@pytest.fixture(scope="session")
def private_keys() -> dict[int, rsa.RSAPrivateKey]:
    """RSA keys by their bits."""
    return {bits: rsa.generate_private_key(65537, bits) for bits in (2048, 3072, 4096)}
