"""Sign and Verify: whose signature it is, of what, and how it is refused."""

import hashlib
import subprocess
from pathlib import Path

import pytest
from contract.conftest import Refused
from contract.operations import send
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import load_der_public_key
from other_keys import create_key, public_key_of, sign, sign_request, verify_request

from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import KMSInvalidSignatureException, ServiceError, ValidationException

RSA_ALGORITHMS = [
    f"RSASSA_{padding}_SHA_{bits}" for padding in ("PSS", "PKCS1_V1_5") for bits in (256, 384, 512)
]


async def test_what_a_key_signs_it_verifies_as_a_message_or_as_its_digest(
    client: KeyManagementServiceClient,
) -> None:
    rsa_key = await create_key(client, "RSA_2048", "SIGN_VERIFY")
    curve = await create_key(client, "ECC_NIST_P521", "SIGN_VERIFY")
    for key, algorithms in ((rsa_key, RSA_ALGORITHMS), (curve, ["ECDSA_SHA_512"])):
        for algorithm in algorithms:
            digest = hashlib.new(f"sha{algorithm[-3:]}", b"message").digest()
            for given, is_digest in ((b"message", False), (digest, True)):
                request = sign_request(key.key_id, algorithm, given, is_digest=is_digest)
                signed = await client.sign_async(request)
                assert (signed.key_id, signed.signing_algorithm) == (key.arn, request.signing_algorithm)

                for again, again_is_digest in ((b"message", False), (digest, True)):
                    verified = await client.verify_async(
                        verify_request(key.arn, algorithm, signed.signature, again, is_digest=again_is_digest)
                    )
                    assert (verified.key_id, verified.signature_valid) == (key.arn, True)
                    assert verified.signing_algorithm == request.signing_algorithm


async def test_a_curves_signature_is_der_and_good_for_the_public_key_outside(
    client: KeyManagementServiceClient,
) -> None:
    key = await create_key(client, "ECC_NIST_P384", "SIGN_VERIFY")
    public_key = load_der_public_key(await public_key_of(client, key.key_id))
    assert isinstance(public_key, ec.EllipticCurvePublicKey)

    signature = await sign(client, key.key_id, "ECDSA_SHA_384", bytes(4096))

    assert all(number > 0 for number in decode_dss_signature(signature))
    public_key.verify(signature, bytes(4096), ec.ECDSA(SHA384()))


@pytest.mark.parametrize("scheme", ["PSS", "PKCS1_V1_5"])
async def test_the_openssl_command_line_verifies_a_signature(
    client: KeyManagementServiceClient, tmp_path: Path, scheme: str
) -> None:
    key = await create_key(client, "RSA_2048", "SIGN_VERIFY")
    files = {
        "public.der": await public_key_of(client, key.key_id),
        "signature": await sign(client, key.key_id, f"RSASSA_{scheme}_SHA_256"),
        "message": b"message",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    pss = ["rsa_padding_mode:pss", "rsa_pss_saltlen:digest", "rsa_mgf1_md:sha256"]
    options = pss if scheme == "PSS" else ["rsa_padding_mode:pkcs1"]

    def verify() -> int:
        command = ["openssl", "dgst", "-sha256", "-verify", "public.der", "-keyform", "DER"]
        sigopts = [part for option in options for part in ("-sigopt", option)]
        return subprocess.run(
            [*command, *sigopts, "-signature", "signature", "message"],
            cwd=tmp_path,
            check=False,
            capture_output=True,
        ).returncode

    assert verify() == 0
    (tmp_path / "message").write_bytes(b"massage")
    assert verify() != 0


async def test_a_signature_that_is_not_right_is_refused_without_a_message(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    one = await create_key(client, "RSA_2048", "SIGN_VERIFY")
    other = await create_key(client, "ECC_NIST_P256", "SIGN_VERIFY")
    another = await create_key(client, "ECC_NIST_P256", "SIGN_VERIFY")
    pss = "RSASSA_PSS_SHA_256"
    of_one, of_other = (
        await sign(client, one.key_id, pss),
        await sign(client, other.key_id, "ECDSA_SHA_256"),
    )
    wrong = [
        verify_request(one.key_id, pss, of_one, b"massage"),
        verify_request(one.key_id, "RSASSA_PSS_SHA_384", of_one),
        verify_request(one.key_id, "RSASSA_PKCS1_V1_5_SHA_256", of_one),
        verify_request(one.key_id, pss, of_one[:-1] + bytes([of_one[-1] ^ 1])),
        verify_request(one.key_id, pss, of_other),
        verify_request(one.key_id, pss, b"s"),
        verify_request(one.key_id, pss, bytes(6144)),
        verify_request(another.key_id, "ECDSA_SHA_256", of_other),
        verify_request(other.key_id, "ECDSA_SHA_256", of_other + b"\0"),
        verify_request(other.key_id, "ECDSA_SHA_256", of_one),
    ]
    for request in wrong:
        error = await refused(KMSInvalidSignatureException, send(client, request))
        assert error.message == ""


async def test_a_digest_is_as_long_as_that_of_the_algorithm(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key = await create_key(client, "ECC_SECG_P256K1", "SIGN_VERIFY")
    signature = await sign(client, key.key_id, "ECDSA_SHA_256")
    for digest in (b"d", bytes(31), bytes(33), bytes(48)):
        for request in (
            sign_request(key.key_id, "ECDSA_SHA_256", digest, is_digest=True),
            verify_request(key.key_id, "ECDSA_SHA_256", signature, digest, is_digest=True),
        ):
            error = await refused(ValidationException, send(client, request))
            assert error.message == "Digest is invalid length for algorithm ECDSA_SHA_256."
