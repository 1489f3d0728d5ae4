"""What is read from client certificates, and that no certificate, however broken, is a fault."""

import random
from datetime import timedelta

import pytest
from certificates import authority, make
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fakes.moved_clock import MovedClock

from keyferry_server.authn.caller import Principal
from keyferry_server.authn.client_certificate import CertificateAuthenticator
from keyferry_server.authn.evidence import CallerRefusedError, ClientCertificate, Evidence
from keyferry_server.authn.principal_map import PrincipalMap
from keyferry_server.crypto.client_certificate import read_client_certificate

SPIFFE_ID = "spiffe://example.org/account/000000000000/role/billing"
AUTHORITY = authority()


def authenticator(clock: MovedClock | None = None) -> CertificateAuthenticator:
    return CertificateAuthenticator(
        read_client_certificate, PrincipalMap("aws", "example.org"), clock or MovedClock()
    )


def test_the_spiffe_id_the_subject_and_the_end_are_read() -> None:
    pair = AUTHORITY.issue(SPIFFE_ID, subject="CN=billing,O=Example")
    read = read_client_certificate(pair.pem)
    assert read == ClientCertificate(SPIFFE_ID, "CN=billing,O=Example", pair.certificate.not_valid_after_utc)


def test_a_name_of_another_kind_is_no_spiffe_id() -> None:
    names: list[x509.GeneralName] = [
        x509.DNSName(SPIFFE_ID),
        x509.RFC822Name(SPIFFE_ID),
        x509.UniformResourceIdentifier("https://example.org/"),
    ]
    assert read_client_certificate(make(issuer=AUTHORITY, names=names).pem).spiffe_id is None
    assert read_client_certificate(AUTHORITY.issue().pem).spiffe_id is None


def test_a_spiffe_id_beside_another_uri_is_refused() -> None:
    for other in ("https://example.org/", SPIFFE_ID.replace("billing", "root")):
        with pytest.raises(CallerRefusedError, match="another URI"):
            read_client_certificate(AUTHORITY.issue(SPIFFE_ID, other).pem)


async def test_a_certificate_is_its_principal_until_its_last_second() -> None:
    clock = MovedClock()
    evidence = Evidence(certificate=AUTHORITY.issue(SPIFFE_ID, valid_for=timedelta(hours=2)).pem)
    authenticate = authenticator(clock)
    expected = Principal("000000000000", "arn:aws:iam::000000000000:role/billing")
    assert await authenticate(evidence) == expected
    assert await authenticate(Evidence()) is None
    clock.advance(timedelta(hours=1, minutes=1))
    with pytest.raises(CallerRefusedError) as caught:
        await authenticate(evidence)
    assert caught.value.is_expired


@pytest.mark.parametrize(
    "name", ["", "spiffe://other.org/account/000000000000/role/billing", "spiffe://example.org/x"]
)
async def test_a_certificate_of_nobody_is_refused(name: str) -> None:
    pair = AUTHORITY.issue(*([name] if name else []))
    with pytest.raises(CallerRefusedError, match="no principal") as caught:
        await authenticator()(Evidence(certificate=pair.pem))
    assert not caught.value.is_expired


async def test_a_thousand_damaged_certificates_are_read_or_refused_and_none_of_them_is_a_fault() -> None:
    chance = random.Random(5)
    der = AUTHORITY.issue(SPIFFE_ID).certificate.public_bytes(Encoding.DER)
    pem = AUTHORITY.issue(SPIFFE_ID).pem
    refused = 0
    for number in range(1000):
        source = der if number % 2 else pem
        damaged = bytearray(source)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        del damaged[len(damaged) - chance.choice([0, 0, 1, 50]) :]
        content = bytes(damaged)
        if number % 2:
            content = x509_pem(content)
        try:
            assert isinstance(await authenticator()(Evidence(certificate=content)), Principal)
        except CallerRefusedError:
            refused += 1
    assert refused > 400


def x509_pem(der: bytes) -> bytes:
    import base64

    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"
