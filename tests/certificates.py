"""Certificates of every kind, also those that no authority should make."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

HOST = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    private_key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def issue(self, *uris: str, **changed: object) -> "Pair":
        """Issue a client certificate with these URIs; keyword arguments are those of `make`."""
        names = [x509.UniformResourceIdentifier(uri) for uri in uris]
        return make(issuer=self, names=names, **changed)  # type: ignore[arg-type]

    def write(self, folder: Path) -> tuple[Path, Path]:
        folder.mkdir(exist_ok=True)
        certificate, key = folder / "certificate.pem", folder / "key.pem"
        certificate.write_bytes(self.pem)
        key.write_bytes(self.key_pem)
        return certificate, key


def make(
    subject: str = "CN=client",
    *,
    issuer: Pair | None = None,
    names: list[x509.GeneralName] | None = None,
    is_authority: bool = False,
    valid_from: timedelta = timedelta(hours=-1),
    valid_for: timedelta = timedelta(days=1),
    usage: x509.ObjectIdentifier | None = ExtendedKeyUsageOID.CLIENT_AUTH,
) -> Pair:
    """Make a certificate; without an issuer it signs itself. Times are from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name.from_rfc4514_string(subject)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.certificate.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + valid_from)
        .not_valid_after(now + valid_from + valid_for)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if usage is not None and not is_authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return Pair(builder.sign(issuer.private_key if issuer else key, SHA256()), key)


def authority(name: str = "authority") -> Pair:
    return make(f"CN={name}", is_authority=True)


def server_pair(issuer: Pair) -> Pair:
    return make("CN=server", issuer=issuer, names=HOST, usage=ExtendedKeyUsageOID.SERVER_AUTH)


def channel_credentials(
    authority: Pair, client: Pair | None = None, token: str | None = None
) -> grpc.ChannelCredentials:
    """Return what a client trusts and shows."""
    credentials = grpc.ssl_channel_credentials(
        authority.pem, client.key_pem if client else None, client.pem if client else None
    )
    if token is None:
        return credentials
    return grpc.composite_channel_credentials(credentials, grpc.access_token_call_credentials(token))


__all__ = ["HOST", "Pair", "authority", "channel_credentials", "make", "server_pair"]
