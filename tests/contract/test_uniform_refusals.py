"""Whatever is wrong with a ciphertext, the whole answer is the same, byte for byte but for the request id.

Its time is measured by `make timing`, which prints it.
"""

import os
from collections.abc import Mapping

import grpc
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import load_der_public_key
from fixtures.server import TestServer
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from steps import create_external_key, create_imported_key, encrypt, get_parameters, import_request

from keyferry.v1 import DecryptRequest
from keyferry_client import KeyManagementServiceClient

Answer = tuple[grpc.StatusCode, str, tuple[str, ...], bytes]


async def answer(server: TestServer, operation: str, request: Message) -> Answer:
    """Return all that a refused call is answered with, the request id taken out."""
    async with grpc.aio.insecure_channel(server.address) as channel:
        call = channel.unary_unary(
            f"/keyferry.v1.KeyManagementService/{operation}",
            request_serializer=type(request).SerializeToString,
        )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(request, timeout=20)
    trailers = dict(caught.value.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    for detail in status.details:
        if detail.Is(error_details_pb2.RequestInfo.DESCRIPTOR):
            detail.Pack(error_details_pb2.RequestInfo())
    return (
        caught.value.code(),
        caught.value.details() or "",
        tuple(sorted(trailers)),
        status.SerializeToString(),
    )


def oaep(digest: hashes.HashAlgorithm, label: bytes | None = None) -> padding.OAEP:
    return padding.OAEP(padding.MGF1(digest), digest, label)


def wrongly_wrapped(public_key: rsa.RSAPublicKey) -> Mapping[str, tuple[str, bytes]]:
    """Return algorithm and blob by what is wrong."""
    modulus, length = public_key.public_numbers().n, 256
    sha256, other = oaep(hashes.SHA256()), oaep(hashes.SHA384())

    def raw(number: int) -> bytes:
        return pow(number, 65537, modulus).to_bytes(length)

    direct = {
        "zeros": bytes(length),
        "one": (1).to_bytes(length),
        "as large as the modulus": modulus.to_bytes(length),
        "larger": (2**2048 - 1).to_bytes(length),
        "random": raw(int.from_bytes(os.urandom(255))),
        "the first byte is not 0": raw(int.from_bytes(b"\x01" + os.urandom(254) + b"\x01") % modulus),
        "another hash": public_key.encrypt(bytes(32), other),
        "a label": public_key.encrypt(bytes(32), oaep(hashes.SHA256(), b"label")),
        "PKCS#1 v1.5": public_key.encrypt(bytes(32), padding.PKCS1v15()),
    }
    kwp = aes_key_wrap_with_padding(bytes(32), bytes(32))
    two_parts = {
        **{f"RSA: {name}": blob + kwp for name, blob in direct.items()},
        "a key of 16 bytes": public_key.encrypt(bytes(16), sha256)
        + aes_key_wrap_with_padding(bytes(16), bytes(32)),
        "another AES key": public_key.encrypt(os.urandom(32), sha256) + kwp,
        "a damaged second part": public_key.encrypt(bytes(32), sha256) + kwp[:-1] + b"x",
        "a short second part": public_key.encrypt(bytes(32), sha256) + kwp[:-8],
        "no second part": public_key.encrypt(bytes(32), sha256),
    }
    return {
        **{name: ("RSAES_OAEP_SHA_256", blob) for name, blob in direct.items()},
        **{name: ("RSA_AES_KEY_WRAP_SHA_256", blob) for name, blob in two_parts.items()},
    }


async def test_all_that_does_not_unwrap_is_answered_alike(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_external_key(client)
    answers: dict[str, Answer] = {}
    for algorithm in ("RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_256"):
        parameters = await get_parameters(client, key_id, algorithm)
        public_key = load_der_public_key(parameters.public_key)
        assert isinstance(public_key, rsa.RSAPublicKey)
        request = import_request(key_id, parameters, algorithm=algorithm)
        for name, (wrapped_by, blob) in wrongly_wrapped(public_key).items():
            if wrapped_by == algorithm:
                request.encrypted_key_material = blob
                answers[name] = await answer(server, "ImportKeyMaterial", request)

    assert len(answers) > 20
    assert len(set(answers.values())) == 1, answers
    code, message, _, _ = answers["zeros"]
    assert (code, message) == (grpc.StatusCode.INVALID_ARGUMENT, "")


async def test_all_that_does_not_decrypt_is_answered_alike(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id, other = await create_imported_key(client), await create_imported_key(client, os.urandom(32))
    blob = await encrypt(client, key_id, context={"tenant": "1"})
    foreign = await encrypt(client, other, context={"tenant": "1"})

    def flipped(at: int) -> bytes:
        return blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]

    wrong = {
        "context": (blob, {"tenant": "2"}),
        "no context": (blob, {}),
        "salt": (flipped(60), {"tenant": "1"}),
        "ciphertext": (flipped(84), {"tenant": "1"}),
        "tag": (flipped(-1 % len(blob)), {"tenant": "1"}),
        "material": (flipped(30), {"tenant": "1"}),
        "format": (flipped(0), {"tenant": "1"}),
        "length": (blob[:-1], {"tenant": "1"}),
        "parts of another": (blob[:82] + foreign[82:], {"tenant": "1"}),
        "nothing like one": (b"x", {"tenant": "1"}),
    }
    answers = {
        name: await answer(
            server,
            "Decrypt",
            DecryptRequest(key_id=key_id, ciphertext_blob=content, encryption_context=context),
        )
        for name, (content, context) in wrong.items()
    }
    assert len(set(answers.values())) == 1, answers
