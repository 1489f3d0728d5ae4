"""Metrics: how many calls, how they ended, how long they took; never which keys."""

from collections.abc import AsyncIterator

import pytest
from e2e.callers_view import http_get, plain_stub
from fixtures.server import ServerFactory, TestServer
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from steps import create_external_key, create_imported_key, describe, import_material

from keyferry.v1 import EncryptRequest
from keyferry.v1.key_management_service_pb2 import DESCRIPTOR
from keyferry_client import IncorrectKeyMaterialException, KeyManagementServiceClient, NotFoundException

OPERATIONS = {method.name for method in DESCRIPTOR.services_by_name["KeyManagementService"].methods}
NO_KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.fixture
async def server(start_server: ServerFactory) -> TestServer:
    return await start_server(metrics_listen="127.0.0.1:0")


@pytest.fixture
async def client(server: TestServer) -> AsyncIterator[KeyManagementServiceClient]:
    async with server.client() as client:
        yield client


async def scraped(server: TestServer) -> dict[str, Metric]:
    status, body = await http_get(server.running.metrics_address, "/metrics")
    assert status == 200
    return {metric.name: metric for metric in text_string_to_metric_families(body)}


def value(metric: Metric, sample: str, **labels: str) -> float:
    return sum(
        one.value for one in metric.samples if one.name == sample and labels.items() <= one.labels.items()
    )


async def test_calls_are_counted_by_operation_and_outcome(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    for _ in range(3):
        await create_external_key(client)
    for _ in range(2):
        with pytest.raises(NotFoundException):
            await describe(client, NO_KEY)
    calls = (await scraped(server))["keyferry_calls"]
    total = "keyferry_calls_total"
    assert value(calls, total, operation="CreateKey", outcome="ok") == 3
    assert value(calls, total, operation="DescribeKey", outcome="NotFoundException") == 2
    assert value(calls, total) == 5


async def test_the_duration_of_calls_is_a_histogram_by_operation(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    for _ in range(3):
        await create_external_key(client)
    duration = (await scraped(server))["keyferry_call_duration_seconds"]
    name = "keyferry_call_duration_seconds"
    assert value(duration, f"{name}_count", operation="CreateKey") == 3
    assert value(duration, f"{name}_bucket", operation="CreateKey", le="+Inf") == 3
    assert 0 < value(duration, f"{name}_sum", operation="CreateKey") < 30
    assert value(duration, f"{name}_bucket", operation="CreateKey", le="0.0005") <= 3


async def test_the_level_of_the_wrapping_key_pool_is_a_gauge_by_spec(server: TestServer) -> None:
    level = (await scraped(server))["keyferry_wrapping_key_pool_level"]
    assert {sample.labels["spec"]: sample.value for sample in level.samples} == {
        "RSA_2048": 0,
        "RSA_3072": 0,
        "RSA_4096": 0,
    }


async def test_metrics_tell_about_the_process_too(server: TestServer) -> None:
    metrics = await scraped(server)
    assert {"process_resident_memory_bytes", "python_info"} <= metrics.keys()


async def test_no_label_names_a_key_a_caller_or_anything_that_callers_choose(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_imported_key(client)
    await client.encrypt_async(
        EncryptRequest(key_id=key_id, plaintext=b"plain", encryption_context={"tenant": "distinctive"})
    )
    with pytest.raises(IncorrectKeyMaterialException):
        await import_material(client, key_id, bytes(32))
    with pytest.raises(NotFoundException):
        await describe(client, "a-distinctive-name")
    metrics = await scraped(server)
    ours = [
        sample for name, metric in metrics.items() if name.startswith("keyferry") for sample in metric.samples
    ]
    assert {label for sample in ours for label in sample.labels} == {"operation", "outcome", "le", "spec"}
    assert {sample.labels["operation"] for sample in ours if "operation" in sample.labels} <= OPERATIONS
    _, body = await http_get(server.running.metrics_address, "/metrics")
    for told in (key_id, "distinctive", "tenant", "arn:"):
        assert told not in body


async def test_a_call_of_an_unknown_operation_makes_no_metric(server: TestServer) -> None:
    before = (await scraped(server))["keyferry_calls"].samples
    async with plain_stub(server.address) as stub:
        assert not hasattr(stub, "Destroy")
    status, _ = await http_get(server.running.metrics_address, "/no-such-page")
    assert status == 404
    assert (await scraped(server))["keyferry_calls"].samples == before
