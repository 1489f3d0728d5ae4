"""A small certificate authority in a folder, for a compose file, a first mTLS set-up and the tests.

::

    FOLDER/
    ├── authority/       certificate.pem, key.pem: whoever has this key is everybody
    ├── server/          certificate.pem, key.pem, authorities.pem: all that a server needs
    └── clients/role/NAME/, clients/user/NAME/    as in server/: all that a client needs

Keys are P-256, files of keys have the mode 0600. What is there and good for another
month is left alone, so that it may be said again at every start. An organisation that
has an authority of its own uses that.
"""

import ipaddress
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIVES = timedelta(days=3650)
CERTIFICATE_LIVES = timedelta(days=365)
RENEWED_BEFORE = timedelta(days=30)
# For clocks that are behind.
_BACKDATED = timedelta(hours=1)


class CertificateError(Exception):
    """A certificate cannot be made; the text says why."""


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """The authority of a folder. `load_or_make` it.

    Without its key, which may be kept elsewhere, it knows what it issued and issues nothing.
    """

    folder: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | None

    @classmethod
    def load_or_make(cls, folder: Path, now: datetime) -> "CertificateAuthority":
        """Return the authority of a folder; make both if they are not there."""
        certificate_file, key_file = (
            folder / "authority" / "certificate.pem",
            folder / "authority" / "key.pem",
        )
        if certificate_file.exists():
            try:
                key = load_pem_private_key(key_file.read_bytes(), None) if key_file.exists() else None
                certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
            except (ValueError, OSError) as error:
                raise CertificateError(f"the authority in {folder} cannot be used: {error}") from None
            if key is not None and not isinstance(key, ec.EllipticCurvePrivateKey):
                raise CertificateError(f"{key_file} is not a key of this authority: it is not on a curve")
            return cls(folder, certificate, key)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(
            x509.Name(
                [x509.NameAttribute(NameOID.COMMON_NAME, f"Keyferry authority {secrets.token_hex(4)}")]
            ),
            None,
            key,
            (now, AUTHORITY_LIVES),
            [
                (x509.BasicConstraints(ca=True, path_length=0), True),
                (_key_usage(signs_certificates=True), True),
            ],
            key,
        )
        authority = cls(folder, certificate, key)
        # The certificate last: with it there is an authority.
        _write_key(key_file, key)
        _write(certificate_file, certificate.public_bytes(Encoding.PEM))
        return authority

    def issue_server(self, names: Sequence[str], now: datetime) -> bool:
        """Make the server's certificate for host names and addresses; False if it is there and good."""
        alternatives = [_host(name) for name in names]
        return self._issue("server", x509.Name([]), alternatives, ExtendedKeyUsageOID.SERVER_AUTH, now)

    def issue_client(self, name: str, spiffe_id: str, now: datetime) -> bool:
        """Make the certificate of the client role/NAME or user/NAME; False if it is there and good."""
        common_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return self._issue(
            f"clients/{name}",
            common_name,
            [x509.UniformResourceIdentifier(spiffe_id)],
            ExtendedKeyUsageOID.CLIENT_AUTH,
            now,
        )

    def _issue(
        self,
        place: str,
        subject: x509.Name,
        names: Sequence[x509.GeneralName],
        usage: x509.ObjectIdentifier,
        now: datetime,
    ) -> bool:
        folder = self.folder / place
        wanted = x509.SubjectAlternativeName(names)
        if self._is_good(folder, wanted, now):
            return False
        if self.key is None:
            raise CertificateError(
                f"a certificate for {folder} must be made, and the authority's key is not here: put it back to "
                f"{self.folder / 'authority' / 'key.pem'} for as long as that takes"
            )
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(
            subject,
            self.certificate,
            key,
            (now, CERTIFICATE_LIVES),
            [
                (x509.BasicConstraints(ca=False, path_length=None), True),
                (_key_usage(signs_certificates=False), True),
                (x509.ExtendedKeyUsage([usage]), False),
                # Without a subject this is all that says who it is, and so critical (RFC 5280, 4.2.1.6).
                (wanted, not list(subject)),
            ],
            self.key,
        )
        _write_key(folder / "key.pem", key)
        _write(folder / "certificate.pem", certificate.public_bytes(Encoding.PEM))
        _write(folder / "authorities.pem", self.certificate.public_bytes(Encoding.PEM))
        return True

    def _is_good(self, folder: Path, names: x509.SubjectAlternativeName, now: datetime) -> bool:
        """Tell whether all that belongs to a certificate is there, belongs together, and lasts a while."""
        try:
            certificate = x509.load_pem_x509_certificate((folder / "certificate.pem").read_bytes())
            certificate.verify_directly_issued_by(self.certificate)
            key = load_pem_private_key((folder / "key.pem").read_bytes(), None)
            authorities = x509.load_pem_x509_certificates((folder / "authorities.pem").read_bytes())
            if key.public_key() != certificate.public_key() or authorities != [self.certificate]:
                return False
            found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (OSError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
            return False
        return found == names and certificate.not_valid_after_utc - now > RENEWED_BEFORE


def _certificate(
    subject: x509.Name,
    issuer: x509.Certificate | None,
    key: ec.EllipticCurvePrivateKey,
    life: tuple[datetime, timedelta],
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
    signer: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    now, lives = life
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + lives)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    for extension, is_critical in extensions:
        builder = builder.add_extension(extension, is_critical)
    return builder.sign(signer, SHA256())


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        try:
            return x509.DNSName(name)
        except ValueError:
            raise CertificateError(f"{name!r} is not the name or the address of a host") from None


def _write_key(file: Path, key: ec.EllipticCurvePrivateKey) -> None:
    _write(file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=0o600)


def _write(file: Path, content: bytes, mode: int = 0o644) -> None:
    """Put a file in place at once: a server may be reading it."""
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
            with open(descriptor, "wb") as opened:  # noqa: PTH123 -- Path.open cannot create it with a mode
                opened.write(content)
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise CertificateError(f"{file} cannot be written: {error.strerror}") from None
