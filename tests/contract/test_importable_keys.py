"""Import into HMAC and asymmetric keys, where KEYFERRY_IMPORTABLE_KEYS=all allows it: as AWS does it."""

import asyncio
from datetime import timedelta

import pytest
from contract.beneath import change, select
from contract.conftest import Refused
from contract.operations import send
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fixtures.server import ServerFactory, TestServer
from key_checks import until_checking
from other_keys import KEY_WRAP, bring, create_key, public_key_of, sign, verify_request
from private_keys import (
    encrypted,
    generate,
    pem,
    pkcs8,
    rsa_key_of_a_composite,
    rsa_key_with_exponent,
    rsa_pkcs8,
    same_ec_key_without_public_key,
    same_rsa_key_encoded_otherwise,
    spki,
    traditional,
)
from steps import (
    delete_material,
    describe,
    get_parameters,
    import_request,
    state_of,
)

from keyferry.v1 import (
    DecryptRequest,
    DeleteImportedKeyMaterialRequest,
    EncryptRequest,
    ListImportReceiptsRequest,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    DryRunOperationException,
    IncorrectKeyMaterialException,
    KMSInternalException,
    KMSInvalidStateException,
    ServiceError,
    UnsupportedOperationException,
    ValidationException,
)

OAEP = "RSAES_OAEP_SHA_256"


@pytest.fixture
async def server(start_server: ServerFactory) -> TestServer:
    return await start_server(importable_keys="all")


