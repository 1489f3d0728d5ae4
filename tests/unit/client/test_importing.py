"""Bringing a key in one call: what is checked, sent, cancelled, wiped, and said when it fails."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.protobuf.message import Message
from unit.client.importer import MATERIAL, MATERIAL_ID, TOKEN, VALID_TO, Importer, timestamp
from unit.client.small_kms import KEY_ARN
from unit.client.small_service import SmallService, refusing

from keyferry.v1 import GetParametersForImportRequest, ImportKeyMaterialRequest
from keyferry_client import (
    BlockingKeyManagementServiceClient,
    CancellationTokenSource,
    DeadlineExceededError,
    InputError,
    KeyferryError,
    KeyManagementServiceClient,
    KeyMaterialError,
    OperationCanceledError,
    WrappingError,
    wipe,
)


async def test_it_fetches_parameters_wraps_and_imports(
    importer: Importer, client: KeyManagementServiceClient
) -> None:
    answer = await client.import_key_async(key_id="k", material=MATERIAL, valid_to=VALID_TO)
    assert (answer.key_id, answer.key_material_id) == (KEY_ARN, MATERIAL_ID)
    assert importer.asked == [
        GetParametersForImportRequest(
            key_id="k",
            wrapping_algorithm="ALGORITHM_SPEC_RSAES_OAEP_SHA_256",
            wrapping_key_spec="WRAPPING_KEY_SPEC_RSA_3072",
        )
    ]
    assert importer.material == MATERIAL
    (request,) = importer.imported
    request.ClearField("encrypted_key_material")
    assert request == ImportKeyMaterialRequest(
        key_id="k",
        import_token=TOKEN,
        valid_to=timestamp(VALID_TO),
        expiration_model="EXPIRATION_MODEL_TYPE_KEY_MATERIAL_EXPIRES",
    )


async def test_material_that_never_expires_new_material_and_words_about_it_are_said(
    importer: Importer, client: KeyManagementServiceClient
) -> None:
    await client.import_key_async(
        key_id="k",
        material=MATERIAL,
        valid_to=None,
        import_type="NEW_KEY_MATERIAL",
        key_material_description="second",
    )
    (request,) = importer.imported
    assert (request.expiration_model, request.HasField("valid_to")) == (2, False)
    assert (request.import_type, request.key_material_description) == (1, "second")


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
async def test_material_may_be_any_bytes_and_is_not_wiped_for_the_caller(
    kind: Callable[[bytes], Any], importer: Importer, client: KeyManagementServiceClient
) -> None:
    material = kind(MATERIAL)
    await client.import_key_async(key_id="k", material=material, valid_to=None)
    assert importer.material == bytes(material) == MATERIAL


async def test_material_may_be_wiped_as_soon_as_the_call_has_begun(
    importer: Importer, client: KeyManagementServiceClient
) -> None:
    material = bytearray(MATERIAL)
    task = client.import_key_async(key_id="k", material=material, valid_to=None)
    wipe(material)
    assert material == bytes(32)
    await task
    assert importer.material == MATERIAL


@pytest.mark.parametrize("is_begun", [True, False])
async def test_our_copy_of_the_material_is_wiped_even_if_the_call_is_cancelled(
    is_begun: bool,  # noqa: FBT001 -- pytest's parameter
    service: SmallService,
    client: KeyManagementServiceClient,
) -> None:
    asked = asyncio.Event()

    async def never(_request: Any, _context: Any) -> Message:
        asked.set()
        return await asyncio.Event().wait()  # type: ignore[return-value]

    service.serve(GetParametersForImport=never)
    task = client.import_key_async(key_id="k", material=MATERIAL, valid_to=None)
    work: Any = task.get_coro()
    copy = work.cr_frame.f_locals["copy"]
    assert (copy, type(copy)) == (MATERIAL, bytearray)
    if is_begun:
        await asked.wait()
    task.cancel()
    await asyncio.wait({task})
    await asyncio.sleep(0)
    assert copy == bytes(32)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"material": MATERIAL.hex().encode()}, KeyMaterialError, "hexadecimal"),
        ({"material": "text"}, TypeError, "key material is bytes"),
        ({"valid_to": datetime(2030, 1, 1)}, InputError, "time zone"),  # noqa: DTZ001 -- the point
        ({"key_spec": "AES_256"}, InputError, "no key spec 'AES_256'"),
        ({"wrapping_algorithm": "RSAES_PKCS1_V1_5"}, WrappingError, "not supported"),
        ({"wrapping_key_spec": "RSA_1024"}, InputError, "wrapping_key_spec"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
async def test_what_is_wrong_here_is_refused_at_once_and_nothing_is_sent(
    wrong: dict[str, Any],
    error: type[Exception],
    message: str,
    importer: Importer,
    client: KeyManagementServiceClient,
) -> None:
    with pytest.raises(error, match=message):
        client.import_key_async(**({"key_id": "k", "material": MATERIAL, "valid_to": None} | wrong))
    assert importer.asked == []


async def test_a_private_key_is_wrapped_by_the_algorithm_that_can_carry_it(
    importer: Importer, client: KeyManagementServiceClient, private_keys: dict[int, rsa.RSAPrivateKey]
) -> None:
    private_key = private_keys[2048].private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    await client.import_key_async(key_id="k", material=private_key, valid_to=None, key_spec="RSA_2048")
    assert importer.asked[0].wrapping_algorithm == 5
    assert importer.material == private_key


def import_it(client: KeyManagementServiceClient, **options: Any) -> Any:
    return client.import_key_async(key_id="k", material=MATERIAL, valid_to=None, **options)


@pytest.mark.parametrize(
    ("operation", "reason", "note"),
    [
        ("GetParametersForImport", "UnsupportedOperationException", "origin EXTERNAL"),
        ("GetParametersForImport", "AccessDeniedException", "kms:GetParametersForImport"),
        ("ImportKeyMaterial", "IncorrectKeyMaterialException", "NEW_KEY_MATERIAL"),
        ("ImportKeyMaterial", "ExpiredImportTokenException", "fetches new parameters"),
        ("ImportKeyMaterial", "KMSInvalidStateException", "DescribeKey"),
    ],
)
async def test_a_refusal_says_what_to_do(
    operation: str,
    reason: str,
    note: str,
    service: SmallService,
    client: KeyManagementServiceClient,
    private_keys: dict[int, rsa.RSAPrivateKey],
) -> None:
    operations = Importer(private_keys[3072]).operations
    service.serve(**(operations | {operation: refusing(reason, grpc.StatusCode.FAILED_PRECONDITION)}))
    with pytest.raises(KeyferryError) as caught:
        await import_it(client)
    assert caught.value.name == reason
    assert note in "".join(caught.value.__notes__)


async def test_a_lost_answer_says_that_repeating_does_no_harm(
    service: SmallService, client: KeyManagementServiceClient, private_keys: dict[int, rsa.RSAPrivateKey]
) -> None:
    async def never(_request: Any, _context: Any) -> Message:
        return await asyncio.Event().wait()  # type: ignore[return-value]

    service.serve(**(Importer(private_keys[3072]).operations | {"ImportKeyMaterial": never}))
    with pytest.raises(DeadlineExceededError) as caught:
        await import_it(client, timeout=0.5)
    assert "importing the same material again does no harm" in caught.value.__notes__[0]


async def test_without_parameters_nothing_is_unknown(
    service: SmallService, client: KeyManagementServiceClient
) -> None:
    async def never(_request: Any, _context: Any) -> Message:
        return await asyncio.Event().wait()  # type: ignore[return-value]

    service.serve(GetParametersForImport=never)
    with pytest.raises(DeadlineExceededError) as caught:
        await import_it(client, timeout=0.2)
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.parametrize("step", ["GetParametersForImport", "ImportKeyMaterial"])
async def test_a_token_cancels_it_at_either_step(
    step: str,
    service: SmallService,
    client: KeyManagementServiceClient,
    private_keys: dict[int, rsa.RSAPrivateKey],
) -> None:
    reached, ended = asyncio.Event(), asyncio.Event()

    async def wait(_request: Any, _context: Any) -> Message:
        reached.set()
        try:
            return await asyncio.Event().wait()  # type: ignore[return-value]
        finally:
            ended.set()

    service.serve(**(Importer(private_keys[3072]).operations | {step: wait}))
    source = CancellationTokenSource()
    task = import_it(client, cancellation_token=source.token)
    await reached.wait()
    source.cancel()
    with pytest.raises(OperationCanceledError) as caught:
        await task
    assert caught.value.cancellation_token is source.token
    await ended.wait()


async def test_threads_without_a_loop_have_it_too(service: SmallService, importer: Importer) -> None:
    client = BlockingKeyManagementServiceClient(service.address)
    await asyncio.to_thread(client.import_key, key_id="k", material=MATERIAL, valid_to=None)
    assert importer.material == MATERIAL
    await asyncio.to_thread(client.close)


def test_an_elliptic_curve_key_of_another_curve_is_not_wrapped() -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    material = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    client = BlockingKeyManagementServiceClient("127.0.0.1:9")
    with pytest.raises(KeyMaterialError, match="secp384r1, not of the curve secp256r1"):
        client.import_key(key_id="k", material=material, valid_to=None, key_spec="ECC_NIST_P256")