async def test_a_4096_bit_rsa_key_comes_in_under_rsa_aes_key_wrap_and_signs_as_it_did_before(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key = await create_key(client, "RSA_4096", "SIGN_VERIFY", "EXTERNAL")
    brought = generate("RSA_4096")
    for algorithm in ("RSAES_OAEP_SHA_1", OAEP):
        await refused(
            UnsupportedOperationException, get_parameters(client, key.key_id, algorithm, "RSA_4096")
        )

    answer = await bring(client, key.key_id, pkcs8(brought), KEY_WRAP, "RSA_4096")

    assert answer.key_id == key.arn
    assert not answer.HasField("key_material_id")
    assert not answer.receipt.HasField("key_material_id")
    assert await public_key_of(client, key.key_id) == spki(brought)
    signature = await sign(client, key.key_id, "RSASSA_PSS_SHA_512")
    assert len(signature) == 512
    await client.verify_async(verify_request(key.key_id, "RSASSA_PSS_SHA_512", signature))


async def test_each_wrapping_carries_what_fits_into_it(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    p521 = await create_key(client, "ECC_NIST_P521", "SIGN_VERIFY", "EXTERNAL")
    for algorithm in ("RSAES_OAEP_SHA_1", OAEP):
        error = await refused(
            UnsupportedOperationException, get_parameters(client, p521.key_id, algorithm, "RSA_2048")
        )
        assert f"{algorithm} with RSA_3072, RSA_4096" in error.message
    material = pkcs8(generate("ECC_NIST_P521"))
    for algorithm, wrapping in ((OAEP, "RSA_3072"), (KEY_WRAP, "RSA_2048")):
        await bring(client, p521.key_id, material, algorithm, wrapping)

    for spec, usage in (("ECC_NIST_P384", "KEY_AGREEMENT"), ("ECC_SECG_P256K1", "SIGN_VERIFY")):
        key = await create_key(client, spec, usage, "EXTERNAL")
        await bring(client, key.key_id, pkcs8(generate(spec)), "RSAES_OAEP_SHA_1", "RSA_2048")
        assert await state_of(client, key.key_id) == "ENABLED"


async def test_only_the_same_private_key_comes_again_in_whatever_encoding(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    rsa_key, curve_key = generate("RSA_2048"), generate("ECC_NIST_P256")
    assert isinstance(rsa_key, rsa.RSAPrivateKey)
    assert isinstance(curve_key, ec.EllipticCurvePrivateKey)
    encodings = {
        "RSA_2048": (pkcs8(rsa_key), same_rsa_key_encoded_otherwise(rsa_key)),
        "ECC_NIST_P256": (pkcs8(curve_key), same_ec_key_without_public_key(curve_key)),
    }
    for spec, (first, other_encoding) in encodings.items():
        key = await create_key(client, spec, "SIGN_VERIFY", "EXTERNAL")
        await bring(client, key.key_id, first)
        for material in (other_encoding, first):
            await bring(client, key.key_id, material)
            await delete_material(client, key.key_id)
        parameters = await get_parameters(client, key.key_id, KEY_WRAP)
        other = import_request(key.key_id, parameters, pkcs8(generate(spec)), algorithm=KEY_WRAP)
        error = await refused(IncorrectKeyMaterialException, client.import_key_material_async(other))
        assert "is not the one that was imported into" in error.message
        await bring(client, key.key_id, other_encoding)
        assert await state_of(client, key.key_id) == "ENABLED"
    ((materials,),) = await select(server, "SELECT count(*) FROM key_materials")
    assert materials == len(encodings)


async def test_material_that_is_not_what_the_key_spec_says_is_refused(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    rsa_key = generate("RSA_2048")
    assert isinstance(rsa_key, rsa.RSAPrivateKey)
    curve_key = generate("ECC_NIST_P256")
    # The last ones of RSA are refused for their numbers, everything else for its form.
    wrong: dict[tuple[str, str], list[tuple[bytes, str]]] = {
        ("RSA_2048", "ENCRYPT_DECRYPT"): [
            (pem(rsa_key), "unencrypted PKCS#8 in DER"),
            (traditional(rsa_key), "unencrypted PKCS#8 in DER"),
            (encrypted(rsa_key), "unencrypted PKCS#8 in DER"),
            (pkcs8(curve_key), "an RSA private key of 2048 bits"),
            (pkcs8(generate("RSA_3072")), "this one has 3072"),
            (rsa_pkcs8(rsa_key, d=rsa_key.private_numbers().d + 2), "not a valid RSA private key"),
            (rsa_key_of_a_composite(), "not a valid RSA private key"),
            (rsa_key_with_exponent(rsa_key, 257), "odd number above 65536"),
            (rsa_key_with_exponent(rsa_key, (1 << 64) + 13), "of 64 bits at most"),
        ],
        ("ECC_NIST_P256", "SIGN_VERIFY"): [
            (pkcs8(generate("ECC_SECG_P256K1")), "named curve NIST P-256"),
            (traditional(curve_key), "unencrypted PKCS#8 in DER"),
            (bytes(32), "named curve NIST P-256"),
        ],
        ("HMAC_384", "GENERATE_VERIFY_MAC"): [
            (bytes(47), "48 to 128 bytes"),
            (bytes(129), "has 129 bytes"),
        ],
    }
    for (spec, usage), materials in wrong.items():
        key = await create_key(client, spec, usage, "EXTERNAL")
        parameters = await get_parameters(client, key.key_id, KEY_WRAP)
        for material, words in materials:
            request = import_request(key.key_id, parameters, material, algorithm=KEY_WRAP)
            error = await refused(IncorrectKeyMaterialException, client.import_key_material_async(request))
            assert words in error.message
        assert await state_of(client, key.key_id) == "PENDING_IMPORT"


async def test_what_is_about_several_materials_is_for_symmetric_keys_only(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key = await create_key(client, "HMAC_256", "GENERATE_VERIFY_MAC", "EXTERNAL")
    parameters = await get_parameters(client, key.key_id, OAEP)
    for members, named in (
        ({"import_type": "IMPORT_TYPE_NEW_KEY_MATERIAL"}, "ImportType"),
        ({"import_type": "IMPORT_TYPE_EXISTING_KEY_MATERIAL"}, "ImportType"),
        ({"key_material_description": ""}, "KeyMaterialDescription"),
        ({"key_material_id": "0" * 64}, "KeyMaterialId"),
        (
            {"import_type": "IMPORT_TYPE_NEW_KEY_MATERIAL", "key_material_description": "words"},
            "ImportType and KeyMaterialDescription",
        ),
    ):
        request = import_request(key.key_id, parameters)
        request.MergeFrom(type(request)(**members))
        error = await refused(ValidationException, client.import_key_material_async(request))
        assert error.message == (
            f"{named} can be used with symmetric encryption keys only. The key spec of {key.arn} is HMAC_256."
        )


async def test_the_public_key_stays_when_the_private_key_is_gone(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key = await create_key(client, "ECC_NIST_P256", "SIGN_VERIFY", "EXTERNAL")
    brought = generate("ECC_NIST_P256")
    parameters = await get_parameters(client, key.key_id, OAEP)
    expiring = import_request(
        key.key_id, parameters, pkcs8(brought), valid_to=server.clock.now() + timedelta(hours=1)
    )
    expiring.dry_run = True
    await refused(DryRunOperationException, client.import_key_material_async(expiring))
    expiring.dry_run = False
    first = await client.import_key_material_async(expiring)
    assert await client.import_key_material_async(expiring) == first
    described = await describe(client, key.key_id)
    assert not described.HasField("current_key_material_id")
    assert described.HasField("valid_to")
    signature = await sign(client, key.key_id, "ECDSA_SHA_256")

    server.clock.advance(timedelta(hours=1))
    await server.running.sweeper.sweep()
    assert await state_of(client, key.key_id) == "PENDING_IMPORT"
    assert await public_key_of(client, key.key_id) == spki(brought)
    request = verify_request(key.key_id, "ECDSA_SHA_256", signature)
    error = await refused(KMSInvalidStateException, send(client, request))
    assert error.message == f"{key.arn} is pending import."

    await bring(client, key.key_id, pkcs8(brought), OAEP)
    await client.verify_async(request)
    gone = await client.delete_imported_key_material_async(
        DeleteImportedKeyMaterialRequest(key_id=key.key_id)
    )
    assert (gone.key_id, gone.HasField("key_material_id")) == (key.arn, False)
    assert await public_key_of(client, key.key_id) == spki(brought)
    receipts = await send(client, ListImportReceiptsRequest(key_id=key.key_id))
    assert [one.HasField("key_material_id") for one in receipts.import_receipts] == [False, False]


async def test_calls_are_answered_while_an_rsa_key_is_checked(client: KeyManagementServiceClient) -> None:
    key = await create_key(client, "RSA_2048", "ENCRYPT_DECRYPT", "EXTERNAL")
    importing = asyncio.create_task(bring(client, key.key_id, pkcs8(generate("RSA_2048"))))
    (check,) = await until_checking(1)
    check.suspend()

    assert await state_of(client, key.key_id) == "PENDING_IMPORT"
    assert not importing.done()
    check.resume()
    await importing
    algorithm = "ENCRYPTION_ALGORITHM_SPEC_RSAES_OAEP_SHA_1"
    encrypted_text = await client.encrypt_async(
        EncryptRequest(key_id=key.key_id, plaintext=b"text", encryption_algorithm=algorithm)
    )
    opened = await client.decrypt_async(
        DecryptRequest(
            key_id=key.key_id,
            ciphertext_blob=encrypted_text.ciphertext_blob,
            encryption_algorithm=algorithm,
        )
    )
    assert opened.plaintext == b"text"


async def test_an_import_of_the_same_private_key_repairs_a_damaged_public_key(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key = await create_key(client, "ECC_NIST_P256", "SIGN_VERIFY", "EXTERNAL")
    brought = generate("ECC_NIST_P256")
    await bring(client, key.key_id, pkcs8(brought))
    await change(server, "UPDATE key_materials SET public_key = '\\x00'")
    await refused(KMSInternalException, public_key_of(client, key.key_id))

    await bring(client, key.key_id, pkcs8(brought))

    assert await public_key_of(client, key.key_id) == spki(brought)
